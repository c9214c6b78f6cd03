import pytest
from PIL import Image

from rekog_emotion.embedded.age_gender import ageless
from rekog_emotion.embedded.engine import Engine, _find


@pytest.fixture(scope="module")
def networks():
    """Return clean networks."""
    return Engine(weights="clean")._networks()


def test_gender_alone(networks, portrait):
    """Of each face in its place, whatever the others are; an age it does not know."""
    picture = Image.new("RGB", (900, 420), (120, 120, 110))
    for name, left in (("obama", 0), ("astronaut", 300), ("biden", 600)):
        picture.paste(portrait(name).resize((300, 360)), (left, 20))
    faces = sorted(_find(networks, picture, "default"), key=lambda face: face.extent[0])

    together = networks.gender(faces)

    assert list(together > 0.9) == [True, False, True]
    for face, one in zip(faces, together.tolist(), strict=True):
        assert networks.gender([face]) == pytest.approx([one], abs=1e-5)
    assert [(one.age, one.male) for one in ageless(networks.gender, faces)] == [
        (None, one) for one in together.tolist()
    ]
