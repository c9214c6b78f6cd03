import numpy as np
import pytest
from PIL import Image

from rekog_emotion.embedded import blaze


def rows(*boxes_and_scores):
    """Return detections with their points at the origin."""
    return np.array([[*box, *[0] * 12, score] for box, score in boxes_and_scores], float).reshape(-1, 17)


def test_merging_averages_one_face_and_keeps_others():
    """Overlapping boxes become one, weighted by score, with the best score; others stay; a box inside one goes."""
    merged = blaze.merged(
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
    assert blaze.merged(rows()).shape == (0, 17)
    assert len(blaze.merged(rows(((5, 5, 5, 5), 0.6), ((5, 5, 5, 5), 0.5)))) == 2


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (5000, 20)])
@pytest.mark.parametrize("edges", [True, False])
def test_a_margin_is_grey_or_the_picture_s_edge(size, edges):
    """The picture lies in the middle of the canvas; what is told in canvas pixels comes back as the picture's."""
    view = blaze.framed(Image.new("RGB", size, "white"), 0.5, edges=edges)

    assert view.canvas.shape == (192, 192, 3)
    assert view.canvas[96, 96].tolist() == [1, 1, 1]
    assert view.canvas[0, 0].tolist() == ([1, 1, 1] if edges else [0, 0, 0])
    assert np.array([96, 96]) * view.scale + view.shift == pytest.approx(np.array(size) / 2, abs=max(size) / 190)


def test_a_face_is_seen_in_a_margin(engine, portrait):
    """Its box and its points lie where they are on the picture."""
    picture = portrait("obama")

    (face,) = blaze.merged(engine._networks().detector._blaze(blaze.framed(picture, 0.5, edges=False), 0.5))

    assert face[16] > 0.8
    assert face[4:8] == pytest.approx([249, 122, 309, 121], abs=12)
