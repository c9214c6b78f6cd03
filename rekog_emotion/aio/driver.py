"""Performs flows in asyncio tasks; cancelling the task is the cancel.

A cancel that arrives while a flow sleeps is told to it as any other: it ends by its own decision, and says what it
knows. One that arrives in the midst of a call is thrown in, since nobody knows what became of the call. Either way the
flow tidies up, which no second cancel interrupts, and the task ends as cancelled; what the flow said is the cause.
Nothing here holds up the loop: what uses the processor or reads a file, and calls of blocking clients, run in threads.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from concurrent.futures import Executor, Future
from contextvars import copy_context
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import define, field, frozen

from rekog_emotion.aio.calling import made
from rekog_emotion.aio.clock import TaskClock, time_of
from rekog_emotion.aio.gathering import wholly
from rekog_emotion.aio.sharing import mailbox_of
from rekog_emotion.clients.aio import resolve
from rekog_emotion.clients.listing import list_page
from rekog_emotion.clients.names import known_of
from rekog_emotion.clients.protocols import capabilities, is_async, progress_of
from rekog_emotion.clients.sharing import SHARED
from rekog_emotion.clients.staging import remove_upload
from rekog_emotion.flows import steps
from rekog_emotion.flows.budget import Budget, budget_of
from rekog_emotion.flows.steps import Course, Facts, Flow, LateError, Opening, Resolve
from rekog_emotion.values.progress import OnProgress, Progress, tell

if TYPE_CHECKING:
    from rekog_emotion.flows.messages import Mailbox
    from rekog_emotion.values.s3 import S3Object

__all__ = ["Driver", "opened"]

T = TypeVar("T")


@frozen(kw_only=True)
class Driver:
    """Performs flows, any number at a time.

    Attributes:
        client: Of boto3's shape; its methods may be coroutine functions, as aiobotocore's are.
        clock: Where time comes from.
        staging: Where local files go, if any do; its methods may be coroutine functions, too.
        s3_client: The caller's client for what lies in S3.
        pool: Threads for what would hold up the loop; left out, the loop's own.
        facts: What flows are told of the client.
        budget: What all calls of the client share.
    """

    client: Any
    clock: TaskClock = field(factory=time_of)
    staging: Any = None
    s3_client: Any = None
    pool: Executor | None = None
    facts: Facts = field(init=False)
    budget: Budget = field(init=False, repr=False)

    @facts.default
    def _of_client(self) -> Facts:
        return Facts(**known_of(self.client))

    @budget.default
    def _shared(self) -> Budget:
        return budget_of(self.client)

    async def run(self, flow: Flow[T], *, on_progress: OnProgress | None = None) -> T:
        """Perform a flow and return its result.

        Args:
            flow: It gives no values.
            on_progress: Told what happens, in the loop.

        Raises:
            CancelledError: The task was cancelled; the flow has tidied up, and its own error is the cause.
        """
        course, performer = Course(flow), _Performer(self, on_progress)
        try:
            for step in course:
                await performer.perform(step, course)
        except GeneratorExit:
            performer.dismiss()
            raise
        except BaseException as error:
            await performer.end(error)
            raise
        await performer.end()
        return course.taken()

    async def iterate(self, flow: Flow[None], *, on_progress: OnProgress | None = None) -> AsyncGenerator[Any, None]:
        """Perform a flow as far as its values are asked for; whoever stops asking leaves no call under way."""
        course, performer = Course(flow), _Performer(self, on_progress)
        try:
            for step in course:
                if isinstance(step, steps.Give):
                    yield step.value
                else:
                    await performer.perform(step, course)
        except BaseException as error:
            course.close()
            await performer.end(error)
            raise
        await performer.end()

    async def aside(self, function: Callable[[], T]) -> T:
        """Run a function in a thread, where it holds up nobody, in a copy of the task's context."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, copy_context().run, function)

    async def invoke(self, owner: object, method: str, *values: Any, **named: Any) -> Any:  # noqa: ANN401 -- any method's
        """Call a method of an object of either world."""
        function = partial(getattr(owner, method), *values, **named)
        return await function() if is_async(owner, method) else await self.aside(function)

    async def call(self, step: steps.Call) -> Any:  # noqa: ANN401 -- the service's own answer
        """Make a call, by a client of either world."""
        return await made(step, self.client, self.aside)


async def opened(opening: Opening[T]) -> T:
    """Perform what comes before there is a client, and return what there is then."""
    answer: Any = None
    try:
        while True:
            step = opening.send(answer)
            if isinstance(step, Resolve):
                client: Any = await resolve(step.client)
                answer = client, capabilities(client)
            else:
                answer = await asyncio.to_thread(step.function)
    except StopIteration as end:
        result: T = end.value
        return result


@frozen
class _End(Generic[T]):
    """How a flow that was begun has ended."""

    result: T | None = None
    error: BaseException | None = None


@define
class _Performer:
    """Performs the steps of one flow."""

    _driver: Driver
    _on_progress: OnProgress | None
    _cancel: asyncio.CancelledError | None = None
    _begun: list[asyncio.Task[_End[Any]]] = field(factory=list)

    def dismiss(self) -> None:
        """Cancel what was begun."""
        for task in self._begun:
            task.cancel()

    async def end(self, error: BaseException | None = None) -> None:
        """End what was begun, and the task as cancelled where it was; what the flow said is the cause."""
        self.dismiss()
        for task in self._begun:
            await self._patiently(wholly([task]))
        if self._cancel is None or isinstance(error, asyncio.CancelledError | GeneratorExit):
            return
        if error is not None:
            for note in (str(error), *getattr(error, "__notes__", ())):
                self._cancel.add_note(note)
        raise self._cancel from error

    async def perform(self, step: steps.Step, course: Course[Any]) -> None:
        """Perform a step, and tell its flow what became of it."""
        try:
            answer = self._answer(step)
            # Most steps need no coroutine, whose making would be the most of their cost.
            course.answer(await answer if isinstance(answer, CoroutineType) else answer)
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 -- it is for the flow, a cancel too: it tidies up
            if isinstance(error, asyncio.CancelledError):
                self._cancel = error
            course.fail(error)

    def _answer(self, step: steps.Step) -> object:  # noqa: C901, PLR0912 -- a case a step
        """Return the answer to a step, or a coroutine of it where it takes its time."""
        driver = self._driver
        answer: object = None
        match step:
            case steps.Call():
                answer = driver.call(step) if step.within is None else self._limited(step, step.within)
            case steps.Now():
                answer = driver.clock.now()
            case steps.Shared(function):
                with SHARED.lock:
                    answer = function(driver.clock.now())
            case steps.List():
                answer = driver.aside(partial(list_page, driver.client, step.bucket, step.prefix, step.after))
            case steps.Cancelled():
                task = asyncio.current_task()
                answer = self._arrived() if task is not None and task.cancelling() else self._cancel is not None
            case steps.Work():
                answer = self._work(step)
            case steps.Sleep(seconds):
                answer = self._patiently(driver.clock.sleep(seconds))
            case steps.Tell(progress):
                tell(self._on_progress, progress)
            case steps.Turn(waits):
                with SHARED.lock:
                    answer = driver.budget.turn(driver.clock.now(), waits=waits)
            case steps.Begin(flow):
                answer = self._begin(flow)
            case steps.Take(handle):
                answer = self._take(handle)
            case steps.Await():
                answer = self._await(step)
            case steps.Open(channel):
                answer = mailbox_of(channel, driver.client, driver.aside)
            case steps.Listen(mailbox, flow):
                answer = self._listen(mailbox, flow)
            case steps.Stage():
                answer = self._stage(step)
            case steps.Discard(upload):
                if driver.staging is not None:
                    answer = self._done(driver.invoke(driver.staging, "discard", upload))
            case steps.Remove(upload):
                remove = partial(remove_upload, upload, client=driver.client, s3_client=driver.s3_client)
                answer = self._done(driver.aside(remove))
            case steps.Give():  # pragma: no cover -- no flow of the library is run that gives
                raise AssertionError
        return answer

    def _work(self, step: steps.Work) -> object:
        if step.short:
            return step.function()
        work = self._driver.aside(step.function)
        return self._done(work) if step.whole else work

    async def _arrived(self) -> bool:
        """Let a cancel that was asked for arrive, and tell whether it did."""
        await self._patiently(asyncio.sleep(0))
        return self._cancel is not None

    async def _patiently(self, wait: Awaitable[object]) -> None:
        """Wait; a cancel ends the wait, and the flow is told of it when it asks."""
        try:
            await wait
        except asyncio.CancelledError as error:
            self._cancel = error

    async def _done(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something to its end, whatever cancels meanwhile; the flow is told of a cancel when it asks."""
        task = asyncio.create_task(work)
        await self._patiently(wholly([task]))
        return task.result()

    async def _listen(self, mailbox: Mailbox, flow: Callable[[], Flow[float]]) -> float | None:
        with SHARED.lock:
            is_mine = mailbox.listen()
        if not is_mine:
            await self._patiently(asyncio.sleep(steps.GLANCE))
            return None
        try:
            handle = self._begin(flow)
            await self._patiently(asyncio.wait([handle]))
            if self._cancel is not None:
                self._begun.remove(handle)
                handle.cancel()
                await self._patiently(wholly([handle]))
                return None
            result: float | None = await self._take(handle)
            return result
        finally:
            mailbox.leave()

    async def _await(self, step: steps.Await) -> bool:
        """Wait for the end of a job."""
        clock, loop, heard = self._driver.clock, asyncio.get_running_loop(), asyncio.Event()
        end: Future[None] = await self._driver.invoke(self._driver.client, "ended", step.job_id)
        if end.done():
            return True

        def hear(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(heard.set)

        end.add_done_callback(hear)
        begin, until, hearing = clock.now(), loop.time() + step.real_seconds, asyncio.create_task(heard.wait())
        waits: list[asyncio.Future[Any]] = [hearing]
        try:
            while (left := until - loop.time()) > 0 and not hearing.done() and self._cancel is None:
                await self._patiently(asyncio.wait(waits, timeout=min(left, steps.GLANCE)))
                self._tell_how_far(step)
            waits.append(asyncio.ensure_future(clock.sleep(step.rest(clock.now() - begin))))
            either = partial(asyncio.wait, waits, timeout=steps.GLANCE, return_when=asyncio.FIRST_COMPLETED)
            while self._cancel is None and not any(wait.done() for wait in waits):
                await self._patiently(either())
                self._tell_how_far(step)
        finally:  # whatever the listener raises
            for wait in waits:
                wait.cancel()
        return end.done()

    def _tell_how_far(self, step: steps.Await) -> None:
        if (progress := step.told(progress_of(self._driver.client, step.job_id))) is not None:
            tell(self._on_progress, progress)

    async def _stage(self, step: steps.Stage) -> S3Object:
        """Upload a file; a cancel ends it, and what there is of it is taken away by who uploads."""
        cancel, loop = threading.Event(), asyncio.get_running_loop()

        async def report(progress: Progress) -> None:
            tell(self._on_progress, progress)

        def on_bytes(done: int, total: int) -> None:
            progress = step.told(done, total)
            if threading.get_ident() == here:
                tell(self._on_progress, progress)
            else:  # what the listener raises ends the upload
                asyncio.run_coroutine_threadsafe(report(progress), loop).result()

        staging, here = self._driver.staging, threading.get_ident()
        task = asyncio.create_task(self._driver.invoke(staging, "stage", step.path, on_bytes=on_bytes, cancel=cancel))
        await self._patiently(asyncio.wait([task]))
        if self._cancel is not None:
            cancel.set()
            if is_async(staging, "stage"):
                task.cancel()
            await self._patiently(wholly([task]))
        staged: S3Object = task.result()
        return staged

    def _begin(self, flow: Callable[[], Flow[Any]]) -> asyncio.Task[_End[Any]]:
        async def apart() -> _End[Any]:
            course, performer = Course(flow()), _Performer(self._driver, None)
            try:
                for step in course:
                    await performer.perform(step, course)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 -- it is raised where the result is wanted
                return _End(error=error)
            finally:
                performer.dismiss()
            return _End(course.result)

        task = asyncio.create_task(apart())
        self._begun.append(task)
        return task

    async def _take(self, task: asyncio.Task[_End[Any]]) -> Any:  # noqa: ANN401 -- each flow has its own
        await self._patiently(asyncio.wait([task]))
        if self._cancel is not None:
            task.cancel()
        await self._patiently(wholly([task]))
        self._begun.remove(task)
        end = task.result()
        if end.error is not None:
            raise end.error
        return end.result

    async def _limited(self, step: steps.Call, seconds: float) -> object:
        """Make a call that is not waited for any longer when its time is over."""
        try:
            async with asyncio.timeout(None if math.isinf(seconds) else seconds) as limit:
                return await self._driver.call(step)
        except TimeoutError as error:
            if not limit.expired():
                raise
            left = "; ".join(getattr(error.__context__, "__notes__", ()))  # of the cancel that the time-out was
        raise LateError(left)
