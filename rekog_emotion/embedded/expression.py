"""What a face looks like it expresses: emotions from its crop, muscle movements from its mesh.

This is how a face looks, not what a person feels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from rekog_emotion.embedded.mesh import FaceMesh
from rekog_emotion.embedded.nets import ByteArray, FloatArray, Net

__all__ = ["Blendshapes", "Emotions", "chips", "mirrored"]

# Where the face networks expect the image-right eye's outer and inner corner, the image-left eye's, and the base of the
# nose, as shares of an unpadded crop, and the vertices of the mesh that are these points.
CHIP = np.array([[0.8596, 0.2135], [0.6461, 0.2290], [0.1206, 0.2137], [0.3341, 0.2291], [0.4901, 0.6278]])
CHIP_VERTICES = [263, 362, 33, 133, 2]
COLOUR_SIDE, GREY_SIDE = 112, 64  # pixels of the two networks' inputs
EMOTION_PAD = 0.2

CLASSES = ("ANGRY", "DISGUSTED", "FEAR", "HAPPY", "SAD", "SURPRISED", "CALM")
FACEAPI_ORDER = [3, 5, 4, 1, 2, 6, 0]  # the first network's classes in the order of CLASSES
# A weighted geometric mean of two networks that err differently; below 1 the temperature takes back overconfidence.
FACEAPI_WEIGHT, TEMPERATURE = 0.6, 0.5
SURELY_NOT = 1e-4  # floor of a network's probability: one network alone cannot rule a class out
# No network knows CONFUSED. An even split between the tense classes is the nearest thing to it: from an entropy of
# EVEN on (1 is even), up to CONFUSED_SHARE of their probability is called so.
TENSE = [CLASSES.index(name) for name in ("ANGRY", "SAD", "FEAR", "SURPRISED")]
EVEN, CONFUSED_SHARE = 0.6, 0.45

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
BLINK, JAW_OPEN, SMILE = [9, 10], [25], [44, 45]


class Blendshapes:
    """Muscle movements off a mesh (MediaPipe's network of 52 coefficients); safe to call from several threads.

    Args:
        threads: Threads that one network call may use.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._net = Net("face_blendshapes", threads=threads)

    def __call__(self, face: FaceMesh) -> dict[str, float]:
        """Return the coefficients ``blink``, ``jaw_open`` and ``smile`` of a face, each 0..1."""
        (row,) = self._net(face.points[None, BLEND_VERTICES, :2])
        row = row.ravel()
        return {
            name: float(row[columns].mean())
            for name, columns in (("blink", BLINK), ("jaw_open", JAW_OPEN), ("smile", SMILE))
        }


class Emotions:
    """Emotions as the service names them, from two networks; safe to call from several threads at once.

    Args:
        threads: Threads that one network call may use.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._colour = Net("faceapi_expression", threads=threads)
        self._grey = Net("fer_mini_xception", threads=threads)

    def __call__(self, faces: Sequence[FaceMesh]) -> list[list[dict[str, Any]]]:
        """Return the service's ``Emotions`` of every face: eight types, most confident first, sum 100."""
        crops = mirrored(chips(faces, COLOUR_SIDE, EMOTION_PAD))
        (colour,) = self._colour(crops)
        (grey,) = self._grey(np.stack([_grey(crop) for crop in crops])[..., None] / np.float32(127.5) - 1)
        evidence = FACEAPI_WEIGHT * _logs(colour[:, FACEAPI_ORDER], len(faces))
        evidence = evidence + (1 - FACEAPI_WEIGHT) * _logs(grey, len(faces))
        odds = np.exp(TEMPERATURE * (evidence - evidence.max(1, keepdims=True)))
        return [_wire(_with_confused(row)) for row in odds / odds.sum(1, keepdims=True)]


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
    small = Image.fromarray(np.ascontiguousarray(crop)).convert("L")
    return np.asarray(small.resize((GREY_SIDE, GREY_SIDE), Image.Resampling.BILINEAR))


def _logs(probabilities: FloatArray, faces: int) -> FloatArray:
    """Return the mean log probability over the crops of a face, shape (faces, classes)."""
    logs = np.log(np.clip(probabilities, SURELY_NOT, 1))
    return np.asarray(logs.reshape(-1, faces, len(CLASSES)).mean(0))


def _with_confused(probabilities: FloatArray) -> dict[str, float]:
    """Return the probability of the eight types."""
    tense = probabilities[TENSE]
    split = tense / tense.sum()
    entropy = float(-(split * np.log(split + 1e-9)).sum() / np.log(len(TENSE)))
    share = CONFUSED_SHARE * max(0.0, (entropy - EVEN) / (1 - EVEN))
    rest = np.array(probabilities)
    rest[TENSE] *= 1 - share
    return {**dict(zip(CLASSES, rest.tolist(), strict=True)), "CONFUSED": share * float(tense.sum())}


def _wire(types: Mapping[str, float]) -> list[dict[str, Any]]:
    total = sum(types.values())
    emotions = [{"Type": name, "Confidence": 100 * share / total} for name, share in types.items()]
    return sorted(emotions, key=lambda emotion: -emotion["Confidence"])
