"""Fit what joins three networks to one gender and two to one age, and how wide an age's range is.

Usage::

    python docs/models/rebuild/fit_age_gender.py FOLDER...

The folders are those of ``reliability.py``, and so are the faces that count. Prints the figures of
``rekog_emotion/embedded/age_gender.py``, and how good they are on faces that they were fitted on, on other fifths of
these, and on a set that the fit did not see. Needs numpy and the project.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import define
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from fit_attributes import PARTS, fit

from rekog_emotion.embedded import age_gender, engine
from rekog_emotion.embedded.nets import sigmoid
from reliability import Truth, answers

AGED = "utkface"  # the set whose people have ages of all decades
TIMES = 3.0  # a face of it counts so often: of the others there are more
SMOOTH, SMALL = 20.0, 5.0  # penalties on how the lean bends, and on how large it is
HELD = 0.8  # of true ages in the range

Array = NDArray[Any]


@define
class Faces:
    """n faces: set, log odds of ``Male`` (n, 3) and years (n, 2) by networks, and truths, not a number if unknown."""

    sets: Array
    odds: Array
    years: Array
    male: Array
    age: Array


def measured(folders: Sequence[Path]) -> Faces:
    """Return what the networks say of the largest face of each picture that counts."""
    heard: list[tuple[Array, Array]] = []
    usual_male, usual_age = age_gender.male, age_gender.aged

    def males(own: Array, second: Array, third: Array) -> Array:
        edge = sigmoid(-age_gender.BOUND)
        odds = (np.log(p / (1 - p)) for p in np.clip((second, third), edge, 1 - edge))
        heard[-1] = (heard[-1][0], np.stack([own.clip(-age_gender.BOUND, age_gender.BOUND), *odds], 1))
        return usual_male(own, second, third)

    def ages(own: Array, second: Array) -> Array:
        heard.append((np.stack([own, second], 1), np.empty(0)))
        return usual_age(own, second)

    age_gender.male, age_gender.aged = males, ages
    rows: list[tuple[str, Array, Array, Truth]] = []
    one = engine.Engine()
    for folder in folders:
        for known, face in answers(folder, one):
            if face:
                years, odds = (column[0] for column in heard[-1])  # the largest face is told first
                rows.append((folder.name, odds, years, known))
            heard.clear()
    sets, odds, years, known = zip(*rows, strict=True)
    male = [float(one["Gender"] == "Male") if "Gender" in one else np.nan for one in known]
    return Faces(*(np.array(c) for c in (sets, odds, years, male, [one.get("Age", np.nan) for one in known])))


def lean(years: Array, truth: Array) -> Array:
    """Return the years to add at each of ``LEAN_AGES``."""
    knots = np.array(age_gender.LEAN_AGES, float)
    share = np.stack([np.interp(years, knots, row) for row in np.eye(len(knots))], 1)
    bends = np.diff(np.eye(len(knots)), 2, axis=0)
    curve = share.T @ share + SMOOTH * bends.T @ bends + SMALL * np.eye(len(knots))
    return np.asarray(np.linalg.solve(curve, share.T @ (truth - years)))


def on_others(count: int, told: Callable[[Array, Array], Array], parts: Array) -> Array:
    """Return for n faces what is told by a fit on all parts (n,) but theirs."""
    out = np.zeros(count)
    for part in np.unique(parts):
        out[parts == part] = told(parts != part, parts == part)
    return out


def main() -> None:
    """Fit and report."""
    parser = argparse.ArgumentParser(description="Fit the joints of age and gender.")
    parser.add_argument("folders", type=Path, nargs="+")
    faces = measured(parser.parse_args().folders)
    fifths = np.random.default_rng(0).permutation(len(faces.sets)) % PARTS

    sexed = ~np.isnan(faces.male)
    rows, truth, names = np.c_[faces.odds, np.ones(len(faces.odds))][sexed], faces.male[sexed], faces.sets[sexed]
    often = np.where(names == AGED, int(TIMES), 1)

    def likely(inside: Array, outside: Array) -> Array:
        weights = fit(np.repeat(rows[inside], often[inside], 0), np.repeat(truth[inside], often[inside]))
        return np.asarray(sigmoid(rows[outside] @ weights))

    every = np.ones(len(truth), bool)
    weights = fit(np.repeat(rows, often, 0), np.repeat(truth, often))
    print("WEIGHTS, OFFSET =", tuple(weights[:3].round(2).tolist()), round(float(weights[3]), 2))
    for title, told in (
        ("fitted on", likely(every, every)),
        ("other fifths", on_others(len(truth), likely, fifths[sexed])),
        ("other sets", on_others(len(truth), likely, names)),
    ):
        right = (told >= 0.5) == (truth > 0.5)  # noqa: PLR2004 -- even odds
        print(f"  gender, {title}:", {str(name): round(float(right[names == name].mean()), 3) for name in set(names)})

    aged = (faces.sets == AGED) & ~np.isnan(faces.age)
    share = age_gender.OWN_SHARE
    years, ages = faces.years @ [share, 1 - share], faces.age

    def corrected(inside: Array, outside: Array) -> Array:
        leans = lean(years[aged][inside], ages[aged][inside])
        return np.asarray(years[aged][outside] + np.interp(years[aged][outside], age_gender.LEAN_AGES, leans))

    leans = lean(years[aged], ages[aged])
    print("LEANS =", tuple(leans.round(1).tolist()))
    every = np.ones(aged.sum(), bool)
    others = on_others(int(aged.sum()), corrected, fifths[aged])
    for title, told in (("as told", years[aged]), ("fitted on", corrected(every, every)), ("other fifths", others)):
        print(f"  age, {title}: {np.abs(told - ages[aged]).mean():.2f} years")
    for low, high in zip(age_gender.AGES, (*age_gender.AGES[1:], np.inf), strict=True):
        near = (others >= (low + max(0, low - 8)) / 2) & (others < high)
        if near.sum() > PARTS:
            off = np.quantile(ages[aged][near] - others[near], [(1 - HELD) / 2, (1 + HELD) / 2])
            print(f"  from {low} years on, {near.sum()} faces: {off[0]:+.1f} to {off[1]:+.1f}")


if __name__ == "__main__":
    main()
