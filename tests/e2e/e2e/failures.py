"""What a client's user reads when there is no token: the helper's reason has to stand on the terminal's screen in the end."""

from dataclasses import dataclass, field

from . import names
from .processes import Failed, run_on_terminal


@dataclass
class Failure:
    aws: dict
    # What the user has to be told.
    reason: str
    # More of the environment, or instead of the fake's.
    variables: dict = field(default_factory=dict)
    # In a push; else in a pull.
    push: bool = False


DENIED = names.keys("AKIAFAKEDENIED000000")
# Takes the helper more than a second to find out, while clients draw their progress.
BROKEN = names.keys("AKIAFAKEBROKEN000000")

FAILURES = {
    "missing": Failure(names.NOBODY, "no AWS credentials were found"),
    "expired": Failure(names.keys("ASIAFAKEEXPIRED00000", AWS_SESSION_TOKEN="made-up"), "have expired"),
    "denied": Failure(DENIED, "is not authorized to perform: ecr:GetAuthorizationToken"),
    "broken": Failure(BROKEN, "An internal error has occurred"),
    "push": Failure(BROKEN, "An internal error has occurred", push=True),
    "offline": Failure(DENIED, "cannot be reached", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}),
    "strict": Failure(DENIED, "is not authorized to perform: ecr:GetAuthorizationToken", {"AWS_ECR_STRICT": "true"}),
}


def failure_check(name, failure):
    def check(client, world):
        home = world.new_home(f"{client.name}-{name}".replace(" ", "-"))
        home.configure(client.by_host, [names.US])
        env = home.env({**world.use_fake(failure.aws), **failure.variables}, **client.variables)
        reference = f"{names.US}/e2e/{'pushed-in-vain' if failure.push else 'none'}:1"
        if failure.push:
            client.make(reference, f"none-{client.name.replace(' ', '-')}", env)
        seen = run_on_terminal((client.push if failure.push else client.pull)(reference), env)
        world.note_screen(client, name, seen)
        text = seen.must_fail()
        # Some clients wrap lines at words.
        if failure.reason not in " ".join(text.split()):
            raise Failed(f"{seen.command}: the screen does not tell the reason {failure.reason!r}:\n{text}")

    check.__doc__ = f"a {'push' if failure.push else 'pull'} fails, and the screen shows: {failure.reason}"
    return check
