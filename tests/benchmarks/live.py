"""Measure what a sample of a stream costs, and whether following loses anybody: ``python -m tests.benchmarks.live``.

Each clip is watched twice by the embedded engine, on a clock that takes no time: with a search in every picture, as
before faces were followed and pictures handed over as they are, and as it is now. *ms* are milliseconds of CPU time a
sample, on one thread, decoding aside. *IDF1* is that of Ristani et al. (2016): twice the faces whose person is the same
under the best one-to-one match of ids, over all faces of both sides; of the one against the other, and of each against
who was drawn there, where that is known. A face that is half hidden counts as drawn there. The first clip is
somebody who speaks to a camera of 640 x 480; the others are those of ``tests/benchmarks/tracking.py``, with more people
who cross, leave and come back, and with cuts.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image
from scipy.optimize import linear_sum_assignment

import rekog_emotion as rekog
from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.testing import VirtualClock
from tests.benchmarks.tracking import DATA, PORTRAITS, Stage, overlap, scenarios

Frames = list[tuple[float, "np.ndarray[Any, Any]"]]
People = dict[int, tuple[float, ...]]
PEOPLE: Final = [*PORTRAITS, *(f"{name} mirrored" for name in PORTRAITS)]
SAME: Final = 0.5  # overlap from which two boxes are of one face


class Whole:
    """The engine without what it can do for streams."""

    engine = "embedded"

    def __init__(self, client: EmbeddedClient) -> None:
        self.detect_faces = client.detect_faces
        self.start_face_detection = client.start_face_detection
        self.get_face_detection = client.get_face_detection


class Seen(NamedTuple):
    """What came of watching: who is where at each time, and milliseconds of CPU time a sample."""

    people: list[People]
    cost: float


def speaker(seconds: float, rate: float) -> Frames:
    """Return pictures of one person who moves a little."""
    portrait = Image.open(DATA / "obama.jpg").convert("RGB").resize((520, 520))
    frames = []
    for k in range(round(seconds * rate)):
        t = k / rate
        canvas = Image.new("RGB", (640, 480), (96, 110, 120))
        turned = portrait.rotate(6 * np.sin(1.3 * t), Image.Resampling.BILINEAR, fillcolor=(96, 110, 120))
        canvas.paste(turned, (round(60 + 40 * np.sin(0.9 * t)), round(-20 + 12 * np.sin(2.1 * t))))
        frames.append((t, np.asarray(canvas)))
    return frames


def clips(rate: float, seconds: float) -> Iterator[tuple[str, Frames, list[People] | None]]:
    """Yield the clips, with who is where in each picture."""
    yield "one person, 640 x 480", speaker(seconds, rate), None
    stage = Stage()
    for one in scenarios():
        frames, truth = [], []
        for k in range(round(min(seconds, one.seconds) * rate)):
            picture, boxes = stage.show(one, k / rate)
            frames.append((k / rate, np.asarray(picture)))
            truth.append({PEOPLE.index(name): box for name, box in boxes.items()})
        yield one.name, frames, truth


def watched(client: Any, frames: Frames, rate: float) -> Seen:
    """Watch pictures; take the time."""
    people, begin = [], time.process_time()
    for moment in rekog.watch(iter(frames), client=client, rate=rate, clock=VirtualClock()):
        height, width = moment.frame.shape[:2]
        people.append({one.id: one.face.bounding_box.to_pixels((width, height)) for one in moment.people})
    return Seen(people, 1000 * (time.process_time() - begin) / len(frames))


def idf1(one: Sequence[People], other: Sequence[People]) -> float:
    """Return how far the people of two watchings agree, from 0 to 1."""
    agree: Counter[tuple[int, int]] = Counter()
    for here, there in zip(one, other, strict=True):
        for a, box in here.items():
            b = max(there, key=lambda b: overlap(there[b], box), default=None)
            if b is not None and overlap(there[b], box) >= SAME:
                agree[a, b] += 1
    rows, columns = (sorted({person for seen in side for person in seen}) for side in (one, other))
    table = np.array([[agree[a, b] for b in columns] for a in rows]).reshape(len(rows), len(columns))
    found = sum(map(len, one)) + sum(map(len, other))
    return 2 * int(table[linear_sum_assignment(-table)].sum()) / found if found else 1.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=30.0, help="samples a second")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each clip at most")
    args = parser.parse_args()
    with EmbeddedClient() as client:
        list(rekog.watch([np.zeros((96, 96, 3), np.uint8)], client=client))  # the networks are loaded
        print(f"| clip, {args.rate:g} samples a second | faces | ms, all searched | ms | share ", end="")  # noqa: T201 -- scripts print
        print("| IDF1 | of what is there, all searched | now |\n|---|--:|--:|--:|--:|--:|--:|--:|")  # noqa: T201 -- likewise
        for name, frames, truth in clips(args.rate, args.seconds):
            whole, now = watched(Whole(client), frames, args.rate), watched(client, frames, args.rate)
            faces = sum(map(len, whole.people)) / len(frames)
            share = now.cost / whole.cost
            real = ["", ""] if truth is None else [f"{idf1(truth, seen.people):.3f}" for seen in (whole, now)]
            print(  # noqa: T201 -- likewise
                f"| {name} | {faces:.1f} | {whole.cost:.1f} | {now.cost:.1f} | {share:.2f} "
                f"| {idf1(whole.people, now.people):.3f} | {' | '.join(real)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
