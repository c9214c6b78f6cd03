"""Cut faces out of their picture: one by one, or as a sheet of all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from PIL import Image, ImageDraw

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.decoding import MAX_PIXELS
from rekog_emotion.results._fonts import font_of
from rekog_emotion.results._marks import DARK, color_of
from rekog_emotion.results.drawing import Picture, label_lines, near, open_picture
from rekog_emotion.results.protocols import PictureFaces, PictureOutcome
from rekog_emotion.values.base import short
from rekog_emotion.values.numbers import as_float

if TYPE_CHECKING:
    from rekog_emotion.values.faces import Face
    from rekog_emotion.values.palette import Color

__all__ = ["Photo", "contact_sheet", "crop"]

Photo: TypeAlias = PictureFaces | PictureOutcome | tuple[PictureFaces, Picture | None]
"""An analysis, an outcome of many, or an analysis with its picture."""

_LARGEST_CELL: Final = 4000  # pixels
_GAP: Final = 8  # pixels between the faces of a sheet
# Of the picture's longer side. Around any point of a picture, such a square holds all of it, however it is turned: a
# larger one would add nothing but black.
_BEYOND: Final = 3
_PAPER: Final = {"light": (250, 250, 250), "dark": (30, 30, 34)}


def crop(
    analysis: PictureFaces, face: Face, picture: Picture | None = None, *, margin: float = 0.2, align: bool = False
) -> Image.Image:
    """Return the part of the picture that shows a face.

    Args:
        analysis: The analysis that the face is of.
        face: The face.
        picture: As for `drawing.draw`.
        margin: How much more to take on each side, as a ratio of the box; cut at the edges of the picture.
        align: Turn the picture so that the eyes are level, and make it square: as wide as the larger side of the box
            with its margins, three times the picture's longer side at most. What lies beyond the picture is black.

    Raises:
        InvalidInputError: The face has no box, or lies outside the picture; or the picture cannot be used.
    """
    return _cut(open_picture(analysis, picture), face, margin=margin, align=align)


def contact_sheet(
    *photos: Photo | Iterable[Photo],
    columns: int = 6,
    side: int = 160,
    align: bool = True,
    theme: str = "light",
) -> Image.Image:
    """Return a sheet of all faces of one or several photos, each with what its label says.

    Args:
        photos: Analyses, outcomes (of which an error gives nothing), or iterables of them. Where the file that was
            analysed is not at hand, a pair of an analysis and its picture takes its place. One picture is open at a
            time.
        columns: Faces in a row, at most.
        side: Width and height of a face, 16 to 4000 pixels.
        align: Turn each face upright; what lies beyond its picture has the colour of the paper.
        theme: ``"light"`` or ``"dark"`` paper.

    Returns:
        A picture in mode RGB; one empty cell where there are no faces.

    Raises:
        InvalidInputError: An argument or a picture cannot be used.
    """
    whole = isinstance(columns, Integral) and isinstance(side, Integral)  # NumPy's, too
    if not whole or columns < 1 or side < 16 or theme not in _PAPER:  # noqa: PLR2004 -- said in the message
        msg = "a contact sheet needs columns >= 1, side >= 16, and theme 'light' or 'dark'; numbers are whole"
        raise InvalidInputError(msg)
    if side > _LARGEST_CELL:
        msg = f"side is {short(0)(side)}, and a face of a contact sheet is {_LARGEST_CELL} pixels wide at most"
        raise InvalidInputError(msg)
    cells: list[tuple[Image.Image, Face]] = []
    for analysis, picture in _pairs(photos):
        placed = [face for face in analysis.faces if face.bounding_box is not None]
        canvas = open_picture(analysis, picture) if placed else None
        if canvas is not None:
            visible = [face for face in placed if _visible(face, canvas.size)]
            if (count := len(cells) + len(visible)) * side**2 > MAX_PIXELS:
                msg = f"the sheet has {count} faces of {side} x {side} pixels, too many: make side smaller"
                raise InvalidInputError(msg)
            paper = _PAPER[theme]
            cells += [
                (_fitted(_cut(canvas, face, margin=0.2, align=align, beyond=paper), side), face) for face in visible
            ]
    font = font_of(max(9, side / 11))
    line = math.ceil(sum(font.getbbox("Ag")[1::2]))
    caption = 2 * line + 6
    across = min(columns, max(len(cells), 1))
    down = max(math.ceil(len(cells) / columns), 1)
    sheet = Image.new("RGB", (across * (side + _GAP) + _GAP, down * (side + caption + _GAP) + _GAP), _PAPER[theme])
    pen = ImageDraw.Draw(sheet)
    for number, (cell, face) in enumerate(cells):
        x, y = _GAP + number % columns * (side + _GAP), _GAP + number // columns * (side + caption + _GAP)
        sheet.paste(cell, (x + (side - cell.width) // 2, y + (side - cell.height) // 2))
        pen.rectangle((x, y + side, x + side - 1, y + side + caption - 1), fill=color_of(face))
        for row, text in enumerate(label_lines(face)):
            while text and pen.textlength(text, font=font) > side - 6:
                text = text[:-1]  # noqa: PLW2901 -- cut until it fits
            pen.text((x + 3, y + side + 2 + row * line), text, fill=DARK, font=font)
    return sheet


def _pairs(photos: Iterable[Any]) -> Iterator[tuple[PictureFaces, Picture | None]]:
    """Yield analyses with their pictures, from whatever holds them; an outcome that is an error has none."""
    for one in photos:
        if isinstance(one, tuple) and len(one) == 2 and _is_analysis(one[0]) and not _is_analysis(one[1]):  # noqa: PLR2004 -- a pair
            yield one
        elif _is_analysis(one):
            yield one, None
        elif hasattr(one, "analysis") and hasattr(one, "error"):
            yield from _pairs([] if one.analysis is None else [one.analysis])
        elif isinstance(one, Iterable) and not isinstance(one, (str, bytes)):
            yield from _pairs(one)
        else:
            msg = f"a contact sheet is made of analyses of photos, and this is of type {type(one).__name__}"
            raise InvalidInputError(msg)


def _is_analysis(one: object) -> bool:
    return hasattr(one, "faces") and not hasattr(one, "metadata")


def _visible(face: Face, size: tuple[int, int]) -> bool:
    box = face.bounding_box
    if box is None or None in {box.left, box.top, box.width, box.height}:
        return False
    left, top, right, bottom = box.to_pixels(size, clip=True)
    return right > left and bottom > top


def _cut(canvas: Image.Image, face: Face, *, margin: float, align: bool, beyond: Color = (0, 0, 0)) -> Image.Image:
    if not math.isfinite(as_float(margin)) or margin < 0:
        msg = f"margin is {as_float(margin):g}, and should be a ratio of the box of 0 or more"
        raise InvalidInputError(msg)
    if not _visible(face, canvas.size):
        msg = "the face has no box within the picture, so there is nothing to cut out"
        raise InvalidInputError(msg)
    assert face.bounding_box is not None, "or it would not be visible"  # noqa: S101 -- for the type checker
    left, top, right, bottom = near(face.bounding_box.to_pixels(canvas.size), canvas.size)
    longest = _BEYOND * max(canvas.size)
    if align:
        side = max(1, round(min(max(right - left, bottom - top) * (1 + 2 * margin), longest)))
        return _turned(canvas, ((left + right) / 2, (top + bottom) / 2), side, _tilt(face, canvas.size), beyond)
    x, y = (round(min(side * margin, longest)) for side in (right - left, bottom - top))
    return canvas.crop(
        (max(left - x, 0), max(top - y, 0), min(right + x, canvas.width), min(bottom + y, canvas.height))
    )


def _tilt(face: Face, size: tuple[int, int]) -> float:
    """Return how far the eyes are from level, radians, positive clockwise; by the pose where eyes are missing."""
    eyes = [face.landmarks.get(kind) for kind in ("eyeLeft", "eyeRight")] if face.landmarks else []
    points = [eye.to_pixels(size) for eye in eyes if eye is not None and None not in {eye.x, eye.y}]
    if len(points) == 2 and points[0] != points[1]:  # noqa: PLR2004 -- two eyes
        (x0, y0), (x1, y1) = ((as_float(x), as_float(y)) for x, y in points)
        tilt = math.atan2(y1 - y0, x1 - x0)
    else:
        tilt = math.radians(as_float(face.pose.roll or 0.0)) if face.pose else 0.0
    return tilt if math.isfinite(tilt) else 0.0


def _turned(canvas: Image.Image, center: tuple[float, float], side: int, tilt: float, beyond: Color) -> Image.Image:
    """Cut out a square around a centre that is turned by the tilt; the same size in pixels, so nothing is enlarged.

    What lies beyond the picture has a colour of its own.
    """
    cos, sin = math.cos(tilt), math.sin(tilt)
    x, y = center[0] - side / 2 * (cos - sin), center[1] - side / 2 * (sin + cos)
    matrix = cos, -sin, x, sin, cos, y
    return canvas.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=beyond)


def _fitted(image: Image.Image, side: int) -> Image.Image:
    factor = side / max(image.size)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS)
