import copy
import json
import os
import pickle
from itertools import pairwise
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import rekog_emotion as rekog
from rekog_emotion import EmotionType
from rekog_emotion.people.floors import estimate_floors
from rekog_emotion.people.person import Peak
from rekog_emotion.people.segments import Segment
from rekog_emotion.results.timeline import Timeline
from tests.amounts import amount
from tests.results.people import at, face, looks, video

NAMED = os.environ.get("REKOG_EMOTION_RECORDINGS")
HAPPY, SAD, CALM = {"HAPPY": 90.0, "SAD": 10.0}, {"HAPPY": 10.0, "SAD": 90.0}, {"HAPPY": 20.0, "SAD": 20.0}


def scores(person, kind):
    """Return the scores of an emotion, rounded."""
    return np.round(person.scores[:, person.kinds.index(kind)].astype(float), 3).tolist()


def test_timeline_is_what_was_said():
    """Without smoothing the scores are those of the faces; a sample stands until the next, the last one an interval."""
    (person,) = video(*looks(HAPPY, SAD, CALM)).timeline(smooth=0).people

    assert person.kinds == (EmotionType.HAPPY, EmotionType.SAD)
    assert (person.starts.tolist(), person.ends.tolist()) == ([0, 0.5, 1], [0.5, 1, 1.5])
    assert (scores(person, "HAPPY"), scores(person, "SAD")) == ([90, 10, 20], [10, 90, 20])
    assert (person.id, person.screen_seconds, person.positions.tolist()) == (1, 1.5, [0, 1, 2])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"smooth": 0}, [90, 90, 10, 10, 90]),
        ({"smooth": 1.0}, [90, 63.333, 36.667, 36.667, 50]),
        ({"smooth": 1.0, "causal": True}, [90, 90, 63.333, 36.667, 36.667]),
        ({"smooth": 0.9}, [90, 90, 10, 10, 90]),
        ({"smooth": 100.0}, [58, 58, 58, 58, 58]),
    ],
)
def test_smoothing_is_a_mean_over_seconds(options, expected):
    """The window is centred, or reaches back from the sample where it must not know the future."""
    (person,) = video(*looks(HAPPY, HAPPY, SAD, SAD, HAPPY)).timeline(**options).people

    assert scores(person, "HAPPY") == expected


def test_gaps_stay_gaps():
    """While somebody is away there are no samples, and no window or segment reaches over it."""
    clip = video(*looks(HAPPY, HAPPY, HAPPY, None, None, SAD, SAD, SAD), seconds=10)
    timeline = clip.timeline(smooth=4)

    (person,) = timeline.people
    assert person.stretches.tolist() == [0, 0, 0, 1, 1, 1]
    assert person.ends.tolist() == [0.5, 1, 1.5, 3, 3.5, 4]
    assert scores(person, "HAPPY") == [90, 90, 90, 10, 10, 10]
    assert [(one.type, one.start, one.end) for one in timeline.segments()] == [("HAPPY", 0, 1.5), ("SAD", 2.5, 4)]
    assert (person.screen_seconds, timeline.duration_seconds) == (3, 10)


def test_last_sample_ends_with_the_video():
    """A face counts until the next sample, but not beyond the end."""
    timeline = video(*looks(HAPPY, HAPPY), seconds=0.7).timeline()

    assert (timeline.people[0].ends.tolist(), timeline.duration_seconds) == ([0.5, 0.7], 0.7)


def test_segments():
    """A segment has its emotion, its time and its mean score."""
    found = video(*looks(HAPPY, HAPPY, HAPPY, SAD, SAD)).timeline(smooth=0).segments()

    assert found == (
        Segment(person=1, type=EmotionType.HAPPY, start=0.0, end=1.5, score=90.0),
        Segment(person=1, type=EmotionType.SAD, start=1.5, end=2.5, score=90.0),
    )
    assert [one.seconds for one in found] == [1.5, 1.0]


@pytest.mark.parametrize(
    ("letters", "min_seconds", "expected"),
    [
        ("HHHSHHH", 1.0, "H0-3.5"),  # a shorter one counts to the one before
        ("HHHSHHH", 0.5, "H0-1.5 S1.5-2 H2-3.5"),
        ("SHHH", 1.0, "H0-2"),  # the first one to the one after
        ("HH..S..HH", 1.0, "H0-1 H3.5-4.5"),  # one without a neighbour is left out
        ("HHCCSS", 1.0, "H0-1 S2-3"),  # below the least score none leads
        ("HSHSHS", 1.0, "H0-3"),
        ("H", 1.0, ""),
    ],
)
def test_short_segments(letters, min_seconds, expected):
    """What is shorter than ``min_seconds`` is no segment of its own."""
    samples = [{"H": HAPPY, "S": SAD, "C": CALM, ".": None}[letter] for letter in letters]

    found = video(*looks(*samples)).timeline(smooth=0).segments(min_seconds=min_seconds)

    assert " ".join(f"{one.type[0]}{one.start:g}-{one.end:g}" for one in found) == expected


@pytest.mark.parametrize(("hysteresis", "expected"), [(0, "HSHS"), (5, "HSHS"), (15, "HS")])
def test_hysteresis(hysteresis, expected):
    """Another emotion takes over when it is so much higher, not when it is a little."""
    near = [{"HAPPY": 45.0, "SAD": 40.0}, {"HAPPY": 40.0, "SAD": 50.0}, {"HAPPY": 52.0, "SAD": 44.0}, SAD]

    found = video(*looks(*near)).timeline(smooth=0).segments(min_seconds=0, hysteresis=hysteresis)

    assert "".join(one.type[0] for one in found) == expected


def test_summary():
    """Shares are means over the screen time, and undecided what they lack; a peak is the top of a stretch over 50."""
    samples = [HAPPY, {"HAPPY": 70.0, "SAD": 10.0}, SAD, {"HAPPY": 95.0, "SAD": 5.0}]
    summary = video(*looks(*samples), at(0, face(0.1, bare=True)), seconds=5).timeline(smooth=0).summary()

    first, second = summary.people
    assert (first.id, first.faces, first.shares, first.undecided, first.peaks, first.dominant) == (
        1,
        1,
        {},
        None,
        (),
        None,
    )
    assert (second.start, second.end, second.screen_seconds, second.faces) == (0, 2, 2, 4)
    assert {kind: round(share, 3) for kind, share in second.shares.items()} == {"HAPPY": 66.25, "SAD": 28.75}
    assert (second.dominant, round(second.undecided, 3)) == ("HAPPY", 5)
    assert second.peaks == (
        Peak(type=EmotionType.HAPPY, seconds=0.0, score=90.0),
        Peak(type=EmotionType.SAD, seconds=1.0, score=90.0),
        Peak(type=EmotionType.HAPPY, seconds=1.5, score=95.0),
    )
    assert (summary.faces, summary.duration_seconds) == (5, 5)


def test_three_emotions_of_2018_and_words_of_their_own():
    """An emotion that is not said is 0; a word that is not known has a column; a low sum stays undecided."""
    samples = [{"HAPPY": 10.0, "CALM": 5.0, "SAD": 3.0}, {"CONFUSED": 40.0}, {"BEWILDERED": 80.0}]
    (person,) = video(*looks(*samples)).timeline(smooth=0).people

    assert person.kinds == ("HAPPY", "SAD", "CONFUSED", "CALM", "BEWILDERED")
    assert np.round(person.scores.astype(float), 3).tolist() == [[10, 3, 0, 5, 0], [0, 0, 40, 0, 0], [0, 0, 0, 0, 80]]


def test_faces_that_look_like_everything_are_shared():
    """Scores that sum to 360 share 100: nothing leads such a face."""
    everything = dict.fromkeys(["HAPPY", "SAD", "ANGRY", "CONFUSED", "DISGUSTED", "SURPRISED", "CALM", "FEAR"], 45.0)
    timeline = video(*looks(everything, everything, everything)).timeline()

    assert timeline.segments() == ()
    assert scores(timeline.people[0], "FEAR") == [12.5] * 3


FLOORS = {"SURPRISED": 6.25, "FEAR": 5.87, "SAD": 2.15}


def test_floors_are_no_fear():
    """What the model of 2022-23 says of every face is taken out; what is over it stays, on the whole scale."""
    faces = [{"HAPPY": 99.0, "CALM": 0.1, **FLOORS}] * 19 + [{"HAPPY": 0.1, "CALM": 0.1, **FLOORS, "FEAR": 98.0}]
    timeline = video(*looks(*faces)).timeline(smooth=0)

    assert {kind: round(floor, 2) for kind, floor in timeline.floors.items()} == {**FLOORS, "CALM": 0.1}
    assert scores(timeline.people[0], "FEAR")[:19] == [0] * 19
    assert scores(timeline.people[0], "FEAR")[19] > 97
    assert scores(timeline.people[0], "SURPRISED") == [0] * 20


@pytest.mark.parametrize(
    "one",
    [
        {"HAPPY": 60.0, "CALM": 32.0, "SAD": 8.0},  # a distribution has no floors, however steady
        dict.fromkeys(["HAPPY", "SAD", "ANGRY", "CALM"], 45.0),  # no decision is no floor
        {"HAPPY": 4.0, "SAD": 5.0, "CALM": 4.0},
    ],
)
def test_no_floors_where_there_are_none(one):
    """A low score of every face is taken out only where the sums give it away."""
    assert video(*looks(*[one] * 10)).timeline().floors == {}


def test_no_emotions_have_no_floors():
    """DEFAULT attributes have no emotions, and give no warning."""
    assert estimate_floors(np.zeros((0, 0), np.float32)).tolist() == []
    assert estimate_floors(np.full((3, 2), np.nan, np.float32)).tolist() == [0, 0]


def test_emotions_that_come_late():
    """A face without emotions among faces with some is on screen, and takes no part in the scores."""
    faces = looks(HAPPY, {}, HAPPY)
    (person,) = video(faces[0], at(0.5, face()), faces[2]).timeline(smooth=10).people

    assert scores(person, "HAPPY")[::2] == [90, 90]
    assert np.isnan(person.scores[1]).all()
    assert (person.summary().screen_seconds, person.summary().shares) == (1.5, pytest.approx({"HAPPY": 90, "SAD": 10}))


def test_faces_come_from_a_generator():
    """``Timeline.of`` reads a stream, as ``job.faces()`` gives it."""
    faces = looks(HAPPY, SAD)

    timeline = Timeline.of((one for one in faces), duration_seconds=3)

    assert timeline.summary() == video(*faces, seconds=3).timeline().summary()


def test_nobody():
    """A video without faces has a timeline without people."""
    timeline = video(seconds=2).timeline()

    assert (timeline.people, timeline.segments(), timeline.summary().people) == ((), (), ())
    assert timeline.duration_seconds == 2


@pytest.mark.parametrize(
    ("name", "number"),
    [("smooth", -0.5), ("smooth", "1"), ("smooth", None), ("max_gap", -0.5), ("max_gap", "1"), ("smooth", 10**400)],
)
def test_bad_numbers_are_refused(name, number):
    """Seconds are from 0 on."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        video().timeline(**{name: number})

    assert str(caught.value) == f"{name} is {number!r}, and has to be a number from 0 on"


emotions = st.none() | st.dictionaries(st.sampled_from(["HAPPY", "SAD", "FEAR"]), st.floats(0, 100), min_size=1)
people = st.lists(emotions, min_size=1, max_size=12)
windows = st.sampled_from([0.0, 0.4, 1.0, 3.0, 60.0])


@settings(max_examples=amount(60, whole=300))
@given(samples=people, smooth=windows, causal=st.booleans())
def test_smoothing_keeps_bounds(samples, smooth, causal):
    """No mean is beyond what it is made of."""
    clip = video(*looks(*samples))

    raw = [person.scores for person in clip.timeline(smooth=0).people]
    smoothed = [person.scores for person in clip.timeline(smooth=smooth, causal=causal).people]

    for before, after in zip(raw, smoothed, strict=True):
        assert (after >= before.min(axis=0) - 1e-3).all()
        assert (after <= before.max(axis=0) + 1e-3).all()
        assert (after.sum(axis=1) <= 100.01).all()


@settings(max_examples=amount(60, whole=300))
@given(samples=st.lists(emotions, min_size=2, max_size=12), smooth=windows, cut=st.integers(1, 11))
def test_causal_smoothing_ignores_the_future(samples, smooth, cut):
    """What comes later changes no score before it."""
    # The same columns, no floors, and the same time from sample to sample.
    samples = [*[{"HAPPY": 0.0, "SAD": 0.0, "FEAR": 0.0}] * 2, *samples]
    whole_clip, start_clip = (
        video(*looks(*some)).timeline(smooth=smooth, causal=True) for some in (samples, samples[: cut + 1])
    )
    assume(whole_clip.interval_seconds == start_clip.interval_seconds)  # it belongs to the video, and is estimated
    whole, start = whole_clip.people[0], start_clip.people[0]

    count = len(start.starts)
    assert np.allclose(whole.scores[:count], start.scores, atol=1e-3)


@settings(max_examples=amount(40, whole=200))
@given(samples=people, min_seconds=st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_segments_do_not_overlap(samples, min_seconds):
    """Segments of a person follow each other, are long enough, and lie where the person is on screen."""
    timeline = video(*looks(*samples)).timeline()

    for person in timeline.people:
        found = person.segments(min_seconds=min_seconds)
        assert all(one.seconds >= min_seconds - 1e-6 for one in found)
        assert all(one.end <= other.start for one, other in pairwise(found))
        assert sum(one.seconds for one in found) <= person.screen_seconds + 1e-6


@pytest.mark.skipif(not NAMED, reason="REKOG_EMOTION_RECORDINGS names no folder")
def test_recordings_show_no_false_fear():
    """Faces recorded with floors show no FEAR nor SURPRISED; those of other models keep what they have."""
    folder = Path(NAMED)
    floored = (
        "img_all_classdojo_1",
        "img_all_woman_sofa",
        "img_all_wrmelo_closed_eyes",
        "img_all_angry_male",
        "img_all_edenai_face",
    )
    for names, expected in ((floored, {"SURPRISED", "FEAR", "SAD"}), (("img_all_san1dh_bts_1",), set())):
        details = [one for name in names for one in json.loads((folder / f"{name}.json").read_bytes())["FaceDetails"]]
        faces = [at(k / 2, rekog.Face.from_aws(one)) for k, one in enumerate(details)]

        timeline = video(*faces).timeline(smooth=0)

        assert expected <= set(timeline.floors) if expected else timeline.floors == {}
        if expected:
            highest = [float(person.scores[:, person.kinds.index("FEAR")].max()) for person in timeline.people]
            assert max(highest) < 1


@pytest.mark.skipif(not NAMED, reason="REKOG_EMOTION_RECORDINGS names no folder")
@pytest.mark.parametrize("name", ["vid_all_hawkey_oneperson", "vid_all_madama_jogging", "vid_default_edenai_faces_p1"])
def test_recorded_videos_have_timelines(name):
    """Answers of 2018 to 2023, with 25 landmarks or 5, three emotions or none, have tracks and a summary."""
    clip = rekog.VideoAnalysis.from_aws(json.loads((Path(NAMED) / f"{name}.json").read_bytes()))

    summary = clip.timeline().summary()

    assert summary.faces == len(clip.faces) == sum(len(track.faces) for track in clip.tracks())
    for person in summary.people:
        assert person.undecided is None or sum(person.shares.values()) + person.undecided == pytest.approx(
            100, abs=0.01
        )


@pytest.mark.parametrize("status", ["IN_PROGRESS", "FAILED"])
@pytest.mark.parametrize("verb", ["tracks", "timeline", "plot"])
def test_job_that_has_not_succeeded_is_not_no_faces(status, verb):
    """Nobody is shown nobody where nobody has looked yet."""
    analysis = rekog.VideoAnalysis.from_aws({"JobStatus": status})

    with pytest.raises(rekog.InvalidInputError, match=f"is {status}, which is not 'no faces'"):
        getattr(analysis, verb)()


def test_facing_the_camera_and_more_than_usual():
    """Poses and baselines go with the person; a face without a pose says nothing of it."""
    poses = [rekog.Pose(yaw=yaw, pitch=0.0) for yaw in (0, 10, -30, 90)]
    clip = video(
        *(at(k / 2, face(0.2, emotions=HAPPY if k == 3 else SAD, pose=pose)) for k, pose in enumerate(poses)),
        *(at(k / 2, face(0.8, emotions=SAD, pose=rekog.Pose(yaw=0.0))) for k in range(4)),
    )
    timeline = clip.timeline(smooth=0)

    assert timeline.people[0].facing.tolist() == [1, 1, 0, 0]
    assert [one.facing_camera for one in timeline.summary().people] == [50.0, None]
    assert timeline.more_than_usual(min_seconds=0.5) == (
        Segment(person=1, type=EmotionType.HAPPY, start=1.5, end=2.0, score=90.0),
    )
    assert clip.plot(kind="stacked")


@pytest.mark.parametrize("emotions", [{"HAPPY": 90.0, "SAD": 5.0}, None], ids=["emotions", "none asked for"])
def test_what_was_made_alike_is_equal(emotions):
    """Timelines, people and summaries are values: they compare and have a hash by what is in them."""
    clip = video(*(at(k / 2, face(0.2, emotions=emotions)) for k in range(6)))
    other = video(*(at(k / 2, face(0.2, emotions=emotions)) for k in range(5)))
    timeline = clip.timeline()

    for same in (clip.timeline(), pickle.loads(pickle.dumps(timeline)), copy.deepcopy(timeline)):  # noqa: S301 -- our own
        assert (same, same.people[0], same.summary()) == (timeline, timeline.people[0], timeline.summary())
        assert len({same, timeline, same.people[0], timeline.people[0], same.summary(), timeline.summary()}) == 3
    assert (other.timeline() == timeline, other.timeline().people[0] == timeline.people[0]) == (False, False)
    person = timeline.people[0]
    for name in ("starts", "ends", "stretches", "positions"):
        assert attrs.evolve(person, **{name: getattr(person, name) + 1}) != person
    assert attrs.evolve(person, facing=np.zeros(6, np.float32)) != person
    assert (attrs.evolve(person, scores=person.scores + 1) != person) is (emotions is not None)
