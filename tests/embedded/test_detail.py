import attrs
import pytest
from PIL import Image

from rekog_emotion.embedded.detail import Observation, detail
from rekog_emotion.embedded.engine import _find


@pytest.fixture
def seen(engine, portrait):
    """Return the portrait and what the networks say of it."""
    picture, nets = portrait(), engine._networks()
    (face,) = _find(nets, picture, fast=True)
    return picture, Observation(
        face=face,
        pose=nets.head.pose(face.points),
        muscles=nets.blendshapes(face),
        emotions=nets.emotions([face])[0],
        attributes=nets.attributes([face])[0],
        apparent=nets.age_gender([face])[0],
    )


def test_a_face_beyond_the_edge_has_no_light(seen):
    """What cannot be seen is neither bright nor sharp, and is covered."""
    _, observation = seen

    face = detail(Image.new("RGB", (100, 100)), observation)

    assert face["Quality"] == {"Brightness": 0.0, "Sharpness": 0.0}
    assert face["FaceOccluded"]["Value"]
    assert face["BoundingBox"]["Left"] > 1


@pytest.mark.parametrize(
    ("name", "value", "members"),
    [
        ("Sunglasses", 0.9, {"Sunglasses": True, "Eyeglasses": True, "FaceOccluded": True}),
        ("Eyeglasses", 0.9, {"Sunglasses": False, "Eyeglasses": True, "FaceOccluded": False}),
        ("Beard", 0.5, {"Beard": True, "Mustache": False}),
        ("Smile", 0.0, {"Smile": False}),
    ],
)
def test_flags_follow_the_probabilities(seen, name, value, members):
    """Half is true; sunglasses are eyeglasses, and cover the eyes; confidence is that of the value."""
    picture, observation = seen
    observation = attrs.evolve(observation, attributes={**observation.attributes, name: value})

    face = detail(picture, observation)

    assert members == {member: face[member]["Value"] for member in members}
    assert all(50 <= face[member]["Confidence"] <= 100 for member in members)


def test_closed_eyes_look_where_the_head_does(seen):
    """Behind lids the iris tells nothing, and the confidence says so."""
    picture, observation = seen
    observation = attrs.evolve(observation, muscles={**observation.muscles, "blink": 1.0})

    face = detail(picture, observation)

    assert face["EyesOpen"]["Value"] is False
    assert [face["EyeDirection"][angle] for angle in ("Yaw", "Pitch")] == [face["Pose"]["Yaw"], face["Pose"]["Pitch"]]
    assert face["EyeDirection"]["Confidence"] < 50
