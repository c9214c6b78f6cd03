"""Temporary folders that a later start can tell from those of servers that live."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

__all__ = ["TemporaryFolder", "clear_orphans"]

PREFIX: Final = "rekog-emotion-serve-"


class TemporaryFolder:
    """A temporary folder, gone at the end of the process at the latest.

    It is locked as long as its process lives. A lock goes with the process however that ends, and is no number that
    another process may have by then, in another container for instance.

    Attributes:
        path: Where it is.

    Raises:
        OSError: There is no place for it.
    """

    def __init__(self) -> None:
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            try:
                lock = _locked(self.path)
            except (BlockingIOError, FileNotFoundError):
                continue  # it was taken for an orphan before it was locked
            except OSError:  # a file system without locks, where nobody else gets one either
                lock = None
            break
        self._remove = weakref.finalize(self, _remove, self.path, lock, os.getpid())

    def close(self) -> None:
        """Remove it; a second time does nothing."""
        self._remove()


def clear_orphans() -> None:
    """Remove the temporary folders of this user whose processes were killed."""
    if sys.platform == "win32":  # there, nobody can tell, and nothing is cleared away
        return
    with suppress(FileNotFoundError):  # there is no room for any temporary folder
        for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with suppress(OSError):
                if path.lstat().st_uid == os.getuid():
                    _remove(path, _locked(path), os.getpid())


def _locked(path: Path) -> int:
    """Lock a folder and return the handle that holds the lock.

    Raises:
        BlockingIOError: Another process has it.
        FileNotFoundError: It is gone.
        OSError: It is no folder, or its file system has no locks.
    """
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.lstat()  # who has waited for the lock may have got that of a folder that is gone
    except OSError:
        os.close(handle)
        raise
    return handle


def _remove(path: Path, lock: int | None, process: int) -> None:
    if os.getpid() != process:  # a forked child's exit
        return
    shutil.rmtree(path, ignore_errors=True)
    if lock is not None:
        os.close(lock)
