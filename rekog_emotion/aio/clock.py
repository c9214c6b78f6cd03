"""Time in asyncio."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, TypeAlias

from rekog_emotion.clients.protocols import is_async
from rekog_emotion.flows import clock as _clock

__all__ = ["Clock", "LoopClock", "TaskClock", "time_of"]


class TaskClock(Protocol):
    """What time is it, and wait: injected, so that tests need no time."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...


class LoopClock:
    """The time of the running loop."""

    def now(self) -> float:
        """Return the loop's seconds."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)


class _OfBothWorlds(Protocol):
    @property
    def in_tasks(self) -> TaskClock: ...


Clock: TypeAlias = TaskClock | _OfBothWorlds
"""A clock of tasks, or one of threads that has such a form, as a virtual clock of tests has."""


def time_of(clock: Clock | None = None) -> TaskClock:
    """Return the clock that is given, for tasks; left out, the one that tests have set, else the loop's."""
    time: Any = clock or _clock.OF_TESTS or LoopClock()
    return time if is_async(time, "sleep") else getattr(time, "in_tasks", time)  # type: ignore[no-any-return]  # either's
