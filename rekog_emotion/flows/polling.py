"""Time: retrying a call that failed, and polling a job that is not finished. The only user of tenacity.

The two are not the same. A retry answers a failure, a few times, with full jitter, within seconds. A poll answers "not
yet": it looks first, then waits about a tenth of the time waited so far, for as long as the caller likes; a poll that
fails is a longer wait, not a lost job.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable
from typing import Any, Protocol

import tenacity
from attrs import frozen

from rekog_emotion.blocking.clock import Clock, system_clock
from rekog_emotion.errors import (
    RekogEmotionError,
)
from rekog_emotion.flows.retrying import INSTANT, T, _failure, back_off, is_transient

__all__ = ["PollSchedule", "Schedule", "poll"]


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
    clock = clock or system_clock()
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
        return min(schedule.interval(waited, back_off(error, failures) if failing else 0.0), left())

    def stop(_: tenacity.RetryCallState) -> bool:
        return left() < INSTANT

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
