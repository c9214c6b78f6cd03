import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

RECIPE = Path(__file__).parents[2] / "docs" / "models" / "rebuild" / "emotion_pictures.py"


@pytest.fixture(scope="module")
def recipe():
    """Give the program that cuts the faces to train on."""
    spec = importlib.util.spec_from_file_location("emotion_pictures", RECIPE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def crop(seed):
    """Return 88 x 88 pixels of soft blotches."""
    noise = np.random.default_rng(seed).integers(0, 256, (11, 11), np.uint8)
    return np.asarray(Image.fromarray(noise).resize((88, 88), Image.Resampling.BICUBIC))


def test_copies_of_measured_faces_are_not_learnt_from(recipe):
    """A face is the same lit otherwise, mirrored, with another surrounding; another face is another."""
    measured = crop(0)
    framed = measured.copy()
    framed[:10] = framed[-10:] = 0
    crops = [measured, measured // 2 + 40, measured[:, ::-1], framed, crop(1)]

    assert recipe.fresh(np.stack(crops), measured[None]).tolist() == [False, False, False, False, True]


def test_pictures_are_paired_with_their_plain_copies(recipe):
    """A contrast-stretched picture finds its plain copy among others; one without a copy finds none."""
    plain = np.stack([crop(seed)[:48, :48] for seed in range(6)]).astype(np.float32)
    stretched = np.stack([plain[4] * 1.5 - 60, crop(9)[:48, :48].astype(np.float32), plain[1]])

    assert recipe._paired(stretched, plain) == [4, None, 1]
