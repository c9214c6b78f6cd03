"""Turn, scale, shift and darken portraits, and plot what the engine finds: writes images/*.png beside this file.

Usage::

    pip install matplotlib
    python docs/models/robustness.py [rotation] [scale] [shift] [dark]

The portraits of tests/data are pasted into a blurred picture. Errors are against the engine's own answer for the
portrait as it is: they tell how steady it is, not how right.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any, TypedDict, Unpack

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageFilter

from rekog_emotion.embedded.engine import Engine, Mode

mpl.use("Agg")
from matplotlib import pyplot as plt

DATA, OUT = Path(__file__).parents[2] / "tests" / "data", Path(__file__).parent / "images"
FACES = ("astronaut", "biden", "obama")
CANVAS = (1920, 1080)
ANGLES = range(0, 360, 15)
WIDTHS = (16, 20, 24, 28, 32, 48, 64, 96, 160, 256, 384, 512, 768, 1024)
SHIFTS = tuple(share / 10 for share in range(6))
LIGHTS = (1.0, 0.5, 0.25, 0.12, 0.06, 0.03)
MODES: tuple[Mode, ...] = ("fast", "default", "thorough")


class Where(TypedDict, total=False):
    """Where and how a portrait is pasted."""

    width: float
    at: tuple[float, float]
    angle: float
    light: float


Box = tuple[float, float, float, float]


@cache
def base() -> Image.Image:
    """Return the picture that portraits are pasted into."""
    picture = Image.open(DATA / "obama.jpg").convert("RGB").resize(CANVAS)
    return picture.filter(ImageFilter.GaussianBlur(60))


def box(face: dict[str, Any], size: tuple[int, int]) -> Box:
    """Return a face's box, pixels: left, top, right, bottom."""
    b = face["BoundingBox"]
    left, top = b["Left"] * size[0], b["Top"] * size[1]
    return left, top, left + b["Width"] * size[0], top + b["Height"] * size[1]


def points(face: dict[str, Any], size: tuple[int, int]) -> np.ndarray[Any, Any]:
    """Return a face's landmarks, pixels."""
    return np.array([(one["X"] * size[0], one["Y"] * size[1]) for one in face["Landmarks"]])


class Portrait:
    """A portrait, and where the engine sees the face in it."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.picture = Image.open(DATA / f"{name}.jpg").convert("RGB")
        (self.face, *_) = engine.analyze(self.picture)
        self.box = box(self.face, self.picture.size)
        self.points = points(self.face, self.picture.size)
        self.middle = np.array([self.box[0] + self.box[2], self.box[1] + self.box[3]]) / 2
        self.width = self.box[2] - self.box[0]

    def placed(
        self, canvas: Image.Image, *, width: float, at: tuple[float, float], angle: float = 0.0, light: float = 1.0
    ) -> np.ndarray[Any, Any]:
        """Paste the portrait with its face of a width at a point, turned clockwise; return where its landmarks are."""
        scale, radians = width / self.width, np.radians(angle)
        turn = scale * np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
        back = np.linalg.inv(turn)
        offset = self.middle - back @ at
        small, factor = self.picture, 1.0
        if scale < 1:  # an affine map sees four pixels only
            size = max(1, round(small.width * scale)), max(1, round(small.height * scale))
            small, factor = small.resize(size, Image.Resampling.LANCZOS), size[0] / small.width
        data = [*(back[0] * factor), offset[0] * factor, *(back[1] * factor), offset[1] * factor]
        turned = small.transform(canvas.size, Image.Transform.AFFINE, data, Image.Resampling.BICUBIC)
        mask = Image.new("L", small.size, 255).transform(canvas.size, Image.Transform.AFFINE, data)
        canvas.paste(turned, (0, 0), mask)
        canvas.paste(canvas.point([round(value * light) for value in range(256)] * 3))
        return (self.points - self.middle) @ turn.T + at


def look(engine: Engine, portrait: Portrait, mode: Mode, **where: Unpack[Where]) -> tuple[bool, float, float]:
    """Return whether a face is found, and the errors of landmarks (distances between the eyes) and roll (degrees)."""
    canvas = base().copy()
    truth = portrait.placed(canvas, **where)
    apart = float(np.linalg.norm(truth[0] - truth[1]))
    for face in engine.analyze(canvas, mode=mode):
        error = float(np.linalg.norm(points(face, canvas.size) - truth, axis=1).mean()) / apart
        if error < 1:
            roll = face["Pose"]["Roll"] - portrait.face["Pose"]["Roll"] - where.get("angle", 0.0)
            return True, error, abs((roll + 180) % 360 - 180)
    return False, float("nan"), float("nan")


def measure(engine: Engine, what: str, mode: Mode) -> list[tuple[float, float, float, float]]:
    """Return rows of setting, share found, median landmark error and median roll error."""
    portraits = [Portrait(name, engine) for name in FACES]
    middle = (CANVAS[0] / 2, CANVAS[1] / 2)
    settings: dict[float, Where] = {
        "rotation": {angle: {"width": 160, "at": middle, "angle": float(angle)} for angle in ANGLES},
        "scale": {width: {"width": width, "at": middle} for width in WIDTHS},
        "dark": {light: {"width": 64, "at": middle, "light": light} for light in LIGHTS},
        "shift": {shift: {"width": 300, "at": (150 - 300 * shift, CANVAS[1] / 2)} for shift in SHIFTS},
    }[what]
    rows = []
    for setting, where in settings.items():
        seen = [look(engine, portrait, mode, **where) for portrait in portraits]
        found = [row for row in seen if row[0]]
        errors = np.median([row[1:] for row in found], axis=0) if found else (float("nan"), float("nan"))
        rows.append((setting, len(found) / len(seen), float(errors[0]), float(errors[1])))
    return rows


def main() -> None:
    """Write the plots and print the figures."""
    engine = Engine()
    OUT.mkdir(exist_ok=True)
    titles = {
        "rotation": "turned in the plane, degrees (face of 160 px in 1920 x 1080)",
        "scale": "width of the face, pixels (in 1920 x 1080)",
        "dark": "light, of that of the portrait (face of 64 px in 1920 x 1080)",
        "shift": "share of the face's width beyond the left edge (face of 300 px)",
    }
    for what in sys.argv[1:] or titles:
        title = titles[what]
        figure, (upper, lower) = plt.subplots(2, 1, figsize=(7, 4.6), sharex=True)
        for mode in MODES:
            rows = measure(engine, what, mode)
            x, found, error, _ = zip(*rows, strict=True)
            style = {"marker": ".", "label": mode, "alpha": 0.8}
            upper.plot(x, found, **style)
            lower.plot(x, error, **style)
            print(what, mode)
            for row in rows:
                print("  {:7.1f}  found {:.2f}  landmarks {:.3f}  roll {:5.1f}".format(*row))
        if what == "scale":
            upper.set_xscale("log", base=2)
            lower.set_xticks(WIDTHS, [str(width) for width in WIDTHS], rotation=45)
            lower.minorticks_off()
        if what == "dark":
            upper.set_xscale("log", base=2)
            lower.set_xticks(LIGHTS, [str(light) for light in LIGHTS])
            lower.minorticks_off()
        upper.set_ylabel("share found")
        upper.set_ylim(-0.05, 1.05)
        lower.set_ylabel("landmark error,\neye distances")
        lower.set_ylim(bottom=0)
        lower.set_xlabel(title)
        upper.legend(frameon=False)
        for axis in (upper, lower):
            axis.grid(alpha=0.3)
        figure.tight_layout()
        figure.savefig(OUT / f"{what}.png", dpi=80)
        plt.close(figure)


if __name__ == "__main__":
    main()
