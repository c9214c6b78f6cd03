"""Retrying: the call failed. The only user of tenacity, which decides; the flow performs."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeVar, cast

import tenacity

from rekog_emotion.errors import InternalServiceError, ResponseError, ThrottledError, TransportError
from rekog_emotion.flows.steps import Call, Cancelled, Flow, Now, Sleep

__all__ = ["INSTANT", "back_off", "called", "is_broken", "is_transient", "retried"]

T = TypeVar("T")
ATTEMPTS: Final = 5
RETRY_SECONDS: Final = 60.0
INSTANT: Final = 1e-6  # less than this is left of no time-out but by rounding
_BASE: Final = 0.5
_THROTTLED_BASE: Final = 1.0
_LONGEST: Final = 20.0

# More would still be cut to the longest wait, and overflow after days of failing polls.
_DOUBLINGS: Final = 10


def is_transient(error: BaseException) -> bool:
    """Tell whether the same call may succeed later: throttling, a failing service, no answer."""
    return isinstance(error, (ThrottledError, InternalServiceError, TransportError))


def is_broken(error: BaseException) -> bool:
    """Tell whether an answer was cut off, or not the service's: the same call may be answered better."""
    return isinstance(error, ResponseError)


def back_off(error: BaseException | None, failures: int) -> float:
    """Return the longest wait after so many failures: doubling, twice as long after throttling."""
    base = _THROTTLED_BASE if isinstance(error, ThrottledError) else _BASE
    doublings = min(failures - 1, _DOUBLINGS)
    return float(min(base * 2**doublings, _LONGEST))


class _Decisions(tenacity.BaseRetrying):
    """Tenacity without its loop: `iter` decides, and the flow yields what is to be done."""

    def __call__(self, *_: Any, **__: Any) -> NoReturn:  # noqa: ANN401 -- tenacity's own signature
        """Make no call: that is a driver's."""
        raise NotImplementedError


def retried(
    attempt: Callable[[], Flow[T]],
    *,
    passing: Callable[[BaseException], bool] = is_transient,
    seconds: float = RETRY_SECONDS,
    waits_for: type[BaseException] | None = None,
) -> Flow[T]:
    """Return what ``attempt`` returns, making up to 5 within a minute while they fail for a passing reason.

    Waits are full jitter over a doubling back-off, as AWS advises ("Exponential Backoff And Jitter", AWS Architecture
    Blog, 2015). A wait that would pass the deadline is cut to what is left, for one more attempt; when the caller has
    cancelled, there is none. The error that is raised is the last one.

    Args:
        attempt: Makes the flow of one attempt.
        passing: Tells of an error whether it may pass.
        seconds: From the first attempt to the deadline.
        waits_for: An error that is met until the deadline however often, as each attempt waits for its turn by itself.
    """
    begin: float = yield Now()
    failure, result = yield from _tried(attempt)
    if failure is None:  # as it nearly always is: there is nothing to decide
        return cast("T", result)
    now, waited_for = begin, 0

    def left() -> float:
        return max(begin + seconds - now, 0.0)

    def stop(state: tenacity.RetryCallState) -> bool:
        return left() < INSTANT or state.attempt_number - waited_for >= ATTEMPTS

    def wait(state: tenacity.RetryCallState) -> float:
        number = max(1, state.attempt_number - waited_for)
        return min(random.uniform(0, back_off(failure, number)), left())  # noqa: S311 -- jitter is no secret

    decisions = _Decisions(retry=tenacity.retry_if_exception(passing), stop=stop, wait=wait, reraise=True)
    decisions.begin()
    state = tenacity.RetryCallState(decisions, fn=None, args=(), kwargs={})
    while failure is not None:
        now = yield Now()
        waited_for += waits_for is not None and isinstance(failure, waits_for)
        state.set_exception((type(failure), failure, failure.__traceback__))
        pause = cast("tenacity.DoSleep", decisions.iter(retry_state=state))  # where it is over, it raises the failure
        state.prepare_for_next_attempt()
        yield Sleep(float(pause))
        if (yield Cancelled()):
            raise failure
        failure, result = yield from _tried(attempt)
    return cast("T", result)


def _tried(attempt: Callable[[], Flow[T]]) -> Flow[tuple[BaseException | None, T | None]]:
    """Make an attempt; returns its error or its result."""
    try:
        return None, (yield from attempt())
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001 -- tenacity raises it again
        return error, None


def called(call: Call, *, ours: bool) -> Flow[Mapping[str, Any]]:
    """Make a call, again where it failed for a passing reason.

    Args:
        call: The call.
        ours: The client leaves trying again to us; any other has done so by itself.
    """

    def attempt() -> Flow[Mapping[str, Any]]:
        answer: Mapping[str, Any] = yield call
        return answer

    return (yield from (retried(attempt) if ours else attempt()))
