"""What tables say of a face and of how many there are: the same words on a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Final, Protocol

from rekog_emotion.text import plain
from rekog_emotion.values.base import short

__all__ = ["Ages", "age", "features", "number_of_faces", "percent", "word"]

_LONGEST: Final = 80  # letters of a word that is no word

# What is worth a word when it is so, by the member's name.
_FEATURES: Final = {
    "smile": "smile",
    "mouth_open": "mouth open",
    "eyeglasses": "glasses",
    "sunglasses": "sunglasses",
    "beard": "beard",
    "mustache": "mustache",
    "face_occluded": "covered",
}


class Ages(Protocol):
    """What an ``AgeRange`` has."""

    @property
    def low(self) -> int | None:
        """From which age, in years."""
        ...

    @property
    def high(self) -> int | None:
        """To which age, in years."""
        ...


def features(face: object, *, without: Container[str] = ()) -> Iterator[str]:
    """Yield the features of a face, a word or two each.

    Args:
        face: Any face.
        without: Names of members that have a place of their own.
    """
    yield from (word for name, word in _FEATURES.items() if name not in without and getattr(face, name))
    eyes_open = getattr(face, "eyes_open", None)
    if eyes_open is not None and not eyes_open:
        yield "eyes closed"


def age(ages: Ages | None) -> str:
    """Return an age range as ``19-43``, or nothing."""
    return f"{short(0)(ages.low)}-{short(0)(ages.high)}" if ages else ""


def percent(confidence: float | None) -> str:
    """Return a confidence as it stands behind what it is about, or nothing."""
    return "" if confidence is None else f" {short(1)(confidence)}%"


def word(text: str | None) -> str:
    """Return a word of an answer as it is shown: on one line and not too long, whatever it is."""
    shown = plain(" ".join(str(text).split())) if text else str(text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


def number_of_faces(faces: int) -> str:
    """Return how many faces there are."""
    return {0: "no faces", 1: "1 face"}.get(faces, f"{faces} faces")
