"""What has become of the photos of a batch: what is done again, written down, counted and told, and in what order."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, Final

from attrs import define, field

from rekog_emotion import forks
from rekog_emotion.errors import CallCancelledError, InvalidInputError
from rekog_emotion.flows import batch
from rekog_emotion.flows.batch import ImageOutcome
from rekog_emotion.flows.checkpoint import Checkpoint
from rekog_emotion.flows.rate import Pace, pace_of, quota_in
from rekog_emotion.flows.tally import Tally
from rekog_emotion.results.journal import Journal
from rekog_emotion.sources.collections import LeftOut, Unusable, count_at
from rekog_emotion.sources.naming import name_of
from rekog_emotion.values.progress import OnProgress, ProgressEvent, tell

__all__ = ["AHEAD", "GRACE", "InOrder", "Ledger", "check_batch", "is_countable", "pace_for", "total_of", "workers_for"]

GRACE: Final = 2.0
"""Seconds for the calls under way, which are paid for, where the caller leaves."""

AHEAD: Final = 4
"""Photos a worker that may be done before one that comes first."""

_SECONDS_A_CALL: Final = 0.5  # of the service, with some to spare: so many workers keep to a rate
_FEW, _MANY, _SOME = 4, 32, 8  # workers: at least, at most, and where no rate is known


def check_batch(*, workers: object, retry_errors: bool, checkpoint: object) -> None:
    """Refuse options that cannot be used.

    Raises:
        InvalidInputError: One of them.
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        msg = f"workers={workers!r} is no number of workers: pass 1 or more, or leave it out"
        raise InvalidInputError(msg)
    if retry_errors and checkpoint is None:
        msg = "retry_errors=True is about the errors in a checkpoint: name it by checkpoint="
        raise InvalidInputError(msg)


def pace_for(client: object, quota: float | None, *, files: bool, region: str | None) -> Pace | None:
    """Return the pace of a client, set to what is known of its quota; ``None`` where there is none to keep to.

    Args:
        client: Who is asked.
        quota: What the caller says.
        files: The client works by itself.
        region: Of the service, if it is AWS that answers.
    """
    if files and quota is None:
        return None
    pace = pace_of(client)
    if quota is not None:
        pace.limit(quota)
    elif region is not None:
        pace.expect(quota_in(region))
    return pace


def workers_for(client: object, quota: float | None, *, files: bool, region: str | None, pool: int | None) -> int:
    """Return how many photos at a time are of use.

    Args:
        client: Who is asked; one that works by itself may say how many ``threads`` a photo takes.
        quota: Calls a second, as the caller says.
        files: The client works by itself.
        region: Of the service, if it is known.
        pool: Connections that the client keeps, if it says so.
    """
    if files:
        return max(1, _cores() // max(1, int(getattr(client, "threads", 1))))
    quota = quota or (quota_in(region) if region is not None else None)
    number = _SOME if quota is None else math.ceil(min(max(quota * _SECONDS_A_CALL, _FEW), _MANY))
    return min(number, pool or number)


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover -- of macOS and Windows


def is_countable(photos: Iterable[Any]) -> bool:
    """Tell whether there is a number of what is to be gone through, other than by going through it."""
    return isinstance(photos, Sized) and not any(batch.is_prefix(one) for one in photos)


def total_of(photos: Iterable[Any], stopped: Callable[[], bool]) -> int | None:
    """Return how many photos there are, which may take long; ``None`` where it was stopped.

    Args:
        photos: What is to be gone through, as often as one likes.
        stopped: Nobody wants to know any longer.
    """
    total = 0
    for one in photos:
        for _ in count_at(one) if batch.is_place(one) else (1,):
            total += 1
            if stopped():
                return None
    return total


@define
class Ledger:
    """What has become of the photos of one batch so far; all that is asked of it, several threads may ask.

    Attributes:
        tally: Counts.
        journal: Where outcomes are written down, if anywhere.
        done: What an earlier run has done.
    """

    tally: Tally
    _on_progress: OnProgress | None
    journal: Journal | None = None
    done: Checkpoint | None = None
    _is_closed: bool = field(init=False, default=False)
    _guard: forks.Guard = field(init=False, factory=forks.Guard, repr=False, eq=False)

    def open(self, checkpoint: str | os.PathLike[str], *, retry_errors: bool) -> None:
        """Take a checkpoint, and read what an earlier run has done; who has closed the ledger meanwhile gets it back.

        Args:
            checkpoint: The file.
            retry_errors: What ended with an error is done again.

        Raises:
            InvalidInputError: It is in use, or something else.
        """
        self.journal = Journal(checkpoint)
        if self._is_closed:
            self.journal.close()
            return
        self.done = Checkpoint(self.journal.entries(), retry_errors=retry_errors)

    def close(self) -> None:
        """Give the checkpoint back, also where it is still being opened; a second time does nothing."""
        self._is_closed = True
        if self.journal is not None:
            self.journal.close()

    def takes(self, one: Any, now: float) -> bool:  # noqa: ANN401 -- whatever callers pass
        """Tell whether something that was found is to be done; what is left out is told."""
        with self._guard.lock:
            if isinstance(one, LeftOut):
                self.tally.left_out += 1
                self._tell(ProgressEvent.LEFT_OUT, now, source=one.source, reason=one.reason)
                return False
            if self.done is not None and not isinstance(one, Unusable) and not self.done.takes(one):
                self.tally.skipped, self.tally.failed_before = self.done.skipped, self.done.failed_before
                return False
            return True

    def write(self, source: object, outcome: ImageOutcome) -> None:
        """Write an outcome down, before anybody sees it."""
        line = batch.line_of(outcome)
        if self.journal is not None and line is not None and not isinstance(source, Unusable):
            self.journal.append(line)

    def count(self, outcome: ImageOutcome, now: float) -> None:
        """Count an outcome, and tell of it; what was cancelled is still to be done."""
        if isinstance(outcome.error, CallCancelledError):
            return
        with self._guard.lock:
            self.tally.ended(failed=outcome.error is not None, now=now)
            reason = None if outcome.error is None else str(outcome.error)
            self._tell(ProgressEvent.IMAGE, now, source=name_of(outcome.source), reason=reason)

    def tell(self, event: ProgressEvent, now: float) -> None:
        """Tell how far it is."""
        with self._guard.lock:
            self._tell(event, now)

    def _tell(self, event: ProgressEvent, now: float, *, source: str | None = None, reason: str | None = None) -> None:
        tell(self._on_progress, self.tally.report(event, now, source=source, reason=reason))


@define
class InOrder:
    """Puts outcomes in the order of their numbers."""

    _waiting: dict[int, ImageOutcome] = field(factory=dict)
    _following: int = 0

    def ready(self, number: int, outcome: ImageOutcome) -> Iterator[ImageOutcome]:
        """Take an outcome, and yield those whose turn it is."""
        self._waiting[number] = outcome
        while self._following in self._waiting:
            yield self._waiting.pop(self._following)
            self._following += 1
