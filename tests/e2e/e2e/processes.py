"""Running programs: servers in the background, and commands as a user has them, with or without a terminal."""

import errno
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from fcntl import ioctl
from dataclasses import dataclass

COMMAND_LIMIT = 90
START_LIMIT = 60
COLUMNS, ROWS = 80, 24


class Failed(Exception):
    """A check's failure, in words that stand alone."""


class Skip(Exception):
    """The client has no such thing."""


@dataclass
class Result:
    command: str
    status: int
    # Both streams, as they came; of a terminal, what can be read on it in the end.
    text: str

    def must_succeed(self):
        if self.status != 0:
            raise Failed(f"{self.command}: exit {self.status}\n{self.text.strip()}")
        return self.text

    def must_fail(self):
        if self.status == 0:
            raise Failed(f"{self.command}: succeeded, and should not have\n{self.text.strip()}")
        return self.text


def run(command, env, stdin=""):
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, env=env, cwd="/", input=stdin, timeout=COMMAND_LIMIT, text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        shown = (late.output or b"").decode(errors="replace")
        raise Failed(f"{' '.join(words)}: still running after {COMMAND_LIMIT} s\n{shown}") from late
    return Result(" ".join(words), done.returncode, done.stdout)


def run_on_terminal(command, env):
    """The same on a terminal, where clients draw bars over what was printed: `text` is what the user can read in the end,
    on the screen or scrolled up."""
    import pyte

    words = [str(word) for word in command]
    leader, follower = pty.openpty()
    ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        words, env={**env, "TERM": "xterm"}, cwd="/", stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    )
    os.close(follower)
    screen = pyte.HistoryScreen(COLUMNS, ROWS, history=200)
    stream = pyte.ByteStream(screen)
    # As it mostly is in use: the cursor in the last row.
    stream.feed(b"\r\n" * ROWS)
    deadline = time.monotonic() + COMMAND_LIMIT
    while chunk := read_before(leader, deadline):
        stream.feed(chunk)
    os.close(leader)
    if time.monotonic() >= deadline:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise Failed(f"{' '.join(words)}: still running after {COMMAND_LIMIT} s")
    # A full row goes on in the next: put together what the terminal's width took apart.
    above = ["".join(row[column].data for column in range(COLUMNS)) for row in screen.history.top]
    rows = [row if len(row.rstrip()) == COLUMNS else row.rstrip() + "\n" for row in [*above, *screen.display]]
    return Result(" ".join(words), process.wait(), "".join(rows).strip() + "\n")


def read_before(leader, deadline):
    """The next bytes; none at the terminal's end or at the deadline."""
    ready, _, _ = select.select([leader], [], [], max(0, deadline - time.monotonic()))
    try:
        return os.read(leader, 65536) if ready else b""
    except OSError as gone:
        if gone.errno == errno.EIO:
            return b""
        raise


def start_server(name, command, log, env, ready):
    """Starts a program in the background, its output in a file, and waits until it is ready. It ends with the namespace."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(word) for word in command], env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + START_LIMIT
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"tests/e2e/run: {name} does not start; its output:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.05)
