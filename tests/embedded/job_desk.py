"""What tests of video jobs share: faces, a ``detect`` that waits, ``Jobs`` on a small clip under a virtual clock."""

from __future__ import annotations

import threading

import pytest
from botocore.exceptions import ClientError
from botocore.loaders import create_loader
from botocore.model import ServiceModel

from rekog_emotion.embedded.jobs import Jobs
from rekog_emotion.embedded.store import JobRecord
from rekog_emotion.testing import VirtualClock
from tests.embedded.clips import number_of

SERVICE = ServiceModel(create_loader().load_service_model("rekognition", "service-2"), "rekognition")
HOUR, DAY = 3600.0, 86400.0
CHANNEL = {"SNSTopicArn": "arn:aws:sns:eu-west-1:123456789012:Topic", "RoleArn": "arn:aws:iam::123456789012:role/R"}
TOKEN = {"client_request_token": "token"}


def a_face(number: int = 0) -> dict:
    """Return a face with all members, marked by its age."""
    flag = {"Value": True, "Confidence": 90.0}
    return {
        "BoundingBox": {"Width": 0.1, "Height": 0.2, "Left": 0.3, "Top": 0.4},
        "AgeRange": {"Low": number, "High": number + 8},
        "Smile": flag,
        "Gender": {"Value": "Female", "Confidence": 99.0},
        "EyesOpen": flag,
        "Emotions": [{"Type": "CALM", "Confidence": 98.0}],
        "Landmarks": [
            {"Type": name, "X": 0.5, "Y": 0.5}
            for name in ("eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose", "leftPupil", "chinBottom")
        ],
        "Pose": {"Roll": 1.0, "Yaw": 2.0, "Pitch": 3.0},
        "Quality": {"Brightness": 80.0, "Sharpness": 90.0},
        "Confidence": 99.9,
        "FaceOccluded": flag,
        "EyeDirection": {"Yaw": 1.0, "Pitch": 2.0, "Confidence": 90.0},
    }


def one_face(picture) -> list[dict]:
    """Find a face that bears the picture's number."""
    return [a_face(number_of(picture))]


def s3(name: str = "clip.mp4", **more: str) -> dict:
    """Return a ``Video``."""
    return {"S3Object": {"Bucket": "bucket", "Name": name, **more}}


class Gate:
    """A ``detect`` that waits until it is let through."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.calls = 0

    def __call__(self, picture) -> list[dict]:
        """Wait, then find a face."""
        self.calls += 1
        self.entered.set()
        assert self.opened.wait(60)
        return one_face(picture)


@pytest.fixture
def clock() -> VirtualClock:
    """Time that passes when a test says so."""
    return VirtualClock()


@pytest.fixture
def make(counting, clock):
    """Return a function that makes ``Jobs`` on the counting clip; they are closed after the test."""
    made: list[Jobs] = []

    def make(detect=one_face, **options) -> Jobs:
        made.append(Jobs(detect, **{"resolver": lambda _: counting, "clock": clock.now, **options}))
        return made[-1]

    yield make
    for jobs in made:
        jobs.close()


def done(jobs: Jobs, video=None, **options) -> str:
    """Start a job, wait for its end, return its id."""
    job_id = jobs.start(s3() if video is None else video, **options)["JobId"]
    assert jobs.join(job_id, 60)
    return job_id


def bare(answer: dict) -> dict:
    """Return an answer without its ``ResponseMetadata``."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def refused(call, *arguments, **options) -> tuple[str, str, str, int]:
    """Return operation, code, message and status of the error that a call raises."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **options)
    error = caught.value.response
    status = error["ResponseMetadata"]["HTTPStatusCode"]
    return caught.value.operation_name, error["Error"]["Code"], error["Error"]["Message"], status


def with_faces(jobs: Jobs, count: int, job_id: str = "f" * 64) -> str:
    """Put a finished job of many faces into the store of ``jobs``."""
    jobs._store.add_faces(job_id, [{"Timestamp": k, "Face": a_face(k)} for k in range(count)])
    jobs._store.put(
        JobRecord(
            job_id=job_id,
            request={"Video": s3(), "FaceAttributes": "ALL"},
            token=None,
            path="clip.mp4",
            started=0.0,
            ended=0.0,
            status="SUCCEEDED",
            metadata={"Codec": "h264"},
            face_count=count,
        )
    )
    return job_id
