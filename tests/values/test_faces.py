import copy
import json
import math
import pickle
import typing

import attrs
import pytest

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.results import video_analysis
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values import faces
from rekog_emotion.values.base import Value
from rekog_emotion.values.faces import (
    AgeRange,
    Attribute,
    BoundingBox,
    Emotion,
    EyeDirection,
    Face,
    Gender,
    Pose,
    Quality,
)
from rekog_emotion.values.landmarks import Landmark, Landmarks
from rekog_emotion.values.s3 import S3Object
from rekog_emotion.values.videos import StartedJob, TimedFace, Video, VideoMetadata
from rekog_emotion.values.words import (
    ColorRange,
    EmotionType,
    GenderType,
    JobStatus,
    LandmarkType,
    OrientationCorrection,
)
from rekog_emotion.wire.kinds import members
from rekog_emotion.wire.writing import write_shape

BOX = BoundingBox(width=0.25, height=0.5, left=0.125, top=-0.0625)
POINTS = (
    Landmark(type=LandmarkType.EYE_LEFT, x=0.25, y=0.5),
    Landmark(type=LandmarkType.EYE_RIGHT, x=0.75, y=0.5),
    Landmark(type=LandmarkType.NOSE, x=0.5, y=0.625),
)
FACE = Face(
    bounding_box=BOX,
    confidence=99.9876,
    age_range=AgeRange(low=38, high=48),
    smile=Attribute(value=True, confidence=98.7654),
    eyeglasses=Attribute(value=False, confidence=97.0),
    sunglasses=Attribute(value=False, confidence=96.0),
    gender=Gender(value=GenderType.FEMALE, confidence=95.0),
    beard=Attribute(value=False, confidence=94.0),
    mustache=Attribute(value=False, confidence=93.0),
    eyes_open=Attribute(value=True, confidence=92.0),
    mouth_open=Attribute(value=True, confidence=91.0),
    emotions=(Emotion(type=EmotionType.CALM, confidence=5.0), Emotion(type=EmotionType.HAPPY, confidence=90.04)),
    landmarks=Landmarks.of(POINTS),
    pose=Pose(roll=-1.25, yaw=190.0, pitch=7.0),
    quality=Quality(brightness=80.0, sharpness=70.0),
    face_occluded=Attribute(value=False, confidence=60.0),
    eye_direction=EyeDirection(yaw=-3.0, pitch=4.0, confidence=50.0),
)
METADATA = VideoMetadata(
    codec="h264",
    duration_millis=2100,
    format="QuickTime / MOV",
    frame_rate=29.969802856445312,
    frame_height=480,
    frame_width=640,
    color_range=ColorRange.LIMITED,
)
# One value of every class, with no member left out.
VALUES = {
    type(value): value
    for value in (
        BOX,
        FACE,
        METADATA,
        POINTS[0],
        FACE.age_range,
        FACE.smile,
        FACE.gender,
        FACE.emotions[0],
        FACE.pose,
        FACE.quality,
        FACE.eye_direction,
        S3Object(bucket="clips", name="a/b.mp4", version="v1"),
        Video(s3_object=S3Object(bucket="clips", name="a/b.mp4")),
        TimedFace(timestamp_ms=500, face=FACE),
        StartedJob(job_id="j-1", response_metadata={"RequestId": "r-1"}),
        ImageAnalysis(
            faces=(FACE,),
            size=(640, 480),
            engine="aws",
            source="me.jpg",
            orientation_correction=OrientationCorrection.ROTATE_0,
            response_metadata={"RequestId": "r-1"},
        ),
        VideoAnalysis(
            faces=(TimedFace(timestamp_ms=0, face=FACE), TimedFace(timestamp_ms=500, face=FACE)),
            status=JobStatus.SUCCEEDED,
            status_message="done",
            metadata=METADATA,
            next_token="t-2",  # noqa: S106 -- a page token, no secret
            job_id="j-1",
            video=Video(s3_object=S3Object(bucket="clips", name="a/b.mp4")),
            job_tag="tag",
            engine="aws",
            response_metadata={"RequestId": "r-1"},
        ),
    )
}
each_value = pytest.mark.parametrize("value", VALUES.values(), ids=[kind.__name__ for kind in VALUES])
each_member = pytest.mark.parametrize(
    ("value", "name", "attribute"),
    [(value, *member[:2]) for kind, value in VALUES.items() for member in members(kind)],
    ids=[f"{kind.__name__}.{attribute}" for kind in VALUES for _, attribute, _ in members(kind)],
)


def test_every_class_is_tried():
    """The table above has every class that is read from the wire."""

    def shapes(base):
        return {shape for kind in base.__subclasses__() for shape in {kind, *shapes(kind)} if members(shape)}

    assert set(VALUES) == shapes(Value)


# --- what holds for every value ---


@pytest.mark.parametrize(
    "duplicate",
    [lambda value: pickle.loads(pickle.dumps(value)), copy.copy, copy.deepcopy],  # noqa: S301 -- our own bytes
    ids=["pickle", "copy", "deepcopy"],
)
@each_value
def test_copies_are_equal(value, duplicate):
    """A copy is equal, hashes alike and has the same wire form, unknown members included."""
    value = attrs.evolve(value, extra={"New": {"Deep": [1]}})

    twin = duplicate(value)

    assert twin == value
    assert hash(twin) == hash(value)
    assert twin.extra == {"New": {"Deep": [1]}}
    assert write_shape(twin) == write_shape(value)


@each_value
def test_frozen(value):
    """No attribute can be set, known or new."""
    for name in ("extra", "_extra", "confidence", "something"):
        with pytest.raises((attrs.exceptions.FrozenInstanceError, AttributeError)):
            setattr(value, name, None)


@each_value
def test_keyword_only(value):
    """The order of members is no part of the interface."""
    with pytest.raises(TypeError):
        type(value)(None)


@each_value
def test_everything_is_optional(value):
    """Every member may be absent, and is then absent on the wire; an analysis at least has a list of faces."""
    kind = type(value)

    assert write_shape(kind()) == {name: [] for name in ("FaceDetails", "Faces") if name in write_shape(value)}


@each_value
def test_extra_is_read_only(value):
    """Unknown members can be looked at, not changed."""
    value = attrs.evolve(value, extra={"New": 1})

    with pytest.raises(TypeError):
        value.extra["New"] = 2
    assert value.extra == {"New": 1}


@each_value
def test_extra_is_empty_by_default(value):
    """No unknown member is an empty mapping, never ``None``."""
    assert value.extra == {}


@each_value
def test_extra_is_in_neither_hash_nor_repr(value):
    """Unknown members count when values are compared, and nowhere else."""
    other = attrs.evolve(value, extra={"New": 1})

    assert hash(other) == hash(value)
    assert repr(other) == repr(value)
    assert other != value
    assert attrs.evolve(value, extra={}) == value


@each_member
def test_change_shows(value, name, attribute):
    """A changed member is changed on the wire, alone; the value it was made from stays as it was."""
    before = write_shape(value)
    new = () if isinstance(getattr(value, attribute), tuple) else None

    changed = attrs.evolve(value, **{attribute: new})

    expected = {key: member for key, member in before.items() if key != name}
    assert write_shape(changed) == (expected if new is None else expected | {name: []})
    assert write_shape(value) == before


@each_member
def test_wire_form_is_json(value, name, attribute):
    """The wire form has plain strings, numbers, lists and dicts only."""
    written = write_shape(value)[name]

    assert json.loads(json.dumps(written)) == written
    assert type(written) in {str, int, float, bool, list, dict}
    assert getattr(value, attribute) is not None


@pytest.mark.parametrize("kind", [Value, Landmarks, *VALUES], ids=lambda kind: kind.__name__)
def test_types_resolve(kind):
    """The annotations of every value can be read at run time, as serializers do."""
    hints = typing.get_type_hints(kind)

    assert attrs.resolve_types(kind) is kind
    assert {field.name: field.type for field in attrs.fields(kind)}.items() <= hints.items()


@pytest.mark.parametrize("module", [faces, video_analysis], ids=lambda module: module.__name__)
def test_exports(module):
    """``__all__`` is sorted and has every public class of the module."""
    public = [
        name
        for name, member in vars(module).items()
        if isinstance(member, type) and member.__module__ == module.__name__ and not name.startswith("_")
    ]
    assert module.__all__ == sorted(module.__all__)
    assert sorted(public) == [name for name in module.__all__ if isinstance(getattr(module, name), type)]


# --- how they read on a terminal ---


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (BOX, "BoundingBox(width=0.250, height=0.500, left=0.125, top=-0.062)"),
        (BoundingBox(), "BoundingBox(width=None, height=None, left=None, top=None)"),
        (
            BoundingBox(width=1, height=1, left=0, top=0),
            "BoundingBox(width=1.000, height=1.000, left=0.000, top=0.000)",
        ),
        (FACE.age_range, "AgeRange(low=38, high=48)"),
        (FACE.smile, "Attribute(value=True, confidence=98.8)"),
        (FACE.gender, "Gender(value=Female, confidence=95.0)"),
        (FACE.emotions[1], "Emotion(type=HAPPY, confidence=90.0)"),
        (Emotion(type="BORED", confidence=None), "Emotion(type='BORED', confidence=None)"),
        (POINTS[0], "Landmark(type=eyeLeft, x=0.250, y=0.500)"),
        (FACE.landmarks, "<3 landmarks>"),
        (FACE.pose, "Pose(roll=-1.2, yaw=190.0, pitch=7.0)"),
        (FACE.quality, "Quality(brightness=80.0, sharpness=70.0)"),
        (FACE.eye_direction, "EyeDirection(yaw=-3.0, pitch=4.0, confidence=50.0)"),
        (S3Object(bucket="b", name="k"), "S3Object(bucket='b', name='k', version=None)"),
        (
            FACE,
            (
                "Face(bounding_box=BoundingBox(width=0.250, height=0.500, left=0.125, top=-0.062), confidence=100.0, "
                "age_range=AgeRange(low=38, high=48), smile=Attribute(value=True, confidence=98.8), "
                "eyeglasses=Attribute(value=False, confidence=97.0), "
                "sunglasses=Attribute(value=False, confidence=96.0), "
                "gender=Gender(value=Female, confidence=95.0), beard=Attribute(value=False, confidence=94.0), "
                "mustache=Attribute(value=False, confidence=93.0), eyes_open=Attribute(value=True, confidence=92.0), "
                "mouth_open=Attribute(value=True, confidence=91.0), "
                "emotions=(Emotion(type=CALM, confidence=5.0), Emotion(type=HAPPY, confidence=90.0)), "
                "landmarks=<3 landmarks>, pose=Pose(roll=-1.2, yaw=190.0, pitch=7.0), "
                "quality=Quality(brightness=80.0, sharpness=70.0), "
                "face_occluded=Attribute(value=False, confidence=60.0), "
                "eye_direction=EyeDirection(yaw=-3.0, pitch=4.0, confidence=50.0))"
            ),
        ),
    ],
)
def test_repr(value, text):
    """Numbers are rounded to what a reader can use, words of the service are bare, unknown ones are quoted."""
    assert repr(value) == text


# --- equality ---


def test_classes_do_not_mix():
    """Values of two classes are never equal, whatever their members."""
    assert Attribute(value=None, confidence=1.0) != Gender(value=None, confidence=1.0)


def test_word_and_string_are_equal():
    """Who builds a value with a plain string gets one that is equal to the service's."""
    assert Emotion(type="HAPPY", confidence=1.0) == Emotion(type=EmotionType.HAPPY, confidence=1.0)
    assert hash(Landmark(type="nose")) == hash(Landmark(type=LandmarkType.NOSE))


# --- attributes ---


@pytest.mark.parametrize(
    ("attribute", "truth"),
    [
        (Attribute(value=True, confidence=51.0), True),
        (Attribute(value=False, confidence=99.0), False),
        (Attribute(value=None, confidence=99.0), False),
        (Attribute(), False),
    ],
)
def test_attribute_is_its_value(attribute, truth):
    """``if face.smile:`` asks for the value, not for the confidence and not whether the member is there."""
    assert bool(attribute) is truth


# --- boxes and landmarks in pixels ---


@pytest.mark.parametrize(
    ("box", "options", "pixels"),
    [
        (BOX, {}, (80, -30, 240, 210)),
        (BOX, {"clip": True}, (80, 0, 240, 210)),
        (BoundingBox(width=0.5, height=0.5, left=0.75, top=0.75), {}, (480, 360, 800, 600)),
        (BoundingBox(width=0.5, height=0.5, left=0.75, top=0.75), {"clip": True}, (480, 360, 640, 480)),
        (BoundingBox(width=0.5, height=0.5, left=-0.75, top=-0.75), {"clip": True}, (0, 0, 0, 0)),
        (BoundingBox(width=0.5, height=0.5, left=1.5, top=1.5), {"clip": True}, (640, 480, 640, 480)),
        (BoundingBox(width=1, height=1, left=0, top=0), {}, (0, 0, 640, 480)),
    ],
)
def test_box_in_pixels(box, options, pixels):
    """A box is (left, top, right, bottom) in whole pixels, beyond the picture unless clipped."""
    assert box.to_pixels((640, 480), **options) == pixels


@pytest.mark.parametrize(
    ("number", "shown"), [(math.nan, "nan"), (math.inf, "inf"), (10**400, "inf"), (-(10**400), "-inf")]
)
def test_box_that_is_not_finite(number, shown):
    """A box of an odd recording can be looked at, though not placed, and says so."""
    box = attrs.evolve(BOX, left=number)

    with pytest.raises(InvalidInputError) as caught:
        box.to_pixels((640, 480))

    assert f"left={shown}, " in repr(box)
    assert str(caught.value) == f"cannot place {box!r} on a picture: a side is not finite"


@pytest.mark.parametrize("side", ["width", "height", "left", "top"])
def test_box_without_a_side(side):
    """A box that the service left incomplete cannot be placed, and says so."""
    box = attrs.evolve(BOX, **{side: None})

    with pytest.raises(InvalidInputError) as caught:
        box.to_pixels((640, 480))

    assert str(caught.value) == f"cannot place {box!r} on a picture: a side is missing"


def test_landmark_in_pixels():
    """A landmark is placed without rounding."""
    assert Landmark(x=0.3, y=-0.5).to_pixels((641, 480)) == (0.3 * 641, -240.0)


@pytest.mark.parametrize(
    ("point", "text"),
    [
        (Landmark(type="nose", x=0.5), "cannot place Landmark(type='nose', x=0.500, y=None) on a picture"),
        (Landmark(type="nose", y=0.5), "cannot place Landmark(type='nose', x=None, y=0.500) on a picture"),
    ],
)
def test_landmark_without_a_coordinate(point, text):
    """A landmark that the service left incomplete cannot be placed, and says so."""
    with pytest.raises(InvalidInputError) as caught:
        point.to_pixels((640, 480))

    assert str(caught.value) == f"{text}: a coordinate is missing"


# --- landmarks ---


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (LandmarkType.EYE_RIGHT, POINTS[1]),
        ("eyeRight", POINTS[1]),
        (0, POINTS[0]),
        (-1, POINTS[2]),
        (slice(1, None), POINTS[1:]),
        (slice(None, None, -1), POINTS[::-1]),
        (slice(5, 9), ()),
    ],
    ids=repr,
)
def test_landmarks_by_key(key, found):
    """A landmark is found by type, by the type's string or by position; a slice gives a tuple."""
    assert Landmarks.of(POINTS)[key] == found


@pytest.mark.parametrize(
    ("key", "kind", "text"),
    [
        ("chin", KeyError, "'chin'"),
        (LandmarkType.LEFT_PUPIL, KeyError, "leftPupil"),
        (3, IndexError, "there is no landmark at position 3: the face has 3"),
        (-4, IndexError, "there is no landmark at position -4: the face has 3"),
    ],
    ids=repr,
)
def test_landmarks_not_there(key, kind, text):
    """An unknown type is a ``KeyError``, a position beyond the end an ``IndexError``."""
    with pytest.raises(kind) as caught:
        Landmarks.of(POINTS)[key]

    assert str(caught.value) == text


def test_landmarks_as_a_collection():
    """Landmarks have a length, an order, and know which types they have."""
    landmarks = Landmarks.of(POINTS)

    assert len(landmarks) == 3
    assert tuple(landmarks) == POINTS
    assert "nose" in landmarks
    assert LandmarkType.NOSE in landmarks
    assert "chinBottom" not in landmarks


def test_landmarks_get():
    """``get`` gives ``None`` for a type that is not there, as a dict does."""
    landmarks = Landmarks.of(POINTS)

    assert landmarks.get("nose") == POINTS[2]
    assert landmarks.get(LandmarkType.LEFT_PUPIL) is None


def test_landmarks_columns():
    """The columns are tuples in the order of the landmarks, ready for numpy."""
    landmarks = Landmarks.of(iter(POINTS))

    assert landmarks.types == ("eyeLeft", "eyeRight", "nose")
    assert (landmarks.x, landmarks.y) == ((0.25, 0.75, 0.5), (0.5, 0.5, 0.625))


def test_landmarks_keep_extras():
    """What a single landmark has beyond type, x and y stays with it, and out of the hash."""
    odd = (POINTS[0], attrs.evolve(POINTS[1], extra={"Z": 0.1}), POINTS[2])

    landmarks = Landmarks.of(odd)

    assert tuple(landmarks) == odd
    assert landmarks["eyeRight"].extra == {"Z": 0.1}
    assert landmarks["eyeLeft"].extra == {}
    assert landmarks != Landmarks.of(POINTS)
    assert hash(landmarks) == hash(Landmarks.of(POINTS))
    assert pickle.loads(pickle.dumps(landmarks)) == landmarks  # noqa: S301 -- our own bytes


def test_landmarks_share_their_types():
    """Faces whose landmarks come in the same order share one tuple of types."""
    first, second = (
        Face.from_aws({"Landmarks": [{"Type": "nose", "X": x, "Y": 0.5}, {"Type": "mouthUp", "X": x, "Y": 0.5}]})
        for x in (0.1, 0.2)
    )

    assert first.landmarks != second.landmarks
    assert first.landmarks.types is second.landmarks.types


def test_landmark_types_in_doubt():
    """Of two landmarks of one type, the first is found by type; both are there."""
    landmarks = Landmarks.of([POINTS[0], attrs.evolve(POINTS[0], x=0.9)])

    assert landmarks["eyeLeft"].x == 0.25
    assert [point.x for point in landmarks] == [0.25, 0.9]


# --- emotions ---


@pytest.mark.parametrize(
    ("scores", "dominant"),
    [
        ([("CALM", 5.0), ("HAPPY", 90.0), ("SAD", 3.0)], "HAPPY"),
        ([("CALM", 50.0), ("HAPPY", 50.0)], "CALM"),
        ([("CALM", None), ("HAPPY", 0.0)], "HAPPY"),
        ([("CALM", 0.0), ("HAPPY", 1.0)], "HAPPY"),
        ([("CALM", -5.0), ("HAPPY", -1.0)], "HAPPY"),
        ([("CALM", 3), ("BORED", 397.5)], "BORED"),
    ],
    ids=["not the first", "first of a tie", "no confidence", "zero", "below zero", "unknown word"],
)
def test_dominant_emotion(scores, dominant):
    """The dominant emotion is the one of the highest confidence, wherever it stands; the first of a tie."""
    face = Face(emotions=tuple(Emotion(type=kind, confidence=confidence) for kind, confidence in scores))

    assert face.dominant_emotion.type == dominant


@pytest.mark.parametrize("emotions", [None, (), (Emotion(type=EmotionType.CALM),)], ids=["absent", "empty", "unscored"])
def test_no_dominant_emotion(emotions):
    """Where no emotion has a confidence there is no dominant one."""
    assert Face(emotions=emotions).dominant_emotion is None


def test_emotion_by_type():
    """An emotion is found by type or string; ``None`` where the service does not mention it."""
    assert FACE.emotion(EmotionType.HAPPY) == FACE.emotion("HAPPY") == FACE.emotions[1]
    assert FACE.emotion("SAD") is None
    assert Face().emotion("SAD") is None
    assert Face(emotions=(Emotion(type="BORED"),)).emotion("BORED") == Emotion(type="BORED")


@pytest.mark.parametrize("kind", ["HAPY", "happy", "BORED", "", None, ["HAPPY"]])
@pytest.mark.parametrize("face", [FACE, Face()], ids=["face", "bare"])
def test_no_such_emotion(face, kind):
    """A word that is misspelt is not an emotion that the face does not have."""
    with pytest.raises(InvalidInputError) as caught:
        face.emotion(kind)

    known = "HAPPY, SAD, ANGRY, CONFUSED, DISGUSTED, SURPRISED, CALM, UNKNOWN, FEAR"
    assert str(caught.value) == f"there is no emotion {kind!r}: those of the service are {known}"


def test_emotions_as_a_list():
    """Emotions that were picked into a list are written like those of a tuple."""
    face = attrs.evolve(FACE, emotions=[emotion for emotion in FACE.emotions if emotion.type == "HAPPY"])

    assert face.to_aws()["Emotions"] == [{"Type": "HAPPY", "Confidence": 90.04}]


# --- the wire and back ---


def test_face_from_aws():
    """A face is read and written by itself, too."""
    assert Face.from_aws(FACE.to_aws()) == FACE


def test_open_words():
    """A word that is not listed stays a plain string and survives; a listed one is a word of the enum."""
    detail = {
        "Gender": {"Value": "Unspecified"},
        "Emotions": [{"Type": "happiness"}, {"Type": "HAPPY"}],
        "Landmarks": [{"Type": "earLeft", "X": 0.1, "Y": 0.2}, {"Type": "nose", "X": 0.1, "Y": 0.2}],
    }

    face = Face.from_aws(detail)

    words = [face.gender.value, *(item.type for item in face.emotions), *(item.type for item in face.landmarks)]
    assert words == ["Unspecified", "happiness", "HAPPY", "earLeft", "nose"]
    assert [type(word) for word in words] == [str, str, EmotionType, str, LandmarkType]
    assert face.to_aws() == detail


def test_wire_form_is_a_copy():
    """What is done to the wire form, or to what was read, does not reach the value."""
    detail = {"Pose": {"Roll": 1.0}, "New": {"Deep": [1]}}
    face = Face.from_aws(detail)

    detail["New"]["Deep"].append(2)
    face.to_aws()["New"]["Deep"].append(3)
    face.to_aws()["Pose"]["Roll"] = 2.0

    assert face.to_aws() == {"Pose": {"Roll": 1.0}, "New": {"Deep": [1]}}


@pytest.mark.parametrize(
    ("yaw", "pitch", "faces_camera", "description"),
    [
        (0, 0, True, "faces the camera"),
        (20, -20, True, "faces the camera"),
        (-20.1, 0, False, "looks left"),
        (35, 10, False, "looks right"),
        (0, 25, False, "looks up"),
        (5, -90, False, "looks down"),
        (-40, -25, False, "looks left and down"),
        (40, 25, False, "looks right and up"),
        (None, 0, None, None),
        (0, None, None, None),
        (math.nan, 0, False, None),
        (math.nan, 30, False, "looks up"),
        (math.inf, 0, False, "looks right"),
        (10**400, 0, False, "looks right"),
    ],
)
def test_pose_in_words(yaw, pitch, faces_camera, description):
    """Left is the viewer's; what is not said is not told."""
    pose = Pose(yaw=yaw, pitch=pitch, roll=0)

    assert (pose.faces_camera, pose.description) == (faces_camera, description)
