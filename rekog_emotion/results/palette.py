"""The colours of emotions in plots and reports, which have to be told from each other on white and on black."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rekog_emotion.enums import EmotionType

__all__ = ["UNDECIDED", "color_of", "words"]

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
    return _COLORS.get(kind) or _OTHERS[sum(kind.encode()) % len(_OTHERS)]


def words(seconds: float) -> str:
    """Return a time as ``0:07.5``, ``12:30`` or ``1:02:03``: tenths only below a minute."""
    tenths = round(seconds * 10)
    if tenths < 600:  # noqa: PLR2004 -- tenths of a second in a minute
        return f"0:{tenths // 10:02}" if tenths % 10 == 0 else f"0:{tenths // 10:02}.{tenths % 10}"
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"
