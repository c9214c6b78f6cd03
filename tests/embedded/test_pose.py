import math

import numpy as np
import pytest

from rekog_emotion.embedded.nets import WEIGHTS
from rekog_emotion.embedded.pose import FACING, HeadModel, _turned_back, eye_width, gaze

FLIP = [1, -1, -1]


@pytest.fixture(scope="module")
def head():
    """Return the canonical face as a head model."""
    return HeadModel()


def turned(roll=0.0, yaw=0.0, pitch=0.0, scale=20.0):
    """Return the canonical face as the mesh, in pixels, of a head that nods, then turns, then is tilted."""
    with np.load(WEIGHTS / "canonical.npz") as data:
        canonical = data["V"].astype(float)
    r, y, p = np.radians([-roll, yaw, pitch])
    about_z = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    about_y = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    return canonical @ (about_z @ about_y @ about_x).T * scale * FLIP + [300, 200, 0]


@pytest.mark.parametrize(
    ("roll", "yaw", "pitch"),
    [
        (0, 0, 0),
        (25, 0, 0),
        (-170, 0, 0),
        (0, 40, 0),
        (0, -75, 0),
        (0, 0, 30),
        (0, 0, -50),
        (0, 0, 120),
        (-35, 15, 40),
        (20, 30, -15),
    ],
)
def test_pose_recovers_the_angles(head, roll, yaw, pitch):
    """Roll is clockwise, yaw to the right of the picture, pitch up."""
    pose = head.pose(turned(roll, yaw, pitch))

    assert (roll, yaw, pitch) == pytest.approx((pose.roll, pose.yaw, pose.pitch), abs=1e-3)


def test_a_face_to_the_right_has_its_nose_there():
    """The sign that everything else rests on, seen in the mesh itself: vertex 4 is the tip of the nose."""
    straight, right, up = turned(), turned(yaw=30), turned(pitch=30)

    assert right[4, 0] > straight[4, 0]
    assert up[4, 1] < straight[4, 1]


def with_irises(points, rotation, *, aside=0.0, up=0.0):
    """Return a mesh of 478 vertices whose irises look aside and up, as sines of the angle, in the head's axes."""
    irises = np.zeros((10, 3))
    for row, (outer, inner) in ((0, (33, 133)), (5, (263, 362))):
        width = np.linalg.norm(points[outer] - points[inner])
        offset = rotation @ np.array([aside, up, 0]) * 0.42 * width * FLIP
        irises[row] = (points[outer] + points[inner]) / 2 + offset
    return np.concatenate([points, irises])


@pytest.mark.parametrize("yaw", [0, 25])
@pytest.mark.parametrize(("aside", "up"), [(0, 0), (0.5, 0), (-0.5, 0.2), (0, -0.4)])
def test_gaze_is_relative_to_the_head(head, yaw, aside, up):
    """An iris off the middle of its eye looks there, however the head is turned."""
    points = turned(yaw=yaw)
    rotation = head.pose(points).rotation

    looked = gaze(with_irises(points, rotation, aside=aside, up=up), rotation)

    assert np.degrees(np.arcsin([aside, up])) == pytest.approx(np.array(looked), abs=2.5)


def test_eye_width_is_in_pixels():
    """A face twice as large has eyes twice as wide."""
    assert 2 * eye_width(turned(scale=20)) == pytest.approx(eye_width(turned(scale=40)))


def test_the_canonical_face_is_laid_over_a_mesh(head):
    """Turned, scaled and moved as the mesh: a mesh that is the canonical face itself is met exactly."""
    points = turned(-35, 15, 40, scale=7.0)

    assert head.fitted(points) == pytest.approx(points, abs=1e-6)


FIVE = [(33, 133), (263, 362), (4, 4), (61, 61), (291, 291)]  # eyes, nose, corners of the mouth: middles of vertices


def five(points):
    """Return the five points that a detector sees of a mesh."""
    return np.array([points[list(pair), :2].mean(0) for pair in FIVE])


@pytest.mark.parametrize(("roll", "yaw", "pitch"), [(0, 0, 0), (25, 40, 0), (-170, -40, 10), (10, 60, -10)])
def test_a_face_is_laid_on_its_five_points_as_it_is_turned(head, roll, yaw, pitch):
    """Five points tell how a head is turned, a little towards the front."""
    pose = head.pose(head.placed(five(turned(roll, yaw, pitch))))

    assert (roll, yaw, pitch) == pytest.approx((pose.roll, pose.yaw, pose.pitch), abs=6)


def test_a_view_from_straight_behind_becomes_one_from_a_side():
    """No direction is the nearest there: one is taken, and nothing is divided by nought."""
    seen = _turned_back(np.diag([-1.0, 1.0, -1.0]))

    assert seen[2, 2] == pytest.approx(FACING)
    assert seen @ seen.T == pytest.approx(np.eye(3))


@pytest.mark.parametrize("roll", [0, 20, -60])
@pytest.mark.parametrize("yaw", [95, 120, -110])
def test_eyes_in_the_wrong_order_make_a_profile(head, roll, yaw):
    """A face that is seen is not turned away: its angles are those of a profile, and not of a head upside down."""
    pose = head.pose(head.placed(five(turned(roll, yaw, 0))))

    assert abs(pose.yaw) == pytest.approx(75.5, abs=3)
    assert (pose.yaw > 0) == (yaw > 0)
    assert pose.roll == pytest.approx(roll, abs=15)
    assert abs(pose.pitch) < 45
