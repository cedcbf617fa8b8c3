"""What is checked of each client. A check returns nothing, or raises `Failed` with what went wrong; `Skip` where it does not apply."""

import base64
import itertools

from . import images, names
from .aws import MOTO_PASSWORD
from .failures import FAILURES, failure_check
from .home import AUTH_FILE
from .processes import Failed, Skip, run
from .world import HELPER

COUNTER = itertools.count(1)


def by_host(client, world):
    """push, remove and pull, by tag and by digest, with the helper named for the host; AWS is moto"""
    world.home.configure(client.by_host, [names.US])
    round_trip(client, world, environment(client, world.home, world.use_moto(names.KEYS)), names.US)


def by_default(client, world):
    """the same with the helper named for every host"""
    world.home.configure(client.by_default, [])
    round_trip(client, world, environment(client, world.home, world.use_fake(names.KEYS)), names.US)


def accounts(client, world):
    """two accounts and regions, a dual-stack name and ECR Public, with keys and again with an assumed role; each identity has
    another password for each service and region"""
    world.home.configure(client.by_host, names.ECR)
    for identity in (names.KEYS, names.ROLE):
        for host in names.ECR:
            env = environment(client, world.home, world.use_fake(identity, host))
            round_trip(client, world, env, host)


def not_ecr(client, world):
    """a registry that is not ECR and needs no login, with the helper named for every host"""
    world.home.configure(client.by_default, [])
    env = environment(client, world.home, world.use_fake(names.KEYS))
    before = world.fake.calls()
    round_trip(client, world, env, names.OPEN)
    expect(world.fake.calls() == before, "AWS was asked for a registry that is not ECR")
    # The registry would take any password.
    answer = run([HELPER, "get"], env, stdin=names.OPEN).must_fail()
    expect(answer == "credentials not found in native keychain\n", f"the helper's answer for {names.OPEN}: {answer}")


def expiry(client, world):
    """a token that ends in half a minute works, and is not kept: the next pull asks for another"""
    home = world.new_home(f"expiry-{client.slug}")
    home.configure(client.by_host, [names.US])
    env = environment(client, home, world.use_fake(names.SHORT_LIVED))
    reference, image_id = pushed(client, world, env, names.US)
    for _ in range(2):
        client.remove(reference, env)
        before = world.fake.calls()
        run(client.pull(reference), env).must_succeed()
        expect(client.image_id(reference, env) == image_id, "not the image that was pushed")
        expect(world.fake.calls() != before, "AWS was not asked, though the token was about to end")
    client.remove(reference, env)


def login(client, world):
    """`aws ecr get-login-password | client login --password-stdin`, then a pull without AWS credentials; then logout"""
    for way in (client.by_host, client.by_default):
        logged_in_and_out(client, world, way)


def logged_in_and_out(client, world, way):
    home = world.new_home(f"login-{client.slug}-{way.__name__}")
    home.configure(way, [name.format(host=names.US) for name in client.login_names])
    rich = environment(client, home, world.use_moto(names.KEYS))
    poor = environment(client, home, world.use_moto(names.NOBODY))
    if client.login_file_variable and way is client.by_host:
        poor[client.login_file_variable] = str(home.directory / AUTH_FILE)
    reference, image_id = pushed(client, world, rich, names.US)
    client.remove(reference, rich)

    aws = [world.tools.python_program("aws"), "ecr", "get-login-password", "--region", "us-east-1"]
    password = run(aws, rich).must_succeed().strip()
    expect(password == MOTO_PASSWORD, "moto's password is another one now")
    run(client.login(names.US), poor, stdin=password).must_succeed()
    expect(len(home.helper_files(".login")) == 1, "the helper keeps no login after `login`")
    for kept in (password, base64.b64encode(f"AWS:{password}".encode()).decode()):
        expect(kept not in home.client_files(), "the password is in the client's own file after `login`")
    run(client.pull(reference), poor).must_succeed()
    expect(client.image_id(reference, poor) == image_id, "not the image that was pushed")
    client.remove(reference, poor)

    run(client.logout(names.US), poor).must_succeed()
    expect(home.helper_files(".login") == [], "the helper still keeps the login after `logout`")
    seen = run(client.pull(reference), poor).must_fail()
    expect("no AWS credentials were found" in seen, f"after logout, the reason is not told:\n{seen}")


def build(client, world):
    """build FROM an image on ECR, with the helper named for the host, and for every host once that host was asked for"""
    if not client.builds:
        raise Skip
    home = world.new_home(f"build-{client.slug}")
    env = environment(client, home, world.use_fake(names.keys("AKIAFAKEBUILD0000000")))
    home.configure(client.by_host, [names.US])
    base, _ = pushed(client, world, env, names.US)
    client.remove(base, env)
    built(client, env, base).must_succeed()

    home.configure(client.by_default, [])
    if client.lists_first:
        # Forgets who was asked for; afterwards, the list has nothing for the client to ask for.
        run([HELPER, "erase"], env, stdin=names.US).must_succeed()
        built(client, env, base).must_fail()
        run(client.pull(base), env).must_succeed()
        client.remove(base, env)
    built(client, env, base).must_succeed()


def built(client, env, base):
    """The outcome of a build, whose images are gone again."""
    name = f"built-{next(COUNTER)}"
    outcome = run(client.build(f"localhost/{name}:1", images.build_context(name, base)), env)
    for image in (f"localhost/{name}:1", base):
        if client.image_id(image, env):
            client.remove(image, env)
    return outcome


def asks(client, world):
    """what the client asks the helper in a pull: each distinct request, in order"""
    for way, expected in ((client.by_host, client.asks_by_host), (client.by_default, client.asks_by_default)):
        path, notes = world.observed_path(f"{client.slug}-{way.__name__}")
        env = {**environment(client, world.home, world.use_fake(names.KEYS)), "PATH": path}
        world.home.configure(way, [names.US])
        reference, _ = pushed(client, world, env, names.US)
        client.remove(reference, env)
        notes.write_text("")
        run(client.pull(reference), env).must_succeed()
        client.remove(reference, env)
        repository = reference.partition("/")[2].partition(":")[0]
        asked = list(dict.fromkeys(notes.read_text().splitlines()))
        wanted = [line.format(host=names.US, repository=repository) for line in expected]
        expect(asked == wanted, f"{way.__name__}: asked the helper for {asked}, where {wanted} was expected")


def round_trip(client, world, env, host):
    reference, image_id = pushed(client, world, env, host)
    by_digest = f"{reference.rpartition(':')[0]}@{world.registry.digest(reference)}"
    client.remove(reference, env)
    for pulled in (reference, by_digest):
        expect(client.image_id(pulled, env) is None, f"{pulled} is there before the pull")
        run(client.pull(pulled), env).must_succeed()
        found = client.image_id(pulled, env)
        expect(found == image_id, f"{pulled}: pulled {found}, where {image_id} was pushed")
        client.remove(pulled, env)


def pushed(client, world, env, host):
    """A new image, in the registry and still here: its reference and id."""
    name = f"image-{next(COUNTER)}"
    reference = f"{host}/e2e/{client.slug}/{name}:1"
    client.make(reference, name, env)
    image_id = client.image_id(reference, env)
    expect(image_id is not None, f"{reference} was not made")
    run(client.push(reference), env).must_succeed()
    return reference, image_id


def environment(client, home, aws):
    return home.env(aws, **client.variables)


def expect(condition, otherwise):
    if not condition:
        raise Failed(otherwise)


CHECKS = {
    "by host": by_host,
    "default": by_default,
    "accounts": accounts,
    "not ECR": not_ecr,
    "expiry": expiry,
    "login": login,
    "build": build,
    "asks": asks,
    **{name: failure_check(name, failure) for name, failure in FAILURES.items()},
}
