"""Measure IDF1 of the tracks on rendered clips with known people: ``python tests/benchmarks/tracking.py [--keep DIR]``.

The people are the public-domain portraits of tests/data, cut out and moved over a plain ground; from the fourth on they
are mirror images, whose looks tell nothing. The embedded engine analyses each clip. IDF1 is that of Ristani et al.,
"Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking" (2016): twice the faces whose person is
right under the best one-to-one match of people and tracks, over all true and all found faces. A true face counts while
at least half of it is in the frame and uncovered. Who was away for more than two seconds is somebody new in the truth,
too: tracking links, it does not recognise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import av
import numpy as np
from PIL import Image, ImageDraw, ImageOps
from scipy.optimize import linear_sum_assignment

import rekog_emotion as rekog

DATA = Path(__file__).parents[1] / "data"
RATE: Final = 10
SIZE: Final = (960, 540)
# Left, top, right and bottom of head and shoulders in each portrait, and of the face in it, in pixels.
PORTRAITS: Final = {
    "astronaut": ((130, 5, 330, 205), (182, 58, 270, 178)),
    "obama": ((110, 20, 390, 300), (190, 85, 310, 245)),
    "biden": ((160, 50, 440, 330), (226, 100, 373, 293)),
}


class Place(NamedTuple):
    """Where a person is: centre in pixels, and height of the portrait's square."""

    x: float
    y: float
    side: float


Way = Callable[[float], Place | None]


class Scenario(NamedTuple):
    """A clip: how long it is in seconds, and the way of each person; the later one is in front."""

    name: str
    seconds: float
    ways: Sequence[tuple[str, Way]]


def line(start: tuple[float, float], end: tuple[float, float], seconds: float, side: float = 200) -> Way:
    """Go straight from one point to another."""
    return lambda t: Place(
        start[0] + (end[0] - start[0]) * t / seconds, start[1] + (end[1] - start[1]) * t / seconds, side
    )


def swaying(x: float, y: float, side: float = 200, speed: float = 1.0) -> Way:
    """Stay in one place, but not still."""
    return lambda t: Place(x + side * 0.12 * np.sin(speed * t), y + side * 0.05 * np.sin(1.7 * speed * t), side)


def within(way: Way, *spans: tuple[float, float]) -> Way:
    """Be there only at some times."""
    return lambda t: way(t) if any(begin <= t < end for begin, end in spans) else None


def scenarios() -> list[Scenario]:
    """Return the clips."""
    a, o, b, a2, o2, b2 = "astronaut", "obama", "biden", "astronaut mirrored", "obama mirrored", "biden mirrored"
    return [
        Scenario("3 people, two cross", 10, [
            (a, line((120, 200), (840, 200), 10)), (o, line((840, 330), (120, 330), 10)), (b, swaying(480, 120, 150)),
        ]),
        Scenario("4 people, two pairs cross", 12, [
            (a, line((100, 150), (860, 150), 12, 170)), (o, line((860, 190), (100, 190), 12, 170)),
            (b, line((100, 400), (860, 400), 9, 170)), (o2, line((860, 420), (100, 420), 9, 170)),
        ]),
        Scenario("3 people leave the frame and return within 2 s", 12, [
            (a, within(swaying(180, 270), (0, 3), (4.5, 12))), (o, within(swaying(480, 270), (0, 6), (7.8, 12))),
            (b, within(swaying(780, 270), (0, 4), (5, 8), (9.5, 12))),
        ]),
        Scenario("a walk out of the frame and back", 12, [
            (a, lambda t: Place(480 + 560 * np.sin(2 * np.pi * t / 8), 270, 200)), (o, swaying(180, 170, 160)),
            (b, swaying(780, 400, 160)),
        ]),
        Scenario("cuts, one person each, the same place", 12, [
            (a, within(swaying(480, 270, 300), (0, 3), (9, 12))), (o, within(swaying(480, 270, 300), (3, 6))),
            (b, within(swaying(480, 270, 300), (6, 9))),
        ]),
        Scenario("cuts from two people to two others", 12, [
            (a, within(swaying(250, 270, 220), (0, 4), (8, 12))), (o, within(swaying(700, 270, 220), (0, 4), (8, 12))),
            (b, within(swaying(300, 270, 220), (4, 8))), (b2, within(swaying(650, 300, 220), (4, 8))),
        ]),
        Scenario("shot and reverse shot, 1.5 s each", 12, [
            (a, within(swaying(400, 270, 300), *((k, k + 1.5) for k in np.arange(0, 12, 3)))),
            (o, within(swaying(560, 270, 300), *((k + 1.5, k + 3) for k in np.arange(0, 12, 3)))),
            (b, swaying(850, 120, 130)),
        ]),
        Scenario("6 people, everybody moves", 15, [
            (a, swaying(150, 140, 190, 1.5)), (o, swaying(480, 140, 190, 1.2)), (b, swaying(800, 140, 190, 0.8)),
            (a2, swaying(150, 400, 190, 0.9)), (o2, swaying(480, 400, 190, 1.4)), (b2, swaying(800, 400, 190, 1.1)),
        ]),
        Scenario("6 people, two cross, one returns", 15, [
            (a, line((80, 130), (880, 130), 15, 160)), (o, line((880, 150), (80, 150), 15, 160)),
            (b, within(swaying(160, 420, 170), (0, 5), (6.5, 15))), (a2, swaying(400, 420, 170)),
            (o2, swaying(620, 420, 170)), (b2, within(swaying(830, 420, 170), (0, 8), (9.8, 15))),
        ]),
    ]  # fmt: skip


class Stage:
    """Cut-out portraits."""

    def __init__(self) -> None:
        self._cast: dict[str, tuple[Image.Image, tuple[float, float, float, float]]] = {}
        for name, (crop, face) in PORTRAITS.items():
            portrait = Image.open(DATA / f"{name}.jpg").convert("RGB").crop(crop)
            left, top, right, bottom = crop
            sides = (
                (face[0] - left) / (right - left),
                (face[1] - top) / (bottom - top),
                (face[2] - left) / (right - left),
                (face[3] - top) / (bottom - top),
            )
            self._cast[name] = portrait, sides
            self._cast[f"{name} mirrored"] = ImageOps.mirror(portrait), (1 - sides[2], sides[1], 1 - sides[0], sides[3])

    def show(self, scenario: Scenario, seconds: float) -> tuple[Image.Image, dict[str, tuple[float, ...]]]:
        """Return a picture, and the boxes in pixels of the people who are to be seen."""
        canvas = Image.new("RGB", SIZE, (96, 110, 120))
        owner = Image.new("L", SIZE)
        boxes: dict[str, tuple[float, ...]] = {}
        for number, (name, way) in enumerate(scenario.ways, start=1):
            if (place := way(seconds)) is None:
                continue
            portrait, sides = self._cast[name]
            side = round(place.side)
            left, top = round(place.x - side / 2), round(place.y - side / 2)
            mask = Image.new("L", (side * 2, side * 2))
            ImageDraw.Draw(mask).ellipse((0, 0, side * 2 - 1, side * 2 - 1), fill=255)
            mask = mask.resize((side, side), Image.Resampling.BOX)
            canvas.paste(portrait.resize((side, side), Image.Resampling.LANCZOS), (left, top), mask)
            owner.paste(number, (left, top), mask.point(lambda value: 255 * (value > 127)))
            boxes[name] = tuple(
                corner + side * share for corner, share in zip((left, top, left, top), sides, strict=True)
            )
        seen = np.asarray(owner)
        visible = {}
        for number, (name, _) in enumerate(scenario.ways, start=1):
            if name in boxes:
                left, top, right, bottom = (round(side) for side in boxes[name])
                mine = (seen[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] == number).sum()
                if mine >= 0.5 * (right - left) * (bottom - top):
                    visible[name] = boxes[name]
        return canvas, visible


def render(scenario: Scenario, path: Path) -> dict[int, dict[str, tuple[float, ...]]]:
    """Write a clip; return who is where by frame number."""
    stage, truth = Stage(), {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "18", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(round(scenario.seconds * RATE)):
            picture, truth[number] = stage.show(scenario, number / RATE)
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())
    return truth


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)) - width * height
    return width * height / area


class Score(NamedTuple):
    """What was found of a clip."""

    true: int
    found: int
    right: int
    people: int
    tracks: int

    @property
    def idf1(self) -> float:
        """Twice the right ones over all."""
        return 2 * self.right / (self.true + self.found)


def renamed(truth: dict[int, dict[str, tuple[float, ...]]]) -> dict[int, dict[str, tuple[float, ...]]]:
    """Return the truth in which everybody who was away for more than two seconds has a new name."""
    seen: dict[str, int] = {}
    times: Counter[str] = Counter()
    for number, people in sorted(truth.items()):
        for name in people:
            times[name] += name in seen and number - seen[name] > 2 * RATE + 1
            seen[name] = number
        truth[number] = {f"{name} {times[name]}": box for name, box in people.items()}
    return truth


def score(truth: dict[int, dict[str, tuple[float, ...]]], clip: rekog.VideoAnalysis) -> Score:
    """Compare the tracks of an analysis with the truth of every frame."""
    agree: Counter[tuple[str, int]] = Counter()
    tracks = clip.tracks()
    found = 0
    for track in tracks:
        for timed in track.faces:
            found += 1
            box = timed.face.bounding_box.to_pixels(SIZE)
            people = truth[round(timed.timestamp_ms * RATE / 1000)]
            name = max(people, key=lambda name: overlap(people[name], box), default=None)
            if name is not None and overlap(people[name], box) >= 0.5:
                agree[name, track.id] += 1
    names = sorted({name for people in truth.values() for name in people})
    ids = [track.id for track in tracks]
    table = np.array([[agree[name, i] for i in ids] for name in names]).reshape(len(names), len(ids))
    rows, cols = linear_sum_assignment(-table)
    sampled = [truth[number] for number in sorted(truth) if number % (RATE // 2) == 0]
    return Score(sum(map(len, sampled)), found, int(table[rows, cols].sum()), len(names), len(ids))


def measure(folder: Path) -> Iterator[tuple[str, Score]]:
    """Render, analyse and score all clips."""
    for number, scenario in enumerate(scenarios()):
        path = folder / f"{number}.mp4"
        truth = renamed(render(scenario, path))
        yield scenario.name, score(truth, rekog.analyze_video(path, client="embedded"))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="a folder for the clips")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
        total = Score(0, 0, 0, 0, 0)
        print("| clip | people | tracks | faces | found | right | IDF1 |\n|---|--:|--:|--:|--:|--:|--:|")  # noqa: T201 -- scripts print
        for name, one in measure(args.keep or Path(folder)):
            total = Score(*(x + y for x, y in zip(total, one, strict=True)))
            print(f"| {name} | {one.people} | {one.tracks} | {one.true} | {one.found} | {one.right} | {one.idf1:.3f} |")  # noqa: T201 -- scripts print
            sys.stdout.flush()
        print(f"| all | | | {total.true} | {total.found} | {total.right} | **{total.idf1:.3f}** |")  # noqa: T201 -- scripts print


if __name__ == "__main__":
    main()
