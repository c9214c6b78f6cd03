import pytest

from rekog_emotion import AgeRange, Attribute, Face
from rekog_emotion.values.wording import age, features, number_of_faces, percent

YES, NO = Attribute(value=True, confidence=99.0), Attribute(value=False, confidence=99.0)


@pytest.mark.parametrize(
    ("face", "expected"),
    [
        (Face(), []),
        (Face(smile=NO, beard=NO, eyes_open=YES), []),
        (Face(smile=YES, eyeglasses=YES, eyes_open=NO), ["smile", "glasses", "eyes closed"]),
        (Face(mouth_open=YES, sunglasses=YES, face_occluded=YES), ["mouth open", "sunglasses", "covered"]),
        (Face(beard=YES, mustache=YES), ["beard", "mustache"]),
    ],
)
def test_features(face, expected):
    """What is so has a word, and so have closed eyes; what is not so, or not said, has none."""
    assert list(features(face)) == expected


def test_features_with_a_place_of_their_own():
    """What has a column of its own is not said twice."""
    assert list(features(Face(smile=YES, beard=YES), without={"smile"})) == ["beard"]


def test_numbers():
    """Confidences and ages that are not said are no text; one face is no plural."""
    assert (percent(95.44), percent(None)) == (" 95.4%", "")
    assert (age(AgeRange(low=19, high=43)), age(None)) == ("19-43", "")
    assert [number_of_faces(faces) for faces in range(3)] == ["no faces", "1 face", "2 faces"]
