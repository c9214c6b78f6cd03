"""Measure emotions, attributes, gender and age of labelled faces, and whether their confidences can be believed.

Usage::

    python docs/models/reliability.py FOLDER... [--picture OUT.png] [--bounds] [--weights clean]

Each folder has a ``labels.csv`` with a column ``file`` and some of: ``label`` (angry, disgust ...), ``age`` (years; a
range such as ``20-29`` counts as its middle), ``gender`` or ``sex`` (``Male``, ``female``), ``race`` (UTKFace's digit)
or ``group``, ``Sunglasses``, ``FaceOccluded`` and ``EyesOpen`` (1 and 0), CelebA's attributes (1 and -1; of these faces
those whose ``split`` is ``test``). The largest face of a picture counts. A file whose name, or ``person`` where it is
known, has a sha1 that ends in an odd byte does not.

The expected calibration error is that of Guo et al. 2017 (arXiv:1706.04599) over ten bins of confidence.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import define, field
from measure import LABELS
from PIL import Image, ImageOps

from rekog_emotion.embedded.engine import Engine

FLAGS = ("Sunglasses", "FaceOccluded", "EyesOpen")
BINS = 10
DECADES = ((0, 10), (10, 20), (20, 40), (40, 60), (60, 120))
RACES = ("White", "Black", "Asian", "Indian", "other")  # UTKFace's own words, in the order of its digits
GROUPS = {"Age", "race", "young"}  # labels of people that are no yes-or-no members
ROUNDS = 1000  # of the bootstrap

Truth = Mapping[str, Any]
Face = Mapping[str, Any]


@define
class Tally:
    """What was said of one member of many faces: the truth, the answer and its confidence, 0..1."""

    truth: list[Any] = field(factory=list)
    said: list[Any] = field(factory=list)
    confidence: list[float] = field(factory=list)

    def add(self, truth: object, said: object, confidence: float) -> None:
        """Take down one face."""
        self.truth.append(truth)
        self.said.append(said)
        self.confidence.append(confidence / 100)

    @property
    def right(self) -> np.ndarray[Any, Any]:
        """Whether each answer was right."""
        return np.array([a == b for a, b in zip(self.truth, self.said, strict=True)], float)

    def bins(self) -> Iterator[tuple[float, float, int]]:
        """Yield mean confidence, share of right answers, and faces of each bin that has any."""
        confidence = np.array(self.confidence)
        which = np.minimum((confidence * BINS).astype(int), BINS - 1)
        for number in range(BINS):
            chosen = which == number
            if chosen.any():
                yield float(confidence[chosen].mean()), float(self.right[chosen].mean()), int(chosen.sum())

    def error(self) -> float:
        """Return the expected calibration error, 0..1."""
        return sum(faces * abs(sure - right) for sure, right, faces in self.bins()) / len(self.truth)

    def f1(self) -> float:
        """Return the harmonic mean of precision and recall of a flag."""
        return _f1(np.array(self.truth, bool), np.array(self.said, bool))


def _f1(truth: np.ndarray[Any, Any], said: np.ndarray[Any, Any]) -> float:
    return float(2 * (truth & said).sum() / max(1, truth.sum() + said.sum()))


def truths(row: Mapping[str, str]) -> Truth:
    """Return what a row of ``labels.csv`` says, by the service's names; nothing where it does not count."""
    if "Smiling" not in row:
        known: dict[str, Any] = {"Emotion": LABELS[row["label"]]} if row.get("label") in LABELS else {}
        if years := re.findall(r"\d+", row.get("age", "")):
            known["Age"] = sum(map(float, years)) / len(years)
        if sex := row.get("gender") or row.get("sex"):
            known["Gender"] = sex.capitalize()
        known |= {name: row[name] == "1" for name in FLAGS if row.get(name) in ("0", "1")}
        if row.get("race", "") in tuple("01234"):
            known["race"] = RACES[int(row["race"])]
        elif row.get("group"):
            known["race"] = row["group"]
        return known
    if row.get("split") != "test":
        return {}
    yes = {name: value == "1" for name, value in row.items()}
    known = {
        "Smile": yes["Smiling"],
        "MouthOpen": yes["Mouth_Slightly_Open"],
        "Eyeglasses": yes["Eyeglasses"],
        "Beard": not yes["No_Beard"],
        "Gender": "Male" if yes["Male"] else "Female",
        "young": "young" if yes["Young"] else "not young",
    }
    if not known["Eyeglasses"]:
        known["Sunglasses"] = False
    # With a goatee CelebA's raters often left the moustache out.
    return known if yes["Goatee"] and not yes["Mustache"] else known | {"Mustache": yes["Mustache"]}


def answers(folder: Path, engine: Engine) -> Iterator[tuple[Truth, Face | None]]:
    """Yield the truth and the largest face, if any, of every picture that counts."""
    for row in csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines()):
        known = truths(row)
        path = next((p for p in (folder / row["file"], folder / "celebA" / row["file"]) if p.exists()), None)
        key = row.get("person") or (path.name if path else "")
        if known and path and hashlib.sha1(key.encode()).digest()[-1] % 2 == 0:  # noqa: S324 -- no secret
            faces = engine.analyze(ImageOps.exif_transpose(Image.open(path)))
            yield known, faces[0] if faces else None


def tallies(pairs: Iterable[tuple[Truth, Face]]) -> dict[str, Tally]:
    """Return a tally for each member that the truths know, but for age."""
    found: dict[str, Tally] = {}
    for known, face in pairs:
        for name in known.keys() - GROUPS:
            if (name if name != "Emotion" else "Emotions") not in face:
                continue  # clean networks cannot tell it
            if name == "Emotion":
                first = face["Emotions"][0]
                found.setdefault(name, Tally()).add(known[name], first["Type"], first["Confidence"])
            else:
                found.setdefault(name, Tally()).add(known[name], face[name]["Value"], face[name]["Confidence"])
    return dict(sorted(found.items()))


def bounds(figure: Callable[[np.ndarray[Any, Any]], float], size: int) -> tuple[float, float]:
    """Return the bounds that hold 95 of 100 bootstrap figures.

    Args:
        figure: Of the faces with these numbers.
        size: How many faces there are.
    """
    random = np.random.default_rng(0)
    drawn = [figure(random.integers(0, size, size)) for _ in range(ROUNDS)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def report(folder: Path, pairs: Sequence[tuple[Truth, Face | None]], *, with_bounds: bool) -> None:
    """Print one line a figure."""
    found = [(known, face) for known, face in pairs if face]
    print(f"{folder.name}: {len(pairs)} faces, {len(pairs) - len(found)} missed")
    for name, tally in tallies(found).items():
        flag = isinstance(tally.truth[0], bool)
        truth, said, right = np.array(tally.truth), np.array(tally.said), tally.right

        def figure(
            faces: np.ndarray[Any, Any],
            flag: bool = flag,  # noqa: FBT001 -- binds the loop's variables
            truth: np.ndarray[Any, Any] = truth,
            said: np.ndarray[Any, Any] = said,
            right: np.ndarray[Any, Any] = right,
        ) -> float:
            return _f1(truth[faces], said[faces]) if flag else float(right[faces].mean())

        value = figure(np.arange(len(truth)))
        between = "{:.3f} to {:.3f}".format(*bounds(figure, len(truth))) if with_bounds else ""
        kind, part = ("F1", f"{truth.sum()} true, ") if flag else ("right", "")
        size = f"{part}{len(truth)} faces"
        print(f"  {name:11} {kind:5} {value:.3f} {between}  calibration error {tally.error():.3f}  {size}")
    _report_age([(known, face) for known, face in found if "Age" in known and "AgeRange" in face])


def _report_age(found: Sequence[tuple[Truth, Face]]) -> None:
    groups = {f"{low} to {high - 1}": [one for one in found if low <= one[0]["Age"] < high] for low, high in DECADES}
    groups |= {sex: [one for one in found if one[0]["Gender"] == sex] for sex in ("Female", "Male")}
    groups |= {race: [one for one in found if one[0].get("race") == race] for race in RACES}
    for name, members in {"Age": list(found), **groups}.items():
        if members:
            ages, low, high = (
                np.array(row)
                for row in zip(
                    *((k["Age"], f["AgeRange"]["Low"], f["AgeRange"]["High"]) for k, f in members), strict=True
                )
            )
            error, held = np.abs((low + high) / 2 - ages).mean(), ((low <= ages) & (ages <= high)).mean()
            right = np.mean([known["Gender"] == face["Gender"]["Value"] for known, face in members])
            print(
                f"  {name:11} age error {error:.1f} years, in range {held:.3f}, width {(high - low).mean():.1f}"
                f"  gender right {right:.3f}  {len(members)} faces"
            )


def draw(found: Mapping[str, Tally], out: Path) -> None:
    """Draw a reliability diagram a member: the share of right answers over confidence, and the number of faces."""
    from matplotlib.figure import Figure  # noqa: PLC0415 -- only for pictures

    columns = 5
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(2.1 * columns, 2.2 * rows), dpi=80, layout="constrained")
    for number, (name, tally) in enumerate(found.items(), 1):
        axes = figure.add_subplot(rows, columns, number)
        sure, right, faces = (np.array(row) for row in zip(*tally.bins(), strict=True))
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        axes.plot(sure, right, color="tab:blue", linewidth=1)
        axes.scatter(sure, right, s=6 + 120 * faces / faces.sum(), color="tab:blue")
        axes.set(xlim=(0 if name == "Emotion" else 0.48, 1.02), ylim=(0 if name == "Emotion" else 0.4, 1.03))
        axes.set_title(f"{name}  {100 * tally.error():.1f} %", fontsize=9)
        axes.tick_params(labelsize=7)
    figure.supxlabel("confidence", fontsize=8)
    figure.supylabel("share of right answers", fontsize=8)
    figure.savefig(out)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure members of labelled faces and their calibration.")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--picture", type=Path, help="draw reliability diagrams of all folders together")
    parser.add_argument("--bounds", action="store_true", help="add 95 %% bounds (bootstrap)")
    parser.add_argument("--weights", choices=("all", "clean"), default="all")
    options = parser.parse_args()
    engine, everything = Engine(weights=options.weights), []
    for folder in options.folders:
        pairs = list(answers(folder, engine))
        report(folder, pairs, with_bounds=options.bounds)
        everything += [(known, face) for known, face in pairs if face]
    together = tallies(everything)
    for name, tally in together.items():
        print(f"{name:13} calibration error {tally.error():.3f}  {len(tally.truth)} faces")
    if options.picture:
        draw(together, options.picture)


if __name__ == "__main__":
    main()
