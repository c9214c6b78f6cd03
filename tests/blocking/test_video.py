import base64
import inspect
import io
from pathlib import Path

import boto3
import pytest
from PIL import Image

from rekog_emotion import (
    InvalidInputError,
    S3Object,
    VideoJob,
    analyze_video,
    analyze_videos,
    detect_image,
    start_video,
)
from rekog_emotion.clients.aws import aws_client
from rekog_emotion.flows.request import ATTRIBUTES
from tests.http_standin import Answer

PHOTO = Path(__file__).parents[1] / "data" / "astronaut.jpg"
KNOWN = (
    "ALL, DEFAULT, AGE_RANGE, BEARD, EMOTIONS, EYEGLASSES, EYES_OPEN, EYE_DIRECTION, FACE_OCCLUDED, GENDER, "
    "MOUTH_OPEN, MUSTACHE, SMILE, SUNGLASSES"
)


@pytest.fixture
def client(standin):
    """Give our own client, at a stand-in that finds one face."""
    standin.script("DetectFaces", Answer({"FaceDetails": [{"Confidence": 99.5}]}))
    client = aws_client()
    yield client
    client.close()


def encoded(image_format, **options):
    """Return a grey picture of 100 x 90 pixels as a file's bytes."""
    file = io.BytesIO()
    Image.new("L", (100, 90), 128).save(file, image_format, **options)
    return file.getvalue()


# --- what is asked for ---


def test_knows_the_services_attributes():
    """The list is the one of the installed service model."""
    model = boto3.session.Session().client("rekognition", region_name="eu-west-1").meta.service_model

    assert set(ATTRIBUTES) == set(model.shape_for("Attribute").enum)


@pytest.mark.parametrize(
    ("attributes", "asked"),
    [
        ("ALL", ["ALL"]),
        ("DEFAULT", ["DEFAULT"]),
        ("EMOTIONS", ["EMOTIONS"]),
        (["DEFAULT", "EMOTIONS"], ["DEFAULT", "EMOTIONS"]),
        (("SMILE", "GENDER"), ["SMILE", "GENDER"]),
        (ATTRIBUTES, list(ATTRIBUTES)),
    ],
)
def test_asks_for_attributes(standin, client, attributes, asked):
    """One name or several, as the service spells them."""
    detect_image(PHOTO, client=client, attributes=attributes)

    assert standin.requests[0].body["Attributes"] == asked


def test_asks_for_all_unless_told(standin, client):
    """The service's own default has no emotions."""
    detect_image(PHOTO, client=client)

    assert standin.requests[0].body["Attributes"] == ["ALL"]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ("EMOTION", f"attributes= has 'EMOTION', which the service does not know; it knows {KNOWN}"),
        ("all", f"attributes= has 'all', which the service does not know; it knows {KNOWN}"),
        ("", f"attributes= has '', which the service does not know; it knows {KNOWN}"),
        (["ALL", "AGE"], f"attributes= has 'AGE', which the service does not know; it knows {KNOWN}"),
        (["ALL", None], f"attributes= has None, which the service does not know; it knows {KNOWN}"),
        ([["ALL"]], f"attributes= has ['ALL'], which the service does not know; it knows {KNOWN}"),
        ([], 'attributes= is empty: ask for "ALL", "DEFAULT" or a list of names'),
        (None, 'attributes= got NoneType: ask for "ALL", "DEFAULT" or a list of names'),
        (7, 'attributes= got int: ask for "ALL", "DEFAULT" or a list of names'),
    ],
)
def test_refuses_unknown_attributes(standin, client, attributes, message):
    """Before anything is sent."""
    with pytest.raises(InvalidInputError) as caught:
        detect_image(PHOTO, client=client, attributes=attributes)

    assert str(caught.value) == message
    assert standin.requests == []


# --- what is sent ---


@pytest.mark.parametrize(
    "data",
    [
        PHOTO.read_bytes(),
        encoded("JPEG"),
        encoded("JPEG", progressive=True, quality=3),
        encoded("PNG"),
    ],
    ids=["portrait", "grey JPEG", "progressive JPEG", "grey PNG"],
)
def test_sends_bytes_as_they_are(standin, client, data):
    """What arrives is the file, byte for byte."""
    detect_image(data, client=client)

    assert base64.b64decode(standin.requests[0].body["Image"]["Bytes"]) == data


@pytest.mark.parametrize(
    ("source", "wire"),
    [
        ("s3://photos/a b/ä?c#d.jpg", {"Bucket": "photos", "Name": "a b/ä?c#d.jpg"}),
        ("s3://photos/a.jpg?versionId=7", {"Bucket": "photos", "Name": "a.jpg", "Version": "7"}),
        (S3Object(bucket="photos", name="a.jpg"), {"Bucket": "photos", "Name": "a.jpg"}),
    ],
)
def test_sends_addresses_in_the_services_form(standin, client, source, wire):
    """The service fetches objects in S3 by itself."""
    detect_image(source, client=client)

    assert standin.requests[0].body["Image"] == {"S3Object": wire}


# --- what comes back ---


def test_gives_the_analysis(client):
    """With what was looked at, by whom, and what AWS support asks for."""
    photo = detect_image(PHOTO, client=client)

    assert [face.confidence for face in photo.faces] == [99.5]
    assert (photo.size, photo.engine, photo.source) == ((512, 512), "aws", str(PHOTO))
    assert photo.response_metadata["HTTPStatusCode"] == 200


def test_the_size_of_an_object_in_s3_is_unknown(client):
    """Nobody here has seen it."""
    photo = detect_image("s3://photos/a.jpg", client=client)

    assert (photo.size, photo.source) == (None, "s3://photos/a.jpg")


def test_the_client_may_be_left_out(standin, client):
    """Then it is our own for AWS."""
    assert len(detect_image(PHOTO).faces) == 1
    assert client.meta.endpoint_url == standin.url


@pytest.mark.parametrize(
    ("client_says", "answer_says", "engine"),
    [("mine", None, "mine"), ("mine", "embedded", "embedded"), (None, None, "Client"), (None, "other", "other")],
)
def test_who_made_it(client_says, answer_says, engine):
    """The answer knows best: a server may stand before another engine."""

    class Client:
        if client_says:
            engine = client_says

        def detect_faces(self, **_):
            headers = {"x-rekog-emotion-engine": answer_says} if answer_says else {}
            return {"FaceDetails": [], "ResponseMetadata": {"HTTPHeaders": headers}}

        start_face_detection = get_face_detection = detect_faces

    assert detect_image(PHOTO, client=Client()).engine == engine


# --- videos: the life of a job has its own tests ---


def test_analyzes_a_video(standin, clock, client):
    """It starts a job, waits for it on the library's clock and reads all pages."""
    standin.script("StartFaceDetection", Answer({"JobId": "j-1"}))
    standin.script(
        "GetFaceDetection",
        Answer({"JobStatus": "IN_PROGRESS"}),
        Answer({"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": 0}], "NextToken": "2"}),
        Answer({"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": 500}]}),
    )

    clip = analyze_video("s3://clips/a.mp4", client=client)

    assert [face.timestamp_ms for face in clip.faces] == [0, 500]
    assert clip.engine == "aws"
    assert standin.operations() == ["StartFaceDetection"] + ["GetFaceDetection"] * 3
    assert len(clock.sleeps) == 1


def test_the_time_of_a_video_begins_with_its_job(standin, clock, client):
    """What a slow start took is there for the wait; for ever is for ever."""
    standin.script("StartFaceDetection", lambda handler: (clock.advance(59), Answer({"JobId": "j-1"})(handler)))
    standin.script("GetFaceDetection", Answer({"JobStatus": "IN_PROGRESS"}))

    with pytest.raises(TimeoutError):
        analyze_video("s3://clips/a.mp4", client=client, timeout=60)
    assert 59 + 60 / 1.11 <= clock.now() <= 119

    standin.script("GetFaceDetection", Answer({"JobStatus": "SUCCEEDED", "Faces": []}))
    assert analyze_video("s3://clips/a.mp4", client=client, timeout=None).faces == ()


def test_starts_a_video(standin, client):
    """And comes back with the job."""
    standin.script("StartFaceDetection", Answer({"JobId": "j-1"}))

    job = start_video("s3://clips/a.mp4", client=client, job_tag="tag")

    assert job.job_id == "j-1"
    assert standin.requests[0].body["JobTag"] == "tag"


@pytest.mark.parametrize("way", [analyze_video, VideoJob.start])
def test_all_ways_to_start_a_video_take_the_same_options(way):
    """By the same names, with the same defaults."""

    def options(function):
        return {name: option.default for name, option in inspect.signature(function).parameters.items()}

    assert {name: default for name, default in options(way).items() if name != "timeout"} == options(start_video)


# --- the options of the verbs for videos ---

# An editor, help() and the reference show the whole list of each, which is why it stands four times.
OF_ONE_VIDEO = {"client_request_token", "notification_channel", "video_length"}


def options(verb):
    """Return default and annotation of each keyword-only parameter, in order."""
    return [
        (one.name, one.default, one.annotation.replace("_waiting.", ""))
        for one in inspect.signature(verb).parameters.values()
        if one.kind is one.KEYWORD_ONLY
    ]


def without(verb, *names):
    """Return the options of a verb without some."""
    return [one for one in options(verb) if one[0] not in names]


def test_verbs_for_videos_have_the_same_options():
    """Names, defaults, types and order are those of `start_video`, but for what each does more or cannot have."""
    assert options(VideoJob.start) == options(start_video)
    assert without(analyze_video, "timeout") == options(start_video)
    assert without(analyze_videos, "max_jobs") == without(analyze_video, *OF_ONE_VIDEO)


@pytest.mark.parametrize("verb", [start_video, analyze_video])
def test_options_are_passed_on(verb, monkeypatch):
    """Each option arrives where a job is started, as it was given."""
    given = {name: object() for name, *_ in without(verb, "timeout")}
    started = []

    class Job:
        """A job that has ended."""

        def result(self, **_):
            """Give nothing."""

    def start(source, **passed):
        started.append((source, passed))
        return Job()

    monkeypatch.setattr(VideoJob, "start", start)

    verb("clip.mp4", **given)

    assert started == [("clip.mp4", given)]


def test_options_of_many_videos_are_passed_on(monkeypatch):
    """Each option arrives at every video, but for those that many share or that are told apart."""
    own = ("max_jobs", "client", "slot_timeout", "timeout", "on_progress", "cancel")
    given = {name: object() for name, *_ in without(analyze_videos, *own)} | {
        "face_attributes": "DEFAULT",
        "job_tag": "t",
    }
    passed = []

    class Job:
        """A job that has ended."""

        def result(self, **options):
            """Give nothing."""
            passed[0][1]["timeout"] = options["timeout"]

    monkeypatch.setattr(VideoJob, "start", lambda source, **options: (passed.append((source, options)), Job())[1])

    list(analyze_videos(["a.mp4"], client="embedded", slot_timeout=1, timeout=2, **given))

    ((source, arrived),) = passed
    assert source == "a.mp4"
    assert set(arrived) == {name for name, *_ in without(analyze_videos, "max_jobs")}
    assert {name: arrived[name] for name in given} == given
    assert (arrived["slot_timeout"], arrived["timeout"]) == (1.0, 2.0)
