import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from rekog_emotion.embedded.quality import quality

FACE = (182.0, 58.0, 271.0, 178.0)


def test_a_darker_face_is_less_bright(portrait):
    """Brightness follows the light."""
    values = [
        quality(ImageEnhance.Brightness(portrait()).enhance(light), FACE)["Brightness"] for light in (1, 0.6, 0.3, 0.1)
    ]

    assert sorted(values, reverse=True) == values
    assert values[0] - values[-1] > 50


@pytest.mark.parametrize(
    ("luma", "service"), [(19, 14), (34, 20), (74, 48), (101, 68), (114, 75), (136, 86), (162, 92)]
)
def test_brightness_is_the_service_s(luma, service):
    """Recorded faces of these mean lumas have nearly these figures, dark ones as well as bright ones."""
    values = quality(Image.new("RGB", (200, 200), (luma, luma, luma)), (20.0, 20.0, 120.0, 140.0))

    assert values["Brightness"] == pytest.approx(service, abs=3)


def test_a_blurred_face_is_less_sharp(portrait):
    """Sharpness follows the focus."""
    values = [
        quality(portrait().filter(ImageFilter.GaussianBlur(radius)), FACE)["Sharpness"] for radius in (0, 1, 2, 4)
    ]

    assert sorted(values, reverse=True) == values
    assert values[0] - values[-1] > 50


def test_a_small_face_is_less_sharp(portrait):
    """A face of few pixels has no detail, however crisp these are."""
    small = portrait().resize((128, 128))

    assert quality(small, tuple(side / 4 for side in FACE))["Sharpness"] < quality(portrait(), FACE)["Sharpness"] - 20


def test_what_is_beside_the_face_does_not_count(portrait):
    """A bright frame along the edges of the box leaves brightness and sharpness as they are."""
    picture, framed = portrait().resize((1024, 1024)), portrait().resize((1024, 1024))
    box = (364.0, 116.0, 542.0, 356.0)
    ImageDraw.Draw(framed).rectangle(box, outline="white", width=3)

    assert quality(framed, box) == pytest.approx(quality(picture, box), abs=0.5)


@pytest.mark.parametrize("colour", ["black", "white"])
def test_an_even_face(colour):
    """Nothing to see is a number, too."""
    values = quality(Image.new("RGB", (200, 200), colour), (20.0, 20.0, 120.0, 140.0))

    assert values["Sharpness"] == pytest.approx(0, abs=0.1)
    assert values["Brightness"] == pytest.approx(9 if colour == "black" else 99, abs=1)


def test_a_masked_face_is_occluded(engine, portrait):
    """A surgical mask is seen; a bare face is not called covered."""
    picture = portrait("obama")
    (bare,) = engine.analyze(picture)
    ImageDraw.Draw(picture).polygon(
        [(222, 150), (280, 135), (336, 150), (330, 195), (280, 222), (228, 195)], "lightblue"
    )

    (masked,) = engine.analyze(picture)

    assert [bare["FaceOccluded"]["Value"], masked["FaceOccluded"]["Value"]] == [False, True]


def test_a_face_cut_by_the_picture_is_occluded(engine, portrait):
    """Landmarks outside the picture are covered ones; they are still given, outside 0..1."""
    (face,) = engine.analyze(portrait("obama").crop((285, 0, 512, 320)).resize((454, 640)))

    assert face["FaceOccluded"]["Value"]
    assert min(mark["X"] for mark in face["Landmarks"]) < 0


@pytest.mark.parametrize("name", ["astronaut", "obama", "biden"])
def test_bare_faces_are_not_occluded(engine, portrait, name):
    """None of the portraits is covered."""
    assert [face["FaceOccluded"]["Value"] for face in engine.analyze(portrait(name))] == [False]
