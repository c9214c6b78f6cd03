"""How a head is turned, and where its eyes look."""

from __future__ import annotations

import io
import math

import numpy as np
from attrs import frozen

from rekog_emotion.embedded.nets import FloatArray, read_weights

__all__ = ["HeadModel", "Pose", "eye_width", "gaze"]

# Image-left eye first: outer corner, inner corner, iris.
EYES = ((33, 133, 468), (263, 362, 473))
EYEBALL = 0.42  # radius, in distances between the corners of the eye
IRIS = 5  # vertices each
NOSE_AND_MOUTH = (4, 61, 291)  # vertices at the tip of the nose and the viewer's left and right corner of the mouth
STIFF = 1.0  # square centimetres: how far the five points have to differ from a front view to turn the face
FACING = 0.25  # least cosine of the angle between a face and the camera: 75 degrees
FLIP = np.array([1.0, -1.0, -1.0])  # from x right, y down, z away to x right, y up, z to the camera


@frozen(eq=False)
class Pose:
    """How a head is turned, degrees, signs as the service's.

    Attributes:
        roll: Positive is clockwise on the screen.
        yaw: Positive faces the right of the picture.
        pitch: Positive faces up.
        rotation: The head's own axes in the camera's (x right, y up, z to the camera), shape (3, 3).
    """

    roll: float
    yaw: float
    pitch: float
    rotation: FloatArray


class HeadModel:
    """MediaPipe's canonical face, which a mesh is compared with."""

    def __init__(self) -> None:
        with np.load(io.BytesIO(read_weights("canonical.npz"))) as data:
            self._index = data["idx"]
            weight = data["w"].astype(float)
            vertices = data["V"].astype(float)
        self._weight = (weight / weight.sum())[:, None]
        self._model = self._centred(vertices[self._index])
        self._vertices = vertices - (self._weight * vertices[self._index]).sum(0)
        eyes = [self._vertices[[outer, inner]].mean(0) for outer, inner, _ in EYES]
        # The irises, of five vertices each, lie in the middle of the eyes.
        self._whole = np.concatenate([self._vertices, *(np.tile(eye, (IRIS, 1)) for eye in eyes)])
        self._five = np.array([*eyes, *self._vertices[list(NOSE_AND_MOUTH)]])

    def _centred(self, points: FloatArray) -> FloatArray:
        return np.asarray(points - (self._weight * points).sum(0))

    def pose(self, points: FloatArray) -> Pose:
        """Return the rotation from the canonical face to a mesh: the weighted orthogonal Procrustes fit (Kabsch 1976).

        The angles are the service's: the head nods, then turns, then is tilted in the plane of the picture. (That order
        halves the errors of yaw and roll on tilted heads, and alone explains a recorded pitch of 151 degrees.)

        Args:
            points: Vertices of a mesh, shape (478, 3).
        """
        rotation, _ = self._rotation(points)
        # rotation = roll in the picture * yaw * pitch, so that its last row is (-sin y, -cos y sin p, cos y cos p).
        (x, _, _), (y, _, _), (side, down, front) = rotation.tolist()
        return Pose(
            roll=-math.degrees(math.atan2(y, x)),
            yaw=-math.degrees(math.asin(max(-1.0, min(1.0, side)))),
            pitch=-math.degrees(math.atan2(down, front)),
            rotation=rotation,
        )

    def fitted(self, points: FloatArray) -> FloatArray:
        """Return the canonical face, turned, scaled and moved onto a mesh, shape (468, 3).

        Args:
            points: Vertices of a mesh, shape (478, 3).
        """
        rotation, scale = self._rotation(points)
        middle = (self._weight * points[self._index]).sum(0)
        return np.asarray(scale * self._vertices @ rotation.T * FLIP + middle)

    def placed(self, five: FloatArray) -> FloatArray:
        """Return the canonical face laid on five points, shape (478, 3): a scaled orthographic view of it.

        Args:
            five: Eyes, nose and corners of the mouth, shape (5, 2), pixels.
        """
        model, seen = self._five - self._five.mean(0), (five - five.mean(0)) * (1, -1)
        affine = np.linalg.solve(model.T @ model + STIFF * np.eye(3), model.T @ seen).T
        u, (first, second), vt = np.linalg.svd(affine, full_matrices=False)
        across, up = u @ vt
        scale = (first + second) / 2
        rotation = _turned_back(np.array([across, up, np.cross(across, up)]))
        return np.asarray(scale * (self._whole - self._five.mean(0)) @ rotation.T * FLIP + (*five.mean(0), 0.0))

    def _rotation(self, points: FloatArray) -> tuple[FloatArray, float]:
        """Return the rotation and the scale of the fit (Umeyama 1991)."""
        seen = self._centred(points[self._index] * FLIP)
        u, singular, vt = np.linalg.svd((seen * self._weight).T @ self._model)
        handed = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
        scale = float(singular @ handed / (self._weight * self._model**2).sum())
        return np.asarray(u @ np.diag(handed) @ vt), scale


def _turned_back(rotation: FloatArray) -> FloatArray:
    """Return the nearest view in which a head shows its face, for one that is turned away further than ``FACING``.

    The eyes of a profile lie so close that they may come out in the wrong order: then the head looks as if seen from
    behind, and its angles are those of one that stands on its head.
    """
    x, y, front = rotation[:, 2].tolist()
    if front >= FACING:
        return rotation
    side = math.hypot(x, y)
    turn = math.asin(FACING) - math.atan2(front, side)
    aside = np.array([x / side, y / side, 0.0]) if side else np.array([1.0, 0.0, 0.0])
    ahead = np.array([0.0, 0.0, 1.0])
    stay = (1 - math.cos(turn)) * (np.outer(aside, aside) + np.outer(ahead, ahead))
    across = math.sin(turn) * (np.outer(ahead, aside) - np.outer(aside, ahead))
    return np.asarray((np.eye(3) - stay + across) @ rotation)


def eye_width(points: FloatArray) -> float:
    """Return the mean distance between the corners of an eye, pixels."""
    return float(np.mean([np.linalg.norm(points[outer, :2] - points[inner, :2]) for outer, inner, _ in EYES]))


def gaze(points: FloatArray, rotation: FloatArray) -> tuple[float, float]:
    """Return where the eyes look relative to the head: mean yaw and pitch, degrees, signs as the pose's.

    The iris' offset from the middle of the eye's corners, in the head's own axes, is the sine of the eye's angle.

    Args:
        points: Vertices of a mesh, shape (478, 3).
        rotation: The head's, from :meth:`HeadModel.pose`.
    """
    local, angles = (points * FLIP) @ rotation, []
    for outer, inner, iris in EYES:
        radius = EYEBALL * np.linalg.norm(local[outer, :2] - local[inner, :2])
        offset = local[iris] - (local[outer] + local[inner]) / 2
        angles.append(np.degrees(np.arcsin(np.clip(offset[:2] / max(radius, 1e-6), -0.9, 0.9))))
    yaw, pitch = np.mean(angles, 0)
    return float(yaw), float(pitch)
