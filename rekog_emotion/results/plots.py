"""Plots of timelines by matplotlib: one row a person, or one row a video. How faces look, not what people feel."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.text import plain
from rekog_emotion.values.palette import UNDECIDED, color_of, words
from rekog_emotion.values.wording import word

with needs("plot", "Plotting"):
    import numpy as np
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    from rekog_emotion.results.shapes import everybody, longest_on_screen, outline, thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rekog_emotion.people.person import Person
    from rekog_emotion.results.protocols import PeopleOverTime, VideoFaces

__all__ = ["CAUTION", "Kind", "plot_people", "plot_videos"]

Kind = Literal["lines", "stacked"]

CAUTION: Final = "How faces look, not what people feel."
"""What every picture of emotions says."""

_WIDTH: Final = 11.0  # inches
_TALL, _LOW, _LOWEST = 1.3, 0.75, 0.42  # inches a row, for few, many and very many people
_FEW, _MANY = 6, 15
_TICKS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)  # seconds
_MOST_TICKS: Final = 9


def plot_people(
    timeline: PeopleOverTime,
    *,
    kind: Kind = "lines",
    analysis: VideoFaces | None = None,
    video: str | os.PathLike[str] | None = None,
    max_people: int = 30,
) -> Figure:
    """Draw one row a person, those who are longest on screen, in order of their first face.

    Args:
        timeline: Of one video.
        kind: ``"lines"``, one an emotion, or ``"stacked"`` areas of which the white rest is undecided.
        analysis: What the timeline was made of; for thumbnails.
        video: The local file that was analysed; for thumbnails.
        max_people: How many rows at most; the title says how many people are left out.

    Returns:
        A figure of its own, which pyplot does not know; ``figure.savefig("people.png")`` writes it.

    Raises:
        InvalidInputError: An argument cannot be used; or the video cannot be decoded, or is not the one that was
            analysed.
        MissingExtraError: The ``plot`` extra, or for thumbnails ``embedded``, is not installed.
    """
    _check(kind)
    if max_people < 1:
        msg = f"max_people is {max_people}, and has to be at least 1"
        raise InvalidInputError(msg)
    shown = longest_on_screen(timeline.people, max_people)
    pictures: Mapping[int, Any] = {}
    if video is not None:
        if analysis is None:
            msg = "thumbnails need the analysis as well as the video: call clip.plot(video=...)"
            raise InvalidInputError(msg)
        from rekog_emotion.results.frames import portraits

        pictures = portraits(video, analysis, shown, side=96)
    rows = [(f"person {person.id}", person, pictures.get(person.id)) for person in shown]
    title = f"{len(timeline.people)} people" if len(timeline.people) != 1 else "1 person"
    if len(shown) < len(timeline.people):
        title += f", the {len(shown)} longest on screen"
    return _draw(rows, timeline.duration_seconds, kind, title)


def plot_videos(timelines: Mapping[str, PeopleOverTime], *, kind: Kind = "stacked") -> Figure:
    """Draw one row a video to compare them: the mean over everybody on screen, by time.

    Args:
        timelines: By the name that the row shall have.
        kind: ``"lines"`` or ``"stacked"``.

    Raises:
        InvalidInputError: There is no timeline, or ``kind`` is another word.
    """
    _check(kind)
    if not timelines:
        msg = "there is no timeline to draw: give at least one, by its name"
        raise InvalidInputError(msg)
    rows = [(name, everybody(timeline), None) for name, timeline in timelines.items()]
    longest = max(timeline.duration_seconds for timeline in timelines.values())
    title = "1 video" if len(rows) == 1 else f"{len(rows)} videos"
    return _draw(rows, longest, kind, f"{title}, mean over everybody on screen")


def _check(kind: str) -> None:
    if kind not in {"lines", "stacked"}:
        msg = f"kind is {kind!r}; it is 'lines' or 'stacked'"
        raise InvalidInputError(msg)


def _draw(rows: Sequence[tuple[str, Person | None, Any]], duration: float, kind: Kind, title: str) -> Figure:
    count = max(1, len(rows))
    each = _TALL if count <= _FEW else _LOW if count <= _MANY else _LOWEST
    figure = Figure(figsize=(_WIDTH, each * count + 1.5), layout="constrained")
    axes = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    used: dict[str, None] = {}
    for axis, (name, person, picture) in zip(axes, rows, strict=False):
        _label(axis, name, picture, small=each == _LOWEST)
        if person is None:
            continue
        seen = thinned(person, duration=duration)
        _presence(axis, seen)
        kinds = _lines(axis, seen) if kind == "lines" else _stacked(axis, seen)
        used.update(dict.fromkeys(kinds))
    for axis in axes:
        axis.set_ylim(0, 100)
        axis.set_xlim(0, max(duration, 0.1))
        axis.set_yticks([0, 50, 100] if each == _TALL else [])
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    if not rows:
        axes[0].text(0.5, 0.5, "nobody is seen", transform=axes[0].transAxes, ha="center", va="center")
    axes[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: words(value)))
    step = next((step for step in _TICKS if duration / step < _MOST_TICKS), duration / _MOST_TICKS)
    axes[-1].xaxis.set_major_locator(MultipleLocator(step))
    axes[-1].set_xlabel("time", fontsize=9)
    figure.suptitle(f"{title}. {CAUTION}", fontsize=10)
    if any(person is not None for _, person, _ in rows):
        handles = _legend(used, kind)
        legend = figure.legend(
            handles=handles, loc="outside lower center", ncols=min(9, len(handles)), fontsize=8, frameon=False
        )
        for text in legend.get_texts():
            text.set_parse_math(False)  # words of answers are no formulas
    return figure


def _label(axis: Axes, name: str, picture: Any, *, small: bool) -> None:  # noqa: ANN401 -- a PIL image, or None
    axis.text(
        -0.09,
        0.5,
        plain(name),
        transform=axis.transAxes,
        ha="right",
        va="center",
        fontsize=7 if small else 9,
        parse_math=False,
    )
    box = axis.inset_axes((-0.085, 0.02, 0.045, 0.96))
    box.set_axis_off()
    if picture is not None:
        box.imshow(np.asarray(picture))


def _presence(axis: Axes, person: Person) -> None:
    """Draw a line under what is seen, so that a person whose emotions are not known has something, too."""
    for begin, end in _stretches(person):
        axis.plot(
            [person.starts[begin], person.ends[end - 1]],
            [0, 0],
            color=UNDECIDED,
            linewidth=3,
            solid_capstyle="butt",
            clip_on=False,  # the axis would hide it
            zorder=3,
        )


def _stretches(person: Person) -> Iterable[tuple[int, int]]:
    edges = [0, *(np.flatnonzero(np.diff(person.stretches)) + 1).tolist(), len(person.starts)]
    return pairwise(edges)


def _lines(axis: Axes, person: Person) -> list[str]:
    """Draw a line an emotion; those that are never over 10 are noise at the bottom, and left out."""
    times, values = outline(person)
    drawn = []
    for column, kind in enumerate(person.kinds):
        if np.nanmax(values[:, column], initial=0) >= 10:  # noqa: PLR2004 -- see above
            axis.plot(times, values[:, column], color=color_of(kind), linewidth=1.4)
            drawn.append(str(kind))
    return drawn


def _stacked(axis: Axes, person: Person) -> list[str]:
    times, values = outline(person)
    below = np.zeros(len(times))
    for column, kind in enumerate(person.kinds):
        above = below + values[:, column]
        axis.fill_between(times, below, above, color=color_of(kind), linewidth=0, where=~np.isnan(above))
        below = np.nan_to_num(above)
    return [str(kind) for kind in person.kinds]


def _legend(kinds: Iterable[str], kind: Kind) -> list[Any]:
    seen = Line2D([], [], color=UNDECIDED, linewidth=3, label="on screen")
    if kind == "lines":
        return [*(Line2D([], [], color=color_of(one), label=_name(one)) for one in kinds), seen]
    return [*(Patch(color=color_of(one), label=_name(one)) for one in kinds), seen]


def _name(kind: str) -> str:
    name = word(kind)
    return f" {name}" if name.startswith("_") else name  # matplotlib leaves out what begins so
