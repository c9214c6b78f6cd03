"""What plots and reports draw of a person: fewer samples, closed outlines, the mean of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rekog_emotion.people.person import Person
    from rekog_emotion.results.protocols import PeopleOverTime

__all__ = ["everybody", "longest_on_screen", "outline", "thinned"]

_COLUMNS: Final = 1200  # samples that a row draws; a plot has about as many pixels


def longest_on_screen(people: Sequence[Person], count: int) -> list[Person]:
    """Return so many people, those who are longest on screen, by id."""
    longest = sorted(people, key=lambda person: (-person.screen_seconds, person.id))[:count]
    return sorted(longest, key=lambda person: person.id)


def everybody(timeline: PeopleOverTime) -> Person | None:
    """Return the mean over all people at each time as if it were one person, or ``None`` when there are none."""
    if not timeline.people:
        return None
    starts = np.concatenate([person.starts for person in timeline.people])
    ends = np.concatenate([person.ends for person in timeline.people])
    scores = np.concatenate([person.scores for person in timeline.people])
    times, groups = np.unique(starts, return_inverse=True)
    last = np.zeros(len(times))
    np.maximum.at(last, groups, ends)
    known = ~np.isnan(scores).any(axis=1)
    counts = np.bincount(groups[known], minlength=len(times))[:, None]
    sums = np.zeros((len(times), scores.shape[1]))
    np.add.at(sums, groups[known], scores[known])
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).astype(np.float32)
    gaps = np.concatenate(([0], np.cumsum(times[1:] > last[:-1] + 1e-6)))
    return evolve(
        timeline.people[0],
        id=0,
        starts=times,
        ends=last,
        scores=means,
        stretches=gaps,
        positions=np.zeros(len(times), np.int64),
        facing=None,
    )


def thinned(person: Person, columns: int = _COLUMNS, duration: float = 0.0) -> Person:
    """Return a person with at most so many samples: means over spans of equal length; shorter gaps are not seen."""
    if len(person.starts) <= columns:
        return person
    span = max(duration, float(person.ends[-1])) / columns
    bins = (person.starts // span).astype(np.int64)
    first = np.flatnonzero(np.diff(bins, prepend=-1))
    counts = np.diff(np.append(first, len(bins)))
    starts, ends = person.starts[first], person.ends[first + counts - 1]
    gaps = starts[1:] - ends[:-1] > span
    sums = np.add.reduceat(np.nan_to_num(person.scores), first, axis=0)
    known = np.add.reduceat(~np.isnan(person.scores), first, axis=0, dtype=np.int64)
    means = np.where(known > 0, sums / np.maximum(known, 1), np.nan).astype(np.float32)
    return evolve(
        person,
        starts=starts,
        ends=ends,
        scores=means,
        stretches=np.concatenate(([0], np.cumsum(gaps))),
        positions=person.positions[first],
        facing=None,
    )


def outline(person: Person) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return times and scores to draw: samples joined within a stretch, held to its end, and NaN between stretches."""
    last = np.append(np.diff(person.stretches) != 0, True)
    repeats = np.where(last, 3, 1)
    rows = np.repeat(np.arange(len(last)), repeats)
    times, values = person.starts[rows], person.scores[rows].astype(np.float32)
    ending = np.cumsum(repeats)[last] - 1
    times[ending - 1] = times[ending] = person.ends[last]
    values[ending] = np.nan
    return times, values
