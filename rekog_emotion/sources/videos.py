"""Videos that callers pass."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

from attrs import frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.diagnosis import why_no_video
from rekog_emotion.media.files import is_file, opened
from rekog_emotion.media.formats import not_a_video
from rekog_emotion.media.mp4 import video_seconds
from rekog_emotion.sources.images import _DIMENSIONS
from rekog_emotion.sources.naming import _is_array, _is_file, _is_image, _naming, name_of
from rekog_emotion.sources.places import locate
from rekog_emotion.values.s3 import S3Object, s3_wire

__all__ = ["PreparedVideo", "VideoSource", "prepare_video"]

_HEAD: Final = 1024  # bytes
_IN_MEMORY: Final = "a video is read from a file, not from memory"
VideoSource: TypeAlias = str | os.PathLike[str] | S3Object


@frozen(kw_only=True)
class PreparedVideo:
    """Where a video is.

    Attributes:
        place: The local file, which exists and is not empty, or the object in S3.
        name: The exact path or address as it was given; messages show it by `shown`.
        seconds: How long a local file is, where its header says so.
    """

    place: Path | S3Object
    name: str
    seconds: float | None = None


def prepare_video(source: VideoSource) -> PreparedVideo:
    """Find a video.

    Args:
        source: A path, ``s3://bucket/key`` (as for `prepare_image`) or an `S3Object`.

    Returns:
        Where it is, and its name.

    Raises:
        InvalidInputError: There is no such file, it is empty or certainly no video, or the address cannot be used.
    """
    name = name_of(source)
    if isinstance(source, str | os.PathLike):
        source = locate(source)
    if isinstance(source, S3Object):
        s3_wire(source)
        return PreparedVideo(place=source, name=name)
    with _naming(source):
        if not isinstance(source, Path):
            raise InvalidInputError(_wrong_video(source))
        # By os.path, which has no errors of its own: what is wrong with a path is told by `opened`.
        if os.path.exists(source) and not os.path.isfile(source) and not os.path.isdir(source):  # noqa: PTH110, PTH112, PTH113
            message = "this is a pipe or a device, and a video is a file; write it to one and pass its path"
            raise InvalidInputError(message)
        with opened(source) as file:
            wrong = why_no_video(file)
        if wrong:
            raise InvalidInputError(wrong)
    return PreparedVideo(place=source, name=name, seconds=video_seconds(source))


def _wrong_video(source: object) -> str:
    """Say why something that is neither a path nor an address is no video, and what to do with it."""
    if isinstance(source, bytes | bytearray | memoryview):
        what = not_a_video(bytes(source[:_HEAD]))
        wrong = (
            f"the content is {what}" if what else f"{_IN_MEMORY}; write the bytes to a temporary file and pass its path"
        )
    elif inspect.isawaitable(source):
        wrong = "this was not awaited; await it, write what it gives to a temporary file and pass its path"
    elif inspect.iscoroutinefunction(getattr(source, "read", None)):
        wrong = f"{_IN_MEMORY}; write what `await file.read()` gives to a temporary file and pass its path"
    elif _is_file(source):
        name = getattr(source, "name", None)
        if isinstance(name, str) and is_file(name):
            wrong = "this is an open file, and a video is read by its path; pass that instead"
        else:
            wrong = f"{_IN_MEMORY}; copy the file object to a temporary file (shutil.copyfileobj) and pass its path"
    elif _is_image(source) or (_is_array(source) and source.ndim <= _DIMENSIONS):
        wrong = "this is an image, not a video; pass it to detect_image"
    elif _is_array(source) or isinstance(source, list | tuple | set | frozenset | Iterator):
        wrong = "a video is one file; pass its path, or each of several pictures to detect_image"
    else:
        wrong = "this is no video; pass a path, an s3:// URI or an S3Object"
    return wrong
