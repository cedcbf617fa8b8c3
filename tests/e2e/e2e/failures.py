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
    # What the user does: `pull`, `push` or `build`.
    action: str = "pull"


DENIED = names.keys("AKIAFAKEDENIED000000")
# Takes the helper more than a second to find out, while clients draw their progress.
BROKEN = names.keys("AKIAFAKEBROKEN000000")

FAILURES = {
    "missing": Failure(names.NOBODY, "no AWS credentials were found"),
    "expired": Failure(names.keys("ASIAFAKEEXPIRED00000", AWS_SESSION_TOKEN="made-up"), "have expired"),
    "denied": Failure(DENIED, "is not authorized to perform: ecr:GetAuthorizationToken"),
    "broken": Failure(BROKEN, "An internal error has occurred"),
    "broken push": Failure(BROKEN, "An internal error has occurred", action="push"),
    "broken build": Failure(BROKEN, "An internal error has occurred", action="build"),
    "offline": Failure(DENIED, "cannot be reached", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}),
    "strict": Failure(DENIED, "is not authorized to perform: ecr:GetAuthorizationToken", {"AWS_ECR_STRICT": "true"}),
}


def failure_check(name, failure):
    def check(client, world):
        if failure.action == "build" and not client.builds:
            raise Skip
        home = world.new_home(f"{client.slug}-{name}")
        home.configure(client.by_host, [names.US])
        env = home.env({**world.use_fake(failure.aws), **failure.variables}, **client.variables)
        seen = run_on_terminal(command(client, failure.action, env), env)
        world.note_screen(client, name, seen)
        text = seen.must_fail()
        # Some clients wrap lines at words.
        if failure.reason not in " ".join(text.split()):
            raise Failed(f"{seen.command}: the screen does not tell the reason {failure.reason!r}:\n{text}")

    check.__doc__ = f"a {failure.action} fails, and the screen shows: {failure.reason}"
    return check


def command(client, action, env):
    reference = f"{names.US}/e2e/none-to-{action}:1"
    name = f"{action}-{client.slug}"
    if action == "build":
        return client.build(f"localhost/{name}:1", images.build_context(name, reference))
    if action == "push":
        client.make(reference, name, env)
        return client.push(reference)
    return client.pull(reference)
