"""Everything a run has on its loopback interface: registries, AWSs, daemons, homes."""

import shutil
from pathlib import Path

from . import names
from .aws import MOTO_PASSWORD, Fake, Moto
from .clients import Docker, Nerdctl
from .home import Home
from .namespace import WORK
from .processes import run, start_server
from .registry import Registry

HELPER = "docker-credential-ecr-login"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# No bridge, no packet filter: its containers would be the only ones to need them, and there are none.
DOCKERD = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--storage-driver=vfs"]
CONTAINERD_CONFIG = """\
version = 2
root = "{work}/containerd/root"
state = "{work}/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{work}/containerd.sock"
"""
NERDCTL_CONFIG = """\
address = "{work}/containerd.sock"
data_root = "{work}/nerdctl"
snapshotter = "native"
namespace = "e2e"
"""
STORAGE_CONFIG = """\
[storage]
driver = "vfs"
graphroot = "{work}/containers/graph"
runroot = "{work}/containers/run"
"""


class World:
    def __init__(self, helper, fake_program, tools, clients):
        self.tools = tools
        self.log = WORK / "log"
        for directory in (self.log, WORK / "tmp", WORK / "bin"):
            directory.mkdir()
        shutil.copy(helper, WORK / "bin" / HELPER)
        self.path = f"{WORK}/bin:{SYSTEM_PATH}"

        self.registry = Registry(self.log)
        self.fake_program = fake_program
        self.fake = Fake(fake_program, self.log)
        system = {"PATH": SYSTEM_PATH, "HOME": str(WORK)}
        self.moto = Moto(tools.python_program("moto_server"), self.log, {**system, **names.KEYS})
        write("/etc/containers/storage.conf", STORAGE_CONFIG)
        self.start_daemons(clients, system)

        # The home that nearly all is done from, so that its cache has to do for every client.
        self.home = self.new_home("user")

    def start_daemons(self, clients, env):
        if any(isinstance(client, Docker) for client in clients):
            socket = WORK / "docker.sock"
            directories = [f"--data-root={WORK}/docker", f"--exec-root={WORK}/docker-exec", f"--pidfile={WORK}/docker.pid"]
            ready = ["/usr/bin/docker", "-H", f"unix://{socket}", "version"]
            start_server("dockerd", ["/usr/sbin/dockerd", f"--host=unix://{socket}", *directories, *DOCKERD], self.log / "dockerd.log",
                   env, lambda: run(ready, env).status == 0)  # fmt: skip
        if any(isinstance(client, Nerdctl) for client in clients):
            write("/etc/nerdctl/nerdctl.toml", NERDCTL_CONFIG)
            write(WORK / "containerd.toml", CONTAINERD_CONFIG)
            ready = [self.tools.go_program("nerdctl"), "version"]
            start_server("containerd", ["/usr/bin/containerd", "--config", WORK / "containerd.toml"], self.log / "containerd.log", env,
                   lambda: run(ready, env).status == 0)  # fmt: skip

    def new_home(self, name):
        return Home(name, self.path, self.tools.go_program("buildx"))

    def use_moto(self, identity):
        """The environment of somebody whose AWS is moto; the registry takes moto's password from now on."""
        self.registry.accept(MOTO_PASSWORD)
        return self.moto.env(identity)

    def use_fake(self, identity, host=names.US):
        """The same with our fake, and its password for this identity at this host."""
        self.registry.accept(self.fake.password(identity, host))
        return self.fake.env(identity)

    def observed_path(self, name):
        """A PATH on which a script notes what the helper is asked before it asks the helper; and the notes."""
        directory, notes = WORK / "observed" / name, WORK / "observed" / f"{name}.txt"
        directory.mkdir(parents=True)
        notes.touch()
        script = directory / HELPER
        script.write_text(
            f'#!/bin/sh\nasked=$(cat)\nprintf "%s %s\\n" "$1" "$asked" >>{notes}\nprintf %s "$asked" | {WORK}/bin/{HELPER} "$@"\n'
        )
        script.chmod(0o755)
        return f"{directory}:{SYSTEM_PATH}", notes

    def note_screen(self, client, failure_name, result):
        write_text(self.log / "screens" / f"{client.name}, {failure_name}.txt", f"$ {result.command}\n{result.text}[exit {result.status}]\n")


def write(path, text):
    write_text(Path(path), text.format(work=WORK))


def write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not through a link that a package may have put there.
    path.unlink(missing_ok=True)
    path.write_text(text)
