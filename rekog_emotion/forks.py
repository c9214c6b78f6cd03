"""What a forked child begins anew: no thread of its parent goes on there, and none gives back a lock that it held.

It is told to whoever has such things as soon as the child is there, before anything else runs in it.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from types import MethodType
from typing import Any, Final
from weakref import WeakKeyDictionary

__all__ = ["Guard", "abandon", "in_child", "never_while_held"]

# Methods by their owners, and functions by themselves.
_CALLS: Final[WeakKeyDictionary[Any, Callable[..., object] | None]] = WeakKeyDictionary()


def in_child(begin_anew: Callable[[], object]) -> None:
    """Have a function called in every forked child from now on.

    Args:
        begin_anew: A function of a module, or a method, the only one of its object, which is not kept alive by this.
    """
    if isinstance(begin_anew, MethodType):
        _CALLS[begin_anew.__self__] = begin_anew.__func__
    else:
        _CALLS[begin_anew] = None


class Guard:
    """Has a lock that every forked child begins anew, whoever held it.

    Attributes:
        lock: To be held as ``with guard.lock``.
    """

    def __init__(self) -> None:
        self._begin_anew()
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        self.lock = threading.Lock()


def _begin_anew() -> None:  # pragma: no cover -- tested in forked children, where nothing is measured
    for owner, method in list(_CALLS.items()):
        if method is None:
            owner()
        else:
            method(owner)


def never_while_held(lock: threading.RLock) -> None:
    """Let forks wait for a lock: it stands for work whose own locks, in a foreign library, no child could renew."""
    if hasattr(os, "register_at_fork"):  # pragma: no branch -- Windows cannot fork
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)


def abandon(thing: object) -> None:  # pragma: no cover -- likewise
    """Keep a forked child from ever destroying something of its parent's, not even when the interpreter ends."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


if hasattr(os, "register_at_fork"):  # pragma: no branch -- Windows cannot fork
    os.register_at_fork(after_in_child=_begin_anew)
