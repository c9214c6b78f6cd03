"""Faces as a table of HTML, with thumbnails where the file that was analysed is at hand."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from rekog_emotion.errors import RekogEmotionError
from rekog_emotion.values.bars import _chip, _frame, _gender, table
from rekog_emotion.values.faces import Face
from rekog_emotion.values.listing import SHOWN
from rekog_emotion.values.numbers import as_float
from rekog_emotion.values.videos import TimedFace
from rekog_emotion.values.wording import age, features, number_of_faces

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["face_table", "faces_html", "jpeg_data", "listed"]

_SIDE: Final = 40  # pixels of a thumbnail
_DECODED: Final = 60_000  # milliseconds of a video; further on, decoding takes longer than a notebook should wait


def faces_html(faces: Sequence[Any], *, source: str | None, size: tuple[int, int] | None) -> str:
    """Return a table of the first faces, each with its thumbnail where the file is at hand.

    Args:
        faces: Of a picture or a video.
        source: What was analysed.
        size: Its width and height in pixels.
    """
    heading = f"<div><b>{number_of_faces(len(faces))}</b></div>"
    return _frame([heading, listed(faces, source=source, size=size)] if faces else [heading])


def listed(faces: Sequence[Any], *, source: str | None, size: tuple[int, int] | None) -> str:
    """Return the table alone; see :func:`faces_html`."""
    first = _Analyzed(faces=tuple(faces[:SHOWN]), source=source, size=size)
    pictures = _thumbnails(first)
    is_timed = any(isinstance(one, TimedFace) for one in first.faces)
    shown = [
        (_when(one) if is_timed else place + 1, one.face if is_timed else one, pictures.get(place, ""))
        for place, one in enumerate(first.faces)
        if not is_timed or one.face is not None
    ]
    return face_table(
        [(number, face) for number, face, _ in shown],
        left=len(faces) - len(shown),
        first="time" if is_timed else "#",
        pictures=[picture for _, _, picture in shown] if pictures else None,
    )


def _when(timed: TimedFace) -> str:
    return f"{timed.seconds:.1f} s" if timed.seconds is not None else ""


def _thumbnails(first: _Analyzed) -> dict[int, str]:
    """Return pictures of faces as HTML, by their position; none where they cannot be had."""
    try:
        return {
            place: f'<img alt="face {place + 1}" width="{_SIDE}" height="{_SIDE}" src="{jpeg_data(picture)}">'
            for place, picture in _cut_out(first)
        }
    except (OSError, RekogEmotionError):
        return {}


def _cut_out(analysis: _Analyzed) -> Iterator[tuple[int, Image.Image]]:
    """Yield a square picture of each face that has a box, as far as the file is at hand, and near enough."""
    from rekog_emotion.results.at_hand import is_at_hand
    from rekog_emotion.results.frames import _cut, frames

    faces, source = analysis.faces, analysis.source
    if source is None or not is_at_hand(analysis):
        return
    timed = [
        (place, one.timestamp_ms, one.face)
        for place, one in enumerate(faces)
        if isinstance(one, TimedFace) and one.timestamp_ms is not None and one.face is not None
    ]
    if timed and max(when for _, when, _ in timed) <= _DECODED:
        for time, frame in frames(source, [when for _, when, _ in timed]):
            for place, when, face in timed:
                if when == time and _is_placed(face):
                    yield place, _cut(frame, face, _SIDE)
    still = [(place, one) for place, one in enumerate(faces) if isinstance(one, Face) and _is_placed(one)]
    if still:
        from rekog_emotion.results.drawing import open_picture

        canvas = open_picture(analysis, None)
        yield from ((place, _cut(canvas, face, _SIDE)) for place, face in still)


def _is_placed(face: Face) -> bool:
    box = face.bounding_box
    sides = (box.left, box.top, box.width, box.height) if box is not None else (None,)
    return all(side is not None and math.isfinite(as_float(side)) for side in sides)


@frozen(kw_only=True)
class _Analyzed:
    """What is known of the picture of some faces."""

    faces: tuple[Any, ...]
    source: str | None
    size: tuple[int, int] | None
    engine: str | None = None


def jpeg_data(picture: Image.Image) -> str:
    """Return a picture as an address that holds it."""
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"


def face_table(
    numbered: Iterable[tuple[object, Face]], *, left: int, first: str = "#", pictures: Sequence[str] | None = None
) -> str:
    """Return a table of faces.

    Args:
        numbered: Faces with what stands in the first column.
        left: How many more there are.
        first: What the first column is called.
        pictures: A piece of HTML a face, if there are thumbnails.
    """
    heads, rows = [first, "emotion", "gender", "age", "also"], [list(_cells(*one)) for one in numbered]
    if pictures is not None:
        heads = [heads[0], "", *heads[1:]]
        rows = [[row[0], picture, *row[1:]] for row, picture in zip(rows, pictures, strict=True)]
    return table(heads, rows, left=left)


def _cells(number: object, face: Face) -> Iterator[str]:
    yield escape(str(number))
    emotion = face.dominant_emotion
    yield _chip(emotion) if emotion else ""
    yield escape(_gender(face))
    yield escape(age(face.age_range))
    yield escape(", ".join(features(face)))
