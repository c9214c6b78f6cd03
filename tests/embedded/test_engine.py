import tracemalloc

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
    monkeypatch.setattr(module, "MAX_IMAGE_FACES", 2)

    assert len(widths) == 3
    assert widths[:2] == [face["BoundingBox"]["Width"] for face in engine.analyze(picture)]


def test_of_a_crowd_the_hundred_largest_are_kept(engine, portrait):
    """The service gives no more; the networks that describe faces never see the others."""
    crowd, face = Image.new("RGB", (1100, 1320), "grey"), portrait().crop((130, 0, 330, 250))
    large, small = face.resize((88, 110)), face.resize((72, 90))
    for k in range(120):
        crowd.paste(small if k % 6 == 0 else large, (k % 12 * 91, k // 12 * 132))

    found = module._find(engine._networks(), crowd, "default")

    areas = [float(np.prod(face.extent[2:] - face.extent[:2])) for face in found]
    assert len(areas) == 100
    assert areas == sorted(areas, reverse=True)
    assert min(areas) > 0.8 * max(areas)


@pytest.mark.parametrize("mode", ["default", "thorough"])
def test_a_large_photo_is_not_copied(engine, portrait, monkeypatch, mode):
    """Of 24 megapixels no second picture of that size is made, nor an array."""
    photo = Image.new("RGB", (6000, 4000), (90, 100, 90))
    photo.paste(portrait().resize((1536, 1536)), (2000, 1000))
    pixels, derive = [], Image.Image._new
    monkeypatch.setattr(
        Image.Image, "_new", lambda self, core: pixels.append(core.size[0] * core.size[1]) or derive(self, core)
    )
    tracemalloc.start()
    faces = engine.analyze(photo, mode=mode)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(faces) == 1
    assert len(pixels) > 5
    assert max(pixels) < 24e6 / 8
    assert peak < 3 * 24e6 / 2


def test_an_array_is_not_changed(engine, portrait):
    """The caller's frame stays what it was, even where it may be written."""
    frame = np.array(portrait().resize((200, 200)))
    before = frame.copy()

    engine.analyze(frame)

    assert np.array_equal(before, frame)
