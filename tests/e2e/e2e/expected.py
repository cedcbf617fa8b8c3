"""What is expected of a credential provider's answers, and of what it asks AWS."""

from .aws import Fake
from .checks import expect
from .extras import ISSUED
from .world import HELPER

# Any whose key the fake gave.
A_ROLE = {}


def expect_granted(outcome, host, identity, port=""):
    response = outcome["response"]
    expect(response is not None, f"{host}: {outcome['error']}\n{outcome['stderr']}")
    expect(response["CacheKeyType"] == "Registry", f"{host}: the key of the kubelet's cache is {response['CacheKeyType']!r}")
    auth = {key: entry["Username"] for key, entry in (response["Auth"] or {}).items()}
    expect(auth == {host + port: "AWS"}, f"{host}{port}: users by key: {auth}")
    password = response["Auth"][host + port]["Password"]
    expect(password[:72] == Fake.password(identity, host), f"{host}: not the password for this service, region and identity")


def expect_credentials(credentials, host, identities, of=""):
    """Those of the identities, one after the other."""
    wanted = [("AWS", Fake.password(identity, host)) for identity in identities]
    given = [(entry["username"], entry["password"][:72]) for entry in credentials]
    expect(given == wanted, f"{of or host}: found {given}, where {wanted} was expected")


def expect_failure(outcome, host, reason):
    expect(outcome["response"] is None and outcome["exit"] == 1, f"no failure but {outcome}")
    expect(outcome["stdout"] == "", f"a failure, with {outcome['stdout']!r} on stdout")
    line = outcome["stderr"]
    expect(line.startswith(f"{HELPER}: {host}") and reason in line, f"no {reason!r} in {line!r}")
    expect(len(line.splitlines()) == 1, f"not one line: {line!r}")


def expect_one_call(node):
    calls = node.tokens()
    expect(sum(calls.values()) == 1, f"calls: {dict(calls)}")


def expect_exchanges(node, wanted):
    """The roles and session names that STS was asked for, each once."""
    made = sorted((exchange["RoleArn"], exchange["RoleSessionName"]) for exchange in node.exchanges())
    expect(made == sorted(wanted), f"roles assumed: {made}, where {sorted(wanted)} was expected")


def expect_tokens_of_roles(node, number):
    """So many, each of keys of its own that STS gave."""
    keys = [key for _, key, _ in node.tokens().elements()]
    expect(len(keys) == len(set(keys)) == number and all(map(ISSUED.fullmatch, keys)), f"tokens were asked for with {keys}")
