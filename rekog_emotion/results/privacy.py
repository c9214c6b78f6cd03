"""Make faces unrecognisable on a copy of their picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from PIL import Image

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.results._marks import Rectangle
from rekog_emotion.results._stills import check_still
from rekog_emotion.results.drawing import Picture, open_picture

if TYPE_CHECKING:
    from rekog_emotion.results.protocols import PictureFaces

__all__ = ["MARGIN", "METHODS", "Method", "blur", "check_method", "conceal"]

Method: TypeAlias = Literal["blur", "pixelate", "fill"]

METHODS: Final[tuple[Method, ...]] = ("blur", "pixelate", "fill")
MARGIN: Final = 0.15  # of the box, on each side: boxes end at the chin and the hairline
# Of the longer side: what is left of a face, 16 numbers a channel at most. Of six detectors still find a face.
_BLOCKS: Final = 4
_FILL: Final = (60, 60, 60)


def blur(analysis: PictureFaces, picture: Picture | None = None, *, method: Method = "blur") -> Image.Image:
    """Return a copy of the picture on which the faces of the analysis cannot be recognised.

    All methods throw the detail away instead of mixing it: a face is first averaged over at most four blocks a side, so
    that no sharpening brings it back. A face that the analysis missed stays as it is: look at the result. The copy has
    none of the file's metadata, which may hold a thumbnail of the original.

    Args:
        analysis: The faces.
        picture: As for `drawing.draw`.
        method: ``"blur"`` (smooth), ``"pixelate"`` (blocks) or ``"fill"`` (grey).

    Returns:
        A new picture in mode RGB.

    Raises:
        InvalidInputError: The picture cannot be used, or is a file of several frames or pages; or there is no such
            method.
    """
    check_method(method)
    canvas = open_picture(analysis, picture)
    check_still(picture if picture is not None else analysis.source or b"")
    for face in analysis.faces:
        box = face.bounding_box
        if box is not None and None not in {box.left, box.top, box.width, box.height}:
            conceal(canvas, box.to_pixels(canvas.size), method=method)
    return canvas


def check_method(method: str) -> None:
    """Refuse a method that is not there."""
    if method not in METHODS:
        msg = f"there is no method {method!r}: use one of {', '.join(METHODS)}"
        raise InvalidInputError(msg)


def conceal(canvas: Image.Image, box: Rectangle, *, method: Method) -> None:
    """Make what is in a box, and in a margin around it, unrecognisable."""
    left, top, right, bottom = box
    x, y = round((right - left) * MARGIN) + 1, round((bottom - top) * MARGIN) + 1
    left, top = max(left - x, 0), max(top - y, 0)
    right, bottom = min(right + x, canvas.width), min(bottom + y, canvas.height)
    if left >= right or top >= bottom:
        return
    if method == "fill":
        canvas.paste(_FILL, (left, top, right, bottom))
        return
    part = canvas.crop((left, top, right, bottom))
    longest = max(part.size)
    blocks = max(1, _BLOCKS * part.width // longest), max(1, _BLOCKS * part.height // longest)
    how = Image.Resampling.BICUBIC if method == "blur" else Image.Resampling.NEAREST
    canvas.paste(part.resize(blocks, Image.Resampling.BOX).resize(part.size, how), (left, top))
