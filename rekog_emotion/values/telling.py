"""Faces in a few words, as a repr has room for: how they look, not what people feel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from rekog_emotion.values.faces import Face
from rekog_emotion.values.videos import TimedFace
from rekog_emotion.values.wording import age, features, percent, word

__all__ = ["listed", "told_face", "told_faces"]

_SOME: Final = 3  # of several that are told one by one


def told_face(face: Face | None) -> str:
    """Return what is known of a face: ``HAPPY 98.2%, Female, 20-43, smile``."""
    if face is None:
        return "no face"
    gender = face.gender
    parts = (_looks(face), word(gender.value) if gender else "", age(face.age_range), *features(face))
    return ", ".join(filter(None, parts)) or "a face"


def told_faces(faces: Sequence[Face | TimedFace]) -> str:
    """Return how many faces there are, and how the first ones look: ``<2 faces: HAPPY 98.2%, CALM 47.0%>``."""
    some = islice((one.face if isinstance(one, TimedFace) else one for one in faces), _SOME)
    number = "1 face" if len(faces) == 1 else f"{len(faces)} faces"
    return listed(number, (_looks(face) for face in some), left=len(faces) - _SOME)


def listed(heading: str, told: Iterable[str], *, left: int = 0) -> str:
    """Return a repr of several: how many there are, and what is told of the first ones.

    Args:
        heading: How many.
        told: A few words each; those of which nothing is known say nothing.
        left: How many more there are.
    """
    words = ", ".join((*filter(None, told), *(["..."] if left > 0 else [])))
    return f"<{heading}: {words}>" if words.strip(".") else f"<{heading}>"


def _looks(face: Face | None) -> str:
    emotion = face.dominant_emotion if face is not None else None
    return f"{word(emotion.type)}{percent(emotion.confidence)}" if emotion else ""
