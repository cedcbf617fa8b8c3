"""The table client × check, and below it what went wrong."""

import time
import traceback

from .checks import CHECKS
from .processes import Failed, Skip


class Report:
    def __init__(self):
        self.rows = {}
        self.failures = []

    def run(self, row, column, check, *arguments):
        """Runs a check; its outcome is in the table."""
        started = time.monotonic()
        try:
            check(*arguments)
            outcome = "ok"
        except Skip:
            outcome = "-"
        except Failed as failed:
            outcome = "FAILED"
            self.failures.append(f"{row}, {column}: {failed}")
        except Exception:  # Of the run itself: the other checks go on.
            outcome = "BROKEN"
            self.failures.append(f"{row}, {column}: the check itself: {traceback.format_exc()}")
        self.rows.setdefault(row, {})[column] = outcome
        print(f"{row}: {column}: {outcome} ({time.monotonic() - started:.1f} s)", flush=True)

    def show(self):
        columns = [column for column in CHECKS if any(column in outcomes for outcomes in self.rows.values())]
        width = max(map(len, self.rows), default=0)
        print("\n" + " ".join([" " * width, *columns]).rstrip())
        for row, outcomes in self.rows.items():
            own = [column for column in outcomes if column not in CHECKS]
            cells = [outcomes.get(column, "").ljust(len(column)) for column in columns]
            line = " ".join(cells) if not own else ", ".join(f"{column}: {outcomes[column]}" for column in own)
            print(f"{row.ljust(width)} {line}".rstrip())
        for failure in self.failures:
            print(f"\nFAILED {failure.rstrip()}")
