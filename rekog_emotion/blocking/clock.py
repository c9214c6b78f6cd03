"""Time, and stopping."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Final, Protocol

from rekog_emotion.flows.steps import GLANCE

__all__ = ["SYSTEM_CLOCK", "Clock", "Ended", "Stop", "Work", "system_clock", "wait"]


class Work(Protocol):
    """What really goes on: a :class:`concurrent.futures.Future`, or a call of :mod:`rekog_emotion.workers`."""

    def done(self) -> bool:
        """Tell whether it has ended."""
        ...

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for its end and return its error, or raise :class:`TimeoutError` after so many seconds."""
        ...


class Clock(Protocol):
    """What time is it, and wait: injected, so that tests need no time."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> None:
        """Return after so many seconds, or at once when ``cancel`` is set."""
        ...


class _SystemClock:
    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> None:
        (cancel or threading.Event()).wait(seconds)


SYSTEM_CLOCK: Final[Clock] = _SystemClock()


def system_clock() -> Clock:
    """Return the clock that is used where none was given; tests set another."""
    return SYSTEM_CLOCK


class Stop(threading.Event):
    """An event that is set by itself or together with another one, such as a caller's ``cancel``."""

    def __init__(self, other: threading.Event | None = None) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        """Tell whether it or the other one is set."""
        return super().is_set() or (self._other is not None and self._other.is_set())

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for either of them; the other one is looked at every 20th of a second."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = GLANCE if end is None else end - time.monotonic()
            if left <= 0:
                break
            self._glance(min(left, GLANCE))
        return self.is_set()

    def _glance(self, seconds: float) -> None:
        super().wait(seconds)


class Ended(Stop):
    """Set when work that really goes on has been done, or together with another event.

    Args:
        work: What is waited for; nothing is left at it.
        other: Another event, such as a caller's ``cancel``.
        meanwhile: Called every 20th of a second of a wait.
    """

    def __init__(
        self,
        work: Work,
        other: threading.Event | None = None,
        *,
        meanwhile: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(other)
        self._work = work
        self._meanwhile = meanwhile

    def is_over(self) -> bool:
        """Tell whether the work is done."""
        return self._work.done()

    def is_set(self) -> bool:
        """Tell whether the work is done, or the other one is set."""
        return self._work.done() or super().is_set()

    def _glance(self, seconds: float) -> None:
        wait(self._work, seconds)
        if self._meanwhile is not None:
            self._meanwhile()


def wait(work: Work, seconds: float, cancel: threading.Event | None = None) -> None:
    """Wait for the end of work that really goes on, until a caller cancels, or so many seconds at most."""
    if cancel is not None:
        Ended(work, cancel).wait(seconds)
        return
    with suppress(TimeoutError, CancelledError):  # without an event, whose making would be a third of a call's cost
        work.exception(seconds)
