"""Decode, turn, convert and fit pictures: the only user of Pillow outside results/; import it where it is needed."""

from __future__ import annotations

import io
import math
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from PIL import ExifTags, Image, JpegImagePlugin, PngImagePlugin

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.avif import stream_pixels
from rekog_emotion.media.decoding import Decoding, check_decoding, check_pixels
from rekog_emotion.media.flattening import FULL_16_BITS, bytes_of, flat, rows_of
from rekog_emotion.media.formats import image_format, unread_format
from rekog_emotion.media.headers import ON_ITS_SIDE, read_header, without_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "encode",
    "enough_pixels",
    "fit_jpeg",
    "flattened",
    "from_array",
    "load_rgb",
    "load_sized",
    "orientation_of",
    "to_rgb",
]

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Pillow's own readers that are used, and the bytes a channel of each pixel that they take beside the picture. Others
# unpack what no header bounds (FITS, ICNS, ICO), hand it to programs (EPS, WMF), or are read by nobody's viewer.
_READ: Final = {
    "AVIF": 3.5,
    "BMP": 0.0,
    "DIB": 0.0,
    "GIF": 1.0,
    "JPEG2000": 5.5,
    "PCX": 0.5,
    "PPM": 0.0,
    "QOI": 1.0,
    "SGI": 1.0,
    "TGA": 0.5,
    "TIFF": 2.25,
    "WEBP": 4.2,
}
_PLUGINS: Final = 4.0  # the same, of formats that other packages taught Pillow
_SLOW_PIXELS: Final = 6_000_000  # what Pillow decodes in Python takes up to a microsecond a pixel
_STRIP: Final = 1 << 20  # pixels that are scaled together
_QUALITIES: Final = (95, 90, 85, 80, 75)  # a JPEG over 95 grows without looking better; under 75 a smaller one does
_LARGE: Final = 1_000_000  # pixels from which on an encoding, some 10 ms, is worth an estimate before
_BLOCK: Final = 16  # rows of pixels that a JPEG with halved colours encodes together
_TRIED: Final = 1.1  # estimates of photos err by some percent: up to so much over the limit, the encoding decides
_ENOUGH_PIXELS_A_BYTE: Final = 8  # under one bit a pixel a JPEG shows blocks: more pixels than that help nobody
_JPEG_MAX_SIDE: Final = 65_500  # libjpeg's JPEG_MAX_DIMENSION
_LOSSLESS_BYTES: Final = 1 << 20  # up to here PNG costs some milliseconds; above, its size costs more than it gives
_TIFF_MAX_PIXELS: Final = (1 << 28) // 3  # above it Pillow's TIFF reader warns or refuses, by its global limit


def load_rgb(data: bytes, *, enough: int | None = None) -> Image.Image:
    """Decode a picture as the service sees it.

    A JPEG is turned by its EXIF orientation and a PNG is not, as the service documents; other formats are turned, as
    viewers do. 16 bits a channel are scaled to 8, transparency is laid over white. Pillow's global limits are neither
    used nor touched: they can be changed by anybody in the process, and their warnings cannot be silenced safely while
    other threads run.

    Args:
        data: A whole file in one of the formats that are read.
        enough: A number of pixels that suffices: width and height of a larger picture are divided by a whole number, as
            long as so many remain. Of a JPEG a half, a quarter or an eighth is decoded at once, which is faster.

    Returns:
        The picture in mode RGB, without metadata.

    Raises:
        InvalidInputError: The picture is damaged, truncated, in a format that is not read, or a decompression bomb
            (see `rekog_emotion.media.decoding`).
    """
    return load_sized(data, enough=enough)[0]


def load_sized(data: bytes, *, enough: int | None = None) -> tuple[Image.Image, tuple[int, int]]:
    """Do what `load_rgb` does, and tell the size of the turned picture before it was divided."""
    header = read_header(data)
    if header:
        check_decoding(header.decoding, header.size, enough=enough, file=len(data), copied=len(data))
    with _damage("damaged or truncated"):
        if header is None:
            image = _open(data)
            decoding = _decoding_of(image, data)
            check_decoding(decoding, image.size, enough=enough, file=len(data))
            orientation = orientation_of(image)
            size = image.size[::-1] if orientation in ON_ITS_SIDE else image.size
            image = flat(image, decoding.divisor(enough))
        else:
            orientation, size, divisor = header.orientation, header.size, header.decoding.divisor(enough)
            with io.BytesIO(without_metadata(data)) as file:
                if header.format == "JPEG":
                    image = JpegImagePlugin.JpegImageFile(file)
                    check_pixels(
                        *image.size, limit=header.decoding.pixels
                    )  # of the last frame header, if there are two
                    image.draft(None, (max(1, image.width // divisor), max(1, image.height // divisor)))
                    divisor = 1
                else:
                    image = PngImagePlugin.PngImageFile(file)
                image.load()
            image = flat(image, divisor, white=FULL_16_BITS)
        turn = _TURNS.get(orientation)
        return _bare(image if turn is None else image.transpose(turn)), size


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert a picture to 8-bit RGB over white, as it stands: it is not turned by its EXIF orientation.

    Nobody can tell whether that was done before: Pillow's copies, also turned ones, keep the note.

    Args:
        image: Any picture of Pillow's; it stays as it is.

    Returns:
        A new picture in mode RGB, without metadata.

    Raises:
        InvalidInputError: The picture cannot be decoded, is closed, or is a decompression bomb; or its values are no
            colours.
    """
    rgb = flattened(image)
    return _bare(rgb.copy() if rgb is image else rgb)


def flattened(image: Image.Image) -> Image.Image:
    """Do what `to_rgb` does, but return a picture that is in mode RGB already as it is, with its metadata."""
    pixels = image.width * image.height
    check_decoding(Decoding(pixels=pixels, stored=bytes_of(image.mode), flat=image.mode == "RGB"), image.size)
    with _damage("damaged, truncated or closed"):
        return flat(image)


def from_array(array: NDArray[np.uint8]) -> Image.Image:
    """Wrap an array of shape height x width, or height x width x 1, 3 (RGB) or 4 (RGBA)."""
    return Image.fromarray(array[..., 0] if array.shape[2:] == (1,) else array)


def encode(image: Image.Image, *, max_bytes: int, min_side: int) -> bytes:
    """Encode a picture that has no file: without loss while it is small, as a JPEG of high quality above that.

    A picture whose raw pixels fit into 1 MiB (a frame of 640 x 480, the crop of a face) becomes a PNG, which is then
    never much larger. A larger one would be several times the size of a JPEG of quality 95, in which a face looks the
    same.

    Args:
        image: A picture in mode RGB.
        max_bytes: The most bytes that the result may have.
        min_side: The least pixels that a side may have after shrinking.

    Returns:
        A PNG or a JPEG.

    Raises:
        InvalidInputError: The picture cannot be fitted without a side under `min_side`.
    """
    if image.width * image.height * 3 <= _LOSSLESS_BYTES:
        output = io.BytesIO()
        _bare(image.copy()).save(output, "PNG", compress_level=1)
        if output.tell() <= max_bytes:
            return output.getvalue()
    return fit_jpeg(image, max_bytes=max_bytes, min_side=min_side)


def fit_jpeg(image: Image.Image, *, max_bytes: int, min_side: int) -> bytes:
    """Encode a picture as a JPEG that fits: by its quality first, then by its size; it is never enlarged.

    Args:
        image: A picture in mode RGB.
        max_bytes: The most bytes that the result may have.
        min_side: The least pixels that a side may have after shrinking.

    Returns:
        A JPEG of the highest quality that fits.

    Raises:
        InvalidInputError: The picture cannot be fitted without a side under `min_side`.
    """
    enough = math.sqrt(enough_pixels(max_bytes) / (image.width * image.height))
    image = _shrunk(image, min(enough, _JPEG_MAX_SIDE / max(image.size)), min_side)
    image = _bare(image.copy()) if image.info else image
    size, estimate = 0.0, _estimate(image)
    for quality in _QUALITIES:
        size = estimate(quality)
        if size <= _TRIED * max_bytes:
            data = _jpeg(image, quality)
            size = len(data)
            if size <= max_bytes:
                return data
    while True:
        # The bytes follow the pixels only roughly: aim a little under the limit, and come nearer each time.
        image = _shrunk(image, min(0.9, 0.95 * math.sqrt(max_bytes / size)), min_side)
        data = _jpeg(image, _QUALITIES[-1])
        size = len(data)
        if size <= max_bytes:
            return data


def _estimate(image: Image.Image) -> Callable[[int], float]:
    """Return what estimates the bytes of a JPEG by its quality, by every sixteenth row of its blocks.

    For a picture that is encoded in no time the estimate is zero.
    """
    if image.width * image.height < _LARGE or image.height < _BLOCK:
        return lambda _quality: 0.0
    tops = range(0, image.height - _BLOCK + 1, 16 * _BLOCK)
    sample = Image.new("RGB", (image.width, _BLOCK * len(tops)))
    for row, top in enumerate(tops):
        sample.paste(rows_of(image, top, top + _BLOCK), (0, _BLOCK * row))
    return lambda quality: len(_jpeg(sample, quality)) * image.height / sample.height


def enough_pixels(max_bytes: int) -> int:
    """How many pixels a JPEG of so many bytes can have before it is better shrunk."""
    return max_bytes * _ENOUGH_PIXELS_A_BYTE


def _open(data: bytes) -> Image.Image:
    """Open without decoding; by the plugins themselves, as `Image.open` applies Pillow's global limit of pixels."""
    file, unread = io.BytesIO(data), unread_format(data)
    Image.init()
    for name in Image.ID:
        plugin, accepts = Image.OPEN[name]
        # A plugin answers with a text when it knows the format but was built without it.
        accepted = accepts is None or accepts(data[:16])
        if not _is_read(name) or not accepted or isinstance(accepted, str) or (unread and accepts is None):
            continue
        file.seek(0)
        try:
            return plugin(file, "")
        except (SyntaxError, IndexError, TypeError, struct.error):  # "not mine", as Image.open takes it
            continue
    if image_format(data[:16]) == "HEIC":
        message = "reading HEIC needs pillow-heif: install it and call pillow_heif.register_heif_opener() first"
    elif unread:
        message = f"the content is {unread}, a format that is not read; export it as a JPEG or PNG"
    else:
        message = "the content is no image that Pillow reads; pass a JPEG or PNG"
    raise InvalidInputError(message)


def _is_read(name: str) -> bool:
    """Tell whether a reader is used: of Pillow's own those that are bounded, and what other packages brought."""
    return name in _READ or not Image.OPEN[name][0].__module__.startswith("PIL.")


def _decoding_of(image: Image.Image, data: bytes) -> Decoding:
    """Tell what decoding an opened file takes, and refuse a large one whose decoder is slow."""
    if any(tile[0] in Image.DECODERS for tile in getattr(image, "tile", ())):
        check_pixels(*image.size, limit=_SLOW_PIXELS)
    if image.format == "TIFF":
        check_pixels(*image.size, limit=_TIFF_MAX_PIXELS)
    pixels = image.width * image.height
    if image.format == "AVIF":
        # The decoder goes by the streams, whatever the container says.
        pixels = max(pixels, stream_pixels(data, layers=2 if image.has_transparency_data else 1))
    beside = _READ.get(image.format or "", _PLUGINS) * len(image.getbands())
    done = image.mode == "RGB" and not image.has_transparency_data
    return Decoding(pixels=pixels, stored=bytes_of(image.mode) + beside, flat=done)


def orientation_of(image: Image.Image) -> int:
    """Read the EXIF orientation; whatever is malformed means 1, as viewers take it."""
    image.load()  # Pillow turns a TIFF by itself
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001 -- Pillow raises, and warns, of whatever it stumbles over
        return 1
    return value if isinstance(value, int) else 1


def _shrunk(image: Image.Image, factor: float, min_side: int) -> Image.Image:
    """Return a smaller picture without metadata, or the picture itself where the factor is one or more."""
    if factor >= 1:
        return image
    width, height = int(image.width * factor), int(image.height * factor)
    if min(width, height) < min_side:
        message = f"the image cannot be made small enough without a side under {min_side} pixels; crop it first"
        raise InvalidInputError(message)
    result = Image.new("RGB", (width, height))
    # In strips: what Pillow scales across before it scales down is nearly as large as the picture.
    rows, step = max(1, _STRIP // width), image.height / height
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        box = (0, top * step, image.width, min(bottom * step, image.height))
        strip = image.resize((width, bottom - top), Image.Resampling.LANCZOS, box, reducing_gap=2.0)
        result.paste(strip, (0, top))
    return result


def _bare(image: Image.Image) -> Image.Image:
    """Take the metadata (a place, a comment) off a picture of our own: it would travel into what is made of it."""
    image.info = {}
    return image


def _jpeg(image: Image.Image, quality: int) -> bytes:
    output = io.BytesIO()
    image.save(output, "JPEG", quality=quality)
    return output.getvalue()


@contextmanager
def _damage(causes: str) -> Iterator[None]:
    try:
        yield
    except (InvalidInputError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        message = "the image has too many pixels for Pillow (a decompression bomb?); shrink it first"
        raise InvalidInputError(message) from error
    except Exception as error:
        message = f"the image cannot be decoded: it is {causes}; get an intact copy of it"
        raise InvalidInputError(message) from error
