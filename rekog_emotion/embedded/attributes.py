"""The yes-or-no members of a face, from a network that sees its crop and from the shape of its mesh."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from attrs import frozen

from rekog_emotion.embedded.mesh import FaceMesh
from rekog_emotion.embedded.nets import ALONE, Hardware, Net, sigmoid

__all__ = ["Attributes", "Shape", "shape"]

SIDE = 80  # pixels of the network's input
# Where it was trained to see the centres of the eyes and of the mouth, as shares of the crop; the training crops had
# 112 pixels and whole coordinates at the centres of pixels.
CROP = np.array([[0.34, 0.38], [0.66, 0.38], [0.5, 0.72]]) + 0.5 / 112
OUTPUTS = ("Eyeglasses", "Sunglasses", "Beard", "Mustache", "FaceOccluded", "Smile", "MouthOpen", "Male")
# Platt scaling of the logits, in the order of OUTPUTS, fitted by docs/models/rebuild/fit_attributes.py.
SLOPE = np.array([1.369, 1.551, 1.417, 1.791, 1.273, 1.505, 1.215, 1.573])
OFFSET = np.array([-1.166, 0.512, -0.295, 0.353, -1.862, 0.386, 0.192, -0.15])


class Attributes:
    """Probabilities of attributes by a network of our own; safe to call from several threads at once.

    Args:
        on: What the networks run on.
    """

    FILES: ClassVar = ("face_attributes",)

    def __init__(self, *, on: Hardware = ALONE) -> None:
        (self._net,) = (Net(name, on=on) for name in self.FILES)

    def __call__(self, faces: Sequence[FaceMesh]) -> list[dict[str, float]]:
        """Return the probability, 0..1, of each of ``OUTPUTS``, for every face."""
        crops = np.stack([face.crop(_anchors(face), CROP, SIDE) for face in faces])
        (logits,) = self._net(crops.transpose(0, 3, 1, 2) / np.float32(127.5) - 1)
        return [dict(zip(OUTPUTS, row.tolist(), strict=True)) for row in sigmoid(logits * SLOPE + OFFSET)]


def _anchors(face: FaceMesh) -> list[list[float]]:
    """Return the centres of the eyes and of the mouth: midway between their corners."""
    points = face.points[:, :2]
    return [((points[a] + points[b]) / 2).tolist() for a, b in ((33, 133), (362, 263), (61, 291))]


# Fitted by docs/models/rebuild/fit_shape.py: weights and bias of the corners of the mouth and of what an open jaw adds
# to them, which is no smile; the same of the log of the gap between the lips, in widths of the mouth.
SMILE, JAW, SMILE_BIAS, JAW_OPEN = 8.57, -5.81, -2.43, 0.35
LIPS, LIPS_BIAS, CLOSED = 2.84, 5.83, 0.02


@frozen
class Shape:
    """Probabilities, 0..1, that a mesh's shape gives."""

    eyes_open: float
    mouth_open: float
    smile: float


def shape(face: FaceMesh, coefficients: Mapping[str, float]) -> Shape:
    """Read off a mesh whether eyes and mouth are open and whether it smiles.

    Those of the eyes were fitted on 147 faces of LFW, UTKFace and FairFace that we looked at, each as often as its
    coefficient is; those of the smile on CelebA and the London Set, those of the mouth on CelebA.

    Args:
        face: The face.
        coefficients: Its muscle movements, from :class:`~rekog_emotion.embedded.expression.Blendshapes`.
    """
    points = face.points[:, :2]
    lips, width = np.linalg.norm(points[13] - points[14]), np.linalg.norm(points[78] - points[308])
    gap = float(lips) / max(1e-6, float(width))
    jaw = max(coefficients["jaw_open"] - JAW_OPEN, 0) / (1 - JAW_OPEN)
    return Shape(
        eyes_open=float(sigmoid(10 * (0.7 - coefficients["blink"]))),
        mouth_open=float(sigmoid(LIPS * math.log(gap + CLOSED) + LIPS_BIAS)),
        smile=float(sigmoid(SMILE * coefficients["smile"] + JAW * jaw + SMILE_BIAS)),
    )
