import math

import pytest
from attrs import evolve

from rekog_emotion import BoundingBox, Face, Landmark, Landmarks, TimedFace
from rekog_emotion.people.motion import Motion, _distance, _matched, _mixed, _moved, _union

HERE = (0.2, 0.3, 0.2, 0.4)


def face(left=0.2, top=0.3, width=0.2, height=0.4):
    """Give a face in a box."""
    return Face(bounding_box=BoundingBox(left=left, top=top, width=width, height=height))


def motion(*timed, **options):
    """Return what moves, of milliseconds and faces in turns."""
    return Motion([TimedFace(timestamp_ms=time, face=one) for time, one in timed], **options)


def near(*boxes):
    """Return what equals boxes, but for rounding."""
    return [pytest.approx(box) for box in boxes]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (HERE, 0.0),
        ((0.3, 0.3, 0.2, 0.4), 0.5),
        ((0.1, 0.3, 0.2, 0.4), 0.5),
        ((0.2, 0.4, 0.2, 0.4), 0.25),
        ((0.3, 0.1, 0.2, 0.4), 0.5),
        ((0.25, 0.7, 0.2, 0.4), 1.0),
        # Sizes of a face are the mean of both, and it is the centres that are apart.
        ((0.1, 0.2, 0.3, 0.4), 0.25),
        ((0.2, 0.2, 0.3, 0.5), 0.2),
        ((0.2, 0.3, 0.2, 0.4 * 1.8**2), 0.224 / 0.424),
        # Beyond they are two faces, and what has no size is none.
        ((0.2, 0.3, 0.2, 0.41 * 1.8**2), math.inf),
        ((0.2, 0.3, 0.2, 0.39 / 1.8**2), math.inf),
        ((0.2, 0.3, 0.0, 0.4), math.inf),
        ((0.2, 0.3, -0.2, 0.4), math.inf),
    ],
)
def test_how_far_two_boxes_are_apart(other, expected):
    """In widths or heights of a face, the larger of both."""
    assert _distance(HERE, other) == pytest.approx(expected)
    assert _distance(other, HERE) == pytest.approx(expected)


def test_the_nearest_pairs_are_the_same_faces():
    """Each face has one partner at most, no further away than its size; those that have one are not asked again."""
    before = [face(0.1), face(0.4), face(0.8)]
    after = [face(0.45), face(0.3), face(0.15)]

    assert _matched(before, after) == {0: 2, 1: 0}
    assert _matched(before, after, others={1: 0}) == {0: 2}
    assert _matched(before, after, others={0: 2}) == {1: 0}
    assert _matched(before, after, furthest=math.inf) == {0: 2, 1: 0, 2: 1}
    assert _matched([face(0.25, width=0.25)], [face(0.5, width=0.25)]) == {0: 0}  # one width, exactly
    assert _matched([face(0.1)], [face(0.31)]) == {}
    assert _matched([face()], [face(width=0.9)], furthest=math.inf) == {}


def test_boxes_between_and_around_two():
    """A share of the way from one to the other, and the frame that has both."""
    other = (0.6, 0.1, 0.4, 0.2)

    assert _mixed(HERE, other, 0.25) == pytest.approx((0.3, 0.25, 0.25, 0.35))
    assert _union(HERE, other) == pytest.approx((0.2, 0.1, 0.8, 0.6))
    assert _union(other, HERE) == pytest.approx((0.2, 0.1, 0.8, 0.6))
    assert _union(HERE, (0.25, 0.35, 0.01, 0.01)) == pytest.approx(HERE)


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        (0, HERE),
        (6, HERE),
        (250, (0.15, 0.2, 0.3, 0.6)),
        (500, (0.1, 0.1, 0.4, 0.8)),
        (550, (0.1, 0.1, 0.4, 0.8)),
        (551, None),
    ],
)
def test_a_face_that_is_not_followed_is_hidden_around_where_it_was(away, expected):
    """For a step, rounded up, before and after, in a box that grows by half its size in half a second."""
    alone, expected = motion((10_000, face())), near(expected) if expected else []

    assert alone.around(10_000 + away) == expected
    assert alone.around(10_000 + away, 10_040 + away) == expected
    if away > 6:
        assert alone.around(10_000 - away) == expected
        assert alone.around(9960 - away, 10_000 - away) == expected


@pytest.mark.parametrize("gap", [500, 550, 560, 600, 750])
def test_a_face_that_is_followed_is_hidden_all_the_way(gap):
    """Between two samples that are up to one and a half steps apart it is within the frame around both boxes."""
    moving = motion((0, face()), (gap, face(0.3, 0.4)))

    for time in (10, gap // 2, gap - 1):
        assert moving.around(time, time + 1)[-1:] == near((0.2, 0.3, 0.3, 0.5))
    assert moving.around(-10, 0) == near(HERE)
    assert [box[:2] for box in moving.around(gap, gap + 40)] == [pytest.approx((0.3, 0.4))]


def test_a_face_that_leaps_is_hidden_in_between():
    """It may have crossed all that lies between two places, and may have been somebody else."""
    leaping = motion((0, face()), (500, face(0.7)))

    assert leaping.around(250) == near((0.15, 0.2, 0.3, 0.6), (0.65, 0.2, 0.3, 0.6), (0.2, 0.3, 0.7, 0.4))


def test_a_face_goes_on_as_it_came():
    """After its last sample, and before its first one, the box reaches as far as it would have moved."""
    moving = motion((0, face()), (500, face(0.3, 0.4)))

    assert moving.around(750) == near((0.25, 0.3, 0.35, 0.65))
    assert moving.around(-250) == near((0.1, 0.15, 0.35, 0.65))
    longer = motion((0, face()), (500, face(0.3, 0.4)), (1000, face(0.35, 0.4)))
    assert longer.around(-250) == near((0.1, 0.15, 0.35, 0.65))


def test_a_face_is_that_of_the_nearer_sample():
    """From half-way on, of the later one."""
    one, other = (evolve(face(), confidence=confidence) for confidence in (1.0, 2.0))
    moving = motion((0, one), (500, other))

    assert [moving.at(time)[0].confidence for time in (0, 249, 250, 499)] == [1.0, 1.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (1000, 1040, 0.3),
        (1006, 1046, 0.3),
        (1007, 1047, 0.3014),
        (967, 1007, 0.3),
        (966, 1006, 0.2932),
    ],
)
def test_a_picture_that_was_looked_at_has_what_was_found(since, until, expected):
    """That is the one that is shown at the time of the sample, which is rounded down; on others a face has moved on."""
    moving = motion((500, face(0.2)), (1000, face(0.3)), (1500, face(0.4)))

    assert [one.bounding_box.left for one in moving.at(since, until)] == [pytest.approx(expected)]


def test_the_nearest_samples_are_those_beside_a_picture():
    """Those before and after, however many there are further away."""
    passing = motion(*((500 * k, face(0.05 * k)) for k in range(5)))

    assert passing.around(750, 790) == near((0.05, 0.3, 0.25, 0.4))
    assert passing.around(1000, 1040) == near((0.1, 0.3, 0.2, 0.4), (0.1, 0.3, 0.25, 0.4))
    assert passing.around(700, 1200) == near((0.1, 0.3, 0.2, 0.4), (0.05, 0.3, 0.25, 0.4), (0.1, 0.3, 0.25, 0.4))


def test_a_picture_that_was_looked_at_hides_nothing_of_long_ago():
    """On the one that is shown for five seconds there is what was found on it, and not what is on the next one."""
    lapse = motion((0, face()), (5000, face(0.25)), step=5000)

    assert lapse.around(0, 5000) == near(HERE)
    assert lapse.around(100, 4900) == near((0.2, 0.3, 0.25, 0.4))


def test_two_faces_of_one_moment():
    """Each is followed by itself, in whatever order they come."""
    both = motion((0, face(0.1)), (0, face(0.6)), (500, face(0.65)), (500, face(0.15)))

    assert sorted(both.around(250)) == near((0.1, 0.3, 0.25, 0.4), (0.6, 0.3, 0.25, 0.4))
    assert sorted(one.bounding_box.left for one in both.at(250)) == pytest.approx([0.125, 0.625])


@pytest.mark.parametrize("side", ["left", "top", "width", "height"])
def test_a_box_that_is_not_whole_is_nowhere(side):
    """Without any of its sides a face is neither drawn nor hidden, and moves nothing."""
    some = {"left": 0.2, "top": 0.3, "width": 0.2, "height": 0.4} | {side: None}
    half = Face(bounding_box=BoundingBox(**some))

    assert (motion((0, half)).at(0), motion((0, half)).around(0)) == ([], [])
    assert motion((0, half), (0, face()), (500, half)).around(0) == near(HERE)


def test_a_face_is_followed_to_the_next_sample():
    """Whatever its place among the faces there, and whoever was at its place in the one before."""
    moving = motion((0, face(0.1)), (500, face(0.12)), (1000, face(0.7)), (1000, face(0.14)))

    assert sorted(one.bounding_box.left for one in moving.at(800)) == pytest.approx([0.132, 0.7])
    assert near((0.12, 0.3, 0.22, 0.4))[0] in moving.around(750)


@pytest.mark.parametrize("box", [(0.2, 0.3, 0.0, 0.4), (0.2, 0.3, 0.2, 0.0)])
def test_landmarks_have_no_place_in_a_box_without_size(box):
    """Such a box moves without them."""
    nose = Landmarks.of([Landmark(type="nose", x=0.2, y=0.3)])

    assert _moved(nose, box, HERE) is None
    assert _moved(nose, HERE, (0.4, 0.3, 0.2, 0.4)).x == (pytest.approx(0.4),)
