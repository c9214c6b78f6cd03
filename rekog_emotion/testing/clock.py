"""Time that passes when somebody sleeps, and only then."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from rekog_emotion.blocking import clock as _clock
from rekog_emotion.flows import clock as _of_tasks

__all__ = ["VirtualClock", "virtual_time"]


class VirtualClock:
    """A clock for tests: sleeping takes no time and is written down. May be shared by threads and tasks.

    In threads sleeps add up; tasks of a loop that sleep at once wake in order, as they would by a real clock.

    Attributes:
        sleeps: Seconds of every sleep, as they were asked for.
        in_tasks: The same clock for tasks, whose ``sleep(seconds)`` is a coroutine; the verbs of asyncio find it.
    """

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self._now = 0.0
        self._events: list[tuple[float, Callable[[], object]]] = []
        # An event may let time pass itself.
        self._lock = threading.RLock()
        self.in_tasks = _InTasks(self)

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

    def _approach(self, end: float) -> None:
        """Let time pass until the next event, or until the end where there is none before it."""
        with self._lock:
            self._pass(min((time for time, _ in self._events if time <= end), default=end), None)

    def _pass(self, end: float, cancel: threading.Event | None) -> None:
        for event in sorted((event for event in self._events if event[0] <= end), key=lambda event: event[0]):
            if cancel is not None and cancel.is_set():
                return
            self._events.remove(event)
            self._now = max(self._now, event[0])
            event[1]()
        if cancel is None or not cancel.is_set():
            self._now = max(self._now, end)


class _InTasks:
    """A virtual clock for tasks: whoever is to wake first lets time pass, when all others have had a turn."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._ends: WeakKeyDictionary[asyncio.AbstractEventLoop, list[float]] = WeakKeyDictionary()

    def now(self) -> float:
        """Return the seconds that have passed."""
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        """Return when the sleep is over; a cancel that an event asks for arrives at its time."""
        clock, ends = self._clock, self._ends.setdefault(asyncio.get_running_loop(), [])
        clock.sleeps.append(seconds)
        end = clock.now() + seconds
        ends.append(end)
        try:
            await asyncio.sleep(0)
            while clock.now() < end:
                if end <= min(ends):
                    clock._approach(end)  # noqa: SLF001 -- it is the clock itself
                await asyncio.sleep(0)
        finally:
            ends.remove(end)


@contextmanager
def virtual_time() -> Iterator[VirtualClock]:
    """Let the library wait, poll and retry by a virtual clock, in all threads and tasks, until the block ends.

    Calls that are given a ``clock`` of their own keep it. Time-outs of connections are not the library's: they stay.
    """
    clock, before = VirtualClock(), (_clock.SYSTEM_CLOCK, _of_tasks.OF_TESTS)
    _clock.SYSTEM_CLOCK = _of_tasks.OF_TESTS = clock  # type: ignore[misc]  # final for everybody else
    try:
        yield clock
    finally:
        _clock.SYSTEM_CLOCK, _of_tasks.OF_TESTS = before  # type: ignore[misc]  # likewise
