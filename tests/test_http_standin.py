import threading

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.http_standin import Answer, HttpStandin, close, fault, reset, silence

ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})
IMPATIENT = ONE_ATTEMPT.merge(Config(read_timeout=0.1))


@pytest.fixture
def client(standin):
    """Give a boto3 client that makes one attempt, at the stand-in."""
    client = boto3.client("rekognition", endpoint_url=standin.url, config=ONE_ATTEMPT)
    yield client
    client.close()


def test_gives_answers_in_turn_and_the_last_one_ever_after(standin, client):
    """A script says what a polled job answers."""
    standin.script("GetFaceDetection", Answer({"JobStatus": "IN_PROGRESS"}), Answer({"JobStatus": "SUCCEEDED"}))

    statuses = [client.get_face_detection(JobId="1")["JobStatus"] for _ in range(3)]

    assert statuses == ["IN_PROGRESS", "SUCCEEDED", "SUCCEEDED"]


def test_writes_down_what_was_asked(standin, client):
    """Operation, body and headers of each request are kept."""
    standin.script("StartFaceDetection", Answer({"JobId": "1"}))

    client.start_face_detection(Video={"S3Object": {"Bucket": "bucket", "Name": "clip.mp4"}}, JobTag="tag")

    [request] = standin.requests
    assert request.operation == "StartFaceDetection"
    assert request.body == {"Video": {"S3Object": {"Bucket": "bucket", "Name": "clip.mp4"}}, "JobTag": "tag"}
    assert request.headers["Content-Type"] == "application/x-amz-json-1.1"


def test_refuses_what_no_script_says(client):
    """A call that a test did not expect fails by name."""
    with pytest.raises(ClientError, match="NotScripted"):
        client.get_face_detection(JobId="1")


def test_gives_the_errors_of_the_service(standin, client):
    """A fault is what botocore makes a ClientError of."""
    standin.script("GetFaceDetection", fault("ResourceNotFoundException", "Not here", status=404, request_id="r-7"))

    with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
        client.get_face_detection(JobId="1")

    assert caught.value.response["Error"] == {"Code": "ResourceNotFoundException", "Message": "Not here"}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert caught.value.response["ResponseMetadata"]["RequestId"] == "r-7"


@pytest.mark.parametrize(
    ("reply", "error", "reason"),
    [
        (reset, ConnectionClosedError, "Connection reset by peer"),
        (close, ConnectionClosedError, "Remote end closed connection without response"),
    ],
)
def test_breaks_connections(standin, client, reply, error, reason):
    """A reset and a close look to the client like what they are."""
    standin.script("GetFaceDetection", reply)

    with pytest.raises(error) as caught:
        client.get_face_detection(JobId="1")

    assert reason in str(caught.value.kwargs["error"])


def test_never_answers(standin):
    """The request arrives, and that is all."""
    client = boto3.client("rekognition", endpoint_url=standin.url, config=IMPATIENT)
    standin.script("GetFaceDetection", silence)

    with pytest.raises(ReadTimeoutError):
        client.get_face_detection(JobId="1")

    standin.wait_for(1)
    assert standin.operations() == ["GetFaceDetection"]
    client.close()


def test_cuts_bodies(standin, client):
    """A body ends before its announced length, which not every version of botocore minds."""
    standin.script("GetFaceDetection", Answer({"JobStatus": "SUCCEEDED"}, cut=5))

    try:
        answer = client.get_face_detection(JobId="1")
    except ConnectionClosedError as error:
        answer = error.kwargs

    assert "JobStatus" not in answer


@pytest.mark.usefixtures("credentials")
def test_leaves_nothing_behind():
    """When the block ends, silent and idle connections are over, and the port is free."""
    before = set(threading.enumerate())
    with HttpStandin() as standin:
        standin.script("GetFaceDetection", Answer({}), silence)
        idle = boto3.client("rekognition", endpoint_url=standin.url, config=ONE_ATTEMPT)
        idle.get_face_detection(JobId="1")
        gone = boto3.client("rekognition", endpoint_url=standin.url, config=IMPATIENT)
        with pytest.raises(ReadTimeoutError):
            gone.get_face_detection(JobId="1")

    assert set(threading.enumerate()) <= before
    idle.close()
    gone.close()
