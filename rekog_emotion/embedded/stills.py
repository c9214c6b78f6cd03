"""Pictures that stand unchanged, like slides: looked at once, whatever the container says of their length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sample", "at_each_time", "stills"]

Sample: TypeAlias = tuple[int, NDArray[np.uint8]]
"""Milliseconds, and an RGB array (height, width, 3)."""

_AT_ONCE: Final = 1000  # faces that are handed on together: a hundred of them may stand for six hours
_COARSE: Final = 16  # rows between two that tell most pictures from each other


def stills(samples: Iterable[Sample]) -> Iterator[tuple[list[int], NDArray[np.uint8]]]:
    """Yield each picture with all times, in their order, at which it is seen before it changes.

    Args:
        samples: In order of time. Two pictures in a row are one if all their pixels are equal, and only then: the
            engine would find the same on both.

    Yields:
        Milliseconds and the picture, when the next one differs.
    """
    times: list[int] = []
    shown: NDArray[np.uint8] | None = None
    for time, picture in samples:
        if shown is not None and not _equal(picture, shown):
            yield times, shown
            times = []
        times.append(time)
        shown = picture
    if shown is not None:
        yield times, shown


def at_each_time(times: Sequence[int], faces: Sequence[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the faces of a picture at each of its times as the service words them, in lists of bounded length.

    Args:
        times: Milliseconds.
        faces: ``FaceDetail`` on the wire; all times share them.
    """
    step = max(1, _AT_ONCE // max(1, len(faces)))
    for begin in range(0, len(times), step):
        yield [{"Timestamp": time, "Face": face} for time in times[begin : begin + step] for face in faces]


def _equal(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    return one is other or (np.array_equal(one[::_COARSE], other[::_COARSE]) and np.array_equal(one, other))
