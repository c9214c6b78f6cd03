"""From what was measured on a face to one of the service's ``FaceDetails``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import frozen
from PIL import Image

from rekog_emotion.embedded.age_gender import Apparent, age_range
from rekog_emotion.embedded.attributes import shape
from rekog_emotion.embedded.expression import unknown
from rekog_emotion.embedded.flags import Evidence, flags, flags_of_shape
from rekog_emotion.embedded.mesh import DEFAULT_LANDMARKS, LANDMARKS, FaceMesh
from rekog_emotion.embedded.nets import FloatArray, sigmoid
from rekog_emotion.embedded.pose import Pose, eye_width, gaze
from rekog_emotion.embedded.quality import cut, occlusion, quality

__all__ = ["DEFAULT_MEMBERS", "Observation", "basics", "detail", "reduced"]

# What the service gives of a face without being asked for more.
DEFAULT_MEMBERS = frozenset({"BoundingBox", "Confidence", "Landmarks", "Pose", "Quality"})

# Fitted on six recorded answers of the service (11 faces). Its box is higher than the mesh and a little narrower:
# margins are shares of the mesh's width or height.
LEFT, RIGHT, TOP, BOTTOM = -0.016, -0.014, 0.114, -0.01
# From the mesh's angles to the service's, degrees, linear between the knots; fitted on the same answers and on ten
# frames of a video (27 faces). The service sees level heads further up, and the mesh does not follow a head that looks
# down for more than half of the way.
ROLL = ((-180, -30, 30, 180), (-180, -31.5, 31.5, 180))
YAW = ((-90, 90), (-81, 81))
PITCH = ((-180, -30, -15, 0, 14, 40, 180), (-180, -48, -3.5, 6.5, 21, 42, 180))
# The order of turns changes the roll of a head that is both turned and raised or lowered, by about the product of the
# two sines. The service's roll lies half way between those of the two orders: so 29 faces of the same answers say (.52;
# photos alone .36, frames alone .53), and the median error of roll falls from 1.4 to .8 degrees on photos, from 3.2 to
# 1.5 on frames, each photo and each frame left out in turn.
TWIST = 0.5
# Eye widths (pixels) from which the iris begins to tell something, and tells all it can; on lids that are closed from
# this coefficient on it tells nothing.
IRIS_SEEN, BLINKING = (10, 30), 0.6
# How much of the measured direction is given. On seven published answers of the service its eyes have little to do
# with the head: a fifth of the head's angles is as near as straight ahead (median 5.9 and 6.9 degrees, zero 6.3 and
# 7.5), all of them is not (8.7 and 13.4). It keeps the side, and what the eyes tell beside the head.
GAZE_SHARE = 0.2
# Of who looks into the camera the irises lie above the line of the eyes' corners by so many degrees (medians: London
# Set 11.9, UTKFace 10.9).
LEVEL_IRIS = 11.0
# No more than coarse, and its confidence says so: of published answers straight ahead is as near.
COARSE = 0.5
# A face of which less than this (pixels) lies within the picture has no light, and is cut with this probability.
SMALLEST, CUT = 2, 0.99


@frozen(eq=False)
class Told:
    """What the networks say of a face's crop that learnt from pictures for research only, too.

    Attributes:
        emotions: The service's ``Emotions``.
        likely: The attribute network's probabilities, 0..1, by name.
        look: The logits of the network of appearance, by name.
    """

    emotions: list[dict[str, Any]]
    likely: Mapping[str, float]
    look: Mapping[str, float]


@frozen(eq=False)
class Observation:
    """What the networks say of one face.

    Attributes:
        face: The face and its mesh.
        pose: How its head is turned.
        landmarks: The service's points, shape (30, 2), pixels.
        muscles: Coefficients, 0..1: ``blink``, ``jaw_open``, ``smile``.
        told: What else is told of its crop; ``None`` where no network may.
        apparent: Age and gender.
    """

    face: FaceMesh
    pose: Pose
    landmarks: FloatArray
    muscles: Mapping[str, float]
    told: Told | None
    apparent: Apparent


def basics(image: Image.Image, face: FaceMesh, pose: Pose, points: FloatArray) -> dict[str, Any]:
    """Return one of the service's ``FaceDetails``, with the default members and all landmarks.

    Args:
        image: The RGB picture in which the face was seen.
        face: The face and its mesh.
        pose: How its head is turned.
        points: The service's points, shape (30, 2), pixels.
    """
    left, top, right, bottom = _box(face)
    return {
        "BoundingBox": {
            "Width": (right - left) / image.width,
            "Height": (bottom - top) / image.height,
            "Left": left / image.width,
            "Top": top / image.height,
        },
        "Landmarks": [
            {"Type": name, "X": float(x) / image.width, "Y": float(y) / image.height}
            for name, (x, y) in zip(LANDMARKS, points, strict=True)
        ],
        "Pose": _pose(pose),
        "Quality": _light(image, face),
        "Confidence": 100 * max(face.score, face.presence),
    }


def detail(image: Image.Image, seen: Observation) -> dict[str, Any]:
    """Return one of the service's ``FaceDetails``, with all members that can be told.

    Args:
        image: The RGB picture in which the face was seen.
        seen: What was seen.
    """
    basic = basics(image, seen.face, seen.pose, seen.landmarks)
    age, male = seen.apparent.age, seen.apparent.male
    return {
        "BoundingBox": basic["BoundingBox"],
        **({} if age is None else {"AgeRange": age_range(age)}),
        **_flags(image, seen),
        "Gender": {"Value": "Male" if male >= 0.5 else "Female", "Confidence": 100 * max(male, 1 - male)},  # noqa: PLR2004 -- even odds
        **_emotions(image, seen),
        **basic,
        "EyeDirection": _eye_direction(seen, basic["Pose"]["Yaw"], basic["Pose"]["Pitch"]),
    }


def _emotions(image: Image.Image, seen: Observation) -> dict[str, list[dict[str, Any]]]:
    """Return the service's ``Emotions``, if any, as a member of that name."""
    if seen.told is None:
        return {}
    return {"Emotions": seen.told.emotions if _inside(image, seen.face) else unknown()}


def _flags(image: Image.Image, seen: Observation) -> dict[str, dict[str, Any]]:
    """Return the service's yes-or-no members that can be told, by name."""
    form = shape(seen.face, seen.muscles)
    if seen.told is None or seen.apparent.age is None:  # clean networks know neither
        return flags_of_shape(form)
    edge, covered = _hidden(image, seen.face, seen.told.likely)
    (happy,) = (one["Confidence"] / 100 for one in seen.told.emotions if one["Type"] == "HAPPY")
    evidence = Evidence(
        likely=seen.told.likely,
        look=seen.told.look,
        form=form,
        smile=seen.muscles["smile"],
        happy=happy,
        male=seen.apparent.male,
        age=seen.apparent.age,
        cut=edge,
        covered=covered,
    )
    return flags(evidence)


def _box(face: FaceMesh) -> tuple[float, float, float, float]:
    """Return the box that the service would draw: ``(left, top, right, bottom)``, pixels."""
    left, top, right, bottom = face.extent.tolist()
    width, height = right - left, bottom - top
    return left - LEFT * width, top - TOP * height, right + RIGHT * width, bottom + BOTTOM * height


def _pose(pose: Pose) -> dict[str, float]:
    """Return the service's ``Pose``."""
    roll, yaw, pitch = (
        float(np.interp(angle, *knots)) for angle, knots in ((pose.roll, ROLL), (pose.yaw, YAW), (pose.pitch, PITCH))
    )
    roll += math.degrees(TWIST * math.sin(math.radians(yaw)) * math.sin(math.radians(pitch)))
    return {"Roll": (roll + 180) % 360 - 180, "Yaw": yaw, "Pitch": pitch}


def _inside(image: Image.Image, face: FaceMesh) -> tuple[float, float, float, float] | None:
    """Return the part of a face's box that lies within the picture, or ``None`` where there is next to none."""
    left, top, right, bottom = _box(face)
    inside = max(0.0, left), max(0.0, top), min(float(image.width), right), min(float(image.height), bottom)
    return inside if min(inside[2] - inside[0], inside[3] - inside[1]) >= SMALLEST else None


def _light(image: Image.Image, face: FaceMesh) -> dict[str, float]:
    """Return the service's ``Quality``."""
    inside = _inside(image, face)
    return quality(image, inside) if inside else {"Brightness": 0.0, "Sharpness": 0.0}


def _hidden(image: Image.Image, face: FaceMesh, likely: Mapping[str, float]) -> tuple[float, float]:
    """Return the probabilities, 0..1, that the picture's edge cuts a face and that it is covered."""
    if not _inside(image, face):
        return CUT, 0.0
    # Hair on the face has another colour than the forehead, too.
    bare = 1 - max(likely["Beard"], likely["Mustache"])
    return cut(image, face), bare * occlusion(image, face)


def _eye_direction(seen: Observation, yaw: float, pitch: float) -> dict[str, float]:
    """Return the service's ``EyeDirection``: a share of the head's angles plus the eyes' in it, as far as seen.

    A mesh that was laid on five points has irises in the middle of its eyes, which tell nothing.
    """
    blink = seen.muscles["blink"]
    first, full = IRIS_SEEN
    trust = min(1.0, max(0.0, (eye_width(seen.face.points) - first) / (full - first)))
    trust *= 0.0 if seen.face.placed else 1 - min(1.0, blink / BLINKING)
    aside, up = gaze(seen.face.points, seen.pose.rotation)
    return {
        "Yaw": GAZE_SHARE * (yaw + trust * aside),
        "Pitch": GAZE_SHARE * (pitch + trust * (up - LEVEL_IRIS)),
        "Confidence": 100 * COARSE * float(sigmoid(10 * (0.8 - blink))) * seen.face.presence,
    }


def reduced(face: Mapping[str, Any], members: frozenset[str]) -> dict[str, Any]:
    """Return a face with some of its members, and with the five landmarks that the service gives then."""
    some = {name: value for name, value in face.items() if name in members}
    return some | {"Landmarks": face["Landmarks"][:DEFAULT_LANDMARKS]}
