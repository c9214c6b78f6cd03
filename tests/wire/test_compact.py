import copy
from array import array

import pytest
from attrs import field, frozen

from rekog_emotion.values.faces import Emotion, Face
from rekog_emotion.values.landmarks import Landmarks
from rekog_emotion.values.leaves import leaves, scores
from rekog_emotion.wire import compact
from rekog_emotion.wire.binding import UnusualError
from rekog_emotion.wire.compact import compact_reader
from rekog_emotion.wire.kinds import NUMBER, Many, members, wire
from rekog_emotion.wire.reading import read_members

#: As the service sends one, with every member; no number of it is there twice.
DETAIL = {
    "BoundingBox": {"Width": 0.25, "Height": 0.5, "Left": 0.125, "Top": 0.0625},
    "AgeRange": {"Low": 38, "High": 48},
    "Smile": {"Value": True, "Confidence": 98.5},
    "Eyeglasses": {"Value": False, "Confidence": 97.25},
    "Sunglasses": {"Value": False, "Confidence": 96.25},
    "Gender": {"Value": "Female", "Confidence": 95.5},
    "Beard": {"Value": False, "Confidence": 94.5},
    "Mustache": {"Value": False, "Confidence": 93.5},
    "EyesOpen": {"Value": True, "Confidence": 92.5},
    "MouthOpen": {"Value": True, "Confidence": 91.5},
    "Emotions": [
        {"Type": "CALM", "Confidence": 5.5},
        {"Type": "HAPPY", "Confidence": 90.5},
        {"Type": "SAD", "Confidence": 2.5},
    ],
    "Landmarks": [
        {"Type": "eyeLeft", "X": 0.26, "Y": 0.51},
        {"Type": "eyeRight", "X": 0.76, "Y": 0.52},
        {"Type": "nose", "X": 0.53, "Y": 0.63},
    ],
    "Pose": {"Roll": -1.25, "Yaw": 190.5, "Pitch": 7.5},
    "Quality": {"Brightness": 80.5, "Sharpness": 70.5},
    "Confidence": 99.75,
    "FaceOccluded": {"Value": False, "Confidence": 60.5},
    "EyeDirection": {"Yaw": -3.5, "Pitch": 4.5, "Confidence": 50.5},
}


def fast(detail):
    """Read a face the fast way alone."""
    return compact_reader(Face)(detail)


def careful(detail):
    """Read a face the careful way alone, part by part."""
    return Face(**read_members(Face, detail))


def altered(path, *, new):
    """Return the face with something else in one place."""
    detail = copy.deepcopy(DETAIL)
    *way, last = path
    here = detail
    for step in way:
        here = here[step]
    here[last] = new
    return detail


@pytest.mark.parametrize(
    "detail",
    [
        DETAIL,
        dict(reversed(DETAIL.items())),
        {"Emotions": DETAIL["Emotions"], "Smile": DETAIL["Smile"]},
        {"Landmarks": DETAIL["Landmarks"]},
        DETAIL | {"Emotions": [], "Landmarks": []},
        altered(("Pose", "Yaw"), new=190),  # numbers that are not all floats
        altered(("Emotions", 1, "Confidence"), new=90),
        altered(("Landmarks", 2, "Type"), new="eyeLeft"),  # two of one type
        {},
    ],
    ids=["whole", "turned round", "few", "points", "empty lists", "an integer", "another", "two of one", "nothing"],
)
def test_what_the_service_sends_is_read_fast(detail):
    """The fast reader takes it, and gives what the careful one gives, member by member."""
    face = fast(detail)

    assert face == careful(detail)
    assert face.to_aws() == detail
    assert face.extra == {}


@pytest.mark.parametrize(
    "detail",
    [
        [],
        DETAIL | {"New": 1},
        DETAIL | {"Smile": DETAIL["Smile"] | {"New": 1}},
        DETAIL | {"Smile": {"Value": True}},
        DETAIL | {"Emotions": None},
        DETAIL | {"Emotions": tuple(DETAIL["Emotions"])},
        DETAIL | {"Emotions": [{"Type": "SAD", "Confidence": 1.0, "New": 1}]},
        DETAIL | {"Emotions": [{"Type": "SAD", "Confidence": 1.0}] * 65},
        DETAIL | {"Landmarks": [{"Type": "nose", "X": 0.5, "Y": 0.5}] * 65},
        altered(("Confidence",), new="99"),
        altered(("Confidence",), new=None),
        altered(("Confidence",), new=True),
        altered(("Smile", "Value"), new=1),
        altered(("AgeRange", "Low"), new=38.0),
        altered(("AgeRange", "High"), new=True),
        altered(("Gender", "Value"), new="Other"),
        altered(("Emotions", 0, "Type"), new="BLISS"),
        altered(("Emotions", 0, "Confidence"), new="5"),
        altered(("Landmarks", 0, "Type"), new="chin"),
        altered(("Landmarks", 0, "X"), new=None),
    ],
)
def test_what_is_unusual_is_left_to_the_careful_reader(detail):
    """The fast reader makes nothing of it."""
    with pytest.raises((UnusualError, KeyError, TypeError)):
        fast(detail)


def test_the_whole_face_has_every_member():
    """So that what is tried above leaves none out."""
    assert DETAIL.keys() == {member.name for member in members(Face)}


def test_the_longest_list():
    """Up to 64 items are read fast."""
    detail = {"Emotions": [{"Type": "SAD", "Confidence": k / 2} for k in range(64)]}

    assert fast(detail) == careful(detail)


@pytest.mark.parametrize(("detail", "packed"), [(DETAIL, array), (altered(("Pose", "Yaw"), new=190), tuple)])
def test_numbers_are_packed_where_all_are_floats(detail, packed):
    """An integer stays one."""
    assert type(fast(detail)._numbers) is packed


def test_every_leaf_lies_where_the_layout_says():
    """What reads leaves without making parts finds them; the first of two landmarks of one type counts."""
    detail = altered(("Landmarks", 2, "Type"), new="eyeLeft")
    points = [f"landmarks.{kind}.{axis}" for kind in ("eyeLeft", "eyeRight") for axis in "xy"]
    read = leaves("bounding_box.top", "age_range.high", "smile.value", "gender.value", "pose.pitch", *points)

    assert read(fast(detail)) == (0.0625, 48, True, "Female", 7.5, 0.26, 0.51, 0.76, 0.52)
    assert read(fast(detail)) == read(careful(detail))
    assert [tuple(part) for part in scores(fast(detail))] == [("CALM", "HAPPY", "SAD"), (5.5, 90.5, 2.5)]
    assert scores(fast({})) is None


def test_readers_of_leaves_are_shared():
    """To compile one takes longer than to read a hundred faces, and tables of many photos ask for it for each."""
    assert leaves("pose.yaw", "smile.value") is leaves("pose.yaw", "smile.value")
    assert leaves("pose.yaw") is not leaves("pose.roll")


def test_layouts_are_shared():
    """Faces of the same members, in the same order, with lists of the same length, have one layout."""
    read = compact_reader(Face)
    first = read(DETAIL)._layout

    others = [
        altered(("Emotions", 0, "Type"), new="ANGRY"),
        altered(("Pose", "Yaw"), new=1.5),
        altered(("Pose", "Yaw"), new=1),
    ]
    assert all(read(detail)._layout is first for detail in others)
    shorter = [DETAIL | {"Emotions": DETAIL["Emotions"][:2]}, altered(("Landmarks", 0, "Type"), new="mouthUp")]
    assert not any(read(detail)._layout is first for detail in shorter)
    assert read(DETAIL)._layout is first


def test_so_many_layouts_are_remembered(monkeypatch):
    """When there are as many as may be, all are forgotten; the values keep theirs."""
    monkeypatch.setattr(compact, "_MOST", 2)
    read = compact_reader(Face)
    kinds = [{"Emotions": DETAIL["Emotions"][:many]} for many in (1, 2, 3)]

    first, second = (read(kind) for kind in kinds[:2])
    assert [read(kind)._layout for kind in kinds[:2]] == [first._layout, second._layout]
    read(kinds[2])
    assert read(kinds[0])._layout is not first._layout
    assert first == read(kinds[0])


def test_so_many_plans_are_remembered(monkeypatch):
    """So it is with the members that faces have."""
    monkeypatch.setattr(compact, "_MOST", 2)
    read = compact_reader(Face)
    kinds = [{name: DETAIL[name]} for name in ("Smile", "Pose", "Gender")]

    first, second = (read(kind)._layout for kind in kinds[:2])
    assert [read(kind)._layout for kind in kinds[:2]] == [first, second]
    read(kinds[2])
    assert read(kinds[0])._layout is not first


def test_a_landmark_has_its_place():
    """Columns have x and y of each, in the order in which they came."""
    assert fast(DETAIL).landmarks == Landmarks.of(careful(DETAIL).landmarks)
    assert fast(DETAIL).landmarks.x == (0.26, 0.76, 0.53)
    assert fast(DETAIL).landmarks.y == (0.51, 0.52, 0.63)
    assert [(one.type, one.confidence) for one in fast(DETAIL).emotions] == [
        ("CALM", 5.5),
        ("HAPPY", 90.5),
        ("SAD", 2.5),
    ]


@frozen
class Twice:
    """A shape with two lists of words, as the service may have one some day."""

    before: object = field(default=None, metadata=wire("Before", Many(Emotion)))
    after: object = field(default=None, metadata=wire("After", Many(Emotion)))
    confidence: object = field(default=None, metadata=wire("Confidence", NUMBER))
    _layout: object = None
    _numbers: object = None
    _others: object = None
    _extra: object = None


def test_each_list_has_its_own_words_and_numbers():
    """They lie one after the other."""
    said = {"Before": DETAIL["Emotions"], "After": [{"Type": "FEAR", "Confidence": 1.5}], "Confidence": 3.5}
    value = compact_reader(Twice)(said)

    parts = {name: part(value._numbers, value._others) for name, part in value._layout.parts.items()}
    assert [(one.type, one.confidence) for one in parts["before"]] == [("CALM", 5.5), ("HAPPY", 90.5), ("SAD", 2.5)]
    assert [(one.type, one.confidence) for one in parts["after"]] == [("FEAR", 1.5)]
    assert parts["confidence"] == 3.5
