"""Apparent age and gender of faces.

Both say how a face looks to networks that were trained on photographs, not who a person is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from attrs import frozen

from rekog_emotion.embedded.expression import chips, mirrored
from rekog_emotion.embedded.mesh import FaceMesh
from rekog_emotion.embedded.nets import ALONE, FloatArray, Hardware, Net, sigmoid

__all__ = ["AgeGender", "Apparent", "age_range", "male"]

SIDE, SMALL_SIDE = 112, 32  # pixels of the two networks' inputs
PADS, SMALL_PAD = (0.2, 0.3), 0.2
SMALL_MEAN = np.array([122.782, 117.001, 104.298], np.float32)  # RGB, from the network's own preprocessing
# Weights of the two networks' log odds, a logistic regression: fitted on faces of CelebA, UTKFace (of which the first
# network has seen some) and FairFace, development halves, each sex and decade with the same weight.
WEIGHTS = (0.66, 0.31)
# Its offset was -0.15. Up to 0.4 the sum is right equally often, so between 14 and 40 years it is 0.35: both networks
# take young men for women more often than the other way round.
OFFSET_AGES, OFFSETS = (8, 14, 40, 60), (-0.15, 0.35, 0.35, -0.15)
BOUND = 9.2  # of log odds: neither network is surer than that
# Children's genders are near chance for both networks: from the second of these ages, years, down to the first the log
# odds shrink to this share.
CHILD, CHILD_SHARE = (8, 14), 0.8
OLDEST = 110
# Years down and up from an estimated age that hold four true ages of five: quantiles over faces of UTKFace and
# FairFace, development halves. The network reads the old too young, and is further off where it has not seen a face in
# training.
AGES = (0, 8, 16, 25, 35, 45, 55, 67, 85)
YEARS_DOWN = (1, 3.5, 7, 8.5, 10.5, 11, 10, 9, 6)
YEARS_UP = (1.5, 4.5, 10, 13, 12.5, 12.5, 13, 13, 10)


@frozen
class Apparent:
    """What a face looks like: age in years, where it is known, and the probability, 0..1, of ``Male``."""

    age: float | None
    male: float


class AgeGender:
    """Apparent age and gender; safe to call from several threads at once.

    Args:
        on: What the networks run on.
    """

    FILES: ClassVar = ("faceapi_age_gender", "dlib_gender")

    def __init__(self, *, on: Hardware = ALONE) -> None:
        self._both, self._gender = (Net(name, on=on) for name in self.FILES)

    def __call__(self, faces: Sequence[FaceMesh]) -> list[Apparent]:
        """Return one estimate a face: means over two crops, one of them mirrored, and, for gender, two networks.

        Args:
            faces: Faces with their meshes.
        """
        near, wide = (chips(faces, SIDE, pad) for pad in PADS)
        age, gender = self._both(np.concatenate([near[:, :, ::-1], wide]))
        small = (mirrored(chips(faces, SMALL_SIDE, SMALL_PAD)) - SMALL_MEAN) / 256
        (second,) = self._gender(small.transpose(0, 3, 1, 2))
        ages = _by_face(age[:, 0], len(faces))
        males = male(_by_face(gender[:, 0], len(faces)), _by_face(second[:, 1], len(faces)), ages)
        return [Apparent(float(a), float(m)) for a, m in zip(ages, males, strict=True)]


def _by_face(values: FloatArray, faces: int) -> FloatArray:
    return np.asarray(values.reshape(-1, faces).mean(0))


def male(first: FloatArray, second: FloatArray, ages: FloatArray) -> FloatArray:
    """Return the probability, 0..1, of ``Male``, one a face.

    Args:
        first: What the first network says, 0..1.
        second: What the second one says.
        ages: Estimated ages, years.
    """
    edge = sigmoid(-BOUND)
    odds = [np.log(p / (1 - p)) for p in np.clip((first, second), edge, 1 - edge)]
    offsets = np.interp(ages, OFFSET_AGES, OFFSETS)
    return np.asarray(sigmoid(np.dot(WEIGHTS, odds) * np.interp(ages, CHILD, (CHILD_SHARE, 1)) + offsets))


def age_range(age: float) -> dict[str, int]:
    """Return the service's ``AgeRange`` around an estimated age, years."""
    age = max(age, 0.0)
    low = max(0, math.floor(age - float(np.interp(age, AGES, YEARS_DOWN))))
    high = min(OLDEST, math.ceil(age + float(np.interp(age, AGES, YEARS_UP))))
    return {"Low": low, "High": max(low + 1, high)}
