"""The file that was analysed, where it is still at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.files import is_file, opened
from rekog_emotion.text import shown
from rekog_emotion.values.base import short
from rekog_emotion.values.numbers import as_float
from rekog_emotion.values.s3 import is_s3_uri

if TYPE_CHECKING:
    from rekog_emotion.results.protocols import AnyFaces, VideoFaces

__all__ = ["check_readable", "check_same_video", "file_of", "has_shape_of", "is_at_hand", "readable"]

_TOLERANCE: Final = 0.02  # of width / height: a copy shrunk to whole pixels is that much off
# Sound may go on for a moment, and a container that was cut or joined may end at another picture.
_SLACK: Final = 1000  # milliseconds
_SHARE: Final = 0.02  # of the file's length


def is_at_hand(analysis: AnyFaces) -> bool:
    """Tell whether what was analysed is a file of this machine that is still there."""
    source = analysis.source
    return source is not None and not _is_no_path(source) and is_file(source)


def file_of(analysis: AnyFaces, *, kind: str, how: str) -> Path:
    """Return the path of what was analysed.

    Args:
        analysis: Of a picture or a video.
        kind: ``"picture"`` or ``"video"``.
        how: The call by which one passes it.

    Raises:
        InvalidInputError: It was not a file, or is no longer there.
    """
    source = analysis.source
    if source is None:
        msg = f"the analysis does not know its {kind}: pass it, {how}"
        raise InvalidInputError(msg)
    if _is_no_path(source):
        msg = f"the {kind} was {shown(source)}, not a file of this machine: pass it, {how}"
        raise InvalidInputError(msg)
    if not is_at_hand(analysis):
        msg = f"{shown(source)}: the {kind} that was analysed is no longer there: pass it, {how}"
        raise InvalidInputError(msg)
    return Path(source)


def _is_no_path(source: str) -> bool:
    return is_s3_uri(source) or (source.startswith("<") and source.endswith(">"))


@contextmanager
def readable(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open the file of a picture or a video; where it cannot be read, the error names it and says what to do.

    Raises:
        InvalidInputError: There is no such file, it is a directory, or it cannot be read.
    """
    try:
        with opened(Path(path)) as file:
            yield file
    except InvalidInputError as error:
        msg = f"{shown(os.fsdecode(path))}: {error.message}"
        raise InvalidInputError(msg) from error.__cause__


def has_shape_of(size: tuple[int, int], analyzed: tuple[int, int]) -> bool:
    """Tell whether boxes of what was analysed are at the right places on something of another size."""
    return min(analyzed) > 0 and abs(Fraction(size[0] * analyzed[1], size[1] * analyzed[0]) - 1) <= _TOLERANCE


def check_same_video(analysis: VideoFaces, path: str | os.PathLike[str]) -> None:
    """Refuse a file that is certainly not the video of an analysis: its faces would be anywhere, and stay visible.

    Raises:
        InvalidInputError: It has another shape or another length than what was analysed, it holds no video, or it
            cannot be read. What nobody has told is not compared.
    """
    check_readable(path)
    metadata = analysis.metadata
    size = analysis.size if analysis.size is not None and min(analysis.size) > 0 else None
    length = metadata.duration_millis if metadata is not None and (metadata.duration_millis or 0) > 0 else None
    if size is None and length is None:
        return
    from rekog_emotion.media.samples import extent_of

    sizes, lengths = extent_of(path)
    fits = size is None or any(has_shape_of(one, size) for one in sizes)
    if fits and (length is None or not lengths or any(_is_about(length, one) for one in lengths)):
        return
    here, there = [], []
    if size is not None:
        here.append("{} x {} pixels".format(*sizes[0]))
        there.append("{} x {} pixels".format(*map(short(0), size)))
    if length is not None and lengths:
        here.append(f"{lengths[0] / 1000:.1f} s")
        there.append(f"{as_float(length) / 1000:.1f} s")
    msg = (
        f"{shown(os.fsdecode(path))} is not the video that was analysed: it has {' and '.join(here)}, and the analysed "
        f"one had {' and '.join(there)}; pass that one, or a copy of its shape and length"
    )
    raise InvalidInputError(msg)


def check_readable(path: str | os.PathLike[str]) -> None:
    """Refuse a file that cannot be read; see :func:`readable`."""
    with readable(path):
        pass


def _is_about(told: int, length: int) -> bool:
    return abs(told - length) <= _SLACK + _SHARE * length
