"""A folder for what outlives a request: copies of videos, and which jobs have an ending to be seen to."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from rekog_emotion.errors import ConfigurationError, RekogEmotionError
from rekog_emotion.server.temporary import TemporaryFolder, clear_orphans

__all__ = ["DAMAGED", "ENDED", "NOTE", "ROOM", "Spool", "SpoolError", "remove"]

OBJECT: Final = ".object"
NOTE: Final = ".json"
ENDED: Final = ".ended"
DAMAGED: Final = ".damaged"
ROOM: Final = ".new"
# Seconds, as long as the results of a job. What a killed server left behind and no job claims goes then.
_KEPT: Final = 7 * 24 * 60 * 60


class SpoolError(RekogEmotionError):
    """The folder cannot be written to, which is no fault of any request or object."""


class Spool:
    """A folder of temporary files, and which of them the request of the current thread has made.

    Args:
        folder: Where it is; made where it is missing, and left there. Without it, a temporary folder that
            :meth:`close` removes, as the next start does if this process is killed. A folder belongs to one process at
            a time.

    Raises:
        ConfigurationError: The folder cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._temporary: TemporaryFolder | None = None
        self._lock = threading.Lock()
        self._here = threading.local()
        clear_orphans()
        if self._folder is not None:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                msg = f"the folder {self._folder} cannot be made: {error.strerror}; make room for it, or name another"
                raise ConfigurationError(msg) from error
            remove(self.found(ROOM))
            remove([path for kind in (OBJECT, NOTE, ENDED, DAMAGED) for path in self.found(kind) if _is_old(path)])

    @property
    def folder(self) -> Path:
        """The folder; a temporary one is made when it is first asked for.

        Raises:
            SpoolError: It cannot be made.
        """
        with self._lock:
            if self._folder is None:
                with _explained(_for_temporary_files()):
                    self._temporary = TemporaryFolder()
                self._folder = self._temporary.path
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

    def new_file(self, content: Iterable[bytes] = (), *, size: int = 0, suffix: str = OBJECT) -> Path:
        """Make a file for the request of this thread.

        Args:
            content: What is in it, in pieces.
            size: Bytes that it has where there is no content; they take no space.
            suffix: What kind of file it is.

        Raises:
            SpoolError: It cannot be written.
        """
        folder = self.folder
        with _explained(folder):
            handle, name = tempfile.mkstemp(suffix=suffix, dir=folder)
        try:
            self._here.files.append(Path(name))
            with _explained(folder):
                os.truncate(handle, size)
            for piece in content:
                with _explained(folder):  # here alone: what else fails is the fault of whoever gives the pieces
                    _write(handle, piece)
        finally:
            os.close(handle)
        return Path(name)

    def write(self, path: Path, text: str, *, room: Path | None = None) -> None:
        """Write a file in one step: whenever the machine stops, there is the old one or the new one, never a part.

        Args:
            path: A file of the folder.
            text: What is in it.
            room: A file of the folder that becomes this one. The text is padded with spaces to its size, and needs no
                more space than that.

        Raises:
            SpoolError: It cannot be written.
        """
        with _explained(self.folder):
            if room is None:
                handle, name = tempfile.mkstemp(suffix=ROOM, dir=self.folder)
                room = Path(name)
            else:
                handle = os.open(room, os.O_WRONLY)
            try:
                _write(handle, text.encode().ljust(os.fstat(handle).st_size))
                os.fsync(handle)
                room.replace(path)
            except OSError:
                remove([room])
                raise
            finally:
                os.close(handle)
            self._settle()

    def move(self, path: Path, suffix: str) -> None:
        """Make a file one of another kind, which takes no space.

        Raises:
            SpoolError: It cannot be done.
        """
        with _explained(self.folder):
            path.replace(path.with_suffix(suffix))
            self._settle()

    def _settle(self) -> None:
        """Make the names of the files survive a power cut."""
        if os.name == "posix":
            handle = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def close(self) -> None:
        """Remove the folder, if it is a temporary one."""
        if self._temporary is not None:
            self._temporary.close()


@contextmanager
def _explained(folder: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"the folder {folder} cannot be written to: {error.strerror}; make room there, or make it writable"
        raise SpoolError(msg) from error


def _for_temporary_files() -> str:
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:  # none of those that are tried takes a file
        return "for temporary files"


def _write(handle: int, content: bytes) -> None:
    # No file object: what it could not write, it would write again when it is closed, and fail once more.
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _is_old(path: Path) -> bool:
    # By the time of the file system, whatever clock the jobs go by.
    return time.time() - path.stat().st_mtime > _KEPT


def remove(files: list[Path]) -> None:
    """Delete files that may be gone already."""
    for path in files:
        with suppress(OSError):
            path.unlink()
