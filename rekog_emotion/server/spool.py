"""A folder for what outlives a request: copies of videos, and which jobs have an ending to be seen to."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

__all__ = ["NOTE", "Spool", "remove"]

OBJECT: Final = ".object"
NOTE: Final = ".json"
# Seconds, as long as the results of a job. What a killed server left behind and no job claims goes then.
_KEPT: Final = 7 * 24 * 60 * 60


class Spool:
    """A folder of temporary files, and which of them the request of the current thread has made.

    Args:
        folder: Where it is; made where it is missing, and left there. Without it, a temporary folder that
            :meth:`close` removes.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()
        self._here = threading.local()
        if self._folder is not None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            remove([path for path in (*self.found(OBJECT), *self.found(NOTE)) if _is_old(path)])

    @property
    def folder(self) -> Path:
        """The folder; a temporary one is made when it is first asked for."""
        with self._lock:
            if self._folder is None:
                self._temporary = tempfile.TemporaryDirectory(prefix="rekog-emotion-")
                self._folder = Path(self._temporary.name)
            return self._folder

    def found(self, suffix: str) -> list[Path]:
        """Return the files of a suffix that there are."""
        return [] if self._folder is None else sorted(self._folder.glob(f"*{suffix}"))

    @contextmanager
    def request(self, largest: int) -> Iterator[list[Path]]:
        """Give the files that are made in this thread in this block; those that stay in the list are deleted after it.

        Args:
            largest: Bytes that an object may have; see :attr:`largest`.
        """
        self._here.files, self._here.largest = [], largest
        try:
            yield self._here.files
        finally:
            remove(self._here.files)
            del self._here.files, self._here.largest

    @property
    def largest(self) -> int:
        """Bytes that an object may have for the request of this thread."""
        return int(self._here.largest)

    def new_file(self) -> Path:
        """Make a file for the request of this thread."""
        handle, name = tempfile.mkstemp(suffix=OBJECT, dir=self.folder)
        os.close(handle)
        self._here.files.append(Path(name))
        return Path(name)

    def close(self) -> None:
        """Remove the folder, if it is a temporary one."""
        if self._temporary is not None:
            self._temporary.cleanup()


def _is_old(path: Path) -> bool:
    # By the time of the file system, whatever clock the jobs go by.
    return time.time() - path.stat().st_mtime > _KEPT


def remove(files: list[Path]) -> None:
    """Delete files that may be gone already."""
    for path in files:
        with suppress(OSError):
            path.unlink()
