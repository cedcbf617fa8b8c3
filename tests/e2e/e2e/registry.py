"""Debian's docker-registry with TLS, by all the names at once, and one that needs no login."""

import base64
import re
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from . import names
from .namespace import WORK
from .processes import Failed, start_server

MANIFESTS = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
]
SYSTEM_ROOTS = Path("/etc/ssl/certs/ca-certificates.crt")
CONFIG = """\
version: 0.1
storage:
  filesystem: {{rootdirectory: {work}/registry/{name}}}
http:
  addr: {address}
  secret: made-up
  tls: {{certificate: {work}/tls/leaf.crt, key: {work}/tls/leaf.key}}
"""
AUTH = "auth: {{htpasswd: {{realm: ecr, path: {work}/htpasswd}}}}\n"


class Registry:
    """Both of them. The user AWS has one password at a time."""

    def __init__(self, log):
        hosts = [*names.ECR, names.OPEN.partition(":")[0]]
        make_certificates(hosts)
        with open("/etc/hosts", "a", encoding="utf-8") as file:
            file.writelines(f"127.0.0.1 {host}\n" for host in hosts)
        self.password = None
        self.accept("nobody's yet")
        for name, address, auth in (("ecr", "127.0.0.1:443", AUTH), ("open", "127.0.0.1:5000", "")):
            config = WORK / f"registry-{name}.yml"
            config.write_text((CONFIG + auth).format(work=WORK, name=name, address=address))
            host = names.US if name == "ecr" else names.OPEN
            start_server(f"registry-{name}", ["/usr/bin/docker-registry", "serve", config], log / f"registry-{name}.log", {},
                   lambda host=host: answers(host))  # fmt: skip

    def accept(self, password):
        """That password, from now on: the registry reads the file anew when it has changed. Of a longer one, bcrypt looks at
        the first 72 bytes alone."""
        if password == self.password:
            return
        line = subprocess.run(
            ["htpasswd", "-niB", "-C", "4", "AWS"], input=password, text=True, capture_output=True, check=True
        )
        (WORK / "htpasswd").write_text(line.stdout)
        self.password = password

    def digest(self, reference):
        """What the registry itself says is behind `host/repository:tag`."""
        host, repository, tag = re.fullmatch(r"([^/]+)/(.+):([^:]+)", reference).groups()
        request = urllib.request.Request(f"https://{host}/v2/{repository}/manifests/{tag}", method="HEAD")
        request.add_header("Accept", ", ".join(MANIFESTS))
        user = base64.b64encode(f"AWS:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {user}")
        try:
            with urllib.request.urlopen(request, context=trust(), timeout=10) as answer:
                return answer.headers["Docker-Content-Digest"]
        except urllib.error.URLError as error:
            raise Failed(f"{reference} is not in the registry after the push: {error}") from error


def trust():
    return ssl.create_default_context(cafile=SYSTEM_ROOTS)


def answers(host):
    try:
        with urllib.request.urlopen(f"https://{host}/v2/", context=trust(), timeout=10) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as error:
        return error.code == 401
    except OSError:
        return False


def make_certificates(hosts):
    """A certificate authority for this run, trusted by this namespace's system, and a certificate of it for every host."""
    directory = WORK / "tls"
    directory.mkdir()
    (directory / "extensions").write_text(
        f"subjectAltName={','.join('DNS:' + host for host in hosts)}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n"
    )
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for command in (
        ["req", "-x509", *key, "-days", "2", "-subj", "/CN=end-to-end test CA", "-keyout", "ca.key", "-out", "ca.crt"],
        ["req", *key, "-subj", "/CN=end-to-end test registry", "-keyout", "leaf.key", "-out", "leaf.csr"],
        ["x509", "-req", "-in", "leaf.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
         "-extfile", "extensions", "-out", "leaf.crt"],
    ):  # fmt: skip
        subprocess.run(["openssl", *command], cwd=directory, check=True, capture_output=True)
    SYSTEM_ROOTS.write_text(SYSTEM_ROOTS.read_text() + (directory / "ca.crt").read_text())
