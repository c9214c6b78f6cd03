"""Segments as subtitles: WebVTT for web players, SRT for players and programs that cut films.

A cue says who looks how: how a face looks, not what the person feels.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.writing import output_text
from rekog_emotion.values.wording import word

if TYPE_CHECKING:
    from rekog_emotion.people.segments import Segment

__all__ = ["srt", "webvtt", "write_subtitles"]

_CAUTION: Final = "How faces look, not what people feel."
# SRT has no way to write them as text: players take them for the begin and the end of a style.
_PLAIN: Final = str.maketrans({"<": "(", ">": ")", "{": "(", "}": ")", "\\": "/"})


def webvtt(segments: Iterable[Segment]) -> str:
    """Return segments as a WebVTT file: a cue each, which may overlap.

    Args:
        segments: Of a timeline, in any order.
    """
    cues = "".join(
        f"\n{number}\n{_time(begin, '.')} --> {_time(end, '.')}\n{escape(_said(one), quote=False)}\n"
        for number, (begin, end, one) in enumerate(sorted(map(_timed, segments), key=lambda cue: cue[:2]), start=1)
    )
    return f"WEBVTT\n\nNOTE {_CAUTION}\n{cues}"


def srt(segments: Iterable[Segment]) -> str:
    """Return segments as an SRT file: at each time one cue, since programs that cut films take no others.

    Where several people have a segment at one time, the cue has a line for each.

    Args:
        segments: Of a timeline, in any order.
    """
    return "\n".join(
        f"{number}\n{_time(begin, ',')} --> {_time(end, ',')}\n{text}\n"
        for number, (begin, end, text) in enumerate(_in_turn(segments), start=1)
    )


def write_subtitles(target: str | os.PathLike[str], segments: Iterable[Segment]) -> None:
    """Write segments to a file, which appears when it is whole.

    Args:
        target: Where: ``.vtt`` or ``.srt``.
        segments: Of a timeline, in any order.

    Raises:
        InvalidInputError: The name has another suffix, or nothing can be written there.
        OSError: The disk is full, for instance.
    """
    write = {".vtt": webvtt, ".srt": srt}.get(Path(target).suffix.lower())
    if write is None:
        msg = f"{os.fspath(target)}: subtitles are written as .vtt or .srt: let the name end in one of them"
        raise InvalidInputError(msg)
    text = write(segments)
    with output_text(target) as file:
        file.write(text)


def _timed(segment: Segment) -> tuple[int, int, Segment]:
    """Return begin and end in milliseconds: neither is before the video, and no cue is empty."""
    begin = max(0, round(segment.start * 1000))
    return begin, max(begin + 1, round(segment.end * 1000)), segment


def _in_turn(segments: Iterable[Segment]) -> Iterator[tuple[int, int, str]]:
    """Yield spans of time in which the same segments go on, with what is said of them, by person."""
    cues = sorted(map(_timed, segments), key=lambda cue: cue[:2])
    edges = sorted({edge for begin, end, _ in cues for edge in (begin, end)})
    going_on: list[tuple[int, int, Segment]] = []
    place = 0
    for i, edge in enumerate(edges[:-1]):
        going_on = [cue for cue in going_on if cue[1] > edge]
        while place < len(cues) and cues[place][0] == edge:
            going_on.append(cues[place])
            place += 1
        if going_on:
            lines = (_said(one).translate(_PLAIN) for _, _, one in sorted(going_on, key=lambda cue: cue[2].person))
            yield edge, edges[i + 1], "\n".join(lines)


def _said(segment: Segment) -> str:
    return f"person {segment.person}: {word(segment.type)}"


def _time(milliseconds: int, point: str) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{thousandths:03}"
