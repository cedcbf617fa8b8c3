"""The clients: how each makes, pushes, removes, pulls and recognizes an image, and logs in and out.

A reference is `host/repository:tag`. `push`, `pull`, `login`, `logout` and `build` give the command; who calls them runs it.
What a client keeps locally is recognized by `image_id`, which is the same after a pull of what was pushed.
"""

import re
import shutil

from . import home, images
from .namespace import WORK
from .processes import run


class Client:
    name = ""
    version = ""
    # How it is told of the helper: for named hosts, and for every host.
    by_host = staticmethod(home.cred_helpers)
    by_default = staticmethod(home.creds_store)
    # More of a user's environment.
    variables = {}
    # The variable for the file that `login` writes, for those who look for the helper in that file alone.
    login_file_variable = None
    # What it calls a host when it keeps a login.
    login_names = ["{host}"]
    # Builds an image FROM one in a registry.
    builds = False
    # Asks the helper for a list first, and then for what is on it, where the helper is named for every host.
    lists_first = False
    # What is tried where there is to be no token: `pull` or `build`.
    fails_in = "pull"
    # How its own error begins that has the reason in it, with AWS_ECR_STRICT; None where it drops the reason.
    strict_error = "error getting credentials"
    # What it asks the helper in a pull: of `host/repository`, with the helper named for the host and for every host.
    asks_by_host = ["get {host}"]
    asks_by_default = ["get {host}"]

    def __init__(self, program):
        self.program = str(program)

    @property
    def slug(self):
        """Its name as a part of file and repository names."""
        return self.name.lower().replace(" ", "-")

    def login(self, host):
        return [self.program, "login", "--username", "AWS", "--password-stdin", host]

    def logout(self, host):
        return [self.program, "logout", host]


class WithImageStore(Client):
    """Those that keep images of their own, under the names of the registries."""

    def push(self, reference):
        return [self.program, "push", reference]

    def pull(self, reference):
        return [self.program, "pull", reference]

    def remove(self, reference, env):
        run([self.program, "rmi", reference], env).must_succeed()

    def image_id(self, reference, env):
        """None where there is no such image."""
        found = run([self.program, "image", "inspect", "--format", "{{.Id}}", reference], env)
        return found.text.strip() if found.status == 0 else None


class Docker(WithImageStore):
    """With the classic builder."""

    builds = True
    lists_first = True

    def __init__(self, program, version):
        super().__init__(program)
        self.name, self.version = f"docker {version.partition('.')[0]}", version
        if int(version.partition(".")[0]) < 29:
            self.strict_error = None
        self.variables = {"DOCKER_HOST": f"unix://{WORK}/docker.sock", "DOCKER_BUILDKIT": "0"}

    def make(self, reference, name, env):
        run(self.build(reference, images.build_context(name)), env).must_succeed()

    def build(self, reference, context):
        return [self.program, "build", "--pull", "-t", reference, context]


class BuildKit(Docker):
    """docker whose `build` is BuildKit: in docker's command line itself until version 23, in its plug-in buildx since."""

    lists_first = False
    fails_in = "build"

    def __init__(self, program, version):
        super().__init__(program, version)
        self.name += " BuildKit"
        self.strict_error = Client.strict_error
        self.variables["DOCKER_BUILDKIT"] = "1"

    def build(self, reference, context):
        # Asks for the base each time.
        return [self.program, "build", "--pull", "--no-cache", "-t", reference, context]


class Podman(WithImageStore):
    name = "podman"
    login_file_variable = "REGISTRY_AUTH_FILE"
    by_host = staticmethod(home.auth_file)
    by_default = staticmethod(home.registries_conf)
    builds = True

    def make(self, reference, name, env):
        run(self.build(reference, images.build_context(name)), env).must_succeed()

    def build(self, reference, context):
        return [self.program, "build", "--pull-always", "-t", reference, context]


class Buildah(Podman):
    name = "buildah"

    def image_id(self, reference, env):
        found = run([self.program, "inspect", "--type", "image", "--format", "{{.FromImageID}}", reference], env)
        return found.text.strip() if found.status == 0 else None


class Nerdctl(WithImageStore):
    name = "nerdctl"
    login_names = ["{host}", "{host}:443"]
    strict_error = None
    asks_by_default = ["get {host}:443"]

    def make(self, reference, name, env):
        loaded = f"loaded.example.com/{name}:1"
        run([self.program, "load", "-i", images.oci_archive(name, loaded)], env).must_succeed()
        run([self.program, "tag", loaded, reference], env).must_succeed()
        run([self.program, "rmi", loaded], env).must_succeed()

    def image_id(self, reference, env):
        """The manifest's digest; `nerdctl image inspect` does not know what was pulled by digest."""
        return run([self.program, "images", "--no-trunc", "--quiet", reference], env).must_succeed().strip() or None


class WithoutImageStore(Client):
    """Those that copy between a registry and a directory here, one for each reference."""

    def directory(self, reference):
        return WORK / "copies" / self.name / re.sub("[/:@]", "_", reference)

    def make(self, reference, name, _env):
        self.directory(reference).parent.mkdir(parents=True, exist_ok=True)
        images.oci_layout(name, "1").rename(self.directory(reference))

    def remove(self, reference, _env):
        shutil.rmtree(self.directory(reference))

    def image_id(self, reference, _env):
        directory = self.directory(reference)
        return images.layout_image_id(directory) if directory.exists() else None


class Skopeo(WithoutImageStore):
    name = "skopeo"
    login_file_variable = "REGISTRY_AUTH_FILE"
    by_host = staticmethod(home.auth_file)
    by_default = staticmethod(home.registries_conf)

    def push(self, reference):
        return [self.program, "copy", f"oci:{self.directory(reference)}:1", f"docker://{reference}"]

    def pull(self, reference):
        return [self.program, "copy", f"docker://{reference}", f"oci:{self.directory(reference)}:1"]


class Crane(WithoutImageStore):
    name = "crane"
    asks_by_default = ["get {host}/{repository}"]

    def push(self, reference):
        return [self.program, "push", self.directory(reference), reference]

    def pull(self, reference):
        return [self.program, "pull", "--format", "oci", reference, self.directory(reference)]

    def login(self, host):
        return [self.program, "auth", *super().login(host)[1:]]

    def logout(self, host):
        return [self.program, "auth", *super().logout(host)[1:]]


class Oras(WithoutImageStore):
    name = "oras"
    strict_error = "failed to resolve credential"

    def push(self, reference):
        return [self.program, "cp", "--from-oci-layout", f"{self.directory(reference)}:1", reference]

    def pull(self, reference):
        return [self.program, "cp", reference, "--to-oci-layout", f"{self.directory(reference)}:1"]


NAMES = ["docker", "podman", "buildah", "skopeo", "nerdctl", "crane", "oras"]


def every_client(tools):
    """In the order of the table."""
    debian_docker = run(["/usr/bin/docker", "--version"], {}).text.split()[2].partition("+")[0]
    clients = [
        Docker("/usr/bin/docker", debian_docker),
        BuildKit("/usr/bin/docker", debian_docker),
        Docker(tools.go_program("docker"), tools.go_version("docker")),
        BuildKit(tools.go_program("docker"), tools.go_version("docker")),
    ]
    for kind in (Podman, Buildah, Skopeo):
        client = kind(f"/usr/bin/{kind.name}")
        client.version = run([client.program, "--version"], {"HOME": "/"}).text.split()[2]
        clients.append(client)
    for kind in (Nerdctl, Crane, Oras):
        client = kind(tools.go_program(kind.name))
        client.version = tools.go_version(kind.name)
        clients.append(client)
    return clients
