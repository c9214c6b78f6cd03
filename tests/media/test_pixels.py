"""Colours of frames are those of the formulas of ITU-T H.273, in both directions."""

from fractions import Fraction

import av
import numpy as np
import pytest

from rekog_emotion.media import clips, pixels
from rekog_emotion.media.pixels import Colors

WEIGHTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087)}
WEIGHTS |= {9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
COLORS = [(128, 128, 128), (200, 60, 50), (40, 180, 70), (70, 60, 200), (250, 240, 20), (5, 5, 5), (250, 250, 250)]


def numbers_of(color, matrix, *, full, deep):
    """Return luma and chroma of a colour."""
    red, green, blue = (value / 255 for value in color)
    kr, kb = WEIGHTS[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    top = 1023 if deep else 255
    if full:
        return [round(top * luma), *(round(top * one + (top + 1) / 2) for one in chroma)]
    unit = 4 if deep else 1
    return [round(unit * (219 * luma + 16)), *(round(unit * (224 * one + 128)) for one in chroma)]


def frame_of(color, layout, matrix, *, full):
    """Return a frame of one colour, and its colour."""
    deep = "10" in layout
    frame = av.VideoFrame(16, 16, layout)
    values = numbers_of(color, matrix, full=full, deep=deep)
    for plane, value in zip(frame.planes, values, strict=True):
        kind = np.uint16 if deep else np.uint8
        plane.update(np.full(plane.buffer_size // np.dtype(kind).itemsize, value, kind).tobytes())
    frame.colorspace = matrix
    if not layout.startswith("yuvj"):
        frame.color_range = 2 if full else 1
    return frame


@pytest.mark.parametrize("matrix", sorted(WEIGHTS))
@pytest.mark.parametrize(
    ("layout", "full"),
    [
        ("yuv420p", False),
        ("yuv420p", True),
        ("yuvj420p", True),
        ("yuv422p", False),
        ("yuvj422p", True),
        ("yuv444p", False),
        ("yuv420p10le", False),
        ("yuv420p10le", True),
        ("yuv422p10le", False),
    ],
)
def test_both_ways(matrix, layout, full):
    """A colour comes out of a frame as it went in, and its planes are those of the formula."""
    deep = "10" in layout
    for color in COLORS:
        frame = frame_of(color, layout, matrix, full=full)
        colors = pixels.colors_of(frame)
        assert colors == (matrix, full, deep)
        assert np.abs(pixels.rgb(frame).astype(int) - color).max() <= 2
        expected = numbers_of(color, matrix, full=full, deep=deep)
        for plane, value in zip(pixels.planes_of(frame, colors, (16, 16)), expected, strict=True):
            assert np.abs(plane.astype(int) - value).max() <= 1
        drawn = pixels._from_rgb(np.full((5, 7, 3), color, np.uint8), colors)
        assert [plane.shape for plane in drawn] == [(5, 7), (3, 4), (3, 4)]
        assert [[*map(int, np.unique(plane))] for plane in drawn] == [[value] for value in expected]


@pytest.mark.parametrize("said", [2, 0, 3, 8, 14])
@pytest.mark.parametrize(("size", "matrix"), [((720, 576), 6), ((1280, 32), 1), ((640, 578), 1)])
def test_matrix_that_is_not_said(said, size, matrix):
    """What says none, or one that is not read, is taken for BT.709 where it is HD, and BT.601 otherwise."""
    frame = av.VideoFrame(*size, "yuv420p")
    frame.colorspace = said

    assert pixels.colors_of(frame) == (matrix, False, False)
    assert pixels.rgb(frame).shape == (size[1], size[0], 3)


@pytest.mark.parametrize(("layout", "deep"), [("rgb24", False), ("gbrp", False), ("gray", False), ("gbrp10le", True)])
def test_without_a_matrix(layout, deep):
    """RGB and grey become BT.709."""
    picture = np.full((16, 16, 3), 180, np.uint8)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=layout, threads=1)
    colors = pixels.colors_of(frame)

    assert colors == (1, False, deep)
    assert np.abs(pixels.rgb(frame).astype(int) - 180).max() <= 1
    luma, blue, red = pixels.planes_of(frame, colors, (16, 16))
    assert (np.ptp(luma), np.ptp(blue), np.ptp(red)) == (0, 0, 0)


@pytest.mark.parametrize("colors", [Colors(6, full=False, deep=False), Colors(9, full=True, deep=True)])
def test_only_what_was_drawn_on_changes(colors):
    """Around a mark luma stays as it was, and so does chroma of all fours of pixels that the mark does not touch."""
    before = np.random.default_rng(1).integers(0, 256, (17, 23, 3), np.uint8)
    planes = pixels._from_rgb(before, colors)
    after = before.copy()
    after[5:9, 7:12] = 255, 200, 0

    assert pixels.blend(planes, before, before.copy(), colors) is planes
    mixed = pixels.blend(planes, before, after, colors)
    differ = [np.argwhere(one != other) for one, other in zip(planes, mixed, strict=True)]
    assert [differ[0].min(axis=0).tolist(), differ[0].max(axis=0).tolist()] == [[5, 7], [8, 11]]
    for chroma in differ[1:]:
        assert [chroma.min(axis=0).tolist(), chroma.max(axis=0).tolist()] == [[2, 3], [4, 5]]
    frame = pixels.frame_of(mixed, colors, (24, 18))
    frame.colorspace = colors.matrix
    shown = pixels.rgb(frame)
    assert np.abs(shown[5:9, 7:12].astype(int) - (255, 200, 0)).max() <= 3
    assert (shown[17] == shown[16]).all()


@pytest.mark.parametrize(
    ("aspect", "size"), [(Fraction(64, 45), (23, 16)), (Fraction(1, 2), (16, 32)), (Fraction(1), (16, 16))]
)
def test_square_pixels(aspect, size):
    """A frame is shown with more pixels rather than fewer."""
    orientation = clips.Orientation(turned=True, rows_reversed=False, columns_reversed=False, aspect=aspect)

    assert clips.upright(av.VideoFrame(16, 16, "yuv420p"), orientation).shape == (*size, 3)
