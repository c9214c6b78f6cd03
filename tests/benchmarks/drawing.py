"""Measure time and memory of drawing: ``python tests/benchmarks/drawing.py [--faces N]``.

Once as many faces as no service gives, of which all but 200 get a box alone; once the hundred that it gives at most, in
a picture of 24 megapixels, with landmarks, pose and labels.
"""

from __future__ import annotations

import argparse
import math
import resource
import time

from PIL import Image
from timeline import stream

from rekog_emotion import ImageAnalysis
from rekog_emotion.results.drawing import draw

LARGE = (6000, 4000)


def measure(name: str, photo: ImageAnalysis, size: tuple[int, int]) -> None:
    """Print a line: processor seconds of three runs, the fastest, and the peak of memory so far."""
    picture = Image.new("RGB", size, "gray")
    spent = math.inf
    for _ in range(3):
        begin = time.process_time()
        draw(photo, picture)
        spent = min(spent, time.process_time() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:28} {spent:8.2f} s   {peak:6.0f} MiB at most")  # noqa: T201 -- a script prints


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=100_000)
    args = parser.parse_args()
    hundred = ImageAnalysis(faces=tuple(timed.face for timed in stream(100, 100) if timed.face))
    measure("100 faces, 24 megapixels", hundred, LARGE)
    crowd = ImageAnalysis(faces=tuple(timed.face for timed in stream(args.faces, args.faces) if timed.face))
    measure(f"{args.faces} faces, 1000 x 800", crowd, (1000, 800))


if __name__ == "__main__":
    main()
