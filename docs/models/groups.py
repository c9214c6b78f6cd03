"""Measure how often each member is right, and whether its confidence can be believed, for groups of people.

Usage::

    python docs/models/groups.py FOLDER... [--weights clean] > table.md

The folders are those of ``reliability.py``, and so are the faces that count. Prints a Markdown table: of each set and
member all faces, those of each sex, age and skin as far as the set has labels, and those of one label by sex. Where a
set has no labels of sex, its faces are sorted by what ``Gender`` says. Groups of fewer than 20 faces are left out.

The expected calibration error is that of Guo et al. 2017 (arXiv:1706.04599) over ten bins of confidence. Few faces show
one even where every confidence is the share of right answers: beside it stands how much, the mean of 200 drawings.
Bounds hold 95 of 100 bootstrap samples. Named are errors over 5 points in sets of more than 300 faces and their sexes,
and gaps between two groups of a kind over 10 points, with the bounds of the gap.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from rekog_emotion.embedded.engine import Engine
from reliability import BINS, DECADES, ROUNDS, Face, Tally, Truth, answers, tallies

LEAST = 20  # faces of a group
MANY = 300  # faces from which a set has to hold the bar
BAR, GAP = 0.05, 0.1
DRAWN = 200
SMILING = "HAPPY"

Array = NDArray[Any]
Pairs = Sequence[tuple[Truth, Face]]


@frozen
class Group:
    """Faces of one kind of people.

    Attributes:
        kind: What the groups of a set are told apart by: ``sex``, ``age`` ...; empty for all faces.
        name: Of the group.
        right: Whether each answer was right, 0 and 1.
        sure: Its confidence, 0..1.
    """

    kind: str
    name: str
    right: Array
    sure: Array


def kinds(known: Truth, face: Face, *, sexes: bool) -> Iterator[tuple[str, str]]:
    """Yield the groups that a face belongs to.

    Args:
        known: What its labels say.
        face: What the engine says.
        sexes: The set has labels of sex.
    """
    sex = known["Gender"] if sexes else face["Gender"]["Value"]
    yield "sex", sex if sexes else f"{sex} by `Gender`"
    if "Age" in known:
        yield "age", next(f"{low} to {high - 1} years" for low, high in DECADES if low <= known["Age"] < high)
    for kind in ("young", "race"):
        if kind in known:
            yield kind, known[kind]
    if sexes and known.get("Emotion") == SMILING:
        yield "smile", f"{SMILING}, {sex}"


def groups(pairs: Pairs) -> Iterator[tuple[str, Group]]:
    """Yield each member with its groups, all faces first."""
    sexes = any("Gender" in known for known, _ in pairs)
    sorted_: dict[tuple[str, str], list[tuple[Truth, Face]]] = {("", "all"): list(pairs)}
    for known, face in pairs:
        for group in kinds(known, face, sexes=sexes):
            sorted_.setdefault(group, []).append((known, face))
    order = sorted(sorted_, key=lambda group: (group[0] != "", group[0], group[1]))
    told = {group: tallies(sorted_[group]) for group in order}
    for member in told["", "all"]:
        for kind, name in order:
            tally = told[kind, name].get(member, Tally())
            of_smiles = kind == "smile" and member != "Emotion"
            of_itself = kind == "sex" and member == "Gender" and not sexes
            if len(tally.truth) >= LEAST and not of_smiles and not of_itself:
                yield member, Group(kind, name, tally.right, np.array(tally.confidence))


def calibration_error(right: Array, sure: Array) -> Array:
    """Return the expected calibration error, 0..1, of each row of answers of shape (..., n)."""
    which = np.minimum((sure * BINS).astype(int), BINS - 1)
    off = np.stack([((right - sure) * (which == number)).sum(-1) for number in range(BINS)])
    return np.asarray(np.abs(off).sum(0) / right.shape[-1])


def of_chance(sure: Array) -> float:
    """Return the mean calibration error of so many faces where every confidence is the share of right answers."""
    drawn = np.random.default_rng(0).random((DRAWN, len(sure))) < sure
    return float(calibration_error(drawn.astype(float), np.broadcast_to(sure, drawn.shape)).mean())


def bounds(figure: Callable[..., Array], *sizes: int) -> tuple[float, float]:
    """Return the bounds that hold 95 of 100 bootstrap figures.

    Args:
        figure: Of drawn numbers of faces, shape (rounds, n) for each group.
        sizes: Faces of each group.
    """
    random = np.random.default_rng(0)
    low, high = np.percentile(figure(*(random.integers(0, size, (ROUNDS, size)) for size in sizes)), [2.5, 97.5])
    return float(low), float(high)


def row(member: str, group: Group, *, large: bool) -> list[str]:
    """Return a line of a set's table; an error over the bar is bold where the bar holds.

    Args:
        member: Of a face.
        group: Whose faces.
        large: The set has so many faces that the bar holds for it.
    """
    right, sure = group.right, group.sure
    error = float(calibration_error(right, sure))
    between = bounds(lambda drawn: right[drawn].mean(-1), len(right))
    around = bounds(lambda drawn: calibration_error(right[drawn], sure[drawn]), len(right))
    mark = "**" if error > BAR and large and group.kind in {"", "sex"} else ""
    return [
        member,
        group.name,
        str(len(right)),
        f"{right.mean():.3f} {_range(*between)}",
        f"{sure.mean():.3f}",
        f"{mark}{error:.3f}{mark} {_range(*around)}",
        f"{of_chance(sure):.3f}",
    ]


def _range(low: float, high: float) -> str:
    """Return bounds that no line is broken within."""
    return f"({low:.3f} to {high:.3f})".replace(" ", "\N{NO-BREAK SPACE}")


def gaps(folder: str, member: str, found: Iterable[Group]) -> Iterator[str]:
    """Yield a line for the widest gap between two groups of a kind, where it is over 10 points."""
    by_kind: dict[str, list[Group]] = {}
    for group in found:
        by_kind.setdefault(group.kind, []).append(group)
    for some in by_kind.values():
        by_share = sorted(some, key=lambda group: float(group.right.mean()))
        low, high = by_share[0], by_share[-1]
        gap = high.right.mean() - low.right.mean()
        if gap > GAP:
            a, b = _bounds_of_gap(high.right, low.right)
            yield (
                f"- {folder}, {member}: {high.name} {high.right.mean():.2f}, {low.name} {low.right.mean():.2f}: "
                f"**{100 * gap:.0f} points** ({100 * a:.0f} to {100 * b:.0f})"
            )


def _bounds_of_gap(one: Array, other: Array) -> tuple[float, float]:
    return bounds(lambda a, b: one[a].mean(-1) - other[b].mean(-1), len(one), len(other))


def main() -> None:
    """Print a table a set, and the gaps."""
    parser = argparse.ArgumentParser(description="Measure members and their calibration by groups.")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--weights", choices=("all", "clean"), default="all")
    options = parser.parse_args()
    engine, wide = Engine(weights=options.weights), []
    header = ("member", "group", "faces", "right", "mean confidence", "calibration error", "of chance")
    for folder in options.folders:
        print(f"### {folder.name}\n")
        print("|", " | ".join(header), "|")
        print("|", " | ".join(["---"] * len(header)), "|")
        pairs = [(known, face) for known, face in answers(folder, engine) if face]
        found: Mapping[str, list[Group]] = {}
        for member, group in groups(pairs):
            found = {**found, member: [*found.get(member, []), group]}
            large = len(found[member][0].right) > MANY
            print("|", " | ".join(row(member, group, large=large)), "|", flush=True)
        print()
        for member, some in found.items():
            wide += gaps(folder.name, member, some)
    print("Gaps of more than 10 points:\n")
    print("\n".join(wide) or "- none")


if __name__ == "__main__":
    main()
