"""How much is taken in and done at once: so many bytes, so many workers, so many requests that wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from rekog_emotion.server.protocol import Answer, RefusedError, refusal, service_error

__all__ = ["Intake", "Lane", "unless_gone"]

# An image of the service's 5 MiB takes 6.7 MiB in Base64.
_LARGEST_BODY: Final = 8 * 1024**2
_HELD: Final = 256 * 1024**2  # bytes of all bodies at once
_TOO_LARGE: Final = ("RequestEntityTooLargeException", "Request Entity Too Large")
_TIMED_OUT: Final = (
    "RequestTimeout",
    "Your socket connection to the server was not read from or written to within the timeout period.",
)


def _throttled() -> RefusedError:
    """Return the service's answer to more than it can take, which SDKs try again later."""
    return service_error("ThrottlingException", "Slow down; sudden increase in rate of requests.")


class Intake:
    """Takes in the bodies of requests, no more of them at once than there is room for.

    Args:
        timeout: Seconds that a body may take.
        largest: Bytes of one body.
        held: Bytes of all bodies that are in hand.
    """

    def __init__(self, *, timeout: float, largest: int = _LARGEST_BODY, held: int = _HELD) -> None:
        self._timeout = timeout
        self._largest = largest
        self._room = held

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """Give the body of a request, which counts as held until the end of the block.

        Raises:
            RefusedError: It is too large or too slow, or there is no room for it.
        """
        body = bytearray()
        try:
            try:
                async with asyncio.timeout(self._timeout):
                    excess = await self._read(request, body)
            except TimeoutError:
                raise refusal(*_TIMED_OUT, status=408, last=True) from None
            if excess is not None:
                raise excess
            yield bytes(body)
        finally:
            self._room += len(body)

    async def _read(self, request: Request, body: bytearray) -> RefusedError | None:
        """Read to the end, since a client that is still sending would not see the answer; keep what may be kept."""
        excess = None
        read = 0
        async for chunk in request.stream():
            read += len(chunk)
            if read > self._largest:
                excess = refusal(*_TOO_LARGE, status=413, last=True)
            elif len(chunk) > self._room:
                excess = excess or _throttled()
            elif excess is None:
                body += chunk
                self._room -= len(chunk)
            if read > 8 * self._largest:
                break
        return excess


class Lane:
    """Threads that work off requests of one kind, with a bounded waiting room before them.

    A request that is given up while it waits is never begun. One that is given up at work keeps its thread until the
    work is done, for nothing ends a thread, and nobody else is let in for it.

    Args:
        name: What the threads are called.
        workers: Requests at work at most.
        waiting: Requests that wait at most.
    """

    def __init__(self, name: str, *, workers: int, waiting: int) -> None:
        self._room = workers + waiting
        self._turn = asyncio.Semaphore(workers)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix=name)

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Return what ``work`` returns, which runs in a thread when it is its turn.

        Raises:
            RefusedError: Too many wait already.
        """
        if not self._room:
            raise _throttled()
        self._room -= 1
        try:
            await self._turn.acquire()
        except asyncio.CancelledError:
            self._room += 1
            raise
        done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        done.add_done_callback(self._leave)
        return await asyncio.shield(done)

    def _leave(self, _: asyncio.Future[Answer]) -> None:
        self._turn.release()
        self._room += 1

    def close(self) -> None:
        """Wait for the threads to end; nobody may come in any more."""
        self._threads.shutdown()


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, Answer]) -> Answer:
    """Return what ``work`` gives, unless the client goes away before that.

    Args:
        receive: Tells of the client, whose request has come in completely.
        work: Cancelled if the client goes.

    Raises:
        ClientDisconnect: Nobody is there for the answer.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnect
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
