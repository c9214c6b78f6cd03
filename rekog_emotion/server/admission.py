"""How much is taken in and done at once: so many bytes, so many workers, so many requests that wait for them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from rekog_emotion.server.protocol import Answer, RefusedError, refusal, service_error
from rekog_emotion.server.threads import Threads

__all__ = ["Body", "Intake", "Lane", "TooHeavyError", "unless_gone", "weigh"]

# An image of the service's 5 MiB takes 6.7 MiB in Base64.
_LARGEST_BODY: Final = 8 * 1024**2
_HELD: Final = 128 * 1024**2  # bytes of all bodies at once
_SMALL: Final = 64 * 1024  # bytes that each connection may hold without asking; a server's buffers are no smaller
_GRACE: Final = 5.0  # seconds, before a body has to come in at the least rate
_LEAST_RATE: Final = 32 * 1024  # bytes a second
_PATIENCE: Final = 1.0  # seconds that an unverified body keeps its room from others
_LIGHT: Final = 32 * 1024**2  # bytes that a picture takes, up to which it does not wait for memory: 4 megapixels
_LOOK_AFTER: Final = 0.02  # seconds
_MEMORY: Final = 900_000_000  # bytes that the others may take together; none that is decoded takes more
_TOO_LARGE: Final = ("RequestEntityTooLargeException", "Request Entity Too Large")
_TIMED_OUT: Final = (
    "RequestTimeout",
    "Your socket connection to the server was not read from or written to within the timeout period.",
)


def _throttled() -> RefusedError:
    """Return the service's answer to more than it can take, which SDKs try again later."""
    return service_error("ThrottlingException", "Slow down; sudden increase in rate of requests.")


class Body:
    """The body of a request, which counts as held until it is released.

    Attributes:
        content: What has come in of it.
        digest: The SHA-256 of that, in hexadecimal, once all is there.
        held: Bytes of the room that it takes.
        turned_out: Its room was given to another.
    """

    def __init__(self, room: _Room) -> None:
        self.content: bytes | bytearray = b""
        self.digest = ""
        self.held = 0
        self.turned_out = False
        self._room = room
        self._deadline: asyncio.Timeout | None = None

    def verified(self) -> None:
        """Keep the room until the end: whoever sends it has a key."""
        self._room.unverified.pop(self, None)

    def release(self) -> None:
        """Give the room back."""
        self.verified()
        held, self.held, self.content = self.held, 0, b""
        self._room.give(held)

    def turn_out(self) -> None:
        """Give the room to somebody else, and end the reading."""
        self.turned_out = True
        self.release()
        if self._deadline is not None:
            self._deadline.reschedule(asyncio.get_running_loop().time())

    def add(self, piece: bytes) -> None:
        """Add a piece."""
        if not self.content:
            self.content = piece
        elif isinstance(self.content, bytearray):
            self.content += piece
        else:
            self.content = bytearray(self.content + piece)

    async def enter(self, size: int, deadline: asyncio.Timeout) -> None:
        """Wait for room.

        Args:
            size: Bytes that all of it has at most.
            deadline: Ends the waiting, and later the reading where the room is wanted for somebody else.
        """
        self._deadline = deadline
        await self._room.take(size)
        self.held = size
        self._room.unverified[self] = asyncio.get_running_loop().time()


class _Room:
    """Bytes that the bodies of a key may take; of those that wait for some, the one that came last is the next.

    The ones before may be strangers' who wait for no answer. While somebody waits, an unverified body that has been
    coming in for a while has to go.

    Args:
        free: How many bytes.
        patience: Seconds of that while.

    Attributes:
        unverified: Bodies of which nobody knows yet whether the key was theirs, and since when; the oldest first.
    """

    def __init__(self, free: int, *, patience: float) -> None:
        self.unverified: dict[Body, float] = {}
        self._free = free
        self._patience = patience
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._looking: asyncio.TimerHandle | None = None

    async def take(self, size: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        self._admit()
        self._look_later()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove((size, turn))
            else:
                self.give(size)
            raise

    def give(self, size: int) -> None:
        self._free += size
        self._admit()

    def _admit(self) -> None:
        for entry in self._waiting[::-1]:
            size, turn = entry
            if size <= self._free and not turn.done():
                self._waiting.remove(entry)
                self._free -= size
                turn.set_result(None)

    def _look_later(self) -> None:
        """See to it that those that stall go in time, if anybody waits for that."""
        if self._looking is None and self._waiting and self.unverified:
            since = next(iter(self.unverified.values()))
            self._looking = asyncio.get_running_loop().call_at(since + self._patience, self._look)

    def _look(self) -> None:
        self._looking = None
        latest = asyncio.get_running_loop().time() - self._patience
        for body, since in list(self.unverified.items()):
            if not self._waiting or since > latest:
                break
            body.turn_out()
        self._look_later()


class Intake:
    """Takes in the bodies of requests, no more of them at once than there is room for.

    A body has to come in within a time, and after some seconds at a least rate. Small ones need no room; large ones
    wait for it, and one whose signature is not yet known to be right may lose it to another.

    Args:
        timeout: Seconds that a body may wait for room, and may take to come in.
        keys: The keys whose bodies have room of their own, the same for each; ``None`` stands for nobody's.
        largest: Bytes of one body.
        held: Bytes of all bodies that are in hand.
        small: Bytes of a body that needs no room; the buffers of a connection are no smaller.
        grace: Seconds until the least rate has to be kept.
        patience: Seconds after which a large body may lose its room.
    """

    def __init__(
        self,
        *,
        timeout: float,
        keys: Iterable[str | None] = (None,),
        largest: int = _LARGEST_BODY,
        held: int = _HELD,
        small: int = _SMALL,
        grace: float = _GRACE,
        patience: float = _PATIENCE,
    ) -> None:
        self._timeout = timeout
        self._largest = largest
        self._small = small
        self._grace = grace
        names = tuple(keys)
        self._rooms = {key: _Room(max(held // len(names), largest), patience=patience) for key in names}

    async def take(self, receive: Receive, *, key: str | None = None, length: str | None = None) -> Body:
        """Return the body of a request, which is to be released.

        Args:
            receive: Gives it in pieces.
            key: Whose it is said to be.
            length: What the request says of its length, if it does.

        Raises:
            RefusedError: It is too large or too slow, or there was no room for it in time.
            ClientDisconnect: It has not come to its end.
        """
        size = int(length) if length is not None and length.isascii() and length.isdigit() else self._largest
        if size > self._largest:
            raise refusal(*_TOO_LARGE, status=413)
        body = Body(self._rooms[key])
        try:
            await self._read(body, receive, size)
        except TimeoutError:
            roomless = body.turned_out or (len(body.content) > self._small and not body.held)
            body.release()
            raise _throttled() if roomless else refusal(*_TIMED_OUT, status=408) from None
        except BaseException:
            body.release()
            raise
        return body

    async def _read(self, body: Body, receive: Receive, size: int) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        digest = hashlib.sha256()
        read = 0
        async with asyncio.timeout(min(self._timeout, self._grace)) as deadline:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise ClientDisconnect
                piece: bytes = message.get("body", b"")
                read += len(piece)
                if read > self._largest:
                    raise refusal(*_TOO_LARGE, status=413)
                body.add(piece)
                if read > self._small and not body.held:
                    if body.turned_out:
                        raise TimeoutError
                    deadline.reschedule(loop.time() + self._timeout)
                    await body.enter(max(size, read), deadline)
                    began = loop.time()
                digest.update(piece)
                if not message.get("more_body", False):
                    break
                deadline.reschedule(began + min(self._timeout, self._grace + read / _LEAST_RATE))
        body.digest = digest.hexdigest()


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
    too heavy (see :func:`weigh`) is begun again when there is memory for it, the lightest first; the others do not wait
    for it.

    Args:
        name: What the threads are called.
        workers: Requests at work at most, and as many heavy ones.
        waiting: Requests that wait at most.
    """

    def __init__(self, name: str, *, workers: int, waiting: int) -> None:
        self._room = workers + waiting
        self._light = _Places(name, workers, spare=workers)
        self._heavy = _Places(f"{name}-heavy", workers, spare=0)
        self._memory = _Memory(_MEMORY)

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Return what ``work`` returns, which runs in a thread when it is its turn.

        Raises:
            RefusedError: Too many wait already.
        """
        if not self._room:
            raise _throttled()
        self._room -= 1
        try:
            try:
                return await self._light.run(work, allowed=_LIGHT)
            except TooHeavyError as heavy:
                return await self._run_heavy(work, heavy.weight)
        finally:
            self._room += 1

    async def _run_heavy(self, work: Callable[[], Answer], weight: int) -> Answer:
        while True:
            await self._memory.take(weight)
            try:
                return await self._heavy.run(work, allowed=weight, ended=partial(self._memory.give, weight))
            except TooHeavyError as heavier:  # its object has been replaced in the mean time
                weight = heavier.weight

    def close(self) -> None:
        """Wait for the threads to end; nobody may come in any more."""
        self._light.close()
        self._heavy.close()


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


class _Places:
    """So many requests at work at once, each in a thread.

    Args:
        name: What the threads are called.
        workers: Requests at work at most.
        spare: Threads beyond, in place of those whose work nobody waits for any more.
    """

    def __init__(self, name: str, workers: int, *, spare: int) -> None:
        self._turn = asyncio.Semaphore(workers)
        self._spare = spare
        self._threads: Threads[Answer] = Threads(workers + spare, name=name)

    async def run(
        self, work: Callable[[], Answer], *, allowed: float, ended: Callable[[], None] = lambda: None
    ) -> Answer:
        """Return what ``work`` returns.

        Args:
            work: Runs in a thread, when there is a place.
            allowed: Bytes that what it decodes may take.
            ended: Called when it is over, or will never be begun.
        """
        try:
            await self._turn.acquire()
        except asyncio.CancelledError:
            ended()
            raise
        done = self._threads.run(partial(_allowing, allowed, work))
        done.add_done_callback(lambda _: ended())
        try:
            answer = await asyncio.shield(done)
        except asyncio.CancelledError:
            self._give_up(done)
            raise
        except BaseException:
            self._turn.release()
            raise
        self._turn.release()
        return answer

    def _give_up(self, done: asyncio.Future[Answer]) -> None:
        if self._spare:
            self._spare -= 1
            self._turn.release()
            done.add_done_callback(self._take_back)
        else:
            done.add_done_callback(lambda _: self._turn.release())
        done.add_done_callback(_forget)

    def _take_back(self, _: asyncio.Future[Answer]) -> None:
        self._spare += 1

    def close(self) -> None:
        self._threads.close()


def _allowing(allowed: float, work: Callable[[], Answer]) -> Answer:
    before = _ALLOWED.set(allowed)
    try:
        return work()
    finally:
        _ALLOWED.reset(before)


def _forget(done: asyncio.Future[Answer]) -> None:
    """Look at how it ended: asyncio would log an error that nobody has seen."""
    if not done.cancelled():
        done.exception()


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
