"""Polling: the call answered "not yet". A plain loop.

Polling is not retrying. A retry answers a failure, a few times, with full jitter, within seconds. A poll looks first,
then waits about a tenth of the time waited so far, for as long as the caller likes; a poll that fails is a longer wait,
not a lost job.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Protocol, TypeVar

from attrs import frozen

from rekog_emotion.errors import RekogEmotionError
from rekog_emotion.flows.retrying import INSTANT, back_off, is_transient
from rekog_emotion.flows.steps import Cancelled, Flow, Now, Sleep, Turn

__all__ = ["PollSchedule", "Schedule", "poll"]

T = TypeVar("T")


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


def _sleep(_: float, seconds: float) -> Flow[None]:
    yield Sleep(seconds)


def poll(  # noqa: C901 -- one plain loop
    look: Callable[[], Flow[T | None]],
    *,
    schedule: Schedule,
    timeout: float | None,
    timed_out: Callable[[float, BaseException | None], RekogEmotionError],
    cancelled: Callable[[float], RekogEmotionError],
    tolerate: Callable[[BaseException], bool] = is_transient,
    pause: Callable[[float, float], Flow[None]] = _sleep,
    takes_turns: bool = False,
    look_first: bool = True,
) -> Flow[T]:
    """Look until what is seen is finished; look first, unless told to wait first.

    Args:
        look: Makes the flow of one look, which returns ``None`` for "not yet".
        schedule: How long to wait between looks; a failed look waits longer.
        timeout: Seconds; ``None`` for ever. A wait that would pass it is cut to what is left, for one more look.
        timed_out: Makes the error for the deadline, from the seconds waited and the failure of the last look, if any.
        cancelled: Makes the error for a cancel, from the seconds waited.
        tolerate: Tells which failures of a look mean "look again later".
        pause: Makes the flow of one wait, from the seconds waited so far and to wait.
        takes_turns: A budget of calls may want a look to wait for its turn.
        look_first: Look at once; otherwise wait an interval before the first look.

    Raises:
        RekogEmotionError: What ``timed_out`` or ``cancelled`` made, or a failure of ``look`` that is not tolerated.
    """
    begin: float = yield Now()
    failures = 0

    def left(now: float) -> float:
        return math.inf if timeout is None else max(begin + timeout - now, 0.0)

    def check() -> Flow[None]:
        if (yield Cancelled()):
            raise cancelled((yield Now()) - begin)

    if not look_first:
        yield from check()
        yield from pause(0.0, min(schedule.interval(0.0), left(begin)))
    while True:
        yield from check()
        if takes_turns and (delay := min((yield Turn()), left((yield Now())))) > 0:
            yield Sleep(delay)
            yield from check()
        failure = None
        try:
            found = yield from look()
        except Exception as error:
            if not tolerate(error):
                raise
            failure = error
        else:
            if found is not None:
                return found
        now: float = yield Now()
        waited = now - begin
        if left(now) < INSTANT:
            raise timed_out(waited, failure) from failure
        # What else is tolerated means "not yet", too, such as a full account: no reason to slow down.
        failing = failure is not None and is_transient(failure)
        failures = failures + 1 if failing else 0
        setback = back_off(failure, failures) if failing else 0.0
        yield from pause(waited, min(schedule.interval(waited, setback), left(now)))
