"""Frames that a thread reads: of what is live the newest alone is kept, what has times of its own is read in turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, Final, Protocol, TypeAlias

from attrs import field, frozen

from rekog_emotion.logs import logger
from rekog_emotion.text import shown

__all__ = ["Frame", "Frames", "OneByOne", "Read", "Shot", "Shots", "StalledError", "Timer"]

PATIENCE: Final = 6.0
"""Seconds without a frame that are told; a stream notices by itself a little sooner."""
_OPENING: Final = 12.0  # likewise, of the first frame of a stream
_GLANCE: Final = 0.05
_STARVED: Final = 1.0  # seconds without a frame, after which a stream goes on late instead of catching up
# Seconds for which the thread is waited for when nobody wants its frames any more: a camera gives one in that time, and
# is free then. What cannot be interrupted, an iterable of the caller's or a network that is silent, is left to itself.
_LEAVING: Final = 0.5
_log: Final = logger(__name__)


class StalledError(Exception):
    """No frame comes; the message says why.

    Args:
        reason: Why.
        lost: Whether none will, unless it is opened again.
    """

    def __init__(self, reason: str, *, lost: bool) -> None:
        super().__init__(reason)
        self.lost = lost


class Timer(Protocol):
    """Where time comes from."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> None:
        """Return after so many seconds, or at once when ``cancel`` is set."""
        ...


@frozen
class Frame:
    """A picture and its time.

    Attributes:
        seconds: Since the first one.
        picture: An array or a PIL picture; the caller's as it was given.
    """

    seconds: float
    picture: Any


class Frames(Protocol):
    """What frames come from. It is used by one thread."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def open(self) -> None:
        """Begin, or begin again when it was lost."""
        ...

    def now(self) -> float:
        """Return the seconds since it was opened first, or, where frames have times, that of the last one."""
        ...

    def take(self, due: float) -> Frame | None:
        """Return the newest frame when it is due; ``None`` when there are no more, or the caller cancels.

        Raises:
            StalledError: None comes.
        """
        ...

    def close(self) -> None:
        """Leave nothing behind; a second time does nothing."""
        ...


@frozen
class OneByOne:
    """Frames that are asked one thing after another: a task that is cancelled leaves its thread waiting for a while."""

    _frames: Frames
    _lock: threading.Lock = field(factory=threading.Lock)

    @property
    def name(self) -> str:
        """What messages call it."""
        return self._frames.name

    def open(self) -> None:
        """Begin, or begin again when it was lost."""
        with self._lock:
            self._frames.open()

    def now(self) -> float:
        """Return the seconds, as `Frames.now` says."""
        with self._lock:
            return self._frames.now()

    def take(self, due: float) -> Frame | None:
        """Return the newest frame when it is due, as `Frames.take` says."""
        with self._lock:
            return self._frames.take(due)

    def close(self) -> None:
        """Leave nothing behind; a second time does nothing."""
        with self._lock:
            self._frames.close()


@frozen
class Shot:
    """A frame that has come: when, where that is known, and what makes its picture."""

    seconds: float | None
    picture: Callable[[], Any]


Shots: TypeAlias = Callable[[Callable[[], bool]], Generator[Shot]]
"""Begins to yield shots; it is told how to find out whether nobody wants any more."""


class Read:
    """Frames that a thread reads.

    Args:
        shots: Begins to yield them.
        name: What messages call it.
        clock: Where time comes from.
        cancel: Set when the caller cancels.
        again: Whether it can begin again, and ends soon when it is told to.
    """

    def __init__(
        self, shots: Shots, *, name: str, clock: Timer, cancel: threading.Event | None, again: bool = False
    ) -> None:
        self.name = name
        self._shots, self._clock, self._cancel, self._again = shots, clock, cancel, again
        self._begin: float | None = None
        self._at = self._waited = 0.0  # of what has times
        self._ahead: float | None = None  # of a stream's clock: seconds to add to what it says
        self._reader: _Reader | None = None
        self._left: _Reader | None = None  # one that had not ended when it was closed

    def open(self) -> None:
        """Begin to read, when the thread of before has ended: a camera is for one at a time."""
        while self._left is not None and not self._left.close(_GLANCE):
            if self._is_cancelled:
                return
        self._left = None
        if self._begin is None:
            self._begin = self._clock.now()
        self._reader = _Reader(self._shots)
        self._ahead = None

    def now(self) -> float:
        """Return the seconds that have passed, or those of the last of the caller's frames that have times."""
        return self._at if self._paces_itself or self._begin is None else self._clock.now() - self._begin

    @property
    def _is_cancelled(self) -> bool:
        return self._cancel is not None and self._cancel.is_set()

    @property
    def _paces_itself(self) -> bool:
        return not self._again and self._reader is not None and bool(self._reader.timed)

    def take(self, due: float) -> Frame | None:
        """Return the newest frame when it is due, or of those with times the nearest one."""
        if self._is_cancelled:
            return None
        reader = self._reader
        if reader is None:
            msg = "frames are taken of what is open"
            raise AssertionError(msg)
        if reader.timed is False:
            self._wait(due)
        elif self._again and reader.timed:
            due = max(due, self.now())
        while (shot := self._next(reader)) is not None:
            if shot.seconds is None:
                return self._frame(self.now(), shot)
            seconds = self._on_our_clock(shot.seconds) if self._again else shot.seconds
            # Whether the next one will be nearer to the time that is due, the step before tells.
            spacing, self._at = seconds - self._at or 1 / 1000, seconds
            if seconds + spacing / 2 > due:
                if self._again:
                    self._wait(seconds)
                return self._frame(seconds, shot)
        return None

    def _frame(self, seconds: float, shot: Shot) -> Frame | None:
        return None if self._is_cancelled else Frame(seconds, shot.picture())

    def _wait(self, due: float) -> None:
        if (wait := due - self.now()) > 0:
            self._clock.sleep(wait, self._cancel)

    def _on_our_clock(self, seconds: float) -> float:
        """Return when a stream's frame is to be seen; what did not come in time goes on from when it came."""
        if self._ahead is None or self._waited > _STARVED:
            self._ahead = self.now() - seconds
        return seconds + self._ahead

    def _next(self, reader: _Reader) -> Shot | None:
        begin, patience = time.monotonic(), _OPENING if self._again and reader.timed is None else PATIENCE
        while not self._is_cancelled:
            if (shot := reader.take(_GLANCE)) is not None:
                self._waited = time.monotonic() - begin
                return shot
            if reader.ended:
                return None
            if time.monotonic() > begin + patience:
                reason = f"no picture came for {patience:.0f} seconds"
                raise StalledError(reason, lost=self._again)
        return None

    def close(self) -> None:
        """End the thread, and wait for it for a moment: whatever it waits for may take its time."""
        reader, self._reader = self._reader, None
        if reader is not None and not reader.close(_LEAVING):
            self._left = reader
            _log.info("%s: its thread ends when its next frame comes, or no longer can", shown(self.name))


class _Reader:
    """A thread that reads, and a place for one shot: the newest, or the next where shots have times.

    Attributes:
        timed: Whether shots have times; ``None`` before the first.
    """

    def __init__(self, shots: Shots) -> None:
        self.timed: bool | None = None
        self._condition = threading.Condition()
        self._shot: Shot | None = None
        self._closed = self._done = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(shots,), name="rekog-emotion-frames", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether everything was taken; raised as its error where it ended by one."""
        with self._condition:
            if self._shot is not None or not self._done:
                return False
            if self._error is not None:
                raise self._error
            return True

    def take(self, seconds: float) -> Shot | None:
        """Return what has come, after so many seconds at most."""
        with self._condition:
            self._condition.wait_for(lambda: self._shot is not None or self._done, seconds)
            shot, self._shot = self._shot, None
            self._condition.notify_all()
            return shot

    def close(self, seconds: float) -> bool:
        """End; tell whether the thread has ended within so many seconds."""
        with self._condition:
            self._closed, self._shot = True, None
            self._condition.notify_all()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self, begin: Shots) -> None:
        error: BaseException | None = None
        try:
            with closing(begin(lambda: self._closed)) as shots:
                for shot in shots:
                    if not self._put(shot):
                        break
        except BaseException as why:  # noqa: BLE001 -- it is raised where frames are wanted
            error = why
        with self._condition:
            self._done, self._error = True, error
            self._condition.notify_all()

    def _put(self, shot: Shot) -> bool:
        """Take a shot to its place; tell whether more are wanted."""
        with self._condition:
            self.timed = shot.seconds is not None
            if self.timed:  # nothing with a time of its own is passed over unseen
                self._condition.wait_for(lambda: self._shot is None or self._closed)
            if not self._closed:
                self._shot = shot
                self._condition.notify_all()
            return not self._closed
