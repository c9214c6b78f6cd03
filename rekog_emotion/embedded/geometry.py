"""Overlaps of boxes, similarities of the plane, and crops of a picture by them.

Coordinates are pixels, continuous: (0, 0) is the corner of the first pixel, not its centre.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from rekog_emotion.embedded.nets import ByteArray, FloatArray

__all__ = ["Patch", "invert", "overlap", "shrunk", "similarity", "window"]

# Pixels of the picture in one of a crop, along a side, below which it needs values between the pixels.
ENLARGED: Final = 0.8
# Pixels in one of a smaller copy: below the first it needs values between the pixels, too; beyond the second the mean
# over four is none over its area, and the way to it takes as much memory as a large photo.
LITTLE: Final = 1.25
MUCH: Final = 3.0


def overlap(box: FloatArray, boxes: FloatArray, *, of_smaller: bool = False) -> FloatArray:
    """Return the intersection of one box with each of many, over their union.

    Args:
        box: ``(left, top, right, bottom)``.
        boxes: Array of shape (n, 4).
        of_smaller: Divide by the smaller of the two areas instead, which finds a box inside another.
    """
    width = np.minimum(box[2], boxes[:, 2]) - np.maximum(box[0], boxes[:, 0])
    height = np.minimum(box[3], boxes[:, 3]) - np.maximum(box[1], boxes[:, 1])
    shared = np.clip(width, 0, None) * np.clip(height, 0, None)
    area = (box[2] - box[0]) * (box[3] - box[1])
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    whole = np.minimum(area, areas) if of_smaller else area + areas - shared
    return np.asarray(shared / np.maximum(whole, 1e-6))


def similarity(source: ArrayLike, target: ArrayLike) -> FloatArray:
    """Return the least-squares similarity that takes source points to target points, as a 2 x 3 matrix.

    Points are complex numbers here: rotation and scale together are one complex factor, and the normal equation is a
    division.

    Args:
        source: Points of shape (n, 2).
        target: Points of shape (n, 2).
    """
    s, t = (np.array(points, float, order="C").view(complex)[:, 0] for points in (source, target))
    s_mean, t_mean = s.mean(), t.mean()
    s -= s_mean
    factor = np.vdot(s, t) / np.vdot(s, s).real
    shift = t_mean - factor * s_mean
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def invert(matrix: FloatArray) -> FloatArray:
    """Return the inverse of an affine map, both as 2 x 3 matrices."""
    (a, b, x), (c, d, y) = matrix.tolist()
    whole = a * d - b * c
    return np.array([[d, -b, b * y - d * x], [-c, a, c * x - a * y]]) / float(whole)


def shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a smaller copy of a picture.

    Each pixel is the mean over the picture's nearest pixels at four places in it, which takes less than half the time
    of Pillow's bilinear resize, wherever the copy is neither a little smaller nor much.

    Args:
        image: RGB picture.
        size: Width and height, pixels.
    """
    if not LITTLE <= min(image.width / size[0], image.height / size[1]) <= MUCH:
        return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)
    return image.resize((2 * size[0], 2 * size[1]), Image.Resampling.NEAREST).reduce(2)


def window(image: Image.Image, to_image: FloatArray, side: int) -> ByteArray:
    """Return a square window of a picture, shape (side, side, 3); what lies outside the picture is grey.

    Args:
        image: RGB picture.
        to_image: 2 x 3 matrix from the window's coordinates to the picture's, a similarity.
        side: Pixels.
    """
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]]) @ to_image[:, :2].T + to_image[:, 2]
    limits = np.array(image.size)
    low = np.clip(np.floor(corners.min(0)), 0, limits - 1).astype(int)
    high = np.maximum(np.clip(np.ceil(corners.max(0)), 0, limits), low + 1).astype(int)
    matrix = np.array(to_image, float)
    matrix[:, 2] -= low
    # Bilinear sampling sees four pixels, so what is shrunk is averaged first. (Doubtful faces are worth the time: the
    # quick way of a patch costs .2 degrees of pitch on the frames of a video.)
    shrink = max(1, int(math.hypot(matrix[0, 0], matrix[1, 0]) + 0.25))
    box = int(low[0]), int(low[1]), int(high[0]), int(high[1])
    part = image.reduce(shrink, box=box) if shrink > 1 else image.crop(box)
    return np.asarray(
        part.transform(
            (side, side),
            Image.Transform.AFFINE,
            tuple((matrix / shrink).ravel().tolist()),
            Image.Resampling.BILINEAR,
            fillcolor=(127, 127, 127),
        )
    )


def _sampled(image: Image.Image, to_image: FloatArray, side: int) -> ByteArray:
    """Return a square crop of shape (side, side, 3).

    Each pixel is the mean over the picture's nearest pixels at four places in it or more, which takes less than half
    the time of Pillow's bilinear transform. On 100 faces that moves the vertices of the mesh by .002 of the distance
    between the eyes, and its angles by a tenth of a degree.

    Args:
        image: RGB picture.
        to_image: 2 x 3 matrix from the crop's coordinates to the picture's, a similarity.
        side: Pixels.
    """
    scale = math.hypot(to_image[0, 0], to_image[1, 0])
    how, places = Image.Resampling.BILINEAR, 1
    if scale >= ENLARGED:
        how, places = Image.Resampling.NEAREST, max(2, round(scale))
    (a, b, x), (c, d, y) = to_image.tolist()
    data = a / places, b / places, x, c / places, d / places, y
    crop = image.transform((places * side, places * side), Image.Transform.AFFINE, data, how)
    return np.asarray(crop.reduce(places) if places > 1 else crop)


class Patch:
    """The surroundings of a face, shrunk once to a working size, from which every network's crop is cut.

    Outside the picture its edge pixels repeat: black corners would read as hats and beards.

    Args:
        image: RGB picture.
        x: Centre of the face, pixels.
        y: Centre of the face, pixels.
        radius: Half the side of the surroundings, pixels.
    """

    # Half as much again as the widest crop (256 px), so that no crop is enlarged where the picture has more.
    WORKING_SIDE = 360

    def __init__(self, image: Image.Image, x: float, y: float, radius: float) -> None:
        self._step = step = max(1, int(2 * radius / self.WORKING_SIDE))
        # Starts outside the picture lie on whole steps, so that shrunk pixels inside do not mix with the padding.
        left, top = (math.floor(low / step) * step if low < 0 else int(low) for low in (x - radius, y - radius))
        columns, rows = math.ceil((x + radius - left) / step), math.ceil((y + radius - top) / step)
        inner = self._inside(image, (left, top, left + columns * step, top + rows * step))
        before_x, before_y = max(0, -left) // step, max(0, -top) // step
        padding = (
            (before_y, max(0, rows - before_y - inner.height)),
            (before_x, max(0, columns - before_x - inner.width)),
            (0, 0),
        )
        if np.any(padding):
            inner = Image.fromarray(np.pad(np.asarray(inner), padding, mode="edge"))
        self._origin, self._picture = (left, top), inner

    def _inside(self, image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
        """Return the part of the box that lies in the picture, at least a pixel of it, shrunk by the step."""
        left, top = min(max(0, box[0]), image.width - 1), min(max(0, box[1]), image.height - 1)
        part = left, top, max(min(image.width, box[2]), left + 1), max(min(image.height, box[3]), top + 1)
        return image.reduce(self._step, box=part) if self._step > 1 else image.crop(part)

    def warp(self, to_image: FloatArray, side: int) -> ByteArray:
        """Return a square crop of shape (side, side, 3).

        Args:
            to_image: 2 x 3 matrix from the crop's coordinates to the picture's, a similarity.
            side: Pixels.
        """
        matrix = np.array(to_image, float)
        matrix[:, 2] -= self._origin
        return _sampled(self._picture, matrix / self._step, side)
