"""Threads that work for an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Final, Generic, Literal, TypeVar

from attrs import define

__all__ = ["Threads"]

T = TypeVar("T")

_PATIENCE: Final = 0.002  # seconds that work waits behind other work, before one more thread is woken


@define(eq=False)
class _Work(Generic[T]):
    """What a thread is to do.

    Attributes:
        future: What it becomes, if somebody waits for that.
        call: Does it.
        over: Called in the loop when it is over, or will never be begun.
        is_begun: Whether a thread is at it, or was.
        is_done: Whether that has ended.
        is_given_up: Whether nobody waits for it any more.
        has_left: Whether its thread has given its place to another.
    """

    future: asyncio.Future[T]
    call: Callable[[], T]
    over: Callable[[], None] | None
    is_begun: bool = False
    is_done: bool = False
    is_given_up: bool = False
    has_left: bool = False


class Threads(Generic[T]):
    """So many threads, started when there is work for them.

    They do what the loop's ``run_in_executor`` does, but wake each other less, which is most of the cost of a short
    work: one thread is woken for all that comes in one turn of the loop, more of them where it does not get ahead, and
    the loop once for all that has been done since it last looked.

    Work that is given up while it waits is never begun. Since nothing ends a thread, one whose work is given up gives
    its place to another, as long as there are spare ones, and ends with that work.

    Args:
        most: Threads at most.
        name: What they are called.
        spare: Threads beyond, in place of those whose work nobody waits for any more.
    """

    def __init__(self, most: int, *, name: str, spare: int = 0) -> None:
        self._most = most
        self._name: Final = name
        self._spare = spare
        self._lock = threading.Lock()  # of the states of works
        self._waiting: deque[_Work[T]] = deque()
        self._done: deque[tuple[_Work[T], T | None, BaseException | None]] = deque()
        self._bell: SimpleQueue[Literal["work", "end"]] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._places = 0  # of threads that were started, and have not given theirs away
        self._open = 0  # works that wait, or are in a place
        self._is_ringing = self._is_looking = self._is_delivering = False

    async def run(self, call: Callable[[], T], over: Callable[[], None] | None = None) -> T:
        """Return what ``call`` returns, which runs in a thread, in the order in which calls come.

        Args:
            call: Runs in a thread.
            over: Called in the loop when it is over, or will never be begun.
        """
        loop = asyncio.get_running_loop()
        work: _Work[T] = _Work(loop.create_future(), call, over)
        self._waiting.append(work)
        self._open += 1
        self._start(loop)
        if self._open == 1:  # nothing else is in hand that might come in this turn
            self._ring(loop)
        elif not self._is_ringing:
            self._is_ringing = True
            loop.call_soon(self._ring, loop)
        try:
            return await work.future
        except asyncio.CancelledError:
            self._give_up(work, loop)
            raise

    def close(self) -> None:
        """Wait for all work to be done, and for the threads to end; from another thread than the loop's."""
        for _ in range(self._places):
            self._bell.put("end")
        for thread in self._threads:
            thread.join()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._open > self._places < self._most:
            thread = threading.Thread(target=self._work, args=(loop,), name=f"{self._name}_{self._places}")
            thread.start()
            self._places += 1
            self._threads = [*(one for one in self._threads if one.is_alive()), thread]

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_ringing = False
        # A bell that nobody has heard yet tells that no thread sleeps; those that do not will see what waits.
        if self._waiting and self._bell.empty():
            self._bell.put("work")
        if len(self._waiting) > 1 and not self._is_looking and self._most > 1:  # whoever hears it takes the first
            self._is_looking = True
            loop.call_later(_PATIENCE, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_looking = False
        self._ring(loop)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        heard = ""
        while heard != "end":
            heard = self._bell.get()
            while self._waiting:
                try:
                    work = self._waiting.popleft()
                except IndexError:  # another thread was faster
                    break
                if not self._do(work, loop):
                    return
                del work

    def _do(self, work: _Work[T], loop: asyncio.AbstractEventLoop) -> bool:
        """Do some work, and tell whether the thread has its place still."""
        with self._lock:
            if work.is_given_up:
                return True
            work.is_begun = True
        try:
            result, failure = work.call(), None
        except BaseException as error:  # noqa: BLE001 -- it is raised where the result is awaited
            result, failure = None, error
        with self._lock:
            work.is_done = True
        self._done.append((work, result, failure))
        if not self._is_delivering:
            self._is_delivering = True
            loop.call_soon_threadsafe(self._deliver)
        return not work.has_left

    def _deliver(self) -> None:
        self._is_delivering = False
        while self._done:
            work, result, failure = self._done.popleft()
            if work.has_left:
                self._spare += 1
            else:
                self._open -= 1
            if work.over is not None:
                work.over()
            if work.future.cancelled():
                continue
            if failure is not None:
                work.future.set_exception(failure)
            else:
                work.future.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

    def _give_up(self, work: _Work[T], loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            work.is_given_up = True
            work.has_left = work.is_begun and not work.is_done and self._spare > 0
        if not work.is_begun:
            with suppress(ValueError):  # a thread has just taken it, and will see that
                self._waiting.remove(work)
            self._open -= 1
            if work.over is not None:
                work.over()
        elif work.has_left:
            self._spare -= 1
            self._open -= 1
            self._places -= 1
            self._start(loop)
            self._ring(loop)
