"""How much is done at once: so many workers, so much memory, so many requests that wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from rekog_emotion.server.protocol import Answer, throttled
from rekog_emotion.server.threads import Threads

__all__ = ["Lane", "TooHeavyError", "unless_gone", "weigh"]

_LIGHT: Final = 32 * 1024**2  # bytes that a picture takes, up to which it does not wait for memory: 4 megapixels
_LOOK_AFTER: Final = 0.02  # seconds
_MEMORY: Final = 900_000_000  # bytes that the others may take together; none that is decoded takes more


class TooHeavyError(Exception):
    """The picture takes more memory than this request may; it has to wait for its turn among such pictures."""

    def __init__(self, weight: int) -> None:
        super().__init__(weight)
        self.weight = weight


# Bytes that what the request of this thread decodes may take.
_ALLOWED: Final[ContextVar[float]] = ContextVar("_ALLOWED", default=float("inf"))


def weigh(weight: int) -> None:
    """See whether the request of this thread may decode a picture now.

    Args:
        weight: Bytes that it takes, by its header.

    Raises:
        TooHeavyError: It has to wait for its turn.
    """
    if weight > _ALLOWED.get():
        raise TooHeavyError(weight)


class Lane:
    """Threads that work off requests of one kind, with a bounded waiting room before them.

    A request that is given up while it waits is never begun. One that is given up at work frees its place at once, for
    as many as there are workers; since nothing ends a thread, those beyond keep theirs until the work is done. What is
    too heavy (see :func:`weigh`) leaves it for a room of such ones, and is begun again when there is memory for it, the
    lightest first; the others do not wait for it, however many there are.

    Args:
        name: What the threads are called.
        workers: Requests at work at most, and as many heavy ones.
        waiting: Requests that wait at most, and as many heavy ones.
    """

    def __init__(self, name: str, *, workers: int, waiting: int) -> None:
        self._light_places = _Places(workers + waiting)
        self._heavy_places = _Places(workers + waiting)
        self._light: Threads[Answer] = Threads(workers, name=name, spare=workers)
        self._heavy: Threads[Answer] = Threads(workers, name=f"{name}-heavy")
        self._memory = _Memory(_MEMORY)

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Return what ``work`` returns, which runs in a thread when it is its turn.

        Raises:
            RefusedError: Too many wait already.
        """
        try:
            with self._light_places:
                return await self._light.run(partial(_allowing, _LIGHT, work))
        except TooHeavyError as heavy:
            weight = heavy.weight
            heavy.__traceback__ = None  # its frames have the picture, and are a circle
        with self._heavy_places:
            return await self._run_heavy(work, weight)

    async def _run_heavy(self, work: Callable[[], Answer], weight: int) -> Answer:
        while True:
            await self._memory.take(weight)
            try:
                return await self._heavy.run(partial(_allowing, weight, work), partial(self._memory.give, weight))
            except TooHeavyError as heavier:  # its object has been replaced in the mean time
                weight = heavier.weight

    def close(self) -> None:
        """Wait for the threads to end; nobody may come in any more."""
        self._light.close()
        self._heavy.close()


class _Places:
    """A number of places, each for the length of a ``with`` block."""

    def __init__(self, free: int) -> None:
        self._free = free

    def __enter__(self) -> None:
        if not self._free:
            raise throttled()
        self._free -= 1

    def __exit__(self, *_: object) -> None:
        self._free += 1


class _Memory:
    """Bytes that heavy pictures may take together; of those that wait for some, the lightest is the next."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = size
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    async def take(self, weight: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (min(weight, self._size), next(self._order), turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give(weight)
            self._admit()
            raise

    def give(self, weight: int) -> None:
        self._free += min(weight, self._size)
        self._admit()

    def _admit(self) -> None:
        while self._waiting and (self._waiting[0][2].done() or self._waiting[0][0] <= self._free):
            weight, _, turn = heappop(self._waiting)
            if not turn.done():
                self._free -= weight
                turn.set_result(None)


def _allowing(allowed: float, work: Callable[[], Answer]) -> Answer:
    before = _ALLOWED.set(allowed)
    try:
        return work()
    finally:
        _ALLOWED.reset(before)


async def unless_gone(receive: Receive, work: Awaitable[Answer]) -> Answer:
    """Return what ``work`` gives, unless the client goes away before that.

    Args:
        receive: Tells of the client, whose request has come in completely.
        work: Cancelled if the client goes.

    Raises:
        ClientDisconnect: Nobody is there for the answer.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 -- for type checkers: this is a coroutine
    watch: asyncio.Task[None] | None = None
    left = over = False

    def leave(_: asyncio.Task[None]) -> None:
        nonlocal left
        if not over:
            left = True
            task.cancel()

    def look() -> None:
        nonlocal watch
        watch = loop.create_task(_gone(receive))
        watch.add_done_callback(leave)

    # Most answers are there before anybody could go; a task for each would cost a tenth of their time.
    looking = loop.call_later(_LOOK_AFTER, look)
    try:
        return await work
    except asyncio.CancelledError:
        if not left:
            raise
        task.uncancel()
        raise ClientDisconnect from None
    finally:
        over = True
        looking.cancel()
        if watch is not None:
            watch.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
