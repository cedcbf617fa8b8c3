"""Which version of each client is tried, where Debian's packages do not decide it."""

# Module, version, package below it, name of the program.
GO_PROGRAMS = [
    ("github.com/google/go-containerregistry", "v0.22.1", "./cmd/crane", "crane"),
    # From 2.1 on, nerdctl's program needs a module of test tools that is in no release: `go install` cannot build it.
    ("github.com/containerd/nerdctl/v2", "v2.0.4", "./cmd/nerdctl", "nerdctl"),
    ("oras.land/oras", "v1.3.2", "./cmd/oras", "oras"),
    # Docker's command line as it is from 29 on, where a helper's failure is no longer passed over.
    ("github.com/docker/cli", "v29.8.0+incompatible", "./cmd/docker", "docker"),
    # What `docker build` is since version 23.
    ("github.com/docker/buildx", "v0.30.1", "./cmd/buildx", "buildx"),
]

# Of this directory. Which version of Docker's and Kubernetes' code they are tried with stands in their go.mod.
OWN_GO_PROGRAMS = ["go-client", "kubelet", "kubelet-plugin"]

# Debian package by the file that shows it is there.
DEBIAN_PACKAGES = {
    "/usr/bin/docker": "docker.io",
    "/usr/sbin/dockerd": "docker.io",
    "/usr/bin/containerd": "containerd",
    "/usr/bin/docker-registry": "docker-registry",
    "/usr/bin/podman": "podman",
    "/usr/bin/buildah": "buildah",
    "/usr/bin/skopeo": "skopeo",
    "/usr/bin/htpasswd": "apache2-utils",
    "/usr/bin/openssl": "openssl",
    "/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
    "/usr/bin/unshare": "util-linux",
    "/usr/sbin/ip": "iproute2",
}
