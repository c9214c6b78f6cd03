"""Four clients behind one seam, in both worlds, each told in its own way what the next call shall meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.stub import Stubber
from PIL import Image

from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.server import create_app
from tests.conftest import configure_aws
from tests.embedded.clips import write_clip
from tests.http_standin import Answer, HttpStandin, fault
from tests.server.conftest import at_a_port
from tests.worlds import Tasks, Threads

DATA = Path(__file__).parent.parent / "data"
METHODS = {
    "DetectFaces": "detect_faces",
    "StartFaceDetection": "start_face_detection",
    "GetFaceDetection": "get_face_detection",
}


class World:
    """A client, and the verbs that are given it: those of threads or those of asyncio."""

    engine = "aws"
    no_object = (
        "one of three, and the service does not say which: the key is wrong, the bucket is in another region than the "
        "client, or the identity may not read it"
    )

    def __init__(self, client: Any, verbs: Threads | Tasks) -> None:
        self.client = client
        self.verbs = verbs

    def ask(self, method: str, **parameters: Any) -> Any:
        """Call the client, past the library."""
        return self.verbs.ask(self.client, method, parameters)


class Stubbed(World):
    """A boto3 client whose answers botocore's own Stubber gives; nothing goes over a wire."""

    def __init__(self, client: Any, verbs: Threads | Tasks, stubber: Stubber) -> None:
        super().__init__(client, verbs)
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


class OverHttp(World):
    """An unmodified client of boto3 or aiobotocore, and a server that it takes for the service."""

    def __init__(self, client: Any, verbs: Threads | Tasks, standin: HttpStandin) -> None:
        super().__init__(client, verbs)
        self._standin = standin

    def will_answer(self, operation: str, *answers: dict[str, Any]) -> None:
        """Say what the next calls give."""
        replies = [Answer(answer, headers={"x-amzn-RequestId": "request-1"}) for answer in answers]
        self._standin.script(operation, *replies)

    def will_fail(self, operation: str, code: str, message: str) -> None:
        """Say how the next call fails."""
        self._standin.script(operation, fault(code, message))


class Embedded(World):
    """The embedded engine, which looks for itself and needs not be told."""

    engine = "embedded"
    no_object = (
        "no bucket was asked: this client works on this machine, and knows no such object; pass the file, or an "
        "EmbeddedClient whose resolver= says where it lies"
    )

    def will_answer(self, operation: str, *answers: dict[str, Any]) -> None:
        """Find out by itself."""

    def will_fail(self, operation: str, code: str, message: str) -> None:
        """Find out by itself."""


class Served(Embedded):
    """An unmodified client of boto3 or aiobotocore, and the embedded engine behind the server."""

    no_object = World.no_object  # which the server may have looked for in S3

    # What the service's front end, which the server stands in for, says before the operation itself could.
    too_large = (
        "ValidationException",
        (
            "1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]' at 'image.bytes' "
            "failed to satisfy constraint: Member must have length less than or equal to 5242880"
        ),
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """Give an embedded client that knows three objects in S3."""
    folder = tmp_path_factory.mktemp("bucket")
    with Image.open(DATA / "astronaut.jpg") as portrait:
        clip = write_clip(folder / "clip.mp4", [np.asarray(portrait)] * 12, rate=10)
    objects = {"astronaut.jpg": DATA / "astronaut.jpg", "clip.mp4": clip, "notes.txt": DATA / "ATTRIBUTION.md"}
    with EmbeddedClient(resolver=lambda where: objects[where["Name"]]) as client:
        yield client


@pytest.fixture
def embedded(engine, verbs):
    """Give the embedded client."""
    return Embedded(engine, verbs)


@pytest.fixture
def stubbed(monkeypatch, verbs):
    """Give a Stubber'd boto3 client, which asyncio asks in threads."""
    configure_aws(monkeypatch)
    client = boto3.client("rekognition")
    with Stubber(client) as stubber:
        yield Stubbed(client, verbs, stubber)
        stubber.assert_no_pending_responses()


@pytest.fixture
def over_http(standin, verbs):
    """Give an unmodified client, at the stand-in."""
    return OverHttp(verbs.plain_client(endpoint_url=standin.url), verbs, standin)


@pytest.fixture
def served(engine, verbs, monkeypatch):
    """Give an unmodified client, at a server before the embedded client."""
    configure_aws(monkeypatch)
    with at_a_port(create_app(engine)) as url:
        yield Served(verbs.plain_client(endpoint_url=url), verbs)


@pytest.fixture(params=["stubbed", "over_http", "embedded", "served"])
def world(request, verbs):  # noqa: ARG001 -- what it gets by name asks for it
    """Give each of them in turn, in each of the two worlds."""
    return request.getfixturevalue(request.param)
