import importlib
from pathlib import Path

import numpy as np
import pytest

MODELS = Path(__file__).parents[2] / "docs" / "models"


@pytest.fixture
def chance():
    """Return a source of numbers, the same for every test."""
    return np.random.default_rng(0)


@pytest.fixture
def program(monkeypatch):
    """Give a function that imports one of the programs that measure the engine."""
    monkeypatch.syspath_prepend(str(MODELS))
    return importlib.import_module


def face(gender, smile, confidence):
    """Return what the engine says of a face."""
    return {
        "Gender": {"Value": gender, "Confidence": 99.0},
        "Smile": {"Value": smile, "Confidence": confidence},
    }


def test_calibration_errors_are_those_of_the_tally(program, chance):
    """Of rows of answers at once, as of one after the other."""
    groups, reliability = program("groups"), program("reliability")
    sure = chance.uniform(0.1, 1, (3, 50))
    right = (chance.random(sure.shape) < 0.7).astype(float)
    tallies = [
        reliability.Tally([True] * 50, row.astype(bool).tolist(), some.tolist())
        for row, some in zip(right, sure, strict=True)
    ]

    assert groups.calibration_error(right, sure) == pytest.approx([tally.error() for tally in tallies])


def test_few_faces_show_an_error_by_chance(program):
    """The more there are, the less."""
    groups = program("groups")

    few, many = (groups.of_chance(np.full(count, 0.8)) for count in (40, 4000))

    assert few == pytest.approx(0.05, abs=0.01)
    assert many < 0.01


def test_a_gap_between_groups_is_named(program):
    """Women's smiles are told, of men's a half; groups of a few faces are left out."""
    groups = program("groups")
    pairs = [
        ({"Gender": sex, "Smile": True, "race": "White" if number else "Black"}, face(sex, told, 90.0))
        for sex, wrong in (("Female", 0), ("Male", 20))
        for number, told in enumerate([True] * (40 - wrong) + [False] * wrong)
    ]

    found = [group for member, group in groups.groups(pairs) if member == "Smile"]

    assert [(group.name, len(group.right), group.right.mean()) for group in found] == [
        ("all", 80, 0.75),
        ("White", 78, pytest.approx(58 / 78)),
        ("Female", 40, 1.0),
        ("Male", 40, 0.5),
    ]
    (line,) = groups.gaps("london", "Smile", found)
    assert line.startswith("- london, Smile: Female 1.00, Male 0.50: **50 points** (3")
    large, small = (groups.row("Smile", found[3], large=large)[-2] for large in (True, False))
    assert large.startswith("**0.400** (")
    assert small.startswith("0.400 (")


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (0.5, 0.7), (2.0, -1.0)])
def test_a_scale_is_found_on_the_other_sets(program, chance, slope, offset):
    """Slope and offset of the log odds by which answers were drawn."""
    rows = chance.normal(0, 3, 20_000)
    truth = (chance.random(len(rows)) < 1 / (1 + np.exp(-(slope * rows + offset)))).astype(int)

    scale = program("left_out").fit([(rows[:4000], truth[:4000]), (rows[4000:], truth[4000:])])

    assert scale == pytest.approx([slope, offset], abs=0.12)


def test_a_temperature_is_found_on_the_other_sets(program, chance):
    """Emotions that are twice as sure as they are right."""
    rows = chance.normal(0, 1, (6000, 7))
    odds = np.exp(rows)
    shares = odds / odds.sum(1, keepdims=True)
    truth = np.array([chance.choice(7, p=row) for row in shares])

    (scale,) = program("left_out").fit([(2 * rows, truth)])

    assert scale == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("row", "known"),
    [
        ({"label": "happy", "sex": "female", "group": "black", "age": "NA"}, {"Emotion": "HAPPY", "race": "black"}),
        ({"sex": "female", "age": "24"}, {"Age": 24.0}),
        ({"gender": "Female", "age": "20-29", "race": "1"}, {"Age": 24.5, "race": "Black"}),
    ],
)
def test_labels_of_people(program, row, known):
    """Unknown ages are left out; a decade counts as its middle."""
    assert program("reliability").truths(row) == known | {"Gender": "Female"}
