import pytest
from PIL import Image

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

    together = networks.age_gender(faces)

    assert [one.male > 0.9 for one in together] == [True, False, True]
    assert [one.age for one in together] == [None, None, None]
    for face, one in zip(faces, together, strict=True):
        assert networks.age_gender([face])[0].male == pytest.approx(one.male, abs=1e-5)
