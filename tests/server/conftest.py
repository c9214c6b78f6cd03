"""Clients to stand before, and the application before them, in this process and at a port."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from attrs import frozen
from botocore.config import Config

from rekog_emotion.embedded import EmbeddedClient
from rekog_emotion.embedded.faults import client_error
from rekog_emotion.server import create_app, listen
from rekog_emotion.server.connections import connection_type
from rekog_emotion.server.running import uvicorn_server
from tests.conftest import configure_aws
from tests.server.in_process import InProcess

DATA = Path(__file__).parents[1] / "data"
PORTRAIT = DATA / "astronaut.jpg"
FACE = {"Confidence": 99.5, "Emotions": [{"Type": "HAPPY", "Confidence": 98.5}]}


class Scripted:
    """A client that writes down what it is asked and answers what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {
            "DetectFaces": {"FaceDetails": [FACE]},
            "StartFaceDetection": {"JobId": "job-1"},
            "GetFaceDetection": {"JobStatus": "SUCCEEDED", "Faces": []},
        }

    def will_fail(self, operation: str, code: str, message: str, status: int = 400) -> None:
        """Say how an operation fails from now on."""
        self.answers[operation] = client_error(operation, code, message, status=status)

    def detect_faces(self, **request: Any) -> Any:
        """Answer DetectFaces."""
        return self._answer("DetectFaces", request)

    def start_face_detection(self, **request: Any) -> Any:
        """Answer StartFaceDetection."""
        return self._answer("StartFaceDetection", request)

    def get_face_detection(self, **request: Any) -> Any:
        """Answer GetFaceDetection."""
        return self._answer("GetFaceDetection", request)

    def _answer(self, operation: str, request: dict[str, Any]) -> Any:
        self.asked.append((operation, request))
        answer = self.answers[operation]
        if callable(answer):
            answer = answer(**request)
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def at_a_port(app: Any, *, most: int = 2048) -> Iterator[str]:
    """Serve an application on a free port of this machine, with so many connections at most; give the URL."""
    with listen("127.0.0.1", 0, public=False) as listener:
        server = uvicorn_server(app, lambda _: connection_type(most))
        thread = threading.Thread(target=server.run, args=([listener],), name="endpoint")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def boto(url: str, service: str = "rekognition", **options: Any) -> Iterator[Any]:
    """Give an unmodified boto3 client that makes one attempt, at an endpoint."""
    client = boto3.client(service, endpoint_url=url, config=Config(retries={"total_max_attempts": 1}, **options))
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def scripted() -> Scripted:
    """Give a client that does as it is told."""
    return Scripted()


@pytest.fixture
def endpoint(scripted) -> Iterator[InProcess]:
    """Give the application before the scripted client, in this process."""
    with InProcess(create_app(scripted)) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def engine() -> Iterator[EmbeddedClient]:
    """Give an embedded client that knows no object."""
    with EmbeddedClient() as client:
        yield client


@pytest.fixture
def aws(monkeypatch) -> None:
    """Configure AWS as a user does who is led to a local endpoint."""
    configure_aws(monkeypatch)


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    """Give what the server warns of, as it comes."""
    texts: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: texts.append(record.getMessage())
    logger = logging.getLogger("rekog_emotion.server")
    logger.addHandler(handler)
    yield texts
    logger.removeHandler(handler)


@pytest.fixture
def bucket(moto, monkeypatch) -> Iterator[Bucket]:
    """Give a bucket at the stand-in, where the environment leads all clients of S3 and SNS."""
    configure_aws(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", moto)
    with boto(moto, "s3") as client:
        bucket = Bucket(client, f"bucket-{uuid.uuid4()}", moto)
        client.create_bucket(Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield bucket


@frozen
class Bucket:
    """A bucket, and the client that made it."""

    client: Any
    name: str
    address: str

    def put(self, key: str, content: bytes) -> dict[str, str]:
        """Put an object; return the wire's ``S3Object``."""
        self.client.put_object(Bucket=self.name, Key=key, Body=content)
        return {"Bucket": self.name, "Name": key}
