"""What the commands write: results for people or programs to standard output, errors in one line to standard error."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TextIO, cast

from rekog_emotion.errors import (
    JobError,
    RekogEmotionError,
    ResponseError,
    ServiceError,
    StagingError,
    TransportError,
)
from rekog_emotion.redaction import withhold
from rekog_emotion.text import plain, quoted, shown

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "NO_READER",
    "OK",
    "PROGRAM",
    "TERMINATED",
    "UNUSABLE",
    "OutputError",
    "Terminal",
    "as_typed",
    "for_programs",
    "interrupted",
    "note",
    "one_line",
    "report",
    "say",
    "standard_output",
]

PROGRAM: Final = "rekog-emotion"
DEBUG_VARIABLE: Final = "REKOG_EMOTION_DEBUG"

# Exit codes; of several photos the highest counts.
OK: Final = 0
FAILED: Final = 1
UNUSABLE: Final = 2
INTERRUPTED: Final = 128 + 2  # as a shell reports SIGINT
NO_READER: Final = 128 + 13  # as a shell reports SIGPIPE
TERMINATED: Final = 128 + 15  # as a shell reports SIGTERM

# The library speaks of its arguments, a command of its options.
_OPTIONS: Final = {
    'client="embedded"': "--client embedded",
    'staging="s3://bucket/prefix/"': "--staging s3://bucket/prefix/",
    "it goes on until its client is closed, so wait again with the same client, or give it more time": (
        "it has ended with this command; give it more time with --timeout"
    ),
    "or None for no limit": "or leave it out",
    ", or all of it to detect_images()": "",
    ", or pass it to detect_images() if it is a pattern of many": "",
    "pass it to analyze_video": "use rekog-emotion video",
    "pass it to detect_image": "use rekog-emotion image",
}
_ARGUMENTS: Final = re.compile(r"(?<!\S)(checkpoint|max_calls|rate|staging)=")  # not those of an address
_FAILED_CALLS: Final = (JobError, ResponseError, ServiceError, StagingError, TransportError)


def interrupted(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code of a command that a signal has ended; SIGTERM says so in the interrupt."""
    return TERMINATED if interrupt.args == (signal.SIGTERM,) else INTERRUPTED


class OutputError(Exception):
    """Standard output cannot be written: its disk is full, or it is closed. It is no fault of what was analysed."""


class _Output:
    """Standard output, whose own errors can be told from those of files and photos."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the stream has
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with _told():
            return self._stream.write(text)

    def flush(self) -> None:
        with _told():
            self._stream.flush()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:  # the latter of a stream that was closed
        reason = (isinstance(error, OSError) and error.strerror) or error
        msg = f"standard output cannot be written: {reason}; make room, or send it elsewhere"
        raise OutputError(msg) from error


@contextmanager
def standard_output() -> Iterator[None]:
    """Let what fails in writing to standard output within this block be an :class:`OutputError`, however it is written.

    Raises:
        OutputError: It cannot be written, at the latest when the block ends.
    """
    stream = sys.stdout
    guarded = _Output(stream)
    sys.stdout = cast("TextIO", guarded)
    try:
        try:
            yield
        finally:
            guarded.flush()
    finally:
        sys.stdout = stream


@contextmanager
def standard_error() -> Iterator[None]:
    """Let go of what cannot be said on standard error by the end of this block: the exit code is that of the work."""
    try:
        yield
    finally:
        try:
            sys.stderr.flush()
        except (OSError, ValueError):  # the latter of a stream that was closed
            let_go_of(sys.stderr)


def let_go_of(stream: TextIO) -> None:
    """Keep Python from a complaint and an exit code of its own: it flushes the stream once more on its way out."""
    with suppress(ValueError):  # a stream that is no file, or is closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Terminal:
    """What a table of text is written to where standard output is a terminal: its cells are shown, never obeyed."""

    def write(self, text: str) -> int:
        """Write as much as a terminal may be given."""
        return sys.stdout.write(plain(text))


def for_programs(args: argparse.Namespace) -> bool:
    """Tell whether programs read the output: it was said so, or it does not go to a terminal."""
    return bool(args.json) or not sys.stdout.isatty()


def say(text: str) -> None:
    """Print a line to standard output at once, so that a reader sees each result when it is there."""
    print(plain(text), flush=True)  # noqa: T201 -- it is what a command does


def note(text: str) -> None:
    """Print a line for people to standard error, where programs read standard output."""
    with suppress(OSError):  # where it cannot be said, nothing is lost that was asked for
        print(plain(text), file=sys.stderr, flush=True)  # noqa: T201 -- it is what a command does


def report(error: Exception, *, about: str = "", debug: bool = False, options: Mapping[str, str] | None = None) -> int:
    """Print an error to standard error in one line.

    Args:
        error: Any error.
        about: The photo that it is about; put before a message that does not begin with it.
        debug: Print the traceback as well; the environment variable ``REKOG_EMOTION_DEBUG`` says the same.
        options: What the command calls arguments of the library, where its options have other names.

    Returns:
        Its exit code.
    """
    if not isinstance(error, RekogEmotionError):  # of those, what is foreign in them was seen to
        withhold(error)
    debug = debug or os.environ.get(DEBUG_VARIABLE, "0") not in {"", "0"}
    if isinstance(error, OutputError):
        message, code = str(error), FAILED
    elif isinstance(error, RekogEmotionError):
        message, code = str(error), FAILED if isinstance(error, _FAILED_CALLS) else UNUSABLE
    else:
        message, code = ": ".join(filter(None, (f"unexpected {type(error).__name__}", quoted(error)))), FAILED
        if not debug:
            message = f"{message} (--debug shows where)"
    if about and not message.startswith((about, *_as_named(about))):
        message = f"{about}: {message}"
    if debug:
        note("".join(traceback.format_exception(error)).rstrip("\n"))
    note(f"{PROGRAM}: {one_line(as_typed(message, options))}")
    return code


def as_typed(message: str, options: Mapping[str, str] | None = None) -> str:
    """Return a message of the library with a command's options in it instead of arguments."""
    for argument, option in _OPTIONS.items():
        message = message.replace(argument, option)
    return _ARGUMENTS.sub(lambda found: f"{(options or {}).get(found[1], _option(found[1]))} ", message)


def _option(argument: str) -> str:
    return f"--{argument.replace('_', '-')}"


def _as_named(photo: str) -> tuple[str, ...]:
    """Return what the library's messages call a photo: ``./a.jpg`` is ``a.jpg``, and odd signs are escapes."""
    return shown(photo), shown(str(Path(photo)))


def one_line(text: str) -> str:
    """Return a text on one line, with what a terminal cannot show or would obey written as an escape.

    File names may hold line ends, control sequences and bytes that are no text.
    """
    return plain(" ".join(text.split()))
