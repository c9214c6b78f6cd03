"""Where faces are between two samples of a video: one that is plausibly the same moves, one that is not stays."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import evolve, frozen

from rekog_emotion.values.faces import BoundingBox, Face
from rekog_emotion.values.landmarks import Landmarks

if TYPE_CHECKING:
    from rekog_emotion.values.videos import TimedFace

__all__ = ["Motion"]

Box: TypeAlias = tuple[float, float, float, float]  # left, top, width, height, ratios of the picture

_STEP: Final = 500.0  # milliseconds; the service looks twice a second
_HELD: Final = 1.1  # of a step: times are rounded to frames
_ROUNDED: Final = 6  # milliseconds; times of samples are rounded down to one, those of containers to five at most
_RESTLESS: Final = 0.5  # box widths or heights that one may move in half a second of which no way is known
_FURTHEST: Final = 1.0  # box widths or heights that a face may move from one sample to the next
_GROWTH: Final = 1.8  # how many times larger or smaller it may become


@frozen
class _Sample:
    at: int
    faces: tuple[Face, ...]
    # The position of the same face in the next sample, by the position here.
    next: dict[int, int]
    # The same for faces that are further away than one moves as a rule.
    leaps: dict[int, int]
    # Both, from here to the sample before.
    back: dict[int, int]
    # The positions here of what is in the sample before's `next`.
    continued: frozenset[int]


class Motion:
    """The faces of a video at any moment.

    Boxes are read off between two neighbouring samples (at most one and a half steps apart) where one face of the first
    and one of the second are each other's nearest, no further apart than their own size, and of about the same size.
    Others are where they were seen: for a quarter of a second before, and after it as long as a sample counts, half a
    second, or for a quarter where the next sample has somebody new.

    Args:
        faces: In any order; those without a time or a box are passed over.
        step: Milliseconds between two samples at most.
    """

    def __init__(self, faces: Iterable[TimedFace], *, step: float = _STEP) -> None:
        moments: dict[int, list[Face]] = {}
        for timed in faces:
            if timed.timestamp_ms is not None and timed.face is not None and _box(timed.face) is not None:
                moments.setdefault(timed.timestamp_ms, []).append(timed.face)
        times = sorted(moments)
        self._held, self._near, self._times = _HELD * step, 1.5 * step, times
        self._samples: list[_Sample] = []
        pairs: dict[int, int] = {}
        leaps: dict[int, int] = {}
        for i, at in enumerate(times):
            continued, back = frozenset(pairs.values()), {j: k for k, j in (pairs | leaps).items()}
            pairs, leaps = {}, {}
            if i + 1 < len(times) and times[i + 1] - at <= self._near:
                pairs = _matched(moments[at], moments[times[i + 1]])
                leaps = _matched(moments[at], moments[times[i + 1]], furthest=math.inf, others=pairs)
            self._samples.append(_Sample(at, tuple(moments[at]), pairs, leaps, back, continued))

    def at(self, since: float, until: float | None = None) -> list[Face]:
        """Return the faces of a picture that is shown from one millisecond until another, or at one moment.

        Where the picture itself was looked at, they are those that were found on it. Else their boxes are where they
        are when it appears, and everything else is as it was sampled.
        """
        if until is not None:
            inside = bisect_left(self._times, since - _ROUNDED)
            if inside < bisect_left(self._times, until - _ROUNDED):
                return list(self._samples[inside].faces)
        i = bisect_right(self._times, since) - 1
        found: list[Face] = []
        if i >= 0:
            sample = self._samples[i]
            following = self._samples[i + 1] if i + 1 < len(self._samples) else None
            for k, face in enumerate(sample.faces):
                if following is not None and k in sample.next:
                    share = (since - sample.at) / (following.at - sample.at)
                    found.append(_between(face, following.faces[sample.next[k]], share))
                elif since - sample.at <= self._lasting(sample, following):
                    found.append(face)
        if i + 1 < len(self._samples):
            following = self._samples[i + 1]
            if following.at - since < _STEP / 2:
                found += [face for k, face in enumerate(following.faces) if k not in following.continued]
        return found

    def _lasting(self, sample: _Sample, following: _Sample | None) -> float:
        """Return for how many milliseconds a face is drawn that is not followed from a sample to the next.

        It is on screen until the next look, as timelines count it. Where somebody else is found then, who may be the
        same after a cut, one goes half-way and the other comes.
        """
        is_near = following is not None and following.at - sample.at <= self._near
        if following is not None and is_near and len(following.continued) < len(following.faces):
            return _STEP / 2
        return _STEP - _ROUNDED

    def around(self, since: float, until: float | None = None) -> list[Box]:
        """Return the boxes to hide on such a picture: more than is drawn, since what is shown once is shown for ever.

        A face that is followed takes the frame around both its boxes, and so does one that leaps. Another is hidden for
        a whole step before and after it was seen, in a box that grows and goes on the way that it came. On a picture
        that was itself looked at nothing is hidden of what was seen more than half a second away from it.
        """
        until = since if until is None else until
        first, last = bisect_left(self._times, since - _ROUNDED), bisect_left(self._times, until)
        last = max(last, bisect_right(self._times, since))
        held = _HELD * _STEP if first < last else max(self._held, _HELD * _STEP)
        boxes = [_placed(face) for sample in self._samples[first:last] for face in sample.faces]
        for i in range(bisect_left(self._times, since - held), first):
            boxes += self._lost(i, since - self._times[i], onward=True)
        for i in range(last, bisect_right(self._times, until + held)):
            boxes += self._lost(i, self._times[i] - until, onward=False)
        for one, other in pairwise(self._samples[max(first - 1, 0) : last + 1]):
            if one.at < until and other.at > since and (first == last or other.at - one.at <= held):
                boxes += [
                    _union(_placed(one.faces[k]), _placed(other.faces[j])) for k, j in (one.next | one.leaps).items()
                ]
        return boxes

    def _lost(self, i: int, away: float, *, onward: bool) -> Iterator[Box]:
        """Yield boxes for faces of a sample that are not followed to the next one, or that were not from the last.

        Args:
            i: The sample.
            away: Milliseconds from it.
            onward: Whether these are after it.
        """
        sample = self._samples[i]
        followed, other_way = (sample.next, sample.back) if onward else (sample.continued, sample.next | sample.leaps)
        for k, face in enumerate(sample.faces):
            if k in followed:
                continue
            box = grown = _placed(face)
            if k in other_way:
                beside = self._samples[i - 1 if onward else i + 1]
                seen = _placed(beside.faces[other_way[k]])
                grown = _union(box, _mixed(box, seen, -away / abs(beside.at - sample.at)))
            x, y = (side * _RESTLESS * min(away / _STEP, 1) for side in box[2:])
            yield grown[0] - x, grown[1] - y, grown[2] + 2 * x, grown[3] + 2 * y


def _box(face: Face) -> Box | None:
    box = face.bounding_box
    if box is None or box.left is None or box.top is None or box.width is None or box.height is None:
        return None
    return box.left, box.top, box.width, box.height


def _placed(face: Face) -> Box:
    box = _box(face)
    assert box is not None, "others are passed over at the beginning"  # noqa: S101 -- for the type checker
    return box


def _matched(
    before: list[Face], after: list[Face], *, furthest: float = _FURTHEST, others: Mapping[int, int] | None = None
) -> dict[int, int]:
    """Pair faces that are plausibly the same, the nearest pairs first; others are paired already."""
    others = others or {}
    pairs = sorted(
        (distance, i, j)
        for i, one in enumerate(before)
        for j, other in enumerate(after)
        if i not in others and j not in others.values()
        if (distance := _distance(_placed(one), _placed(other))) <= furthest and distance < math.inf
    )
    matched: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in matched and j not in matched.values():
            matched[i] = j
    return matched


def _distance(one: Box, other: Box) -> float:
    """Return how far apart two boxes are in sizes of a face; infinity where their sizes differ too much."""
    width, height = (one[2] + other[2]) / 2, (one[3] + other[3]) / 2
    areas = sorted((one[2] * one[3], other[2] * other[3]))
    if areas[0] <= 0 or areas[1] > areas[0] * _GROWTH**2:
        return float("inf")
    x = one[0] + one[2] / 2 - other[0] - other[2] / 2
    y = one[1] + one[3] / 2 - other[1] - other[3] / 2
    return max(abs(x) / width, abs(y) / height)


def _between(before: Face, after: Face, share: float) -> Face:
    """Return the nearer sample's face with its box in between; its landmarks and its pose move on with the box."""
    here = _mixed(_placed(before), _placed(after), share)
    nearer = before if share < 0.5 else after  # noqa: PLR2004 -- the middle
    left, top, width, height = here
    box = BoundingBox(left=left, top=top, width=width, height=height)
    return evolve(nearer, bounding_box=box, landmarks=_moved(nearer.landmarks, _placed(nearer), here))


def _mixed(one: Box, other: Box, share: float) -> Box:
    left, top, width, height = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return left, top, width, height


def _moved(landmarks: Landmarks | None, box: Box, to: Box) -> Landmarks | None:
    if landmarks is None or box[2] <= 0 or box[3] <= 0:
        return None
    return Landmarks(
        types=landmarks.types,
        x=tuple(None if x is None else to[0] + (x - box[0]) / box[2] * to[2] for x in landmarks.x),
        y=tuple(None if y is None else to[1] + (y - box[1]) / box[3] * to[3] for y in landmarks.y),
    )


def _union(one: Box, other: Box) -> Box:
    left, top = min(one[0], other[0]), min(one[1], other[1])
    right, bottom = max(one[0] + one[2], other[0] + other[2]), max(one[1] + one[3], other[1] + other[3])
    return left, top, right - left, bottom - top
