"""Threads for calls that may be left: each is kept a moment for the next call, as it costs less than a new one.

They are daemons, and hold up no exit: a call that nobody waits for any longer may go on for as long as it likes.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any, Final, TypeVar

from rekog_emotion import forks

__all__ = ["dismiss", "submit"]

T = TypeVar("T")
_KEPT_SECONDS: Final = 1.0


class _Idle:
    """The workers that wait for something to do, the last one first."""

    def __init__(self) -> None:
        self.begin_anew()
        forks.in_child(self.begin_anew)

    def begin_anew(self) -> None:
        """Forget them: none came along into a forked child."""
        self.lock = threading.Lock()
        self.workers: list[_Worker] = []


_IDLE: Final = _Idle()


class _Worker:
    """A thread that does one piece of work after another, and ends when there was none for a moment."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[Callable[[], Callable[[], None]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="rekog-emotion-call", daemon=True)
        self._thread.start()

    def take(self, work: Callable[[], Callable[[], None]] | None) -> None:
        """Do some work, ``None``: end."""
        self._inbox.put(work)

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            tell = work()
            del work  # nothing of a call is kept
            with _IDLE.lock:  # before whoever waits can have more to do
                _IDLE.workers.append(self)
            tell()
            del tell

    def _next(self) -> Callable[[], Callable[[], None]] | None:
        try:
            return self._inbox.get(timeout=_KEPT_SECONDS)
        except queue.Empty:
            with _IDLE.lock:
                if self in _IDLE.workers:
                    _IDLE.workers.remove(self)
                    return None
            return self._inbox.get()  # it is about to be handed over


def submit(function: Callable[[], T]) -> Future[T]:
    """Have a function called in another thread, in a copy of the caller's context.

    What the caller's own handlers of boto3's events find in its context they find there, too.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()  # nobody can cancel it any more
    context = copy_context()

    def work() -> Callable[[], None]:
        try:
            result = context.run(function)
        except BaseException as error:  # noqa: BLE001 -- it is raised where the result is wanted
            failure: Any = error
            return lambda: future.set_exception(failure)
        return lambda: future.set_result(result)

    with _IDLE.lock:
        worker = _IDLE.workers.pop() if _IDLE.workers else None
    (worker or _Worker()).take(work)
    return future


def dismiss() -> None:
    """End all workers that have nothing to do, now."""
    with _IDLE.lock:
        workers, _IDLE.workers = _IDLE.workers, []
    for worker in workers:
        worker.take(None)
    for worker in workers:
        worker.join()
