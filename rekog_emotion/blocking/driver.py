"""Performs flows in threads: with a client, a clock and an event that cancels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define, field, frozen

from rekog_emotion import workers
from rekog_emotion.blocking import clock as _clock
from rekog_emotion.blocking.sharing import mailbox_of
from rekog_emotion.clients import failures
from rekog_emotion.clients.connections import Line, leave, line_of, line_within
from rekog_emotion.clients.guarding import guarded
from rekog_emotion.clients.listing import list_page
from rekog_emotion.clients.names import known_of, resolve_client
from rekog_emotion.clients.protocols import capabilities, progress_of
from rekog_emotion.clients.sharing import SHARED
from rekog_emotion.clients.staging import remove_upload
from rekog_emotion.flows import steps
from rekog_emotion.flows.budget import Budget, budget_of
from rekog_emotion.flows.steps import Course, Facts, Flow, LateError, Opening, Resolve
from rekog_emotion.values.progress import OnProgress, tell

if TYPE_CHECKING:
    from rekog_emotion.clients.protocols import RekognitionClient, Staging
    from rekog_emotion.flows.messages import Mailbox
    from rekog_emotion.values.s3 import S3Object

__all__ = ["Driver", "opened"]

T = TypeVar("T")


@frozen(kw_only=True)
class Driver:
    """Performs flows, any number at a time.

    Attributes:
        client: Of boto3's shape.
        clock: Where time comes from.
        staging: Where local files go, if any do.
        s3_client: The caller's client for what lies in S3.
        facts: What flows are told of the client.
        budget: What all calls of the client share.
    """

    client: RekognitionClient
    clock: _clock.Clock = field(factory=_clock.system_clock)
    staging: Staging | None = None
    s3_client: Any = None
    facts: Facts = field(init=False)
    budget: Budget = field(init=False, repr=False)

    @facts.default
    def _of_client(self) -> Facts:
        return Facts(**known_of(self.client))

    @budget.default
    def _shared(self) -> Budget:
        return budget_of(self.client)

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
        return course.taken()

    def iterate(
        self, flow: Flow[None], *, cancel: threading.Event | None = None, on_progress: OnProgress | None = None
    ) -> Iterator[Any]:
        """Perform a flow as far as its values are asked for; whoever stops asking leaves no call to be tried again."""
        course = Course(flow)
        with _Performer(self, cancel, on_progress) as performer:
            try:
                for step in course:
                    if isinstance(step, steps.Give):
                        yield step.value
                    else:
                        performer.perform(step, course)
            finally:
                course.close()


def opened(opening: Opening[T]) -> T:
    """Perform what comes before there is a client, and return what there is then."""
    answer: Any = None
    try:
        while True:
            step = opening.send(answer)
            if isinstance(step, Resolve):
                client = resolve_client(step.client)
                answer = client, capabilities(client)
            else:
                answer = step.function()
    except StopIteration as end:
        result: T = end.value
        return result


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

    def perform(self, step: steps.Step, course: Course[Any]) -> None:
        """Perform a step, and tell its flow what became of it."""
        try:
            course.answer(self._answer(step))
        except BaseException as error:  # noqa: BLE001 -- it is for the flow, Ctrl-C too: it tidies up
            course.fail(error)

    def _answer(self, step: steps.Step) -> object:  # noqa: C901, PLR0912 -- a case a step
        driver = self._driver
        answer: object = None
        match step:
            case steps.Call():
                answer = self._call(step) if step.within is None else self._limited(step, step.within)
            case steps.Now():
                answer = driver.clock.now()
            case steps.Shared(function):
                with SHARED.lock:
                    answer = function(driver.clock.now())
            case steps.List():
                answer = list_page(driver.client, step.bucket, step.prefix, step.after)
            case steps.Cancelled():
                answer = self._cancel is not None and self._cancel.is_set()
            case steps.Work(function):
                answer = function()
            case steps.Sleep(seconds):
                driver.clock.sleep(seconds, self._cancel)
            case steps.Tell(progress):
                tell(self._on_progress, progress)
            case steps.Turn(waits):
                with SHARED.lock:
                    answer = driver.budget.turn(driver.clock.now(), waits=waits)
            case steps.Begin(flow):
                answer = self._begin(flow)
            case steps.Take(handle):
                answer = handle.take()
            case steps.Await():
                answer = self._await(step)
            case steps.Open(channel):
                answer = mailbox_of(channel, driver.client)
            case steps.Listen(mailbox, flow):
                answer = self._listen(mailbox, flow)
            case steps.Stage():
                answer = self._stage(step)
            case steps.Discard(upload):
                if driver.staging is not None:
                    driver.staging.discard(upload)
            case steps.Remove(upload):
                remove_upload(upload, client=driver.client, s3_client=driver.s3_client)
            case steps.Give():  # pragma: no cover -- no flow of the library is run that gives
                msg = "this flow gives values: iterate()"
                raise AssertionError(msg)
        return answer

    def _call(self, call: steps.Call) -> object:
        if call.queue is None:
            return failures.once(self._driver.client, call.method, job_id=call.job_id, **call.parameters)
        with guarded(call.queue.sqs):
            return getattr(call.queue.sqs, call.method)(**call.parameters)

    def _listen(self, mailbox: Mailbox, flow: Callable[[], Flow[float]]) -> float | None:
        with SHARED.lock:
            is_mine = mailbox.listen()
        if not is_mine:
            (self._cancel or threading.Event()).wait(steps.GLANCE)
            return None
        try:
            return self._driver.run(flow(), cancel=self._cancel)
        finally:
            mailbox.leave()

    def _await(self, step: steps.Await) -> bool:
        """Wait for the end of a job."""
        client: Any = self._driver.client  # it says what it can do

        def glance() -> None:
            if (progress := step.told(progress_of(client, step.job_id))) is not None:
                tell(self._on_progress, progress)

        clock, stop = self._driver.clock, _clock.Ended(client.ended(step.job_id), self._cancel, meanwhile=glance)
        if not stop.is_over():
            begin = clock.now()
            if not stop.wait(step.real_seconds):
                clock.sleep(step.rest(clock.now() - begin), stop)
        return stop.is_over()

    def _stage(self, step: steps.Stage) -> S3Object:
        def on_bytes(done: int, total: int) -> None:
            tell(self._on_progress, step.told(done, total))

        if self._driver.staging is None:
            msg = "a flow with an upload needs a staging"
            raise AssertionError(msg)
        return self._driver.staging.stage(step.path, on_bytes=on_bytes, cancel=self._cancel)

    def _begin(self, flow: Callable[[], Flow[Any]]) -> _Begun:
        if self._stop is None:
            self._stop = _clock.Stop(self._cancel)
        stop = self._stop
        return _Begun(lambda: self._driver.run(flow(), cancel=stop))

    def _limited(self, call: steps.Call, seconds: float) -> object:
        """Make a call that is not waited for any longer when its time is over, or the caller cancels."""
        client = self._driver.client if call.queue is None else call.queue.sqs
        if self._cancel is None and (line := line_within(client, seconds)) is not None:
            return self._ended(call, line)
        return self._left(call, client, seconds)

    def _ended(self, call: steps.Call, line: Line) -> object:
        """Make a call in this thread: its line ends it in time."""
        try:
            with line:
                return self._call(call)
        except Exception:
            if line.is_closed:
                raise LateError from None
            raise

    def _left(self, call: steps.Call, client: object, seconds: float) -> object:
        """Make a call in another thread, which is a daemon, and holds up no exit."""
        line = line_of(client)

        def work() -> object:
            with line or nullcontext():
                return self._call(call)

        made = workers.submit(work)
        left = ""
        try:
            _clock.wait(made, min(seconds, threading.TIMEOUT_MAX), self._cancel)
        finally:
            if not made.done():
                left = leave(client, made, line)
        if not made.done():
            raise LateError(left)
        return made.result()


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
