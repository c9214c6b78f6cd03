"""Time that passes when somebody sleeps, and only then."""

from __future__ import annotations

import threading
from collections.abc import Callable


class VirtualClock:
    """A ``Clock`` for tests: sleeping takes no time and is written down.

    Attributes:
        sleeps: Seconds of every sleep, as they were asked for.
    """

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self._now = 0.0
        self._events: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> float:
        """Return the seconds that have passed."""
        return self._now

    def at(self, time: float, event: Callable[[], object]) -> None:
        """Call ``event`` when the clock reaches ``time``."""
        self._events.append((time, event))

    def advance(self, seconds: float) -> None:
        """Let time pass, as a slow call would."""
        self._pass(self._now + seconds, None)

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> None:
        """Let time pass until the sleep is over or, on the way, an event sets ``cancel``."""
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
            self._now = end
