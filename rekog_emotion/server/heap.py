"""The heap of glibc, set up for pictures: what a large one took goes back to the machine when it is done."""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["give_back_large_blocks"]

_THRESHOLD: Final = 1024 * 1024  # bytes
_M_MMAP_THRESHOLD: Final = -3  # from malloc.h


def give_back_large_blocks() -> None:
    """Have each large block mapped by itself, in this process, if its C library is glibc.

    By default glibc keeps blocks of up to 32 MB in its heaps once one of them was freed. Several threads that decode
    pictures then leave up to a gigabyte there, in pieces between smaller blocks that live on.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 -- for servers on Linux alone

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries of Linux have none
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, _THRESHOLD)
