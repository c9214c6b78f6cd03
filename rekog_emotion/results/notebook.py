"""What notebooks show of analyses and faces: small pieces of HTML that load nothing and run nothing.

All text is escaped: file names and words that this version does not know come from outside. Colours are those of the
page, light or dark, but for the bars, which bring their own letters.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from rekog_emotion.errors import MissingExtraError, RekogEmotionError
from rekog_emotion.text import plain
from rekog_emotion.values.bars import _LONGEST, _chip, _color, _frame, _gender
from rekog_emotion.values.numbers import as_float, share
from rekog_emotion.values.wording import age, features, number_of_faces, word

if TYPE_CHECKING:
    from rekog_emotion.results.protocols import PictureFaces, VideoFaces
    from rekog_emotion.values.faces import Face

__all__ = ["image_html", "video_html", "video_strip"]

_ROWS: Final = 12  # of a table; a group of a hundred would fill the page
_WIDEST: Final = 720  # pixels of a picture
_SEGMENTS: Final = 120  # of a strip
_MOST_LINKED: Final = 50_000  # faces; more take longer to be linked than a notebook should wait
_CELL: Final = "padding:2px 10px 2px 0;text-align:left;border-bottom:1px solid rgba(128,128,128,.4)"


def image_html(analysis: PictureFaces) -> str:
    """Return the picture with its faces, where the file is at hand, and a table of them."""
    facts = [number_of_faces(len(analysis.faces))]
    if analysis.size:
        facts.append(f"{analysis.size[0]} x {analysis.size[1]} pixels")
    parts = [_heading(analysis.source or "ImageAnalysis", facts, analysis.engine), _picture(analysis)]
    if analysis.faces:
        parts.append(_faces(enumerate(analysis.faces[:_ROWS], start=1), left=len(analysis.faces) - _ROWS))
    return _frame(parts)


def video_html(analysis: VideoFaces) -> str:
    """Return what is known of the video, its emotions over time, and a table of the first faces."""
    facts = [number_of_faces(len(analysis.faces))]
    if analysis.status not in {None, "SUCCEEDED"}:
        facts.append(f"status {analysis.status}")
    metadata = analysis.metadata
    if metadata is not None:
        if metadata.duration_millis is not None:
            facts.append(f"{as_float(metadata.duration_millis) / 1000:.1f} s")
        if metadata.frame_width is not None:
            facts.append(f"{metadata.frame_width} x {metadata.frame_height} pixels")
    parts = [_heading(analysis.source or analysis.job_id or "VideoAnalysis", facts, analysis.engine)]
    if analysis.faces:
        parts.append(_over_time(analysis))
        timed = [
            (f"{one.seconds:.1f} s" if one.seconds is not None else "", one.face) for one in analysis.faces[:_ROWS]
        ]
        shown = [(when, face) for when, face in timed if face is not None]
        parts.append(_faces(shown, left=len(analysis.faces) - len(shown), first="time"))
    return _frame(parts)


def _over_time(analysis: VideoFaces) -> str:
    """Return a strip a person, or where the extra for that is missing, or nobody has a place, one for all faces."""
    if len(analysis.faces) <= _MOST_LINKED:
        try:
            from rekog_emotion.results.report import strip
            from rekog_emotion.results.timeline import timeline_of

            timeline = timeline_of(analysis)
        except MissingExtraError:
            return video_strip(analysis)
        if timeline.people:
            return strip(timeline)
    return video_strip(analysis)


def video_strip(analysis: VideoFaces) -> str:
    """Return a strip from the first face to the last in time: the emotion that leads in each stretch, grey for none."""
    timed = [(one.timestamp_ms or 0, one.face) for one in analysis.faces if one.face is not None]
    if not timed:
        return ""
    duration = analysis.metadata.duration_millis if analysis.metadata else None
    length = max(duration or 0, max(when for when, _ in timed) + 1)
    number = min(_SEGMENTS, max(1, -(-length // 500)))
    leading: list[dict[str, float]] = [{} for _ in range(number)]
    for when, face in timed:
        if (emotion := face.dominant_emotion) is not None:
            votes = leading[min(max(when, 0) * number // length, number - 1)]
            votes[str(emotion.type)] = votes.get(str(emotion.type), 0.0) + share(emotion.confidence)
    cells = "".join(
        f'<span style="flex:1;background:{_color(kind)}" title="{_at(i, number, length)} {escape(word(kind))}"></span>'
        for i, kind in enumerate(max(votes, key=lambda kind: votes[kind]) if votes else "" for votes in leading)
    )
    return (
        '<div style="display:flex;height:18px;max-width:720px;margin:4px 0;border-radius:3px;overflow:hidden">'
        f"{cells}</div>"
    )


def _heading(name: str, facts: Sequence[str], engine: str | None) -> str:
    facts = [*facts, f"engine {word(engine)}"] if engine else facts
    name = plain(name)
    if len(name) > _LONGEST:  # the end of a path is what tells files apart
        name = f"{name[: _LONGEST // 2]}...{name[-_LONGEST // 2 :]}"
    return f"<div><b>{escape(name)}</b> {escape(', '.join(facts))}</div>"


def _picture(analysis: PictureFaces) -> str:
    """Return the picture with its overlay as data, or nothing where it cannot be had: the table says what there is."""
    try:
        from rekog_emotion.results.drawing import draw_faces, open_picture

        canvas = open_picture(analysis, None)
    except (OSError, RekogEmotionError):
        return ""
    canvas.thumbnail((_WIDEST, _WIDEST))
    draw_faces(canvas, analysis.faces)
    data = io.BytesIO()
    canvas.save(data, "JPEG", quality=80)
    encoded = base64.b64encode(data.getvalue()).decode()
    return (
        f'<img alt="The picture with its faces" width="{canvas.width}" height="{canvas.height}" '
        f'style="max-width:100%;height:auto;margin:4px 0" src="data:image/jpeg;base64,{encoded}">'
    )


def _faces(numbered: Iterable[tuple[object, Face]], *, left: int, first: str = "#") -> str:
    head = "".join(f'<th style="{_CELL}">{name}</th>' for name in (first, "emotion", "gender", "age", "also"))
    body = "".join(
        f"<tr>{''.join(f'<td style={chr(34)}{_CELL}{chr(34)}>{cell}</td>' for cell in _cells(number, face))}</tr>"
        for number, face in numbered
    )
    more = f"<div>and {left} more</div>" if left > 0 else ""
    style = "border-collapse:collapse;margin:4px 0;color:inherit;font-size:inherit"
    return f'<table style="{style}"><tr>{head}</tr>{body}</table>{more}'


def _cells(number: object, face: Face) -> Iterator[str]:
    yield escape(str(number))
    emotion = face.dominant_emotion
    yield _chip(emotion) if emotion else ""
    yield escape(_gender(face))
    yield escape(age(face.age_range))
    yield escape(", ".join(features(face)))


def _at(i: int, number: int, length: int) -> str:
    return f"{as_float(i * length // number) / 1000:.1f} s"
