"""The faces of a video in columns: what tracking and timelines need, at some 190 bytes a face."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from rekog_emotion.errors import InvalidInputError, needs
from rekog_emotion.values.leaves import leaves, scores
from rekog_emotion.values.numbers import as_float
from rekog_emotion.values.words import EmotionType, LandmarkType

with needs("timeline", "Following people over time"):
    import numpy as np
    from numpy.typing import NDArray

if TYPE_CHECKING:
    from rekog_emotion.values.videos import TimedFace

__all__ = ["SHAPE", "TRAITS", "Columns"]

#: The landmarks that every answer has, with five points, 25 or 30.
SHAPE: Final = (
    LandmarkType.EYE_LEFT,
    LandmarkType.EYE_RIGHT,
    LandmarkType.NOSE,
    LandmarkType.MOUTH_LEFT,
    LandmarkType.MOUTH_RIGHT,
)
#: What stays much as it is on a face from one sample to the next; the columns of ``Columns.traits``.
TRAITS: Final = ("male", "age", "eyeglasses", "sunglasses", "beard", "mustache", "roll", "brightness")

_LEAVES: Final = leaves(
    *(f"bounding_box.{side}" for side in ("left", "top", "width", "height")),
    *(f"landmarks.{kind}.{axis}" for kind in SHAPE for axis in "xy"),
    *("gender.value", "gender.confidence", "age_range.low", "age_range.high", "pose.roll", "quality.brightness"),
    *(f"{flag}.{leaf}" for flag in TRAITS[2:6] for leaf in ("value", "confidence")),
    *("pose.yaw", "pose.pitch"),
)

_CHUNK: Final = 50_000  # faces that wait in Python's lists until they go into columns
_LATEST: Final = 2**53  # milliseconds; beyond, floats do not tell them apart
_LARGEST: Final = 1e6  # of a ratio, of degrees, of years
_NAN: Final = math.nan


@frozen(eq=False)
class Columns:
    """Faces in order of time, those of one time from left to right, whatever the order they came in.

    Attributes:
        positions: Where each face stood among those that were given.
        milliseconds: Timestamps.
        boxes: Left, top, width and height, as ratios of the frame.
        shapes: x and y of the five landmarks of ``SHAPE`` in the box: 0 is its left or top, 1 its right or bottom.
        traits: One column for each of ``TRAITS``: -1 (surely not) to 1 (surely); age in years, roll in degrees,
            brightness 0 to 100.
        turns: Yaw and pitch in degrees.
        kinds: The emotions that occur.
        confidences: One column for each of ``kinds``, 0 to 100; 0 where a face has others only, NaN where it has none.

    What is not known is NaN. Faces without a time or a whole box are left out.
    """

    positions: NDArray[np.int64]
    milliseconds: NDArray[np.int64]
    boxes: NDArray[np.float32]
    shapes: NDArray[np.float32]
    traits: NDArray[np.float32]
    turns: NDArray[np.float32]
    kinds: tuple[EmotionType | str, ...]
    confidences: NDArray[np.float32]

    @classmethod
    def of(cls, faces: Iterable[TimedFace]) -> Columns:
        """Read faces, each once; a generator's need not be in memory together."""
        return _Reader().read(faces)

    def __len__(self) -> int:
        return len(self.milliseconds)


class _Reader:
    """Collects rows, and puts them into columns chunk by chunk."""

    def __init__(self) -> None:
        self._kinds: dict[str, int] = {}
        self._times: list[tuple[int, int]] = []
        self._rows: list[float] = []
        self._emotions: list[float] = []
        self._chunks: list[tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]] = []

    def read(self, faces: Iterable[TimedFace]) -> Columns:
        for position, timed in enumerate(faces):
            face, when = timed.face, timed.timestamp_ms
            if when is None or face is None:
                continue
            left, top, width, height, *others = _LEAVES(face)
            if left is None or top is None or width is None or height is None:
                continue
            kinds, confidences = scores(face) or ((), ())
            if not self._kinds.keys() >= {*kinds} - {None}:
                # A word that was not there yet is a column more from here on.
                self._flush()
                for kind in kinds:
                    if kind is not None:
                        self._kinds.setdefault(kind, len(self._kinds))
            if abs(when) > _LATEST:
                msg = f"face {position} has a time of over {_LATEST} milliseconds, which no video has: check the answer"
                raise InvalidInputError(msg)
            self._times.append((position, when))
            self._rows += (left, top, width, height)
            self._rows += _shape(others[: 2 * len(SHAPE)], (left, top, width, height))
            *traits, yaw, pitch = others[2 * len(SHAPE) :]
            self._rows += _traits(*traits)
            self._rows += (_NAN if yaw is None else yaw, _NAN if pitch is None else pitch)
            self._emotions += self._scores(kinds, confidences)
            if len(self._times) >= _CHUNK:
                self._flush()
        self._flush()
        return self._columns()

    def _scores(self, kinds: Sequence[str | None], confidences: Sequence[float | None]) -> list[float]:
        if not kinds:
            return [_NAN] * len(self._kinds)
        row = [0.0] * len(self._kinds)
        for kind, confidence in zip(kinds, confidences, strict=True):
            if kind is not None and confidence is not None:
                row[self._kinds[kind]] = confidence
        return row

    def _flush(self) -> None:
        if not self._times:
            return
        count = len(self._times)
        rows = _singles(self._rows).reshape(count, -1)
        emotions = _singles(self._emotions).reshape(count, len(self._kinds))
        self._chunks.append((np.array(self._times, np.int64), rows, emotions))
        self._times, self._rows, self._emotions = [], [], []

    def _columns(self) -> Columns:
        names: tuple[str, ...] = tuple(self._kinds)
        order = sorted(range(len(names)), key=lambda i: _rank(names[i]))
        width = 4 + 2 * len(SHAPE) + len(TRAITS) + 2
        count = sum(len(times) for times, _, _ in self._chunks)
        times = np.empty((count, 2), np.int64)
        rows = np.empty((count, width), np.float32)
        # A chunk from before a word turned up says nothing of it, which is 0; but NaN where it has no emotions at all.
        emotions = np.zeros((count, len(names)), np.float32)
        begin = 0
        for chunk in self._chunks:
            end = begin + len(chunk[0])
            times[begin:end], rows[begin:end] = chunk[0], chunk[1]
            known = chunk[2].shape[1]
            emotions[begin:end, :known] = chunk[2]
            emotions[begin:end, known:] = np.isnan(chunk[2]).all(axis=1, keepdims=True) * np.float32(1)
            emotions[begin:end][np.isnan(chunk[2]).all(axis=1)] = _NAN
            begin = end
        self._chunks = []
        rows[~(np.abs(rows) <= _LARGEST)] = _NAN  # as good as infinite, and its square is
        whole = np.isfinite(rows[:, :4]).all(axis=1) & (rows[:, 2] > 0) & (rows[:, 3] > 0)
        # By time, then left, top, width and height: the order in which faces of one time came means nothing.
        places = rows[:, 3], rows[:, 2], rows[:, 1], rows[:, 0], times[:, 1]
        sequence = np.lexsort(places)
        ties = np.logical_and.reduce([key[sequence[1:]] == key[sequence[:-1]] for key in places])
        if ties.any():  # two faces in one place, which whatever else is known of them tells apart
            sequence = np.lexsort((*emotions.T, *rows[:, 4:].T, *places))
        sequence = sequence[whole[sequence]]
        return Columns(
            positions=times[sequence, 0],
            milliseconds=times[sequence, 1],
            boxes=rows[sequence, :4],
            shapes=rows[sequence, 4 : 4 + 2 * len(SHAPE)],
            traits=rows[sequence, 4 + 2 * len(SHAPE) : -2],
            turns=rows[sequence, -2:],
            kinds=tuple(_word(names[i]) for i in order),
            confidences=np.clip(emotions[sequence][:, order], 0, 100),
        )


def _singles(numbers: list[float]) -> NDArray[np.float32]:
    """Return numbers in single precision; what is beyond it is infinite, and then unknown."""
    with np.errstate(over="ignore"):
        try:
            return np.array(numbers, np.float32)
        except OverflowError:  # an integer beyond all floats
            return np.array([as_float(one) for one in numbers], np.float32)


def _rank(kind: str) -> tuple[int, str]:
    words = list(EmotionType)
    return (words.index(EmotionType(kind)), "") if kind in words else (len(words), kind)


def _word(kind: str) -> EmotionType | str:
    return EmotionType(kind) if kind in list(EmotionType) else kind


_UNKNOWN_SHAPE: Final = (_NAN,) * (2 * len(SHAPE))


def _shape(points: Sequence[float | None], box: tuple[float, float, float, float]) -> Sequence[float]:
    """Return points, x and y in turns, as ratios of the box."""
    left, top, width, height = box
    if None in points or not width or not height:
        return _UNKNOWN_SHAPE
    try:
        return [
            (place - (top if i % 2 else left)) / (height if i % 2 else width)
            for i, place in enumerate(points)
            if place is not None
        ]
    except OverflowError:  # an integer is beyond all floats
        return _UNKNOWN_SHAPE


def _traits(  # noqa: PLR0917 -- the leaves of _LEAVES
    gender: str | None,
    gender_confidence: float | None,
    low: int | None,
    high: int | None,
    roll: float | None,
    brightness: float | None,
    *flags: Any,  # noqa: ANN401 -- values and confidences in turns
) -> list[float]:
    return [
        _NAN if gender not in {"Male", "Female"} else _signed(gender_confidence, yes=gender == "Male"),
        _NAN if low is None or high is None else (as_float(low) + as_float(high)) / 2,
        *(
            _NAN if value is None else _signed(confidence, yes=value)
            for value, confidence in zip(flags[::2], flags[1::2], strict=True)
        ),
        _NAN if roll is None else roll,
        _NAN if brightness is None else brightness,
    ]


def _signed(confidence: float | None, *, yes: bool) -> float:
    """Return -1 to 1 for a value with a confidence of 50 (as good as nothing) to 100."""
    sure = 0.5 if confidence is None else min(max((as_float(confidence) - 50) / 50, 0.0), 1.0)
    return sure if yes else -sure
