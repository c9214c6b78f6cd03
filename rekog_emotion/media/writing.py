"""Write files: whole or not at all, in their own place, and readable by nobody whom they do not concern.

What is named as an output is what is written: a device or a pipe gets the content and stays what it is, a link leads to
its file. A regular file is replaced by one that was written beside it, so that a full disk or an interrupt leaves the
old one as it was.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TextIO

from rekog_emotion.errors import InvalidInputError

__all__ = [
    "Writable",
    "check_output",
    "identity",
    "make_folder",
    "mode_of_new",
    "output_file",
    "output_text",
    "text_file",
]

_MOST_LINKS: Final = 40  # as Linux follows
# What a shell's >(...) and /dev/stdout lead to: a file that this process has open, with a position of its own.
_DESCRIPTOR: Final = re.compile(r"/(?:dev|proc/(?:self|\d+))/fd/(\d+)")
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_PRIVATE: Final = 0o600


class Writable(Protocol):
    """A text file, or anything that has its ``write``."""

    def write(self, text: str, /) -> object:
        """Take some text."""
        ...


def make_folder(folder: Path, name: str) -> None:
    """Make a folder, and those that it is in, where they are missing.

    Args:
        folder: Which.
        name: What messages call it.

    Raises:
        InvalidInputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{name}: the directory {folder} cannot be made: {error.strerror}"
        raise InvalidInputError(msg) from error


def check_output(path: Path, name: str) -> None:
    """Refuse a place that nothing can be written to, before anything is worked out for it.

    Args:
        path: Where.
        name: What messages call it, for example ``"--out faces.csv"``.

    Raises:
        InvalidInputError: Its directory is not there, it is a directory itself, or this user may not write there.
    """
    try:
        folder = Path(os.path.realpath(path)).parent
        found = _status(path)
    except (OSError, ValueError) as error:  # links in a circle, a name that is too long or has a zero byte
        why = error.strerror if isinstance(error, OSError) else "its name has a zero byte"
        msg = f"{name} cannot be written: {why}; name another place"
        raise InvalidInputError(msg) from error
    if found is not None:
        if stat.S_ISDIR(found.st_mode):
            msg = f"{name} is a directory; name a file in it"
            raise InvalidInputError(msg)
        if not os.access(path, os.W_OK):
            msg = f"{name}: this user may not write to it; change its permissions or name another place"
            raise InvalidInputError(msg)
    elif not folder.is_dir():
        msg = f"{name}: there is no directory {folder if path.is_symlink() else path.parent}; make it first"
        raise InvalidInputError(msg)
    elif not os.access(folder, os.W_OK | os.X_OK):
        msg = f"{name}: this user may not write to its directory; change its permissions or name another place"
        raise InvalidInputError(msg)


def identity(path: str | os.PathLike[str]) -> object:
    """Return what is the same for all names of a file, by links of either kind, also where there is none yet."""
    try:
        found = _status(path)
    except OSError:
        found = None
    return os.path.realpath(path) if found is None else (found.st_dev, found.st_ino)


@contextmanager
def output_file(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a new file of the target's suffix, whose content is the target's when the block has ended well.

    An existing file keeps its mode, owner and links. A new one has the mode that others have, but where others than its
    owner may write to the folder (``/tmp``, a group's share) nobody else may read it: it describes faces. The content
    is on the disk, and not only on its way there, before it takes the old one's place.

    Args:
        target: A file, a device, a pipe, or a link to one.

    Yields:
        The path to write to; the file is there, and empty.

    Raises:
        InvalidInputError: Nothing can be written there: see :func:`check_output`.
        OSError: The disk is full, for instance; what was there is as it was.
    """
    check_output(Path(target), os.fspath(target))
    found = _status(target)
    suffix = Path(target).suffix
    if found is not None and (not stat.S_ISREG(found.st_mode) or _descriptor(target) is not None):
        with _temporary(suffix) as part:
            yield part
            with part.open("rb") as content, _stream(target) as file:
                shutil.copyfileobj(content, file)
        return
    place = Path(os.path.realpath(target))
    if found is not None and not (_is_replaceable(found) and os.access(place.parent, os.W_OK | os.X_OK)):
        with _temporary(suffix) as part:
            yield part
            _overwrite(place, part)
        return
    part = _beside(place, suffix, target, is_new=found is None)
    try:
        yield part
        with part.open("rb+") as file:
            if found is not None:
                part.chmod(stat.S_IMODE(found.st_mode))
            os.fsync(file.fileno())
        try:
            part.replace(place)
        except OSError:
            if found is None:
                raise
            _overwrite(place, part)  # a file that is a mount of its own, as in containers
        _sync_folder(place.parent)
    except OSError as error:
        if error.filename is not None and os.fsdecode(error.filename) == str(part):
            raise OSError(error.errno, error.strerror, os.fspath(target)) from error
        raise
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def output_text(target: str | os.PathLike[str], *, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Give a text file as :func:`output_file` does; a device or a pipe gets each line as it is written.

    Line ends are written as they are given.

    Args:
        target: As for :func:`output_file`.
        encoding: ``"utf-8"``, or ``"utf-8-sig"`` with the mark by which Excel knows it.

    Raises:
        InvalidInputError: As for :func:`output_file`.
        OSError: As for :func:`output_file`.
    """
    check_output(Path(target), os.fspath(target))
    found = _status(target)
    if found is not None and (not stat.S_ISREG(found.st_mode) or _descriptor(target) is not None):
        with _stream(target) as stream, os.fdopen(os.dup(stream.fileno()), "w", 1, encoding, newline="") as file:
            yield file
        return
    with output_file(target) as part, part.open("w", encoding=encoding, newline="") as file:
        yield file


@contextmanager
def text_file(target: str | os.PathLike[str] | Writable, *, encoding: str = "utf-8") -> Iterator[Writable]:
    """Give what text is written to: a path's file as :func:`output_text` does, or the caller's own open file.

    Args:
        target: Either.
        encoding: Of a path's file.

    Raises:
        InvalidInputError: It is neither, or a file that is open for bytes; or as for :func:`output_text`.
        OSError: As for :func:`output_text`.
    """
    if isinstance(target, (str, os.PathLike)):
        with output_text(target, encoding=encoding) as file:
            yield file
        return
    if isinstance(target, (io.RawIOBase, io.BufferedIOBase)):
        msg = "the file object is open for bytes; open it in mode 'w', or pass the path"
        raise InvalidInputError(msg)
    if not hasattr(target, "write"):
        msg = f"{type(target).__name__} is no place to write to; pass a path, or an open text file"
        raise InvalidInputError(msg)
    yield target


def _status(path: str | os.PathLike[str]) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 -- a name may be text
    except (FileNotFoundError, NotADirectoryError):
        return None


def _descriptor(path: str | os.PathLike[str]) -> int | None:
    """Return the number of the open file that a path leads to, as ``/dev/stdout`` does."""
    name = os.path.abspath(path)  # noqa: PTH100 -- Path.resolve() would follow the last link, too
    for _ in range(_MOST_LINKS):
        if match := _DESCRIPTOR.fullmatch(name):
            return int(match[1]) if name.startswith(("/dev/", "/proc/self/", f"/proc/{os.getpid()}/")) else None
        try:
            name = os.path.join(os.path.realpath(os.path.dirname(name)), os.readlink(name))  # noqa: PTH115, PTH118, PTH120 -- step by step, as text
        except OSError:  # no link
            return None
    return None


@contextmanager
def _stream(target: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    number = _descriptor(target)
    if number is not None:
        sys.stdout.flush()  # what was said before stands before
    # Neither made nor emptied: it is there, and has no length.
    handle = os.open(target, os.O_WRONLY) if number is None else os.dup(number)
    with os.fdopen(handle, "wb") as file:
        yield file


@contextmanager
def _temporary(suffix: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rekog-emotion-") as folder:
        part = Path(folder) / f"part{suffix}"
        part.touch(_PRIVATE)
        yield part


def _is_replaceable(found: os.stat_result) -> bool:
    """Tell whether another file may stand for this one: it is ours alone, and has one name."""
    return found.st_nlink == 1 and (not hasattr(os, "geteuid") or found.st_uid == os.geteuid())


def mode_of_new(place: Path) -> int:
    """Return the mode that a new file at a place is made with, before the umask: private where others may write."""
    return _PRIVATE if place.parent.stat().st_mode & _OTHERS_WRITE else 0o666


def _beside(place: Path, suffix: str, target: str | os.PathLike[str], *, is_new: bool) -> Path:
    """Make a file in the target's folder under a name that nobody can guess."""
    try:
        mode = mode_of_new(place) if is_new else _PRIVATE
        part = place.with_name(f".rekog-emotion-{secrets.token_hex(8)}.part{suffix}")
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(target)) from error
    return part


def _overwrite(place: Path, part: Path) -> None:
    """Copy the content into a file that is there; the room for it is taken first, as a full disk would leave half."""
    with part.open("rb") as content, place.open("rb+") as file:
        size, before = os.fstat(content.fileno()).st_size, os.fstat(file.fileno()).st_size
        if size and hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError:
                os.ftruncate(file.fileno(), before)
                raise
        shutil.copyfileobj(content, file)
        file.truncate(size)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Write down that a file is there under its name, on systems that can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
