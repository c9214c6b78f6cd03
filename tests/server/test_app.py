import pytest
from botocore.exceptions import ClientError

from rekog_emotion.server import create_app
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
