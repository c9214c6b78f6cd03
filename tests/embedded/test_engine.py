import numpy as np
import pytest
from PIL import Image

from rekog_emotion.embedded import engine as module


@pytest.mark.parametrize("mode", ["default", "fast"])
def test_a_picture_and_its_array_are_the_same(engine, portrait, mode):
    """Video frames come as arrays."""
    picture = portrait("biden").resize((256, 320))

    assert engine.analyze(picture, mode=mode) == engine.analyze(np.asarray(picture), mode=mode)


def test_other_modes_are_converted(engine, portrait):
    """A grey picture needs no care of the caller."""
    grey = portrait().convert("L")

    assert engine.analyze(grey) == engine.analyze(grey.convert("RGB"))


def test_the_largest_faces_are_kept(engine, portrait, monkeypatch):
    """Above the limit the smallest go."""
    picture = Image.new("RGB", (900, 500), "grey")
    for side, left in ((200, 10), (450, 220), (300, 600)):
        picture.paste(portrait("obama").resize((side, side)), (left, 20))
    widths = [face["BoundingBox"]["Width"] for face in engine.analyze(picture)]
    monkeypatch.setattr(module, "MAX_FACES", 2)

    assert len(widths) == 3
    assert widths[:2] == [face["BoundingBox"]["Width"] for face in engine.analyze(picture)]


def test_an_array_is_not_changed(engine, portrait):
    """The caller's frame stays what it was, even where it may be written."""
    frame = np.array(portrait().resize((200, 200)))
    before = frame.copy()

    engine.analyze(frame)

    assert np.array_equal(before, frame)
