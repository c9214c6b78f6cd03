"""Background threads that begin when there is work and end with it."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Crew"]

Item = TypeVar("Item")


class Crew(Generic[Item]):
    """A bounded number of threads that work off a queue.

    None of them waits: a thread that finds the queue empty ends. They are daemons, so that the interpreter does not
    wait at its exit for hours of work; it tells every crew to stop, and waits for that.

    Args:
        work: Called in a thread with the crew and an item. It looks at :attr:`stopped` now and then, and never raises.
        size: Threads at most.

    Attributes:
        stopped: Whether all work shall end. What still waits is handed to ``work`` all the same, to be given up there.
    """

    def __init__(self, work: Callable[[Crew[Item], Item], None], *, size: int) -> None:
        self.stopped = False
        self._work = work
        self._size = size
        self._lock = threading.Lock()
        self._waiting: deque[Item] = deque()
        self._working = 0
        self._threads: list[threading.Thread] = []
        _CREWS.add(self)

    def add(self, item: Item) -> None:
        """Put an item at the end of the queue."""
        with self._lock:
            if self._working < self._size:
                thread = threading.Thread(target=self._run, name="rekog-emotion-video", daemon=True)
                thread.start()
                self._working += 1
                self._threads = [*(one for one in self._threads if one.is_alive()), thread]
            self._waiting.append(item)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._working -= 1
                    return
                item = self._waiting.popleft()
            self._work(self, item)

    def close(self) -> None:
        """Ask for the end of all work and wait for the threads; a second time does nothing."""
        self.stopped = True
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()


_CREWS: weakref.WeakSet[Crew[Any]] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for crew in list(_CREWS):
        crew.close()
