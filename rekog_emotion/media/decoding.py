"""What decoding a picture takes in memory and time, and how much one may take: bombs are refused before it."""

from __future__ import annotations

import math
from typing import Final

from attrs import frozen

from rekog_emotion.errors import InvalidInputError

__all__ = ["MAX_MEMORY", "MAX_PIXELS", "MAX_SCANNED", "RGB_BYTES", "Decoding", "check_decoding", "check_pixels"]

#: The largest phone photos (16 320 x 12 240) just fit; one decoded copy at Pillow's 4 bytes a pixel takes 800 MB.
MAX_PIXELS: Final = 200_000_000
#: Bytes that one picture may take while it is decoded, converted and fitted, its file included.
MAX_MEMORY: Final = 900_000_000
#: Pixels over all scans of a progressive JPEG, of which an empty scan costs half a nanosecond to two each.
MAX_SCANNED: Final = 2_000_000_000
RGB_BYTES: Final = 4  # bytes that Pillow spends on a pixel of three or four channels
_JPEG_BITS: Final = 8  # of a sample; there are JPEGs of 12, too, which few viewers show


@frozen(kw_only=True)
class Decoding:
    """What it takes to decode a picture, as its headers say.

    Attributes:
        pixels: Columns times rows, of what the decoder finds.
        stored: Bytes a pixel of what is decoded.
        flat: That is RGB already, which need not be converted.
        kept: Bytes a pixel that the decoder keeps besides, until it has ended.
        draft: The decoder itself gives a half, a quarter or an eighth of width and height.
        turned: The picture is turned after it was decoded.
        scans: How often the decoder goes over the picture.
        bits: Bits of a JPEG's sample.
    """

    pixels: int
    stored: float = RGB_BYTES
    flat: bool = True
    kept: float = 0
    draft: bool = False
    turned: bool = False
    scans: int = 1
    bits: int = _JPEG_BITS

    def divisor(self, enough: int | None) -> int:
        """By what width and height are divided: enough pixels remain, unless memory asks for a little more."""
        if enough is None:
            return 1
        most = max(1, math.isqrt(self.pixels // enough))
        if self.draft:
            most = min(8, 1 << (most.bit_length() - 1))
        more = min(8, 2 * most) if self.draft else most + 1
        fits = self._memory(most, enough, 0) <= MAX_MEMORY
        return most if fits or self._memory(more, enough, 0) > MAX_MEMORY else more

    def memory(self, *, enough: int | None = None, copied: int = 0) -> int:
        """Estimate the bytes that decoding, converting to RGB and turning take at once, the file not counted.

        Args:
            enough: Pixels that suffice, see `rekog_emotion.media.images.load_rgb`; more are shrunk to about so many.
            copied: Bytes of the file of which there is a copy until it is decoded.
        """
        return self._memory(self.divisor(enough), enough, copied)

    def _memory(self, divisor: int, enough: int | None, copied: int) -> int:
        result = RGB_BYTES / divisor**2
        stored = self.stored / divisor**2 if self.draft else self.stored
        converted = 0 if self.flat and (self.draft or divisor == 1) else result
        decoded = int((self.kept + stored) * self.pixels) + copied
        most = max(stored + converted, 2 * result if self.turned else 0)
        shrunk = 0 if enough is None else RGB_BYTES * min(enough, self.pixels)
        return max(decoded, int(most * self.pixels), int(result * self.pixels) + shrunk)


def check_decoding(
    decoding: Decoding, size: tuple[int, int], *, enough: int | None = None, file: int = 0, copied: int = 0
) -> None:
    """Refuse what is not decoded, above all a small file that would fill the memory or keep a processor for long.

    Args:
        decoding: What decoding takes.
        size: Width and height, pixels, as the file says.
        enough: Pixels that suffice.
        file: Bytes of the file.
        copied: Bytes of it of which there is a copy until it is decoded.

    Raises:
        InvalidInputError: There are more than `MAX_PIXELS`, decoding takes more than `MAX_MEMORY`, or it goes over the
            picture too often; or samples have other than 8 bits.
    """
    check_pixels(*size)
    if decoding.bits != _JPEG_BITS:
        message = f"the JPEG has {decoding.bits} bits a sample, and those of 8 are decoded; encode it anew"
        raise InvalidInputError(message)
    memory = decoding.memory(enough=enough, copied=copied) + file
    if memory > MAX_MEMORY:
        told = "has" if decoding.pixels <= size[0] * size[1] else f"has {decoding.pixels} pixels and says that it has"
        message = (
            f"the image {told} {size[0]} x {size[1]} pixels, and decoding it takes {memory // 10**6} MB, more than the "
            f"{MAX_MEMORY // 10**6} that one may take (a decompression bomb?); shrink it first"
        )
        raise InvalidInputError(message)
    if decoding.scans * decoding.pixels > MAX_SCANNED:
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
