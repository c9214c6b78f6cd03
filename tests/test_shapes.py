from itertools import islice, permutations

from rekog_emotion import _shapes
from rekog_emotion.enums import LandmarkType
from rekog_emotion.models import Face


def test_layouts_are_bounded(monkeypatch):
    """Answers with ever new orders of landmarks are read right, and only so many orders are remembered."""
    monkeypatch.setattr(_shapes, "_LAYOUTS", {})
    orders = list(islice(permutations(list(LandmarkType)[:6]), 200))

    faces = [Face.from_aws({"Landmarks": [{"Type": str(kind), "X": 0.5, "Y": 0.5} for kind in o]}) for o in orders]

    assert [face.landmarks.types for face in faces] == orders
    assert list(_shapes._LAYOUTS.values()) == orders[: _shapes._MAX_LAYOUTS]
