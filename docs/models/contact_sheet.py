"""Draw what the embedded engine sees in pictures: a sheet of faces with boxes, landmarks and axes, to be looked at.

Usage::

    python docs/models/contact_sheet.py OUT.png PICTURE_OR_FOLDER...
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageOps

from rekog_emotion.embedded.engine import Engine

CELL, COLUMNS, FACES = 220, 10, 60
AXES = (("red", (1, 0, 0)), ("lime", (0, -1, 0)), ("deepskyblue", (0, 0, 1)))  # right, up, ahead


def cells(picture: Image.Image, engine: Engine) -> Iterator[Image.Image]:
    """Yield a cell for each face of a picture."""
    for face in engine.analyze(picture):
        box = face["BoundingBox"]
        width, height = box["Width"] * picture.width, box["Height"] * picture.height
        x, y = box["Left"] * picture.width + width / 2, box["Top"] * picture.height + height / 2
        half = max(width, height) * 0.85
        cell = picture.crop((round(x - half), round(y - half), round(x + half), round(y + half))).resize((CELL, CELL))
        draw, zoom = ImageDraw.Draw(cell), CELL / (2 * half)
        left, top = CELL / 2 - width * zoom / 2, CELL / 2 - height * zoom / 2
        draw.rectangle((left, top, CELL - left, CELL - top), outline="yellow")
        for one in face["Landmarks"]:
            u, v = ((one["X"] * picture.width - x + half) * zoom, (one["Y"] * picture.height - y + half) * zoom)
            draw.ellipse((u - 2, v - 2, u + 2, v + 2), fill="cyan")
        for colour, axis in AXES:
            across, down = turned(axis, face["Pose"])
            draw.line((CELL / 2, CELL / 2, CELL / 2 + 60 * across, CELL / 2 + 60 * down), fill=colour, width=2)
        pose = face["Pose"]
        draw.text(
            (3, 3),
            "r{Roll:.0f} y{Yaw:.0f} p{Pitch:.0f}".format(**pose),
            fill="white",
            stroke_width=1,
            stroke_fill="black",
        )
        draw.text(
            (3, CELL - 13),
            f"{width:.0f} px {face['Confidence']:.0f}",
            fill="white",
            stroke_width=1,
            stroke_fill="black",
        )
        yield cell


def turned(axis: tuple[float, float, float], pose: dict[str, Any]) -> tuple[float, float]:
    """Return where an axis of the head points in the picture: it nods, then turns, then is tilted."""
    roll, yaw, pitch = (math.radians(pose[name]) for name in ("Roll", "Yaw", "Pitch"))
    x, y, z = axis
    y, z = y * math.cos(pitch) - z * math.sin(pitch), y * math.sin(pitch) + z * math.cos(pitch)
    x = x * math.cos(yaw) + z * math.sin(yaw)
    return x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)


def main() -> None:
    """Write the sheet."""
    out, *paths = map(Path, sys.argv[1:])
    pictures = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    engine, faces = Engine(), []
    for path in pictures:
        if path.suffix.lower() in {".jpg", ".jpeg", ".png"}:
            faces += list(cells(ImageOps.exif_transpose(Image.open(path)).convert("RGB"), engine))
    faces = faces[:FACES]
    sheet = Image.new("RGB", (CELL * COLUMNS, CELL * max(1, math.ceil(len(faces) / COLUMNS))))
    for k, cell in enumerate(faces):
        sheet.paste(cell, (CELL * (k % COLUMNS), CELL * (k // COLUMNS)))
    sheet.save(out)
    print(f"{len(faces)} faces in {out}")


if __name__ == "__main__":
    main()
