"""Time: retrying a call that failed, and polling a job that is not finished. The only user of tenacity.

The two are not the same. A retry answers a failure, a few times, with full jitter, within seconds. A poll answers "not
yet": it looks first, then waits about a tenth of the time waited so far, for as long as the caller likes; a poll that
fails is a longer wait, not a lost job.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from datetime import timedelta
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import tenacity
from attrs import frozen

from rekog_emotion.errors import (
    InternalServiceError,
    InvalidInputError,
    RekogEmotionError,
    ResponseError,
    ThrottledError,
    TransportError,
)

__all__ = [
    "SYSTEM_CLOCK",
    "Clock",
    "Ended",
    "PollSchedule",
    "Schedule",
    "Seconds",
    "Stop",
    "is_broken",
    "is_transient",
    "poll",
    "retry",
    "seconds",
]

T = TypeVar("T")

Seconds: TypeAlias = float | timedelta | None
"""How long: seconds, a ``timedelta``, or ``None`` for ever."""

ATTEMPTS: Final = 5
RETRY_SECONDS: Final = 60.0
_BASE: Final = 0.5
_THROTTLED_BASE: Final = 1.0
_LONGEST: Final = 20.0
_GLANCE: Final = 0.05
_INSTANT: Final = 1e-6  # less than this is left of no time-out but by rounding
# More would still be cut to the longest wait, and overflow after days of failing polls.
_DOUBLINGS: Final = 10


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
            left = _GLANCE if end is None else end - time.monotonic()
            if left <= 0:
                break
            self._glance(min(left, _GLANCE))
        return self.is_set()

    def _glance(self, seconds: float) -> None:
        super().wait(seconds)


class Ended(Stop):
    """Set when work that really goes on has been done, or together with another event.

    Args:
        work: What is waited for; nothing is left at it.
        other: Another event, such as a caller's ``cancel``.
    """

    def __init__(self, work: Future[Any], other: threading.Event | None = None) -> None:
        super().__init__(other)
        self._work = work

    def is_set(self) -> bool:
        """Tell whether the work is done, or the other one is set."""
        return self._work.done() or super().is_set()

    def _glance(self, seconds: float) -> None:
        wait_for([self._work], seconds)


def seconds(duration: Seconds, name: str) -> float | None:
    """Return a caller's duration in seconds.

    Raises:
        InvalidInputError: It is no number, negative or not a number at all.
    """
    value = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        msg = f"{name}={duration!r} is no duration: pass seconds, a timedelta, or None to wait for ever"
        raise InvalidInputError(msg)
    return float(value)


def is_transient(error: BaseException) -> bool:
    """Tell whether the same call may succeed later: throttling, a failing service, no answer."""
    return isinstance(error, (ThrottledError, InternalServiceError, TransportError))


def is_broken(error: BaseException) -> bool:
    """Tell whether an answer was cut off, or not the service's: the same call may be answered better."""
    return isinstance(error, ResponseError)


def _backoff(error: BaseException | None, failures: int) -> float:
    """Return the longest wait after so many failures: doubling, twice as long after throttling."""
    base = _THROTTLED_BASE if isinstance(error, ThrottledError) else _BASE
    doublings = min(failures - 1, _DOUBLINGS)
    return float(min(base * 2**doublings, _LONGEST))


def retry(
    call: Callable[[], T],
    *,
    clock: Clock | None = None,
    cancel: threading.Event | None = None,
    passing: Callable[[BaseException], bool] = is_transient,
) -> T:
    """Return what ``call`` returns, calling it up to 5 times within a minute while it fails for a passing reason.

    Waits are full jitter over a doubling back-off, as AWS advises ("Exponential Backoff And Jitter", AWS Architecture
    Blog, 2015). A wait that would pass the deadline is cut to what is left, for one more call; when ``cancel`` is set,
    there is none. The error that is raised is the last one.
    """
    clock = clock or SYSTEM_CLOCK
    begin = clock.now()
    failure: BaseException | None = None

    def left() -> float:
        return max(begin + RETRY_SECONDS - clock.now(), 0.0)

    def stop(state: tenacity.RetryCallState) -> bool:
        return left() < _INSTANT or state.attempt_number >= ATTEMPTS

    def wait(state: tenacity.RetryCallState) -> float:
        nonlocal failure
        failure = _failure(state)
        return min(random.uniform(0, _backoff(failure, state.attempt_number)), left())  # noqa: S311 -- jitter is no secret

    def sleep(seconds: float) -> None:
        clock.sleep(seconds, cancel)
        if failure is not None and cancel is not None and cancel.is_set():
            raise failure

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(passing), stop=stop, wait=wait, sleep=sleep, reraise=True
    )
    return retrying(call)


class Schedule(Protocol):
    """How long to wait between two looks."""

    def interval(self, waited: float, setback: float = 0.0) -> float:
        """Return seconds to wait after ``waited`` seconds, ``setback`` more after a failed look."""
        ...


@frozen(kw_only=True)
class PollSchedule:
    """How long to wait between two looks.

    A tenth of the time waited costs, in the mean, a twentieth of a job's length in lost time, and the number of looks
    grows with the logarithm of the length until the cap is reached.

    Attributes:
        share: Part of the time waited so far.
        floor: Shortest wait in seconds.
        cap: Longest wait in seconds.
        jitter: Largest deviation, as a part of the wait, so that jobs that start together do not poll together.
        first: Seconds before which nothing is to be expected.
        lead: The first wait is a random part of it, and so is the next after less than a quarter: otherwise jobs of
            some lengths would always end just after a look.
    """

    share: float = 0.1
    floor: float = 1.0
    cap: float = 120.0
    jitter: float = 0.1
    first: float = 0.0
    lead: float = 0.0

    def interval(self, waited: float, setback: float = 0.0) -> float:
        """Return seconds to wait after ``waited`` seconds, ``setback`` more after a failed look, jitter included."""
        usual = min(max(self.share * waited, self.floor), self.cap)
        if waited < self.lead / 4:
            usual = random.uniform(0, self.lead)  # noqa: S311 -- likewise
        seconds = max(usual, self.first - waited) + setback
        return seconds * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 -- jitter is no secret


def poll(  # noqa: C901 -- its parts are small, and share its arguments
    look: Callable[[], T],
    *,
    unfinished: Callable[[T], bool],
    schedule: Schedule,
    timeout: float | None,
    clock: Clock | None = None,
    cancel: threading.Event | None = None,
    sleep: Callable[[float], None] | None = None,
    pace: Callable[[], float] | None = None,
    look_first: bool = True,
    on_wait: Callable[[float, float], None] | None = None,
    timed_out: Callable[[float, BaseException | None], RekogEmotionError],
    cancelled: Callable[[float], RekogEmotionError],
    tolerate: Callable[[BaseException], bool] = is_transient,
) -> T:
    """Look until what is seen is finished; look first, unless told to wait first.

    Args:
        look: Makes one call.
        unfinished: Tells whether an answer means "not yet".
        schedule: How long to wait between looks; a failed look waits longer.
        timeout: Seconds; ``None`` for ever. A wait that would pass it is cut to what is left, for one more look.
        clock: Where time comes from; left out, the system's.
        cancel: Ends a wait at once when set.
        sleep: Waits between looks, so many seconds or less; left out, the clock does.
        pace: Tells before each look how many seconds a budget of calls wants it to wait.
        look_first: Look at once; otherwise wait an interval before the first look.
        on_wait: Called with the seconds waited and to wait, before each wait.
        timed_out: Makes the error for the deadline, from the seconds waited and the failure of the last look, if any.
        cancelled: Makes the error for ``cancel``, from the seconds waited.
        tolerate: Tells which failures of a look mean "look again later".

    Raises:
        RekogEmotionError: What ``timed_out`` or ``cancelled`` made, or a failure of ``look`` that is not tolerated.
    """
    clock = clock or SYSTEM_CLOCK
    begin, failures = clock.now(), 0

    def left() -> float:
        return math.inf if timeout is None else max(begin + timeout - clock.now(), 0.0)

    def check() -> None:
        if cancel is not None and cancel.is_set():
            raise cancelled(clock.now() - begin)

    def looked() -> T:
        check()
        if pace is not None and (delay := min(pace(), left())) > 0:
            clock.sleep(delay, cancel)
            check()
        return look()

    def pause(interval: float) -> None:
        if sleep is None:
            clock.sleep(interval, cancel)
        else:
            sleep(interval)

    def wait(state: tenacity.RetryCallState) -> float:
        nonlocal failures
        error = _failure(state)
        # What else is tolerated means "not yet", too, such as a full account: no reason to slow down.
        failing = error is not None and is_transient(error)
        failures = failures + 1 if failing else 0
        waited = clock.now() - begin
        return min(schedule.interval(waited, _backoff(error, failures) if failing else 0.0), left())

    def stop(_: tenacity.RetryCallState) -> bool:
        return left() < _INSTANT

    def before_sleep(state: tenacity.RetryCallState) -> None:
        if on_wait is not None:
            on_wait(clock.now() - begin, state.upcoming_sleep)

    def give_up(state: tenacity.RetryCallState) -> Any:  # noqa: ANN401 -- it only raises
        error = _failure(state)
        raise timed_out(clock.now() - begin, error) from error

    if not look_first:
        check()
        interval = min(schedule.interval(0.0), left())
        if on_wait is not None:
            on_wait(0.0, interval)
        pause(interval)
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(tolerate) | tenacity.retry_if_result(unfinished),
        stop=stop,
        wait=wait,
        sleep=pause,
        before_sleep=before_sleep,
        retry_error_callback=give_up,
    )
    return retrying(looked)


def _failure(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
