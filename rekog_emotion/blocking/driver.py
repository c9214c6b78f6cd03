"""Performs flows in threads: with a client, a clock and an event that cancels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define, field, frozen

from rekog_emotion.blocking import clock as _clock
from rekog_emotion.clients import failures
from rekog_emotion.clients.names import engine_name
from rekog_emotion.clients.protocols import capabilities, leaves_retrying_to_us
from rekog_emotion.flows.steps import (
    Begin,
    Call,
    Cancelled,
    Course,
    Facts,
    Flow,
    Give,
    LateError,
    Now,
    Sleep,
    Step,
    Take,
    Tell,
    Work,
)
from rekog_emotion.values.progress import OnProgress, tell

if TYPE_CHECKING:
    from rekog_emotion.clients.protocols import RekognitionClient

__all__ = ["Driver"]

T = TypeVar("T")


@frozen(kw_only=True)
class Driver:
    """Performs flows, any number at a time.

    Attributes:
        client: Of boto3's shape.
        facts: What flows are told of it.
        clock: Where time comes from.
    """

    client: RekognitionClient
    clock: _clock.Clock = field(factory=_clock.system_clock)
    facts: Facts = field(init=False)

    @facts.default
    def _of_client(self) -> Facts:
        retries = leaves_retrying_to_us(self.client)
        return Facts(retries=retries, can=capabilities(self.client), engine=engine_name(self.client))

    def run(self, flow: Flow[T], *, cancel: threading.Event | None = None, on_progress: OnProgress | None = None) -> T:
        """Perform a flow and return its result.

        Args:
            flow: It gives no values.
            cancel: Ends waits when set.
            on_progress: Told what happens.
        """
        course = Course(flow)
        with _Performer(self, cancel, on_progress) as performer:
            for step in course:
                performer.perform(step, course)
        return course.result

    def iterate(
        self, flow: Flow[None], *, cancel: threading.Event | None = None, on_progress: OnProgress | None = None
    ) -> Iterator[Any]:
        """Perform a flow as far as its values are asked for; whoever stops asking leaves no call to be tried again."""
        course = Course(flow)
        with _Performer(self, cancel, on_progress) as performer:
            try:
                for step in course:
                    if isinstance(step, Give):
                        yield step.value
                    else:
                        performer.perform(step, course)
            finally:
                course.close()


@define
class _Performer:
    """Performs the steps of one flow."""

    _driver: Driver
    _cancel: threading.Event | None
    _on_progress: OnProgress | None
    _stop: _clock.Stop | None = None  # ends what was begun

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stop is not None:
            self._stop.set()

    def perform(self, step: Step, course: Course[Any]) -> None:
        """Perform a step, and tell its flow what became of it."""
        try:
            course.answer(self._answer(step))
        except BaseException as error:  # noqa: BLE001 -- it is for the flow, Ctrl-C too: it tidies up
            course.fail(error)

    def _answer(self, step: Step) -> object:
        driver = self._driver
        answer: object = None
        match step:
            case Call(within=None):
                answer = failures.once(driver.client, step.method, job_id=step.job_id, **step.parameters)
            case Call(within=float(seconds)):
                answer = self._limited(step, seconds)
            case Now():
                answer = driver.clock.now()
            case Sleep(seconds):
                driver.clock.sleep(seconds, self._cancel)
            case Cancelled():
                answer = self._cancel is not None and self._cancel.is_set()
            case Work(function):
                answer = function()
            case Begin(flow):
                answer = self._begin(flow)
            case Take(handle):
                answer = handle.take()
            case Tell(progress):
                tell(self._on_progress, progress)
            case _:
                raise NotImplementedError(step)
        return answer

    def _begin(self, flow: Callable[[], Flow[Any]]) -> _Begun:
        if self._stop is None:
            self._stop = _clock.Stop(self._cancel)
        stop = self._stop
        return _Begun(lambda: self._driver.run(flow(), cancel=stop))

    def _limited(self, call: Call, seconds: float) -> object:
        """Make a call that is not waited for any longer when its time is over, or the caller cancels."""
        future: Future[object] = Future()

        def work() -> None:
            try:
                future.set_result(
                    failures.once(self._driver.client, call.method, job_id=call.job_id, **call.parameters)
                )
            except BaseException as error:  # noqa: BLE001 -- it is raised where the answer is wanted
                future.set_exception(error)

        threading.Thread(target=work, name="rekog-emotion-call", daemon=True).start()
        _clock.Ended(future, self._cancel).wait(min(seconds, threading.TIMEOUT_MAX))
        if not future.done():
            raise LateError
        return future.result()


class _Begun:
    """A flow under way, in a thread that ends with it, whether anybody takes the result or not."""

    def __init__(self, perform: Callable[[], object]) -> None:
        self._perform = perform
        self._results: list[object] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="rekog-emotion-page", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._perform())
        except BaseException as error:  # noqa: BLE001 -- it is raised where the result is wanted
            self._error = error

    def take(self) -> object:
        """Wait for the end; return the result, which is not kept, or raise the error."""
        self._thread.join()
        if self._error is None and not self._results:  # the thread did not come along into a forked child
            self._run()
        if self._error is not None:
            raise self._error
        return self._results.pop()
