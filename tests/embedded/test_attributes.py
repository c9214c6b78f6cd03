import numpy as np
import pytest
from PIL import ImageDraw

from rekog_emotion.embedded.attributes import shape
from rekog_emotion.embedded.mesh import FaceMesh


def mesh(lips):
    """Return a face whose lips are so far apart, in widths of the mouth."""
    points = np.zeros((478, 3))
    points[308, 0], points[14, 1] = 10, 10 * lips
    return FaceMesh(points, None, 1.0, placed=False, score=1.0)


@pytest.mark.parametrize(
    ("lips", "blink", "jaw_open", "smile", "expected"),
    [
        (0.0, 0.0, 0.0, 0.0, (True, False, False)),
        (0.5, 0.0, 0.4, 0.0, (True, True, False)),
        (0.0, 0.9, 0.0, 0.0, (False, False, False)),
        (0.1, 0.1, 0.0, 0.9, (True, False, True)),
        (0.9, 0.1, 1.0, 0.6, (True, True, False)),
    ],
)
def test_shape(lips, blink, jaw_open, smile, expected):
    """Eyes, mouth and smile come off the mesh; the corners of a wide-open mouth are no smile."""
    form = shape(mesh(lips), {"blink": blink, "jaw_open": jaw_open, "smile": smile})

    assert expected == (form.eyes_open > 0.5, form.mouth_open > 0.5, form.smile > 0.5)


def test_drawn_sunglasses_are_glasses_that_cover(engine, portrait):
    """Dark glasses are sunglasses, eyeglasses and a cover at once."""
    picture = portrait("obama")
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((226, 107, 275, 139), 14, "black")
    draw.rounded_rectangle((285, 107, 334, 139), 14, "black")
    draw.line((275, 117, 285, 117), "black", 5)

    (face,) = engine.analyze(picture)

    assert [face[name]["Value"] for name in ("Sunglasses", "Eyeglasses", "FaceOccluded")] == [True, True, True]
