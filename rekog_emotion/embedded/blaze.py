"""MediaPipe's full-range BlazeFace: it sees faces in a window of 192 pixels, and animals' far less than others do."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from attrs import frozen
from PIL import Image

from rekog_emotion.embedded.geometry import overlap
from rekog_emotion.embedded.nets import ALONE, FloatArray, Hardware, Net, sigmoid

__all__ = ["SCORE_COLUMN", "SIDE", "Blaze", "View", "framed", "merged"]

Window: TypeAlias = tuple[float, float, float, float]

SIDE: Final = 192  # pixels of the network's input
STRIDE: Final = 4  # pixels between its anchors
SCORE_COLUMN: Final = 16
SAME_FACE, INSIDE = 0.3, 0.7  # overlaps from which two boxes are one face


@frozen(eq=False)
class View:
    """What the network sees of a window in a picture.

    Attributes:
        canvas: The window, centred in a square, -1..1; what lies outside the picture is neutral grey.
        scale: Pixels of the picture in one of the canvas, across and down.
        shift: Where the canvas begins in the picture, pixels.
    """

    canvas: FloatArray
    scale: FloatArray
    shift: FloatArray


class Blaze:
    """Looks at windows of a picture; safe to call from several threads at once.

    Args:
        on: What the networks run on.
    """

    def __init__(self, *, on: Hardware = ALONE) -> None:
        self._net = Net("face_detection_full_range", on=on)
        rows, columns = np.mgrid[0 : SIDE // STRIDE, 0 : SIDE // STRIDE]
        anchors = (np.stack([columns, rows], -1).reshape(-1, 1, 2) + 0.5) * STRIDE / SIDE
        self._anchors = anchors.astype(np.float32)

    def __call__(self, view: View, least: float, *, quarter_turns: int = 0) -> FloatArray:
        """Return the faces that score more than ``least``.

        Args:
            view: What to look at.
            least: Score, 0..1.
            quarter_turns: The view is turned so often, counter-clockwise.

        Returns:
            Rows of 17: box (left, top, right, bottom), six points (eyes, nose, mouth, ears) and score; picture pixels.
        """
        regression, logits = self._net(np.rot90(view.canvas, quarter_turns)[None])
        score = sigmoid(logits[0, :, 0])
        hit = score > least
        points = _points(regression[0, hit].astype(float) / SIDE, self._anchors[hit])
        for _ in range(quarter_turns):
            points = np.stack([1 - points[..., 1], points[..., 0]], -1)
        points = points * SIDE * view.scale + view.shift
        low, high = points[:, :2].min(1), points[:, :2].max(1)
        return np.concatenate([low, high, points[:, 2:].reshape(-1, 12), score[hit][:, None]], 1)


def framed(image: Image.Image, margin: float, *, edges: bool) -> View:
    """Return what the network sees of a whole picture with a margin.

    Args:
        image: RGB picture.
        margin: A share of the picture's longer side.
        edges: The picture's edges are drawn out over the margin.
    """
    width, height = image.size
    zoom = SIDE / (max(width, height) * (1 + 2 * margin))
    across, down = max(1, round(width * zoom)), max(1, round(height * zoom))
    left, top = round((SIDE - across) / 2), round((SIDE - down) / 2)
    small = image.resize((across, down), Image.Resampling.BILINEAR, reducing_gap=2.0)
    around = (top, SIDE - top - down), (left, SIDE - left - across), (0, 0)
    canvas = np.pad(np.asarray(small, np.float32) / 127.5 - 1, around, mode="edge" if edges else "constant")
    scale = np.array([width / across, height / down])
    return View(canvas, scale, -np.array([left, top]) * scale)


def merged(rows: FloatArray) -> FloatArray:
    """Suppress all but the best of overlapping detections, and average the box over them by score."""
    found, rest = [], rows[np.argsort(-rows[:, SCORE_COLUMN])]
    while len(rest):
        shared = overlap(rest[0], rest)
        shared[0] = 1  # even a box without area is itself
        same = rest[shared > SAME_FACE]
        best = np.average(same, axis=0, weights=same[:, SCORE_COLUMN])
        best[SCORE_COLUMN] = rest[0, SCORE_COLUMN]
        found.append(best)
        rest = rest[(shared <= SAME_FACE) & (overlap(rest[0], rest, of_smaller=True) < INSIDE)]
    return np.array(found).reshape(-1, SCORE_COLUMN + 1)


def _points(values: FloatArray, anchors: FloatArray) -> FloatArray:
    """Return eight points a face, as shares of the network's input: two corners of the box, then the six points."""
    centre, half = values[:, None, :2] + anchors, values[:, None, 2:4] / 2
    return np.concatenate([centre - half, centre + half, values[:, 4:].reshape(-1, 6, 2) + anchors], 1)
