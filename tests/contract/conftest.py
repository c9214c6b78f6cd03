"""Four clients behind one seam, each told in its own way what the next call shall meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from PIL import Image

from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.server import create_app
from tests.conftest import configure_aws
from tests.embedded.clips import write_clip
from tests.http_standin import Answer, HttpStandin, fault
from tests.server.conftest import at_a_port, boto

DATA = Path(__file__).parent.parent / "data"
METHODS = {
    "DetectFaces": "detect_faces",
    "StartFaceDetection": "start_face_detection",
    "GetFaceDetection": "get_face_detection",
}


class Stubbed:
    """A boto3 client whose answers botocore's own Stubber gives; nothing goes over a wire."""

    engine = "aws"

    def __init__(self, client: Any, stubber: Stubber) -> None:
        self.client = client
        self._stubber = stubber

    def will_answer(self, operation: str, *answers: dict[str, Any]) -> None:
        """Say what the next calls give."""
        metadata = {"HTTPStatusCode": 200, "RequestId": "request-1", "RetryAttempts": 0}
        for answer in answers:
            self._stubber.add_response(METHODS[operation], {**answer, "ResponseMetadata": metadata})

    def will_fail(self, operation: str, code: str, message: str) -> None:
        """Say how the next call fails."""
        self._stubber.add_client_error(
            METHODS[operation], code, message, http_status_code=400, response_meta={"RequestId": "request-1"}
        )


class OverHttp:
    """An unmodified boto3 client, and a server that it takes for the service."""

    engine = "aws"

    def __init__(self, client: Any, standin: HttpStandin) -> None:
        self.client = client
        self._standin = standin

    def will_answer(self, operation: str, *answers: dict[str, Any]) -> None:
        """Say what the next calls give."""
        replies = [Answer(answer, headers={"x-amzn-RequestId": "request-1"}) for answer in answers]
        self._standin.script(operation, *replies)

    def will_fail(self, operation: str, code: str, message: str) -> None:
        """Say how the next call fails."""
        self._standin.script(operation, fault(code, message))


class Embedded:
    """The embedded engine, which looks for itself and needs not be told."""

    engine = "embedded"

    def __init__(self, client: EmbeddedClient) -> None:
        self.client = client

    def will_answer(self, operation: str, *answers: dict[str, Any]) -> None:
        """Find out by itself."""

    def will_fail(self, operation: str, code: str, message: str) -> None:
        """Find out by itself."""


class Served(Embedded):
    """An unmodified boto3 client, and the embedded engine behind the server."""

    # What the service's front end, which the server stands in for, says before the operation itself could.
    too_large = (
        "ValidationException",
        (
            "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]' at 'image.bytes' "
            "failed to satisfy constraint: Member must have length less than or equal to 5242880"
        ),
    )


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """Give an embedded client that knows three objects in S3."""
    folder = tmp_path_factory.mktemp("bucket")
    with Image.open(DATA / "astronaut.jpg") as portrait:
        clip = write_clip(folder / "clip.mp4", [np.asarray(portrait)] * 12, rate=10)
    objects = {"astronaut.jpg": DATA / "astronaut.jpg", "clip.mp4": clip, "notes.txt": DATA / "ATTRIBUTION.md"}
    with EmbeddedClient(resolver=lambda where: objects[where["Name"]]) as client:
        yield Embedded(client)


@pytest.fixture
def stubbed(monkeypatch):
    """Give a Stubber'd boto3 client."""
    configure_aws(monkeypatch)
    client = boto3.client("rekognition")
    with Stubber(client) as stubber:
        yield Stubbed(client, stubber)
        stubber.assert_no_pending_responses()


@pytest.fixture
def over_http(standin):
    """Give an unmodified boto3 client, at the stand-in."""
    client = boto3.client("rekognition", endpoint_url=standin.url, config=Config(retries={"total_max_attempts": 1}))
    yield OverHttp(client, standin)
    client.close()


@pytest.fixture
def served(embedded, monkeypatch):
    """Give an unmodified boto3 client, at a server before the embedded client."""
    configure_aws(monkeypatch)
    with at_a_port(create_app(embedded.client)) as url, boto(url) as client:
        yield Served(client)


@pytest.fixture(params=["stubbed", "over_http", "embedded", "served"])
def world(request):
    """Give each of them in turn."""
    return request.getfixturevalue(request.param)
