"""What a face looks like it expresses: emotions from its crop, muscle movements from its mesh.

This is how a face looks, not what a person feels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from rekog_emotion.embedded.mesh import FaceMesh
from rekog_emotion.embedded.nets import ALONE, ByteArray, FloatArray, Hardware, Net

__all__ = ["Blendshapes", "Emotions", "chips", "mirrored", "unknown"]

# Where the face networks expect the image-right eye's outer and inner corner, the image-left eye's, and the base of the
# nose, as shares of an unpadded crop, and the vertices of the mesh that are these points.
CHIP = np.array([[0.8596, 0.2135], [0.6461, 0.2290], [0.1206, 0.2137], [0.3341, 0.2291], [0.4901, 0.6278]])
CHIP_VERTICES = [263, 362, 33, 133, 2]
COLOUR_SIDE, COLOUR_PAD = 112, 0.2  # pixels of face-api's input, and its margin
GREY_SIDE, GREY_PAD = 64, 0.22  # those of our own network

CLASSES = ("ANGRY", "DISGUSTED", "FEAR", "HAPPY", "SAD", "SURPRISED", "CALM")
FACEAPI_ORDER = [3, 5, 4, 1, 2, 6, 0]  # face-api's classes in the order of CLASSES
SURELY_NOT = 1e-4  # floor of face-api's probability: it cannot rule a class out by itself
# A logistic regression on our own network's logits, face-api's log probabilities and the square roots of muscle
# movements, in the order of CLASSES. It was fitted on labelled faces (development halves of CK+, FER2013, muxspace and
# the London set, the only ones of people who were asked to smile, or not to).
OWN_WEIGHT, FACEAPI_WEIGHT = 0.932, 0.123
BIAS = np.array([-0.139, 0.519, -0.18, 0.102, -0.298, 0.2, -0.203])
MUSCLE_WEIGHTS = {
    "brow_down": (0.001, -0.226, -0.088, 0.033, 0.043, 0.197, 0.04),
    "brow_inner_up": (-0.376, 0.592, -0.096, -0.167, -0.222, 0.335, -0.064),
    "smile": (0.162, -0.166, -0.129, 0.898, 0.131, -0.243, -0.653),
    "jaw_open": (0.326, -0.567, 0.027, -0.272, -0.553, 0.874, 0.165),
    "mouth_frown": (0.453, -0.42, -0.157, -0.354, 0.209, 0.22, 0.049),
    "eye_wide": (0.199, -0.287, 0.083, -0.165, -0.206, 0.101, 0.275),
    "mouth_press": (-0.021, 0.077, 0.26, 0.154, -0.081, -0.408, 0.019),
    "eye_squint": (0.011, -0.076, 0.015, 0.242, 0.313, -0.105, -0.4),
    "mouth_stretch": (-0.1, -0.159, 0.448, -0.477, 0.33, -0.108, 0.065),
    "mouth_upper_up": (0.209, -0.263, 0.234, -0.017, 0.061, -0.194, -0.03),
    "mouth_shrug_lower": (0.07, 0.194, -0.151, 0.59, -0.176, -0.322, -0.205),
    "mouth_pucker": (-0.355, 0.292, -0.027, 0.252, 0.536, -0.245, -0.454),
    "mouth_roll_lower": (0.111, 0.304, -0.046, -0.193, -0.203, 0.036, -0.009),
}
_TENSIONS = np.array(list(MUSCLE_WEIGHTS.values()))

# The vertices that the coefficient network reads, and its outputs that are used here.
BLEND_VERTICES = [
    *(0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80),
    *(81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153),
    *(154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249),
    *(251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314),
    *(317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382),
    *(384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473),
    *(474, 475, 476, 477),
]
COEFFICIENTS = {
    "blink": [9, 10],
    "brow_down": [1, 2],
    "brow_inner_up": [3],
    "eye_squint": [19, 20],
    "eye_wide": [21, 22],
    "jaw_open": [25],
    "mouth_frown": [30, 31],
    "mouth_press": [36, 37],
    "mouth_pucker": [38],
    "mouth_roll_lower": [40],
    "mouth_shrug_lower": [42],
    "mouth_stretch": [46, 47],
    "mouth_upper_up": [48, 49],
    "smile": [44, 45],
}


class Blendshapes:
    """Muscle movements off a mesh (MediaPipe's network of 52 coefficients); safe to call from several threads.

    Args:
        on: What the networks run on.
    """

    def __init__(self, *, on: Hardware = ALONE) -> None:
        self._net = Net("face_blendshapes", on=on)

    def __call__(self, faces: Sequence[FaceMesh]) -> list[dict[str, float]]:
        """Return the movements that ``COEFFICIENTS`` names, each 0..1, of every face; left and right as their mean."""
        (rows,) = self._net(np.stack([face.points[BLEND_VERTICES, :2] for face in faces]))
        return [
            {name: sum(values[k] for k in columns) / len(columns) for name, columns in COEFFICIENTS.items()}
            for values in rows[:, 0].tolist()
        ]


class Emotions:
    """Emotions as the service names them, from two networks and the muscles; safe to call from several threads at once.

    Args:
        on: What the networks run on.
    """

    FILES: ClassVar = ("faceapi_expression", "emotion")

    def __init__(self, *, on: Hardware = ALONE) -> None:
        self._colour, self._grey = (Net(name, on=on) for name in self.FILES)

    def __call__(self, faces: Sequence[FaceMesh], muscles: Sequence[Mapping[str, float]]) -> list[list[dict[str, Any]]]:
        """Return the service's ``Emotions`` of every face: eight types, most confident first, sum 100.

        Args:
            faces: n faces.
            muscles: Their movements, from :class:`Blendshapes`.
        """
        (colour,) = self._colour(chips(faces, COLOUR_SIDE, COLOUR_PAD))
        (evidence,) = self._grey(np.stack([_grey(crop) for crop in chips(faces, GREY_SIDE, GREY_PAD)]))
        evidence = OWN_WEIGHT * evidence + FACEAPI_WEIGHT * np.log(np.clip(colour[:, FACEAPI_ORDER], SURELY_NOT, 1))
        evidence = evidence + np.array([_tension(face) for face in muscles]) + BIAS
        odds = np.exp(evidence - evidence.max(1, keepdims=True))
        return [_wire(row) for row in odds / odds.sum(1, keepdims=True)]


def chips(faces: Sequence[FaceMesh], side: int, pad: float) -> ByteArray:
    """Return one aligned crop a face, shape (n, side, side, 3).

    Args:
        faces: n faces.
        side: Pixels.
        pad: Margin on each side, a share of the unpadded crop.
    """
    targets = (CHIP + pad) / (1 + 2 * pad)
    return np.stack([face.crop(face.points[CHIP_VERTICES, :2], targets, side) for face in faces])


def mirrored(crops: ByteArray) -> ByteArray:
    """Return the crops, then their mirror images: the mean over both is steadier than either."""
    return np.concatenate([crops, crops[:, :, ::-1]])


def _grey(crop: ByteArray) -> ByteArray:
    return np.asarray(Image.fromarray(np.ascontiguousarray(crop)).convert("L"))[..., None]


def _tension(muscles: Mapping[str, float]) -> FloatArray:
    """Return what a face's muscle movements add to the evidence for each class."""
    return np.asarray([math.sqrt(muscles[name]) for name in MUSCLE_WEIGHTS] @ _TENSIONS)


def _wire(probabilities: FloatArray) -> list[dict[str, Any]]:
    """Return the eight types; CONFUSED has nothing, because no network knows it."""
    types = {**dict(zip(CLASSES, probabilities.tolist(), strict=True)), "CONFUSED": 0.0}
    emotions = [{"Type": name, "Confidence": 100 * share} for name, share in types.items()]
    return sorted(emotions, key=lambda emotion: -emotion["Confidence"])


def unknown() -> list[dict[str, Any]]:
    """Return the service's ``Emotions`` of a face that cannot be seen: ``UNKNOWN`` before the eight types."""
    return [{"Type": "UNKNOWN", "Confidence": 100.0}, *({"Type": t, "Confidence": 0.0} for t in (*CLASSES, "CONFUSED"))]
