"""BlazeFace in place of YuNet and CenterFace: on the whole picture, on tiles of it, and from near.

It sees 192 pixels, so that small faces show in tiles alone: a search takes several times as long as YuNet's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
from PIL import Image

from rekog_emotion.embedded.blaze import SCORE_COLUMN, SIDE, Blaze, View, framed
from rekog_emotion.embedded.nets import ByteArray, FloatArray
from rekog_emotion.embedded.proposals import Rows, distinct, nothing

__all__ = ["NearBlaze", "Tiles"]

Window: TypeAlias = tuple[float, float, float, float]

# The network was made for faces that fill up to half of its input: margins shrink those that fill the picture.
_MARGIN: Final = 0.25
_STEP: Final = 0.7  # of a tile's side: a face up to 0.3 of it lies whole in one of two neighbours
_SMALLEST: Final = 120  # pixels; the network would see little new in smaller tiles
_EDGE: Final = 4  # pixels; a box that ends this close to a tile's inner edge is cut by it
_CORNER: Final = 0.386  # from the middle of the mouth to its corner, in distances between the eyes: the average face's


class Tiles:
    """Looks for faces in a whole picture, as :class:`~rekog_emotion.embedded.proposals.YuNet` does.

    Args:
        blaze: The network.
    """

    def __init__(self, blaze: Blaze) -> None:
        self._blaze = blaze

    def __call__(self, image: Image.Image, side: int, least: float, *, quarter_turns: int = 0) -> Rows:
        """Return the faces that score more than ``least``, best first, pixels of the picture.

        Args:
            image: RGB picture.
            side: Pixels to which its longer side is shrunk, if it has more: tiles are as small as show no more.
            least: Score, 0..1.
            quarter_turns: The picture is turned so often, counter-clockwise, and seen as a whole alone.
        """
        found = [self._whole(image, 0.0, least, quarter_turns)]
        if not quarter_turns:
            found.append(self._whole(image, _MARGIN, least, 0))
            found += [self._tile(image, tile, least) for tile in _tiles(*image.size, min(side, max(image.size)))]
        return distinct(np.concatenate(found))

    def _whole(self, image: Image.Image, margin: float, least: float, quarter_turns: int) -> Rows:
        view = framed(image, margin, edges=False)
        return _rows(self._blaze(view, least, quarter_turns=quarter_turns))

    def _tile(self, image: Image.Image, tile: Window, least: float) -> Rows:
        """Return what is seen in a tile and is not cut by its inner edges: that is whole in another one."""
        rows = _rows(self._blaze(_view(image, tile), least))
        inner = [edge if 0 < edge < size else math.nan for edge, size in zip(tile, 2 * image.size, strict=True)]
        cut = (rows[:, :2] < np.array(inner[:2]) + _EDGE) | (rows[:, 2:4] > np.array(inner[2:]) - _EDGE)
        return rows[~cut.any(1)]


class NearBlaze:
    """Looks at windows of a picture, as :class:`~rekog_emotion.embedded.proposals.CenterFace` does.

    Args:
        blaze: The network.
    """

    def __init__(self, blaze: Blaze) -> None:
        self._blaze = blaze

    def __call__(self, window: ByteArray, least: float) -> Rows:
        """Return the faces that score more than ``least``, best first, pixels of the window.

        Args:
            window: RGB, shape (192, 192, 3).
            least: Score, 0..1.
        """
        view = View(window / np.float32(127.5) - 1, np.ones(2), np.zeros(2))
        return distinct(_rows(self._blaze(view, least)))


def _rows(seen: FloatArray) -> Rows:
    """Return what BlazeFace says as rows: it knows the middle of the mouth, not its corners."""
    if not len(seen):
        return nothing()
    aside = _CORNER * (seen[:, 6:8] - seen[:, 4:6])
    mouth = seen[:, 10:12]
    return np.concatenate([seen[:, :10], mouth - aside, mouth + aside, seen[:, SCORE_COLUMN:]], 1)


def _tiles(width: int, height: int, side: int) -> Iterator[Window]:
    """Yield overlapping squares of a half, a quarter ... of the longer side, as long as there is more to be seen.

    Args:
        width: Of the picture, pixels.
        height: Likewise.
        side: Pixels to which its longer side is shrunk.
    """
    share = 0.5
    while SIDE / share < side and max(width, height) * share >= _SMALLEST:
        size = max(width, height) * share
        for top in _starts(height, size):
            for left in _starts(width, size):
                yield max(0.0, left), max(0.0, top), min(width, left + size), min(height, top + size)
        share /= 2


def _starts(length: int, side: float) -> Sequence[float]:
    """Return where tiles start along a side of the picture, evenly spread."""
    count = max(1, math.ceil((length - side * (1 - _STEP)) / (side * _STEP)))
    return [0.0] if count == 1 else [(length - side) * k / (count - 1) for k in range(count)]


def _view(image: Image.Image, tile: Window) -> View:
    """Return what the network sees of a part of a picture."""
    left, top, right, bottom = tile
    zoom = SIDE / max(right - left, bottom - top)
    across, down = max(1, round((right - left) * zoom)), max(1, round((bottom - top) * zoom))
    small = image.resize((across, down), Image.Resampling.BILINEAR, box=tile, reducing_gap=2.0)
    x, y = (SIDE - across) // 2, (SIDE - down) // 2
    around = (y, SIDE - y - down), (x, SIDE - x - across), (0, 0)
    canvas = np.pad(np.asarray(small, np.float32) / 127.5 - 1, around)
    scale = np.array([(right - left) / across, (bottom - top) / down])
    return View(canvas, scale, np.array([left, top]) - np.array([x, y]) * scale)
