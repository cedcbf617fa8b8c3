"""What is checked once, after all clients."""

import re
from collections import Counter

from . import names
from .processes import Failed, run

# The form of the keys that the fake's STS gives.
ISSUED = re.compile("ASIA[0-9A-F]{16}")
# (operation, region) of the registries in names.ECR, where two have the same.
TOKENS = sorted({(f"{service}:GetAuthorizationToken", region) for service, region in map(str.split, names.ECR.values())})


def calls(world):
    """All clients together made one call for each identity, service and region; and one to assume the role for each of those."""
    asked = world.fake.calls()
    keys = names.KEYS["AWS_ACCESS_KEY_ID"]
    with_keys = Counter({(operation, region): n for (operation, key, region), n in asked.items() if key == keys})
    with_role = Counter({(operation, region): n for (operation, key, region), n in asked.items() if ISSUED.fullmatch(key)})
    assumed = Counter({region: n for (operation, _, region), n in asked.items() if operation == "sts:AssumeRole"})
    once_each = Counter(TOKENS)
    for what, made, wanted in (
        ("with keys", with_keys, once_each),
        ("with the role", with_role, once_each),
        ("for the role", assumed, Counter(region for _, region in TOKENS)),
    ):
        if made != wanted:
            raise Failed(f"calls {what}: {dict(made)}, where {dict(wanted)} was expected")


def go_library(world):
    """docker's own Go library for credential helpers: every verb and kind of error"""
    env = world.new_home("go-library").env(world.use_fake(names.keys("AKIAFAKEGOLIBRARY000")))
    run([world.tools.own_program("go-client"), names.US], env).must_succeed()
