"""The service, in a process of its own: prints its address and answers until its input ends."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from botocore.loaders import create_loader

from tests.http_standin import Answer, HttpStandin

FACES = 1000
SHAPES = create_loader().load_service_model("rekognition", "service-2")["shapes"]
POINTS, EMOTIONS = SHAPES["LandmarkType"]["enum"], SHAPES["EmotionName"]["enum"][:8]
YES_OR_NO = ("Smile", "Eyeglasses", "Sunglasses", "Beard", "Mustache", "EyesOpen", "MouthOpen")


def face(pick: random.Random) -> dict[str, Any]:
    """Return a face with all that the service gives for a video."""
    ratio, percent, angle = (
        (lambda: pick.uniform(0, 1)),
        (lambda: pick.uniform(0, 100)),
        (lambda: pick.uniform(-90, 90)),
    )
    return {
        "BoundingBox": {name: ratio() for name in ("Width", "Height", "Left", "Top")},
        "AgeRange": {"Low": pick.randint(1, 40), "High": pick.randint(41, 80)},
        **{name: {"Value": pick.random() > 0.5, "Confidence": percent()} for name in YES_OR_NO},
        "Gender": {"Value": pick.choice(["Male", "Female"]), "Confidence": percent()},
        "Emotions": [{"Type": name, "Confidence": percent()} for name in pick.sample(EMOTIONS, len(EMOTIONS))],
        "Landmarks": [{"Type": name, "X": ratio(), "Y": ratio()} for name in POINTS],
        "Pose": {name: angle() for name in ("Roll", "Yaw", "Pitch")},
        "Quality": {"Brightness": percent(), "Sharpness": percent()},
        "Confidence": percent(),
    }


def bodies(pages: int) -> dict[str, list[bytes]]:
    """Return the bodies of each operation: of a job of so many pages, and of an image."""
    pick = random.Random(6)  # noqa: S311 -- no secret
    return {
        "GetFaceDetection": [json.dumps(page(pick, number, pages)).encode() for number in range(pages)],
        "DetectFaces": [json.dumps({"FaceDetails": [face(pick)]}).encode()],
    }


def page(pick: random.Random, number: int, pages: int) -> dict[str, Any]:
    """Return a page of a job; the last one has no token."""
    return {
        "JobStatus": "SUCCEEDED",
        "VideoMetadata": {"Codec": "h264", "DurationMillis": 500_000, "Format": "QuickTime / MOV", "FrameRate": 29.97},
        "Faces": [{"Timestamp": (number * FACES + index) * 500, "Face": face(pick)} for index in range(FACES)],
        **({} if number == pages - 1 else {"NextToken": f"page-{number + 1}"}),
    }


if __name__ == "__main__":
    with HttpStandin() as standin:
        for operation, answers in bodies(int(sys.argv[1])).items():
            standin.script(operation, *map(Answer, answers))
        print(standin.url, flush=True)  # noqa: T201 -- scripts print
        sys.stdin.read()
