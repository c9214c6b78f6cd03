"""Faces of a stream: followed between two searches, and searched for where following could find less."""

import numpy as np
import pytest
from PIL import Image

from rekog_emotion.embedded import engine as module

GREY = (96, 110, 120)


@pytest.fixture
def searches(monkeypatch):
    """Count the searches."""
    found, find = [], module._find
    monkeypatch.setattr(module, "_find", lambda *arguments, **options: found.append(1) or find(*arguments, **options))
    return found


@pytest.fixture
def stream(client, searches):
    """Return a function that looks at the next picture: its faces, and whether they were searched for."""
    stream = client.stream()

    def look(picture, seconds, attributes=("ALL",)):
        before = len(searches)
        answer = stream.detect_faces(Image={"Pixels": picture, "Seconds": seconds}, Attributes=list(attributes))
        return answer["FaceDetails"], len(searches) > before

    return look


@pytest.fixture
def people(portrait):
    """Return a function that draws portraits, each with its left edge, top edge and side, on a frame."""
    faces = {
        "obama": portrait("obama").crop((110, 20, 390, 300)),
        "biden": portrait("biden").crop((160, 50, 440, 330)),
    }

    def draw(*places, size=(640, 480)):
        picture = Image.new("RGB", size, GREY)
        for name, left, top, side in places:
            picture.paste(faces[name].resize((side, side)), (left, top))
        return picture

    return draw


def overlap(one, other):
    """Return the overlap of two faces' boxes."""
    a, b = (
        [box["Left"], box["Top"], box["Width"], box["Height"]] for box in (one["BoundingBox"], other["BoundingBox"])
    )
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(wide, 0) * max(high, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def test_faces_are_searched_for_every_quarter_of_a_second(stream, people, client):
    """And are where a search finds them in between, looking as they do."""
    searched = []
    for k in range(17):
        picture = people(("obama", 100 + 4 * k, 60 + k, 280))
        [face], anew = stream(picture, k / 30)
        searched.append(anew)
        if k in {3, 7, 12}:
            [expected] = client._analyzer.analyze(picture)
            assert overlap(face, expected) > 0.9
            assert face["Emotions"][0]["Type"] == expected["Emotions"][0]["Type"]
    assert [k for k, anew in enumerate(searched) if anew] == [0, 8, 16]


@pytest.mark.parametrize("apart", [0.25, 0.5, 3.0, -0.1, 0.0])
def test_pictures_far_apart_or_out_of_order_are_searched(stream, people, client, apart):
    """The answer is that of a picture by itself."""
    first, second = people(("obama", 100, 60, 280)), people(("obama", 140, 80, 280))

    assert stream(first, 1.0)[1]
    faces, anew = stream(second, 1.0 + apart)

    assert anew
    assert faces == client._analyzer.analyze(second)


def test_age_is_that_of_the_search(stream, people):
    """It does not change from picture to picture; with the next search it is looked at again."""
    pictures = [people(("obama", 100 + 9 * k, 60, 280)) for k in range(3)]

    ages = [
        stream(picture, seconds)[0][0]["AgeRange"] for picture, seconds in zip(pictures, (0.0, 0.1, 0.2), strict=True)
    ]

    assert ages[0] == ages[1] == ages[2]


def test_somebody_new_is_found_at_once(stream, people):
    """A glance at the small picture sees who comes."""
    assert len(stream(people(("obama", 20, 60, 280)), 0.0)[0]) == 1
    faces, anew = stream(people(("obama", 24, 60, 280), ("biden", 350, 100, 260)), 0.1)

    assert (len(faces), anew) == (2, True)


def test_somebody_in_an_empty_room_is_found_at_once(stream, people):
    """While nobody is there, a glance is all that most pictures get."""
    told = [stream(people(), seconds) for seconds in (0.0, 0.1, 0.2)]
    faces, anew = stream(people(("biden", 350, 100, 260)), 0.24)

    assert told == [([], True), ([], False), ([], False)]
    assert (len(faces), anew) == (1, True)


def test_somebody_who_leaves_is_gone_at_once(stream, people):
    """A mesh that is lost is searched for, and so is one on somebody else's face."""
    assert len(stream(people(("obama", 20, 60, 280), ("biden", 350, 100, 260)), 0.0)[0]) == 2

    assert [len(faces) for faces, _ in [stream(people(("obama", 20, 60, 280)), 0.1)]] == [1]
    assert stream(people(), 0.2) == ([], True)


def test_faces_that_may_hide_each_other_are_searched_for(stream, people):
    """A mesh would go on over whoever is in front."""
    close = people(("obama", 20, 60, 280), ("biden", 140, 190, 260))
    before = stream(close, 0.0)[0]
    faces, anew = stream(close, 0.1)

    assert (len(before), anew) == (2, True)
    assert faces == before


def test_a_cut_shows_who_is_there_now(stream, people, client):
    """Where somebody else stands in the same place, the face is theirs."""
    stream(people(("obama", 100, 60, 280)), 0.0)
    picture = people(("biden", 330, 160, 280))

    assert stream(picture, 0.1)[0] == client._analyzer.analyze(picture)


def test_what_was_dismissed_is_searched_for_once(stream, people, monkeypatch):
    """Clutter that looks a little like a face costs one search in a quarter of a second."""
    from rekog_emotion.embedded.detector import Detector

    row = np.array([[400.0, 100, 500, 220, *[0] * 10, 0.6]])
    scores = iter([0.6, 0.6, 0.65, 0.75])
    monkeypatch.setattr(Detector, "glance", lambda *_: np.append(row[:, :14], [[next(scores)]], 1))

    searched = [stream(people(("obama", 20, 60, 280)), k / 30)[1] for k in range(4)]

    assert searched == [True, False, False, True]


def test_default_members_are_followed_too(stream, people):
    """Without a look at the face; who asks for more later gets it."""
    [first], _ = stream(people(("obama", 100, 60, 280)), 0.0, attributes=["DEFAULT"])
    [second], anew = stream(people(("obama", 104, 60, 280)), 0.1, attributes=["DEFAULT"])
    [third], _ = stream(people(("obama", 108, 60, 280)), 0.2)

    assert not anew
    assert list(first) == list(second)
    assert len(second["Landmarks"]) == 5
    assert "AgeRange" in third


def test_a_stream_is_the_client_for_all_else(client, people, encoded):
    """Bytes are decoded and refused as the client does."""
    stream, picture = client.stream(), people(("obama", 100, 60, 280))
    data = encoded(picture, "PNG")

    assert (
        stream.detect_faces(Image={"Bytes": data})["FaceDetails"]
        == client.detect_faces(Image={"Bytes": data})["FaceDetails"]
    )
    assert (stream.engine, stream.rekog_capabilities) == ("embedded", frozenset({"pixels"}))
    assert stream.start_face_detection == client.start_face_detection
    with pytest.raises(AttributeError):
        _ = stream.no_such_thing
