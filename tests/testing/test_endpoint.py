import base64
import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import rekog_emotion as rekog
from rekog_emotion.testing import FakeClient, Fault, FaultPlan, LocalEndpoint, virtual_time
from tests.testing.recordings import OBJECT, PHOTO, VIDEO, Until, image, video

ONCE = Config(retries={"total_max_attempts": 1})
HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "RekognitionService.DetectFaces",
    "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/rekognition/aws4_request, "
    "SignedHeaders=host, Signature=00",
}
BODY = json.dumps({"Image": {"Bytes": base64.b64encode(b"x").decode()}})


@pytest.fixture
def fake():
    """Give a fake that has answers to everything."""
    return FakeClient(images=image(1.0), videos=video(3))


@pytest.fixture
def endpoint(fake):
    """Give an endpoint before it, under virtual time."""
    with virtual_time(), LocalEndpoint(fake) as endpoint:
        yield endpoint


@pytest.fixture
def client(endpoint):
    """Give a boto3 client of the environment that makes one attempt."""
    assert os.environ["AWS_ENDPOINT_URL_REKOGNITION"] == endpoint.url
    client = boto3.client("rekognition", config=ONCE)
    yield client
    client.close()


@pytest.fixture
def connection(endpoint):
    """Give a bare connection to the endpoint."""
    connection = http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=60)
    yield connection
    connection.close()


def ask(connection):
    """Ask for faces without any SDK; return the answer."""
    connection.request("POST", "/", BODY, HEADERS)
    return connection.getresponse()


# --- answers and the environment ---


def test_boto3_as_it_is(client):
    """An unmodified boto3 client finds the endpoint by the environment alone."""
    assert client.detect_faces(Image={"Bytes": b"x"})["FaceDetails"] == image(1.0)["FaceDetails"]
    assert client.meta.region_name == "us-east-1"


def test_library_as_it_is(endpoint, fake):
    """So does the library with its default client: pictures, and videos page by page."""
    assert len(rekog.detect_image(PHOTO).faces) == 1
    fake.script_videos(video(2100), seconds=30)

    assert len(rekog.analyze_video(VIDEO).faces) == 2100
    assert endpoint.count("DetectFaces") == 1
    assert endpoint.count("GetFaceDetection") == fake.count("GetFaceDetection") >= 4
    assert endpoint.count() == len(fake.calls)
    assert endpoint.job_ids == ("fake-job-1",)


def test_other_processes(endpoint):
    """A program that is started in the block goes there, too."""
    program = "import boto3; print(len(boto3.client('rekognition').detect_faces(Image={'Bytes': b'x'})['FaceDetails']))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 -- our own program

    assert (done.stdout, endpoint.count()) == ("1\n", 1)


def test_embedded_engine(tmp_path):
    """Left out, the client is the embedded engine, with the objects of a folder or none."""
    (tmp_path / "bucket").mkdir()
    shutil.copy(PHOTO, tmp_path / "bucket/photo.jpg")

    with LocalEndpoint(media_root=tmp_path):
        assert len(rekog.detect_image("s3://bucket/photo.jpg").faces) == 1
    with LocalEndpoint():
        assert rekog.detect_image(PHOTO).faces[0].dominant_emotion.type == "HAPPY"


def test_environment_is_put_back(fake, monkeypatch):
    """Whatever led boto3 elsewhere is out of the way in the block, and as it was after it."""
    session = boto3.session.Session(region_name="sa-east-1")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("NO_PROXY", "example.org")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    before = dict(os.environ)

    with LocalEndpoint(fake, region_name="ap-south-1") as endpoint:
        client = boto3.client("rekognition")
        assert (client.meta.endpoint_url, client.meta.region_name) == (endpoint.url, "ap-south-1")
        assert os.environ["NO_PROXY"] == "example.org,127.0.0.1"
        assert "AWS_PROFILE" not in os.environ
        client.close()

    assert (dict(os.environ), boto3.DEFAULT_SESSION) == (before, session)


def test_without_boto3(fake, monkeypatch):
    """Where boto3 is not loaded yet, there is no session to put aside."""
    monkeypatch.delitem(sys.modules, "boto3")

    with LocalEndpoint(fake) as endpoint:
        assert os.environ["AWS_ENDPOINT_URL_REKOGNITION"] == endpoint.url


def test_twice(fake):
    """An endpoint that has ended can be entered again; it begins to count anew."""
    endpoint = LocalEndpoint(fake)
    assert (endpoint.count(), endpoint.job_ids) == (0, ())
    for _ in range(2):
        with virtual_time(), endpoint:
            rekog.detect_image(PHOTO)
            assert endpoint.count() == 1


def test_keys(fake):
    """With keys, the environment has them, and another signature is refused.

    They are no words: what a client signs with is taken out of all messages for as long as the client lasts.
    """
    with virtual_time(), LocalEndpoint(fake, keys={"AKIDOTHER": "m4de-up-k3y"}):
        assert len(rekog.detect_image(PHOTO).faces) == 1
        wrong = {"aws_access_key_id": "AKIDOTHER", "aws_secret_access_key": "an0ther-k3y"}
        client = boto3.client("rekognition", config=ONCE, **wrong)
        with pytest.raises(ClientError) as caught:
            client.detect_faces(Image={"Bytes": b"x"})
        client.close()

    assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"


# --- faults, as the wire has them ---


@pytest.mark.parametrize(
    ("fault", "status", "kind", "body"),
    [
        (
            Fault.throttled(),
            400,
            "application/x-amz-json-1.1",
            (
                b'{"__type": "ThrottlingException", "Code": "ThrottlingException", '
                b'"Message": "Slow down; sudden increase in rate of requests."}'
            ),
        ),
        (Fault.unavailable(), 503, "text/html", b"<html><body><h1>503 Service Unavailable</h1></body></html>"),
        (Fault.garbage(b"\0"), 200, "application/x-amz-json-1.1", b"\0"),
        (Fault.empty(), 200, "application/x-amz-json-1.1", b""),
    ],
    ids=["throttled", "gateway", "garbage", "empty"],
)
def test_spoiled_answers(endpoint, fake, connection, fault, status, kind, body):
    """An answer in place of the true one goes out as it is, the call is not carried out, and the connection is good."""
    endpoint.faults.add(fault)

    answer = ask(connection)

    assert (answer.status, answer.headers["Content-Type"], answer.read()) == (status, kind, body)
    assert fake.calls == []
    assert ask(connection).status == 200


@pytest.mark.parametrize(("fault", "calls"), [(Fault.connection_reset(), 0), (Fault.lost_answer(), 1)])
def test_reset(endpoint, fake, connection, fault, calls):
    """A reset is one of TCP, before or after the call was carried out."""
    endpoint.faults.add(fault)

    with pytest.raises(ConnectionResetError):
        ask(connection)
    assert len(fake.calls) == calls


def test_cut(endpoint, connection):
    """Half of the answer comes, under the length of the whole."""
    endpoint.faults.add(Fault.cut_body())

    answer = ask(connection)
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()

    assert answer.status == 200
    assert caught.value.expected - len(caught.value.partial) <= 1
    assert json.dumps(image(1.0), separators=(",", ":")).encode().startswith(caught.value.partial)


def test_trickle(endpoint, connection):
    """A trickling answer comes a byte at a time, and is whole."""
    endpoint.faults.add(Fault.trickling(0))

    assert json.loads(ask(connection).read()) == image(1.0)


def test_trickle_to_nobody(endpoint, connection):
    """Nobody's answer ends, however slow it would be; so does one that is under way when the endpoint ends."""
    endpoint.faults.add(Fault.trickling(0.01), times=2)
    ask(connection).read(1)
    connection.close()
    connection.connect()
    ask(connection).read(1)


def test_delay(endpoint, client):
    """A delayed answer comes when its event is set; others do not wait for it."""
    until, answers = Until(), []
    endpoint.faults.add(Fault.delayed(until))
    slow = threading.Thread(target=lambda: answers.append(client.detect_faces(Image={"Bytes": b"x"})))
    slow.start()
    assert until.waited_for.wait(60)
    assert len(rekog.detect_image(PHOTO).faces) == 1
    assert answers == []
    until.set()
    slow.join(60)

    assert len(answers[0]["FaceDetails"]) == 1


def test_end_lets_go(fake):
    """The end of an endpoint lets a delayed answer go."""
    until, answers = Until(), []
    with LocalEndpoint(fake) as endpoint:
        endpoint.faults.add(Fault.delayed(until))
        client = boto3.client("rekognition", config=ONCE)
        slow = threading.Thread(target=lambda: answers.append(client.detect_faces(Image={"Bytes": b"x"})))
        slow.start()
        assert until.waited_for.wait(60)
    slow.join(60)
    client.close()

    assert until.is_set()
    assert len(answers) == 1


def test_started_jobs(endpoint, client):
    """A start that is repeated, refused or lost counts as a request; a job counts once."""
    endpoint.faults.add(Fault.throttled(), operation="StartFaceDetection")
    for _ in range(3):
        with virtual_time():
            rekog.start_video(VIDEO, client_request_token="t")  # noqa: S106 -- no password
    with pytest.raises(ClientError):
        client.start_face_detection(Video=OBJECT, ClientRequestToken="t", JobTag="other")

    assert (endpoint.count("StartFaceDetection"), endpoint.job_ids) == (5, ("fake-job-1",))


# --- the same plan before the fake and over HTTP ---


@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault.throttled(),
        Fault.throttled(status=500),
        Fault.error("InvalidS3ObjectException", "No."),
        Fault.expired_token(),
        Fault.internal_error(),
        Fault.unavailable(),
        Fault.garbage(),
        Fault.empty(),
        Fault.connection_reset(),
        Fault.lost_answer(),
    ],
    ids=["400", "500", "S3", "expired", "failed", "gateway", "garbage", "empty", "reset", "lost"],
)
def test_same_as_the_fake(fault, times):
    """A plan does the same to the library before the fake and over HTTP: same errors, same attempts."""
    outcomes = []
    for over_http in (False, True):
        plan = FaultPlan()
        plan.add(fault, times=times)
        fake = FakeClient(images=image(1.0), faults=None if over_http else plan)
        with virtual_time():
            if over_http:
                with LocalEndpoint(fake, faults=plan) as endpoint:
                    outcome = outcome_of(None)
                    count = endpoint.count()
            else:
                outcome = outcome_of(fake)
                count = fake.count("DetectFaces")
        outcomes.append((outcome, count))

    assert outcomes[0] == outcomes[1]


def outcome_of(client):
    """Return what analysing a picture comes to: the faces, or the kind of the error and its code."""
    try:
        return len(rekog.detect_image(PHOTO, client=client).faces)
    except rekog.RekogEmotionError as error:
        return type(error), getattr(error, "code", None), getattr(error, "status", None)


def test_pages_of_an_origin_may_ask(fake):
    """A test in a browser names where its page is from; without that it is kept out."""
    statuses = []
    for origins in ([], ["http://localhost:3000"]):
        with LocalEndpoint(fake, allow_origins=origins) as endpoint:
            connection = http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=60)
            connection.request("POST", "/", BODY, {**HEADERS, "Origin": "http://localhost:3000"})
            answer = connection.getresponse()
            statuses.append((answer.status, answer.getheader("access-control-allow-origin")))
            connection.close()

    assert statuses[0] == (403, None)
    assert statuses[1][1] == "http://localhost:3000"


def test_a_missing_script_is_the_answer(caplog):
    """Whoever asks a fake that has nothing to say reads how to give it something, and asks once."""
    fake = FakeClient()
    with LocalEndpoint(fake) as endpoint:
        client = boto3.client("rekognition")
        with pytest.raises(ClientError) as caught:
            client.detect_faces(Image={"Bytes": b"x"})
        client.close()
        with pytest.raises(rekog.ServiceError) as failed:
            rekog.start_video("s3://bucket/clip.mp4")
        asked = endpoint.count("DetectFaces"), endpoint.count("StartFaceDetection")

    said = "FakeClient has no answer for DetectFaces: give it some with script_images()"
    assert caught.value.response["Error"] == {"Code": "AssertionError", "Message": said}
    said = "FakeClient has no answer for StartFaceDetection: give it some with script_videos()"
    assert said in str(failed.value)
    assert asked == (1, 1)
    assert caplog.messages == []


def test_an_assertion_without_a_word():
    """Is an answer, too."""

    class Silent(FakeClient):
        def detect_faces(self, **_):
            raise AssertionError

    with LocalEndpoint(Silent()):
        client = boto3.client("rekognition")
        with pytest.raises(ClientError, match=r"\(AssertionError\).*: a client of the test failed without a word$"):
            client.detect_faces(Image={"Bytes": b"x"})
        client.close()
