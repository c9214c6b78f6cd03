"""Draw the faces of an analysis on its picture: a box, the landmarks and a label each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import frozen

from rekog_emotion.enums import EmotionType
from rekog_emotion.errors import InvalidInputError, MissingExtraError

try:
    from PIL import Image, ImageDraw, ImageFont

    from rekog_emotion import _imaging
except ModuleNotFoundError as error:
    if error.name != "PIL":
        raise
    what = "Drawing"
    raise MissingExtraError(what, extra="image") from error

if TYPE_CHECKING:
    from rekog_emotion.analyses import ImageAnalysis
    from rekog_emotion.models import Face

__all__ = ["COLORS", "OTHER_COLOR", "Picture", "draw", "writable_suffixes"]

Picture: TypeAlias = "Image.Image | str | os.PathLike[str] | bytes"
Rectangle: TypeAlias = tuple[int, int, int, int]
Color: TypeAlias = tuple[int, int, int]
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

#: Red, green and blue of each emotion, all bright enough for dark letters.
COLORS: Final[dict[str, Color]] = {
    EmotionType.HAPPY: (255, 200, 0),
    EmotionType.CALM: (90, 205, 190),
    EmotionType.SURPRISED: (255, 145, 40),
    EmotionType.SAD: (90, 160, 255),
    EmotionType.FEAR: (190, 140, 255),
    EmotionType.ANGRY: (255, 95, 85),
    EmotionType.DISGUSTED: (130, 200, 70),
    EmotionType.CONFUSED: (255, 140, 200),
}
#: The colour of a face without an emotion, or with one that has no colour of its own.
OTHER_COLOR: Final[Color] = (235, 235, 235)

_DARK: Final[Color] = (20, 20, 20)
_SMALLEST_LETTERS: Final = 9  # pixels; smaller ones are hard to read
_SMOOTH: Final = 8  # a dot is drawn so many times larger, then shrunk, for a smooth edge
_TOLERANCE: Final = 0.02  # of width / height: a copy shrunk to whole pixels is that much off


@frozen
class _Drawn:
    """A face with what its parts of the drawing share."""

    face: Face
    rectangle: Rectangle
    color: Color

    @property
    def width(self) -> int:
        return self.rectangle[2] - self.rectangle[0]


def draw(analysis: ImageAnalysis, picture: Picture) -> Image.Image:
    """Draw the faces on a copy of their picture.

    Each face gets its box in the colour of its dominant emotion, its landmarks, and a label with that emotion and its
    confidence, gender and age range, as far as they were asked for. An emotion is how a face looks, not what a person
    feels.

    Args:
        analysis: The faces.
        picture: The picture that was analysed, or a copy of another size: a path, the bytes of a file, or a PIL image,
            which stays as it is. It is turned by its EXIF orientation, as it was for the analysis.

    Returns:
        A new picture in mode RGB, as large as the turned one.

    Raises:
        InvalidInputError: The picture cannot be decoded, or does not have the shape of the one that was analysed.
        OSError: The file cannot be read.
    """
    canvas = _canvas(picture)
    _check_shape(canvas.size, analysis.size)
    pen = ImageDraw.Draw(canvas)
    line = max(1, round(min(canvas.size) / 250))
    drawn = list(_placed(analysis.faces, canvas.size))
    for one in drawn:
        _draw_box(pen, one, line)
        _draw_landmarks(canvas, one)
    # Labels come last, on top of all boxes; the largest face is the first and has the first choice of a place.
    boxes = [one.rectangle for one in drawn]
    labels: list[Rectangle] = []
    for one in drawn:
        if text := "\n".join(_lines(one.face)):
            labels.append(_draw_label(canvas, one, text, boxes, labels))
    return canvas


def writable_suffixes() -> frozenset[str]:
    """Return the suffixes of file names, ``".png"`` among them, under which Pillow can save a drawing."""
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in Image.SAVE)


def _canvas(picture: Picture) -> Image.Image:
    if isinstance(picture, Image.Image):
        return _imaging.to_rgb(picture)
    return _imaging.load_rgb(picture if isinstance(picture, bytes) else Path(picture).read_bytes())


def _check_shape(size: tuple[int, int], analyzed: tuple[int, int] | None) -> None:
    if analyzed is None:
        return
    if abs(size[0] * analyzed[1] / (size[1] * analyzed[0]) - 1) > _TOLERANCE:
        msg = (
            f"the picture has {size[0]} x {size[1]} pixels, and the analysed one had {analyzed[0]} x {analyzed[1]}; "
            "draw on that one, or on a copy of its shape"
        )
        raise InvalidInputError(msg)


def _placed(faces: Iterable[Face], size: tuple[int, int]) -> Iterator[_Drawn]:
    for face in faces:
        if face.bounding_box is not None:
            emotion = face.dominant_emotion
            color = COLORS.get(emotion.type or "", OTHER_COLOR) if emotion else OTHER_COLOR
            yield _Drawn(face, face.bounding_box.to_pixels(size), color)


def _draw_box(pen: ImageDraw.ImageDraw, one: _Drawn, line: int) -> None:
    """Draw the box with a dark rim on both sides, which shows it on any background."""
    left, top, right, bottom = one.rectangle
    # Pillow counts the last pixel in, the box does not; a box may be thinner than a line.
    right, bottom = max(right - 1, left), max(bottom - 1, top)
    rim = max(1, line // 2)
    pen.rectangle((left - rim, top - rim, right + rim, bottom + rim), outline=_DARK, width=line + 2 * rim)
    pen.rectangle((left, top, right, bottom), outline=one.color, width=line)


def _draw_landmarks(canvas: Image.Image, one: _Drawn) -> None:
    diameter = max(1, round(one.width / 30))
    for landmark in one.face.landmarks or ():
        if landmark.x is not None and landmark.y is not None:
            x, y = landmark.to_pixels(canvas.size)
            if diameter > 1:  # on a small face thirty rims would leave nothing of it
                _draw_dot(canvas, (x, y), diameter + 2, _DARK)
            _draw_dot(canvas, (x, y), diameter, one.color)


def _draw_dot(canvas: Image.Image, center: tuple[float, float], diameter: int, color: Color) -> None:
    mask = Image.new("L", (diameter * _SMOOTH, diameter * _SMOOTH))
    ImageDraw.Draw(mask).ellipse((0, 0, mask.width - 1, mask.height - 1), fill=255)
    corner = round(center[0] - diameter / 2), round(center[1] - diameter / 2)
    canvas.paste(color, corner, mask.resize((diameter, diameter), Image.Resampling.BOX))


def _lines(face: Face) -> Iterator[str]:
    emotion, gender, age = face.dominant_emotion, face.gender, face.age_range
    if emotion is not None:
        yield f"{emotion.type} {emotion.confidence:.1f}%"
    words = [str(gender.value)] if gender else []
    words += [f"{age.low}-{age.high}"] if age else []
    if words:
        yield ", ".join(words)


def _draw_label(
    canvas: Image.Image, one: _Drawn, text: str, boxes: Sequence[Rectangle], labels: Sequence[Rectangle]
) -> Rectangle:
    """Draw a label at its best place, and return where that is."""
    pen = ImageDraw.Draw(canvas)
    letters = max(one.width / 6, min(canvas.size) / 32, _SMALLEST_LETTERS)
    font, ink = _fitted(pen, text, letters, canvas.width)
    padding = max(2, round(letters / 6))
    size = ink[2] - ink[0] + 2 * padding, ink[3] - ink[1] + 2 * padding
    # A hidden label says nothing, a box that is partly hidden still shows its face.
    label = min(
        _places(one.rectangle, size, canvas.size, gap=padding),
        key=lambda place: 8 * _overlap(place, labels) + _overlap(place, boxes),
    )
    left, top, right, bottom = label
    pen.rectangle((left, top, right - 1, bottom - 1), fill=one.color, outline=_DARK)
    pen.multiline_text((left + padding - ink[0], top + padding - ink[1]), text, fill=_DARK, font=font)
    return label


def _fitted(pen: ImageDraw.ImageDraw, text: str, letters: float, width: int) -> tuple[Font, Rectangle]:
    """Return the font in which a text is no wider than the picture, and the pixels that it takes from (0, 0)."""
    while True:
        font = ImageFont.load_default(round(letters))
        left, top, right, bottom = (round(side) for side in pen.multiline_textbbox((0, 0), text, font=font))
        # Room for the padding, which is a sixth of a letter a side.
        if right - left + letters < width or letters < _SMALLEST_LETTERS:
            return font, (left, top, right, bottom)
        letters *= 0.9


def _places(box: Rectangle, size: tuple[int, int], picture: tuple[int, int], *, gap: int) -> Iterator[Rectangle]:
    """Yield where a label can go, the usual place first: above the box, below, beside and in it, within the picture."""
    left, top, right, bottom = box
    width, height = size
    for x, y in (
        (left, top - height - gap),
        (left, bottom + gap),
        (right + gap, top),
        (left - width - gap, top),
        (left, top),
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
