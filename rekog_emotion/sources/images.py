"""What goes in: images and videos as callers have them, made into what a client takes."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import evolve, field, frozen

from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.media.decoding import check_pixels
from rekog_emotion.media.files import BinaryFile, is_folder, opened, read_all, read_file
from rekog_emotion.media.formats import not_an_image
from rekog_emotion.media.headers import ImageHeader, read_header
from rekog_emotion.sources.collections import is_collection, prefix_of
from rekog_emotion.sources.naming import Picture, _is_array, _is_file, _is_image, _naming, name_of, told_of
from rekog_emotion.sources.places import locate
from rekog_emotion.text import shown
from rekog_emotion.values.s3 import S3Object, parse_s3_uri, s3_wire
from rekog_emotion.wire.service import MAX_IMAGE_BYTES, MIN_IMAGE_SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

__all__ = [
    "BinaryFile",
    "ImageSource",
    "PreparedImage",
    "parse_s3_uri",
    "prepare_image",
    "prepare_pixels",
    "ready_image",
    "s3_wire",
]

_DIMENSIONS: Final = 3  # of a picture: height, width and channels

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryFile | Picture | S3Object


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
        _check_one(source)
        source = locate(source)
    if (ready := ready_image(source)) is not None:
        return evolve(ready, name=name)
    with _naming(source):
        data, size = _encoded(source, told_of(source))
    return PreparedImage(wire={"Bytes": data}, size=size, name=name)


def _check_one(place: str | os.PathLike[str]) -> None:
    """Say of a place of many photos which verb takes it."""
    if not is_collection(place):
        return
    text = os.fsdecode(os.fspath(place))
    if is_folder(text):
        what = "this is a directory; pass the path of a file in it, or all of it to detect_images()"
    elif isinstance(place, str) and (prefix := prefix_of(place)) is not None:
        if not prefix.prefix:
            return  # a key is missing, which is what whoever reads the address says
        what = "this is a prefix, as it ends with /; pass s3://bucket/key of a photo, or all of it to detect_images()"
    else:
        what = "there is no such file; check the path, or pass it to detect_images() if it is a pattern of many"
    message = f"{shown(text)}: {what}"
    raise InvalidInputError(message)


def prepare_pixels(source: Any, seconds: float) -> PreparedImage:  # noqa: ANN401 -- an array or a PIL picture
    """Make a picture of a stream into what a client takes that has ``"pixels"``: nothing is encoded.

    Args:
        source: A PIL image or an array, as for `prepare_image`.
        seconds: When it was taken.

    Raises:
        InvalidInputError: It is no picture, or one that the service would refuse.
        MissingExtraError: The ``image`` extra is not installed.
    """
    name = name_of(source)
    with _naming(source):
        rgb = _flat(source) if _is_image(source) else _flat_array(source, told_of(source))
    return PreparedImage(wire={"Pixels": rgb, "Seconds": seconds}, size=rgb.size, name=name)


def ready_image(source: object) -> PreparedImage | None:
    """Return what `prepare_image` does where that takes no time; ``None`` for what is to be read, or converted."""
    if isinstance(source, S3Object):
        return PreparedImage(wire={"S3Object": s3_wire(source)}, size=None, name=name_of(source))
    if not isinstance(source, bytes) or len(source) > MAX_IMAGE_BYTES:
        return None
    with _naming(source):
        header = read_header(source)
        if header is None:
            return None
        _check_header(header)
    return PreparedImage(wire={"Bytes": source}, size=header.size, name=name_of(source))


def _encoded(source: object, told: str) -> tuple[bytes, tuple[int, int]]:
    """Return the bytes to send and the size that they show."""
    if isinstance(source, Path):
        with opened(source) as file:
            data = read_all(file)
        return _fitted(data, told)
    if isinstance(source, bytes | bytearray | memoryview):
        return _fitted(bytes(source), told)  # the same object when it is bytes already
    if _is_image(source):
        return _from_image(_flat(source))
    if _is_array(source):
        return _from_image(_flat_array(source, told))
    if _is_file(source):
        return _fitted(read_file(source), told)
    if inspect.isawaitable(source):
        message = "this was not awaited; pass what `await` gives"
        raise InvalidInputError(message)
    message = (
        "this is no image; pass a path, bytes, a binary file object, a PIL image, an RGB array, an s3:// URI or an "
        "S3Object"
    )
    raise InvalidInputError(message)


def _fitted(data: bytes, told: str) -> tuple[bytes, tuple[int, int]]:
    if not data:
        message = "there are no bytes; check how they were read or written"
        raise InvalidInputError(message)
    header = read_header(data)
    if header:
        _check_header(header)
        if len(data) <= MAX_IMAGE_BYTES:
            return data, header.size
    elif what := not_an_image(data):
        message = f"the content is {what}"
        raise InvalidInputError(message)
    kind = f"of over {MAX_IMAGE_BYTES} bytes" if header else "that is neither JPEG nor PNG"
    with needs("image", f"{told}: an image {kind}"):
        from rekog_emotion.media import images
    image, size = images.load_sized(data, enough=images.enough_pixels(MAX_IMAGE_BYTES))
    _check_size(size)
    return images.fit_jpeg(image, max_bytes=MAX_IMAGE_BYTES, min_side=MIN_IMAGE_SIDE), size


def _check_header(header: ImageHeader) -> None:
    check_pixels(header.width, header.height)
    _check_size(header.size)


def _from_image(rgb: Image.Image) -> tuple[bytes, tuple[int, int]]:
    from rekog_emotion.media import images

    return images.encode(rgb, max_bytes=MAX_IMAGE_BYTES, min_side=MIN_IMAGE_SIDE), rgb.size


def _flat(image: Image.Image) -> Image.Image:
    """Return a picture in mode RGB."""
    from rekog_emotion.media import images

    _check_size(image.size)
    return images.flattened(image)


def _flat_array(array: NDArray[Any], told: str) -> Image.Image:
    """Return the picture that is in an array, in mode RGB."""
    if wrong := _wrong_array(array):
        raise InvalidInputError(wrong)
    height, width = array.shape[:2]
    _check_size((width, height))
    with needs("image", f"{told}: encoding an array"):
        from rekog_emotion.media import images
    return _flat(images.from_array(array))


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


def _check_size(size: tuple[int, int]) -> None:
    if min(size) < MIN_IMAGE_SIDE:
        needed = f"at least {MIN_IMAGE_SIDE} a side are needed; pass a larger one"
        message = f"the image has {size[0]} x {size[1]} pixels, and {needed}"
        raise InvalidInputError(message)
