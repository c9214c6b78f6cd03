"""Where labels go: beside the faces, off the faces and off each other, as far as there is room."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from attrs import evolve, frozen
from PIL import Image, ImageDraw

from rekog_emotion.results._fonts import drawable, font_of
from rekog_emotion.results._marks import DARK, Rectangle
from rekog_emotion.values.palette import Color

__all__ = ["Label", "draw_label", "draw_leader", "place_label"]

_SMALLEST_LETTERS: Final = 9  # pixels; smaller ones are hard to read
_LETTERS: Final = 12  # pixels, where there is room, on however small a face
_FACE_IN_LETTERS: Final = 6  # a face is so many letters wide
_LARGEST_SHARE: Final = 1 / 20  # of the picture's smaller side: letters of a large face need not be larger
_LARGEST_LABEL: Final = 1 / 8  # of a picture in which letters that can be read are larger than that share
_SCALES: Final = (1.0, 0.8, 0.64, 0.5)  # of the letters, one after the other where there is no room
_FINE: Final = 1024  # cells of the longer side of a picture in which room is looked for
_BRIGHT: Final = 110  # of 255: a colour that carries dark letters
_LIGHT: Final[Color] = (250, 250, 250)


@frozen
class Label:
    """A text at its place.

    Attributes:
        text: One line or two.
        place: Left, top, right and bottom of its frame in pixels.
        ink: Where the text lies in its font, from (0, 0).
        letters: Size of the letters.
        padding: Pixels between frame and text.
        leader: The line that leads from the face to a label that is further away.
    """

    text: str
    place: Rectangle
    ink: Rectangle
    letters: float
    padding: int
    leader: tuple[int, int, int, int] | None = None


def place_label(
    texts: Sequence[str],
    box: Rectangle,
    picture: tuple[int, int],
    *,
    boxes: Sequence[Rectangle],
    labels: Sequence[Rectangle],
    line: int = 1,
    without_room: list[tuple[int, int]] | None = None,
) -> Label:
    """Find a place for a label: the largest letters for which it hides neither a face nor another label.

    Beside the face it is tried first, then wherever in the picture there is room. In a tiny picture it takes an eighth
    at most, if one of its forms can.

    Args:
        texts: What it says, the longest form first; shorter forms are for where that finds no room.
        box: The face that it belongs to, in pixels.
        picture: Width and height.
        boxes: Of all faces.
        labels: Those that have their place already.
        line: Width of the line around the face.
        without_room: Sizes of labels for which no room was left, to be kept from one label to the next: the room only
            gets less.

    Returns:
        The label at the first place that is free; where none is, at the one that hides least.
    """
    wanted = min((box[2] - box[0]) / _FACE_IN_LETTERS, min(picture) * _LARGEST_SHARE)
    wanted = max(wanted, _LETTERS)
    most = math.inf
    if min(picture) * _LARGEST_SHARE < _SMALLEST_LETTERS:
        most = picture[0] * picture[1] * _LARGEST_LABEL
        texts = [text for text in texts if math.prod(_label(text, _SMALLEST_LETTERS, picture)[1]) <= most] or texts[-1:]
    best: tuple[float, Label] | None = None
    smallest: list[Label] = []
    for text in texts:
        for letters in dict.fromkeys(max(wanted * scale, _SMALLEST_LETTERS) for scale in _SCALES):
            label, size = _label(text, letters, picture)
            if math.prod(size) > most and letters > _SMALLEST_LETTERS:
                continue
            for place in _places(box, size, picture, gap=max(label.padding, line)):
                # A hidden label says nothing, a box that is partly hidden still shows its face.
                cost = 8 * _overlap(place, labels) + _overlap(place, boxes)
                if best is None or cost < best[0]:
                    best = cost, evolve(label, place=place)
                if cost == 0:
                    return best[1]
        smallest.append(label)
    for label in smallest:
        if (
            away := _away(label, box, picture, [*boxes, *labels], [] if without_room is None else without_room)
        ) is not None:
            return away
    assert best is not None, "there is at least one text"  # noqa: S101 -- for the type checker
    return best[1]


def draw_label(canvas: Image.Image, label: Label, color: Color) -> None:
    """Draw letters on the colour of the face: dark ones, or light ones on a dark colour."""
    pen = ImageDraw.Draw(canvas)
    left, top, right, bottom = label.place
    pen.rectangle((left, top, right - 1, bottom - 1), fill=color, outline=DARK)
    corner = left + label.padding - label.ink[0], top + label.padding - label.ink[1]
    bright = (299 * color[0] + 587 * color[1] + 114 * color[2]) / 1000  # luma, as of ITU-R BT.601
    pen.multiline_text(
        corner, label.text, fill=DARK if bright >= _BRIGHT else _LIGHT, font=font_of(label.letters, label.text)
    )


def draw_leader(canvas: Image.Image, label: Label, color: Color, line: int) -> None:
    """Draw the line from a face to its label, where that is further away: a thin one, since it may cross others."""
    if label.leader is not None:
        ImageDraw.Draw(canvas).line(label.leader, fill=color, width=max(1, line // 2))


def _label(text: str, letters: float, picture: tuple[int, int]) -> tuple[Label, tuple[int, int]]:
    """Return a label in the corner of the picture, and its width and height."""
    text, fitted, ink = _fitted(drawable(text), letters, picture)
    padding = max(3, round(fitted / 4))
    size = ink[2] - ink[0] + 2 * padding, ink[3] - ink[1] + 2 * padding
    return Label(text, (0, 0, *size), ink, fitted, padding), size


@lru_cache(maxsize=1024)
def _fitted(text: str, letters: float, picture: tuple[int, int]) -> tuple[str, float, Rectangle]:
    """Return a text that is no larger than the picture, its letters, and the pixels that it takes from (0, 0).

    Letters become smaller first; where the smallest are too large, the text is cut.
    """
    pen = ImageDraw.Draw(Image.new("L", (1, 1)))
    while True:
        box = pen.multiline_textbbox((0, 0), text, font=font_of(letters, text))
        left, top, right, bottom = (round(side) for side in box)
        # Room for the padding, which is a quarter of a letter a side.
        wide, high = right - left + letters >= picture[0], bottom - top + letters >= picture[1]
        if not wide and not high:
            return text, letters, (left, top, right, bottom)
        if letters >= _SMALLEST_LETTERS:
            letters *= 0.9
            continue
        lines = text.split("\n")
        if high and len(lines) > 1:
            text = "\n".join(lines[:-1])
        elif wide and max(map(len, lines)) > 1:
            longest = max(map(len, lines))
            kept = min(longest - 1, max(1, round(longest * picture[0] / (right - left + letters))))
            text = "\n".join(line[:kept] for line in lines)
        else:
            return text, letters, (left, top, right, bottom)


def _away(
    label: Label,
    box: Rectangle,
    picture: tuple[int, int],
    taken: Sequence[Rectangle],
    without_room: list[tuple[int, int]],
) -> Label | None:
    """Return the label at the free place of the picture that is nearest to its face; ``None`` where there is none."""
    width, height = label.place[2:]
    if width > picture[0] or height > picture[1] or any(width >= w and height >= h for w, h in without_room):
        return None
    middle = (box[0] + box[2] - width) / 2, (box[1] + box[3] - height) / 2
    corner = _free_corner((width, height), middle, picture, taken)
    if corner is None:
        without_room.append((width, height))
        return None
    left, top = corner
    place = left, top, left + width, top + height
    x0, y0 = _nearest((left + width // 2, top + height // 2), box)
    x0, y0 = min(max(x0, 0), picture[0] - 1), min(max(y0, 0), picture[1] - 1)
    return evolve(label, place=place, leader=(x0, y0, *_nearest((x0, y0), place)))


def _free_corner(
    size: tuple[int, int], wanted: tuple[float, float], picture: tuple[int, int], taken: Sequence[Rectangle]
) -> tuple[int, int] | None:
    """Return where the left top corner of a rectangle can be so that nothing is hidden, as near as possible to a point.

    All corners of which the rectangle would reach into one that is taken are themselves a rectangle. These are painted
    on a map of all corners, and what stays blank is free.
    """
    scale = min(1.0, _FINE / max(picture))
    exact = int(scale == 1)
    across, down = (int((whole - part) * scale) + 1 for whole, part in zip(picture, size, strict=True))
    corners = Image.new("L", (across, down))
    pen = ImageDraw.Draw(corners)
    for left, top, right, bottom in taken:
        if right > left and bottom > top:
            x0, x1 = math.floor((left - size[0]) * scale) + exact, math.ceil(right * scale) - exact
            y0, y1 = math.floor((top - size[1]) * scale) + exact, math.ceil(bottom * scale) - exact
            pen.rectangle((x0, y0, x1, y1), fill=1)
    cells, best = corners.tobytes(), None
    x, y = (min(max(round(one * scale), 0), most - 1) for one, most in zip(wanted, (across, down), strict=True))
    nearest = math.inf
    for row in sorted(range(down), key=lambda row: abs(row - y)):
        if (row - y) ** 2 >= nearest:
            break
        start = row * across
        for found in (cells.find(0, start + x, start + across), cells.rfind(0, start, start + x + 1)):
            if found >= 0 and (far := (found - start - x) ** 2 + (row - y) ** 2) < nearest:
                nearest, best = far, (found - start, row)
    if best is None:
        return None
    left, top = (min(round(one / scale), whole - part) for one, whole, part in zip(best, picture, size, strict=True))
    return left, top


def _nearest(point: tuple[int, int], rectangle: Rectangle) -> tuple[int, int]:
    """Return the point of a rectangle that is nearest to another one."""
    left, top, right, bottom = rectangle
    return min(max(point[0], left), max(right - 1, left)), min(max(point[1], top), max(bottom - 1, top))


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
