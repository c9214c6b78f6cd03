from itertools import islice, permutations

from rekog_emotion.values import landmarks
from rekog_emotion.values.faces import Face
from rekog_emotion.values.words import LandmarkType


def test_layouts_are_bounded(monkeypatch):
    """Answers with ever new orders of landmarks are read right, and only so many orders are remembered."""
    monkeypatch.setattr(landmarks, "_LAYOUTS", {})
    orders = list(islice(permutations(list(LandmarkType)[:6]), 200))

    faces = [Face.from_aws({"Landmarks": [{"Type": str(kind), "X": 0.5, "Y": 0.5} for kind in o]}) for o in orders]

    assert [face.landmarks.types for face in faces] == orders
    assert list(landmarks._LAYOUTS.values()) == orders[: landmarks._MAX_LAYOUTS]
