"""Apparent age and gender of faces.

Both say how a face looks to networks that were trained on photographs, not who a person is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from attrs import frozen

from rekog_emotion.embedded.expression import chips, mirrored
from rekog_emotion.embedded.mesh import FaceMesh
from rekog_emotion.embedded.nets import FloatArray, Net

__all__ = ["AgeGender", "Apparent", "age_range"]

SIDE, SMALL_SIDE = 112, 32  # pixels of the two networks' inputs
PADS, FAST_PADS, SMALL_PAD = (0.2, 0.3), (0.25,), 0.2
SMALL_MEAN = np.array([122.782, 117.001, 104.298], np.float32)  # RGB, from the network's own preprocessing
# The first network's share of the gender; the second has the rest. Chosen on faces of UTKFace (of which the first
# network has seen some) and CelebA, development halves.
SHARE = 0.6
OLDEST = 110
# Years down and up from an estimated age that hold about 70 % of true ages (faces of LFW and UTKFace, development
# halves): the network reads the old too young.
AGES = (0, 8, 16, 25, 35, 45, 55, 67, 85)
YEARS_DOWN = (1, 2, 3, 4.5, 8, 9, 4, 4, 2)
YEARS_UP = (1.5, 3.5, 6, 8, 11, 11, 10, 10.5, 11)


@frozen
class Apparent:
    """What a face looks like: age in years, and the probability, 0..1, of ``Male``."""

    age: float
    male: float


class AgeGender:
    """Apparent age and gender; safe to call from several threads at once.

    Args:
        threads: Threads that one network call may use.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._both = Net("faceapi_age_gender", threads=threads)
        self._gender = Net("dlib_gender", threads=threads)

    def __call__(self, faces: Sequence[FaceMesh], *, fast: bool = False) -> list[Apparent]:
        """Return one estimate a face: means over crops, mirror images and, for gender, two networks.

        Args:
            faces: Faces with their meshes.
            fast: One crop a face instead of two.
        """
        pads = FAST_PADS if fast else PADS
        age, gender = self._both(np.concatenate([mirrored(chips(faces, SIDE, pad)) for pad in pads]))
        small = (mirrored(chips(faces, SMALL_SIDE, SMALL_PAD)) - SMALL_MEAN) / 256
        (second,) = self._gender(small.transpose(0, 3, 1, 2))
        ages = _by_face(age[:, 0], len(faces))
        males = SHARE * _by_face(gender[:, 0], len(faces)) + (1 - SHARE) * _by_face(second[:, 1], len(faces))
        return [Apparent(float(a), float(m)) for a, m in zip(ages, males, strict=True)]


def _by_face(values: FloatArray, faces: int) -> FloatArray:
    return np.asarray(values.reshape(-1, faces).mean(0))


def age_range(age: float) -> dict[str, int]:
    """Return the service's ``AgeRange`` around an estimated age, years."""
    age = max(age, 0.0)
    low = max(0, math.floor(age - float(np.interp(age, AGES, YEARS_DOWN))))
    high = min(OLDEST, math.ceil(age + float(np.interp(age, AGES, YEARS_UP))))
    return {"Low": low, "High": max(low + 1, high)}
