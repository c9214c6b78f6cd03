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

__all__ = ["Spool"]

# Seconds, as long as the results of a job. What a killed server left behind and no job claims goes then.
_KEPT: Final = 7 * 24 * 60 * 60


class Spool:
    """A folder of temporary files, and which of them the request of the current thread has made.

    Args:
        folder: Where it is; made where it is missing, and left there. Without it, a temporary folder that
            :meth:`close` removes.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._temporary = None if folder is not None else tempfile.TemporaryDirectory(prefix="rekog-emotion-")
        self.folder = Path(self._temporary.name if self._temporary is not None else os.fspath(folder or ""))
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._here = threading.local()
        self._remove_old()

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
        handle, name = tempfile.mkstemp(suffix=".object", dir=self.folder)
        os.close(handle)
        self._here.files.append(Path(name))
        return Path(name)

    def close(self) -> None:
        """Remove the folder, if it is a temporary one."""
        if self._temporary is not None:
            self._temporary.cleanup()

    def _remove_old(self) -> None:
        now = time.time()  # that of the file system, whatever clock the jobs go by
        for suffix in ("object", "json"):
            remove([path for path in self.folder.glob(f"*.{suffix}") if now - path.stat().st_mtime > _KEPT])


def remove(files: list[Path]) -> None:
    """Delete files that may be gone already."""
    for path in files:
        with suppress(OSError):
            path.unlink()
