"""Many at once, in threads."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from typing import Generic, TypeVar

from rekog_emotion import forks
from rekog_emotion.blocking.clock import Stop
from rekog_emotion.errors import RekogEmotionError
from rekog_emotion.flows.videos import READY, End, Left, log_what_is_left, workers_at

T = TypeVar("T")
R = TypeVar("R")


class _Gathering(Generic[T, R]):
    """Works on items in a few threads, and gives the ends as they come.

    An error of the items themselves is raised when the ends of all that were taken before it have been given.

    Args:
        work: Called with an item, and with an event that is set when nobody wants the result any longer.
        items: Taken one by one, as workers get free.
        workers: Threads.
        cancel: Ends it when set.
        of: What the items are, in messages.
    """

    def __init__(
        self,
        work: Callable[[T, threading.Event], R],
        items: Iterable[T],
        *,
        workers: int,
        cancel: threading.Event | None,
        of: str = "videos",
    ) -> None:
        self._of = of
        self._work = work
        self._items = iter(items)
        self._workers = workers_at(items, workers)
        self._stop = Stop(cancel)
        self._is_parent_s = False
        forks.in_child(self._leave_to_parent)
        self._taking = threading.Lock()
        self._ends: queue.Queue[End[T, R] | Left] = queue.Queue(max(1, READY * self._workers))

    def _leave_to_parent(self) -> None:  # pragma: no cover -- tested in forked children, where nothing is measured
        self._is_parent_s = True

    def each(self) -> Generator[End[T, R], None, None]:
        """Give the ends; whoever leaves early waits for the calls that are under way, and for no job."""
        threads = [
            threading.Thread(target=self._run, name=f"rekog-emotion-job-{number}", daemon=True)
            for number in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        at_work = len(threads)
        failure: BaseException | None = None
        try:
            while at_work:
                if self._is_parent_s:
                    msg = f"these {self._of} are waited for in the process that forked this one: go through them there"
                    raise RekogEmotionError(msg)
                end = self._ends.get()
                if isinstance(end, End):
                    yield end
                    continue
                at_work -= 1
                failure = failure or end.error
                if failure is not None and not (at_work and isinstance(failure, Exception)):
                    raise failure
        finally:
            if not self._is_parent_s:
                self._end(threads, at_work)

    def _end(self, threads: list[threading.Thread], at_work: int) -> None:
        self._stop.set()
        while at_work:
            end = self._ends.get()
            if isinstance(end, Left):
                at_work -= 1
            else:
                log_what_is_left(end.result, end.error, end.item)
        for thread in threads:
            thread.join()

    def _run(self) -> None:
        left = Left()
        try:
            while not self._stop.is_set():
                with self._taking:
                    try:
                        item = next(self._items)
                    except StopIteration:
                        break
                self._ends.put(self._end_of(item))
        except BaseException as error:  # noqa: BLE001 -- it is raised in the thread that asked
            left = Left(error)
        finally:
            self._ends.put(left)

    def _end_of(self, item: T) -> End[T, R]:
        try:
            return End(item, result=self._work(item, self._stop))
        except Exception as error:  # noqa: BLE001 -- one that fails stops no other
            return End(item, error=error)
