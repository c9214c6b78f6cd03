"""Imports that no signal cuts in two: half of NumPy, say, can neither be used nor imported anew in the same process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["uncut"]


@contextmanager
def uncut() -> Iterator[None]:
    """Let signals wait until a block that imports has ended; Ctrl-C is raised there then.

    Python handles signals in the main thread alone, so that in others nothing has to wait.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _: object) -> None:
        came.append(number)

    found: dict[int, Any] = {number: signal.getsignal(number) for number in signal.valid_signals()}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            if signal.getsignal(number) is note:  # or what was imported has one of its own
                signal.signal(number, handler)
        for number in came:
            handlers[number](number, None)
