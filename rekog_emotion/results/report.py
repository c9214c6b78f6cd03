"""A report on the people of a video: one HTML page that stands alone, without scripts and without any address."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.media.writing import check_output, identity, output_text
from rekog_emotion.results.at_hand import is_at_hand
from rekog_emotion.text import plain
from rekog_emotion.values.palette import UNDECIDED, color_of, words
from rekog_emotion.values.wording import word

with needs("timeline", "A report"):
    import numpy as np

    from rekog_emotion.results.shapes import everybody, longest_on_screen, outline, thinned
    from rekog_emotion.results.strips import ON_SCREEN, SEGMENTS, SPACE, anchor, bar, shortest_stretch, strip
    from rekog_emotion.results.timeline import Timeline, timeline_of

if TYPE_CHECKING:
    from rekog_emotion.people.person import Person, PersonSummary
    from rekog_emotion.people.segments import Segments
    from rekog_emotion.results.protocols import VideoFaces

__all__ = ["report", "strip", "write_report"]

_PEOPLE: Final = 30  # who get a card; the table has more
_ROWS: Final = 300  # people in the table
_COLUMNS: Final = 400  # points of an area


def report(analysis: VideoFaces, *, title: str, video: str | os.PathLike[str] | None = None) -> str:
    """Return an HTML page on the people of a video: how their faces look over time, not what they feel.

    Args:
        analysis: Of the video.
        title: What the page is called, as plain text.
        video: The local file that was analysed; for a picture of everybody's best face.

    Raises:
        InvalidInputError: The video cannot be decoded, or is not the one that was analysed.
        MissingExtraError: The ``timeline`` extra, or with ``video`` the ``embedded`` extra, is not installed.
    """
    timeline = timeline_of(analysis)
    shown = longest_on_screen(timeline.people, _PEOPLE)
    faces: Mapping[int, str] = {}
    if video is not None and shown:
        from rekog_emotion.results.frames import jpeg, portraits

        faces = {
            number: base64.b64encode(jpeg(picture)).decode()
            for number, picture in portraits(video, analysis, shown).items()
        }
    shortest = shortest_stretch(timeline)
    segments = {person.id: person.segments(min_seconds=shortest) for person in shown}
    summaries = [person.summary() for person in timeline.people]
    by_id = {one.id: one for one in summaries}
    template = Template(files("rekog_emotion.results").joinpath("report.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(plain(title)),
        facts=escape(plain(", ".join(_facts(analysis, timeline)))),
        key="".join(_key(timeline.kinds)),
        overview=_overview(timeline, shown, segments),
        people="".join(
            _card(person, by_id[person.id], segments[person.id], timeline.duration_seconds, faces.get(person.id))
            for person in shown
        )
        or "<p>Nobody is seen.</p>",
        summary=_table(summaries),
        method="".join(_method(timeline, len(shown))),
    )


def write_report(
    analysis: VideoFaces,
    target: str | os.PathLike[str],
    *,
    title: str | None = None,
    video: str | os.PathLike[str] | None = None,
    pictures: bool = True,
) -> None:
    """Write the page of :func:`report` to a file, which appears when it is whole.

    Args:
        analysis: Of the video.
        target: Where.
        title: What the page is called; left out, the name of what was analysed.
        video: The local file that was analysed; left out, what the analysis calls its source, where it is at hand.
        pictures: Show everybody's best face, where the file is at hand.

    Raises:
        InvalidInputError: As for :func:`report`; or the target is the video itself, or cannot be written to.
        MissingExtraError: As for :func:`report`.
        OSError: The disk is full, for instance.
    """
    if video is None and is_at_hand(analysis):
        video = analysis.source
    if video is not None and identity(target) == identity(video):
        msg = f"{os.fspath(target)} is the video itself; name another place for the page"
        raise InvalidInputError(msg)
    check_output(Path(target), os.fspath(target))
    name = title if title is not None else os.path.basename(analysis.source or "") or analysis.job_id or "Video"  # noqa: PTH119 -- an S3 address
    page = report(analysis, title=name, video=video if pictures else None)
    with output_text(target) as file:
        file.write(page)


def _facts(analysis: VideoFaces, timeline: Timeline) -> Iterator[str]:
    count = len(timeline.people)
    yield "1 person" if count == 1 else f"{count} people"
    total = sum(len(person.starts) for person in timeline.people)
    yield "1 face" if total == 1 else f"{total} faces"
    yield f"{words(timeline.duration_seconds)} long"
    metadata = analysis.metadata
    if metadata is not None and metadata.frame_width and metadata.frame_height:
        yield f"{metadata.frame_width} x {metadata.frame_height} pixels"
    yield f"engine: {analysis.engine or 'not known'}"


def _key(kinds: Iterable[str]) -> Iterator[str]:
    for kind in kinds:
        yield f'<li><span class="dot" style="background:{color_of(kind)}"></span>{escape(word(kind))}</li>'
    yield f'<li><span class="dot" style="background:{UNDECIDED}"></span>{ON_SCREEN}</li>'
    yield '<li><span class="dot ground"></span>no emotion, or nobody on screen</li>'


def _overview(timeline: Timeline, shown: Sequence[Person], segments: Mapping[int, Segments]) -> str:
    mean = everybody(timeline)
    if mean is None:
        return ""
    rows = "".join(
        f'<div class="row"><a href="#p{person.id}" aria-label="Person {person.id}">{person.id}</a>'
        f"{bar(person, segments[person.id], timeline.duration_seconds)}</div>"
        for person in shown
    )
    areas = _areas(mean, timeline.duration_seconds, "Mean scores over everybody on screen")
    return (
        f'<div class="row"><span>all</span>{areas}</div>{rows}'
        f'<div class="row"><span></span>{_axis(timeline.duration_seconds)}</div>'
    )


def _card(person: Person, summary: PersonSummary, segments: Segments, duration: float, face: str | None) -> str:
    picture = (
        f'<img src="data:image/jpeg;base64,{face}" alt="Best face of person {person.id}">'
        if face
        else f'<div class="none" aria-hidden="true">{person.id}</div>'
    )
    listed = sorted(sorted(segments, key=lambda one: -one.seconds)[:SEGMENTS], key=lambda one: one.start)
    rows = "".join(
        f'<tr id="{anchor(one)}"><td class="n">{words(one.start)} &ndash; {words(one.end)}</td>'
        f'<td class="n">{one.seconds:.1f} s</td><td><span class="dot" style="background:{color_of(one.type)}"></span>'
        f'{escape(word(one.type))}</td><td class="n">{one.score:.0f}</td></tr>'
        for one in listed
    )
    note = (
        f'<p class="soft">The {len(listed)} longest of {len(segments)} stretches.</p>'
        if len(listed) < len(segments)
        else ""
    )
    table = (
        f'{note}<div class="list" tabindex="0"><table><tr><th class="n">from &ndash; to</th><th class="n">length</th>'
        f'<th>looks</th><th class="n">score</th></tr>{rows}</table></div>'
        if listed
        else '<p class="soft">No emotion leads for long enough.</p>'
    )
    shares = ", ".join(
        f"{escape(word(kind))} {share:.0f}&nbsp;%" for kind, share in list(summary.shares.items())[:3] if share >= 1
    )
    return (
        f'<section class="person" id="p{person.id}"><div class="head">{picture}<div><h3>Person {person.id}</h3>'
        f'<p class="soft">{words(summary.screen_seconds)} on screen, '
        f"{words(summary.start)} &ndash; {words(summary.end)}"
        f"{'<br>' + shares if shares else ''}</p></div></div>"
        f"{_areas(person, duration, f'Scores of person {person.id} over time') if person.kinds else ''}"
        f"{bar(person, segments, duration, kept=frozenset(map(anchor, listed)))}{_axis(duration)}{table}</section>"
    )


def _areas(person: Person, duration: float, label: str) -> str:
    """Draw the scores stacked, each above those before."""
    seen = thinned(person, _COLUMNS, duration)
    times, values = outline(seen)
    x = times * SPACE / max(duration, 1e-3)
    tops = 100 - np.cumsum(values, axis=1)
    parts = np.split(np.arange(len(x)), np.flatnonzero(np.isnan(values).any(axis=1)) + 1) if values.shape[1] else []
    drawn = []
    for column, kind in enumerate(seen.kinds):
        below = tops[:, column - 1] if column else np.full(len(x), 100.0)
        paths = []
        for part in parts:
            rows = part[~np.isnan(values[part]).any(axis=1)]
            # What is under half a percent all along cannot be seen, and takes room in the file.
            if len(rows) < 2 or (below[rows] - tops[rows, column]).max() < 0.5:  # noqa: PLR2004 -- a line has two ends
                continue
            corners = [
                *zip(x[rows], tops[rows, column], strict=True),
                *zip(x[rows][::-1], below[rows][::-1], strict=True),
            ]
            paths.append("M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in corners) + "Z")
        if paths:
            drawn.append(
                f'<path fill="{color_of(kind)}" d="{"".join(paths)}"><title>{escape(word(kind))}</title></path>'
            )
    return (
        f'<svg class="areas" viewBox="0 0 {SPACE} 100" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">'
        f'<rect class="ground" width="{SPACE}" height="100"/>{"".join(drawn)}</svg>'
    )


def _axis(duration: float) -> str:
    ticks = "".join(f"<span>{words(duration * k / 4)}</span>" for k in range(5))
    return f'<div class="axis">{ticks}</div>'


def _table(people: Sequence[PersonSummary]) -> str:
    longest = sorted(people, key=lambda one: (-one.screen_seconds, one.id))[:_ROWS]
    rows = []
    for one in sorted(longest, key=lambda one: one.id):
        shares = ", ".join(
            f"{escape(word(kind))} {share:.0f}&nbsp;%" for kind, share in one.shares.items() if share >= 1
        )
        rest = f", undecided {one.undecided:.0f}&nbsp;%" if one.undecided is not None and one.undecided >= 1 else ""
        highest = sorted(sorted(one.peaks, key=lambda peak: -peak.score)[:3], key=lambda peak: peak.seconds)
        peaks = "<br>".join(f"{escape(word(peak.type))} {peak.score:.0f} at {words(peak.seconds)}" for peak in highest)
        rows.append(
            f'<tr><td class="n">{one.id}</td><td class="n">{words(one.screen_seconds)}</td>'
            f'<td class="n">{words(one.start)} &ndash; {words(one.end)}</td><td class="n">{one.faces}</td>'
            f"<td>{(shares + rest) or 'not asked for'}</td><td>{peaks}</td></tr>"
        )
    note = f'<p class="soft">The {_ROWS} longest on screen of {len(people)}.</p>' if len(people) > _ROWS else ""
    return (
        f'{note}<table><tr><th class="n">person</th><th class="n">on screen</th><th class="n">from &ndash; to</th>'
        f'<th class="n">faces</th><th>mean scores</th><th>highest moments</th></tr>{"".join(rows)}</table>'
    )


def _method(timeline: Timeline, shown: int) -> Iterator[str]:
    yield (
        f"A sample every {timeline.interval_seconds:.1f} s. Scores are 0 to 100, averaged over one second. A stretch "
        f"is at least {shortest_stretch(timeline):.0f} s long; another emotion takes over when it is 10 points higher, "
        "and below 30 none leads. "
    )
    if timeline.floors:
        told = ", ".join(f"{escape(word(kind))} {floor:.1f}" for kind, floor in timeline.floors.items())
        yield f"The model gives nearly every face of this video at least {told}: that floor was taken out. "
    yield (
        "Faces are linked from sample to sample by place and looks. Nobody is recognised: who is away for more than "
        "two seconds is counted as somebody new. "
    )
    count = len(timeline.people)
    if shown < count:
        yield f"Of {count} people the {shown} longest on screen are shown; the summary has the others."
