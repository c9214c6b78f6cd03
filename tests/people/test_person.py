import math

import attrs
import numpy as np
import pytest

import rekog_emotion as rekog
from rekog_emotion import TimedFace
from rekog_emotion.people.person import Peak, Person, PersonSummary, Segment, Summary, Track

HAPPY, SAD = rekog.EmotionType.HAPPY, rekog.EmotionType.SAD


def person(*rows, kinds=(HAPPY, SAD), ends=None, stretches=None):
    """Give a person whose scores are told from second to second."""
    starts = np.arange(len(rows), dtype=float)
    return Person(
        id=7,
        kinds=kinds,
        starts=starts,
        ends=starts + 1 if ends is None else np.array(ends, float),
        scores=np.array(rows, np.float32).reshape(len(rows), len(kinds)),
        stretches=np.zeros(len(rows), np.int64) if stretches is None else np.array(stretches),
        positions=np.arange(len(rows)),
    )


def test_when_a_track_begins_and_ends():
    """In seconds, of its first and its last face; a face without a time counts as at the beginning."""
    faces = [TimedFace(timestamp_ms=500), TimedFace(timestamp_ms=1000), TimedFace(timestamp_ms=2500)]

    track = Track(id=1, faces=tuple(faces))
    assert (track.start, track.end) == (0.5, 2.5)
    track = Track(id=1, faces=(TimedFace(),))
    assert (track.start, track.end) == (0.0, 0.0)


def test_how_long_a_segment_is():
    """From its start to its end."""
    assert Segment(person=1, type=HAPPY, start=1.5, end=4.0, score=50.0).seconds == 2.5


def test_segments():
    """Each has the mean score of its emotion from its first sample to the end of its last one."""
    found = person([80, 0], [60, 10], [20, 20], [0, 90]).segments()

    assert found == (
        Segment(person=7, type=HAPPY, start=0.0, end=2.0, score=70.0),
        Segment(person=7, type=SAD, start=3.0, end=4.0, score=90.0),
    )


@pytest.mark.parametrize("option", ["min_seconds", "hysteresis", "at_least", "peak"])
@pytest.mark.parametrize("wrong", [-0.5, math.nan, math.inf, 10**400, "1", None])
def test_options_are_numbers_from_zero_on(option, wrong):
    """Anything else is refused, by its name; zero is one."""
    one = person([80, 0])
    verb = one.summary if option == "peak" else one.segments

    with pytest.raises(rekog.InvalidInputError) as caught:
        verb(**{option: wrong})
    assert str(caught.value) == f"{option} is {wrong!r}, and has to be a number from 0 on"
    verb(**{option: 0})


def test_summary():
    """Shares are means over time, the highest first; what they lack is undecided; a peak is the highest of its time."""
    found = person([80, 10], [20, 10], [50, 60], ends=[3, 3, 3]).summary()

    assert found == PersonSummary(
        id=7,
        start=0.0,
        end=3.0,
        screen_seconds=6.0,
        faces=3,
        shares={
            HAPPY: pytest.approx((3 * 80 + 2 * 20 + 50) / 6, abs=1e-4),
            SAD: pytest.approx((3 * 10 + 2 * 10 + 60) / 6, abs=1e-4),
        },
        undecided=pytest.approx(100 - 440 / 6, abs=1e-4),
        peaks=(
            Peak(type=HAPPY, seconds=0.0, score=80.0),
            Peak(type=SAD, seconds=2.0, score=60.0),
            Peak(type=HAPPY, seconds=2.0, score=50.0),
        ),
    )
    assert list(found.shares) == [HAPPY, SAD]
    assert found.dominant == HAPPY


def test_the_higher_share_comes_first():
    """And the first of two that are alike."""
    assert list(person([10, 30]).summary().shares) == [SAD, HAPPY]
    assert list(person([30, 30]).summary().shares) == [HAPPY, SAD]
    assert person([80, 30]).summary().undecided == 0.0


def test_all_at_one_moment():
    """Where no sample takes any time, each counts the same."""
    found = person([80, 10], [20, 10], ends=[0, 1]).summary()

    assert found.screen_seconds == 0.0
    assert found.shares == {HAPPY: 50.0, SAD: 10.0}


def test_what_was_not_asked_for():
    """Samples without emotions take no part; without any there are no shares, and nothing is undecided."""
    found = person([80, 10], [math.nan, math.nan], [40, math.nan]).summary()
    assert found.shares == {HAPPY: 80.0, SAD: 10.0}
    assert found.screen_seconds == 3.0

    for nobody in (person([math.nan, math.nan]), person([], kinds=())):
        told = nobody.summary()
        assert (told.shares, told.undecided, told.peaks, told.dominant) == ({}, None, (), None)


def test_usual():
    """What an emotion is half of the time, of the samples whose emotions are known; nothing where none are."""
    assert person([10, 0], [30, 50], [np.nan, np.nan], [20, 90]).usual() == {HAPPY: 20.0, SAD: 50.0}
    assert person([np.nan, np.nan]).usual() == {}
    assert person([], kinds=()).usual() == {}


def test_more_than_usual():
    """A face that looks sad all the time stands out when it looks happy a little; scores are the scores themselves."""
    stern = person(*[[5, 60]] * 5, [30, 50], [32, 50], *[[5, 60]] * 3)

    assert [one.type for one in stern.segments()] == [SAD]
    assert stern.more_than_usual() == (Segment(person=7, type=HAPPY, start=5.0, end=7.0, score=31.0),)
    assert stern.more_than_usual(by=26) == (Segment(person=7, type=HAPPY, start=6.0, end=7.0, score=32.0),)
    assert stern.more_than_usual(by=26, min_seconds=1.5) == ()
    assert stern.more_than_usual(by=28) == ()
    assert person(*[[5, 60]] * 5).more_than_usual(by=0) == ()
    assert person([np.nan, np.nan]).more_than_usual() == ()
    with pytest.raises(rekog.InvalidInputError) as caught:
        stern.more_than_usual(by=-1)
    assert str(caught.value) == "by is -1, and has to be a number from 0 on"


@pytest.mark.parametrize(
    ("facing", "ends", "expected"),
    [
        ([1, 0, 1, np.nan], [1, 2, 3, 4], 200 / 3),
        ([1, 0, 0, np.nan], [2, 2, 3, 4], 50),
        ([1, 0, 0, 0], [0, 1, 2, 3], 25),
        ([np.nan] * 4, [1, 2, 3, 4], None),
        (None, [1, 2, 3, 4], None),
    ],
)
def test_facing_the_camera(facing, ends, expected):
    """It is a share of the time at which the pose is known; of one moment, of the samples."""
    one = person(*[[0, 0]] * 4, ends=ends)
    one = attrs.evolve(one, facing=None if facing is None else np.array(facing, np.float32))

    share = one.summary().facing_camera
    assert share == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("kind", [Track, Segment, Peak, PersonSummary, Summary, Person])
def test_values_are_made_by_name(kind):
    """No value of people takes its members by position, and none can be changed."""
    with pytest.raises(TypeError, match="takes 1 positional argument but"):
        kind(1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        kind.__new__(kind).id = 2


def test_who_looks_the_same_all_along_is_equal():
    """What counts is in the arrays, of which each is compared; they take no part in the hash."""
    one = person([80, 10])
    other = person([80, 20])

    assert (one == attrs.evolve(one, scores=one.scores.copy()), one == other) == (True, False)
    assert len({one, attrs.evolve(one), other}) == 2
    assert (attrs.evolve(one, facing=None) == attrs.evolve(one, facing=None)) is True
    assert attrs.evolve(one, facing=None) != attrs.evolve(one, facing=np.ones(len(one.starts), np.float32))
