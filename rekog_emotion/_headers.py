"""Format, size, orientation and end of a JPEG or PNG, read from its headers alone: no pixel is decoded."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from attrs import evolve, field, frozen

from rekog_emotion.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MAX_MEMORY",
    "MAX_PIXELS",
    "Decoding",
    "ImageHeader",
    "check_decoding",
    "check_pixels",
    "memory_of",
    "read_header",
]

#: The largest phone photos (16 320 x 12 240) just fit; one decoded copy at Pillow's 4 bytes a pixel takes 800 MB.
MAX_PIXELS: Final = 200_000_000
#: Bytes that one picture may take while it is decoded, converted and fitted, its file included.
MAX_MEMORY: Final = 900_000_000
#: Pixels over all scans of a progressive JPEG, of which an empty scan costs half a nanosecond to two each.
_MAX_SCANNED: Final = 2_000_000_000
_RGB: Final = 4  # bytes that Pillow spends on a pixel of three or four channels
_COEFFICIENT: Final = 2  # bytes that libjpeg spends on one

_JPEG_START: Final = b"\xff\xd8\xff"
# FF 00 is a stuffed data byte, FF FF a fill byte, D0..D7 are restart markers: none of them ends a run of picture data.
_JPEG_MARKER: Final = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_EOI: Final = 0xD9
_JPEG_END: Final = bytes([0xFF, _EOI])
_SOS: Final = 0xDA
_JPEG_SCAN: Final = bytes([0xFF, _SOS])
_RGB_CHANNELS: Final = 3
_APP1: Final = 0xE1
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..SOF15 less DHT, JPG and DAC
_WITHOUT_LENGTH: Final = frozenset({*range(0x01, 0xC0), 0xD8})  # TEM, reserved, a second SOI

_EXIF_START: Final = b"Exif\x00"  # the byte that follows pads, and not every writer makes it zero
_ORIENTATION_TAG: Final = 0x0112
_ORIENTATIONS: Final = range(1, 9)
_ON_ITS_SIDE: Final = range(5, 9)
_BYTE_ORDERS: Final[dict[bytes, Literal["little", "big"]]] = {b"II": "little", b"MM": "big"}
_INTEGER_SIZES: Final = {1: 1, 3: 2, 4: 4}  # TIFF types BYTE, SHORT, LONG: the standard says SHORT, writers vary

_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR, _INDEXED = 0, 2, 3  # colour types of PNG


@frozen(kw_only=True)
class Decoding:
    """What it takes to decode a picture, as its headers say.

    Attributes:
        pixels: Columns times rows.
        stored: Bytes a pixel of what is decoded.
        flat: That is RGB already, which need not be converted.
        kept: Bytes a pixel that the decoder keeps besides, until it has ended.
        draft: The decoder itself gives a half, a quarter or an eighth of width and height.
        turned: The picture is turned after it was decoded.
        scans: How often the decoder goes over the picture.
    """

    pixels: int
    stored: float = _RGB
    flat: bool = True
    kept: float = 0
    draft: bool = False
    turned: bool = False
    scans: int = 1

    def divisor(self, enough: int | None) -> int:
        """By what width and height can be divided so that enough pixels remain."""
        most = 1 if enough is None else max(1, math.isqrt(self.pixels // enough))
        return min(8, 1 << (most.bit_length() - 1)) if self.draft else most

    def memory(self, *, enough: int | None = None) -> int:
        """Estimate the bytes that decoding, converting to RGB and turning take at once, the file not counted.

        Args:
            enough: Pixels that suffice, see `rekog_emotion._imaging.load_rgb`; more are shrunk to about so many.
        """
        divisor = self.divisor(enough)
        result = _RGB / divisor**2
        stored = self.stored / divisor**2 if self.draft else self.stored
        converted = 0 if self.flat and (self.draft or divisor == 1) else result
        most = max(self.kept + stored, stored + converted, 2 * result if self.turned else 0)
        shrunk = 0 if enough is None else _RGB * min(enough, self.pixels)
        return max(int(most * self.pixels), int(result * self.pixels) + shrunk)


@frozen(kw_only=True)
class ImageHeader:
    """What the headers of a JPEG or PNG say.

    Attributes:
        format: ``"JPEG"`` or ``"PNG"``.
        width: Columns as stored, before any turning.
        height: Rows as stored.
        orientation: EXIF orientation of a JPEG, 1..8; always 1 for a PNG, whose EXIF the service ignores.
        decoding: What it takes to decode it.
    """

    format: Literal["JPEG", "PNG"]
    width: int
    height: int
    orientation: int = 1
    decoding: Decoding = field(eq=False)

    @decoding.default
    def _plain(self) -> Decoding:
        return Decoding(pixels=self.width * self.height)

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


def memory_of(data: bytes, *, enough: int | None = None) -> int:
    """Estimate the bytes that a JPEG or PNG takes besides its file while it is analysed, by its headers alone.

    Args:
        data: The whole file.
        enough: Pixels that suffice, see `rekog_emotion._imaging.load_rgb`.

    Returns:
        An upper bound to within some megabytes; 0 for what is refused before it is decoded.
    """
    try:
        header = read_header(data)
        if header is None:
            return 0
        check_decoding(header.decoding, header.size, enough=enough, file=len(data))
    except InvalidInputError:
        return 0
    return header.decoding.memory(enough=enough)


def check_decoding(decoding: Decoding, size: tuple[int, int], *, enough: int | None = None, file: int = 0) -> None:
    """Refuse a decompression bomb: a small file that would fill the memory, or keep a processor for long.

    Args:
        decoding: What decoding takes.
        size: Width and height, pixels.
        enough: Pixels that suffice.
        file: Bytes of the file.

    Raises:
        InvalidInputError: There are more than `MAX_PIXELS`, decoding takes more than `MAX_MEMORY`, or it goes over the
            picture too often.
    """
    check_pixels(*size)
    memory = decoding.memory(enough=enough) + file
    if memory > MAX_MEMORY:
        message = (
            f"the image has {size[0]} x {size[1]} pixels, and decoding it takes {memory // 10**6} MB, more than the "
            f"{MAX_MEMORY // 10**6} that one may take (a decompression bomb?); shrink it first"
        )
        raise InvalidInputError(message)
    if decoding.scans * decoding.pixels > _MAX_SCANNED:
        message = (
            f"the image has {size[0]} x {size[1]} pixels in {decoding.scans} scans, more than are decoded (a "
            "decompression bomb?); encode it anew, not progressive"
        )
        raise InvalidInputError(message)


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
    frame: tuple[int, bytes] | None = None
    orientation = None
    decoding = None
    scanned = False
    for marker, content, end in _jpeg_segments(data):
        if marker == _SOS:
            if decoding is None and frame is not None:
                decoding = _jpeg_decoding(data, frame, content, end)
            scanned = True
            if data.endswith(_JPEG_END):
                break  # nothing behind here is of interest, and to look through all of it would take the longest
        elif scanned:
            continue
        elif marker in _FRAMES and frame is None:
            frame = marker, content
        elif marker == _APP1 and orientation is None and content.startswith(_EXIF_START):
            orientation = _exif_orientation(content[6:])
    if frame is None:
        _broken("JPEG", "it has no frame header (SOF)")
    if not scanned or decoding is None:
        _broken("JPEG", "it has no picture data (SOS)")
    return _header("JPEG", *_jpeg_size(frame[1]), orientation or 1, decoding)


def _jpeg_size(frame: bytes) -> tuple[int, int]:
    # Sample precision (1 byte), lines (2), samples a line (2), components (1): ITU-T T.81, B.2.2.
    return _integer(frame[3:5]), _integer(frame[1:3])


def _jpeg_decoding(data: bytes, frame: tuple[int, bytes], scan: bytes, start: int) -> Decoding:
    """Tell what decoding takes, by the frame header and the first scan header.

    Where components come in several scans, as they always do in progressive files, libjpeg keeps the coefficients of
    the whole picture, and every scan goes over it.
    """
    marker, content = frame
    width, height = _jpeg_size(content)
    components = _integer(content[5:6])
    kept, scans = 0.0, 1
    if marker in _PROGRESSIVE or _integer(scan[:1]) < components:
        # Identifier (1 byte), horizontal and vertical sampling (4 bits each), table (1): once a component.
        sampling = [(octet >> 4, octet & 15) for octet in content[7::3][:components]]
        whole = max((h for h, _ in sampling), default=1) * max((v for _, v in sampling), default=1)
        kept = _COEFFICIENT * sum(h * v for h, v in sampling) / max(whole, 1)
        scans += data.count(_JPEG_SCAN, start, data.find(_JPEG_END, start))
    return Decoding(
        pixels=width * height,
        stored=1 if components == 1 else _RGB,
        flat=components == _RGB_CHANNELS,
        kept=kept,
        draft=True,
        scans=scans,
    )


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield marker, content and end of each segment up to EOI, which has to come."""
    position = 2
    while match := _JPEG_MARKER.search(data, position):
        marker, position = match[1][0], match.end()
        if marker == _EOI:
            return
        if marker in _WITHOUT_LENGTH:
            continue
        length = _integer(data[position : position + 2])  # counts its own two bytes
        content = data[position + 2 : position + length]
        position += max(length, 2)
        yield marker, content, position
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
    header = None
    pictured = keyed = False
    for kind, start, end in _png_chunks(data):
        if header is None:
            if kind != b"IHDR":
                _broken("PNG", "it does not begin with its header (IHDR)")
            header = data[start:end]
        pictured = pictured or kind == b"IDAT"
        keyed = keyed or kind == b"tRNS"
    if header is None or not pictured:
        _broken("PNG", "it has no picture data (IDAT)")
    width, height = _integer(header[:4]), _integer(header[4:8])
    return _header("PNG", width, height, 1, _png_decoding(width * height, *header[8:10], keyed=keyed))


def _png_decoding(pixels: int, depth: int = 8, colour: int = _COLOUR, *, keyed: bool) -> Decoding:
    stored = {_GREY: max(1, depth // 8), _INDEXED: 1}.get(colour, _RGB)  # of 16 bits a colour Pillow keeps 8
    return Decoding(pixels=pixels, stored=stored, flat=colour == _COLOUR and not keyed)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, and start and end of the content, of each chunk up to IEND, which has to come."""
    position = len(_PNG_START)
    # Length (4 bytes), type (4), content, checksum (4): PNG specification, 5.3.
    while position + 12 + (length := _integer(data[position : position + 4])) <= len(data):
        kind = data[position + 4 : position + 8]
        if kind == b"IEND":
            return
        yield kind, position + 8, position + 8 + length
        position += 12 + length
    _truncated("PNG", "IEND")


def _header(kind: Literal["JPEG", "PNG"], width: int, height: int, orientation: int, decoding: Decoding) -> ImageHeader:
    if not width or not height:
        _broken(kind, "its header gives it no width or no height")
    decoding = evolve(decoding, turned=orientation != 1)
    return ImageHeader(format=kind, width=width, height=height, orientation=orientation, decoding=decoding)


def _integer(octets: bytes) -> int:
    return int.from_bytes(octets, "big")


def _truncated(kind: str, marker: str) -> NoReturn:
    message = f"the {kind} is truncated: its end marker ({marker}) is missing; get a complete copy of it"
    raise InvalidInputError(message)


def _broken(kind: str, what: str) -> NoReturn:
    message = f"the {kind} is broken: {what}; get an intact copy of it"
    raise InvalidInputError(message)
