"""What a client's user reads when there is no token: the helper's reason has to stand on the terminal's screen in the end."""

from dataclasses import dataclass, field

from . import images, names
from .processes import Failed, Skip, run_on_terminal


@dataclass
class Failure:
    aws: dict
    # What the user has to be told.
    reason: str
    # More of the environment, or instead of the fake's.
    variables: dict = field(default_factory=dict)
    # What the user does: `pull`, `push` or `build`; nothing where it is the client's `fails_in`.
    action: str = ""
    # With the helper named for every host, in place of this one.
    by_default: bool = False
    # Told in the client's own error too.
    strict: bool = False


DENIED = names.keys("AKIAFAKEDENIED000000")
DENIED_REASON = "is not authorized to perform: ecr:GetAuthorizationToken"
# Found out after retries, half a second or more, while clients draw their progress.
BROKEN = names.keys("AKIAFAKEBROKEN000000")
BROKEN_REASON = "An internal error has occurred"

FAILURES = {
    "missing": Failure(names.NOBODY, "no AWS credentials were found"),
    "expired": Failure(names.keys("ASIAFAKEEXPIRED00000", AWS_SESSION_TOKEN="made-up"), "have expired"),
    "denied": Failure(DENIED, DENIED_REASON),
    "denied by default": Failure(DENIED, DENIED_REASON, by_default=True),
    "broken": Failure(BROKEN, BROKEN_REASON),
    "broken push": Failure(BROKEN, BROKEN_REASON, action="push"),
    "broken build": Failure(BROKEN, BROKEN_REASON, action="build"),
    "offline": Failure(DENIED, "cannot be reached", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}),
    "strict": Failure(DENIED, DENIED_REASON, {"AWS_ECR_STRICT": "true"}, strict=True),
}


def failure_check(name, failure):
    def check(client, world):
        action = failure.action or client.fails_in
        if action == "build" and not client.builds:
            raise Skip
        home = world.new_home(f"{client.slug}-{name}".replace(" ", "-"))
        home.configure(client.by_default if failure.by_default else client.by_host, [names.US])
        env = home.env({**world.use_fake(failure.aws), **failure.variables}, **client.variables)
        seen = run_on_terminal(command(client, action, name.replace(" ", "-"), env), env)
        world.note_screen(client, name, seen)
        text = seen.must_fail()
        wanted = [failure.reason]
        if failure.strict and client.strict_error:
            wanted.append(client.strict_error)
        for words in wanted:
            # Some clients wrap lines at words.
            if words not in " ".join(text.split()):
                raise Failed(f"{seen.command}: the screen does not tell {words!r}:\n{text}")

    return check


def command(client, action, check, env):
    reference = f"{names.US}/e2e/none-{check}:1"
    name = f"{check}-{client.slug}"
    if action == "build":
        return client.build(f"localhost/{name}:1", images.build_context(name, reference))
    if action == "push":
        client.make(reference, name, env)
        return client.push(reference)
    return client.pull(reference)
