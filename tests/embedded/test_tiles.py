import itertools

import numpy as np
import pytest
from PIL import Image

from rekog_emotion.embedded.detector import Detector
from rekog_emotion.embedded.engine import Engine
from rekog_emotion.embedded.proposals import POINTS, SCORE
from rekog_emotion.embedded.tiles import _tiles

GROUND = (90, 100, 90)
EYES = [[249, 122], [309, 121]]  # of the portrait, looked up by hand


@pytest.fixture(scope="module")
def detector():
    """Return a detector that asks BlazeFace alone."""
    return Detector(weights="clean")


@pytest.mark.parametrize(
    ("size", "side", "widths"),
    [
        ((1920, 1080), 320, []),
        ((1920, 1080), 1280, [480, 960]),
        ((1920, 1080), 1920, [240, 480, 960]),
        ((300, 400), 400, [200]),
        ((380, 200), 380, []),
    ],
)
def test_tiles_show_what_the_whole_does_not(size, side, widths):
    """Of a picture that is shrunk, and of a small one, there is no more to be seen in smaller tiles."""
    tiles = list(_tiles(*size, side))

    assert sorted({right - left for left, _, right, _ in tiles}) == widths


def test_every_face_lies_whole_in_a_tile():
    """Up to three tenths of a tile's side, wherever it is."""
    tiles = [tile for tile in _tiles(1600, 900, 1280) if tile[2] - tile[0] == 400]

    for x, y in itertools.product(range(0, 1600 - 120, 37), range(0, 900 - 120, 37)):
        assert any(
            left <= x and top <= y and x + 120 <= right and y + 120 <= bottom for left, top, right, bottom in tiles
        )


def test_a_small_face_is_seen_in_tiles(detector, portrait):
    """40 pixels of 1920: proposed once, where it is; the fast mode's whole picture shows nothing."""
    picture = Image.new("RGB", (1920, 1080), GROUND)
    picture.paste(portrait("obama").crop((158, 0, 408, 250)).resize((100, 100)), (700, 400))

    (row,) = detector._propose(picture, 1280, 0.35)

    assert row[POINTS][:4] == pytest.approx((np.array(EYES) - [158, 0]).ravel() * 0.4 + [700, 400] * 2, abs=4)
    assert len(detector._propose(picture, 320, 0.35)) == 0


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_face_is_seen_in_the_turned_picture(detector, portrait, turns):
    """Its points come back as they lie in the picture."""
    upright = portrait("obama")
    width, height = upright.size
    (straight,) = detector._propose(upright, 1280, 0.5)

    best, *_ = detector._propose(upright.rotate(-90 * turns, expand=True), 1280, 0.5, quarter_turns=turns)

    expected = straight[POINTS].reshape(5, 2)
    for before in (height, width, height)[:turns]:  # turned clockwise
        expected = np.stack([before - expected[:, 1], expected[:, 0]], -1)
    assert best[POINTS] == pytest.approx(expected.ravel(), abs=0.05 * width)
    assert best[SCORE] > 0.8


def test_a_look_from_near(detector, portrait):
    """A window shows the face that it is laid around, with the corners of its mouth."""
    window = np.asarray(portrait("obama").crop((158, 0, 408, 250)).resize((192, 192)))

    (row,) = detector._view(window, 0.3)

    left, right = row[POINTS].reshape(5, 2)[3:]
    assert row[POINTS][:4] == pytest.approx((np.array(EYES) - [158, 0]).ravel() * 192 / 250, abs=6)
    assert 25 < right[0] - left[0] < 45
    assert abs(right[1] - left[1]) < 4


def test_faces_are_found_without_the_others(portrait):
    """A picture of three, and none of a picture of nobody."""
    engine, picture = Engine(weights="clean"), Image.new("RGB", (900, 420), (120, 120, 110))
    for name, left in (("obama", 0), ("biden", 300), ("astronaut", 600)):
        picture.paste(portrait(name).resize((300, 360)), (left, 20))

    assert len(engine.analyze(picture)) == 3
    assert len(engine.analyze(picture.rotate(90, expand=True))) == 3
    assert engine.analyze(Image.new("RGB", (400, 300), GROUND)) == []
