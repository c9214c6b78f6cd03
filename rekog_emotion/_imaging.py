"""Decode, turn, convert and fit pictures: the only user of Pillow outside results/; import it where it is needed."""

from __future__ import annotations

import io
import math
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

from PIL import ExifTags, Image, JpegImagePlugin, PngImagePlugin

from rekog_emotion._headers import MAX_PIXELS, ImageHeader, check_pixels, read_header
from rekog_emotion._sniffing import image_format
from rekog_emotion.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["encode", "enough_pixels", "fit_jpeg", "from_array", "load_rgb", "to_rgb"]

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_RUN_PROGRAMS: Final = frozenset({"EPS", "WMF"})  # Pillow hands these to Ghostscript or to Windows
_QUALITIES: Final = (95, 90, 85, 80, 75)  # a JPEG over 95 grows without looking better; under 75 a smaller one does
_LARGE: Final = 1_000_000  # pixels from which on an encoding, some 10 ms, is worth an estimate before
_BLOCK: Final = 16  # rows of pixels that a JPEG with halved colours encodes together
_TRIED: Final = 1.1  # estimates of photos err by some percent: up to so much over the limit, the encoding decides
_ENOUGH_PIXELS_A_BYTE: Final = 8  # under one bit a pixel a JPEG shows blocks: more pixels than that help nobody
_JPEG_MAX_SIDE: Final = 65_500  # libjpeg's JPEG_MAX_DIMENSION
_LOSSLESS_BYTES: Final = 1 << 20  # up to here PNG costs some milliseconds; above, its size costs more than it gives
_TIFF_MAX_PIXELS: Final = (1 << 28) // 3  # above it Pillow's TIFF reader warns or refuses, by its global limit


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG that does not look for a resolution in its EXIF, where Pillow warns of what is malformed."""

    def _read_dpi_from_exif(self) -> None:
        pass


def load_rgb(data: bytes, *, enough: int | None = None) -> Image.Image:
    """Decode a picture as the service sees it.

    A JPEG is turned by its EXIF orientation and a PNG is not, as the service documents; other formats are turned, as
    viewers do. 16 bits a channel are scaled to 8, transparency is laid over white. Pillow's global limit of pixels is
    neither used nor touched: it can be changed by anybody in the process, and its warning cannot be silenced safely
    while other threads run.

    Args:
        data: A whole file in any format that Pillow reads.
        enough: A number of pixels that suffices: a larger JPEG is decoded at a half, a quarter or an eighth of its
            width and height, which is faster, as long as so many remain.

    Returns:
        The picture in mode RGB, without metadata.

    Raises:
        InvalidInputError: The picture is damaged, truncated, in a format that Pillow does not read, or a decompression
            bomb (see `rekog_emotion._headers.MAX_PIXELS`).
    """
    header = read_header(data)
    if header:
        check_pixels(header.width, header.height)
    with _decoding("damaged or truncated"):
        image = _open(data, header)
        check_pixels(*image.size, limit=_TIFF_MAX_PIXELS if image.format == "TIFF" else MAX_PIXELS)
        if enough and image.width * image.height > enough:
            factor = math.sqrt(enough / (image.width * image.height))
            image.draft(image.mode, (math.ceil(image.width * factor), math.ceil(image.height * factor)))
        orientation = _orientation(image) if header is None else header.orientation
        if orientation in _TURNS:
            image = image.transpose(_TURNS[orientation])
        return _convert(image)


def to_rgb(image: Image.Image) -> Image.Image:
    """Turn a picture by its EXIF orientation and convert it to 8-bit RGB over white.

    Args:
        image: Any picture of Pillow's; it stays as it is. One that came from a PNG is not turned, like the file itself.

    Returns:
        A new picture in mode RGB, without metadata.

    Raises:
        InvalidInputError: The picture cannot be decoded, is closed, or is a decompression bomb.
    """
    check_pixels(*image.size)
    with _decoding("damaged, truncated or closed"):
        turn = None if image.format == "PNG" else _TURNS.get(_orientation(image))
        return _convert(image.copy() if turn is None else image.transpose(turn))


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
        image.save(output, "PNG", compress_level=1)
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
        sample.paste(image.crop((0, top, image.width, top + _BLOCK)), (0, _BLOCK * row))
    return lambda quality: len(_jpeg(sample, quality)) * image.height / sample.height


def enough_pixels(max_bytes: int) -> int:
    """How many pixels a JPEG of so many bytes can have before it is better shrunk."""
    return max_bytes * _ENOUGH_PIXELS_A_BYTE


def _open(data: bytes, header: ImageHeader | None) -> Image.Image:
    """Open without decoding; by the plugins themselves, as `Image.open` applies Pillow's global limit of pixels."""
    file = io.BytesIO(data)
    if header:
        return _Jpeg(file) if header.format == "JPEG" else PngImagePlugin.PngImageFile(file)
    Image.init()
    for name in Image.ID:
        plugin, accepts = Image.OPEN[name]
        # A plugin answers with a text when it knows the format but was built without it.
        accepted = accepts is None or accepts(data[:16])
        if name in _RUN_PROGRAMS or not accepted or isinstance(accepted, str):
            continue
        file.seek(0)
        try:
            return plugin(file, "")
        except (SyntaxError, IndexError, TypeError, struct.error):  # "not mine", as Image.open takes it
            continue
    if image_format(data[:16]) == "HEIC":
        message = "reading HEIC needs pillow-heif: install it and call pillow_heif.register_heif_opener() first"
    else:
        message = "the content is no image that Pillow reads; pass a JPEG or PNG"
    raise InvalidInputError(message)


def _orientation(image: Image.Image) -> int:
    """Read the EXIF orientation; whatever is malformed means 1, as viewers take it."""
    image.load()  # Pillow turns a TIFF by itself
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001 -- Pillow raises, and warns, of whatever it stumbles over
        return 1
    return value if isinstance(value, int) else 1


def _shrunk(image: Image.Image, factor: float, min_side: int) -> Image.Image:
    if factor >= 1:
        return image
    size = int(image.width * factor), int(image.height * factor)
    if min(size) < min_side:
        message = f"the image cannot be made small enough without a side under {min_side} pixels; crop it first"
        raise InvalidInputError(message)
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    output = io.BytesIO()
    image.save(output, "JPEG", quality=quality)
    return output.getvalue()


@contextmanager
def _decoding(causes: str) -> Iterator[None]:
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


def _convert(image: Image.Image) -> Image.Image:
    image = _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("LA") if image.mode == "La" else image
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image.load()
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    rgb.info = {}  # metadata (a place, a comment) would otherwise travel into what is encoded from it
    return rgb


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale channels of more than 8 bits, which Pillow's own conversion clips."""
    if image.mode.startswith("I;16"):
        high_byte = 0 if image.mode == "I;16B" else 1
        return Image.frombytes("L", image.size, image.tobytes()[high_byte::2])
    if image.mode in {"I", "F"}:
        white = _white(image)
        return image.convert("F").point(lambda value: value * (255 / white)).convert("L")
    return image


def _white(image: Image.Image) -> float:
    """The value that stands for white: formats do not say it, so it is the smallest usual one that none exceeds."""
    usual: tuple[float, ...] = (65535,) if image.mode == "I" else (1, 255, 65535)
    highest = cast("float", image.getextrema()[1])  # one channel
    return next((white for white in usual if highest <= white), highest)
