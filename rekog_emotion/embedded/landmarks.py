"""From a mesh to the thirty points of the service, which sees a turned face a little otherwise."""

from __future__ import annotations

from typing import Final

import numpy as np

from rekog_emotion.embedded.mesh import CONTOUR, LANDMARKS, FaceMesh
from rekog_emotion.embedded.nets import FloatArray
from rekog_emotion.embedded.pose import EYES, HeadModel, Pose

__all__ = ["landmarks"]

# How much of a point is where the average face has it. The service's points move less with the expression and with the
# mesh's errors on small faces than the mesh does. From 0.2 to 0.5 it makes little difference; chosen on recorded photos
# and on ten frames of a video (median error .102 without it, .081 with).
AVERAGE: Final = 0.35
# How much further from the camera the service's point lies than the mesh's vertex, along the head's own axis, in
# distances between the outer corners of the eyes. The mesh's jaw slides to the visible contour; the service's stays
# near the ear. Six figures, the same for left and right, by ridge regression on eleven faces of recorded photos; each
# photo left out in turn, the median error falls from .085 to .070.
DEPTHS: Final = {
    "upperJawlineLeft": 0.097,
    "upperJawlineRight": 0.097,
    "midJawlineLeft": 0.269,
    "midJawlineRight": 0.269,
    "chinBottom": 0.111,
    "leftEyeBrowLeft": 0.128,
    "rightEyeBrowRight": 0.128,
    "leftEyeBrowRight": 0.040,
    "rightEyeBrowLeft": 0.040,
    "noseLeft": 0.058,
    "noseRight": 0.058,
}
# How much higher it lies, along the vertical axis: by ridge regression on 29 faces of recorded photos and frames.
# Each photo, and the video as a whole, left out in turn, the median error falls from .069 to .065, of the frames from
# .084 to .079. Offsets across that were fitted likewise do not lower it further.
HEIGHTS: Final = {
    "eyeLeft": 0.014,
    "eyeRight": 0.014,
    "leftPupil": 0.014,
    "rightPupil": 0.014,
    "leftEyeUp": 0.01,
    "rightEyeUp": 0.01,
    "leftEyeDown": 0.02,
    "rightEyeDown": 0.02,
    "leftEyeLeft": 0.008,
    "rightEyeRight": 0.008,
    "leftEyeRight": 0.008,
    "rightEyeLeft": 0.008,
    "leftEyeBrowLeft": 0.027,
    "rightEyeBrowRight": 0.027,
    "leftEyeBrowUp": 0.01,
    "rightEyeBrowUp": 0.01,
    "mouthLeft": 0.02,
    "mouthRight": 0.02,
    "mouthUp": 0.034,
}
_VERTICES: Final = np.array(list(LANDMARKS.values()))
_FIXED: Final = _VERTICES < CONTOUR  # the average face has no irises
# In the head's own axes: x right, y up, z to the camera.
_OFFSETS: Final = np.array([[0.0, HEIGHTS.get(name, 0.0), -DEPTHS.get(name, 0.0)] for name in LANDMARKS])


def landmarks(face: FaceMesh, head: HeadModel, pose: Pose) -> FloatArray:
    """Return the service's points in the order of ``LANDMARKS``, shape (30, 2), picture pixels.

    Args:
        face: The face.
        head: The average face.
        pose: How the face is turned, from the same model.
    """
    points = face.points[_VERTICES, :2].copy()
    points[_FIXED] += AVERAGE * (head.fitted(face.points)[_VERTICES[_FIXED], :2] - points[_FIXED])
    (left, _, _), (right, _, _) = EYES
    between_eyes = np.linalg.norm(face.points[left] - face.points[right])
    there = _OFFSETS @ pose.rotation[:2].T * (1, -1)  # as they lie in the picture: x right, y down
    return np.asarray(points + between_eyes * there)
