"""The two AWSs of a run: moto's server, and our fake, which counts."""

import hashlib
import json
import socket
import urllib.request
from collections import Counter

from . import names
from .processes import start_server

# moto's, for whoever names no registry.
MOTO_PASSWORD = "123456789012-auth-token"


class Aws:
    url = ""

    def env(self, identity):
        """The environment of somebody whose AWS is this one."""
        return {"AWS_ENDPOINT_URL": self.url, **identity}


class Moto(Aws):
    def __init__(self, moto_server, log, env):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        start_server("moto", [moto_server, "-H", "127.0.0.1", "-p", port], log / "moto.log", env,
               lambda: fetch(f"{self.url}/moto-api/data.json") is not None)  # fmt: skip


class Fake(Aws):
    def __init__(self, program, log, name="fake"):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        start_server(name, [program, port], log / f"{name}.log", {}, lambda: fetch(f"{self.url}/fake/requests") is not None)

    def requests(self):
        """All so far, in the order they came."""
        return json.loads(fetch(f"{self.url}/fake/requests"))

    def calls(self):
        """How often each (operation, access key id, region) was asked for."""
        return Counter((call["operation"], call["access_key_id"] or "", call["region"]) for call in self.requests())

    @staticmethod
    def password(identity, host):
        """The first 72 bytes of what it gives this identity for this registry; examples/fake_aws.rs makes it."""
        signer = identity.get("AWS_ACCESS_KEY_ID", "role")
        return hashlib.sha256(f"{signer} {names.ALL_ECR[host]}".encode()).hexdigest().ljust(72, "x")


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read()
    except OSError:
        return None


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
