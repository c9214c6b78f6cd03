"""Measure time and memory of a summary: ``python tests/benchmarks/timeline.py [--faces N] [--at-once N]``.

Faces come from a generator, as those of ``VideoJob.faces()`` do, and none is kept. What the generator itself takes is
measured in a run of its own, and shown beside.
"""

from __future__ import annotations

import argparse
import math
import resource
import time
from collections.abc import Iterator
from random import Random

from rekog_emotion import (
    AgeRange,
    Attribute,
    BoundingBox,
    Emotion,
    EmotionType,
    Face,
    Gender,
    GenderType,
    Landmarks,
    Pose,
    Quality,
    TimedFace,
)
from rekog_emotion.results.timeline import Timeline
from rekog_emotion.values.words import LandmarkType

KINDS = [kind for kind in EmotionType if kind != "UNKNOWN"]
POINTS = tuple(LandmarkType)
PLACES = ((0.3, 0.35), (0.7, 0.35), (0.5, 0.55), (0.35, 0.75), (0.65, 0.75))


def stream(count: int, at_once: int) -> Iterator[TimedFace]:
    """Yield the faces of people who sway in a grid, two samples a second, with what ALL attributes give."""
    random = Random(1)  # noqa: S311 -- the same faces in every run
    columns = math.ceil(math.sqrt(at_once))
    cell = 1 / columns
    emotions = []
    for _ in range(500):
        weights = [random.random() ** 4 for _ in KINDS]
        emotions.append(
            tuple(Emotion(type=k, confidence=100 * w / sum(weights)) for k, w in zip(KINDS, weights, strict=True))
        )
    for number in range(count):
        sample, person = divmod(number, at_once)
        side = cell * 0.5
        left = (person % columns) * cell + cell * (0.25 + 0.15 * math.sin(sample / 5 + person))
        top = (person // columns) * cell + cell * 0.25
        x, y = zip(*(PLACES[k] if k < 5 else (0.5, 0.5) for k in range(len(POINTS))), strict=True)
        face = Face(
            bounding_box=BoundingBox(left=left, top=top, width=side, height=side),
            confidence=99.9,
            age_range=AgeRange(low=20 + person % 40, high=30 + person % 40),
            gender=Gender(value=list(GenderType)[person % 2], confidence=98.0),
            eyeglasses=Attribute(value=person % 3 == 0, confidence=97.0),
            sunglasses=Attribute(value=False, confidence=99.0),
            beard=Attribute(value=person % 5 == 0, confidence=90.0),
            mustache=Attribute(value=False, confidence=90.0),
            emotions=emotions[(number * 7919) % 500],
            landmarks=Landmarks(
                types=POINTS, x=tuple(left + side * one for one in x), y=tuple(top + side * one for one in y)
            ),
            pose=Pose(roll=1.0, yaw=2.0, pitch=3.0),
            quality=Quality(brightness=80.0, sharpness=80.0),
        )
        yield TimedFace(timestamp_ms=sample * 500, face=face)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=2_000_000)
    parser.add_argument("--at-once", type=int, default=47, help="47 for six hours of two million faces")
    args = parser.parse_args()
    begin = time.process_time()
    for _ in stream(args.faces, args.at_once):
        pass
    generating = time.process_time() - begin
    begin = time.process_time()
    timeline = Timeline.of(stream(args.faces, args.at_once))
    making = time.process_time() - begin - generating
    begin = time.process_time()
    summary = timeline.summary()
    summing = time.process_time() - begin
    begin = time.process_time()
    segments = timeline.segments()
    cutting = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{summary.faces} faces, {len(summary.people)} people, {len(segments)} segments")  # noqa: T201 -- scripts print
    print("| step | CPU s |\n|---|--:|")  # noqa: T201 -- scripts print
    print(f"| making the faces, which does not count | {generating:.1f} |")  # noqa: T201 -- scripts print
    print(f"| columns, tracks, timeline | {making:.1f} |")  # noqa: T201 -- scripts print
    print(f"| summary | {summing:.1f} |")  # noqa: T201 -- scripts print
    print(f"| segments | {cutting:.1f} |")  # noqa: T201 -- scripts print
    print(f"| peak memory, MiB | {peak:.0f} |")  # noqa: T201 -- scripts print


if __name__ == "__main__":
    main()
