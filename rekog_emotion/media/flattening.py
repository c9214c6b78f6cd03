"""Make any picture of Pillow's, whatever its mode and its numbers, one of 8-bit RGB over white."""

from __future__ import annotations

import functools
import math
import sys
from typing import Final, cast

from PIL import Image, ImageChops, ImageCms

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.decoding import RGB_BYTES

__all__ = ["FULL_16_BITS", "bytes_of", "flat", "rows_of"]

FULL_16_BITS: Final = 65535
_DEEP: Final = ("I", "F")  # and I;16, I;16B ...: modes of more than 8 bits
# Values that usually stand for white, of 0..1 or of 8 to 16 bits.
_WHITES: Final = (1, 255, 1023, 4095, 16383, FULL_16_BITS)
_NEGLIGIBLE: Final = 0.1  # of white, that values may lie under black: resampling does that
_STRIP: Final = 1 << 18  # pixels that are converted together


def bytes_of(mode: str) -> int:
    """The bytes that Pillow spends on a pixel."""
    return 2 if mode.startswith("I;16") else 1 if mode in {"1", "L", "P"} else RGB_BYTES


def flat(image: Image.Image, divisor: int = 1, *, white: float | None = None) -> Image.Image:
    """Convert to 8-bit RGB over white, in strips, so that there is one picture of full size beside the given one.

    Args:
        image: Any picture.
        divisor: By what its width and height are divided on the way.
        white: The value of more than 8 bits that stands for white, if it is known.

    Returns:
        A new picture, or the given one where there is nothing to do.
    """
    image.load()
    if image.mode == "RGB" and not image.has_transparency_data and divisor == 1:
        return image
    rows = max(1, _STRIP // (image.width * divisor)) * divisor
    edges = [(top, min(top + rows, image.height)) for top in range(0, image.height, rows)]
    if white is None and _is_deep(image):
        white = _white(image, edges)
    result = Image.new("RGB", (math.ceil(image.width / divisor), math.ceil(image.height / divisor)))
    for top, bottom in edges:
        strip = _over_white(_eight_bits(rows_of(image, top, bottom), white))
        result.paste(strip if divisor == 1 else strip.reduce(divisor), (0, top // divisor))
    return result


def rows_of(image: Image.Image, top: int, bottom: int) -> Image.Image:
    """Copy some rows, as `Image.crop` would if it did not apply Pillow's global limit of pixels."""
    box = (0, top, image.width, bottom)
    return image.resize((image.width, bottom - top), Image.Resampling.NEAREST, box)


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode == "LAB":
        return cast("Image.Image", ImageCms.applyTransform(image, _lab_to_rgb()))
    if image.has_transparency_data:
        image = image.convert("LA") if image.mode == "La" else image
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _is_deep(image: Image.Image) -> bool:
    return image.mode in _DEEP or image.mode.startswith("I;16")


def _eight_bits(image: Image.Image, white: float | None) -> Image.Image:
    """Scale channels of more than 8 bits, which Pillow's own conversion clips."""
    if white is None or not _is_deep(image):
        return image
    scaled = _floats(image).point(lambda value: value * (255 / white) + 0.5).convert("L")
    key = scaled.info.pop("transparency", None)
    if isinstance(key, int) and image.mode == "I;16":  # a grey of a PNG of 16 bits, of which Pillow knows 8
        low, high = (Image.frombytes("L", image.size, image.tobytes()[byte::2]) for byte in (0, 1))
        scaled.putalpha(ImageChops.lighter(low.point(_all_but(key & 255)), high.point(_all_but(key >> 8))))
    return scaled


def _all_but(value: int) -> list[int]:
    return [255 * (other != value) for other in range(256)]


def _floats(image: Image.Image) -> Image.Image:
    if image.mode == "I;16N":  # of which Pillow 12 clips the values
        native = "I;16" if sys.byteorder == "little" else "I;16B"
        image = Image.frombytes(native, image.size, image.tobytes())
    return (image.convert("I") if image.mode.startswith("I;16") else image).convert("F")


def _white(image: Image.Image, edges: list[tuple[int, int]]) -> float:
    """The value that stands for white: modes do not say it, so it is the smallest usual one that none exceeds.

    Raises:
        InvalidInputError: The values are no colours: not numbers, or well below black.
    """
    lowest, highest = math.inf, -math.inf
    for top, bottom in edges:
        strip = _floats(rows_of(image, top, bottom))
        mean = strip.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))  # no number where one of them is none
        if not math.isfinite(cast("float", mean)):
            message = "the image has values that are no numbers (NaN or infinite); replace them first"
            raise InvalidInputError(message)
        low, high = cast("tuple[float, float]", strip.getextrema())  # one channel
        lowest, highest = min(lowest, low), max(highest, high)
    white = next((white for white in _WHITES if highest <= white), highest)
    if lowest < -_NEGLIGIBLE * white:
        message = f"the image has values from {lowest:g} to {highest:g}; scale them to 0..255 first"
        raise InvalidInputError(message)
    return white


@functools.cache
def _lab_to_rgb() -> ImageCms.ImageCmsTransform:
    """Return what converts CIELAB, of which Pillow's own conversion knows nothing."""
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
