"""One row a face."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias, cast

from rekog_emotion.results.protocols import Analyses, AnyFaces, VideoFaces, analyses_in, check_succeeded
from rekog_emotion.text import encodable
from rekog_emotion.values.faces import Face
from rekog_emotion.values.leaves import leaves, scores
from rekog_emotion.values.numbers import as_float
from rekog_emotion.values.videos import TimedFace, VideoMetadata
from rekog_emotion.values.words import EmotionType, LandmarkType

__all__ = [
    "COLUMNS",
    "LANDMARK_COLUMNS",
    "PERSON",
    "Column",
    "cells",
    "columns",
    "plain",
    "records",
    "rows",
    "whence_columns",
]

Record: TypeAlias = dict[str, Any]


class Column(NamedTuple):
    """One column of the flat table.

    Attributes:
        name: Its name, the path of the member with underscores.
        type: ``str``, ``int``, ``float`` or ``bool``; any cell may be ``None``.
        path: Where its cell is in a face; empty for what is known of the picture and of the emotions.
    """

    name: str
    type: type
    path: str = ""


def _member(path: str, kind: type, name: str | None = None) -> Column:
    """Return the column of a member of a face; ``path`` leads there by dots."""
    return Column(name or path.replace(".", "_"), kind, path)


def _attribute(name: str, kind: type = bool) -> tuple[Column, Column]:
    return _member(f"{name}.value", kind, name), _member(f"{name}.confidence", float)


# What is known of the picture rather than of the face; `rows` fills it in.
_WHENCE: Final = (
    Column("source", str),
    Column("engine", str),
    Column("face", int),
    Column("timestamp_ms", int),
    Column("picture_width", int),
    Column("picture_height", int),
)
# What `_emotional` fills in. It comes last, as pandas prints the first and the last columns of a wide frame alone.
_EMOTIONAL: Final = (
    *(Column(f"emotion_{kind.value.lower()}", float) for kind in EmotionType),
    Column("dominant_emotion_confidence", float),
    Column("dominant_emotion", str),
)

#: What ``people=True`` adds: the id of the track of a face of a video, as its timeline has it.
PERSON: Final = Column("person", int)

#: The columns of every flat table, in their order.
COLUMNS: Final[tuple[Column, ...]] = (
    *_WHENCE,
    _member("confidence", float),
    *(_member(f"bounding_box.{side}", float) for side in ("left", "top", "width", "height")),
    _member("age_range.low", int),
    _member("age_range.high", int),
    *_attribute("gender", str),
    *_attribute("smile"),
    *_attribute("eyeglasses"),
    *_attribute("sunglasses"),
    *_attribute("beard"),
    *_attribute("mustache"),
    *_attribute("eyes_open"),
    *_attribute("mouth_open"),
    *_attribute("face_occluded"),
    *(_member(f"pose.{axis}", float) for axis in ("roll", "yaw", "pitch")),
    *(_member(f"quality.{what}", float) for what in ("brightness", "sharpness")),
    *(_member(f"eye_direction.{what}", float) for what in ("yaw", "pitch", "confidence")),
    *_EMOTIONAL,
)

#: What ``landmarks=True`` adds: two columns a landmark, ratios of the picture's width and height.
LANDMARK_COLUMNS: Final[tuple[Column, ...]] = tuple(
    _member(f"landmarks.{kind.value}.{axis}", float, f"landmark_{kind.value}_{axis}")
    for kind in LandmarkType
    for axis in ("x", "y")
)


def columns(*, landmarks: bool = False, people: bool = False) -> tuple[Column, ...]:
    """Return the columns of a flat table, with or without those of the landmarks and of the people."""
    of_faces = COLUMNS[len(_WHENCE) :] + (LANDMARK_COLUMNS if landmarks else ())
    return whence_columns(people=people) + of_faces


def whence_columns(*, people: bool = False) -> tuple[Column, ...]:
    """Return the columns that say where a face is from."""
    return (*_WHENCE, PERSON) if people else _WHENCE


def rows(analyses: Analyses, *, people: bool = False) -> Iterator[tuple[list[Any], Face]]:
    """Yield each face with the cells of what is known of its picture.

    Raises:
        InvalidInputError: Something is no analysis, or is of a job that has not succeeded.
    """
    for analysis in analyses_in(analyses):
        check_succeeded(analysis)
        size: tuple[int | None, int | None] = analysis.size or (None, None)
        metadata = getattr(analysis, "metadata", None)
        if isinstance(metadata, VideoMetadata):  # which may say one of the two
            size = metadata.frame_width, metadata.frame_height
        source, engine = (None if one is None else encodable(one) for one in (analysis.source, analysis.engine))
        faces: tuple[Face | TimedFace, ...] = analysis.faces
        persons = _persons(analysis) if people else None
        for number, one in enumerate(faces):
            when, face = (None, one) if isinstance(one, Face) else (one.timestamp_ms, one.face)
            whence = [source, engine, number, when, *size]
            if persons is not None:
                whence.append(persons[number])
            yield whence, face or Face()


def _persons(analysis: AnyFaces) -> Sequence[int | None]:
    """Return who each face is: in a photo nobody in particular."""
    if not isinstance(next(iter(analysis.faces), None), TimedFace):
        return [None] * len(analysis.faces)
    from rekog_emotion.results.timeline import people_of

    return people_of(cast("VideoFaces", analysis))


def cells(analyses: Analyses, *, landmarks: bool = False, people: bool = False) -> Iterator[list[Any]]:
    """Yield the cells of one face after the other, in the order of the columns; analyses are read as they come."""
    of_face = columns(landmarks=landmarks)[len(_WHENCE) :]
    kinds = [column.type for column in of_face]
    fixed, begin = leaves(*(column.path for column in of_face if column.path)), of_face.index(_EMOTIONAL[0])
    for whence, face in rows(analyses, people=people):
        found = fixed(face)
        read = [*found[:begin], *_emotional(face), *found[begin:]]
        yield [
            *whence,
            *(
                cell if cell is None or cell.__class__ is kind is not str else plain(cell, kind)
                for cell, kind in zip(read, kinds, strict=True)
            ),
        ]


def _emotional(face: Face) -> Iterator[Any]:
    """Yield the confidence of each emotion that we have a column for, and which is highest, behind how high."""
    kinds, confidences = scores(face) or ((), ())
    by_kind = dict(reversed([*zip(kinds, confidences, strict=True)]))  # the first of two of one type counts
    yield from map(by_kind.get, EmotionType)
    found = [pair for pair in zip(confidences, kinds, strict=True) if pair[0] is not None]
    yield from max(found, key=itemgetter(0), default=(None, None))


def records(analyses: Analyses, *, landmarks: bool = False, people: bool = False) -> Iterator[Record]:
    """Yield one flat dict a face; analyses are read as they come."""
    names = [column.name for column in columns(landmarks=landmarks, people=people)]
    for row in cells(analyses, landmarks=landmarks, people=people):
        yield dict(zip(names, row, strict=True))


def plain(value: Any, kind: type) -> Any:  # noqa: ANN401 -- a leaf of any type
    """Return a leaf as a plain value of its column's type; words lose their enum."""
    if value is None:
        return None
    if kind is float:
        return as_float(value)
    return encodable(str(value)) if kind is str else value
