"""A chart of the emotions of one face, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.results._fonts import font_of
from rekog_emotion.values.base import short
from rekog_emotion.values.numbers import share
from rekog_emotion.values.palette import COLORS, OTHER_COLOR
from rekog_emotion.values.wording import percent, word

if TYPE_CHECKING:
    from rekog_emotion.values.faces import Face

__all__ = ["emotion_chart"]

_WIDEST: Final = 10_000
_MOST: Final = 100  # emotions; the service has eight
_THEMES: Final = {
    "light": ((255, 255, 255), (25, 25, 25), (225, 225, 225)),
    "dark": ((26, 26, 30), (240, 240, 240), (60, 60, 66)),
}


def emotion_chart(face: Face, *, width: int = 420, theme: str = "light") -> Image.Image:
    """Return a bar an emotion, the surest first; how the face looks, not what the person feels.

    Args:
        face: Any face; without emotions the chart says so.
        width: Pixels, 160 to 10 000; the height follows.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A picture in mode RGB. Bars end at 100, whatever the number beside them.

    Raises:
        InvalidInputError: The width is too small, or there is no such theme.
    """
    if not width >= 160 or theme not in _THEMES:  # noqa: PLR2004 -- said in the message
        msg = "an emotion chart needs width >= 160 and theme 'light' or 'dark'"
        raise InvalidInputError(msg)
    if width > _WIDEST:
        msg = f"width is {short(0)(width)}, and an emotion chart is {_WIDEST} pixels wide at most"
        raise InvalidInputError(msg)
    paper, ink, track = _THEMES[theme]
    font = font_of(width / 28)
    row = round(width / 14)
    known = (emotion for emotion in face.emotions or () if emotion.confidence is not None)
    ranked = sorted(known, key=lambda emotion: -(emotion.confidence or 0.0))[:_MOST]
    chart = Image.new("RGB", (width, row * max(len(ranked), 1) + row // 2), paper)
    pen = ImageDraw.Draw(chart)
    if not ranked:
        pen.text((row // 2, row // 2), "no emotions", fill=ink, font=font)
    start, end = round(width * 0.32), round(width * 0.84)
    for number, emotion in enumerate(ranked):
        top = row // 4 + number * row
        name, middle = word(emotion.type), top + row / 2
        while name and pen.textlength(name, font=font) > start - row // 2:
            name = name[:-1]
        pen.text((start - row // 4, middle), name, fill=ink, font=font, anchor="rm")
        pen.rectangle((start, top + row // 5, end, top + row - row // 5), fill=track)
        length = round((end - start) * share(emotion.confidence) / 100)
        if length:
            color = COLORS.get(emotion.type or "", OTHER_COLOR if theme == "dark" else (150, 150, 150))
            pen.rectangle((start, top + row // 5, start + length, top + row - row // 5), fill=color)
        pen.text((end + row // 4, middle), percent(emotion.confidence).strip(" %"), fill=ink, font=font, anchor="lm")
    return chart
