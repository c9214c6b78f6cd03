"""Write accuracy.md beside this file: what measure.py measures, as tables.

Usage::

    python docs/models/accuracy.py FOLDER...  # <name>.json, a DetectFaces answer, beside <name>.jpg

A section is a function that returns Markdown; add it to ``SECTIONS``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import measure
import numpy as np
import onnxruntime
import PIL

from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.embedded.engine import Mode

OUT = Path(__file__).parent / "accuracy.md"
MODES: tuple[Mode, ...] = ("fast", "default", "thorough")
# Row, its figures in measure.agreement, and their form.
ROWS = (
    ("faces found, of", ("found", "faces"), "{:.0f} of {:.0f}"),
    ("found where the service saw none", ("false",), "{:.0f}"),
    ("box: mean intersection over union", ("iou",), "{:.2f}"),
    ("landmarks: median error, distances between the eyes", ("landmarks",), "{:.3f}"),
    ("roll, yaw, pitch: median error, degrees", ("roll", "yaw", "pitch"), "{:.1f}, {:.1f}, {:.1f}"),
    ("brightness, sharpness: mean error of 100", ("brightness", "sharpness"), "{:.1f}, {:.1f}"),
)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def agreement(folders: Sequence[Path]) -> str:
    """Say how near boxes, landmarks, angles and quality come to recorded answers of the service."""
    parts = []
    for number, folder in enumerate(folders, 1):
        figures = []
        for mode in MODES:
            with EmbeddedClient(mode=mode) as client:
                figures.append(measure.agreement([folder], client))
        rows = [
            [name, *(form.format(*(one.get(key, float("nan")) for key in keys)) for one in figures)]
            for name, keys, form in ROWS
        ]
        parts.append(f"Folder {number} ({figures[0]['faces']:.0f} faces):\n\n" + table(["", *MODES], rows))
    return "## Faces, landmarks, pose, quality: agreement with recorded answers\n\n" + "\n".join(parts)


def sizes(_: Sequence[Path]) -> str:
    """Say how small a face may be."""
    rows = []
    for mode in MODES:
        with EmbeddedClient(mode=mode) as client:
            rows.append([mode, *(str(found) for found in measure.sizes(client).values())])
    title = "## Sizes: found of three portraits in 1920 x 1080, by the width of the face in pixels\n\n"
    return title + table(["", *map(str, measure.SIZES)], rows)


SECTIONS: tuple[Callable[[Sequence[Path]], str], ...] = (agreement, sizes)


def main() -> None:
    """Write the page."""
    folders = [Path(name) for name in sys.argv[1:]]
    versions = f"onnxruntime {onnxruntime.__version__}, numpy {np.__version__}, Pillow {PIL.__version__}"
    page = (
        "# Accuracy of the embedded engine\n\n"
        "Written by `python docs/models/accuracy.py FOLDER...`. The folders hold recorded answers of the service\n"
        "beside their pictures, which show people who did not consent to being shipped. Some maps of the engine were\n"
        f"fitted on these folders: expect less elsewhere. Measured with {versions}.\n\n"
    )
    OUT.write_text(page + "\n".join(section(folders) for section in SECTIONS), "utf-8")


if __name__ == "__main__":
    main()
