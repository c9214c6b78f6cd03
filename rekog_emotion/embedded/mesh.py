"""Lay the 478-point face mesh over detected faces (networks of MediaPipe's Face Landmarker)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike
from PIL import Image

from rekog_emotion.embedded.detector import Detection
from rekog_emotion.embedded.geometry import Patch, invert, overlap, similarity
from rekog_emotion.embedded.nets import ALONE, ByteArray, FloatArray, Hardware, Net, sigmoid
from rekog_emotion.embedded.pose import HeadModel

__all__ = ["DEFAULT_LANDMARKS", "LANDMARKS", "FaceMesh", "Mesh"]

SIDE = 256  # pixels of the network's input
CONTOUR = 468  # the vertices from here on are the irises
REGION_SCALE = 1.5  # side of the network's crop, in longer sides of the upright box around the mesh
# From a detected face to that region: along the line of its eyes and in longer sides of its box, the shift across and
# down, the log of the side and a further turn, radians. Ridge regression over 375 faces and their mirror images on what
# PLACES and the box's sides tell, fitted where the service was not asked.
REGRESSION = np.array(
    [
        [-0.124, 0.103, -0.114, 0.118],
        [0, 0.047, -0.034, 0],
        [-0.124, -0.103, 0.114, 0.118],
        [-0.337, 0, 0, 0.742],
        [0, 0.176, -0.144, 0],
        [0.259, -0.103, 0.005, -0.924],
        [0.084, 0.112, -0.04, -0.419],
        [0.259, 0.103, -0.005, -0.924],
        [-0.084, 0.112, -0.04, 0.419],
        [0, -0.002, 0.363, 0],  # the box's width
        [0, 0.039, -0.174, 0],  # its height
        [0, -0.04, 0.198, 0],
    ]
)
PLACES = [0, 1, 2, 4, 5, 6, 7, 8, 9]  # of the five points: the right eye is as high as the left
FARTHEST = np.array([[-0.12, -0.06, 0.1, -0.3], [0.12, 0.16, 0.6, 0.3]])  # what is less or more is not believed
# A second fit is made where the region around the first one is another: shift of its middle and change of its side,
# in sides, and turn, radians.
SETTLED, SETTLED_TURN = 0.1, 0.2
# The second fit is better unless the network says that it lost the face.
LOST = 0.1
EYES_ALONE = 2  # points of what the mesh alone decides
# Below this presence, or where it lies elsewhere than the detected box, the mesh of a sure face is not believed: tiny
# faces and profiles.
BELIEVED, THERE = 0.5, 0.4

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
        placed: The network's mesh was not believed: it is the average face, laid on the detector's five points.
        score: The detector's, 0..1.
        box: The detected one, where it counts for more than the vertices.
        extent: The box around the vertices, or the detected one: ``(left, top, right, bottom)``, pixels.
    """

    points: FloatArray
    patch: Patch
    presence: float
    placed: bool
    score: float
    box: FloatArray | None = None
    extent: FloatArray = field(init=False)
    _crops: dict[Any, ByteArray] = field(factory=dict, init=False, repr=False)

    @extent.default
    def _around(self) -> FloatArray:
        return _extent(self.points) if self.box is None else self.box

    def crop(self, anchors: ArrayLike, targets: FloatArray, side: int) -> ByteArray:
        """Return an aligned square crop of shape (side, side, 3).

        Args:
            anchors: Points of the picture, shape (n, 2), pixels.
            targets: Where they come to lie in the crop, shape (n, 2), shares of its side.
            side: Pixels.
        """
        key = np.asarray(anchors).tobytes(), targets.tobytes(), side
        if key not in self._crops:  # two networks share one
            self._crops[key] = self.patch.warp(invert(similarity(anchors, targets * side)), side)
        return self._crops[key]


class Mesh:
    """Lays meshes over faces; safe to call from several threads at once.

    Args:
        head: The average face, which is laid where the network's mesh is not believed.
        on: What the networks run on.
    """

    def __init__(self, head: HeadModel, *, on: Hardware = ALONE) -> None:
        self._head = head
        self._net = Net("face_landmarks_detector", on=on)

    def __call__(self, image: Image.Image, detections: Sequence[Detection]) -> list[FaceMesh]:
        """Return the faces among the detections.

        Args:
            image: RGB picture.
            detections: What the detector found in it.
        """
        fits = self._settle(image, [_region(detection) for detection in detections])
        faces = []
        for detection, fit in zip(detections, fits, strict=True):
            if fit.presence < detection.presence:
                continue
            there = overlap(detection.box, _extent(fit.points)[None])[0] >= THERE
            if detection.presence or (fit.presence >= BELIEVED and there):
                faces.append(FaceMesh(fit.points, fit.patch, fit.presence, placed=False, score=detection.score))
            else:
                points = self._head.placed(detection.points)
                faces.append(
                    FaceMesh(points, fit.patch, fit.presence, placed=True, score=detection.score, box=detection.box)
                )
        return faces

    def again(self, image: Image.Image, faces: Sequence[FaceMesh]) -> list[FaceMesh]:
        """Return those of the faces of the picture before that are still near where they were.

        Args:
            image: RGB picture.
            faces: Of the picture before.
        """
        fits = self._settle(image, [_refined(face.points) for face in faces])
        return [
            FaceMesh(fit.points, fit.patch, fit.presence, placed=False, score=face.score)
            for face, fit in zip(faces, fits, strict=True)
            if fit.presence >= BELIEVED and not face.placed
        ]

    def _settle(self, image: Image.Image, regions: Sequence[_Region]) -> list[_Fit]:
        """Return the fit in each region, or, where it shows that the face lies otherwise, in a better one."""
        fits = self._fit(image, regions)
        refined = {k: _refined(fit.points) for k, fit in enumerate(fits)}
        unsettled = [k for k, region in refined.items() if not _settled(regions[k], region)]
        for k, new in zip(unsettled, self._fit(image, [refined[k] for k in unsettled]), strict=True):
            if new.presence > fits[k].presence - LOST:
                fits[k] = new
        return fits

    def _fit(self, image: Image.Image, regions: Sequence[_Region]) -> list[_Fit]:
        if not regions:
            return []
        # Half a diagonal of the region, and a little.
        patches = [Patch(image, region.x, region.y, region.side * 0.75) for region in regions]
        maps = [region.to_image() for region in regions]
        crops = [patch.warp(to_image, SIDE) for patch, to_image in zip(patches, maps, strict=True)]
        vertices, logits, *_ = self._net(np.stack(crops))
        fits = []
        for region, to_image, patch, points, logit in zip(
            regions, maps, patches, vertices.reshape(len(crops), -1, 3).astype(float), logits.ravel(), strict=True
        ):
            plane = points[:, :2] @ to_image[:, :2].T + to_image[:, 2]
            depth = points[:, 2] * region.side / SIDE
            fits.append(_Fit(np.column_stack([plane, depth]), patch, float(sigmoid(logit))))
        return fits


def _region(detection: Detection) -> _Region:
    """Return the square around a detected face, on the line of its eyes."""
    left, top, right, bottom = map(float, detection.box)
    middle, side = np.array([left + right, top + bottom]) / 2, max(right - left, bottom - top)
    across, down = detection.points[1] - detection.points[0]
    angle = math.atan2(down, across)
    if len(detection.points) == EYES_ALONE:
        return _Region((left + right) / 2, (top + bottom) / 2, side * REGION_SCALE, angle)
    axes = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    places = ((detection.points - middle) @ axes / side).ravel()[PLACES]
    told = np.array([*places, (right - left) / side, (bottom - top) / side, 1]) @ REGRESSION
    *shift, growth, turn = np.clip(told, *FARTHEST).tolist()
    x, y = middle + axes @ shift * side
    return _Region(float(x), float(y), side * math.exp(growth), angle + turn)


def _settled(region: _Region, refined: _Region) -> bool:
    """Tell whether a fit from the refined region would be much the same."""
    moved = math.hypot(refined.x - region.x, refined.y - region.y)
    turned = (refined.angle - region.angle + math.pi) % math.tau - math.pi
    return max(moved, abs(refined.side - region.side)) <= SETTLED * region.side and abs(turned) <= SETTLED_TURN


def _extent(points: FloatArray) -> FloatArray:
    """Return the box around the vertices of a mesh."""
    contour = points[:CONTOUR, :2]
    return np.concatenate([contour.min(0), contour.max(0)])


def _refined(points: FloatArray) -> _Region:
    """Return the upright square around a fitted mesh, turned by the line of its outer eye corners."""
    across, down = points[263, :2] - points[33, :2]
    angle = math.atan2(down, across)
    cos, sin = math.cos(angle), math.sin(angle)
    upright = points[:CONTOUR, :2] @ np.array([[cos, -sin], [sin, cos]])
    low, high = upright.min(0), upright.max(0)
    x, y = map(float, (low + high) / 2)
    return _Region(cos * x - sin * y, sin * x + cos * y, float((high - low).max()) * REGION_SCALE, angle)
