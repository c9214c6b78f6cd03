import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rekog_emotion.embedded.detail import LEVEL_IRIS, Observation, detail
from rekog_emotion.embedded.engine import _find, _looks
from rekog_emotion.embedded.landmarks import landmarks
from tests.amounts import amount


@pytest.fixture(scope="module")
def seen(engine, portrait):
    """Return the portrait and what the networks say of it."""
    picture, nets = portrait(), engine._networks()
    (face,) = _find(nets, picture, "fast")
    [(muscles, told, apparent)] = _looks(nets, [face], None)
    pose = nets.head.pose(face.points)
    return picture, Observation(
        face=face,
        pose=pose,
        landmarks=landmarks(face, nets.head, pose),
        muscles=muscles,
        told=told,
        apparent=apparent,
    )


def test_a_face_beyond_the_edge_has_no_light(seen):
    """What cannot be seen is neither bright nor sharp, is covered, and looks like nothing that has a name."""
    _, observation = seen

    face = detail(Image.new("RGB", (100, 100)), observation)

    assert face["Quality"] == {"Brightness": 0.0, "Sharpness": 0.0}
    assert face["Emotions"][0] == {"Type": "UNKNOWN", "Confidence": 100.0}
    assert len(face["Emotions"]) == 9
    assert face["FaceOccluded"]["Value"]
    assert face["BoundingBox"]["Left"] > 1


@pytest.mark.parametrize(
    ("name", "value", "members"),
    [
        ("Sunglasses", 0.9, {"Sunglasses": True, "Eyeglasses": True, "FaceOccluded": True}),
        ("Eyeglasses", 0.9, {"Sunglasses": False, "Eyeglasses": True, "FaceOccluded": False}),
        ("Smile", 0.9, {"Smile": True}),
    ],
)
def test_flags_follow_the_probabilities(seen, name, value, members):
    """Sunglasses are eyeglasses, and cover the eyes; confidence is that of the value."""
    picture, observation = seen
    observation = attrs.evolve(
        observation, told=attrs.evolve(observation.told, likely={**observation.told.likely, name: value})
    )

    face = detail(picture, observation)

    assert members == {member: face[member]["Value"] for member in members}
    assert all(50 <= face[member]["Confidence"] <= 100 for member in members)


@settings(max_examples=amount(25, whole=125))
@given(roll=st.integers(-180, 180), yaw=st.integers(-90, 90), pitch=st.integers(-180, 180))
def test_angles_stay_in_the_service_s_bounds(seen, roll, yaw, pitch):
    """Whatever the mesh says, the angles are valid, and a turn keeps its side."""
    picture, observation = seen
    pose = attrs.evolve(observation.pose, roll=roll, yaw=yaw, pitch=pitch)

    angles = detail(picture, attrs.evolve(observation, pose=pose))["Pose"]

    assert all(-180 <= angle <= 180 for angle in angles.values())
    assert (angles["Yaw"] > 0) == (yaw > 0)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0, 40, 10.5), (-60, 40, -5.0), (60, 40, 26.0), (60, -30, -6.7), (-60, -30, 27.7)]
)
def test_a_turned_head_that_looks_down_is_tilted_by_half_the_order_of_turns(seen, yaw, pitch, roll):
    """The service's roll lies half way between that of a head that nods first and of one that turns first."""
    picture, observation = seen
    pose = attrs.evolve(observation.pose, roll=10, yaw=yaw, pitch=pitch)

    assert roll == pytest.approx(detail(picture, attrs.evolve(observation, pose=pose))["Pose"]["Roll"], abs=0.05)


@pytest.mark.parametrize(("mesh", "service"), [(-30, -48), (-15, -3.5), (0, 6.5), (14, 21), (40, 42)])
def test_heads_that_look_down_look_further_down(seen, mesh, service):
    """The mesh follows a sinking head only half of the way."""
    picture, observation = seen
    pose = attrs.evolve(observation.pose, pitch=mesh)

    assert service == pytest.approx(detail(picture, attrs.evolve(observation, pose=pose))["Pose"]["Pitch"])


def test_closed_eyes_look_the_way_the_head_does(seen):
    """Behind lids the iris tells nothing, and the confidence says so; the head's angles count for a fifth."""
    picture, observation = seen
    observation = attrs.evolve(observation, muscles={**observation.muscles, "blink": 1.0})

    face = detail(picture, observation)

    assert face["EyesOpen"]["Value"] is False
    for angle in ("Yaw", "Pitch"):
        assert face["EyeDirection"][angle] == pytest.approx(face["Pose"][angle] / 5)
    assert face["EyeDirection"]["Confidence"] < 25


@pytest.mark.parametrize(("aside", "up"), [(0.0, LEVEL_IRIS), (20.0, LEVEL_IRIS), (0.0, LEVEL_IRIS - 10)])
def test_the_iris_counts_where_it_is_seen(seen, monkeypatch, aside, up):
    """Irises that lie as they do when one looks into the camera add nothing to the head; the confidence stays low."""
    picture, observation = seen
    monkeypatch.setattr("rekog_emotion.embedded.detail.gaze", lambda *_: (aside, up))
    monkeypatch.setattr("rekog_emotion.embedded.detail.eye_width", lambda *_: 30.0)
    observation = attrs.evolve(observation, muscles={**observation.muscles, "blink": 0.0})

    face, placed = (
        detail(picture, attrs.evolve(observation, face=attrs.evolve(observation.face, placed=placed)))
        for placed in (False, True)
    )

    head = [face["Pose"][angle] / 5 for angle in ("Yaw", "Pitch")]
    expected = [head[0] + aside / 5, head[1] + (up - LEVEL_IRIS) / 5]
    assert expected == pytest.approx([face["EyeDirection"][angle] for angle in ("Yaw", "Pitch")])
    assert head == pytest.approx([placed["EyeDirection"][angle] for angle in ("Yaw", "Pitch")])
    assert 45 < face["EyeDirection"]["Confidence"] <= 50
