"""Two networks that find faces in pictures of any size: YuNet, which is quick, and CenterFace, which is sure.

YuNet looks at whole pictures. It finds nearly every face, and takes much for one that is none, above all animals.
CenterFace takes five times as long; it looks at what YuNet proposes, from near.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from PIL import Image

from rekog_emotion.embedded.geometry import overlap, shrunk
from rekog_emotion.embedded.nets import ALONE, ByteArray, FloatArray, Hardware, Net, sigmoid

__all__ = ["BOX", "POINTS", "SCORE", "CenterFace", "Rows", "YuNet", "distinct", "nothing"]

Rows: TypeAlias = FloatArray
"""Faces, each a row of 15: box (left, top, right, bottom), five points (the viewer's left and right eye, nose, left and
right corner of the mouth) and score, 0..1."""

BOX: Final = slice(0, 4)
POINTS: Final = slice(4, 14)
SCORE: Final = 14
_CORNERS: Final = 7  # of a row's box, two of them, and its points
_STRIDES: Final = (8, 16, 32)  # pixels between the places at which YuNet looks; sides are multiples of the last
_LEAST_SIDE: Final = 96  # of what YuNet looks at, pixels: it does so in three bands
_SAME_FACE: Final = 0.3
_LONGEST: Final = 4  # of the log of a box's side in strides


class YuNet:
    """Looks for faces of 10 pixels and more in a whole picture; safe to call from several threads at once.

    Args:
        on: What the networks run on.
    """

    def __init__(self, *, on: Hardware = ALONE) -> None:
        self._net = Net("yunet", on=on)

    def __call__(self, image: Image.Image, side: int, least: float, *, quarter_turns: int = 0) -> Rows:
        """Return the faces that score more than ``least``, best first, pixels of the picture.

        Args:
            image: RGB picture.
            side: Pixels to which its longer side is shrunk, if it has more.
            least: Score, 0..1.
            quarter_turns: The picture is turned so often, counter-clockwise.
        """
        canvas, scale = _canvas(image, side)
        height, width = canvas.shape[:2]
        rows = [
            _decoded(out[0], stride, least)
            for out, stride in zip(self._net(np.rot90(canvas, quarter_turns)[None]), _STRIDES, strict=True)
        ]
        found = np.concatenate(rows)
        corners = found[:, :SCORE].reshape(-1, _CORNERS, 2)
        for turns in range(quarter_turns, 0, -1):  # the first turn made the width a height
            before = width if turns % 2 else height
            corners = np.stack([before - corners[..., 1], corners[..., 0]], -1)
        return distinct(_upright(corners * scale, found[:, SCORE]))


class CenterFace:
    """Looks at windows of a picture; safe to call from several threads at once.

    Args:
        on: What the networks run on.
    """

    def __init__(self, *, on: Hardware = ALONE) -> None:
        self._net = Net("centerface", on=on)

    def __call__(self, window: ByteArray, least: float) -> Rows:
        """Return the faces that score more than ``least``, best first, pixels of the window.

        Args:
            window: RGB, shape (height, width, 3), multiples of 32.
            least: Score, 0..1.
        """
        ((out,),) = self._net(window[None])
        score = sigmoid(out[0])
        y, x = np.nonzero(score > least)
        values = out[:, y, x].astype(float)
        sides = 4 * np.exp(values[2:0:-1].T)  # told are height and width, down and across
        middle = 4 * (np.stack([x, y], 1) + values[4:2:-1].T + 0.5)
        low = middle - sides / 2
        points = low[:, None] + values[5:].reshape(5, 2, -1).transpose(2, 0, 1)[..., ::-1] * sides[:, None]
        return distinct(
            np.concatenate([low, low + sides, points.reshape(-1, 10), score[y, x][:, None].astype(float)], 1)
        )


def nothing() -> Rows:
    """Return no faces."""
    return np.empty((0, SCORE + 1))


def distinct(rows: Rows) -> Rows:
    """Return the best of every few boxes that overlap, best first."""
    rest, kept = rows[np.argsort(-rows[:, SCORE], kind="stable")], []
    while len(rest):
        kept.append(rest[0])
        rest = rest[1:][overlap(rest[0], rest[1:]) <= _SAME_FACE]
    return np.array(kept).reshape(-1, SCORE + 1)


def _canvas(image: Image.Image, side: int) -> tuple[ByteArray, FloatArray]:
    """Return the picture, shrunk, with black below and to the right of it, and its pixels in one of the canvas."""
    shrink = min(1.0, side / max(image.size))
    width, height = (max(1, round(length * shrink)) for length in image.size)
    small = image
    if shrink < 1:
        small = shrunk(image, (width, height))
    step = _STRIDES[-1]
    rows, columns = (max(_LEAST_SIDE, -(-length // step) * step) for length in (height, width))
    canvas = np.zeros((rows, columns, 3), np.uint8)
    canvas[:height, :width] = np.asarray(small)
    return canvas, np.array([image.width / width, image.height / height])


def _decoded(out: FloatArray, stride: int, least: float) -> Rows:
    """Return what one scale of YuNet says: its score is the geometric mean of class and objectness."""
    score = np.sqrt(sigmoid(out[0]) * sigmoid(out[1]))
    y, x = np.nonzero(score > least)
    values, origin = out[2:, y, x].T.astype(float), np.stack([x, y], 1)
    middle, half = values[:, :2] + origin, np.exp(np.minimum(values[:, 2:4], _LONGEST)) / 2
    points = (values[:, 4:].reshape(-1, 5, 2) + origin[:, None]).reshape(-1, 10)
    rows = np.concatenate([middle - half, middle + half, points], 1) * stride
    return np.concatenate([rows, score[y, x][:, None]], 1)


def _upright(corners: FloatArray, score: FloatArray) -> Rows:
    """Return rows of turned ones: two corners of each box have become two others."""
    low, high = corners[:, :2].min(1), corners[:, :2].max(1)
    return np.concatenate([low, high, corners[:, 2:].reshape(-1, 10), score[:, None]], 1)
