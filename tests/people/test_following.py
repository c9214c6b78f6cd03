"""Who is there and how they look, one sample after another: what a timeline of all samples says of its last one."""

import pytest

from rekog_emotion.people.following import Follower
from tests.results.people import at, face, looks, video

CALM, HAPPY, SAD = "CALM", "HAPPY", "SAD"


def followed(*samples, interval=0.5, **options):
    """Follow samples, which are (seconds, faces); return who was there at each."""
    follower = Follower(interval=interval, **options)
    return [follower.meet([at(seconds, one) for one in faces]) for seconds, faces in samples]


def alone(*samples, step=0.5, **options):
    """Follow one still person whose face has these emotions, a sample each; None is a sample without the person."""
    faces = [[] if one is None else [face(emotions=one)] for one in samples]
    present = followed(*((k * step, one) for k, one in enumerate(faces)), interval=step, **options)
    return [one[0] if one else None for one in present]


@pytest.mark.parametrize("smooth", [0.0, 1.0, 1.4, 3.0])
@pytest.mark.parametrize(
    "samples",
    [
        [{HAPPY: 80, CALM: 10}, {HAPPY: 10, CALM: 80}, {HAPPY: 50, CALM: 40}, {CALM: 100}, {HAPPY: 100}],
        [{HAPPY: 80}, {CALM: 60}, None, {HAPPY: 20, SAD: 30}, None, None, None, None, None, None, {SAD: 70}],
        [{HAPPY: 70, CALM: 70}, {HAPPY: 130}, {SAD: 1}],
    ],
    ids=["steady", "gaps and new words", "too much"],
)
def test_scores_are_those_of_a_causal_timeline(samples, smooth):
    """At each sample, of all samples up to it."""
    present = alone(*samples, smooth=smooth)

    for k, one in enumerate(present):
        if one is None:
            continue
        timeline = video(*looks(*samples[: k + 1])).timeline(smooth=smooth, causal=True)
        [person] = [person for person in timeline.people if person.ends[-1] > k / 2]
        expected = dict(zip(map(str, person.kinds), person.scores[-1].tolist(), strict=True))
        assert one.id == person.id
        assert {str(kind): score for kind, score in one.scores.items()} == pytest.approx(expected, abs=1e-3)
        assert list(one.scores.values()) == sorted(one.scores.values(), reverse=True)


def test_leading_emotion_and_since_when():
    """Another one takes over when it is higher by ten; below thirty none leads; after a gap all begins anew."""
    present = alone(
        {HAPPY: 50, CALM: 40},
        {HAPPY: 45, CALM: 50},
        {HAPPY: 40, CALM: 55},
        {HAPPY: 20, CALM: 25},
        None,
        {CALM: 60},
        smooth=0,
    )

    assert [one and (one.leading, one.since, one.here_since) for one in present] == [
        (HAPPY, 0.0, 0.0),
        (HAPPY, 0.0, 0.0),
        (CALM, 1.0, 0.0),
        (None, 1.5, 0.0),
        None,
        (CALM, 2.5, 2.5),
    ]


def test_faces_without_emotions():
    """They were not asked for: nothing leads, and there are no scores."""
    [[one]] = followed((0.0, [face()]))

    assert (one.id, one.scores, one.leading, one.since) == (1, {}, None, 0.0)


def test_faces_without_emotions_take_no_part_in_means():
    """Whether they come before the first word or after it."""
    present = alone({HAPPY: 80}, {}, {HAPPY: 60})
    late = followed((0.0, [face()]), (0.5, [face(emotions={HAPPY: 60})]))

    assert [one.scores for one in present] == [{HAPPY: 80.0}, {}, {HAPPY: 70.0}]
    assert late[1][0].scores == {HAPPY: 60.0}


def test_faces_without_a_box_are_nobodys():
    """The position says which of the faces each person is."""
    [present] = followed((0.0, [face(bare=True, emotions={HAPPY: 90}), face(0.2, emotions={HAPPY: 90})]))
    nobody = face()
    [also] = followed((0.0, [type(nobody)(), face(0.3)]))

    assert [(one.id, one.position) for one in present] == [(1, 1), (2, 0)]
    assert [(one.id, one.position) for one in also] == [(1, 1)]


@pytest.mark.parametrize("interval", [2.0, 4.0, 60.0])
def test_rarer_samples_are_no_gap(interval):
    """While samples are further apart, a person is still known, and still there, at the next one but one."""
    follower = Follower(interval=0.5)
    times = [k * interval for k in (0, 1, 3, 4)]
    seen = [follower.meet([at(time, face(emotions={HAPPY: 90}))], interval=interval)[0] for time in times]

    assert [(one.id, one.since, one.here_since) for one in seen] == [(1, 0.0, 0.0)] * 4


@pytest.mark.parametrize("apart", [0.25, 0.5, 0.6, 0.75, 0.76, 0.9, 1.0, 1.1, 1.7, 2.2, 2.5])
@pytest.mark.parametrize("smooth", [0.0, 1.0, 3.0])
def test_time_in_which_nobody_looked_is_no_gap(apart, smooth):
    """A person who is in every sample has been there all along, however far apart they came."""
    times = [round(k * apart, 3) for k in range(6)]
    seen = followed(*((time, [face(emotions={HAPPY: 90}), face(0.2)]) for time in times), smooth=smooth)

    assert [(one.id, one.since, one.here_since) for sample in seen for one in sample] == [
        (1, 0.0, 0.0),
        (2, 0.0, 0.0),
    ] * 6


@pytest.mark.parametrize(
    ("options", "goes_on", "is_new"),
    [
        ({}, 2.5, 2.501),
        ({"interval": 1.0}, 3.0, 3.001),
        ({"interval": 4.0}, 12.0, 12.001),
        ({"max_gap": 5.0}, 5.5, 5.501),
        ({"max_gap": 0.0}, 0.5, 0.501),
    ],
)
def test_a_stretch_goes_on_as_long_as_the_person_is_known(options, goes_on, is_new):
    """Whoever comes after a longer time is somebody new, and has not been there before."""
    for later, expected in ((goes_on, (1, 0.0, 0.0)), (is_new, (2, is_new, is_new))):
        _, [one] = followed(*((time, [face(emotions={HAPPY: 90})]) for time in (0.0, later)), **options)
        assert (one.id, one.since, one.here_since) == expected


def test_a_sample_without_the_person_ends_the_stretch():
    """Whether somebody else was in it, nobody, or a face without a box; who is known again begins anew."""
    here, other = face(emotions={HAPPY: 90}), face(0.2, emotions={SAD: 90})
    for between in ([], [other], [type(here)()]):
        seen = followed((0.0, [here, other]), (0.3, [here, other]), (0.5, between), (0.7, [here, other]))
        ends = 0.7 if other not in between else 0.0

        assert [(one.id, one.since, one.here_since) for one in seen[3]] == [(1, ends, ends), (2, 0.7, 0.7)]


def test_memory_does_not_grow_with_the_time():
    """Of people who come and go for hours nothing is kept but the last seconds."""
    follower = Follower(interval=0.5)
    for k in range(600):
        follower.meet([at(k * 5.0, face(emotions={HAPPY: 90})), at(k * 5.0, face(0.2, emotions={SAD: 90}))])

    assert len(follower._here) == 2
    assert len(follower._linker._people) == 2
    assert all(len(one.rows) == 1 for one in follower._here.values())
    assert len(follower._confidences) == 500
