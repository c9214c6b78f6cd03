"""What ``image`` and ``video`` print: an analysis a line for programs, a line of facts and a table for people."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from attrs import evolve

from rekog_emotion.commands._media import read_results
from rekog_emotion.commands._tables import Layout, print_table
from rekog_emotion.commands._terminal import for_programs, one_line, say
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.values.base import short
from rekog_emotion.values.wording import age, features, number_of_faces, percent, word

if TYPE_CHECKING:
    from rekog_emotion.results.lossless import Analysis
    from rekog_emotion.results.video_analysis import VideoAnalysis
    from rekog_emotion.values.faces import Attribute, BoundingBox, Face
    from rekog_emotion.values.videos import TimedFace

__all__ = ["Listing"]

# Seconds that one row of a video's summary may stand for; the first that gives few enough rows is taken.
_SPANS: Final = (1, 2, 5, 10, 30, 60, 300, 600)
_ROWS: Final = 40
# The widest that most cells are, by their column.
_LIKELY: Final = {
    "#": "10",
    "box (pixels)": "1000,1000 1000x1000",
    "box (ratio)": "0.00,0.00 0.00x0.00",
    "emotion": "SURPRISED 100.0%",
    "gender": "Female 100.0%",
    "age": "10-20",
    "smile": "yes 100.0%",
    "time": "1:00:00",
}


class Listing:
    """Prints analyses one after the other; for people, with an empty line between two."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._for_programs = for_programs(args)
        self._begun = False
        self._columns: set[str] = set()  # that photos have had so far
        self._layout: Layout | None = None

    def add_results(self, path: str) -> None:
        """Print the analyses of a file."""
        for analysis in read_results(path):
            self.add(analysis, source=analysis.source)

    def add(self, analysis: Analysis, *, source: str | None, name: str = "") -> None:
        """Print an analysis.

        Args:
            analysis: Of a photo or a video.
            source: What was analysed, in the words of whoever named it.
            name: What people read instead.
        """
        if self._for_programs:
            say(evolve(analysis, source=source).to_json())
            return
        if self._begun:
            say("")
        self._begun = True
        name = name or source or "source unknown"
        if isinstance(analysis, ImageAnalysis):
            self._print_faces(name, analysis)
        else:
            self._print_summary(name, analysis)

    def _print_faces(self, name: str, analysis: ImageAnalysis) -> None:
        """Print a row a face."""
        _print_headline(name, analysis)
        if not analysis.faces:
            return
        rows = [_cells(i, face, analysis.size) for i, face in enumerate(analysis.faces, start=1)]
        # What was not asked for is not there for any face, and needs no column.
        self._columns |= {name for name in rows[0] if any(row[name] for row in rows)}
        columns = [name for name in rows[0] if name in self._columns]
        self._print_table(columns, [[row[name] for name in columns] for row in rows])

    def _print_summary(self, name: str, analysis: VideoAnalysis) -> None:
        """Print a row a span of time."""
        length = analysis.metadata.duration_millis if analysis.metadata else None
        _print_headline(name, analysis, "" if length is None else _clock(length // 1000))
        if analysis.faces:
            self._print_table(("time", "faces at once", "leading emotions"), list(_rows(analysis.faces)))

    def _print_table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; its headings are those of the one above where they fit."""
        likely = [_LIKELY.get(name, "") for name in columns]
        self._layout = print_table(columns, rows, above=self._layout, likely=likely)


def _print_headline(name: str, analysis: Analysis, *facts: str) -> None:
    size = f"{analysis.size[0]} x {analysis.size[1]} pixels" if analysis.size else ""
    faces = number_of_faces(len(analysis.faces))
    say(one_line(f"{name}: {', '.join(filter(None, (faces, *facts, size, f'engine: {analysis.engine}')))}"))


# Photos: a row a face


def _cells(number: int, face: Face, size: tuple[int, int] | None) -> dict[str, str]:
    emotion, gender = face.dominant_emotion, face.gender
    return {
        "#": str(number),
        "box (pixels)" if size else "box (ratio)": _place(face.bounding_box, size),
        "emotion": f"{word(emotion.type)}{percent(emotion.confidence)}" if emotion else "",
        "gender": f"{word(gender.value)}{percent(gender.confidence)}" if gender else "",
        "age": age(face.age_range),
        "smile": _yes_or_no(face.smile),
        "also": ", ".join(features(face, without={"smile"})),
    }


def _yes_or_no(attribute: Attribute | None) -> str:
    if attribute is None:
        return ""
    return f"{'yes' if attribute else 'no'}{percent(attribute.confidence)}"


def _place(box: BoundingBox | None, size: tuple[int, int] | None) -> str:
    if box is None or None in {box.left, box.top, box.width, box.height}:
        return ""
    if size is None:
        left, top, width, height = map(short(2), (box.left, box.top, box.width, box.height))
        return f"{left},{top} {width}x{height}"
    left, top, right, bottom = box.to_pixels(size)
    return f"{left},{top} {right - left}x{bottom - top}"


# Videos: a row a span of time


def _rows(faces: Iterable[TimedFace]) -> Iterator[tuple[str, str, str]]:
    """Give a row a second, or a longer span for a longer video: faces at once, and how often each emotion led."""
    times = [(face.timestamp_ms or 0, face) for face in faces]
    last = max(time for time, _ in times) // 1000
    span = next((span for span in _SPANS if last // span < _ROWS), last // _ROWS + 1)
    spans: dict[int, list[tuple[int, TimedFace]]] = {}
    for time, face in times:
        spans.setdefault(time // 1000 // span, []).append((time, face))
    for number, members in sorted(spans.items()):
        at_once = max(Counter(time for time, _ in members).values())
        leading = [timed.face.dominant_emotion for _, timed in members if timed.face is not None]
        counts = Counter(str(emotion.type) for emotion in leading if emotion is not None)
        shares = ", ".join(f"{kind} {count / len(members):.0%}" for kind, count in counts.most_common())
        yield _clock(number * span), str(at_once), shares


def _clock(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
