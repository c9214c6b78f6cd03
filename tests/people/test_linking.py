import importlib
import sys
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rekog_emotion as rekog
from rekog_emotion import BoundingBox, Face, TimedFace, VideoMetadata
from rekog_emotion.people.columns import Columns
from rekog_emotion.people.linking import Linker, link
from tests.amounts import amount
from tests.results.people import at, face, glasses, video

PEOPLE = Path(__file__).parents[1] / "data" / "people.mp4"
STEPS = [k / 2 for k in range(20)]


def tracked(clip, **options):
    """Return the places (x, y) of each track by time."""
    return [
        {timed.seconds: timed.face.bounding_box.left + timed.face.bounding_box.width / 2 for timed in track.faces}
        for track in clip.tracks(**options)
    ]


def people_of(clip, truth):
    """Return the names that the faces of each track have, by ``truth`` from face to name."""
    return [{truth[id(timed)] for timed in track.faces} for track in clip.tracks()]


def named(**ways):
    """Give an analysis of named people, and who each face is; a way gives a face for a time, or None."""
    truth, faces = {}, []
    for seconds in STEPS:
        for name, way in ways.items():
            if (one := way(seconds)) is not None:
                faces.append(at(seconds, one))
                truth[id(faces[-1])] = name
    return video(*faces), truth


def test_people_are_counted_as_they_come_and_from_left_to_right():
    """Ids begin at 1; each track has the faces of one person in order of time."""
    clip = video(
        at(0, face(0.8)),
        at(0, face(0.2)),
        at(0.5, face(0.21)),
        at(0.5, face(0.79)),
        at(1, face(0.5, 0.1)),
        at(1, face(0.2)),
    )

    tracks = clip.tracks()

    assert [track.id for track in tracks] == [1, 2, 3]
    assert [[timed.seconds for timed in track.faces] for track in tracks] == [[0, 0.5, 1], [0, 0.5], [1]]
    assert [(track.start, track.end) for track in tracks] == [(0, 1), (0, 0.5), (1, 1)]
    assert tracks[0].faces[0] is clip.faces[1]


def test_people_who_cross_stay_who_they_are():
    """Where someone goes counts for more than where someone is: two alike pass each other."""
    clip, truth = named(a=lambda t: face(0.1 + 0.08 * t, 0.4), b=lambda t: face(0.9 - 0.08 * t, 0.42))

    assert people_of(clip, truth) == [{"a"}, {"b"}]


@pytest.mark.parametrize(("away", "count"), [((3.0, 4.5), 1), ((3.0, 5.0), 1), ((3.0, 5.5), 2)])
def test_who_returns_within_two_seconds_is_the_same(away, count):
    """A gap of up to two seconds is bridged; after a longer one there is somebody new."""
    clip, _ = named(a=lambda t: None if away[0] <= t < away[1] else face())

    assert len(clip.tracks()) == count


def test_longest_gap_can_be_chosen():
    """``max_gap`` is in seconds."""
    clip = video(at(0, face()), at(0.5, face()), at(4, face()))

    assert [len(clip.tracks(max_gap=gap)) for gap in (0, 2, 2.9, 3, 10)] == [2, 2, 2, 1, 1]


def lapse(step, count, **metadata):
    """Give an analysis of one person who moves a little from picture to picture, so many seconds apart."""
    clip = video(*(at(k * step, face(0.3 + 0.02 * (k % 5))) for k in range(count)))
    return attrs.evolve(clip, metadata=VideoMetadata(**metadata) if metadata else None)


@pytest.mark.parametrize("step", [1.25, 5, 60])
def test_one_person_in_a_time_lapse(step):
    """Whoever is on one picture after the other is one person, however far apart these are."""
    told, untold = lapse(step, 14, frame_rate=1 / step), lapse(step, 14)

    assert [len(told.tracks()), len(untold.tracks()), len(told.timeline().people)] == [1, 1, 1]
    assert told.timeline().interval_seconds == untold.timeline().interval_seconds == step
    assert told.timeline().summary().people[0].screen_seconds == 14 * step


def test_time_lapse_with_gaps():
    """Two pictures without somebody are bridged, three are not."""
    there = [at(5 * k, face()) for k in (0, 1, 2, 5, 6, 10, 11)]
    clip = attrs.evolve(video(*there), metadata=VideoMetadata(frame_rate=0.2))

    assert [len(track.faces) for track in clip.tracks()] == [5, 2]
    assert [len(clip.tracks(max_gap=gap)) for gap in (0, 10, 14.9, 15)] == [3, 2, 2, 1]


def test_a_face_now_and_then_is_no_time_lapse():
    """Where the rate says that somebody was looked for in between, or steps are irregular, there was a gap."""
    assert len(lapse(5, 14, frame_rate=30.0).tracks()) == 14
    assert len(video(*(at(seconds, face()) for seconds in (0, 7, 19, 20.5, 33, 41, 60))).tracks()) == 6
    assert len(lapse(5, 3).tracks()) == 3
    assert len(lapse(5, 14, frame_rate=0.0).tracks()) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"gender": "Male", "age": 60}, {"gender": "Female", "age": 30}),
        ({"age": 70}, {"age": 20, "wide": 0.1}),
        ({"wide": -0.06, "age": 20}, {"wide": 0.06, "age": 45}),
        (
            {"eyeglasses": glasses(worn=True), "gender": "Male"},
            {"eyeglasses": glasses(worn=False), "gender": "Female"},
        ),
    ],
)
def test_cut_to_somebody_else_in_the_same_place(first, second):
    """What stays on a face tells two people in one place apart."""
    clip, truth = named(a=lambda t: face(**first) if t < 5 else None, b=lambda t: face(**second) if t >= 5 else None)

    assert people_of(clip, truth) == [{"a"}, {"b"}]


def test_all_faces_change_at_a_cut():
    """After a cut everybody is new, whoever stands nearest."""
    old, new = {"gender": "Male", "age": 60}, {"gender": "Female", "age": 30}
    clip, truth = named(
        a=lambda t: face(0.3, **old) if t < 5 else None,
        b=lambda t: face(0.7, **old) if t < 5 else None,
        c=lambda t: face(0.32, **new) if t >= 5 else None,
        d=lambda t: face(0.72, **new) if t >= 5 else None,
    )

    assert people_of(clip, truth) == [{"a"}, {"b"}, {"c"}, {"d"}]


def test_one_face_misread_does_not_break_a_track():
    """A single sample whose gender is told wrong is outvoted by what is known of the person."""
    clip, _ = named(a=lambda t: face(gender="Female" if t == 5 else "Male", age=40))

    assert len(clip.tracks()) == 1


def test_boxes_alone_will_do():
    """An answer with boxes and nothing else is linked by place and size."""
    clip, truth = named(
        a=lambda t: face(0.2 + 0.01 * t, bare=True), b=lambda t: face(0.7 - 0.01 * t, size=0.15, bare=True)
    )

    assert people_of(clip, truth) == [{"a"}, {"b"}]


def test_faces_without_time_or_box_are_in_no_track():
    """What has no place cannot be linked, and is no error; nor is a place that is no number."""
    odd = [
        TimedFace(timestamp_ms=None, face=face()),
        TimedFace(timestamp_ms=0, face=None),
        TimedFace(timestamp_ms=0, face=Face()),
        TimedFace(timestamp_ms=0, face=Face(bounding_box=BoundingBox(left=0.0, top=0.0, width=0.1))),
        TimedFace(timestamp_ms=0, face=Face(bounding_box=BoundingBox(left=1e300, top=0.0, width=0.1, height=0.1))),
    ]

    assert [len(track.faces) for track in video(*odd, at(0, face())).tracks()] == [1]
    assert video().tracks() == ()


@pytest.mark.parametrize("gap", [-1.0, float("nan"), float("inf")])
def test_gap_has_to_be_a_number(gap):
    """Anything else is refused."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        video().tracks(max_gap=gap)

    assert str(caught.value) == f"max_gap is {gap}, and has to be a number from 0 on"


places = st.floats(-0.25, 1.25, width=32)
anybody = st.builds(
    face,
    places,
    places,
    st.floats(0.0078125, 0.5, width=32),
    gender=st.sampled_from([None, "Male", "Female"]),
    age=st.sampled_from([None, 20, 60]),
    bare=st.booleans(),
)
clips = st.lists(st.builds(at, st.integers(0, 12).map(lambda k: k / 2), anybody), max_size=25)


@settings(max_examples=amount(60, whole=300))
@given(faces=clips, random=st.randoms(use_true_random=False))
def test_tracks_partition_the_faces(faces, random):
    """Each face is in one track, no track has two at one time, and the order of the input changes nothing."""
    tracks = video(*faces).tracks()
    shuffled = faces.copy()
    random.shuffle(shuffled)

    flat = [timed for track in tracks for timed in track.faces]
    assert sorted(map(id, flat)) == sorted(map(id, faces))
    assert [track.id for track in tracks] == list(range(1, len(tracks) + 1))
    for track in tracks:
        times = [timed.timestamp_ms for timed in track.faces]
        assert times == sorted(set(times))
        assert max(np.diff(times), default=0) <= 2000 + 1000
    assert video(*shuffled).tracks() == tracks


def test_faces_in_one_place_have_an_order():
    """Where boxes are the same, the rest of the faces decides, not the order in which they came."""
    faces = [at(0, face(0.3, bare=bare, gender=gender)) for bare in (True, False) for gender in ("Male", "Female")]

    assert video(*reversed(faces)).tracks() == video(*faces).tracks()


def test_rendered_clip_has_its_three_people():
    """Of the clip of the portraits, with a pan, a zoom and a cut, each person is one track."""
    tracks = rekog.analyze_video(PEOPLE, client="embedded").tracks()

    assert [[timed.seconds for timed in track.faces] for track in tracks] == [
        [0.0, 0.5, 1.0],
        [3.0, 3.5, 4.0],
        [4.5, 5.0, 5.5],
    ]


@pytest.mark.parametrize("absent", [("numpy",), ("scipy", "scipy.optimize")])
def test_tracks_need_an_extra(absent, monkeypatch):
    """Without NumPy or SciPy the error says what to install."""
    rooms = [
        f"rekog_emotion.{room}" for room in ("people.columns", "people.linking", "people.person", "results.timeline")
    ]
    for room in rooms:
        importlib.import_module(room)  # or what is imported below would stay
    for room in rooms:
        monkeypatch.delitem(sys.modules, room)
        monkeypatch.delattr(room)
    for name in absent:
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(rekog.MissingExtraError) as caught:
        video().tracks()

    assert (
        str(caught.value)
        == "Following people over time needs the 'timeline' extra: pip install 'rekog-emotion[timeline]'"
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.floats(0.05, 1))
@settings(deadline=None, max_examples=amount(25, whole=200))
def test_people_one_time_after_another_are_those_of_all_at_once(seed, count, interval):
    """Who is linked as the samples come has the number that linking them together gives, whoever comes and goes."""
    rng = np.random.default_rng(seed)
    times = np.repeat(np.arange(40), count)[rng.random(40 * count) < 0.8]
    places = rng.uniform(0, 0.9, (count, 2))
    faces = [
        at(float(k * interval), face(*np.clip(places[rng.integers(count)] + rng.normal(0, 0.05, 2), 0, 1).tolist()))
        for k in times.tolist()
    ]
    columns = Columns.of(faces)
    linker = Linker(interval=interval)
    moments = [
        Columns.of([one for one in faces if one.timestamp_ms == when]) for when in np.unique(columns.milliseconds)
    ]

    assert (
        np.concatenate([linker.meet(moment) for moment in moments]).tolist()
        == link(columns, interval=interval).tolist()
    )


def ids(*faces, **options):
    """Return who each face is, in order of time."""
    return link(Columns.of(faces), **{"interval": 0.5, **options}).tolist()


@pytest.mark.parametrize(("x", "y", "expected"), [(1, 0, [2, 1]), (-1, 0, [1, 2]), (0, 1, [2, 1]), (0, -1, [1, 2])])
def test_who_moves_is_where_the_way_leads(x, y, expected):
    """Of two faces as near as each other to where somebody was, the one further on is the same person."""
    places = [(0, 0.0), (0.5, 0.05), (1, 0.11), (1, -0.01)]

    found = ids(*(at(seconds, face(0.5 + x * way, 0.5 + y * way)) for seconds, way in places))
    assert found == [1, 1, *expected]  # those of one time from left to right, or downwards


@pytest.mark.parametrize(("further", "expected"), [(0.55, [1, 2]), (0.27, [2, 1])])
def test_a_way_is_the_mean_of_what_is_known_and_the_last_step(further, expected):
    """From 0.1 over 0.2 to 0.4 the next place is 0.55: what is nearer to it is the same person."""
    other = 0.75 if further == 0.55 else 0.55
    seen = ids(at(0, face(0.1)), at(0.5, face(0.2)), at(1, face(0.4)), at(1.5, face(further)), at(1.5, face(other)))

    assert seen[:3] == [1, 1, 1]
    assert seen[3:] == expected


@pytest.mark.parametrize("begin", [0, 600])
def test_a_way_is_gone_on_for_a_while(begin):
    """Who was away is looked for where the way leads, and not where it began, whatever the time is."""
    places = [(0, 0.1), (0.5, 0.2), (1.5, 0.4), (1.5, 0.05)]

    seen = ids(*(at(begin + seconds, face(place)) for seconds, place in places))

    assert seen == [1, 1, 2, 1]


@pytest.mark.parametrize(("room", "package"), [("linking", "scipy.optimize"), ("columns", "numpy")])
@pytest.mark.parametrize("gone", ["gone", None])
def test_other_missing_modules_are_not_the_extras(room, package, gone, monkeypatch):
    """A package that is there and lacks something itself is not told to be installed."""

    class Broken:
        def find_spec(self, name, *_):
            if name == package:
                raise ModuleNotFoundError(name=gone)

    monkeypatch.delitem(sys.modules, f"rekog_emotion.people.{room}")
    monkeypatch.delitem(sys.modules, package)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])

    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module(f"rekog_emotion.people.{room}")
    assert (type(caught.value), caught.value.name) == (ModuleNotFoundError, gone)


def still(x, y=0.5, size=0.1):
    """Give a face of which nothing is known but its box."""
    return face(x, y, size, bare=True)


@pytest.mark.parametrize(
    ("seen", "seconds", "widths"),
    [
        ((0,), 0.5, 4.5),  # whose way is not known yet
        ((0,), 1.0, 7.5),
        ((0, 0.5), 1.0, 3.3),
        ((0, 0.5), 1.5, 5.1),
    ],
)
def test_how_far_a_face_may_be_from_where_it_was_going_to(seen, seconds, widths):
    """So many of its widths or heights, more the longer ago it was seen, and the less is known of its way."""
    for size in (0.1, 0.05):
        before = [at(then, still(0.1, 0.1, size)) for then in seen]
        for off, same in ((widths - 0.05, True), (widths + 0.05, False)):
            for place in ((0.1 + off * size, 0.1), (0.1, 0.1 + off * size)):
                found = ids(*before, at(seconds, still(*place, size)))

                assert (found[-1] == 1) == same


@pytest.mark.parametrize(("size", "same"), [(0.28, True), (0.29, False), (0.036, True), (0.034, False)])
def test_how_much_larger_or_smaller_a_face_may_be(size, same):
    """Some 2.9 times from one sample to the next."""
    assert (ids(at(0, still(0.5)), at(0.5, still(0.5, size=size))) == [1, 1]) == same


def test_people_keep_their_numbers_when_others_come_and_go():
    """A number is given once; whoever comes after the longest gap has a new one."""
    found = ids(
        *(at(0, still(x)) for x in (0.1, 0.5)),
        *(at(0.5, still(x)) for x in (0.1, 0.5, 0.9)),
        *(at(4, still(x)) for x in (0.1, 0.9)),
        at(4.5, still(0.1)),
        max_gap=2.0,
    )

    assert found == [1, 2, 1, 2, 3, 4, 5, 4]
