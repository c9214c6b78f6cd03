"""Measure of which faces the service itself leaves open how they look.

Usage::

    python docs/models/reliable_faces.py FOLDER

The folder has recorded answers of DetectFaces and GetFaceDetection, a JSON file each; others are passed over. Open are
the faces whose highest emotion has less than half of the confidence that all their emotions have together. For each
member the faces are sorted into ranges: how many there are, how many of them are open, and between what the share lies
by Wilson's interval of 95 percent. Faces of one video are of few people, so that its intervals are too narrow.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from rekog_emotion import Face, ImageAnalysis, InvalidInputError, ResponseError, VideoAnalysis
from rekog_emotion.results.reliable import MAX_PITCH, MAX_YAW, MIN_SHARPNESS, MIN_SIZE

Size = tuple[int, int] | None
Sighting = tuple[Face, Size]


def sharpness(face: Face, _: Size) -> float | None:
    """Return the sharpness."""
    return face.quality.sharpness if face.quality else None


def brightness(face: Face, _: Size) -> float | None:
    """Return the brightness."""
    return face.quality.brightness if face.quality else None


def yaw(face: Face, _: Size) -> float | None:
    """Return how far the head is turned aside."""
    return abs(face.pose.yaw) if face.pose and face.pose.yaw is not None else None


def pitch(face: Face, _: Size) -> float | None:
    """Return how far the head is turned up or down."""
    return abs(face.pose.pitch) if face.pose and face.pose.pitch is not None else None


def confidence(face: Face, _: Size) -> float | None:
    """Return how sure it is that it is a face."""
    return face.confidence


def side(face: Face, size: Size) -> float | None:
    """Return the shorter side in pixels, where the size of the picture is known."""
    if size is None or face.bounding_box is None:
        return None
    left, top, right, bottom = face.bounding_box.to_pixels(size)
    return min(right - left, bottom - top)


MEMBERS: Sequence[tuple[Callable[[Face, Size], float | None], Sequence[float]]] = (
    (sharpness, (0, MIN_SHARPNESS, 20, 50, 80, math.inf)),
    (brightness, (0, 20, 40, 60, 80, math.inf)),
    (yaw, (0, 10, 20, MAX_YAW, math.inf)),
    (pitch, (0, 10, 20, MAX_PITCH, math.inf)),
    (side, (0, MIN_SIZE, 100, 200, math.inf)),
    (confidence, (0, 90, 99, 99.9, math.inf)),
)


def sightings(path: Path) -> Iterator[tuple[str, Sighting]]:
    """Yield the faces that have emotions, as ``photos`` or ``videos``."""
    answer = json.loads(path.read_bytes())
    pages = answer if isinstance(answer, list) else [answer]
    try:
        if all("FaceDetails" in page for page in pages):
            found = [("photos", (face, None)) for page in pages for face in ImageAnalysis.from_aws(page).faces]
        else:
            clip = VideoAnalysis.from_aws(*pages)
            found = [("videos", (timed.face, clip.size)) for timed in clip.faces if timed.face is not None]
    except (InvalidInputError, ResponseError, TypeError):
        return
    yield from ((kind, sighting) for kind, sighting in found if sighting[0].emotions)


def is_open(face: Face) -> bool:
    """Tell whether the service leaves open how a face looks."""
    emotions = [emotion.confidence or 0.0 for emotion in face.emotions or ()]
    return max(emotions) < sum(emotions) / 2


def interval(count: int, total: int) -> tuple[float, float]:
    """Return Wilson's interval of a share (1927), 95 percent."""
    z, share = 1.96, count / total
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, middle - half) / (1 + z * z / total), (middle + half) / (1 + z * z / total)


def line(name: str, faces: Sequence[Face]) -> str:
    """Return a line of the table."""
    count, total = sum(map(is_open, faces)), len(faces)
    low, high = interval(count, total)
    return f"{name:24} {total:5} faces {count:5} open {count / total:6.0%} ({low:.0%} to {high:.0%})"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    known: dict[str, list[Sighting]] = {"photos": [], "videos": []}
    for path in sorted(parser.parse_args().folder.glob("*.json")):
        for kind, sighting in sightings(path):
            known[kind].append(sighting)
    for kind, found in known.items():
        if found:
            print(line(kind, [face for face, _ in found]))
        for member, edges in MEMBERS:
            values = [(value, face) for face, size in found if (value := member(face, size)) is not None]
            for low, high in pairwise(edges):
                if inside := [face for value, face in values if low <= value < high]:
                    print(line(f"  {member.__name__} {low:g} to {high:g}", inside))


if __name__ == "__main__":
    main()
