"""Whether the kubelet takes the configurations of packaging/kubernetes, and what it finds by them."""

import re

from . import names
from .checks import expect
from .expected import A_ROLE, expect_credentials
from .install import CHECKOUT
from .names import ALL_ECR, KEYS, NOT_ECR
from .node import AUDIENCE, ROLE, ROLE_ANNOTATION, Pod

CONFIGS = CHECKOUT / "packaging/kubernetes"


def configurations(node):
    """the kubelet takes each configuration of packaging/kubernetes, and finds by it what its patterns are meant for"""
    found = [path for path in sorted(CONFIGS.rglob("*")) if is_config(path)]
    expect(found, f"no CredentialProviderConfig in {CONFIGS}")
    meant = set()
    for number, path in enumerate(found):
        meant |= check_config(node, path, node.directory / f"cache-{number}")
    assumed = {(exchange["RoleArn"], exchange["RoleSessionName"]) for exchange in node.exchanges()}
    expect(assumed == {(ROLE, "puller@team-a")}, f"roles assumed: {assumed}")
    expect(meant == set(ALL_ECR), f"no configuration has a pattern for {sorted(set(ALL_ECR) - meant)}")


def check_config(node, path, cache):
    """The hosts that it is for."""
    [config] = documents(path)
    patterns = [pattern for entry in config["providers"] for pattern in entry["matchImages"]]
    expect_patterns_in_use(path, patterns)

    images = [f"{host}/team/app:1" for host in ALL_ECR] + NOT_ECR
    pods = [
        Pod("kube-system", "static", images=images),
        Pod("team-a", "without-role", "plain", images=images),
        Pod("team-a", "with-role", "puller", ROLE, images=images),
    ]
    outcome = node.look_up(node.env(KEYS, AWS_ECR_CACHE_DIR=str(cache)), path, pods)
    expect(not outcome["error"], f"{path.name}: the kubelet does not start: {outcome['error']}")
    for pod, of_images in zip(pods, outcome["found"], strict=True):
        for image, credentials in zip(images, of_images, strict=True):
            host = image.partition("/")[0]
            wanted = [signer(entry, pod) for entry in config["providers"] if is_asked(entry, pod, host)]
            expect_credentials(credentials, host, wanted, f"{path.name}: {pod.name}, {image}")
    wants_tokens = any("tokenAttributes" in entry for entry in config["providers"])
    expect(outcome["audiences"] == ([AUDIENCE] if wants_tokens else None), f"{path.name}: audiences {outcome['audiences']}")
    return {host for host in ALL_ECR if any(fits(pattern, host) for pattern in patterns)}


def expect_patterns_in_use(path, patterns):
    """Each fits a host, and whoever has one host of a partition has its FIPS and dual-stack ones."""
    for pattern in patterns:
        expect(any(fits(pattern, host) for host in ALL_ECR), f"{path.name}: {pattern} fits no host of ECR")
    for family in names.FAMILIES:
        fitting = [host for host in family if any(fits(pattern, host) for pattern in patterns)]
        expect(fitting in ([], family), f"{path.name}: of {family}, only {fitting}")


def is_config(path):
    if path.suffix not in (".yaml", ".yml", ".json"):
        return False
    return any(document.get("kind") == "CredentialProviderConfig" for document in documents(path))


def documents(path):
    # It is where the checks are run, not where this file is read for their names.
    import yaml

    return [document or {} for document in yaml.safe_load_all(path.read_text())]


def fits(pattern, host):
    """As the kubelet compares them: label by label."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[^.]*"), host) is not None


def is_asked(entry, pod, host):
    """Whether the kubelet runs the provider for the pod."""
    wanted = entry.get("tokenAttributes", {})
    if wanted.get("requireServiceAccount") and not pod.account:
        return False
    if pod.account and not set(wanted.get("requiredServiceAccountAnnotationKeys", [])) <= set(pod.annotations):
        return False
    return any(fits(pattern, host) for pattern in entry["matchImages"])


def signer(entry, pod):
    """Whose credentials the provider is to give the pod."""
    return A_ROLE if "tokenAttributes" in entry and ROLE_ANNOTATION in pod.annotations else KEYS
