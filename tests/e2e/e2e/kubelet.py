"""What is checked of the kubelet's credential provider, each on a node of its own."""

import json
import re
import stat
from pathlib import Path

from .checks import expect
from .configurations import configurations
from .expected import (
    A_ROLE,
    expect_credentials,
    expect_exchanges,
    expect_failure,
    expect_granted,
    expect_one_call,
    expect_tokens_of_roles,
)
from .failures import DENIED, DENIED_REASON
from .names import ALL_ECR, EUROPE, KEYS, NOBODY, NOT_ECR, PUBLIC, US
from .node import ACCOUNTS_PROVIDER, LATER_PROVIDER, PROVIDER, ROLE, ROOTS_CACHE, Node, Pod
from .processes import run
from .world import HELPER

OTHER_ROLE = "arn:aws:iam::210987654321:role/pull"
API = "credentialprovider.kubelet.k8s.io"
NOWHERE = "http://127.0.0.1:9"


def versions(node):
    """each version of the API is answered in itself; a token is kept by the kubelet for half of its twelve hours"""
    for version in ("v1", "v1beta1", "v1alpha1"):
        [outcome] = node.ask(node.env(KEYS), [{"image": f"{US}/app:1", "version": version}])
        expect_granted(outcome, US, KEYS)
        kept = outcome["response"]["CacheDuration"]
        expect(re.fullmatch("6h0m0s|5h59m[45].s", kept), f"{version}: kept for {kept}")


def strictness(node):
    """of these checks themselves: an answer with one field more, or in another version, is none"""
    answer = {"apiVersion": f"{API}/v1", "kind": "CredentialProviderResponse", "cacheKeyType": "Registry"}
    for name, said, error in (
        ("right", answer, ""),
        ("wordy", {**answer, "expiresAt": "never"}, 'unknown field "expiresAt"'),
        ("beta", {**answer, "apiVersion": f"{API}/v1beta1"}, f"answered in {API}/v1beta1"),
    ):
        script = node.directory / name
        script.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{json.dumps(said)}'\n")
        script.chmod(0o755)
        node.link(name, script)
        [outcome] = node.ask(node.env(NOBODY), [{"image": "nginx"}], name)
        right = error in outcome["error"] if error else not outcome["error"]
        expect(right, f"the answer {said}: {outcome['error'] or 'taken'}")


def hosts(node):
    """FIPS, dual-stack, GovCloud, China and both names of ECR Public: each token is of the host's service and region"""
    outcomes = node.ask(node.env(KEYS), [{"image": f"{host}/team/app@sha256:{'0' * 64}"} for host in ALL_ECR])
    for host, outcome in zip(ALL_ECR, outcomes, strict=True):
        expect_granted(outcome, host, KEYS)
    asked = {(operation, region) for operation, _, region in node.tokens()}
    wanted = {(f"{service}:GetAuthorizationToken", region) for service, region in map(str.split, ALL_ECR.values())}
    expect(asked == wanted, f"AWS was asked for {asked}, where {wanted} was expected")


def ports(node):
    """a port is in the answer's key, where the kubelet's keyring looks for it"""
    [outcome] = node.ask(node.env(KEYS), [{"image": f"{US}:443/app:1"}])
    expect_granted(outcome, US, KEYS, ":443")
    config = write_config(node, [provider(PROVIDER, [f"{US}:443"])])
    pod = Pod("team-a", "pod", images=[f"{US}:443/app:1", f"{US}/app:1"])
    [[with_port, without]] = look_up(node, node.env(KEYS), config, [pod])
    expect_credentials(with_port, US, [KEYS])
    expect(without == [], "found without the port that the pattern has")


def elsewhere(node):
    """an image that is not ECR gets an answer without credentials, and AWS is not asked; so does one of ECR Public's on a
    node without credentials"""
    outcomes = node.ask(node.env(KEYS), [{"image": image} for image in NOT_ECR])
    outcomes += node.ask(node.env(NOBODY), [{"image": f"{PUBLIC}/nginx/nginx:1"}])
    for image, outcome in zip([*NOT_ECR, PUBLIC], outcomes, strict=True):
        expect(outcome["response"] is not None, f"{image}: {outcome['error']}")
        expect(not outcome["response"]["Auth"], f"{image}: credentials for it")
        expect(outcome["response"]["CacheDuration"] == "0s", f"{image}: kept for {outcome['response']['CacheDuration']}")
    expect(node.fake.requests() == [], "AWS was asked for images that are elsewhere")


def failures(node):
    """a failure has an exit code, one line on stderr and nothing on stdout, and the line is in the kubelet's log; where a
    service account's role cannot be assumed, the node's own keys are left alone"""
    image = f"{US}/app:1"
    pod = Pod("team-a", "pod", "puller", ROLE)
    for env, asked, reason in (
        (node.env(DENIED), {"image": image}, DENIED_REASON),
        (node.env(NOBODY), {"image": image}, "no AWS credentials were found"),
        (node.env(KEYS, AWS_ENDPOINT_URL=NOWHERE), {"image": image}, "cannot be reached"),
        (node.env(KEYS, AWS_ENDPOINT_URL_STS=NOWHERE), pod.request(image), "cannot be reached"),
    ):
        [outcome] = node.ask(env, [asked])
        expect_failure(outcome, US, reason)
    keys = {key for _, key, _ in node.tokens()}
    expect(keys == {DENIED["AWS_ACCESS_KEY_ID"]}, f"a service account's failure was passed over with {keys}")

    config = write_config(node, [provider(PROVIDER, [US])])
    outcome = node.look_up(node.env(DENIED), config, [Pod("team-a", "pod", images=[image])])
    expect(outcome["found"] == [[[]]], "the kubelet has credentials after a failure")
    told = all(outcome["log"].count(words) == 1 for words in ("Failed to provide credentials for image", DENIED_REASON))
    expect(told, f"the kubelet's log does not tell why, once:\n{outcome['log']}")


def program_names(node):
    """by each name that begins with ecr-credential-provider it is the provider, whatever is said to it, and never docker's
    helper"""
    env = node.env(KEYS)
    said = [[], ["get-credentials"], ["get"], ["list"], ["store"], ["erase"], ["kubelet"], ["doctor"], ["one", "two"]]
    ways = [(name, args) for name in (PROVIDER, ACCOUNTS_PROVIDER, LATER_PROVIDER) for args in said]
    for name, args in [*ways, (HELPER, ["kubelet"]), (HELPER, ["kubelet", "get-credentials"])]:
        [outcome] = node.ask(env, [{"image": f"{US}/app:1"}], name, args)
        expect_granted(outcome, US, KEYS)
    asked_as_docker = run([node.programs / PROVIDER, "get"], env, stdin=US).must_fail()
    expect("Secret" not in asked_as_docker, "it answers as docker's helper")
    [outcome] = node.ask(env, [{"image": f"{US}/app:1"}], args=["--no-such-option"])
    expect((outcome["exit"], outcome["stdout"]) == (2, ""), f"an unknown option: {outcome}")


def fifty_images(node):
    """fifty images at once, with the role of the node's instance and root's cache: one call; and no more when the kubelet's
    code looks for them"""
    instance = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": node.fake.url}
    env = node.env(NOBODY, **instance)
    del env["AWS_ECR_CACHE_DIR"]
    images = [f"{US}/team/app-{number}:1" for number in range(50)]
    for outcome in node.ask(env, [{"image": image} for image in images]):
        expect_granted(outcome, US, A_ROLE)
    expect_one_call(node)
    mode = stat.S_IMODE(Path(ROOTS_CACHE).stat().st_mode)
    expect(mode == 0o700, f"{ROOTS_CACHE} has mode {mode:o}")

    config = write_config(node, [provider(PROVIDER, [US])])
    for credentials in look_up(node, env, config, [Pod("team-a", "many", images=images)])[0]:
        expect_credentials(credentials, US, [A_ROLE])
    expect_one_call(node)


def many_providers(node):
    """the kubelet's code runs providers of each name, in each version, at once for fifty images: a call for each host"""
    patterns = {PROVIDER: ("v1", US), LATER_PROVIDER: ("v1beta1", EUROPE), ACCOUNTS_PROVIDER: ("v1alpha1", PUBLIC)}
    config = write_config(node, [provider(name, [host], version) for name, (version, host) in patterns.items()])
    asked = [host for _, host in patterns.values()] * 17
    pods = [Pod("team-a", f"pod-{number}", images=[f"{host}/app-{number}:1"]) for number, host in enumerate(asked)]
    found = look_up(node, node.env(KEYS), config, [*pods, Pod("team-a", "elsewhere", images=NOT_ECR)])
    for host, [credentials] in zip(asked, found, strict=False):
        expect_credentials(credentials, host, [KEYS])
    expect(not any(found[-1]), "credentials for images that no pattern fits")
    expect(set(node.tokens().values()) == {1} and len(node.tokens()) == 3, f"calls: {dict(node.tokens())}")


def service_accounts(node):
    """a service account's token and role: its role is assumed with it, once for all its pods, and is nobody else's"""
    image = f"{US}/app:1"
    pods = [Pod("team-a", f"pod-{number}", "puller", ROLE) for number in range(3)]
    pods += [Pod("team-a", "other-role", "other", OTHER_ROLE), Pod("team-b", "same-role", "puller", ROLE)]
    for outcome in node.ask(node.env(KEYS), [pod.request(image) for pod in pods]):
        expect_granted(outcome, US, A_ROLE)
    expect_exchanges(node, {(ROLE, "puller@team-a"), (OTHER_ROLE, "other@team-a"), (ROLE, "puller@team-b")})
    tokens = {exchange["WebIdentityToken"] for exchange in node.exchanges()}
    expect(tokens <= {pod.token for pod in pods}, "STS was not sent the pods' tokens")
    expect_tokens_of_roles(node, 3)


def default_role(node):
    """AWS_ECR_ROLE_ARN is the role where no annotation names one; the node's own keys are used without any, and without a
    token"""
    image = f"{US}/app:1"
    without_role = Pod("team-a", "pod", "puller")
    variable = {"env": [f"AWS_ECR_ROLE_ARN={ROLE}"]}
    [outcome] = node.ask(node.env(KEYS), [without_role.request(image, **variable)])
    expect_granted(outcome, US, A_ROLE)
    expect_exchanges(node, {(ROLE, "puller@team-a")})
    expect_tokens_of_roles(node, 1)
    for outcome in node.ask(node.env(KEYS), [without_role.request(image), {"image": image, **variable}]):
        expect_granted(outcome, US, KEYS)
    expect(len(node.exchanges()) == 1, "a role was assumed without a token or without a role")


def provider(name, patterns, version="v1"):
    return {
        "name": name,
        "apiVersion": f"{API}/{version}",
        "matchImages": patterns,
        "defaultCacheDuration": "0s",
        "args": ["get-credentials"],
    }


def write_config(node, providers):
    file = node.directory / "config.json"
    config = {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": providers}
    file.write_text(json.dumps(config))
    return file


def look_up(node, env, config, pods):
    """The credentials for each pod and each of its images."""
    outcome = node.look_up(env, config, pods)
    expect(not outcome["error"], f"the kubelet does not start: {outcome['error']}")
    return outcome["found"]


def on_a_new_node(name, check):
    def checked(world):
        check(Node(world, name.replace(" ", "-")))

    return checked


KUBELET = {
    name: on_a_new_node(name, check)
    for name, check in {
        "API versions": versions,
        "strictness": strictness,
        "hosts": hosts,
        "ports": ports,
        "elsewhere": elsewhere,
        "failures": failures,
        "program names": program_names,
        "fifty images": fifty_images,
        "many providers": many_providers,
        "service accounts": service_accounts,
        "default role": default_role,
        "configurations": configurations,
    }.items()
}
