"""Who is on screen when, as HTML: strips in the colour of the emotion that leads, for notebooks and reports."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from rekog_emotion.results.shapes import longest_on_screen, thinned
from rekog_emotion.values.listing import counted
from rekog_emotion.values.palette import UNDECIDED, color_of, words
from rekog_emotion.values.wording import word

if TYPE_CHECKING:
    from rekog_emotion.people.person import Person
    from rekog_emotion.people.segments import Segment
    from rekog_emotion.results.protocols import PeopleOverTime

__all__ = ["ON_SCREEN", "SEGMENTS", "SPACE", "anchor", "bar", "shortest_stretch", "strip"]

SEGMENTS: Final = 150
"""Stretches that a person has links and a list of; of more the longest are kept."""
SPACE: Final = 1000
"""Width of the pictures in their own units."""
ON_SCREEN: Final = "on screen, none leads"
"""What the grey of a strip is."""

_THIN: Final = "width:100%;height:14px"


def strip(timeline: PeopleOverTime, *, max_people: int = 8) -> str:
    """Return a small HTML fragment for notebooks: who is on screen when, in the colour of the emotion that leads."""
    shown = longest_on_screen(timeline.people, max_people)
    if not shown:
        return "<p>Nobody is seen.</p>"
    shortest = shortest_stretch(timeline)
    segments = {person.id: person.segments(min_seconds=shortest) for person in shown}
    leading = dict.fromkeys(str(one.type) for found in segments.values() for one in found)
    key = " ".join(f'<span style="color:{color_of(kind)}">&#9632;</span> {escape(word(kind))}' for kind in leading)
    key += f' <span style="color:{UNDECIDED}">&#9632;</span> {ON_SCREEN}'
    rows = "".join(
        '<div style="display:flex;align-items:center;gap:8px">'
        f'<span style="width:6em;flex:none;white-space:nowrap">person {person.id}</span>'
        f"{bar(person, segments[person.id], timeline.duration_seconds, style=_THIN, link=False)}</div>"
        for person in shown
    )
    more = len(timeline.people) - len(shown)
    note = f", and {counted(more, 'more person', 'more people')}, shorter on screen" if more > 0 else ""
    return (
        f'<div style="max-width:720px;font-size:12px">{rows}<div style="display:flex;justify-content:space-between;'
        f'margin-left:calc(6em + 8px)"><span>0:00</span><span>{words(timeline.duration_seconds)}</span></div>'
        f"<div>{key}{note}</div><div>How faces look, not what people feel.</div></div>"
    )


def shortest_stretch(timeline: PeopleOverTime) -> float:
    """Return the seconds of the shortest stretch: in a long video what would be thinner than a pixel is left out."""
    return max(1.0, float(round(timeline.duration_seconds / SPACE)))


def bar(
    person: Person,
    segments: Iterable[Segment],
    duration: float,
    *,
    style: str = "",
    link: bool = True,
    kept: frozenset[str] | None = None,
) -> str:
    """Draw where the person is on screen, and on it the segments, each with a link to its line."""
    scale = SPACE / max(duration, 1e-3)
    thin = thinned(person, SPACE, duration)
    edges = [0, *(np.flatnonzero(np.diff(thin.stretches)) + 1).tolist(), len(thin.starts)]
    spans = [(float(thin.starts[a]), float(thin.ends[b - 1])) for a, b in pairwise(edges)]
    seen = "".join(
        f'<rect x="{begin * scale:.1f}" y="20" width="{max((end - begin) * scale, 1):.1f}" height="8" '
        f'fill="{UNDECIDED}"/>'
        for begin, end in spans
    )
    blocks = []
    listed = kept if kept is not None else frozenset(map(anchor, _longest(segments)))
    for one in segments:
        block = (
            f'<rect x="{one.start * scale:.1f}" y="4" width="{max(one.seconds * scale, 1):.1f}" height="40" rx="2" '
            f'fill="{color_of(one.type)}"><title>{escape(word(one.type))}, {words(one.start)} - {words(one.end)}, '
            f"score {one.score:.0f}</title></rect>"
        )
        blocks.append(f'<a href="#{anchor(one)}">{block}</a>' if link and anchor(one) in listed else block)
    shape = f'style="{style}"' if style else 'class="strip"'
    return (
        f'<svg {shape} viewBox="0 0 {SPACE} 48" preserveAspectRatio="none" role="group" '
        f'aria-label="Stretches of person {person.id}">{seen}{"".join(blocks)}</svg>'
    )


def _longest(segments: Iterable[Segment]) -> list[Segment]:
    return sorted(segments, key=lambda one: -one.seconds)[:SEGMENTS]


def anchor(segment: Segment) -> str:
    """Return the id of the line of a segment in its page."""
    return f"s{segment.person}-{round(segment.start * 1000)}"
