"""What notebooks show of analyses and faces: small pieces of HTML that load nothing and run nothing.

All text is escaped: file names and words that this version does not know come from outside. Colours are those of the
page, light or dark, but for the bars, which bring their own letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Final

from rekog_emotion.errors import MissingExtraError, RekogEmotionError
from rekog_emotion.results.face_tables import face_table, jpeg_data, listed
from rekog_emotion.text import plain
from rekog_emotion.values.bars import _LONGEST, _color, _frame
from rekog_emotion.values.listing import SHOWN
from rekog_emotion.values.numbers import as_float, share
from rekog_emotion.values.wording import number_of_faces, word

if TYPE_CHECKING:
    from rekog_emotion.results.protocols import PictureFaces, VideoFaces

__all__ = ["image_html", "outcome_html", "video_html", "video_strip"]

_WIDEST: Final = 720  # pixels of a picture
_SEGMENTS: Final = 120  # of a strip
_MOST_LINKED: Final = 50_000  # faces; more take longer to be linked than a notebook should wait


def image_html(analysis: PictureFaces) -> str:
    """Return the picture with its faces, where the file is at hand, and a table of them."""
    facts = [number_of_faces(len(analysis.faces))]
    if analysis.size:
        facts.append(f"{analysis.size[0]} x {analysis.size[1]} pixels")
    parts = [_heading(analysis.source or "ImageAnalysis", facts, analysis.engine), _picture(analysis)]
    if analysis.faces:
        parts.append(face_table(enumerate(analysis.faces[:SHOWN], start=1), left=len(analysis.faces) - SHOWN))
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
        parts.append(listed(analysis.faces, source=analysis.source, size=analysis.size))
    return _frame(parts)


def outcome_html(name: str, analysis: object | None, error: Exception | None) -> str:
    """Return what the analysis shows, or why there is none.

    Args:
        name: What it is about.
        analysis: Of a picture or a video.
        error: Why there is none.
    """
    if (show := getattr(analysis, "_repr_html_", None)) is not None:
        return str(show())
    text = word(f"{type(error).__name__}: {error}") if error is not None else "no analysis"
    return _frame([f"<div><b>{escape(plain(name))}</b> {escape(text)}</div>"])


def _over_time(analysis: VideoFaces) -> str:
    """Return a strip a person, or where the extra for that is missing, or nobody has a place, one for all faces."""
    if len(analysis.faces) <= _MOST_LINKED:
        try:
            from rekog_emotion.results.strips import strip
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
    return (
        f'<img alt="The picture with its faces" width="{canvas.width}" height="{canvas.height}" '
        f'style="max-width:100%;height:auto;margin:4px 0" src="{jpeg_data(canvas)}">'
    )


def _at(i: int, number: int, length: int) -> str:
    return f"{as_float(i * length // number) / 1000:.1f} s"
