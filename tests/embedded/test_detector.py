import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rekog_emotion.embedded import detector


@given(width=st.integers(80, 5000), height=st.integers(80, 5000))
def test_tiles_cover_the_picture_and_overlap(width, height):
    """Every point lies in a tile of each size, and a small face lies whole in one of them."""
    tiles = detector._tiles(width, height, (0.59, 1 / 4))
    longest = max(width, height)

    assert bool(tiles) == (0.59 * longest >= 200)
    for share in (0.59, 1 / 4):
        side = longest * share
        layer = [tile for tile in tiles if abs(max(tile[2] - tile[0], tile[3] - tile[1]) - side) < 1]
        for axis, length in ((0, width), (1, height)) if layer else ():
            starts, ends = sorted({t[axis] for t in layer}), sorted({t[axis + 2] for t in layer})
            assert starts[0] == 0
            assert ends[-1] == pytest.approx(length)
            assert all(end - start >= 0.29 * side for start, end in zip(starts[1:], ends, strict=False))


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_turning_back(turns):
    """A point found on the turned canvas comes back to where it lies on the upright one."""
    canvas = np.zeros((192, 192))
    canvas[40, 150] = 1
    row, column = np.argwhere(np.rot90(canvas, turns))[0]
    found = (np.array([[[column, row]]]) + 0.5) / 192

    assert pytest.approx(detector._turn_back(found, turns) * 192) == [[[150.5, 40.5]]]


def rows(*boxes_and_scores):
    """Return detections with their points at the origin."""
    return np.array([[*box, *[0] * 12, score] for box, score in boxes_and_scores], float).reshape(-1, 17)


def test_merging_averages_one_face_and_keeps_others():
    """Overlapping boxes become one, weighted by score, with the best score; others stay; a box inside one goes."""
    merged = detector._merge(
        rows(
            ((0, 0, 10, 10), 0.8),
            ((2, 0, 12, 10), 0.4),
            ((50, 50, 60, 60), 0.9),
            ((51, 51, 54, 54), 0.5),
        )
    )

    assert merged[:, [0, 1, 2, 3, 16]] == pytest.approx(np.array([[50, 50, 60, 60, 0.9], [2 / 3, 0, 32 / 3, 10, 0.8]]))


def test_merging_nothing_or_an_empty_box():
    """No detection stays none; a box without area is a detection like others."""
    assert detector._merge(rows()).shape == (0, 17)
    assert len(detector._merge(rows(((5, 5, 5, 5), 0.6), ((5, 5, 5, 5), 0.5)))) == 2


@pytest.fixture
def looked(engine, portrait):
    """Return the detector, a portrait on a wider picture, and what the detector sees there, with doubt."""
    picture = Image.new("RGB", (900, 900), (90, 100, 90))
    picture.paste(portrait("obama").resize((320, 384)), (300, 300))
    network = engine._networks().detector
    row = detector._merge(network._look([detector._view(picture, detector._frame(picture))], 0.5))[0]
    row[16] = 0.6
    return network, picture, row


def test_a_doubtful_face_is_seen_from_near(looked):
    """It stays as it was, unless its eyes are plainly wrong; clutter goes."""
    network, picture, face = looked
    tilted, clutter = face.copy(), rows(((40, 40, 90, 90), 0.7))
    tilted[[4, 5]] = face[[6, 7]] - [0, 60]

    assert network._nearer(picture, np.concatenate([clutter, face[None]])).tolist() == [face.tolist()]
    assert network._nearer(picture, tilted[None])[0, 4:8] == pytest.approx(face[4:8], abs=15)


def test_a_doubtful_face_on_its_head_is_seen_turned(looked):
    """What takes its place has the line of the eyes, and the score, of the turned look."""
    network, picture, face = looked
    upside_down = face.copy()
    upside_down[:4] = 900 - face[[2, 3, 0, 1]]

    (found,) = network._nearer(picture.rotate(180), upside_down[None])

    assert found[16] > 0.8
    assert found[4:6] == pytest.approx(900 - face[4:6], abs=15)


def test_what_only_the_turned_picture_showed_is_placed_from_near(looked):
    """Seen upright from near, it has the box, the eyes and the score of that look."""
    network, picture, face = looked
    rough = face + np.append([-20, -20, 30, 30], np.zeros(13))

    (found,) = network._nearer(picture, rough[None], turned_only=True)

    assert found[16] > 0.8
    assert found[:4] == pytest.approx(face[:4], abs=15)


def test_sure_faces_and_those_beyond_the_limit_are_not_looked_at(looked, monkeypatch):
    """A picture full of doubt takes no longer than one with a few."""
    network, picture, _ = looked
    looks = []
    monkeypatch.setattr(network, "_look", lambda *_, quarter_turns=(0,): looks.append(quarter_turns) or rows())
    crowd = rows(*[((k, 0, k + 9, 9), 0.9) for k in range(5)], *[((k, 50, k + 9, 59), 0.6) for k in range(30)])

    kept = network._nearer(picture, crowd)

    assert kept.tolist() == [*crowd[:5].tolist(), *crowd[29:].tolist()]
    assert len(looks) == 2 * detector.NEAR_LOOKS


def test_boxes_cut_by_an_inner_edge_are_left_to_another_tile():
    """An edge of the picture cuts nothing; an edge within it does."""
    view = detector._view(Image.new("RGB", (400, 400)), (0, 0, 200, 400))
    found = rows(((0, 0, 90, 90), 0.9), ((120, 50, 198, 120), 0.9), ((50, 320, 120, 400), 0.9))

    assert view.cuts(found).tolist() == [False, True, False]


@pytest.mark.parametrize("angle", [120, 135, 210, 255])
def test_faces_in_any_turn_in_a_large_picture(engine, portrait, angle):
    """A face of a twelfth of the picture is seen turned by quarters from near, so that its mesh fits."""
    picture = Image.new("RGB", (1280, 720), (90, 90, 90))
    picture.paste(portrait("obama").crop((140, 0, 420, 280)).resize((210, 210)).rotate(angle), (500, 200))

    (face,) = engine.analyze(picture)

    assert (face["Pose"]["Roll"] + angle + 180) % 360 - 180 == pytest.approx(0, abs=12)


@pytest.mark.parametrize("angle", [0, 30, -50, 90, 180, 270])
def test_faces_in_any_turn(engine, portrait, angle):
    """A face that lies or stands on its head is found, and its roll (clockwise) tells so."""
    picture = portrait("obama").crop((140, 0, 420, 280)).rotate(angle, fillcolor=(90, 90, 90))
    picture = picture.resize((480, 480))

    (face,) = engine.analyze(picture)

    assert (face["Pose"]["Roll"] + angle + 180) % 360 - 180 == pytest.approx(0, abs=12)


def test_a_face_that_fills_the_picture(engine, portrait):
    """Margins shrink what is too large for the network."""
    (face,) = engine.analyze(portrait().crop((180, 55, 270, 175)).resize((540, 720)))

    assert face["BoundingBox"]["Width"] > 0.8


@pytest.mark.parametrize("cut", [(185, 75, 265, 155), (180, 85, 250, 165), (200, 60, 262, 150)])
def test_a_face_that_the_picture_cuts(engine, portrait, cut):
    """Without chin, forehead or cheek, and of 48 pixels, the mesh still sees it; a bare picture is no face."""
    (face,) = engine.analyze(portrait().crop(cut).resize((48, 48)))

    assert face["BoundingBox"]["Width"] > 0.8
    assert engine.analyze(portrait().crop((0, 0, 60, 60)).resize((48, 48))) == []


@pytest.mark.parametrize("mode", ["fast", "default"])
def test_a_face_that_the_edge_of_a_large_picture_cuts(engine, portrait, mode):
    """Two fifths of it lie beyond."""
    picture = Image.new("RGB", (1280, 720), (90, 90, 90))
    picture.paste(portrait("obama").crop((140, 0, 420, 280)), (-115, 200))

    (face,) = engine.analyze(picture, mode=mode)

    assert face["BoundingBox"]["Left"] < -0.03


def test_candidates_lie_apart_from_found_faces():
    """A second box on a face, be it ever so small, is no candidate; no faces leave all."""
    found = rows(((0, 0, 40, 40), 0.9))
    candidates = rows(((10, 10, 20, 20), 0.4), ((38, 0, 80, 40), 0.45))

    assert detector._apart(candidates, found).tolist() == candidates[1:].tolist()
    assert detector._apart(candidates, rows()).tolist() == candidates.tolist()


def test_the_best_in_a_place():
    """Only what overlaps counts; where nothing is seen the score is 0."""
    row = rows(((0, 0, 10, 10), 0.4))[0]
    seen = rows(((1, 0, 11, 10), 0.7), ((0, 1, 10, 11), 0.6), ((50, 50, 60, 60), 0.9))

    assert detector._best(row, seen).tolist() == seen[0].tolist()
    assert detector._best(row, rows(((50, 50, 60, 60), 0.9))).tolist() == [*row[:16], 0]
    assert detector._best(row, rows()).tolist() == [*row[:16], 0]


def test_second_looks_confirm_a_face_and_no_clutter(engine, portrait):
    """Of two candidates the one with a face in it is confirmed; the other is left to the mesh, or dropped."""
    network, picture = engine._networks().detector, portrait("obama").resize((320, 384))
    (face,) = network._look([detector._view(picture, detector._frame(picture))], 0.5)[:1]
    face[16] = 0.4
    clutter = rows(((5, 330, 45, 370), 0.4))
    candidates = np.concatenate([face[None], clutter])

    (only,) = network._again(picture, candidates, detector.SECOND_LOOKS["default"])
    confirmed, doubted = network._again(picture, candidates, detector.SECOND_LOOKS["thorough"])

    assert only.confirmed
    assert confirmed.confirmed
    assert confirmed.presence == 0
    assert not doubted.confirmed
    assert doubted.presence > 0.9


def test_second_looks_end_when_nothing_is_left_to_win(engine, monkeypatch):
    """Clutter that one look shows as such costs one; where the mesh decides all looks count."""
    network, looks = engine._networks().detector, []
    monkeypatch.setattr(network, "_look", lambda views, _: looks.append(views) or rows())
    picture, clutter = Image.new("RGB", (200, 200)), rows(((50, 50, 90, 90), 0.4))

    assert network._again(picture, clutter, detector.SECOND_LOOKS["default"]) == []
    assert len(looks) == 1
    network._again(picture, clutter, detector.SECOND_LOOKS["thorough"])
    assert len(looks) == 1 + 2 * len(detector.SECOND_LOOKS["thorough"].sides)


def test_the_thorough_mode_finds_smaller_faces(engine, portrait):
    """Its tiles show a face of 24 pixels larger than the others do, and nothing is found twice."""
    picture = Image.new("RGB", (1600, 900), (90, 100, 90))
    small = portrait().crop((130, 0, 330, 250)).resize((52, 65))
    for left, top in ((100, 100), (843, 411), (1400, 800)):
        picture.paste(small, (left, top))

    found = {mode: len(engine.analyze(picture, mode=mode)) for mode in ("fast", "default", "thorough")}

    assert found["fast"] == 0
    assert found["default"] <= found["thorough"] == 3


def test_large_faces_are_sure_and_an_eighth_of_the_picture():
    """Only beside such a face the default mode takes larger tiles."""
    picture = Image.new("RGB", (800, 600))
    large, small = (100, 100, 200, 190), (100, 100, 199, 199)

    assert detector._has_large(rows((large, 0.85)), picture)
    assert not detector._has_large(rows((large, 0.84), (small, 0.99)), picture)
    assert not detector._has_large(rows(), picture)
