"""How far a batch is: what is counted, how fast it goes, and how long it will take."""

from __future__ import annotations

from collections import deque
from typing import Final

from rekog_emotion.values.progress import Progress, ProgressEvent

__all__ = ["Tally"]

_WINDOW: Final = 30.0  # seconds over which the rate is taken
_STEP: Final = 0.5  # seconds between the marks that it is taken from


class Tally:
    """Counts the outcomes of a batch. Times come from the caller.

    Args:
        now: When it begins: seconds on a clock that never goes back.
        total: How many sources there are, where that is known.

    Attributes:
        done: Outcomes with an analysis.
        failed: Outcomes with an error.
        left_out: What lay in a folder or under a prefix and is no picture.
        skipped: Sources that an earlier run has done, and those that came twice.
        failed_before: Of those that are skipped, how many failed in an earlier run.
        total: How many sources there are, what is left out and skipped among them; ``None`` where nobody knows.
    """

    def __init__(self, now: float, *, total: int | None = None) -> None:
        self.done = self.failed = self.left_out = self.skipped = self.failed_before = 0
        self.total = total
        self._marks = deque([(now, 0)])

    def ended(self, *, failed: bool, now: float) -> None:
        """Count an outcome."""
        if failed:
            self.failed += 1
        else:
            self.done += 1
        if now >= self._marks[-1][0] + _STEP:
            self._marks.append((now, self.done + self.failed))
        while len(self._marks) > 2 and self._marks[1][0] < now - _WINDOW:  # noqa: PLR2004 -- a rate needs two of them
            self._marks.popleft()

    def rate(self, now: float) -> float | None:
        """Return outcomes a second over the last half minute; ``None`` at the beginning."""
        since, before = self._marks[0]
        seconds = now - since
        return (self.done + self.failed - before) / seconds if seconds >= _STEP else None

    def report(
        self, event: ProgressEvent, now: float, *, source: str | None = None, reason: str | None = None
    ) -> Progress:
        """Return how things stand.

        Args:
            event: What has just happened.
            now: When.
            source: With what it has happened.
            reason: Why something failed or was left out.
        """
        rate = self.rate(now)
        left = None
        # What is left out was counted, too; some may have been found after the count.
        total = None if self.total is None else max(self.total - self.left_out, self.done + self.failed + self.skipped)
        if total is not None and rate:
            left = (total - self.done - self.failed - self.skipped) / rate
        return Progress(
            event=event,
            source=source,
            reason=reason,
            done=self.done,
            failed=self.failed,
            left_out=self.left_out,
            skipped=self.skipped,
            failed_before=self.failed_before,
            total=total,
            rate=rate,
            seconds_left=left,
        )
