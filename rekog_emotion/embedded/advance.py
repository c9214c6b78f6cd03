"""How far a video job is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

__all__ = ["Advance"]

_SHORTEST: Final = 1.0  # second of work that tells how fast it goes; frames come several at once


class Advance:
    """How much of a video has been looked at, by the times of its frames, and how long the rest will take.

    Args:
        milliseconds: Length of the video; ``None`` where its file does not say it, and nothing can be told.
        now: Gives seconds on a clock that never goes back.
    """

    def __init__(self, milliseconds: int | None, *, now: Callable[[], float] = time.monotonic) -> None:
        self._milliseconds = milliseconds
        self._now = now
        self._first: tuple[float, float] | None = None
        self._told: tuple[float, float | None] | None = None

    def reached(self, milliseconds: int) -> None:
        """Take note that the frame of this time has been looked at."""
        if not self._milliseconds:
            return
        done, now = min(milliseconds / self._milliseconds, 1.0), self._now()
        if self._first is None:  # before which networks were loaded
            self._first = done, now
        before, begun = self._first
        left = None
        if done > before and now - begun >= _SHORTEST:
            left = (1.0 - done) * (now - begun) / (done - before)
        self._told = done, left

    def told(self) -> tuple[float, float | None] | None:
        """Return the share of the video that is done, 0 to 1, and the seconds left, as far as they are known."""
        return self._told
