import copy
import itertools
import json
import pickle
import re
from decimal import Decimal

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rekog_emotion.errors import ResponseError
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.faces import BoundingBox, Emotion, Face
from rekog_emotion.values.videos import StartedJob, TimedFace
from tests.amounts import amount

from .strategies import JSON, NUMBERS, face_details, images, started_jobs, unfinished_jobs, videos

# Time says something of the machine, not of the code: answers are large, and machines that run tests are busy.
patiently = settings(deadline=None, max_examples=amount(50, whole=200), suppress_health_check=[HealthCheck.too_slow])

READERS = {
    "face": (Face, face_details),
    "image": (ImageAnalysis, images),
    "start": (StartedJob, started_jobs),
    "video": (VideoAnalysis, videos),
    "unfinished": (VideoAnalysis, unfinished_jobs),
}
each_reader = pytest.mark.parametrize("reader", READERS)


def as_text(answer):
    """Return JSON that tells 1 from 1.0 and from true, which Python's equality does not."""
    return json.dumps(answer, sort_keys=True)


@each_reader
@given(data=st.data())
@patiently
def test_round_trip(reader, data):
    """What was read is written back, to the letter; reading leaves the answer alone."""
    kind, answers = READERS[reader]
    answer = data.draw(answers)
    before = copy.deepcopy(answer)

    written = kind.from_aws(answer).to_aws()

    assert as_text(written) == as_text(before) == as_text(answer)


@each_reader
@given(data=st.data())
@patiently
def test_through_json(reader, data):
    """What was recorded as JSON reads as the same value."""
    kind, answers = READERS[reader]
    answer = data.draw(answers)

    value = kind.from_aws(answer)

    assert kind.from_aws(json.loads(json.dumps(answer))) == value
    assert kind.from_aws(json.loads(json.dumps(value.to_aws()))) == value


@each_reader
@given(data=st.data())
@patiently
def test_is_a_value(reader, data):
    """Two readings of one answer are equal, hash alike and show alike; so are copies and what was pickled."""
    kind, answers = READERS[reader]
    answer = data.draw(answers)
    value = kind.from_aws(answer)

    twins = [kind.from_aws(answer), copy.deepcopy(value), pickle.loads(pickle.dumps(value))]  # noqa: S301 -- our own bytes

    assert twins == [value] * 3
    assert {hash(twin) for twin in twins} == {hash(value)}
    assert {repr(twin) for twin in twins} == {repr(value)}
    assert [as_text(twin.to_aws()) for twin in twins] == [as_text(answer)] * 3


def noisy(answer):
    """Return an answer with an unknown member in every object."""
    if isinstance(answer, dict):
        return {name: noisy(member) for name, member in answer.items()} | {"X-Noise": 1}
    return [noisy(item) for item in answer] if isinstance(answer, list) else answer


@each_reader
@given(data=st.data())
@patiently
def test_unknown_members_change_nothing_else(reader, data):
    """Unknown members are kept, and all that is known is read as it is without them: same classes, same values."""
    kind, answers = READERS[reader]
    answer = data.draw(answers)

    plain, with_noise = kind.from_aws(answer), kind.from_aws(noisy(answer))

    assert repr(with_noise) == repr(plain)
    assert hash(with_noise) == hash(plain)
    assert with_noise.to_aws() == noisy(answer)


@given(detail=face_details, confidence=NUMBERS, left=NUMBERS, kind=st.text(max_size=8))
@patiently
def test_change_shows(detail, confidence, left, kind):
    """What is changed in a value is changed on the wire, and nothing else is."""
    face = Face.from_aws(detail)
    emotions = (Emotion(type=kind, confidence=confidence), *(face.emotions or ()))

    changed = attrs.evolve(
        face,
        confidence=confidence,
        bounding_box=attrs.evolve(face.bounding_box or BoundingBox(), left=left),
        emotions=emotions,
    )

    expected = detail | {
        "Confidence": confidence,
        "BoundingBox": (detail.get("BoundingBox") or {}) | {"Left": left},
        "Emotions": [{"Type": kind, "Confidence": confidence}, *(detail.get("Emotions") or ())],
    }
    assert as_text(changed.to_aws()) == as_text(expected)


@given(answer=videos, cuts=st.lists(st.integers(0, 3), min_size=1, max_size=3))
@patiently
def test_pages_make_the_whole(answer, cuts):
    """However the faces are cut into pages, read together they are the whole."""
    whole = {name: member for name, member in answer.items() if name != "NextToken"}
    bounds = [0, *sorted(cuts), len(answer["Faces"])]
    pages = [
        whole | {"Faces": answer["Faces"][start:stop], "NextToken": f"t-{start}"}
        for start, stop in itertools.pairwise(bounds)
    ]

    assert VideoAnalysis.from_aws(*pages).to_aws() == whole


@given(answer=videos, timestamp_ms=st.integers())
@patiently
def test_added_face_shows(answer, timestamp_ms):
    """A face that is added to a video is written at its end."""
    video = VideoAnalysis.from_aws(answer)

    longer = attrs.evolve(video, faces=(*video.faces, TimedFace(timestamp_ms=timestamp_ms)))

    assert longer.to_aws() == answer | {"Faces": [*answer["Faces"], {"Timestamp": timestamp_ms}]}


def nodes(answer, path=()):
    """Return the paths of everything within an answer, itself included."""
    inner = answer.items() if isinstance(answer, dict) else enumerate(answer) if isinstance(answer, list) else ()
    return [path, *(node for key, item in inner for node in nodes(item, (*path, key)))]


def replaced(answer, path, new):
    """Return the answer with one node replaced."""
    if not path:
        return new
    whole = copy.copy(answer)
    whole[path[0]] = replaced(answer[path[0]], path[1:], new)
    return whole


def steps(path):
    """Return the keys and positions that an error's path is made of."""
    parts = re.findall(r"(?:^|\.)(\w+)|\[(\d+)\]", path)
    assert "".join(f"[{position}]" if position else f".{name}" for name, position in parts).lstrip(".") == path
    return [int(position) if position else name for name, position in parts]


def complaint(path, broken):
    """Return the pattern of an error about the place that a path points to, which must be there but for its end."""
    found = broken
    for step in steps(path):
        found = found[step] if isinstance(step, int) else found.get(step)
    prefix = re.escape(f"{path}: ") if path else ""
    missing = "|missing from the answer, which is broken: .+" if found is None or found == "" else ""
    return rf"{prefix}(expected an? \w+, got {type(found).__name__}{missing})"


# Decimals are what a database gives back for numbers.
@each_reader
@given(data=st.data(), new=JSON | st.binary(max_size=3) | st.just(Decimal("0.5")))
@patiently
def test_broken_answers(reader, data, new):
    """With any node replaced by anything, an answer is read and written back, or the error says where it is broken."""
    kind, answers = READERS[reader]
    answer = data.draw(answers)
    broken = replaced(answer, data.draw(st.sampled_from(nodes(answer))), new)

    try:
        value = kind.from_aws(broken)
    except ResponseError as caught:
        error = caught
    else:
        assert value.to_aws() == broken
        return

    assert re.fullmatch(complaint(error.path, broken), str(error))
