"""Measure the embedded engine: agreement with recorded answers of the service, sizes of faces that it finds, speed.

Usage::

    python docs/models/measure.py agreement FOLDER...  # <name>.json, a DetectFaces answer, beside <name>.jpg
    python docs/models/measure.py emotions FOLDER...   # labels.csv (file, label: angry, disgust ...) beside pictures
    python docs/models/measure.py sizes                # portraits of tests/data, scaled into a large picture
    python docs/models/measure.py speed PICTURE...     # milliseconds of CPU time, one thread
    python docs/models/measure.py load PICTURE...      # seconds of loading, peak memory of the process in MB
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.embedded.engine import Engine

DATA = Path(__file__).parents[2] / "tests" / "data"
PORTRAITS = ("astronaut", "biden", "obama")
SAME_FACE = 0.3  # intersection over union
# The service has decided on an emotion when it is this confident, and this far ahead of the second.
DECIDED, AHEAD = 50.0, 15.0
FLAGS = ("Smile", "Eyeglasses", "Sunglasses", "Beard", "Mustache", "EyesOpen", "MouthOpen", "FaceOccluded")
LABELS = {
    "angry": "ANGRY",
    "disgust": "DISGUSTED",
    "fear": "FEAR",
    "happy": "HAPPY",
    "sad": "SAD",
    "surprise": "SURPRISED",
    "neutral": "CALM",
}
SIZES = (12, 16, 20, 24, 32, 40, 48, 64, 96, 160)  # pixels of width, in a picture of 1920 x 1080
SPEED_SIDE, SPEED_RUNS = 640, 9

Face = Mapping[str, Any]


def agreement(folders: Iterable[Path], client: EmbeddedClient) -> dict[str, float]:
    """Return how well the engine agrees with recorded answers.

    Args:
        folders: Each ``<name>.json`` with a picture of its name beside it counts.
        client: Any of boto3's shape.

    Returns:
        ``faces``, ``found`` and ``false`` are counts; ``iou`` is a mean; ``landmarks`` a median, in distances between
        the eyes; ``roll``, ``yaw``, ``pitch`` median errors in degrees; ``brightness`` and ``sharpness`` mean errors.
        Others are shares of agreement among the faces for which the service says it: ``gender``, ``age`` (ranges
        overlap), ``emotion`` (where the service has decided) and one for each flag.
    """
    faces = found = given = 0
    rows: dict[str, list[float]] = {}
    for picture, wanted in _pairs(folders):
        answer = client.detect_faces(Image={"Bytes": picture.read_bytes()}, Attributes=["ALL"])
        matches = _match(wanted, answer["FaceDetails"])
        faces, found, given = faces + len(wanted), found + len(matches), given + len(answer["FaceDetails"])
        with Image.open(picture) as opened:
            size = np.array(opened.size)
        for theirs, ours in matches:
            for name, value in _compare(theirs, ours, size):
                rows.setdefault(name, []).append(value)
    medians = {"landmarks", "roll", "yaw", "pitch"}
    figures = {name: float(np.median(v) if name in medians else np.mean(v)) for name, v in rows.items()}
    return {"faces": faces, "found": found, "false": given - found, **figures}


def _pairs(folders: Iterable[Path]) -> Iterator[tuple[Path, list[Face]]]:
    for folder in folders:
        for recording in sorted(folder.glob("*.json")):
            pictures = [recording.with_suffix(suffix) for suffix in (".jpg", ".jpeg", ".png")]
            picture = next(filter(Path.exists, pictures), None)
            if picture:
                faces = json.loads(recording.read_text("utf-8"))["FaceDetails"]
                # Some recordings hold a face twice.
                yield picture, list({tuple(face["BoundingBox"].values()): face for face in faces}.values())


def _match(wanted: list[Face], given: list[Face]) -> list[tuple[Face, Face]]:
    """Pair faces one to one, best overlap first."""
    overlaps = np.array([[_overlap(one, other) for other in given] for one in wanted]).reshape(len(wanted), -1)
    pairs = []
    while overlaps.size and overlaps.max() >= SAME_FACE:
        i, j = np.unravel_index(overlaps.argmax(), overlaps.shape)
        pairs.append((wanted[i], given[j]))
        overlaps[i], overlaps[:, j] = 0, 0
    return pairs


def _overlap(one: Face, other: Face) -> float:
    a, b = one["BoundingBox"], other["BoundingBox"]
    shared = 1.0
    for start, length in (("Left", "Width"), ("Top", "Height")):
        end = min(a[start] + a[length], b[start] + b[length])
        shared *= max(0.0, end - max(a[start], b[start]))
    return float(shared / (a["Width"] * a["Height"] + b["Width"] * b["Height"] - shared))


def _compare(theirs: Face, ours: Face, size: np.ndarray[Any, Any]) -> Iterator[tuple[str, float]]:
    yield "iou", _overlap(theirs, ours)
    marks, own = ({m["Type"]: size * (m["X"], m["Y"]) for m in face["Landmarks"]} for face in (theirs, ours))
    between_eyes = np.linalg.norm(marks["eyeLeft"] - marks["eyeRight"])
    yield "landmarks", float(np.mean([np.linalg.norm(marks[k] - own[k]) for k in marks]) / between_eyes)
    for name in ("Roll", "Yaw", "Pitch"):
        yield name.lower(), abs((ours["Pose"][name] - theirs["Pose"][name] + 180) % 360 - 180)
    for name in ("Brightness", "Sharpness"):
        yield name.lower(), abs(ours["Quality"][name] - theirs["Quality"][name])
    if "Gender" in theirs:
        yield "gender", ours["Gender"]["Value"] == theirs["Gender"]["Value"]
    if "AgeRange" in theirs and "AgeRange" in ours:
        a, b = theirs["AgeRange"], ours["AgeRange"]
        yield "age", min(a["High"], b["High"]) > max(a["Low"], b["Low"])
    if "Emotions" in theirs and "Emotions" in ours:
        first, second, *_ = sorted(theirs["Emotions"], key=lambda emotion: -emotion["Confidence"])
        if first["Confidence"] >= DECIDED and first["Confidence"] - second["Confidence"] >= AHEAD:
            yield "emotion", ours["Emotions"][0]["Type"] == first["Type"]
    for name in FLAGS:
        if name in theirs and name in ours:
            yield name, ours[name]["Value"] == theirs[name]["Value"]


def emotions(folders: Iterable[Path], engine: Engine) -> dict[str, float]:
    """Return counts of faces and missed ones, and the share of right first emotions; the largest face of each counts.

    Args:
        folders: Each with a ``labels.csv``; other labels than those of ``LABELS`` do not count, nor does a file whose
            name has a sha1 that ends in an odd byte.
        engine: Not a client, which refuses pictures below 80 pixels, as the service does.
    """
    figures: dict[str, float] = {}
    for folder in folders:
        right: list[bool | None] = []
        for row in csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines()):
            path = folder / row["file"]
            if row["label"] in LABELS and hashlib.sha1(path.name.encode()).digest()[-1] % 2 == 0:  # noqa: S324 -- no secret
                faces = engine.analyze(ImageOps.exif_transpose(Image.open(path)))
                right.append(faces[0]["Emotions"][0]["Type"] == LABELS[row["label"]] if faces else None)
        found = [one for one in right if one is not None]
        figures |= {f"{folder.name} faces": len(right), f"{folder.name} missed": len(right) - len(found)}
        figures |= {f"{folder.name} right": sum(found) / len(right), f"{folder.name} found": sum(found) / len(found)}
    return figures


def sizes(client: EmbeddedClient) -> dict[int, int]:
    """Return how many of the portraits are found in a picture of 1920 x 1080, by the width of their faces in pixels."""
    frame = Image.open(DATA / "obama.jpg").convert("RGB").resize((1920, 1080)).filter(ImageFilter.GaussianBlur(60))
    found = dict.fromkeys(SIZES, 0)
    for name in PORTRAITS:
        portrait = Image.open(DATA / f"{name}.jpg").convert("RGB")
        (face, *_) = client.detect_faces(Image={"Bytes": _jpeg(portrait)})["FaceDetails"]
        for width in SIZES:
            scale = width / (face["BoundingBox"]["Width"] * portrait.width)
            small = portrait.resize((round(portrait.width * scale), round(portrait.height * scale)), reducing_gap=3.0)
            picture = frame.copy()
            picture.paste(small, (1100, 300))
            answer = client.detect_faces(Image={"Bytes": _jpeg(picture)})["FaceDetails"]
            found[width] += any(abs(one["BoundingBox"]["Width"] * 1920 / width - 1) < 0.5 for one in answer)  # noqa: PLR2004 -- a half
    return found


def speed(pictures: Iterable[Path], client: EmbeddedClient) -> dict[str, tuple[int, float]]:
    """Return faces and least CPU time, milliseconds, of a picture of 640 pixels, decoding included."""
    times = {}
    for path in pictures:
        picture = Image.open(path).convert("RGB")
        picture.thumbnail((SPEED_SIDE, SPEED_SIDE))
        data, best, faces = _jpeg(picture), float("inf"), 0
        for _ in range(SPEED_RUNS):
            start = time.process_time()
            faces = len(client.detect_faces(Image={"Bytes": data}, Attributes=["ALL"])["FaceDetails"])
            best = min(best, 1000 * (time.process_time() - start))
        times[path.name] = faces, round(best, 1)
    return times


def load(pictures: Iterable[Path], client: EmbeddedClient) -> dict[str, float]:
    """Return the CPU seconds of loading the networks, and the peak memory of the process, MB, after each picture.

    Args:
        pictures: They are analysed as they are, one after the other: the peak never falls.
        client: One that has not loaded its networks.
    """
    blank, times = _jpeg(Image.new("RGB", (80, 80))), []
    for _ in range(2):
        start = time.process_time()
        client.detect_faces(Image={"Bytes": blank})
        times.append(time.process_time() - start)
    figures = {"load": times[0] - times[1], "peak MB, loaded": _peak()}
    for path in pictures:
        client.detect_faces(Image={"Bytes": path.read_bytes()}, Attributes=["ALL"])
        figures[f"peak MB, {path.name}"] = _peak()
    return figures


def _peak() -> float:
    import resource  # noqa: PLC0415 -- not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 / (1024 if sys.platform == "darwin" else 1)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def main() -> None:
    """Print one figure a line."""
    parser = argparse.ArgumentParser(description="Measure the embedded engine.")
    parser.add_argument("what", choices=("agreement", "emotions", "sizes", "speed", "load"))
    parser.add_argument("paths", type=Path, nargs="*", help="folders or pictures")
    parser.add_argument("--mode", choices=("fast", "default", "thorough"), default="default")
    parser.add_argument("--weights", choices=("all", "clean"), default="all")
    options = parser.parse_args()
    if options.what == "emotions" and options.weights == "clean":
        parser.error("clean networks tell no emotions: leave --weights out")
    with EmbeddedClient(mode=options.mode, weights=options.weights) as client:
        match options.what:
            case "agreement":
                figures: Mapping[Any, Any] = agreement(options.paths, client)
            case "emotions":
                figures = emotions(options.paths, Engine(weights=options.weights))
            case "sizes":
                figures = sizes(client)
            case "load":
                figures = load(options.paths, client)
            case _:
                figures = speed(options.paths, client)
    for name, figure in figures.items():
        print(f"{name!s:12} {figure:.3f}" if isinstance(figure, float) else f"{name!s:12} {figure}")


if __name__ == "__main__":
    main()
