"""A machine of its own inside this one: private mounts, network and process ids.

What is changed in it (/etc/hosts, the trusted certificates, /etc/containers) is changed nowhere else, port 443 is free, no packet
can leave, and when its first process ends, the kernel takes down every process, mount and interface that was made in it.
"""

import ctypes
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

WORK = Path("/run/e2e")
PR_SET_PDEATHSIG = 1


class Namespace:
    """Ends with `end`, or with this process, however that ends; with `keep`, only with `end`."""

    def __init__(self, keep):
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"]
            + ["sh", "-c", "echo ready; exec sleep infinity"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # Of what is kept, nothing may hold on to the terminal, or to a pipe there.
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=None if keep else die_with_parent,
        )
        if self.holder.stdout.readline() != b"ready\n":
            raise SystemExit("tests/e2e/run: no namespaces of its own can be made here (unshare failed)")
        children = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text()
        self.first_process = int(children.split()[0])

    def enter(self, *command):
        return ["nsenter", "--target", str(self.first_process), "--mount", "--net", "--pid", "--ipc", *map(str, command)]

    def end(self):
        with suppress(ProcessLookupError):
            os.kill(self.first_process, signal.SIGKILL)
        self.holder.wait()

    def file(self, path):
        """Where a file of the inside is, seen from outside."""
        return Path(f"/proc/{self.first_process}/root{path}")


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def furnish():
    """Called inside: a loopback interface, an empty /run and /dev/shm, and /etc, /opt and /var whose changes stay in here."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/dev/shm"], check=True)
    for changed in ("etc", "opt", "var"):
        upper, scratch = WORK / "overlay" / changed, WORK / "overlay" / f"{changed}.work"
        upper.mkdir(parents=True)
        scratch.mkdir()
        options = f"lowerdir=/{changed},upperdir={upper},workdir={scratch}"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", f"/{changed}"], check=True)
