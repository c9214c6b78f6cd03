"""Time that passes when somebody sleeps, and only then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rekog_emotion.blocking import clock as _clock

__all__ = ["VirtualClock", "virtual_time"]


class VirtualClock:
    """A clock for tests: sleeping takes no time and is written down. May be shared by threads.

    Attributes:
        sleeps: Seconds of every sleep, as they were asked for.
    """

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self._now = 0.0
        self._events: list[tuple[float, Callable[[], object]]] = []
        # An event may let time pass itself.
        self._lock = threading.RLock()

    def now(self) -> float:
        """Return the seconds that have passed."""
        return self._now

    def at(self, time: float, event: Callable[[], object]) -> None:
        """Call ``event`` when the clock reaches ``time``."""
        with self._lock:
            self._events.append((time, event))

    def advance(self, seconds: float) -> None:
        """Let time pass, as a slow call would."""
        with self._lock:
            self._pass(self._now + seconds, None)

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> None:
        """Let time pass until the sleep is over or, on the way, an event sets ``cancel``."""
        with self._lock:
            self.sleeps.append(seconds)
            self._pass(self._now + seconds, cancel)

    def _pass(self, end: float, cancel: threading.Event | None) -> None:
        for event in sorted((event for event in self._events if event[0] <= end), key=lambda event: event[0]):
            if cancel is not None and cancel.is_set():
                return
            self._events.remove(event)
            self._now = max(self._now, event[0])
            event[1]()
        if cancel is None or not cancel.is_set():
            self._now = max(self._now, end)


@contextmanager
def virtual_time() -> Iterator[VirtualClock]:
    """Let the library wait, poll and retry by a virtual clock, in all threads, until the block ends.

    Calls that are given a ``clock`` of their own keep it. Time-outs of connections are not the library's: they stay.
    """
    clock, before = VirtualClock(), _clock.SYSTEM_CLOCK
    _clock.SYSTEM_CLOCK = clock  # type: ignore[misc]  # final for everybody else
    try:
        yield clock
    finally:
        _clock.SYSTEM_CLOCK = before  # type: ignore[misc]  # likewise
