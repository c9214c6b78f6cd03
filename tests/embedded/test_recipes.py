import csv
import importlib
import io
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from PIL import Image

from rekog_emotion.embedded.engine import Engine

RECIPES = Path(__file__).parents[2] / "docs" / "models" / "rebuild"
DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def program(monkeypatch):
    """Give a function that imports one of the programs that cut pictures to train on."""
    monkeypatch.syspath_prepend(str(RECIPES))
    return importlib.import_module


def crop(seed):
    """Return 88 x 88 pixels of soft blotches."""
    noise = np.random.default_rng(seed).integers(0, 256, (11, 11), np.uint8)
    return np.asarray(Image.fromarray(noise).resize((88, 88), Image.Resampling.BICUBIC))


def test_copies_of_measured_faces_are_not_learnt_from(program):
    """A face is the same lit otherwise, mirrored, with another surrounding; another face is another."""
    measured = crop(0)
    framed = measured.copy()
    framed[:10] = framed[-10:] = 0
    crops = [measured, measured // 2 + 40, measured[:, ::-1], framed, crop(1)]

    assert program("emotion_pictures").fresh(np.stack(crops), measured[None]).tolist() == [
        False,
        False,
        False,
        False,
        True,
    ]


def test_pictures_are_paired_with_their_plain_copies(program):
    """A contrast-stretched picture finds its plain copy among others; one without a copy finds none."""
    plain = np.stack([crop(seed)[:48, :48] for seed in range(6)]).astype(np.float32)
    stretched = np.stack([plain[4] * 1.5 - 60, crop(9)[:48, :48].astype(np.float32), plain[1]])

    assert program("emotion_pictures")._paired(stretched, plain) == [4, None, 1]


def encoded(pixels, kind="PNG"):
    """Return an encoded picture."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def test_pictures_that_are_measured_are_not_learnt_from(program, tmp_path):
    """Neither one of the same name, nor a copy in another format and size; pictures of the training part are."""
    recipe = program("attribute_pictures")
    for seed in (0, 1):
        (tmp_path / f"{seed}.png").write_bytes(encoded(crop(seed)))
    with (tmp_path / "labels.csv").open("w") as stream:
        csv.writer(stream).writerows([["file", "split"], ["0.png", "test"], ["1.png", "train"]])
    measured = recipe.Measured()
    measured.add(tmp_path)

    def example(name, pixels, kind="PNG"):
        return recipe.Example("celeba", name, encoded(pixels, kind), {})

    assert example("0.png", crop(5)) in measured
    assert example("a.jpg", np.asarray(Image.fromarray(crop(0)).resize((60, 60))), "JPEG") in measured
    assert example("1.png", crop(1)) not in measured


@pytest.mark.parametrize(
    ("labels", "seen", "expected"),
    [
        ({"Eyeglasses": 0.0}, (0.5, 0.5), {"Eyeglasses": 0.0, "Sunglasses": 0.0, "FaceOccluded": 0.0}),
        ({"Eyeglasses": 1.0}, (0.5, 0.5), {"Eyeglasses": 1.0, "FaceOccluded": 0.0}),
        ({"Eyeglasses": 1.0}, (0.9, 0.5), {"Eyeglasses": 1.0, "Sunglasses": 1.0, "FaceOccluded": 1.0}),
        ({"Eyeglasses": 1.0}, (0.01, 0.9), {"Eyeglasses": 1.0, "Sunglasses": 0.0}),
    ],
)
def test_what_a_source_does_not_say_is_guessed_where_it_is_sure(program, labels, seen, expected):
    """Glasses that may be dark, and faces that may be covered, stay unknown."""
    recipe = program("attribute_pictures")
    example = recipe.Example("celeba", "a.jpg", b"", labels)

    assert recipe.guessed(example, dict(zip(("Sunglasses", "FaceOccluded"), seen, strict=True))) == expected


def test_clear_glasses_are_no_sunglasses(program):
    """A picture of the set of sunglasses without any is left out."""
    recipe = program("attribute_pictures")
    example = recipe.Example("sunglasses", "a.jpg", b"", {"Sunglasses": 1.0})

    assert recipe.guessed(example, {"Sunglasses": 0.01}) is None
    assert recipe.guessed(example, {"Sunglasses": 0.5}) == {"Sunglasses": 1.0}


def test_attributes_are_learnt_from_crops_of_the_face(program):
    """The crop has the eyes and the mouth where the network expects them."""
    recipe = program("attribute_pictures")
    example = recipe.Example("celeba", "a.jpg", (DATA / "astronaut.jpg").read_bytes(), {"Eyeglasses": 0.0})

    picture, labels = recipe.Cutter()(example)

    assert picture.size == (112, 112)
    assert labels == {"Eyeglasses": 0.0, "Sunglasses": 0.0, "FaceOccluded": 0.0}
    assert recipe.Cutter()(evolve(example, data=encoded(np.zeros((90, 90, 3), np.uint8)))) is None


@pytest.mark.parametrize("width", [512, 48])
def test_appearance_is_learnt_from_crops_of_the_face(program, width):
    """Large and tiny pictures of a face are cut so that the eyes lie on one height, and none is made up."""
    recipe = program("emotion_pictures")
    nets = Engine()._networks()
    photo = Image.open(DATA / "astronaut.jpg").convert("RGB").crop((150, 30, 310, 190)).resize((width, width))

    crop = recipe.crop(photo, recipe.points(photo, nets), 112)

    assert crop.shape == (112, 112, 3)
    around = Image.new("RGB", (224, 224))  # to be found in again
    around.paste(Image.fromarray(crop), (56, 56))
    points = recipe.points(around, nets)
    left, right = points[[33, 263], :2] - 56
    wanted = (np.array(recipe.CHIP)[[2, 0]] + recipe.STORED_PAD) / (1 + 2 * recipe.STORED_PAD) * 112
    assert np.stack([left, right]) == pytest.approx(wanted, abs=3)
