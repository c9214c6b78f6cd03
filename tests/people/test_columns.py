import math

import attrs
import numpy as np
import pytest

import rekog_emotion as rekog
from rekog_emotion import (
    AgeRange,
    Attribute,
    BoundingBox,
    Emotion,
    Face,
    Gender,
    Landmark,
    Landmarks,
    Pose,
    Quality,
    TimedFace,
)
from rekog_emotion.people import columns
from rekog_emotion.people.columns import Columns
from tests.results.people import at, face

NAN = math.nan


def boxed(left=0.2, top=0.3, width=0.4, height=0.5, **members):
    """Give a face in a box."""
    return Face(bounding_box=BoundingBox(left=left, top=top, width=width, height=height), **members)


def emotional(**emotions):
    """Give a face with emotions."""
    return boxed(emotions=tuple(Emotion(type=kind, confidence=sure) for kind, sure in emotions.items()))


def of(*faces):
    """Return the columns of faces, half a second apart."""
    return Columns.of(at(k / 2, one) for k, one in enumerate(faces))


def test_what_a_face_is_in_columns():
    """Its box as it is, its landmarks as ratios of the box, each trait from surely not to surely."""
    points = {"eyeLeft": (0.3, 0.4), "eyeRight": (0.5, 0.4), "nose": (0.4, 0.55), "mouthLeft": (0.2, 0.8)}
    landmarks = [Landmark(type=name, x=x, y=y) for name, (x, y) in {**points, "mouthRight": (0.6, 0.3)}.items()]
    found = of(
        boxed(
            landmarks=Landmarks.of(landmarks),
            gender=Gender(value="Male", confidence=90.0),
            age_range=AgeRange(low=20, high=31),
            eyeglasses=Attribute(value=True, confidence=75.0),
            sunglasses=Attribute(value=False, confidence=100.0),
            beard=Attribute(value=True, confidence=40.0),
            mustache=Attribute(value=False),
            pose=Pose(roll=-3.0),
            quality=Quality(brightness=60.0),
        )
    )

    assert found.boxes.tolist() == [pytest.approx([0.2, 0.3, 0.4, 0.5])]
    assert found.shapes.tolist() == [pytest.approx([0.25, 0.2, 0.75, 0.2, 0.5, 0.5, 0, 1, 1, 0], abs=1e-6)]
    assert found.traits.tolist() == [pytest.approx([0.8, 25.5, 0.5, -1.0, 0.0, -0.5, -3.0, 60.0])]
    assert (found.positions.tolist(), found.milliseconds.tolist(), len(found)) == ([0], [0], 1)
    assert (found.kinds, found.confidences.shape) == ((), (1, 0))


@pytest.mark.parametrize(
    ("members", "place", "expected"),
    [
        ({}, 0, NAN),
        ({"gender": Gender(value="Female", confidence=100.0)}, 0, -1.0),
        ({"gender": Gender(value="Unknown", confidence=100.0)}, 0, NAN),
        ({"gender": Gender(value="Male")}, 0, 0.5),
        ({"age_range": AgeRange(low=20)}, 1, NAN),
        ({"age_range": AgeRange(high=20)}, 1, NAN),
        ({"age_range": AgeRange(low=0, high=0)}, 1, 0.0),
        ({"eyeglasses": Attribute(confidence=90.0)}, 2, NAN),
        ({"eyeglasses": Attribute(value=True, confidence=300.0)}, 2, 1.0),
        ({"pose": Pose(roll=0.0)}, 6, 0.0),
        ({"pose": Pose(yaw=1.0)}, 6, NAN),
        ({"quality": Quality(brightness=0.0)}, 7, 0.0),
        ({"quality": Quality(sharpness=1.0)}, 7, NAN),
    ],
)
def test_what_is_not_known_is_nan(members, place, expected):
    """A trait without its value is not known; one of unknown confidence is half sure."""
    assert of(boxed(**members)).traits[0, place] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("missing", ["eyeLeft", "mouthRight"])
def test_a_shape_has_all_five_points(missing):
    """One landmark less, and nothing is known of the shape."""
    whole = face().landmarks
    some = [one for one in whole if one.type != missing]

    assert np.isnan(of(boxed(landmarks=Landmarks.of(some))).shapes).all()
    assert not np.isnan(of(boxed(landmarks=whole)).shapes).any()


@pytest.mark.parametrize("side", ["left", "top", "width", "height"])
def test_a_box_that_is_not_whole_is_left_out(side):
    """Each of its four sides has to be there; and what has no width or no height is nowhere."""
    faces = [boxed(**{side: wrong}, landmarks=face().landmarks) for wrong in (None, NAN, 1.1e6)]
    if side in {"width", "height"}:
        faces += [boxed(**{side: wrong}, landmarks=face().landmarks) for wrong in (0.0, -0.1)]

    assert of(*faces, boxed()).positions.tolist() == [len(faces)]
    without = boxed(**{side: None}, emotions=(Emotion(type="ODD", confidence=99.0),))
    assert list(of(without, boxed(emotions=(Emotion(type="CALM", confidence=99.0),))).kinds) == ["CALM"]


def test_order():
    """By time, then left, top, width and height, whatever the order they came in."""
    boxes = [
        (0.1, 0.2, 0.3, 0.4),
        (0.1, 0.2, 0.3, 0.5),
        (0.1, 0.2, 0.4, 0.1),
        (0.1, 0.3, 0.1, 0.1),
        (0.2, 0.1, 0.1, 0.1),
    ]
    faces = [*(at(1, boxed(*box)) for box in reversed(boxes)), at(0.5, boxed(0.9))]
    found = Columns.of(faces)

    assert found.milliseconds.tolist() == [500, 1000, 1000, 1000, 1000, 1000]
    assert found.positions.tolist() == [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("seconds", [0, 1])
def test_two_faces_in_one_place(seconds):
    """What else is known of them tells them apart, first or later, so that their order means nothing there either."""
    first, *both = (at(seconds, emotional(HAPPY=sure)) for sure in (50.0, 90.0, 10.0))
    before = at(0, boxed(0.1))

    for faces in ([before, first, *both], [*reversed(both), first, before]):
        assert Columns.of(faces).confidences[1:, 0].tolist() == [10.0, 50.0, 90.0]


def test_the_latest_time():
    """A time that floats do not tell from the next is refused, before or after zero."""
    last = 2**53
    assert Columns.of([TimedFace(timestamp_ms=time, face=boxed()) for time in (-last, last)]).milliseconds.size == 2
    for time in (-last - 1, last + 1):
        with pytest.raises(rekog.InvalidInputError) as caught:
            Columns.of([at(0, boxed()), TimedFace(timestamp_ms=time, face=boxed())])
        assert str(caught.value) == (
            "face 1 has a time of over 9007199254740992 milliseconds, which no video has: check the answer"
        )


def test_numbers_that_are_as_good_as_infinite():
    """A million is a number, more is none, of either sign; an integer beyond all floats is none either."""
    rolls = [1e6, -1e6, 1.1e6, -1.1e6, 10**400]

    found = of(*(boxed(pose=Pose(roll=roll)) for roll in rolls)).traits[:, 6].tolist()
    assert found == pytest.approx([1e6, -1e6, NAN, NAN, NAN], nan_ok=True)


def test_emotions_have_a_column_each():
    """The service's in its order, then others by name; one that a face lacks is 0, and each lies in 0 to 100."""
    found = of(emotional(ZEST=3.0, HAPPY=120.0), emotional(BLISS=1.0, CALM=-1.0), emotional(HAPPY=None, CALM=40.0))

    words = [rekog.EmotionType.HAPPY, rekog.EmotionType.CALM]
    order = [kind for kind in rekog.EmotionType if kind in words]
    assert found.kinds == (*order, "BLISS", "ZEST")
    assert [type(kind) for kind in found.kinds] == [rekog.EmotionType] * 2 + [str] * 2
    by_kind = dict(zip(found.kinds, found.confidences.T.tolist(), strict=True))
    assert by_kind == {"HAPPY": [100, 0, 0], "CALM": [0, 0, 40], "BLISS": [0, 1, 0], "ZEST": [3, 0, 0]}


@pytest.mark.parametrize("chunk", [1, 2, 3, 50_000])
def test_chunks_change_nothing(chunk, monkeypatch):
    """However many faces wait for their columns; no emotions stay unknown where a word comes later."""
    monkeypatch.setattr(columns, "_CHUNK", chunk)

    found = of(boxed(), emotional(HAPPY=90.0), emotional(), emotional(SAD=80.0, HAPPY=10.0), boxed(emotions=None))

    assert found.kinds == (rekog.EmotionType.HAPPY, rekog.EmotionType.SAD)
    nothing = [NAN, NAN]
    expected = [nothing, [90, 0], nothing, [10, 80], nothing]
    assert found.confidences.tolist() == [pytest.approx(row, nan_ok=True) for row in expected]
    assert found.boxes.tolist() == [pytest.approx([0.2, 0.3, 0.4, 0.5])] * 5
    assert found.positions.tolist() == [0, 1, 2, 3, 4]


def test_an_emotion_without_a_word():
    """What has no type takes no column."""
    found = of(boxed(emotions=(Emotion(confidence=50.0), Emotion(type="HAPPY", confidence=60.0))))

    assert (found.kinds, found.confidences.tolist()) == ((rekog.EmotionType.HAPPY,), [[60]])


def test_turns():
    """Yaw and pitch, NaN where they are not said or beyond all sense; the traits before them stay what they were."""
    poses = (Pose(yaw=-12.5, pitch=3.0, roll=1.0), Pose(yaw=7.0), None, Pose(yaw=10**400, pitch=math.nan))
    found = of(*(boxed(pose=pose) for pose in poses))

    assert np.array_equal(found.turns, [[-12.5, 3.0], [7.0, np.nan], [np.nan] * 2, [np.nan] * 2], equal_nan=True)
    assert found.traits.shape == (4, 8)


def test_columns_are_equal_to_themselves_alone():
    """Arrays have no one answer to whether they are equal, so two that look alike are two."""
    found = of(boxed())

    assert found != attrs.evolve(found)
    assert len({found, attrs.evolve(found)}) == 2


def test_words_that_are_known_begin_no_chunk(monkeypatch):
    """Faces wait together for their columns as long as no new word comes."""
    made, singles = [], columns._singles
    monkeypatch.setattr(columns, "_singles", lambda numbers: (made.append(1), singles(numbers))[1])

    of(*(emotional(HAPPY=90.0, SAD=10.0) for _ in range(20)), *(emotional(SAD=10.0, CALM=1.0) for _ in range(20)))
    assert len(made) == 2 * 2  # numbers and emotions, before CALM came and after
