"""The lock of what all callers of a client share, in whatever thread or loop they are.

What is done under it takes no time, so that a loop may wait for it, too.
"""

from __future__ import annotations

from typing import Final

from rekog_emotion import forks

__all__ = ["SHARED"]

SHARED: Final = forks.Guard()
