"""Where labels go: beside the faces, off the faces and off each other, as far as there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from attrs import frozen
from PIL import Image, ImageDraw, ImageFont

from rekog_emotion.results._marks import DARK, Rectangle
from rekog_emotion.values.palette import Color

__all__ = ["Label", "draw_label", "font_of", "place_label"]

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

_SMALLEST_LETTERS: Final = 9  # pixels; smaller ones are hard to read
_SMALLEST_SHARE: Final = 1 / 32  # of the picture's smaller side, for a few faces
_SHARE_IN_A_GROUP: Final = 1 / 50
_GROUP: Final = 5  # faces from which on labels are smaller
_LARGEST_SHARE: Final = 1 / 20  # of the picture's smaller side: letters of a large face need not be larger
_SCALES: Final = (1.0, 0.8, 0.64, 0.5)  # of the letters, one after the other where there is no room


@frozen
class Label:
    """A text at its place.

    Attributes:
        text: One line or two.
        place: Left, top, right and bottom of its frame in pixels.
        ink: Where the text lies in its font, from (0, 0).
        letters: Size of the letters.
        padding: Pixels between frame and text.
    """

    text: str
    place: Rectangle
    ink: Rectangle
    letters: float
    padding: int


def place_label(
    texts: Sequence[str],
    box: Rectangle,
    picture: tuple[int, int],
    *,
    boxes: Sequence[Rectangle],
    labels: Sequence[Rectangle],
) -> Label:
    """Find a place for a label: the largest letters for which it hides neither a face nor another label.

    Args:
        texts: What it says, the longest form first; shorter forms are for where that finds no room.
        box: The face that it belongs to, in pixels.
        picture: Width and height.
        boxes: Of all faces.
        labels: Those that have their place already.

    Returns:
        The label at the first place that is free; where none is, at the one that hides least.
    """
    width = box[2] - box[0]
    least = min(picture) * (_SHARE_IN_A_GROUP if len(boxes) >= _GROUP else _SMALLEST_SHARE)
    wanted = max(min(max(width / 6, least), min(picture) * _LARGEST_SHARE), _SMALLEST_LETTERS)
    best: tuple[float, Label] | None = None
    for text in texts:
        for letters in dict.fromkeys(max(wanted * scale, _SMALLEST_LETTERS) for scale in _SCALES):
            fitted, ink = _fitted(text, letters, picture[0])
            padding = max(3, round(fitted / 4))
            size = ink[2] - ink[0] + 2 * padding, ink[3] - ink[1] + 2 * padding
            for place in _places(box, size, picture, gap=padding):
                # A hidden label says nothing, a box that is partly hidden still shows its face.
                cost = 8 * _overlap(place, labels) + _overlap(place, boxes)
                if best is None or cost < best[0]:
                    best = cost, Label(text, place, ink, fitted, padding)
                if cost == 0:
                    return best[1]
    assert best is not None, "there is at least one text"  # noqa: S101 -- for the type checker
    return best[1]


def draw_label(canvas: Image.Image, label: Label, color: Color) -> None:
    """Draw dark letters on the colour of the face."""
    pen = ImageDraw.Draw(canvas)
    left, top, right, bottom = label.place
    pen.rectangle((left, top, right - 1, bottom - 1), fill=color, outline=DARK)
    corner = left + label.padding - label.ink[0], top + label.padding - label.ink[1]
    pen.multiline_text(corner, label.text, fill=DARK, font=font_of(label.letters))


@lru_cache(maxsize=64)
def _font(size: int) -> Font:
    return ImageFont.load_default(size)


def font_of(letters: float) -> Font:
    """Return the font of letters of about so many pixels."""
    return _font(round(letters))


@lru_cache(maxsize=1024)
def _fitted(text: str, letters: float, width: int) -> tuple[float, Rectangle]:
    """Return letters in which a text is no wider than the picture, and the pixels that it takes from (0, 0)."""
    pen = ImageDraw.Draw(Image.new("L", (1, 1)))
    while True:
        box = pen.multiline_textbbox((0, 0), text, font=font_of(letters))
        left, top, right, bottom = (round(side) for side in box)
        # Room for the padding, which is a quarter of a letter a side.
        if right - left + letters < width or letters < _SMALLEST_LETTERS:
            return letters, (left, top, right, bottom)
        letters *= 0.9


def _places(box: Rectangle, size: tuple[int, int], picture: tuple[int, int], *, gap: int) -> Iterator[Rectangle]:
    """Yield where a label can go, the usual place first: above the box, below, beside and in it, within the picture."""
    left, top, right, bottom = box
    width, height = size
    middle = (left + right - width) // 2
    for x, y in (
        (left, top - height - gap),
        (left, bottom + gap),
        (right - width, top - height - gap),
        (right - width, bottom + gap),
        (middle, top - height - gap),
        (middle, bottom + gap),
        (right + gap, top),
        (left - width - gap, top),
        (right + gap, bottom - height),
        (left - width - gap, bottom - height),
        (left, top),
        (left, bottom - height),
    ):
        x_inside = max(0, min(x, picture[0] - width))
        y_inside = max(0, min(y, picture[1] - height))
        yield x_inside, y_inside, x_inside + width, y_inside + height


def _overlap(place: Rectangle, others: Sequence[Rectangle]) -> int:
    """Return how many pixels a place shares with others."""
    return sum(
        max(0, min(place[2], other[2]) - max(place[0], other[0]))
        * max(0, min(place[3], other[3]) - max(place[1], other[1]))
        for other in others
    )
