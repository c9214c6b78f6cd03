"""Read files, the caller's own file objects among them, with messages that say what is wrong."""

from __future__ import annotations

import inspect
import io
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.formats import not_an_image
from rekog_emotion.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["BinaryFile", "is_file", "is_folder", "is_there", "opened", "read_all", "read_file"]

MAX_FILE_BYTES: Final = 400_000_000  # more than any picture that is decoded takes without compression
_CHUNK: Final = 1 << 20
# What is a mistake in a file object of the caller's own, and nothing about what it reads.
_BUGS: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError)


class BinaryFile(Protocol):
    """What is asked of a file object: ``read(size)`` gives bytes, and ``b""`` at its end."""

    def read(self, size: int, /) -> bytes:
        """Read at most so many bytes."""
        ...


# Path's own methods raise for names that a file system cannot hold, and in folders that may not be looked into: what is
# wrong there, whoever opens it says.


def is_there(path: str | os.PathLike[str]) -> bool:
    """Tell whether there is something by a name."""
    return os.path.exists(path)  # noqa: PTH110 -- see above


def is_file(path: str | os.PathLike[str]) -> bool:
    """Tell whether there is a regular file by a name."""
    return os.path.isfile(path)  # noqa: PTH113 -- see above


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Tell whether there is a folder by a name."""
    return os.path.isdir(path)  # noqa: PTH112 -- see above


def where_to_look(path: str | os.PathLike[str], what: str = "path") -> str:
    """Say what to check of a name by which there is nothing."""
    if os.fsdecode(os.fspath(path)).startswith("~"):
        return f"check the {what}, where only shells know ~: Path.expanduser() puts the home directory in its place"
    return f"check the {what}, which starts at the current directory"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file; what the system refuses, then or while it is read, is an error that says what to do.

    Raises:
        InvalidInputError: There is no such file, it is a directory, or it cannot be read.
    """
    try:
        if is_folder(path):
            message = "this is a directory; pass the path of a file in it"
            raise InvalidInputError(message)
        with path.open("rb") as file:
            yield file
    except (FileNotFoundError, NotADirectoryError) as error:
        message = f"there is no such file; {where_to_look(path)}"
        raise InvalidInputError(message) from error
    except PermissionError as error:
        message = "this user may not read the file; change its permissions or pass its content"
        raise InvalidInputError(message) from error
    except OSError as error:
        message = f"the file cannot be read ({error.strerror}); check the path and the disk"
        raise InvalidInputError(message) from error


def read_file(file: BinaryFile) -> bytes:
    """Read a caller's file object from where it stands to its end; it is neither closed nor rewound.

    Raises:
        InvalidInputError: It is closed, a text file or not readable, fails on the way, gives something else than bytes,
            or is at its end.
    """
    if getattr(file, "closed", False) is True:
        message = "the file object is closed; pass it while it is open"
        raise InvalidInputError(message)
    text = "the file object is open as text; open it in mode 'rb'"
    if isinstance(file, io.TextIOBase):
        raise InvalidInputError(text)
    try:
        data = read_all(file)
    except UnicodeDecodeError as error:  # a wrapper of a text file, as tempfile makes them
        raise InvalidInputError(text) from error
    except (InvalidInputError, MemoryError, *_BUGS):
        raise
    except (io.UnsupportedOperation, TypeError) as error:  # write only, read() without a size
        message = "the file object cannot be read; open it in mode 'rb'"
        raise InvalidInputError(message) from error
    except Exception as error:  # a damaged archive, a connection that broke: each kind has errors of its own
        reason = ": ".join(filter(None, (type(error).__name__, quoted(error))))
        message = f"reading the file object failed ({reason}); check where it comes from"
        raise InvalidInputError(message) from error
    if not data:
        message = "the file object has nothing left to read; call seek(0) if it was read or written before"
        raise InvalidInputError(message)
    return data


def read_all(file: BinaryFile) -> bytes:
    """Read to the end, but no video and nothing without end.

    Raises:
        InvalidInputError: The content is no image for sure, or there are more than `MAX_FILE_BYTES`.
    """
    content = io.BytesIO()  # which gives what it holds without a copy
    while chunk := file.read(_CHUNK):
        if inspect.isawaitable(chunk):
            if inspect.iscoroutine(chunk):
                chunk.close()  # or Python complains that nobody awaited it
            message = "the file object is read asynchronously; pass the bytes that `await file.read()` gives"
            raise InvalidInputError(message)
        if not isinstance(chunk, bytes):
            message = f"read() gave {type(chunk).__name__} instead of bytes; pass a binary file object"
            raise InvalidInputError(message)
        if not content.tell() and (what := not_an_image(chunk)):
            message = f"the content is {what}"
            raise InvalidInputError(message)
        content.write(chunk)
        if content.tell() > MAX_FILE_BYTES:
            message = f"there are more than {MAX_FILE_BYTES} bytes, too many for an image; check what is read"
            raise InvalidInputError(message)
    return content.getvalue()
