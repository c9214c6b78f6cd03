import attrs
import numpy as np
import pytest
from PIL import Image

from rekog_emotion.embedded import detector
from rekog_emotion.embedded.engine import _find
from rekog_emotion.embedded.proposals import BOX, POINTS, SCORE, YuNet

EYES = [[249, 122], [309, 121]]  # of the portrait, looked up by hand
GROUND = (90, 100, 90)


def rows(*boxes_and_scores):
    """Return proposals with their points at the origin."""
    return np.array([[*box, *[0] * 10, score] for box, score in boxes_and_scores], float).reshape(-1, 15)


@pytest.fixture
def looked(engine, portrait):
    """Return the detector, a portrait on a wider picture, and what is proposed there, with doubt."""
    picture = Image.new("RGB", (900, 900), GROUND)
    picture.paste(portrait("obama").resize((320, 384)), (300, 300))
    network = engine._networks().detector
    (row,) = network._propose(picture, 1280, 0.5)
    row[SCORE] = 0.6
    return network, picture, row


@pytest.fixture
def near(monkeypatch):
    """Give a function that sets what every look from near says, and a list of the rows looked at."""
    seen = []

    def says(network, score):
        monkeypatch.setattr(network, "_near", lambda _, row, *, blazed: seen.append((row[0], blazed)) or (row, score))
        return seen

    return says


def test_a_doubtful_face_is_seen_from_near(looked):
    """It stays in its place; clutter goes; a certain face is told."""
    network, picture, face = looked
    clutter = rows(((40, 40, 130, 130), 0.85))

    kept, certain = network._seen(picture, np.concatenate([clutter, face[None]]), detector.EFFORTS["default"])

    assert certain
    assert kept.shape == (1, 15)
    assert kept[0, POINTS] == pytest.approx(face[POINTS], abs=12)
    assert kept[0, SCORE] > 0.6


def test_eyes_are_level_in_the_window_from_near(looked):
    """A face on its head has its points from a window that is turned by as much."""
    network, picture, face = looked
    upside_down = face.copy()
    upside_down[BOX] = 900 - face[[2, 3, 0, 1]]
    upside_down[POINTS] = 900 - face[POINTS]

    seen, score = network._near(picture.rotate(180), upside_down, blazed=True)

    assert score > 0.7
    assert seen[POINTS] == pytest.approx(900 - face[POINTS], abs=12)


@pytest.mark.parametrize("angle", range(0, 360, 30))
def test_a_small_face_at_any_angle(engine, portrait, angle):
    """48 pixels of 1920: found once, its eyes where they are."""
    face = portrait("obama").crop((158, 0, 408, 250)).resize((120, 120))
    picture = Image.new("RGB", (1920, 1080), GROUND)
    picture.paste(face.rotate(-angle, Image.Resampling.BICUBIC, expand=True, fillcolor=GROUND), (700, 400))
    half = face.rotate(-angle, expand=True).width / 2
    eyes = (np.array(EYES) - [283, 125]) * 120 / 250 @ [[1, 1j]][0]
    expected = eyes * np.exp(1j * np.radians(angle)) + (700 + half) + 1j * (400 + half)

    (found,) = _find(engine._networks(), picture, "default")

    assert np.abs(found.points[[468, 473], :2] @ [1, 1j] - expected).max() < 4


def test_sure_faces_and_those_beyond_the_limit_are_not_looked_at(looked, near):
    """A picture full of doubt takes no longer than one with a few; what scores well beyond the limit is a face."""
    network, picture, _ = looked
    seen = near(network, 0.0)
    limit = detector.EFFORTS["default"].looks
    sure = rows(*[((k, 0, k + 100, 100), 0.95) for k in range(5)])
    doubted = rows(*[((k, 200, k + 100, 300), 0.8) for k in range(limit + 2)], ((9, 200, 109, 300), 0.3))

    kept, certain = network._seen(picture, np.concatenate([sure, doubted]), detector.EFFORTS["default"])

    assert certain
    assert kept.tolist() == [*sure.tolist(), *doubted[limit:-1].tolist()]
    assert [left for left, _ in seen] == doubted[:limit, 0].tolist()


@pytest.mark.parametrize(
    ("side", "turned", "score", "found"),
    [
        (50, False, 0.41, False),  # a mean of 0.405 with YuNet's 0.4; a small face
        (50, False, 0.43, True),
        (80, False, 0.55, False),
        (80, False, 0.61, True),
        (120, False, 0.47, False),
        (120, False, 0.49, True),
        (120, True, 0.59, False),
        (50, True, 0.61, True),
    ],
)
def test_what_a_look_from_near_has_to_say(looked, near, side, turned, score, found):
    """It depends on the share of the picture; the larger are BlazeFace's, too, and the turned ones."""
    network, picture, _ = looked
    seen = near(network, score)
    picture = picture.resize((1000, 1000))

    kept, _ = network._seen(picture, rows(((0, 0, side, side), 0.4)), detector.EFFORTS["default"], turned=turned)

    assert [blazed for _, blazed in seen] == [turned or side >= 100]
    assert len(kept) == found


def test_smaller_than_a_mode_s_limit_is_no_face(looked, near):
    """Not even a sure one; nor one that is so small from near alone."""
    network, picture, _ = looked
    near(network, 0.9)
    effort = attrs.evolve(detector.EFFORTS["default"], smallest=0.1)

    kept, _ = network._seen(picture, rows(((0, 0, 89, 89), 0.95), ((200, 0, 291, 91), 0.5)), effort)

    assert kept[:, 0].tolist() == [200]


def test_the_better_of_two_in_a_place():
    """A lower score goes where another one lies on it, however small; elsewhere it stays."""
    candidates = rows(((0, 0, 10, 10), 0.4), ((50, 50, 60, 60), 0.3), ((0, 0, 100, 9), 0.9))
    others = rows(((2, 2, 8, 8), 0.5))

    assert detector._better(candidates, others).tolist() == candidates[1:].tolist()
    assert detector._better(candidates, rows()).tolist() == candidates.tolist()


def test_a_picture_is_turned_only_where_no_face_is_certain(engine, portrait, monkeypatch):
    """A certain face spares three looks."""
    turns, call = [], YuNet.__call__
    monkeypatch.setattr(
        YuNet,
        "__call__",
        lambda self, *arguments, quarter_turns=0: (
            turns.append(quarter_turns) or call(self, *arguments, quarter_turns=quarter_turns)
        ),
    )
    network = engine._networks().detector

    next(network.search(portrait("obama")))
    assert turns == [0]
    assert next(network.search(Image.new("RGB", (300, 200), GROUND))) == []
    assert turns == [0, 0, 1, 2, 3]


def test_a_face_that_fills_the_picture_is_left_to_the_mesh(engine, portrait):
    """The second search has the middle of the picture, and what is large or cut in wide margins."""
    tight = portrait("obama").crop((235, 85, 330, 190))
    first, second = engine._networks().detector.search(tight)

    square, *others = second
    assert [square.score, square.presence] == [0.0, detector.FILLING_PRESENCE]
    assert square.box.tolist() == pytest.approx([12.5, 17.5, 82.5, 87.5])
    assert all(other.presence == detector.FILLING_PRESENCE for other in others)
    assert first or others


def test_modes_find_smaller_faces_in_turn(engine, portrait):
    """Three faces of 24 pixels in 1600, upright: not the fast mode, and nothing twice."""
    picture = Image.new("RGB", (1600, 900), GROUND)
    small = portrait().crop((130, 0, 330, 250)).resize((52, 65))
    for left, top in ((100, 100), (843, 411), (1400, 800)):
        picture.paste(small, (left, top))

    found = {mode: len(engine.analyze(picture, mode=mode)) for mode in ("fast", "default", "thorough")}

    assert found == {"fast": 0, "default": 3, "thorough": 3}
