"""What goes in: images and videos as callers have them, made into what a client takes."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard

from attrs import field, frozen

from rekog_emotion.errors import InvalidInputError, MissingExtraError
from rekog_emotion.media.containers import refusal
from rekog_emotion.media.decoding import check_pixels
from rekog_emotion.media.files import BinaryFile, opened, read_all, read_file
from rekog_emotion.media.formats import not_a_video, not_an_image
from rekog_emotion.media.headers import read_header
from rekog_emotion.sources.places import locate, parse_s3_uri, s3_uri, s3_wire
from rekog_emotion.text import shown
from rekog_emotion.values.faces import S3Object

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = [
    "BinaryFile",
    "ImageSource",
    "PreparedImage",
    "PreparedVideo",
    "VideoSource",
    "name_of",
    "parse_s3_uri",
    "prepare_image",
    "prepare_video",
    "s3_wire",
]

MAX_BYTES: Final = 5_242_880  # ImageBlob of the service model; botocore does not check it
MIN_SIDE: Final = 80  # pixels, as the service documents; under it says no more than "Request has Invalid Parameters"
_HEAD: Final = 1024  # bytes
_IN_MEMORY: Final = "a video is read from a file, not from memory"
_DIMENSIONS: Final = 3  # of a picture: height, width and channels

ImageSource: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryFile | Image.Image | NDArray[np.uint8] | S3Object"
)
VideoSource: TypeAlias = "str | os.PathLike[str] | S3Object"


@frozen(kw_only=True)
class PreparedImage:
    """An image as a client takes it.

    Attributes:
        wire: The ``Image`` parameter of DetectFaces: ``{"Bytes": ...}`` or ``{"S3Object": {...}}``.
        size: Width and height in pixels of the picture as a viewer shows it, before any shrinking; ``None`` in S3.
        name: The exact path or address as it was given, or for example ``"<bytes>"``; messages show it by `shown`.
    """

    wire: dict[str, Any] = field(repr=False)
    size: tuple[int, int] | None
    name: str


@frozen(kw_only=True)
class PreparedVideo:
    """Where a video is.

    Attributes:
        place: The local file, which exists and is not empty, or the object in S3.
        name: The exact path or address as it was given; messages show it by `shown`.
    """

    place: Path | S3Object
    name: str


def prepare_image(source: ImageSource) -> PreparedImage:
    """Make an image into what a client takes.

    A JPEG or PNG within the service's limits goes out byte for byte and needs no Pillow. A file of another format that
    is read, and any of more than 5 242 880 bytes, is turned by its EXIF orientation, converted to 8-bit RGB over white
    and encoded as a JPEG that fits. PIL images and arrays are taken as they stand, and become a PNG while they are
    small, else a JPEG of high quality. The content decides what a file is, never its suffix.

    Args:
        source: A path; bytes; a binary file object, which is read from its current position to its end and neither
            closed nor rewound; a PIL image; an array of uint8, height x width x 3 (RGB), height x width x 4 (RGBA) or
            height x width (grey); ``s3://bucket/key``, whose key is taken as it is but for a final ``?versionId=...``;
            or an `S3Object`.

    Returns:
        The image, its size and its name.

    Raises:
        InvalidInputError: The source is no image, or one that the service would refuse.
        MissingExtraError: The image has to be converted, and the ``image`` extra is not installed.
    """
    name = name_of(source)
    if isinstance(source, str | os.PathLike):
        source = locate(source)
    if isinstance(source, S3Object):
        return PreparedImage(wire={"S3Object": s3_wire(source)}, size=None, name=name)
    with _naming(source):
        data, size = _encoded(source, name)
    return PreparedImage(wire={"Bytes": data}, size=size, name=name)


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
            head = file.read(_HEAD)
            broken = refusal(file)
        if not head:
            message = "the file is empty; check how it was written"
            raise InvalidInputError(message)
        if what := not_a_video(head):
            message = f"the content is {what}"
            raise InvalidInputError(message)
        if broken:
            raise InvalidInputError(broken)
    return PreparedVideo(place=source, name=name)


def _encoded(source: object, name: str) -> tuple[bytes, tuple[int, int]]:
    """Return the bytes to send and the size that they show."""
    if isinstance(source, Path):
        with opened(source) as file:
            data = read_all(file)
        return _fitted(data, name)
    if isinstance(source, bytes | bytearray | memoryview):
        return _fitted(bytes(source), name)  # the same object when it is bytes already
    if _is_image(source):
        return _from_image(source)
    if _is_array(source):
        return _from_array(source, name)
    if _is_file(source):
        return _fitted(read_file(source), name)
    if inspect.isawaitable(source):
        message = "this was not awaited; pass what `await` gives"
        raise InvalidInputError(message)
    message = (
        "this is no image; pass a path, bytes, a binary file object, a PIL image, an RGB array, an s3:// URI or an "
        "S3Object"
    )
    raise InvalidInputError(message)


def _fitted(data: bytes, name: str) -> tuple[bytes, tuple[int, int]]:
    if not data:
        message = "there are no bytes; check how they were read or written"
        raise InvalidInputError(message)
    header = read_header(data)
    if header:
        check_pixels(header.width, header.height)
        _check_size(header.size)
        if len(data) <= MAX_BYTES:
            return data, header.size
    elif what := not_an_image(data):
        message = f"the content is {what}"
        raise InvalidInputError(message)
    kind = f"of over {MAX_BYTES} bytes" if header else "that is neither JPEG nor PNG"
    with _image_extra(f"{shown(name)}: an image {kind}"):
        from rekog_emotion.media import images  # noqa: PLC0415 -- Pillow is an extra
    image, size = images.load_sized(data, enough=images.enough_pixels(MAX_BYTES))
    _check_size(size)
    return images.fit_jpeg(image, max_bytes=MAX_BYTES, min_side=MIN_SIDE), size


def _from_image(image: Image.Image) -> tuple[bytes, tuple[int, int]]:
    from rekog_emotion.media import images  # noqa: PLC0415 -- Pillow is an extra, though here it is surely installed

    _check_size(image.size)
    rgb = images.flattened(image)
    return images.encode(rgb, max_bytes=MAX_BYTES, min_side=MIN_SIDE), rgb.size


def _from_array(array: NDArray[Any], name: str) -> tuple[bytes, tuple[int, int]]:
    if wrong := _wrong_array(array):
        raise InvalidInputError(wrong)
    height, width = array.shape[:2]
    _check_size((width, height))
    with _image_extra(f"{shown(name)}: encoding an array"):
        from rekog_emotion.media import images  # noqa: PLC0415 -- Pillow is an extra
    return _from_image(images.from_array(array))


def _wrong_array(array: NDArray[Any]) -> str | None:
    if array.dtype.kind == "f":
        return (
            f"the array is {array.dtype}; pass uint8 from 0 to 255, for values from 0 to 1 as "
            "(array * 255).round().astype('uint8')"
        )
    if array.dtype.kind == "b":
        return "the array is bool; pass array.astype('uint8') * 255"
    if array.dtype.kind not in "iu":
        return f"the array is {array.dtype}, which is no colour; pass uint8 from 0 to 255"
    if array.dtype != "uint8":
        return f"the array is {array.dtype}; scale it to 0..255 and pass array.astype('uint8')"
    match array.shape:
        case (_, _) | (_, _, 1 | 3 | 4):
            return None
        case (1 | 3 | 4, _, _):
            mend = "the channels come first, so pass array.transpose(1, 2, 0)"
        case (_, _, _, _):
            mend = "these look like several images, so pass one at a time"
        case (_,):
            mend = "pass array.tobytes() when it holds the content of a file, else height x width x 3 (RGB)"
        case _:
            mend = "pass height x width x 3 (RGB), height x width x 4 (RGBA) or height x width (grey)"
    return f"the shape of the array is {array.shape}; {mend}"


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
        if isinstance(name, str) and os.path.isfile(name):  # noqa: PTH113 -- Path.is_file() raises for odd names
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


def _check_size(size: tuple[int, int]) -> None:
    if min(size) < MIN_SIDE:
        message = (
            f"the image has {size[0]} x {size[1]} pixels, and at least {MIN_SIDE} a side are needed; pass a larger one"
        )
        raise InvalidInputError(message)


def _is_image(source: object) -> TypeGuard[Image.Image]:
    # Nobody has an instance of an optional package's class without having imported it.
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(source, pillow.Image)


def _is_array(source: object) -> TypeGuard[NDArray[Any]]:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(source, numpy.ndarray)


def _is_file(source: object) -> TypeGuard[BinaryFile]:
    return callable(getattr(source, "read", None)) and not isinstance(source, type)


def name_of(source: object) -> str:
    """Return the exact path or address of a source as it was given; what has none is named by what it is."""
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    if isinstance(source, S3Object):
        return s3_uri(source)
    return "None" if source is None else _kind(source)


def _kind(source: object) -> str:
    if _is_image(source):
        return "<PIL image>"
    if _is_array(source):
        return "<array>"
    if _is_file(source):
        name = getattr(source, "name", None)
        return f"<file {os.fsdecode(name)}>" if isinstance(name, str | bytes) and name else "<file>"
    return f"<{type(source).__name__}>"


@contextmanager
def _naming(source: object) -> Iterator[None]:
    """Say in an error which source it is about."""
    try:
        yield
    except InvalidInputError as error:
        message = f"{shown(name_of(source))}: {error.message}"
        raise InvalidInputError(message) from error.__cause__


@contextmanager
def _image_extra(what: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(what, extra="image") from error
