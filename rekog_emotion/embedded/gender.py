"""Apparent gender by dlib's network, whose pictures nobody forbids to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from rekog_emotion.embedded.expression import chips, mirrored
from rekog_emotion.embedded.mesh import FaceMesh
from rekog_emotion.embedded.nets import ALONE, FloatArray, Hardware, Net

__all__ = ["Gender"]

SIDE, PAD = 32, 0.2  # pixels of the network's input, and its margin
MEAN = np.array([122.782, 117.001, 104.298], np.float32)  # RGB, from the network's own preprocessing


class Gender:
    """The probability, 0..1, of ``Male``; safe to call from several threads at once.

    Args:
        on: What the network runs on.
    """

    FILES: ClassVar = ("dlib_gender",)

    def __init__(self, *, on: Hardware = ALONE) -> None:
        (self._net,) = (Net(name, on=on) for name in self.FILES)

    def __call__(self, faces: Sequence[FaceMesh]) -> FloatArray:
        """Return one estimate a face, shape (n,): the mean over its crop and the mirrored one.

        Args:
            faces: n faces with their meshes.
        """
        crops = (mirrored(chips(faces, SIDE, PAD)) - MEAN) / 256
        (likely,) = self._net(crops.transpose(0, 3, 1, 2))
        return np.asarray(likely[:, 1].reshape(2, len(faces)).mean(0))
