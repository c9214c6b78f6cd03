"""Imports that no signal and no fork cuts in two.

Half of NumPy, say, can neither be used nor imported anew in the same process. And what a thread imports while another
one forks nobody would ever end importing in the child: whoever needs it there would wait for it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, Final

__all__ = ["uncut"]

# What calls of ours import when they first need it, whatever comes with it included.
_IMPORTED: Final = frozenset({"rekog_emotion", "boto3", "botocore"})


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


def _end_imports() -> None:  # pragma: no cover -- tested in processes of their own, where nothing is measured
    """Wait for what other threads import at this moment."""
    for name, module in list(sys.modules.items()):
        under_way = getattr(getattr(module, "__spec__", None), "_initializing", False)
        if under_way and name.partition(".")[0] in _IMPORTED:
            with suppress(Exception):  # it is for whoever imports it
                import_module(name)


if hasattr(os, "register_at_fork"):  # pragma: no branch -- Windows cannot fork
    os.register_at_fork(before=_end_imports)
