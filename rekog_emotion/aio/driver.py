"""Performs flows in asyncio tasks; cancelling the task is the cancel.

A cancel that arrives while a flow sleeps is told to it as any other: it ends by its own decision, and says what it
knows. One that arrives in the midst of a call is thrown in, since nobody knows what became of the call. Either way the
flow tidies up, which no second cancel interrupts, and the task ends as cancelled; what the flow said is the cause.

Nothing here holds up the loop: what uses the processor or reads a file, and calls of blocking clients, run in threads.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from attrs import define, field, frozen

from rekog_emotion.clients import failures
from rekog_emotion.clients.listing import list_page
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
    List,
    Now,
    Shared,
    Sleep,
    Step,
    Take,
    Tell,
    Work,
)
from rekog_emotion.values.progress import OnProgress, tell

__all__ = ["Clock", "Driver", "is_async"]

T = TypeVar("T")


class Clock(Protocol):
    """What time is it, and wait: injected, so that tests need no time."""

    def now(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...


class _LoopClock:
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def is_async(client: object, method: str) -> bool:
    """Tell whether a method of a client gives an awaitable, as those of aiobotocore's clients do."""
    calls = (getattr(client, method, None), getattr(client, "_make_api_call", None))
    return any(inspect.iscoroutinefunction(call) for call in calls)


@frozen(kw_only=True)
class Driver:
    """Performs flows, any number at a time.

    Attributes:
        client: Of boto3's shape; its methods may be coroutine functions, as aiobotocore's are.
        clock: Where time comes from.
        pool: Threads for what would hold up the loop; left out, the loop's own.
        facts: What flows are told of the client.
    """

    client: Any
    clock: Clock = field(factory=_LoopClock)
    pool: Executor | None = None
    facts: Facts = field(init=False)

    @facts.default
    def _of_client(self) -> Facts:
        retries = leaves_retrying_to_us(self.client)
        return Facts(retries=retries, can=capabilities(self.client), engine=engine_name(self.client))

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
        return course.result

    async def iterate(self, flow: Flow[None], *, on_progress: OnProgress | None = None) -> AsyncGenerator[Any, None]:
        """Perform a flow as far as its values are asked for; whoever stops asking leaves no call under way."""
        course, performer = Course(flow), _Performer(self, on_progress)
        try:
            for step in course:
                if isinstance(step, Give):
                    yield step.value
                else:
                    await performer.perform(step, course)
        except BaseException as error:
            course.close()
            await performer.end(error)
            raise
        await performer.end()

    async def aside(self, function: Callable[[], T]) -> T:
        """Run a function in a thread, where it holds up nobody."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, function)

    async def call(self, step: Call) -> Any:  # noqa: ANN401 -- the service's own answer
        """Make a call, by a client of either world."""
        if not is_async(self.client, step.method):
            once = partial(failures.once, self.client, step.method, job_id=step.job_id, **step.parameters)
            return await self.aside(once)
        with failures.mapped(self.client, step.method, step.parameters, job_id=step.job_id):
            return await getattr(self.client, step.method)(**step.parameters)


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
            await self._wholly(task)
        if self._cancel is None or isinstance(error, asyncio.CancelledError | GeneratorExit):
            return
        if error is not None:
            for note in (str(error), *getattr(error, "__notes__", ())):
                self._cancel.add_note(note)
        raise self._cancel from error

    async def perform(self, step: Step, course: Course[Any]) -> None:
        """Perform a step, and tell its flow what became of it."""
        try:
            course.answer(await self._answer(step))
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 -- it is for the flow, a cancel too: it tidies up
            if isinstance(error, asyncio.CancelledError):
                self._cancel = error
            course.fail(error)

    async def _answer(self, step: Step) -> object:  # noqa: C901 -- a case a step
        driver = self._driver
        answer: object = None
        match step:
            case Call(within=None):
                answer = await driver.call(step)
            case Call(within=float(seconds)):
                answer = await self._limited(step, seconds)
            case Now():
                answer = driver.clock.now()
            case Shared(function):
                answer = function(driver.clock.now())
            case List():
                answer = await driver.aside(partial(list_page, driver.client, step.bucket, step.prefix, step.after))
            case Sleep(seconds):
                await self._patiently(driver.clock.sleep(seconds))
            case Cancelled():
                await self._patiently(asyncio.sleep(0))  # a cancel that was asked for arrives here
                answer = self._cancel is not None
            case Work(function):
                answer = await driver.aside(function)
            case Begin(flow):
                answer = self._begin(flow)
            case Take(handle):
                answer = await self._take(handle)
            case Tell(progress):
                tell(self._on_progress, progress)
            case _:
                raise NotImplementedError(step)
        return answer

    async def _patiently(self, wait: Awaitable[object]) -> None:
        """Wait; a cancel ends the wait, and the flow is told of it when it asks."""
        try:
            await wait
        except asyncio.CancelledError as error:
            self._cancel = error

    async def _wholly(self, work: asyncio.Future[Any]) -> None:
        """Wait until something is done, whatever cancels meanwhile."""
        while not work.done():
            await self._patiently(asyncio.wait([work]))

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

    async def _take(self, task: asyncio.Task[_End[Any]]) -> object:
        await self._patiently(asyncio.wait([task]))
        if self._cancel is not None:
            task.cancel()
        await self._wholly(task)
        self._begun.remove(task)
        end = task.result()
        if end.error is not None:
            raise end.error
        return end.result

    async def _limited(self, step: Call, seconds: float) -> object:
        """Make a call that is not waited for any longer when its time is over."""
        task = asyncio.create_task(self._driver.call(step))
        try:
            await asyncio.wait([task], timeout=seconds)
        finally:
            if not task.done():
                task.cancel()
                await self._wholly(task)
        if task.cancelled():
            raise LateError
        return task.result()
