import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rekog_emotion.embedded.geometry import Patch, invert, overlap, shrunk, similarity, window

numbers = st.floats(-500, 500, allow_nan=False)
POINTS = np.array([[0.0, 0.0], [10.0, 0.0], [3.0, 7.0], [-4.0, 2.0]])


@given(angle=st.floats(-3.1, 3.1), scale=st.floats(0.1, 10), x=numbers, y=numbers)
def test_similarity_recovers_the_map_of_its_points(angle, scale, x, y):
    """Points that a rotation, a scale and a shift made give these back."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    made = np.array([[cos, -sin, x], [sin, cos, y]])

    found = similarity(POINTS, POINTS @ made[:, :2].T + made[:, 2])

    assert made == pytest.approx(found, abs=1e-6)


def test_similarity_takes_points_however_they_lie_in_memory():
    """A transposed array has its columns beside each other, and means the same."""
    turned = np.asfortranarray(POINTS)

    assert np.array_equal(similarity(turned, POINTS[:, ::-1]), similarity(POINTS, POINTS[:, ::-1].copy()))


@given(angle=st.floats(-3.1, 3.1), scale=st.floats(0.1, 10), x=numbers, y=numbers)
def test_invert_undoes_a_map(angle, scale, x, y):
    """There and back is where it began."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    there = np.array([[cos, -sin, x], [sin, cos, y]])
    back = invert(there)

    moved = POINTS @ there[:, :2].T + there[:, 2]

    assert pytest.approx(moved @ back[:, :2].T + back[:, 2], abs=1e-6) == POINTS


@pytest.mark.parametrize(
    ("other", "of_union", "of_smaller"),
    [
        ((0, 0, 10, 10), 1, 1),
        ((5, 0, 15, 10), 1 / 3, 1 / 2),
        ((2, 2, 4, 4), 0.04, 1),
        ((20, 20, 30, 30), 0, 0),
        ((10, 0, 20, 10), 0, 0),
        ((3, 3, 3, 3), 0, 0),
    ],
)
def test_overlap(other, of_union, of_smaller):
    """Boxes that only touch, or have no area, share nothing."""
    box, others = np.array([0.0, 0, 10, 10]), np.array([other], float)

    assert of_union == pytest.approx(overlap(box, others)[0])
    assert of_smaller == pytest.approx(overlap(box, others, of_smaller=True)[0])


def gradient(side):
    """Return a picture whose red grows to the right and whose green grows downwards."""
    ramp = np.linspace(0, 255, side)
    picture = np.zeros((side, side, 3), np.uint8)
    picture[:, :, 0], picture[:, :, 1] = ramp, ramp[:, None]
    return Image.fromarray(picture)


@pytest.mark.parametrize("side", [100, 400, 2000])
def test_a_warped_crop_shows_what_lies_there(side):
    """At any size, and however much the patch was shrunk, colours come from where the matrix points."""
    patch = Patch(gradient(side), side / 2, side / 2, 0.4 * side)
    to_image = np.array([[side / 200, 0, side / 4], [0, side / 200, side / 4]])

    crop = patch.warp(to_image, 100).astype(float)

    expected = 255 * (0.25 + (np.arange(100) + 0.5) / 200)
    assert expected == pytest.approx(crop[50, :, 0], abs=4)
    assert expected == pytest.approx(crop[:, 50, 1], abs=4)


def noise(side):
    """Return a picture of unrelated pixels."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8))


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_a_pixel_of_a_crop_is_the_mean_over_its_area(scale):
    """A crop that keeps the size has the picture's own pixels, a smaller one the mean of those that it covers."""
    picture, to_image = noise(120), np.array([[scale, 0, 24.0], [0, scale, 12.0]])

    crops = Patch(picture, 60, 60, 60).warp(to_image, 24), window(picture, to_image, 24)

    wanted = np.asarray(picture, float)[12 : 12 + 24 * scale, 24 : 24 + 24 * scale]
    wanted = wanted.reshape(24, scale, 24, scale, 3).mean((1, 3))
    for crop in crops:
        assert wanted == pytest.approx(crop.astype(float), abs=0.6)


def test_a_pixel_of_a_smaller_copy_is_the_mean_over_its_area():
    """Four pixels become one."""
    picture = noise(40)

    small = np.asarray(shrunk(picture, (20, 20)), float)

    assert np.asarray(picture, float).reshape(20, 2, 20, 2, 3).mean((1, 3)) == pytest.approx(small, abs=0.6)


@pytest.mark.parametrize("side", [390, 320, 250, 170, 90])
def test_a_smaller_copy_shows_what_lies_there(side):
    """At any scale, colours stay at their share of the width and the height."""
    small = np.asarray(shrunk(gradient(400), (side, side)), float)

    expected = 255 * (np.arange(side) + 0.5) / side
    assert expected == pytest.approx(small[side // 2, :, 0], abs=1.5)
    assert expected == pytest.approx(small[:, side // 2, 1], abs=1.5)


def test_a_turned_crop_shows_the_picture_turned():
    """A quarter turn moves pixels, and mixes none."""
    picture = noise(40)

    crop = window(picture, np.array([[0.0, -1, 40], [1, 0, 0]]), 40)

    assert np.array_equal(np.rot90(np.asarray(picture)), crop)


def test_an_enlarged_crop_has_values_between_pixels():
    """What is enlarged changes smoothly from one pixel to the next."""
    picture = Image.fromarray(np.repeat(np.array([[[0] * 3, [200] * 3]], np.uint8), 2, axis=0))

    crop = window(picture, np.array([[0.1, 0, 0.5], [0, 0.1, 0.5]]), 10)

    assert crop[5, :, 0].tolist() == pytest.approx(list(range(10, 200, 20)), abs=1)


def test_what_a_window_shows_outside_the_picture_is_grey():
    """Beyond the picture there is neither black nor more of its edge."""
    crop = window(Image.new("RGB", (20, 20), (90, 120, 150)), np.array([[1.0, 0, -10], [0, 1, -10]]), 40)

    assert (crop[10:30, 10:30] == (90, 120, 150)).all()
    assert {127} == set(np.concatenate([crop[:10].ravel(), crop[30:].ravel(), crop[:, :10].ravel()]).tolist())


@pytest.mark.parametrize(("x", "y"), [(0, 0), (100, 100), (0, 100), (-60, 50), (50, 190)])
def test_outside_the_picture_its_edge_repeats(x, y):
    """A patch that reaches beyond the picture, or lies beyond it, has no black corner."""
    patch = Patch(Image.new("RGB", (100, 100), (90, 120, 150)), x, y, 40)

    crop = patch.warp(np.array([[1.0, 0, x - 30], [0, 1.0, y - 30]]), 60)

    assert {(90, 120, 150)} == {tuple(pixel) for pixel in crop.reshape(-1, 3).tolist()}
