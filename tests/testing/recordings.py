"""Answers as the service might give them, and a photo to ask about."""

import threading
from pathlib import Path

PHOTO = Path(__file__).parents[1] / "data/astronaut.jpg"
VIDEO = "s3://bucket/clip.mp4"
OBJECT = {"S3Object": {"Bucket": "bucket", "Name": "clip.mp4"}}
FACE = {
    "BoundingBox": {"Width": 0.2, "Height": 0.3, "Left": 0.1, "Top": 0.1},
    "Confidence": 99.5,
    "Emotions": [{"Type": "HAPPY", "Confidence": 98.5}],
}
FAILED = {"JobStatus": "FAILED", "StatusMessage": "Unsupported codec/format."}


def image(*confidences):
    """Return an answer of DetectFaces."""
    return {"FaceDetails": [{**FACE, "Confidence": confidence} for confidence in confidences]}


def video(count=1, **more):
    """Return an answer of GetFaceDetection with so many faces."""
    faces = [{"Timestamp": 500 * k, "Face": FACE} for k in range(count)]
    return {"JobStatus": "SUCCEEDED", "VideoMetadata": {"Codec": "h264"}, "Faces": faces, **more}


class Until(threading.Event):
    """An event that tells when somebody waits for it."""

    def __init__(self):
        super().__init__()
        self.waited_for = threading.Event()

    def wait(self, timeout=None):
        """Wait, and tell."""
        self.waited_for.set()
        return super().wait(timeout)
