"""Draw faces with all that the embedded engine says of them, and their labels: a sheet to be looked at.

Usage::

    python docs/models/attribute_sheet.py OUT.png FOLDER... [--faces 60] [--weights clean]

The folders are those of ``reliability.py``, and so are the faces that count; as many of each folder are taken, spread
over its labels. What is green is what the labels say, of members that they know; red is what they say otherwise.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

from rekog_emotion.embedded.engine import Engine
from reliability import FLAGS, Face, Truth, truths

COLUMNS, FACE, WIDTH, HEIGHT, LINE = 6, 190, 400, 200, 13
MARGIN = 0.3  # around the box, shares of its longer side
SAID = ("Smile", "MouthOpen", "Eyeglasses", "Beard", "Mustache", *FLAGS)


def some(folder: Path, count: int) -> Iterator[tuple[Path, Truth]]:
    """Yield so many pictures that count, in the order of their labels, and what they say."""
    found = []
    for row in csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines()):
        known = truths(row)
        path = next((p for p in (folder / row["file"], folder / "celebA" / row["file"]) if p.exists()), None)
        key = row.get("person") or (path.name if path else "")
        if known and path and hashlib.sha1(key.encode()).digest()[-1] % 2 == 0:  # noqa: S324 -- no secret
            found.append((path, known))
    found.sort(key=lambda one: (str(sorted(one[1].items(), key=str)), hashlib.sha1(one[0].name.encode()).digest()))  # noqa: S324 -- likewise
    yield from found[:: max(1, len(found) // count)][:count]


def lines(known: Truth, face: Face) -> Iterator[tuple[str, str]]:
    """Yield what is said of a face, a line each, and its colour."""

    def colour(name: str, said: object) -> str:
        return "black" if name not in known else "green" if known[name] == said else "red"

    for place, one in enumerate(face.get("Emotions", ())[:3]):
        shade = colour("Emotion", one["Type"]) if place == 0 else "gray"
        yield f"{one['Type']} {one['Confidence']:.0f}", shade
    gender = face["Gender"]
    yield f"{gender['Value']} {gender['Confidence']:.0f}", colour("Gender", gender["Value"])
    if "AgeRange" in face:
        low, high = face["AgeRange"]["Low"], face["AgeRange"]["High"]
        shade = "black" if "Age" not in known else "green" if low <= known["Age"] <= high else "red"
        yield f"{low} to {high} years" + (f" ({known['Age']:.0f})" if "Age" in known else ""), shade
    for name in SAID:
        if name in face and (face[name]["Value"] or name in known or name == "EyesOpen"):
            said = face[name]["Value"]
            yield f"{name} {'yes' if said else 'no'} {face[name]['Confidence']:.0f}", colour(name, said)
    yield "eyes {Yaw:.0f} {Pitch:.0f}".format(**face["EyeDirection"]), "gray"
    yield "y{Yaw:.0f} p{Pitch:.0f} r{Roll:.0f}".format(**face["Pose"]), "gray"


def cell(picture: Image.Image, number: int, known: Truth, face: dict[str, Any] | None) -> Image.Image:
    """Return a face beside what is said of it."""
    out = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw, font = ImageDraw.Draw(out), ImageFont.load_default(11)
    if face is None:
        picture.thumbnail((FACE, FACE))
        out.paste(picture, (0, 0))
        draw.text((FACE + 5, 2), f"{number}: no face", fill="red", font=font)
        return out
    box = face["BoundingBox"]
    width, height = box["Width"] * picture.width, box["Height"] * picture.height
    x, y = box["Left"] * picture.width + width / 2, box["Top"] * picture.height + height / 2
    half = max(width, height) * (0.5 + MARGIN)
    around = round(x - half), round(y - half), round(x + half), round(y + half)
    out.paste(picture.crop(around).resize((FACE, FACE)), (0, 0))
    label = known.get("Emotion", "")
    draw.text((FACE + 5, 2), f"{number}  {width:.0f} px  {label}", fill="blue", font=font)
    for place, (text, colour) in enumerate(lines(known, face), 1):
        draw.text((FACE + 5, 2 + LINE * place), text, fill=colour, font=font)
    return out


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description="Draw faces with all their members.")
    parser.add_argument("out", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--faces", type=int, default=60)
    parser.add_argument("--weights", choices=("all", "clean"), default="all")
    options = parser.parse_args()
    engine, cells = Engine(weights=options.weights), []
    for folder in options.folders:
        for path, known in some(folder, math.ceil(options.faces / len(options.folders))):
            picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
            cells.append(cell(picture, len(cells) + 1, known, next(iter(engine.analyze(picture)), None)))
            print(len(cells), path.name)
    cells = cells[: options.faces]
    sheet = Image.new("RGB", (WIDTH * COLUMNS, HEIGHT * math.ceil(len(cells) / COLUMNS)), "white")
    for k, one in enumerate(cells):
        sheet.paste(one, (WIDTH * (k % COLUMNS), HEIGHT * (k // COLUMNS)))
    sheet.save(options.out)


if __name__ == "__main__":
    main()
