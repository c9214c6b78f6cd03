"""Threads for calls that may be left, and one that ends calls in time, for those that can be ended from outside.

Each is kept a moment for the next call, as it costs less than a new one. They are daemons, and hold up no exit: a call
that nobody waits for any longer may go on for as long as it likes.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import copy_context
from functools import partial
from typing import Any, Final, Generic, Self, TypeVar

from rekog_emotion import forks

__all__ = ["Call", "Deadline", "Threads", "dismiss", "submit"]

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


class Call(Generic[T]):
    """A call in another thread: what is needed of :class:`concurrent.futures.Future`, at less of its cost.

    Args:
        function: What is called, in a copy of the context of whoever submits it.
        then: Told of the end, in the other thread.
    """

    def __init__(self, function: Callable[[], T], then: Callable[[Call[T]], object] | None = None) -> None:
        self._make: Callable[[], T] | None = partial(copy_context().run, function)
        self._then = then
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._going = threading.Lock()
        self._going.acquire()

    def make(self) -> None:
        """Make the call, without a word of its end to anybody yet."""
        make, self._make = self._make, None  # nothing of a call is kept
        try:
            self._results.append(make())  # type: ignore[misc]  # it is made once
        except BaseException as error:  # noqa: BLE001 -- it is raised where the result is wanted
            self._error = error

    def end(self) -> None:
        """Let go of whoever waits."""
        self._going.release()
        if self._then is not None:
            self._then(self)

    def done(self) -> bool:
        """Tell whether it has ended."""
        return not self._going.locked()

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the end, and return the error of the call if there was one.

        Raises:
            TimeoutError: It did not end in so many seconds.
        """
        if not self._going.acquire(timeout=-1 if timeout is None else timeout):
            raise TimeoutError
        self._going.release()
        return self._error

    def result(self, timeout: float | None = None) -> T:
        """Wait for the end, and return the result of the call, or raise its error.

        Raises:
            TimeoutError: It did not end in so many seconds.
        """
        error = self.exception(timeout)
        if error is not None:
            raise error
        return self._results[0]


class _Worker:
    """A thread that makes one call after another, and ends when there was none for a moment."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[Call[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="rekog-emotion-call", daemon=True)
        self._thread.start()

    def take(self, call: Call[Any] | None) -> None:
        """Make a call, ``None``: end."""
        self._inbox.put(call)

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def _run(self) -> None:
        while (call := self._next()) is not None:
            call.make()
            with _IDLE.lock:  # before whoever waits can have more to do
                _IDLE.workers.append(self)
            call.end()
            del call

    def _next(self) -> Call[Any] | None:
        try:
            return self._inbox.get(timeout=_KEPT_SECONDS)
        except queue.Empty:
            with _IDLE.lock:
                if self in _IDLE.workers:
                    _IDLE.workers.remove(self)
                    return None
            return self._inbox.get()  # it is about to be handed over


def submit(function: Callable[[], T], then: Callable[[Call[T]], object] | None = None) -> Call[T]:
    """Have a function called in another thread, in a copy of the caller's context.

    What the caller's own handlers of boto3's events find in its context they find there, too. ``then`` is told of the
    end in that thread.
    """
    call = Call(function, then)
    with _IDLE.lock:
        worker = _IDLE.workers.pop() if _IDLE.workers else None
    (worker or _Worker()).take(call)
    return call


class Threads(Executor):
    """A thread a call: those that wait, or whom nobody waits for any longer, hold up no other's."""

    def submit(self, function: Callable[..., T], /, *arguments: Any, **options: Any) -> Future[T]:  # noqa: ANN401 -- the function's
        """Begin to call a function."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # nobody can cancel it any more

        def settle(call: Call[T]) -> None:
            if (error := call.exception()) is not None:
                future.set_exception(error)
            else:
                future.set_result(call.result())

        submit(partial(function, *arguments, **options), settle)
        return future


class Deadline:
    """A block that another thread is to end where it takes too long.

    It costs a call next to nothing, for that thread is woken by none that begins or ends in time.

    Args:
        seconds: How long it may take.
        end: Called in the other thread when these are over, in the block; it is to return at once.
    """

    def __init__(self, seconds: float, end: Callable[[], object]) -> None:
        self.time = time.monotonic() + seconds
        self.end = end

    @property
    def seconds_left(self) -> float:
        """How long it may still take, up to what can be waited."""
        return max(0.0, min(self.time - time.monotonic(), threading.TIMEOUT_MAX))

    def __enter__(self) -> Self:
        _WATCH.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        _WATCH.drop(self)


class _Watch:
    """Ends what has taken too long."""

    def __init__(self) -> None:
        self.begin_anew()
        forks.in_child(self.begin_anew)

    def begin_anew(self) -> None:
        """Forget all: neither the thread nor what it watched came along into a forked child."""
        self._lock = threading.Lock()  # taken as such, for Ctrl-C can come between the steps of a condition's own
        self._changed = threading.Condition(self._lock)
        self._watched: dict[Deadline, None] = {}
        self._thread: threading.Thread | None = None
        self._wakes = 0.0  # the time when the thread looks next

    def add(self, deadline: Deadline) -> None:
        """Watch a block that begins."""
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="rekog-emotion-watch", daemon=True)
                thread.start()
                self._thread = thread
            elif deadline.time < self._wakes:
                self._changed.notify()
            self._watched[deadline] = None

    def drop(self, deadline: Deadline) -> None:
        """Watch a block no longer, which has ended."""
        with self._lock:
            self._watched.pop(deadline, None)

    def dismiss(self) -> None:
        """End the thread if there is nothing to watch, now."""
        with self._lock:
            thread = None if self._watched else self._thread
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        with self._lock:
            while self._watched:
                now = time.monotonic()
                for deadline in [one for one in self._watched if one.time <= now]:
                    del self._watched[deadline]
                    deadline.end()
                self._wakes = min([now + _KEPT_SECONDS, *(one.time for one in self._watched)])
                self._changed.wait(self._wakes - now)
            self._thread = None


_WATCH: Final = _Watch()


def dismiss() -> None:
    """End all threads that have nothing to do, now."""
    with _IDLE.lock:
        workers, _IDLE.workers = _IDLE.workers, []
    for worker in workers:
        worker.take(None)
    for worker in workers:
        worker.join()
    _WATCH.dismiss()
