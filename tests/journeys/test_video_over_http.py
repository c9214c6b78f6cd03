"""Videos against a real HTTP server, with an unmodified boto3 client and with our own."""

import boto3
import pytest
from botocore.config import Config

from rekog_emotion import InternalServiceError, TransportError, VideoAnalysis, analyze_video, aws_client, start_video
from tests.http_standin import Answer, fault, reset, silence
from tests.scripted import IN_PROGRESS, STARTED, page

VIDEO = "s3://bucket/clip.mp4"
SOON = 1.0  # in which a busy machine answers what is answered at all


@pytest.fixture
def read_timeout():
    """Give the seconds after which clients run out of patience, which a test may name where an answer never comes."""
    return 60.0


@pytest.fixture(params=["boto3", "ours"])
def client(request, standin, read_timeout):
    """Give a client as boto3 makes it, and ours."""
    if request.param == "boto3":
        client = boto3.client("rekognition", endpoint_url=standin.url, config=Config(read_timeout=read_timeout))
    else:
        client = aws_client(endpoint_url=standin.url, read_timeout=read_timeout)
    yield client
    client.close()


@pytest.fixture
def quick_retries(monkeypatch):
    """Let botocore's own retries wait no time; ours do not, by the clock."""
    monkeypatch.setattr("botocore.retryhandler.delay_exponential", lambda *_, **__: 0)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


def sent(standin, operation, member):
    """Return a member of every request of an operation, in order."""
    return [request.body.get(member) for request in standin.requests if request.operation == operation]


def test_six_calls(standin, client, clock):
    """Three answers "not yet" and three pages cost six calls, and every face is there once."""
    standin.script("StartFaceDetection", Answer(STARTED))
    pages = [page(0, 0, then="a"), page(500, then="b"), page(1000, 1500)]
    standin.script("GetFaceDetection", *[Answer(IN_PROGRESS)] * 3, *map(Answer, pages))

    clip = analyze_video(VIDEO, client=client)

    assert standin.operations() == ["StartFaceDetection", *["GetFaceDetection"] * 6]
    assert sent(standin, "GetFaceDetection", "NextToken") == [None, None, None, None, "a", "b"]
    assert sent(standin, "GetFaceDetection", "MaxResults") == [1000] * 6
    assert [face.timestamp_ms for face in clip.faces] == [0, 0, 500, 1000, 1500]
    assert (clip.engine, clip.status, clip.next_token) == ("aws", "SUCCEEDED", None)
    assert len(clock.sleeps) == 3


def test_the_start_on_the_wire(standin, client):
    """All attributes, a token and the object go out, and nothing else."""
    standin.script("StartFaceDetection", Answer(STARTED))

    start_video("s3://bucket/a b/clip.mp4?versionId=v-1", client=client)

    [request] = standin.requests
    token = request.body.pop("ClientRequestToken")
    assert len(token) == 32
    assert request.body == {
        "FaceAttributes": "ALL",
        "Video": {"S3Object": {"Bucket": "bucket", "Name": "a b/clip.mp4", "Version": "v-1"}},
    }


@pytest.mark.usefixtures("clock")
def test_two_calls_are_two_jobs(standin, client):
    """The same video twice sends two tokens: nobody is given yesterday's job."""
    standin.script("StartFaceDetection", Answer(STARTED))
    standin.script("GetFaceDetection", Answer(page()))

    for _ in range(2):
        analyze_video(VIDEO, client=client)

    first, second = sent(standin, "StartFaceDetection", "ClientRequestToken")
    assert first != second


@pytest.mark.usefixtures("clock", "quick_retries")
@pytest.mark.parametrize(
    ("break_off", "read_timeout"),
    [(silence, SOON), (reset, 60.0), (fault("InternalServerError", status=500), 60.0)],
    ids=["silence", "reset", "5xx"],
)
def test_a_start_that_is_tried_again_is_one_job(standin, client, break_off):
    """A start whose answer never came goes out again with the token that it had."""
    standin.script("StartFaceDetection", break_off, break_off, Answer(STARTED))

    assert start_video(VIDEO, client=client).job_id == "j-1"

    tokens = sent(standin, "StartFaceDetection", "ClientRequestToken")
    assert len(tokens) == 3
    assert len(set(tokens)) == 1


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("read_timeout", [SOON])
def test_polls_outlive_a_failing_service(standin, client, clock):
    """Throttling, failures and a silent connection are longer waits; no face is lost or comes twice."""
    standin.script("StartFaceDetection", Answer(STARTED))
    standin.script(
        "GetFaceDetection",
        Answer(IN_PROGRESS),
        *[fault("ThrottlingException", "Rate exceeded", status=400)] * 8,
        *[reset] * 8,
        silence,
        Answer(page(0, then="a")),
        fault("InternalServerError", status=500),
        Answer(page(500)),
    )

    clip = analyze_video(VIDEO, client=client)

    assert clip == VideoAnalysis.from_aws(page(0, 500))
    assert clock.now() > 3


@pytest.mark.usefixtures("clock", "quick_retries")
@pytest.mark.parametrize(
    ("reply", "error"),
    [(reset, TransportError), (fault("Oops", status=500), InternalServiceError)],
    ids=["lost", "5xx"],
)
def test_a_start_that_never_works(standin, client, reply, error):
    """The attempts are the client's, which nothing multiplies, or our five."""
    standin.script("StartFaceDetection", reply)
    with pytest.raises(Exception, match=r"StartFaceDetection|Connection"):
        client.start_face_detection(Video={"S3Object": {"Bucket": "bucket", "Name": "clip.mp4"}})
    by_itself = len(standin.requests)

    with pytest.raises(error):
        start_video(VIDEO, client=client)

    assert len(standin.requests) - by_itself == (5 if by_itself == 1 else by_itself)
