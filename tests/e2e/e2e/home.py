"""A user's home: AWS settings, clients' configurations, and the environment of the user's shell."""

import json
from pathlib import Path

from . import names
from .namespace import WORK

DOCKER_CONFIG = ".docker/config.json"
AUTH_FILE = ".config/containers/auth.json"
# Where podman, buildah and skopeo write a login of root's when nothing says otherwise.
ROOTS_AUTH_FILE = Path("/run/containers/0/auth.json")
REGISTRIES_CONF = ".config/containers/registries.conf"


class Home:
    def __init__(self, name, path, buildx):
        """`path` is the PATH of its shells, on which the helper is; `buildx` a plug-in for docker."""
        self.directory = WORK / "home" / name
        self.directory.mkdir(parents=True)
        self.path = path
        self.write(".aws/config", names.AWS_CONFIG)
        self.write(".aws/credentials", names.AWS_CREDENTIALS)
        plugins = self.directory / ".docker/cli-plugins"
        plugins.mkdir(parents=True)
        (plugins / "docker-buildx").symlink_to(buildx)

    def env(self, aws, **more):
        return {
            "HOME": str(self.directory),
            "PATH": self.path,
            "TMPDIR": str(WORK / "tmp"),
            "LANG": "C.UTF-8",
            "AWS_EC2_METADATA_DISABLED": "true",
            **aws,
            **more,
        }

    def write(self, name, text):
        file = self.directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def configure(self, way, hosts):
        """One way to name the helper, for those hosts; the other ways are taken away."""
        for name in (DOCKER_CONFIG, AUTH_FILE, REGISTRIES_CONF, ROOTS_AUTH_FILE):
            # The last one is a path from the root, which it stays.
            (self.directory / name).unlink(missing_ok=True)
        name, text = way(hosts)
        self.write(name, text)

    def client_files(self):
        """What the clients' own files hold, to see that no password is in them."""
        files = [self.directory / DOCKER_CONFIG, self.directory / AUTH_FILE, ROOTS_AUTH_FILE]
        return "".join(file.read_text() for file in files if file.exists())

    def helper_files(self, ending):
        return sorted((self.directory / ".cache/docker-credential-ecr-login").glob(f"*{ending}"))


def cred_helpers(hosts):
    return DOCKER_CONFIG, json.dumps({"credHelpers": {host: "ecr-login" for host in hosts}})


def creds_store(_hosts):
    return DOCKER_CONFIG, json.dumps({"credsStore": "ecr-login"})


def auth_file(hosts):
    return AUTH_FILE, json.dumps({"credHelpers": {host: "ecr-login" for host in hosts}})


def registries_conf(_hosts):
    return REGISTRIES_CONF, 'credential-helpers = ["ecr-login"]\n'
