"""How well a face can be seen: brightness, sharpness, and whether something covers it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from rekog_emotion.embedded.mesh import LANDMARKS, FaceMesh
from rekog_emotion.embedded.nets import ByteArray, FloatArray, sigmoid

__all__ = ["cut", "occlusion", "quality"]

SIDE = 160  # pixels to which a face is shrunk to compare colours
# What is measured of the box, shares of its width and height from left, top, right and bottom: less of what is behind.
INSET = (0.03, 0.05, 0.03, 0.03)
MEASURED_SIDE = 240  # pixels to which that is resized, so that small faces read as unsharp
# Slope and offset of the logit, fitted on recorded answers of the service: 16 faces of photos, and 21 of a video's
# frames with a third of their weight. Brightness goes with the luma, not its log, which took dark faces for black ones:
# each photo, and each frame, left out in turn, the mean error on photos falls from 4.8 to 2.9.
BRIGHTNESS, SHARPNESS = (0.0305, -2.35), (2.936, 8.542)
FLAT = 40  # added to the contrast, 0..255, so that noise on an even face is not sharpness

# Vertices at patches of skin, which are compared with the forehead.
PATCHES = {
    "nose": (4, 5, 195),
    "lip": (164, 167, 393),
    "chin": (175, 199, 200),
    "cheek_left": (50, 101, 205),
    "cheek_right": (280, 330, 425),
    "lid_left": (27, 110, 230, 119),
    "lid_right": (257, 339, 450, 348),
}
FOREHEAD = (151, 9, 108, 337)
LOWER_FACE = ("nose", "lip", "chin", "cheek_left", "cheek_right")
MIDDLE = ("nose", "lip", "cheek_left", "cheek_right")
RADIUS = 3  # pixels around a vertex


def quality(image: Image.Image, box: tuple[float, float, float, float]) -> dict[str, float]:
    """Return the service's ``Quality``: ``Brightness`` and ``Sharpness``, 0..100.

    Brightness is a logistic map of the mean luma; sharpness of the log of the Laplacian's spread over the contrast.

    Args:
        image: RGB picture.
        box: ``(left, top, right, bottom)`` within the picture, pixels.
    """
    left, top, right, bottom = box
    across, down = right - left, bottom - top
    inner = left + INSET[0] * across, top + INSET[1] * down, right - INSET[2] * across, bottom - INSET[3] * down
    size = (MEASURED_SIDE, MEASURED_SIDE)
    # Grey first: one channel is scaled in a third of the time. A face of a large photo is shrunk before that.
    x, y = math.floor(inner[0]), math.floor(inner[1])
    step = max(1, int(min(across, down) / (3 * MEASURED_SIDE)))
    grey = image.reduce(step, box=(x, y, math.ceil(inner[2]), math.ceil(inner[3]))).convert("L")
    within = (inner[0] - x) / step, (inner[1] - y) / step, (inner[2] - x) / step, (inner[3] - y) / step
    luma = np.asarray(grey.resize(size, Image.Resampling.BILINEAR, box=within), np.float32)
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    light = float(luma.mean())
    edges = math.log(float(laplacian.std() / (luma.std() + FLAT)) + 1e-4)
    return {
        "Brightness": 100 * float(sigmoid(BRIGHTNESS[0] * light + BRIGHTNESS[1])),
        "Sharpness": 100 * float(sigmoid(SHARPNESS[0] * edges + SHARPNESS[1])),
    }


def cut(image: Image.Image, face: FaceMesh) -> float:
    """Return the probability, 0..1, that the picture's edge cuts a face.

    Args:
        image: Picture.
        face: The face.
    """
    landmarks = face.points[list(LANDMARKS.values()), :2]
    outside = float(((landmarks < 0) | (landmarks >= image.size)).any(1).mean())
    return float(sigmoid(25 * (outside - 0.12)))


def occlusion(image: Image.Image, face: FaceMesh) -> float:
    """Return the probability, 0..1, that a face is covered, by its colours.

    Covered skin has another colour than the forehead: the thresholds were set by eye, on portraits with synthetic masks
    and sunglasses. Hands have the colour of skin and are missed.

    Args:
        image: RGB picture.
        face: The face.
    """
    off = _colour_differences(image, face)
    lower = sum(off[name] for name in LOWER_FACE) / len(LOWER_FACE)
    return max(
        float(sigmoid((lower - 30) / 4)),
        float(sigmoid((min(off["lid_left"], off["lid_right"]) - 32) / 3)),
        float(sigmoid((max(off[name] for name in MIDDLE) - 42) / 4)),
        0.0 if face.placed else float(sigmoid(8 * (0.35 - face.presence))),
    )


def _colour_differences(image: Image.Image, face: FaceMesh) -> dict[str, float]:
    """Return how far each patch of skin is from the forehead, in chroma plus a little luma (0..255); 0 if unseen."""
    size = np.array(image.size)
    low, high = np.clip(face.extent.reshape(2, 2), 0, size - 1).astype(int)
    high = np.maximum(high, low + 1) + 1
    small = np.maximum(8, (high - low) * min(1.0, SIDE / (high - low).max())).astype(int)
    left, top, right, bottom = map(float, (*low, *np.minimum(high, size)))
    part = image.resize(
        (int(small[0]), int(small[1])), Image.Resampling.BILINEAR, box=(left, top, right, bottom), reducing_gap=2.0
    )
    pixels = np.asarray(part.convert("YCbCr"))
    points = (face.points[:, :2] - low) * small / (high - low)
    forehead = _colour(pixels, points, FOREHEAD)
    differences = {}
    for name, vertices in PATCHES.items():
        colour = _colour(pixels, points, vertices)
        if colour is None or forehead is None:
            differences[name] = 0.0
        else:
            luma, blue, red = (colour - forehead).tolist()
            differences[name] = math.hypot(blue, red) + 0.15 * abs(luma)
    return differences


def _colour(pixels: ByteArray, points: FloatArray, vertices: Sequence[int]) -> FloatArray | None:
    """Return the median colour around vertices, or ``None`` where all of them lie outside."""
    height, width = pixels.shape[:2]
    spots = [
        pixels[max(0, y - RADIUS) : y + RADIUS + 1, max(0, x - RADIUS) : x + RADIUS + 1].reshape(-1, 3)
        for x, y in points[list(vertices)].astype(int).tolist()
        if 0 <= x < width and 0 <= y < height
    ]
    if not spots:
        return None
    ordered = np.sort(np.concatenate(spots), 0).astype(float)
    return np.asarray(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
