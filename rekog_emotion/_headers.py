"""Format, size, orientation and end of a JPEG or PNG, read from its headers alone: no pixel is decoded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from attrs import frozen

from rekog_emotion.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_PIXELS", "ImageHeader", "check_pixels", "read_header"]

#: The largest phone photos (16 320 x 12 240) just fit; one decoded copy at Pillow's 4 bytes a pixel takes 800 MB.
MAX_PIXELS: Final = 200_000_000

_JPEG_START: Final = b"\xff\xd8\xff"
# FF 00 is a stuffed data byte, FF FF a fill byte, D0..D7 are restart markers: none of them ends a run of picture data.
_JPEG_MARKER: Final = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_EOI: Final = 0xD9
_JPEG_END: Final = bytes([0xFF, _EOI])
_SOS: Final = 0xDA
_APP1: Final = 0xE1
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..SOF15 less DHT, JPG and DAC
_WITHOUT_LENGTH: Final = frozenset({*range(0x01, 0xC0), 0xD8})  # TEM, reserved, a second SOI

_EXIF_START: Final = b"Exif\x00"  # the byte that follows pads, and not every writer makes it zero
_ORIENTATION_TAG: Final = 0x0112
_ORIENTATIONS: Final = range(1, 9)
_ON_ITS_SIDE: Final = range(5, 9)
_BYTE_ORDERS: Final[dict[bytes, Literal["little", "big"]]] = {b"II": "little", b"MM": "big"}
_INTEGER_SIZES: Final = {1: 1, 3: 2, 4: 4}  # TIFF types BYTE, SHORT, LONG: the standard says SHORT, writers vary

_PNG_START: Final = b"\x89PNG\r\n\x1a\n"


@frozen(kw_only=True)
class ImageHeader:
    """What the headers of a JPEG or PNG say.

    Attributes:
        format: ``"JPEG"`` or ``"PNG"``.
        width: Columns as stored, before any turning.
        height: Rows as stored.
        orientation: EXIF orientation of a JPEG, 1..8; always 1 for a PNG, whose EXIF the service ignores.
    """

    format: Literal["JPEG", "PNG"]
    width: int
    height: int
    orientation: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as a viewer shows the picture, turned by its orientation."""
        return (self.height, self.width) if self.orientation in _ON_ITS_SIDE else (self.width, self.height)


def read_header(data: bytes) -> ImageHeader | None:
    """Read the headers of a JPEG or PNG in one pass; bytes after its end marker are legal and ignored.

    Args:
        data: The whole file: without its end it counts as truncated.

    Returns:
        What the headers say, or ``None`` when the data is neither a JPEG nor a PNG.

    Raises:
        InvalidInputError: The file is truncated, or its headers describe no picture.
    """
    if data.startswith(_JPEG_START):
        return _read_jpeg(data)
    if data.startswith(_PNG_START):
        return _read_png(data)
    return None


def check_pixels(width: int, height: int, *, limit: int = MAX_PIXELS) -> None:
    """Refuse a decompression bomb: a small file whose pixels would fill the memory.

    Args:
        width: Columns, in pixels.
        height: Rows, in pixels.
        limit: The most pixels that are taken.

    Raises:
        InvalidInputError: There are more.
    """
    if width * height > limit:
        message = (
            f"the image has {width} x {height} pixels, more than the {limit} that are decoded (a decompression "
            "bomb?); shrink it first"
        )
        raise InvalidInputError(message)


def _read_jpeg(data: bytes) -> ImageHeader:
    width = height = orientation = None
    scanned = False
    for marker, content in _jpeg_segments(data):
        if marker == _SOS:
            scanned = True
            if data.endswith(_JPEG_END):
                break  # nothing behind here is of interest, and to look through all of it would take the longest
        elif scanned:
            continue
        elif marker in _FRAMES and width is None:
            # Sample precision (1 byte), lines (2), samples a line (2): ITU-T T.81, B.2.2.
            height, width = _integer(content[1:3]), _integer(content[3:5])
        elif marker == _APP1 and orientation is None and content.startswith(_EXIF_START):
            orientation = _exif_orientation(content[6:])
    if width is None or height is None:
        _broken("JPEG", "it has no frame header (SOF)")
    if not scanned:
        _broken("JPEG", "it has no picture data (SOS)")
    return _header("JPEG", width, height, orientation or 1)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and content of each segment up to EOI, which has to come."""
    position = 2
    while match := _JPEG_MARKER.search(data, position):
        marker, position = match[1][0], match.end()
        if marker == _EOI:
            return
        if marker in _WITHOUT_LENGTH:
            continue
        length = _integer(data[position : position + 2])  # counts its own two bytes
        yield marker, data[position + 2 : position + length]
        position += max(length, 2)
    _truncated("JPEG", "EOI")


def _exif_orientation(tiff: bytes) -> int:
    """Read the orientation from IFD 0; whatever is malformed means 1, as viewers take it."""
    order = _BYTE_ORDERS.get(tiff[:2])
    if order is None:
        return 1
    ifd = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[ifd : ifd + 2], order)
    # Tag (2 bytes), type (2), count (4), value (4): TIFF 6.0, section 2.
    for entry in range(ifd + 2, min(ifd + 2 + 12 * count, len(tiff) - 11), 12):
        if int.from_bytes(tiff[entry : entry + 2], order) == _ORIENTATION_TAG:
            size = _INTEGER_SIZES.get(int.from_bytes(tiff[entry + 2 : entry + 4], order), 0)
            value = int.from_bytes(tiff[entry + 8 : entry + 8 + size], order)
            return value if value in _ORIENTATIONS else 1
    return 1


def _read_png(data: bytes) -> ImageHeader:
    width = height = None
    pictured = False
    for kind, content in _png_chunks(data):
        if width is None:
            if kind != b"IHDR":
                _broken("PNG", "it does not begin with its header (IHDR)")
            width, height = _integer(data[content : content + 4]), _integer(data[content + 4 : content + 8])
        pictured = pictured or kind == b"IDAT"
    if width is None or height is None or not pictured:
        _broken("PNG", "it has no picture data (IDAT)")
    return _header("PNG", width, height, 1)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield type and start of the content of each chunk up to IEND, which has to come."""
    position = len(_PNG_START)
    # Length (4 bytes), type (4), content, checksum (4): PNG specification, 5.3.
    while position + 12 + (length := _integer(data[position : position + 4])) <= len(data):
        kind = data[position + 4 : position + 8]
        if kind == b"IEND":
            return
        yield kind, position + 8
        position += 12 + length
    _truncated("PNG", "IEND")


def _header(kind: Literal["JPEG", "PNG"], width: int, height: int, orientation: int) -> ImageHeader:
    if not width or not height:
        _broken(kind, "its header gives it no width or no height")
    return ImageHeader(format=kind, width=width, height=height, orientation=orientation)


def _integer(octets: bytes) -> int:
    return int.from_bytes(octets, "big")


def _truncated(kind: str, marker: str) -> NoReturn:
    message = f"the {kind} is truncated: its end marker ({marker}) is missing; get a complete copy of it"
    raise InvalidInputError(message)


def _broken(kind: str, what: str) -> NoReturn:
    message = f"the {kind} is broken: {what}; get an intact copy of it"
    raise InvalidInputError(message)
