import asyncio

import pytest
from botocore.exceptions import ClientError

from rekog_emotion.server import create_app
from rekog_emotion.server.app import _LINGERING, _Lingering, _send_early
from rekog_emotion.server.protocol import refusal
from tests.server.conftest import PORTRAIT, at_a_port, boto

pytestmark = pytest.mark.usefixtures("aws")


def test_boto3_finds_a_face(engine):
    """An unmodified client describes a portrait over HTTP, and sees who answered."""
    with at_a_port(create_app(engine)) as url, boto(url) as client:
        answer = client.detect_faces(Image={"Bytes": PORTRAIT.read_bytes()}, Attributes=["ALL"])

    [face] = answer["FaceDetails"]
    assert face["Emotions"][0]["Type"] == "HAPPY"
    metadata = answer["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 200
    assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]
    assert metadata["HTTPHeaders"]["content-type"] == "application/x-amz-json-1.1"
    assert metadata["HTTPHeaders"]["x-rekog-emotion-engine"] == "embedded"


def test_boto3_sees_the_services_error(engine):
    """The client's error arrives as the service's: code, text and status."""
    with at_a_port(create_app(engine)) as url, boto(url) as client:
        with pytest.raises(client.exceptions.InvalidImageFormatException) as caught:
            client.detect_faces(Image={"Bytes": b"no image"})
        with pytest.raises(ClientError, match=r"\(UnknownOperationException\)"):
            client.detect_labels(Image={"Bytes": b"no image"})

    assert caught.value.response["Error"]["Message"] == "Request has invalid image format"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def early(headers, *messages, there=0):
    """Refuse a request before its body has come; return what was sent, and how many messages were read."""
    sent, read = [], []

    async def send(message):
        sent.append(message)

    async def receive():
        read.append(1)
        return messages[len(read) - 1]

    async def refuse():
        answer, lingering = refusal("No", "not you").answer, _Lingering()
        lingering._there = there
        await _send_early(answer, headers, receive, send, lingering)

    asyncio.run(refuse())
    return sent, len(read)


def piece(size=1, *, more=True):
    """Return a part of a body."""
    return {"type": "http.request", "body": bytes(size), "more_body": more}


def test_who_is_refused_early_has_to_come_anew():
    """The answer says that the connection ends, and ends when what is left of the body has been read."""
    (start, body, end), _ = early({"content-length": "3"}, piece(), piece(), piece(more=False), piece())

    assert (start["status"], start["headers"][-1]) == (400, (b"connection", b"close"))
    assert (body["body"], body["more_body"]) == (b'{"__type":"No","message":"not you"}', True)
    assert end == {"type": "http.response.body", "body": b""}


@pytest.mark.parametrize(
    ("headers", "messages", "read"),
    [
        ({}, [piece()], 0),
        ({"content-length": "0"}, [piece()], 0),
        ({"content-length": "3"}, [piece(), piece(), piece(more=False), piece()], 3),
        ({"transfer-encoding": "chunked"}, [piece(), piece(more=False), piece()], 2),
        ({"content-length": "9"}, [piece(), {"type": "http.disconnect"}, piece()], 2),
        ({"content-length": "9"}, [piece(), {"type": "http.request", "body": b""}, piece()], 2),
        ({"content-length": "9"}, [piece(32 * 1024**2), piece(32 * 1024**2), piece()], 2),
        ({"content-length": "9"}, [piece(32 * 1024**2), piece(32 * 1024**2 - 1), piece(), piece()], 3),
    ],
)
def test_what_is_left_of_a_body_is_read(headers, messages, read):
    """If there is one, to its end, until the client goes, or up to 64 MiB."""
    assert early(headers, *messages)[1] == read


def test_of_many_who_are_refused_some_do_not_linger():
    """As many as may be are read to their end already; one fewer, and there is room."""
    assert early({"content-length": "3"}, piece(more=False), there=_LINGERING - 1)[1] == 1
    assert early({"content-length": "3"}, piece(), there=_LINGERING)[1] == 0
