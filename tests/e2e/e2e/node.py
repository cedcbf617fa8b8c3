"""A Kubernetes node: the credential provider under its names, an AWS that counts, and pods with service accounts."""

import base64
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field

from .aws import Fake
from .namespace import WORK
from .processes import run
from .world import HELPER, SYSTEM_PATH

PROVIDER = "ecr-credential-provider"
ACCOUNTS_PROVIDER = "ecr-credential-provider-service-account"
LATER_PROVIDER = "ecr-credential-provider-v2"
# Where the provider keeps what it knows, if nothing says otherwise.
ROOTS_CACHE = "/run/docker-credential-ecr-login"
ROLE_ANNOTATION = "eks.amazonaws.com/ecr-role-arn"
ROLE = "arn:aws:iam::123456789012:role/team-a-pull"
AUDIENCE = "sts.amazonaws.com"


class Node:
    """With nothing in its cache, and with an AWS that was asked for nothing yet."""

    def __init__(self, world, name):
        self.tools = world.tools
        self.directory = WORK / "nodes" / name
        self.programs = self.directory / "bin"
        self.programs.mkdir(parents=True)
        for link in (PROVIDER, ACCOUNTS_PROVIDER, LATER_PROVIDER, HELPER):
            self.link(link, WORK / "bin" / HELPER)
        self.fake = Fake(world.fake_program, world.log, f"fake-{name}")

    def link(self, name, program):
        (self.programs / name).symlink_to(program)

    def env(self, identity, **more):
        """What a kubelet has that the system started: no HOME."""
        return {
            "PATH": SYSTEM_PATH,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ECR_CACHE_DIR": str(self.directory / "cache"),
            **self.fake.env(identity),
            **more,
        }

    def ask(self, env, requests, name=PROVIDER, args=()):
        """What comes of these requests, made at the same time with Kubernetes' types; kubelet/main.go tells of it."""
        made = json.dumps([{"version": "v1", **request} for request in requests])
        return json.loads(run([self.tools.own_program("kubelet"), self.programs / name, *args], env, made).must_succeed())

    def look_up(self, env, config, pods):
        """What the kubelet's own code finds for these pods by a configuration; kubelet-plugin/main.go tells of it."""
        task = {"config": str(config), "programs": str(self.programs), "pods": [asdict(pod) for pod in pods]}
        return json.loads(run([self.tools.own_program("kubelet-plugin")], env, json.dumps(task)).must_succeed())

    def tokens(self):
        """How often each (operation, access key id, region) was asked for, of those that give a token."""
        calls = self.fake.calls()
        return Counter({call: times for call, times in calls.items() if call[0].endswith(":GetAuthorizationToken")})

    def exchanges(self):
        """What STS was asked to give a role for, each time."""
        return [call["form"] for call in self.fake.requests() if call["operation"] == "sts:AssumeRoleWithWebIdentity"]


@dataclass
class Pod:
    """Its token is its own, as each is bound to its pod. Without a service account it is a static one."""

    namespace: str
    name: str
    account: str = ""
    role: str = ""
    images: list = field(default_factory=list)
    annotations: dict = field(init=False)
    token: str = field(init=False)

    def __post_init__(self):
        self.annotations = {ROLE_ANNOTATION: self.role} if self.role else {}
        self.token = self.make_token() if self.account else ""

    def request(self, image, **more):
        return {"image": image, "token": self.token, "annotations": self.annotations, **more}

    def make_token(self):
        """With the claims that Kubernetes gives a token that is bound to a pod, and nobody's signature."""
        now = int(time.time())
        claims = {
            "iss": "https://oidc.example.com",
            "sub": f"system:serviceaccount:{self.namespace}:{self.account}",
            "aud": [AUDIENCE],
            "iat": now,
            "exp": now + 3600,
            "kubernetes.io": {
                "namespace": self.namespace,
                "serviceaccount": {"name": self.account, "uid": f"{self.namespace}/{self.account}"},
                "pod": {"name": self.name, "uid": f"{self.namespace}/{self.name}"},
            },
        }
        return ".".join([encoded({"alg": "RS256", "kid": "made-up"}), encoded(claims), "bWFkZS11cA"])


def encoded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
