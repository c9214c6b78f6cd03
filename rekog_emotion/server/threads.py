"""Threads that work for an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final, Generic, TypeVar

__all__ = ["Threads"]

T = TypeVar("T")


class Threads(Generic[T]):
    """So many threads, started when there is work for them.

    They do what the loop's ``run_in_executor`` does, but wake the loop once for all that has been done since it last
    looked: waking it is most of the cost of a short work.

    Args:
        most: Threads at most.
        name: What they are called.
    """

    def __init__(self, most: int, *, name: str) -> None:
        self._most = most
        self._name: Final = name
        self._works: SimpleQueue[tuple[asyncio.Future[T], Callable[[], T]] | None] = SimpleQueue()
        self._done: deque[tuple[asyncio.Future[T], T | None, BaseException | None]] = deque()
        self._threads: list[threading.Thread] = []
        self._open = 0
        self._woken = False

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Return what becomes the result of ``work``, which runs in a thread, in the order of the calls."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._open += 1
        if self._open > len(self._threads) < self._most:
            name = f"{self._name}_{len(self._threads)}"
            self._threads.append(threading.Thread(target=self._work, args=(loop,), name=name))
            self._threads[-1].start()
        self._works.put((future, work))
        return future

    def close(self) -> None:
        """Wait for all work to be done, and for the threads to end."""
        for _ in self._threads:
            self._works.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (item := self._works.get()) is not None:
            future, work = item
            try:
                self._done.append((future, work(), None))
            except BaseException as error:  # noqa: BLE001 -- it is raised where the result is awaited
                self._done.append((future, None, error))
            del future, work, item
            if not self._woken:
                self._woken = True
                loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._woken = False
        while self._done:
            future, result, error = self._done.popleft()
            self._open -= 1
            if future.cancelled():
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]  # without an error there is a result
