"""Retrying: the call failed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final, TypeVar

import tenacity

from rekog_emotion.blocking.clock import Clock, system_clock
from rekog_emotion.errors import InternalServiceError, ResponseError, ThrottledError, TransportError

__all__ = ["is_broken", "is_transient", "retry"]

T = TypeVar("T")
ATTEMPTS: Final = 5
RETRY_SECONDS: Final = 60.0
_BASE: Final = 0.5
_THROTTLED_BASE: Final = 1.0
_LONGEST: Final = 20.0
_INSTANT: Final = 1e-6  # less than this is left of no time-out but by rounding

# More would still be cut to the longest wait, and overflow after days of failing polls.
_DOUBLINGS: Final = 10


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
    clock = clock or system_clock()
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


def _failure(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
