import numpy as np
import pytest
from PIL import Image

from rekog_emotion.embedded.proposals import BOX, POINTS, SCORE, CenterFace, YuNet, distinct

EYES = [249, 122, 309, 121]  # of the portrait, looked up by hand


@pytest.fixture(scope="module")
def yunet():
    """Return the network."""
    return YuNet()


def row(left, score, side=10):
    """Return a face with its points at the origin."""
    return [left, 0, left + side, side, *[0] * 10, score]


def test_of_boxes_that_overlap_the_best_stays():
    """The best comes first; what touches it little is another face; nothing stays nothing."""
    rows = np.array([row(0, 0.5), row(3, 0.9), row(9, 0.7)], float)

    assert distinct(rows)[:, [0, SCORE]].tolist() == [[3, 0.9], [9, 0.7]]
    assert distinct(rows[:0]).shape == (0, 15)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_turned_face_is_placed_on_the_picture(yunet, portrait, turns):
    """The picture that is turned so that the face stands gives its box and points where they lie."""
    picture = portrait("obama").crop((100, 0, 480, 300))
    turned = Image.fromarray(np.rot90(np.asarray(picture), -turns))

    (face,) = yunet(turned, 1280, 0.8, quarter_turns=turns)
    (upright,) = yunet(picture, 1280, 0.8)

    middle, points = face[POINTS].reshape(5, 2) - np.array(turned.size) / 2, upright[POINTS].reshape(5, 2)
    for _ in range(turns):
        middle = np.stack([middle[:, 1], -middle[:, 0]], 1)
    assert middle + np.array(picture.size) / 2 == pytest.approx(points, abs=8)
    assert face[BOX][2:] - face[BOX][:2] == pytest.approx((upright[2:4] - upright[:2])[:: 1 - turns % 2 * 2], abs=12)


@pytest.mark.parametrize("side", [160, 1280])
def test_a_shrunk_picture_gives_the_picture_s_pixels(yunet, portrait, side):
    """Whatever size it is looked at in."""
    (face,) = yunet(portrait("obama"), side, 0.8)

    assert face[4:8] == pytest.approx(EYES, abs=10)


@pytest.mark.parametrize("size", [(80, 80), (33, 2000), (4000, 81), (1, 1)])
def test_any_size_without_a_face(yunet, size):
    """Sides that are no multiples of 32 are filled up."""
    assert yunet(Image.new("RGB", size, (90, 100, 90)), 1280, 0.2).shape == (0, 15)


def test_a_face_looks_the_same_wherever_bands_meet(yunet, portrait):
    """The network sees a picture in bands, and no face tells where: not by its score, nor by its place."""
    face = portrait("obama").crop((169, 32, 389, 252)).resize((96, 96))
    told = []
    for down in range(352, 704, 32):
        picture = Image.new("RGB", (320, 1088), (90, 100, 90))
        picture.paste(face, (112, down))
        (row,) = yunet(picture, 1280, 0.8)
        told.append(row - [*[0, down] * 7, 0])

    assert np.ptp(told, axis=0).max() < 1e-3


def test_centerface_sees_a_window(portrait):
    """Box and points are pixels of the window; a bare one has no face."""
    window = np.asarray(portrait("obama").crop((125, 0, 445, 320)).resize((192, 192)))

    face, *_ = CenterFace()(window, 0.5)

    assert face[SCORE] > 0.7
    assert face[4:8] == pytest.approx((np.array(EYES) - [125, 0, 125, 0]) * 0.6, abs=6)
    assert CenterFace()(np.full((64, 96, 3), 90, np.uint8), 0.05).shape == (0, 15)
