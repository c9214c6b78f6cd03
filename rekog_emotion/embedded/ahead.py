"""Work on several items of a stream at once, and give the results in its order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any, Generic, TypeVar

from rekog_emotion.embedded.crew import Crew

__all__ = ["GivenUpError", "in_order"]

Key = TypeVar("Key")
Item = TypeVar("Item")
Result = TypeVar("Result")


class GivenUpError(Exception):
    """The interpreter ends before the work was done."""


class _Task(Generic[Item, Result]):
    """An item, and what becomes of it."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = threading.Event()
        self.error: BaseException | None = GivenUpError()
        self.result: Any = None

    def outcome(self) -> Result:
        self.done.wait()
        if self.error is not None:
            raise self.error
        result: Result = self.result
        return result


def in_order(
    work: Callable[[Item], Result], items: Iterable[tuple[Key, Item]], *, at_once: int
) -> Generator[tuple[Key, Result]]:
    """Yield each key with the result of its item, in the order of the items.

    No more than ``at_once`` items beyond the one that is waited for are taken from the stream. Their threads have ended
    when the generator has, be it closed early.

    Args:
        work: Called in a thread; in the caller's own where ``at_once`` is one.
        items: Keys and items; taken in the caller's thread.
        at_once: Items at most that are worked on at once.

    Yields:
        Key and result.

    Raises:
        GivenUpError: The interpreter ends.
    """
    if at_once == 1:
        for key, item in items:
            yield key, work(item)
        return

    def take(crew: Crew[_Task[Item, Result]], task: _Task[Item, Result]) -> None:
        try:
            if not crew.stopped:
                task.result, task.error = work(task.item), None
        except BaseException as error:  # noqa: BLE001 -- it is raised where the result is asked for
            task.error = error
        finally:
            task.done.set()

    crew: Crew[_Task[Item, Result]] = Crew(take, size=at_once)
    waiting: deque[tuple[Key, _Task[Item, Result]]] = deque()
    try:
        for key, item in items:
            task: _Task[Item, Result] = _Task(item)
            waiting.append((key, task))
            crew.add(task)
            if len(waiting) > at_once:
                first, task = waiting.popleft()
                yield first, task.outcome()
        while waiting:
            first, task = waiting.popleft()
            yield first, task.outcome()
    finally:
        crew.close()
