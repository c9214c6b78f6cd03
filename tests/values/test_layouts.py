import gc
from itertools import islice, permutations

from rekog_emotion.values import landmarks
from rekog_emotion.values.faces import Face
from rekog_emotion.values.words import LandmarkType
from rekog_emotion.wire import compact

ORDERS = list(islice(permutations(list(LandmarkType)[:6]), 200))


def point(kind, **more):
    """Return a landmark of the service."""
    return {"Type": str(kind), "X": 0.5, "Y": 0.5, **more}


def test_layouts_are_bounded():
    """Answers with ever new orders of landmarks are read right, and only so many orders are remembered."""
    gc.collect()
    before = sum(isinstance(one, compact.Layout) for one in gc.get_objects())
    for order in ORDERS:
        face = Face.from_aws({"Landmarks": [point(kind) for kind in order]})

        assert face.landmarks.types == order
    assert sum(isinstance(one, compact.Layout) for one in gc.get_objects()) <= before + compact._MOST


def test_layouts_beside_the_unknown_are_bounded(monkeypatch):
    """So it is where an unknown member beside them makes the careful reader read the face."""
    monkeypatch.setattr(landmarks, "_LAYOUTS", {})
    faces = [Face.from_aws({"Landmarks": [point(kind) for kind in order], "New": 1}) for order in ORDERS]

    assert [face.landmarks.types for face in faces] == ORDERS
    assert list(landmarks._LAYOUTS.values()) == ORDERS[: landmarks._MAX_LAYOUTS]
