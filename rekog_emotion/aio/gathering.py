"""Many at once, in tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterable
from typing import Any, Final, TypeVar

from rekog_emotion.flows.videos import READY, End, Left, log_what_is_left, workers_at

__all__ = ["gathered", "wholly"]

T = TypeVar("T")
R = TypeVar("R")
_NONE: Final[Any] = object()


async def gathered(
    work: Callable[[T], Awaitable[R]], items: Iterable[T] | AsyncIterator[T], *, workers: int, grace: float = 0.0
) -> AsyncGenerator[End[T, R], None]:
    """Work on items in a few tasks, and give the ends as they come; whoever leaves early leaves no task.

    An error of the items themselves is raised when the ends of all that were taken before it have been given.

    Args:
        work: Called with an item.
        items: Taken one by one, as workers get free; in a thread, where taking one may take time.
        workers: Tasks.
        grace: Seconds for the work under way where the caller leaves early, other than by a cancel.
    """
    workers = workers_at(items, workers)
    ends: asyncio.Queue[End[T, R] | Left] = asyncio.Queue()
    room = asyncio.Semaphore((1 + READY) * workers)  # for what is at work, and for ends
    source = _source(items)
    taking = _Taking(source, room)

    async def run() -> None:
        left, item = Left(), None
        try:
            while (item := await taking.take()) is not _NONE:
                ends.put_nowait(await _end_of(work, item))
                item = None
        except BaseException as error:  # noqa: BLE001 -- it is raised in the task that asked
            left = Left(error, item)
        finally:
            ends.put_nowait(left)

    tasks = [asyncio.create_task(run()) for _ in range(workers)]
    failure: BaseException | None = None
    try:
        at_work = len(tasks)
        while at_work:
            end = await ends.get()
            if isinstance(end, End):
                room.release()
                yield end
                continue
            room.release()  # the place of the item that there was not
            at_work -= 1
            failure = failure or end.error
            if failure is not None and not (at_work and isinstance(failure, Exception)):
                raise failure
    except GeneratorExit:
        taking.leave()
        await _last(tasks, room, grace)
        raise
    finally:
        for task in tasks:
            task.cancel()
        await wholly(tasks)
        await source.aclose()
        _log(ends)


class _Taking:
    """Takes items, one worker at a time, until nobody wants any more."""

    def __init__(self, source: AsyncIterator[Any], room: asyncio.Semaphore) -> None:
        self._source, self._room = source, room
        self._lock = asyncio.Lock()
        self._taker: asyncio.Task[Any] | None = None
        self._is_over = False

    async def take(self) -> Any:  # noqa: ANN401 -- an item, or that there is none
        await self._room.acquire()
        async with self._lock:
            if self._is_over:
                return _NONE
            self._taker = asyncio.current_task()
            try:
                return await anext(self._source, _NONE)
            finally:
                self._taker = None

    def leave(self) -> None:
        """Take no more; who waits for an item waits no longer."""
        self._is_over = True
        if self._taker is not None:
            self._taker.cancel()


async def _last(tasks: list[asyncio.Task[None]], room: asyncio.Semaphore, grace: float) -> None:
    """Let the work under way come to its end, if that takes no longer; nobody takes another item."""
    for _ in tasks:
        room.release()
    if grace and tasks:
        await asyncio.wait(tasks, timeout=grace)


async def _source(items: Iterable[T] | AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Yield items, wherever they come from, and hold up nobody."""
    if isinstance(items, AsyncIterator):
        async for item in items:
            yield item
    elif isinstance(items, (list, tuple)):
        for item in items:
            yield item
    else:
        source = iter(items)
        while (one := await asyncio.to_thread(next, source, _NONE)) is not _NONE:
            yield one


async def _end_of(work: Callable[[T], Awaitable[R]], item: T) -> End[T, R]:
    try:
        return End(item, result=await work(item))
    except Exception as error:  # noqa: BLE001 -- one that fails stops no other
        return End(item, error=error)


def _log(ends: asyncio.Queue[End[T, R] | Left]) -> None:
    """Say what nobody takes."""
    while not ends.empty():
        end = ends.get_nowait()
        error = end.error
        if isinstance(error, asyncio.CancelledError):
            error = error.__cause__ or error
        log_what_is_left(end.result if isinstance(end, End) else None, error, end.item)


async def wholly(work: Collection[asyncio.Future[Any]]) -> None:
    """Wait until things are done, whatever cancels meanwhile, which is raised then."""
    cancel: asyncio.CancelledError | None = None
    while not all(one.done() for one in work):
        try:
            await asyncio.wait(work)
        except asyncio.CancelledError as error:
            cancel = error
    if cancel is not None:
        raise cancel
