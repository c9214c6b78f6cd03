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


def test_rarer_samples_are_no_gap():
    """While samples are further apart, a person is still there at the next one."""
    follower = Follower(interval=0.5)
    seen = [follower.meet([at(k * 2.0, face(emotions={HAPPY: 90}))], interval=2.0)[0] for k in range(3)]

    assert [(one.id, one.since, one.here_since) for one in seen] == [(1, 0.0, 0.0)] * 3


def test_memory_does_not_grow_with_the_time():
    """Of people who come and go for hours nothing is kept but the last seconds."""
    follower = Follower(interval=0.5)
    for k in range(600):
        follower.meet([at(k * 5.0, face(emotions={HAPPY: 90})), at(k * 5.0, face(0.2, emotions={SAD: 90}))])

    assert len(follower._here) == 2
    assert len(follower._linker._people) == 2
    assert all(len(one.rows) == 1 for one in follower._here.values())
    assert len(follower._confidences) == 500
