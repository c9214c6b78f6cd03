"""Lay the 478-point face mesh over detected faces (networks of MediaPipe's Face Landmarker)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike
from PIL import Image

from rekog_emotion.embedded.detector import SURE, Detection
from rekog_emotion.embedded.geometry import Patch, invert, similarity
from rekog_emotion.embedded.nets import ByteArray, FloatArray, Net, sigmoid

__all__ = ["DEFAULT_LANDMARKS", "LANDMARKS", "FaceMesh", "Mesh"]

SIDE = 256  # pixels of the network's input
CONTOUR = 468  # the vertices from here on are the irises
REGION_SCALE = 1.5  # side of the network's crop, in longer sides of the face's box
WIDER = 4 / 3  # the region of a face of which the detector is sure and the network is not
# A second fit from the first one's region is better unless the network says that it lost the face.
LOST = 0.1
# Below this presence a second fit finds no face either, but for the doubted ones, which the detector places less well.
HOPELESS = 0.001

# The service's landmark types and the nearest vertex, picked on six recorded answers; left and right are the viewer's.
LANDMARKS = {
    "eyeLeft": 468,
    "eyeRight": 473,
    "mouthLeft": 61,
    "mouthRight": 291,
    "nose": 4,
    "leftEyeBrowLeft": 46,
    "leftEyeBrowRight": 107,
    "leftEyeBrowUp": 105,
    "rightEyeBrowLeft": 336,
    "rightEyeBrowRight": 276,
    "rightEyeBrowUp": 334,
    "leftEyeLeft": 246,
    "leftEyeRight": 173,
    "leftEyeUp": 159,
    "leftEyeDown": 145,
    "rightEyeLeft": 398,
    "rightEyeRight": 466,
    "rightEyeUp": 386,
    "rightEyeDown": 374,
    "noseLeft": 166,
    "noseRight": 392,
    "mouthUp": 0,
    "mouthDown": 16,
    "leftPupil": 468,
    "rightPupil": 473,
    "upperJawlineLeft": 127,
    "midJawlineLeft": 138,
    "chinBottom": 175,
    "midJawlineRight": 367,
    "upperJawlineRight": 356,
}
DEFAULT_LANDMARKS = 5  # the first of them are what the service gives without Attributes=ALL


@frozen
class _Region:
    """A turned square around a face, pixels and radians."""

    x: float
    y: float
    side: float
    angle: float

    def to_image(self) -> FloatArray:
        """Return the 2 x 3 matrix from the network's input to the picture."""
        cos, sin = (f(self.angle) * self.side / SIDE for f in (math.cos, math.sin))
        half = SIDE / 2
        return np.array([[cos, -sin, self.x - half * (cos - sin)], [sin, cos, self.y - half * (sin + cos)]])


@frozen(eq=False)
class _Fit:
    points: FloatArray
    patch: Patch
    presence: float


@frozen(eq=False)
class FaceMesh:
    """A face with its mesh.

    Attributes:
        points: Vertices of shape (478, 3), picture pixels; the third grows away from the camera.
        patch: The face's surroundings, to cut crops from.
        presence: How sure the mesh network is to see a face, 0..1.
        profile: The detector was believed against the mesh network: ``presence`` says nothing.
        score: The detector's, 0..1.
    """

    points: FloatArray
    patch: Patch
    presence: float
    profile: bool
    score: float

    @property
    def extent(self) -> FloatArray:
        """The box around the vertices: ``(left, top, right, bottom)``, pixels."""
        contour = self.points[:CONTOUR, :2]
        return np.concatenate([contour.min(0), contour.max(0)])

    def crop(self, anchors: ArrayLike, targets: FloatArray, side: int) -> ByteArray:
        """Return an aligned square crop of shape (side, side, 3).

        Args:
            anchors: Points of the picture, shape (n, 2), pixels.
            targets: Where they come to lie in the crop, shape (n, 2), shares of its side.
            side: Pixels.
        """
        return self.patch.warp(invert(similarity(anchors, targets * side)), side)


class Mesh:
    """Lays meshes over faces; safe to call from several threads at once.

    Args:
        threads: Threads that one network call may use.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._net = Net("face_landmarks_detector", threads=threads)

    def __call__(self, image: Image.Image, detections: Sequence[Detection], *, presence: float) -> list[FaceMesh]:
        """Return the faces among the detections.

        Args:
            image: RGB picture.
            detections: What the detector found in it.
            presence: 0..1, what the network must find in a detection that is not sure by itself.
        """
        first = self._fit(image, [_region(detection) for detection in detections])
        worth = [k for k, fit in enumerate(first) if fit.presence >= HOPELESS or detections[k].presence]
        second = dict(zip(worth, self._fit(image, [_refined(first[k].points) for k in worth]), strict=True))
        faces, profiles = [], []
        for k, (detection, old) in enumerate(zip(detections, first, strict=True)):
            new = second.get(k, old)
            fit = new if new.presence > old.presence - LOST else old
            if fit.presence >= max(presence, detection.presence):
                faces.append(FaceMesh(fit.points, fit.patch, fit.presence, profile=False, score=detection.score))
            elif detection.confirmed or (detection.score >= SURE and not detection.presence):
                profiles.append(detection)
        wide = self._fit(image, [_region(detection, WIDER) for detection in profiles])
        faces += [
            FaceMesh(fit.points, fit.patch, fit.presence, profile=True, score=detection.score)
            for detection, fit in zip(profiles, wide, strict=True)
        ]
        return faces

    def _fit(self, image: Image.Image, regions: Sequence[_Region]) -> list[_Fit]:
        if not regions:
            return []
        # Half a diagonal of the region, and a little.
        patches = [Patch(image, region.x, region.y, region.side * 0.75) for region in regions]
        maps = [region.to_image() for region in regions]
        crops = [patch.warp(to_image, SIDE) for patch, to_image in zip(patches, maps, strict=True)]
        vertices, logits, *_ = self._net(np.stack(crops) / np.float32(255))
        fits = []
        for region, to_image, patch, points, logit in zip(
            regions, maps, patches, vertices.reshape(len(crops), -1, 3).astype(float), logits.ravel(), strict=True
        ):
            plane = points[:, :2] @ to_image[:, :2].T + to_image[:, 2]
            depth = points[:, 2] * region.side / SIDE
            fits.append(_Fit(np.column_stack([plane, depth]), patch, float(sigmoid(logit))))
        return fits


def _region(detection: Detection, scale: float = 1.0) -> _Region:
    """Return the detected box as an upright square on the line of the eyes."""
    left, top, right, bottom = map(float, detection.box)
    across, down = detection.eyes[1] - detection.eyes[0]
    side = max(right - left, bottom - top) * REGION_SCALE * scale
    return _Region((left + right) / 2, (top + bottom) / 2, side, math.atan2(down, across))


def _refined(points: FloatArray) -> _Region:
    """Return the upright square around a fitted mesh, turned by the line of its outer eye corners."""
    across, down = points[263, :2] - points[33, :2]
    angle = math.atan2(down, across)
    cos, sin = math.cos(angle), math.sin(angle)
    upright = points[:CONTOUR, :2] @ np.array([[cos, -sin], [sin, cos]])
    low, high = upright.min(0), upright.max(0)
    x, y = map(float, (low + high) / 2)
    return _Region(cos * x - sin * y, sin * x + cos * y, float((high - low).max()) * REGION_SCALE, angle)
