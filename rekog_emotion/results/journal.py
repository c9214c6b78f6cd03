"""The file of a batch: JSON Lines, a whole document an outcome, from which a second run goes on."""

from __future__ import annotations

import json
import os
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from rekog_emotion import forks
from rekog_emotion.errors import InvalidInputError, RekogEmotionError
from rekog_emotion.media.writing import check_output, mode_of_new
from rekog_emotion.results.documents import BEGINNING, FORMAT, VERSION, written_error
from rekog_emotion.text import encodable, shown

__all__ = ["Entry", "Journal", "error_line"]

# What every line of ours begins with: it is read millions of times, and the answer behind it need not be parsed.
_BEGINNING: Final = re.compile(
    rb'\{"format": "rekog-emotion", "version": (\d{1,9}), "kind": "(\w+)", "source": ("(?:[^"\\]|\\.)*"|null)[,}]'
)
_FIRST: Final = BEGINNING.encode()
_FAR: Final = 1 << 40  # a byte that no line comes to: Windows keeps others from reading what is locked


class Entry(NamedTuple):
    """What a line tells of.

    Attributes:
        source: The exact path or address; ``None`` where the line does not say it.
        failed: It is an error.
    """

    source: str | None
    failed: bool


def error_line(source: str, error: BaseException) -> str:
    """Return the document of an outcome that has no analysis."""
    text = f"{type(error).__name__}: {error}"
    return written_error(source, encodable(text))


class Journal:
    """A file of lines that are there as a whole or not at all; one process at a time has it.

    The system gives it back when the process ends, however it ends. May be shared by threads.

    Args:
        path: The file; made where there is none.

    Raises:
        InvalidInputError: It is in use, or cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._name = f"checkpoint={shown(str(self._path))}"
        check_output(self._path, self._name)
        self._lock = threading.Lock()
        self._is_mended = False
        self._handle = self._opened()
        forks.in_child(self._leave_to_parent)
        try:
            self._lock_file()
        except BaseException:
            self.close()
            raise

    def _leave_to_parent(self) -> None:  # pragma: no cover -- tested in forked children, where nothing is measured
        self._lock = threading.Lock()
        if self._handle >= 0:
            os.close(self._handle)  # or the file would be in use until this process has ended, too
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def entries(self) -> Iterator[Entry]:
        """Yield what each line tells of, in order; at the end a last line that was torn is mended.

        Raises:
            InvalidInputError: A line is no document of this kind, or of a later version; the file is as it was.
        """
        torn = b""
        with self._path.open("rb") as file:
            self._check_first(file.read(len(_FIRST)))
            file.seek(0)
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n") and not _is_json(line):
                    torn = line
                elif line.strip():
                    yield self._entry(number, line)
        if torn:
            os.ftruncate(self._handle, os.fstat(self._handle).st_size - len(torn))
        elif not self._ends_a_line():
            os.write(self._handle, b"\n")  # all of the line is there but for its end
        self._is_mended = True

    def append(self, line: str) -> None:
        """Write a line; the file is as it was where that fails.

        Raises:
            RekogEmotionError: It cannot be written: the disk is full, for instance.
        """
        data = line.encode() + b"\n"
        with self._lock:
            if self._handle < 0:
                msg = f"{self._name} is closed, or belongs to the process that forked this one"
                raise RekogEmotionError(msg)
            if not self._is_mended:
                for _ in self.entries():
                    pass
            end = os.fstat(self._handle).st_size
            written = 0
            try:
                while written < len(data):
                    written += os.write(self._handle, data[written:])
            except OSError as error:
                os.ftruncate(self._handle, end)
                msg = f"{self._name} cannot be written: {error.strerror}; make room and start again, nothing is lost"
                raise RekogEmotionError(msg) from error

    def close(self) -> None:
        """Give the file back; a second time does nothing."""
        with self._lock:
            if self._handle < 0:
                return
            with suppress(OSError):  # of another's lock
                _unlock(self._handle)
            os.close(self._handle)
            self._handle = -1

    def _opened(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
        try:
            handle = os.open(self._path, flags, mode_of_new(self._path))
        except OSError as error:
            msg = f"{self._name} cannot be written: {error.strerror}; name another place"
            raise InvalidInputError(msg) from error
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            msg = f"{self._name} is no regular file; name one that a second run can go on from"
            raise InvalidInputError(msg)
        return handle

    def _lock_file(self) -> None:
        try:
            _lock(self._handle)
        except OSError as error:
            msg = (
                f"{self._name} is in use: another run writes to it; wait for its end, name another file, or give both "
                "runs different photos"
            )
            raise InvalidInputError(msg) from error

    def _entry(self, number: int, line: bytes) -> Entry:
        found = _BEGINNING.match(line)
        if found and line.rstrip().endswith(b"}"):
            document = {"version": int(found[1]), "kind": found[2].decode(), "source": json.loads(found[3])}
        else:
            document = self._document(number, line)
        version, kind, source = document.get("version"), document.get("kind"), document.get("source")
        if not isinstance(version, int) or version > VERSION:
            msg = (
                f"{self._name}: line {number} is of version {version!r}, and this library reads up to {VERSION}: "
                "update it"
            )
            raise InvalidInputError(msg)
        return Entry(source if isinstance(source, str) else None, kind == "error")

    def _document(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise self._foreign(number)
        return document

    def _check_first(self, start: bytes) -> None:
        """Refuse a file that no run of ours has begun, before any of it is read as a line, or taken away."""
        start = start.lstrip()
        if start.strip(b"\0") and not start.startswith(b"{"):
            raise self._foreign(1)

    def _foreign(self, number: int) -> InvalidInputError:
        msg = f"{self._name}: line {number} is not one of results, so nothing is added; name another file"
        return InvalidInputError(msg)

    def _ends_a_line(self) -> bool:
        with self._path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            return file.read() in {b"", b"\n"}


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _lock(handle: int) -> None:
    """Take a file for this process.

    Raises:
        OSError: Another one has it.
    """
    if os.name == "nt":  # pragma: no cover -- of Windows
        import msvcrt

        locking: Any = msvcrt
        os.lseek(handle, _FAR, os.SEEK_SET)
        locking.locking(handle, locking.LK_NBLCK, 1)
        return
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unlock(handle: int) -> None:
    if os.name == "nt":  # pragma: no cover -- of Windows
        import msvcrt

        locking: Any = msvcrt
        os.lseek(handle, _FAR, os.SEEK_SET)
        locking.locking(handle, locking.LK_UNLCK, 1)
        return
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_UN)
