import logging

import pytest

from rekog_emotion.errors import RekogEmotionError
from rekog_emotion.server import create_app, protocol
from tests.server.conftest import FACE
from tests.server.in_process import JSON, InProcess

IMAGE = {"Image": {"Bytes": "AAAA"}}
UNKNOWN = "UnknownOperationException"


def test_answers_in_the_services_form(endpoint, scripted):
    """The client is asked in boto3's words; its answer goes out with the headers of the service."""
    reply = endpoint.ask("DetectFaces", {**IMAGE, "Attributes": ["ALL"]})

    assert scripted.asked == [("DetectFaces", {"Image": {"Bytes": b"\0\0\0"}, "Attributes": ["ALL"]})]
    assert (reply.status, reply.content) == (200, {"FaceDetails": [FACE]})
    assert set(reply.headers) == {"x-amzn-requestid", "content-type", "content-length"}
    assert (reply.headers["content-type"], len(reply.headers["x-amzn-requestid"])) == (JSON, 36)


@pytest.mark.parametrize(
    ("operation", "content"),
    [
        ("StartFaceDetection", {"Video": {"S3Object": {"Bucket": "bucket", "Name": "clip.mp4"}}, "JobTag": "a"}),
        ("GetFaceDetection", {"JobId": "job-1", "MaxResults": 7, "NextToken": "a"}),
    ],
)
def test_every_operation_is_the_clients(endpoint, scripted, operation, content):
    """All three reach the method of their name, with the members that were sent."""
    assert endpoint.ask(operation, content).status == 200

    assert scripted.asked == [(operation, content)]


def test_says_who_answered(endpoint, scripted):
    """Request id and engine are the client's own, where it has them."""
    headers = {"x-rekog-emotion-engine": "mine"}
    scripted.answers["DetectFaces"] = {
        "FaceDetails": [],
        "ResponseMetadata": {"RequestId": "request-7", "HTTPHeaders": headers},
    }

    reply = endpoint.ask("DetectFaces", IMAGE)

    assert reply.body == b'{"FaceDetails":[]}'
    assert reply.headers["x-amzn-requestid"] == "request-7"
    assert reply.headers["x-rekog-emotion-engine"] == "mine"


@pytest.mark.parametrize("status", [400, 500])
def test_gives_the_clients_error(endpoint, scripted, status):
    """Code, text, status and request id are the client's; the form is the one recorded from the service."""
    scripted.will_fail("DetectFaces", "ThrottlingException", "Service Unavailable", status)

    reply = endpoint.ask("DetectFaces", IMAGE)

    assert reply.status == status
    assert reply.content == {
        "__type": "ThrottlingException",
        "Code": "ThrottlingException",
        "Message": "Service Unavailable",
    }
    assert (
        reply.headers["x-amzn-requestid"] == scripted.answers["DetectFaces"].response["ResponseMetadata"]["RequestId"]
    )


@pytest.mark.parametrize("answer", [RuntimeError("a secret"), {"FaceDetails": object()}, None, {"FaceDetails": {1, 2}}])
def test_hides_what_went_wrong(endpoint, scripted, caplog, answer):
    """Whatever a client raises or returns, the caller gets the service's own failure; the log gets the traceback."""
    scripted.answers["DetectFaces"] = answer

    with caplog.at_level(logging.ERROR, "rekog_emotion.server.app"):
        reply = endpoint.ask("DetectFaces", IMAGE)

    failed = {"__type": "InternalServerError", "Code": "InternalServerError", "Message": "Internal server error"}
    assert (reply.status, reply.content) == (500, failed)
    [record] = caplog.records
    assert (record.getMessage(), record.exc_info is not None) == ("DetectFaces failed", True)


def test_long_failures_are_cut_in_the_log(endpoint, scripted, warnings):
    """However many words a client fails with, nobody fills the disk with them."""
    scripted.answers["DetectFaces"] = RekogEmotionError("w" * 1_000_000)

    endpoint.ask("DetectFaces", IMAGE)

    assert warnings == [f"DetectFaces failed: {'w' * 1000}..."]


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        pytest.param({"method": "GET"}, 404, None, id="method"),
        pytest.param({"method": "PUT"}, 404, None, id="another method"),
        pytest.param({"path": "/faces"}, 404, None, id="path"),
        pytest.param({"path": "//"}, 404, None, id="two slashes"),
        pytest.param({"path": "/\n"}, 404, None, id="line break"),
        pytest.param({"headers": {"content-type": "application/json"}}, 404, None, id="type"),
        pytest.param({"headers": {"content-type": "application/x-amz-json-1.0"}}, 404, None, id="version"),
        pytest.param({"headers": {"content-type": None}}, 404, None, id="no type"),
        pytest.param({"headers": {"x-amz-target": None}}, 400, None, id="no target"),
        pytest.param({"headers": {"x-amz-target": "DetectFaces"}}, 400, None, id="no service"),
        pytest.param({"headers": {"x-amz-target": "Textract.DetectFaces"}}, 400, None, id="another service"),
        pytest.param({"headers": {"x-amz-target": "RekognitionService.DetectMoods"}}, 400, None, id="no operation"),
        pytest.param({"headers": {"x-amz-target": "RekognitionService.\xff"}}, 400, None, id="no text"),
        pytest.param(
            {"headers": {"x-amz-target": "RekognitionService.DetectLabels"}},
            400,
            "DetectLabels is not answered by this endpoint, which has DetectFaces, StartFaceDetection, "
            "GetFaceDetection",
            id="not here",
        ),
    ],
)
def test_knows_no_other_operation(endpoint, scripted, request_, status, message):
    """What is not the protocol, or not an operation that is here, is unknown, as with the service."""
    reply = endpoint.ask("DetectFaces", IMAGE, **request_)

    assert (reply.status, reply.code, reply.message) == (status, UNKNOWN, message)
    assert (reply.headers["content-type"], scripted.asked) == (JSON, [])


@pytest.mark.parametrize("content_type", ["Application/X-Amz-Json-1.1", "application/x-amz-json-1.1; charset=utf-8"])
def test_content_type_has_variants(endpoint, content_type):
    """Case and parameters do not matter."""
    assert endpoint.ask("DetectFaces", IMAGE, headers={"content-type": content_type}).status == 200


def test_takes_any_client():
    """Three methods are all that it asks of a client; one that knows nothing of HTTP will do."""

    class Bare:
        def detect_faces(self, **_):
            return {"FaceDetails": []}

    with InProcess(create_app(Bare())) as endpoint:
        assert endpoint.ask("DetectFaces", IMAGE).content == {"FaceDetails": []}


def test_is_no_web_socket(endpoint):
    """It says so and hangs up."""
    sent = []

    async def send(message):
        sent.append(message)

    endpoint.run(endpoint.app({"type": "websocket", "path": "/", "headers": []}, None, send))

    assert [message["type"] for message in sent] == ["websocket.close"]


def test_needs_no_configuration_of_aws(monkeypatch):
    """A profile that does not exist is no matter of the server's."""
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    protocol._model.cache_clear()

    assert protocol.input_shape("DetectFaces").name == "DetectFacesRequest"
