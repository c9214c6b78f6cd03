from types import SimpleNamespace

import attrs
import numpy as np
import pytest

from rekog_emotion.embedded.engine import _find
from rekog_emotion.embedded.landmarks import DEPTHS, HEIGHTS, landmarks
from rekog_emotion.embedded.mesh import LANDMARKS
from rekog_emotion.embedded.pose import HeadModel

# The points of the left half of a face, and those of the right one.
PAIRS = {
    "eyeLeft": "eyeRight",
    "leftPupil": "rightPupil",
    "leftEyeUp": "rightEyeUp",
    "leftEyeDown": "rightEyeDown",
    "leftEyeLeft": "rightEyeRight",
    "leftEyeRight": "rightEyeLeft",
    "leftEyeBrowLeft": "rightEyeBrowRight",
    "leftEyeBrowRight": "rightEyeBrowLeft",
    "leftEyeBrowUp": "rightEyeBrowUp",
    "mouthLeft": "mouthRight",
    "noseLeft": "noseRight",
    "upperJawlineLeft": "upperJawlineRight",
    "midJawlineLeft": "midJawlineRight",
}
MIRRORED = PAIRS | {right: left for left, right in PAIRS.items()}


@pytest.fixture(scope="module")
def face(engine, portrait):
    """Return the mesh of a portrait."""
    return _find(engine._networks(), portrait(), "fast")[0]


def placed(points):
    """Return the service's points of a mesh by name."""
    head = HeadModel()
    found = landmarks(SimpleNamespace(points=points), head, head.pose(points))
    return dict(zip(LANDMARKS, found, strict=True))


def test_pupils_are_the_mesh_s_a_little_higher(face):
    """The average face has no irises: they move up along the head's own axis, and no other way."""
    names, head = placed(face.points), HeadModel()
    up = head.pose(face.points).rotation[:2, 1] * (1, -1) * np.linalg.norm(face.points[33] - face.points[263])

    assert names["leftPupil"] == pytest.approx(face.points[468, :2] + HEIGHTS["leftPupil"] * up)
    assert names["eyeRight"] == pytest.approx(face.points[473, :2] + HEIGHTS["eyeRight"] * up)


def test_left_and_right_are_moved_alike():
    """The tables say of the left half of a face what they say of the right one."""
    for table in (HEIGHTS, DEPTHS):
        for name, value in table.items():
            assert table[MIRRORED.get(name, name)] == value, name


def test_points_do_not_depend_on_size_place_or_tilt(face):
    """Move, scale and turn the mesh in the plane, and the points do the same."""
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    moved = face.points * 3 @ turn.T + [70, -20, 5]

    before, after = placed(face.points), placed(moved)

    for name, point in before.items():
        assert after[name] == pytest.approx(point * 3 @ turn[:2, :2].T + [70, -20], abs=1e-6), name


def test_the_jaw_of_a_turned_head_lies_further_back(face):
    """On a head that faces the right of the picture the jaw moves to the left, the middle of it most."""
    angle = np.radians(40)
    about_y = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
    turned = attrs.evolve(face, points=face.points @ about_y.T)
    head = HeadModel()
    pose = head.pose(turned.points)

    level = attrs.evolve(pose, rotation=np.eye(3))
    moved = landmarks(turned, head, pose) - landmarks(turned, head, level)

    assert pose.yaw > 20
    shift = dict(zip(LANDMARKS, moved[:, 0], strict=True))
    assert shift["midJawlineLeft"] < shift["upperJawlineLeft"] < 0
    assert all((shift[name] < 0) == (name in DEPTHS) for name in LANDMARKS)
