"""The lock of what all callers of a client share, in whatever thread or loop they are.

What is done under it takes no time, so that a loop may wait for it, too.
"""

from __future__ import annotations

import threading
from typing import Final

from rekog_emotion import forks

__all__ = ["SHARED"]


class _Sharing:
    """The lock, which is a new one in a forked child."""

    def __init__(self) -> None:
        self.begin_anew()
        forks.in_child(self.begin_anew)

    def begin_anew(self) -> None:
        """Forget who holds the lock."""
        self.lock = threading.Lock()


SHARED: Final = _Sharing()
