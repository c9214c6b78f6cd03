"""The colours of emotions: those of plots and reports, and brighter ones for drawings, which carry dark letters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

from rekog_emotion.values.words import EmotionType

__all__ = ["COLORS", "OTHER_COLOR", "UNDECIDED", "Color", "color_of", "words"]

Color: TypeAlias = tuple[int, int, int]

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

# Told from each other on white and on black.
_COLORS: Final[dict[str, str]] = {
    EmotionType.HAPPY: "#e0a800",
    EmotionType.CALM: "#2a9d8f",
    EmotionType.SURPRISED: "#f3722c",
    EmotionType.SAD: "#3f7fd9",
    EmotionType.FEAR: "#8e5fd0",
    EmotionType.ANGRY: "#d62839",
    EmotionType.DISGUSTED: "#6a994e",
    EmotionType.CONFUSED: "#d6589f",
}
_OTHERS: Final[Sequence[str]] = ("#8d6e63", "#607d8b", "#795548", "#546e7a")
UNDECIDED: Final = "#9a9a9a"
"""Of what no emotion leads."""


def color_of(kind: str) -> str:
    """Return the colour of an emotion as ``#rrggbb``; a word that is not known has one of its own, too."""
    return _COLORS.get(kind) or _OTHERS[sum(kind.encode(errors="surrogatepass")) % len(_OTHERS)]


def words(seconds: float) -> str:
    """Return a time as ``0:07.5``, ``12:30`` or ``1:02:03``: tenths only below a minute."""
    if not math.isfinite(seconds):
        return "?"
    tenths = round(seconds * 10)
    if tenths < 600:  # noqa: PLR2004 -- tenths of a second in a minute
        return f"0:{tenths // 10:02}" if tenths % 10 == 0 else f"0:{tenths // 10:02}.{tenths % 10}"
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"
