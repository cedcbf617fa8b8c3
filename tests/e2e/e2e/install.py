"""Gets what is missing: Debian's packages, clients written in Go, moto. All but the packages is kept outside the checkout."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .pins import DEBIAN_PACKAGES, GO_PROGRAMS, OWN_GO_PROGRAMS

HERE = Path(__file__).resolve().parent.parent
CHECKOUT = HERE.parent.parent
# A policy-rc.d; one that an interrupted run left is known by its words.
NO_SERVICE = "#!/bin/sh\n# Of docker-credential-ecr-login's tests/e2e/run.\nexit 101\n"


class Tools:
    """Where the programs are that Debian does not have."""

    def __init__(self, directory):
        self.directory = directory
        self.requirements = HERE / "requirements.txt"
        pinned = hashlib.sha256(self.requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
        self.venv = directory / f"venv-{pinned}"

    def go_program(self, name):
        return self.directory / f"{name}-{self.go_version(name)}" / name

    @staticmethod
    def go_version(name):
        """`1.2.3`"""
        version = next(version for _, version, _, program in GO_PROGRAMS if program == name)
        return version.lstrip("v").partition("+")[0]

    def python_program(self, name):
        return self.venv / "bin" / name

    @property
    def venv_complete(self):
        return self.venv / "complete"

    def own_program(self, name):
        """One that is built of the directory of that name here."""
        return self.directory / name


def install(directory):
    """Installs what is missing below `directory` and on the system, and says what it is waiting for."""
    for program in ("cargo", "go"):
        if not shutil.which(program):
            sys.exit(f"tests/e2e/run: {program} is not on PATH")
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return install_locked(directory)


def install_locked(directory):
    tools = Tools(directory)
    debian_packages()
    for module, version, package, name in GO_PROGRAMS:
        if not tools.go_program(name).exists():
            go_install(module, version, package, tools.go_program(name))
    if not tools.venv_complete.exists():
        python_packages(tools)
    for name in OWN_GO_PROGRAMS:
        run("go", "build", "-ldflags=-s -w", "-o", tools.own_program(name), ".", cwd=HERE / name)
    return tools


def debian_packages():
    missing = sorted({package for program, package in DEBIAN_PACKAGES.items() if not Path(program).exists()})
    if missing:
        apt_get_install(missing)


def apt_get_install(packages):
    with no_service_started():
        run("apt-get", "update", "-qq")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run("apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages, env=environment)


@contextmanager
def no_service_started():
    """Debian's packages start their services; the ones here are only wanted as programs."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists() and policy.read_text() != NO_SERVICE:
        yield
        return
    policy.write_text(NO_SERVICE)
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def go_install(module, version, package, program):
    """`go install` from within the module: with its own replacements and sums, and no list of its versions asked for."""
    found = subprocess.run(
        ["go", "mod", "download", "-json", f"{module}@{version}"], cwd="/", check=True, capture_output=True, text=True
    )
    source = Path(json.loads(found.stdout)["Dir"])
    program.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as scratch:
        if not (source / "go.mod").exists():
            source = with_go_mod(source, Path(scratch) / "source")
        staged = Path(scratch) / "bin"
        run("go", "install", package, cwd=source, env={**os.environ, "GOBIN": str(staged), "GOFLAGS": "-mod=mod"})
        (staged / program.name).rename(program)


def with_go_mod(source, copy):
    """docker's command line calls its go.mod vendor.mod."""
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("vendor"))
    run("chmod", "-R", "u+w", copy)
    (copy / "vendor.mod").rename(copy / "go.mod")
    (copy / "vendor.sum").rename(copy / "go.sum")
    return copy


def python_packages(tools):
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", tools.venv], capture_output=True, text=True)
    if made.returncode != 0:
        apt_get_install(["python3-venv"])
        run(sys.executable, "-m", "venv", "--clear", tools.venv)
    run(tools.venv / "bin/pip", "install", "--quiet", "--requirement", tools.requirements)
    tools.venv_complete.touch()


def build_helper():
    """The helper and the fake AWS of this checkout, in the release profile that the quick start has built already."""
    # One by one: what examples need beyond the helper changes the features of crates that both are built of.
    return built_by_cargo("--bin", "docker-credential-ecr-login"), built_by_cargo("--example", "fake_aws")


def built_by_cargo(*target):
    command = ["cargo", "build", "--locked", "--release", *target, "--message-format=json-render-diagnostics"]
    print("+", " ".join(command), flush=True)
    built = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        sys.exit(f"tests/e2e/run: failed: {' '.join(command)}")
    messages = map(json.loads, built.stdout.splitlines())
    return Path([message["executable"] for message in messages if message.get("executable")][-1])


def run(*command, **options):
    words = [str(word) for word in command]
    print("+", " ".join(words), flush=True)
    if subprocess.run(words, **options).returncode != 0:
        sys.exit(f"tests/e2e/run: failed: {' '.join(words)}")
