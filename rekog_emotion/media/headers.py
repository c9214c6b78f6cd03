"""Format, size, orientation and end of a JPEG or PNG, read from its headers alone: no pixel is decoded."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from attrs import evolve, field, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.decoding import MAX_SCANNED, RGB_BYTES, Decoding, check_decoding

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ON_ITS_SIDE", "ImageHeader", "memory_of", "read_header", "without_metadata"]

_JPEG_START: Final = b"\xff\xd8\xff"
# FF 00 is a stuffed data byte, FF FF a fill byte, D0..D7 are restart markers: none of them ends a run of picture data.
_JPEG_MARKER: Final = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_EOI: Final = 0xD9
_JPEG_END: Final = bytes([0xFF, _EOI])
_SOS: Final = 0xDA
_JPEG_SCAN: Final = bytes([0xFF, _SOS])
_RGB_CHANNELS: Final = 3
_COEFFICIENT: Final = 2  # bytes that libjpeg spends on one
_APP1: Final = 0xE1
# What programs note (APP0..APP15, COM), and the two of them of which a decoder learns what the colours are, with the
# least bytes that those have.
_NOTES: Final = frozenset({*range(0xE0, 0xF0), 0xFE})
_COLOUR_NOTES: Final = {0xE0: (b"JFIF\0", 14), 0xEE: (b"Adobe", 12)}
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0..SOF15 less DHT, JPG and DAC
_WITHOUT_LENGTH: Final = frozenset({*range(0x01, 0xC0), 0xD8})  # TEM, reserved, a second SOI

_EXIF_START: Final = b"Exif\x00"  # the byte that follows pads, and not every writer makes it zero
_ORIENTATION_TAG: Final = 0x0112
_ORIENTATIONS: Final = range(1, 9)
ON_ITS_SIDE: Final = range(5, 9)
_BYTE_ORDERS: Final[dict[bytes, Literal["little", "big"]]] = {b"II": "little", b"MM": "big"}
_INTEGER_SIZES: Final = {1: 1, 3: 2, 4: 4}  # TIFF types BYTE, SHORT, LONG: the standard says SHORT, writers vary

_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER: Final = 16  # where the content of IHDR begins; a second one would be of another picture
_GREY, _COLOUR, _INDEXED = 0, 2, 3  # colour types of PNG
_KEYS: Final = {_GREY: range(2, 3), _COLOUR: range(6, 7), _INDEXED: range(1, 257)}  # bytes of tRNS


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
        return (self.height, self.width) if self.orientation in ON_ITS_SIDE else (self.width, self.height)


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
        enough: Pixels that suffice, see `rekog_emotion.media.images.load_rgb`.

    Returns:
        An upper bound to within some megabytes; 0 for what is refused before it is decoded.
    """
    try:
        header = read_header(data)
        if header is None:
            return 0
        check_decoding(header.decoding, header.size, enough=enough, file=len(data), copied=len(data))
    except InvalidInputError:
        return 0
    return header.decoding.memory(enough=enough, copied=len(data))


def without_metadata(data: bytes) -> bytes:
    """Return a JPEG or PNG with what bears on its pixels alone, so that no note, however odd, hinders a decoder.

    Viewers pass over a text with a wrong checksum, a profile of many megabytes or a broken EXIF block. Pillow does not
    always, and its limits are the whole process's.

    Args:
        data: A whole file of which `read_header` read the headers.
    """
    return b"".join(_jpeg_parts(data) if data.startswith(_JPEG_START) else _png_parts(data))


def _jpeg_parts(data: bytes) -> Iterator[bytes | memoryview]:
    yield data[:2]
    for marker, content, end in _jpeg_segments(data):
        start, least = _COLOUR_NOTES.get(marker, (b"", 0))
        if marker not in _NOTES or (start and content.startswith(start) and len(content) >= least):
            yield bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content
        if marker == _SOS:
            yield memoryview(data)[end:]
            return


def _png_parts(data: bytes) -> Iterator[bytes | memoryview]:
    yield _PNG_START
    pictures = []
    for kind, start, end in _png_chunks(data):
        if kind == b"IDAT":
            pictures.append(memoryview(data)[start:end])
        elif (
            start == _PNG_HEADER or kind == b"PLTE" or (kind == b"tRNS" and not pictures and _is_key(data, start, end))
        ):
            yield memoryview(data)[start - 8 : end + 4]
    # One chunk of all: a decoder takes longer over a million empty ones.
    yield sum(map(len, pictures)).to_bytes(4, "big") + b"IDAT"
    yield from pictures
    checksum = zlib.crc32(b"IDAT")
    for part in pictures:
        checksum = zlib.crc32(part, checksum)
    yield checksum.to_bytes(4, "big") + bytes(4) + b"IEND" + zlib.crc32(b"IEND").to_bytes(4, "big")


def _is_key(data: bytes, start: int, end: int) -> bool:
    """Tell whether the transparency of a PNG is intact, for without it there is still a picture."""
    colour = data[25]  # of IHDR, which comes first
    return end - start in _KEYS.get(colour, ()) and zlib.crc32(data[start - 4 : end]) == _integer(data[end : end + 4])


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
        scans += data.count(_JPEG_SCAN, start)
        if scans * width * height > MAX_SCANNED:  # some may stand in comments, or behind the end: look closely
            scans = sum(marker == _SOS for marker, _, _ in _jpeg_segments(data))
    return Decoding(
        pixels=width * height,
        stored=1 if components == 1 else RGB_BYTES,
        flat=components == _RGB_CHANNELS,
        kept=kept,
        draft=True,
        scans=scans,
        bits=_integer(content[:1]),
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
        length = int.from_bytes(data[position : position + 2], "big")  # counts its own two bytes
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
    stored = {_GREY: max(1, depth // 8), _INDEXED: 1}.get(colour, RGB_BYTES)  # of 16 bits a colour Pillow keeps 8
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
    if orientation != 1:
        decoding = evolve(decoding, turned=True)
    return ImageHeader(format=kind, width=width, height=height, orientation=orientation, decoding=decoding)


def _integer(octets: bytes) -> int:
    return int.from_bytes(octets, "big")


def _truncated(kind: str, marker: str) -> NoReturn:
    message = f"the {kind} is truncated: its end marker ({marker}) is missing; get a complete copy of it"
    raise InvalidInputError(message)


def _broken(kind: str, what: str) -> NoReturn:
    message = f"the {kind} is broken: {what}; get an intact copy of it"
    raise InvalidInputError(message)
