import base64
import inspect
import io
import re
import threading
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
    wait_for_videos,
)
from rekog_emotion.clients.aws import aws_client
from rekog_emotion.flows.request import ATTRIBUTES
from tests.http_standin import Answer

CLIP = Path(__file__).parents[1] / "data" / "people.mp4"

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
        ("all", ["ALL"]),
        ("Emotions, smile", ["EMOTIONS", "SMILE"]),
        ([" default", "Eyes_Open"], ["DEFAULT", "EYES_OPEN"]),
    ],
)
def test_asks_for_attributes(standin, client, attributes, asked):
    """One name or several, which are spelt as the service spells them."""
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
        ("emotions,nose", f"attributes= has 'NOSE', which the service does not know; it knows {KNOWN}"),
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


# --- the options of the verbs for videos ---

START = {
    "client": None,
    "staging": None,
    "s3_client": None,
    "clock": None,
    "slot_timeout": 3600.0,
    "attributes": "ALL",
    "sample_rate": None,
    "job_tag": None,
    "notify": None,
    "client_request_token": None,
    "notification_channel": None,
    "video_length": None,
    "on_progress": None,
    "cancel": None,
}
# What is looked at before a job is started.
CHECKED = {
    "slot_timeout": 7,
    "attributes": "DEFAULT",
    "sample_rate": None,
    "job_tag": "t",
    "notify": None,
    "client_request_token": "mine",
    "notification_channel": {"SNSTopicArn": "arn:t", "RoleArn": "arn:r"},
    "video_length": 90,
    "on_progress": print,
    "cancel": threading.Event(),
}
OF_ONE_VIDEO = {"client_request_token", "notification_channel", "video_length"}
OPTIONS = {
    start_video: START,
    VideoJob.start: START,
    analyze_video: START | {"timeout": 3600.0},
    analyze_videos: {name: START[name] for name in START if name not in OF_ONE_VIDEO}
    | {"timeout": 3600.0, "max_jobs": 20},
    wait_for_videos: {"timeout": 3600.0, "on_progress": None, "cancel": None},
}
each_verb = pytest.mark.parametrize("verb", OPTIONS, ids=lambda verb: verb.__qualname__)


def parameters(verb):
    """Return the keyword-only parameters that Python shows of a verb."""
    return {name: one for name, one in inspect.signature(verb).parameters.items() if one.kind is one.KEYWORD_ONLY}


@each_verb
def test_shows_every_option(verb):
    """With its real default, for help(), editors and the reference; no ``**options`` is left."""
    shown = inspect.signature(verb).parameters.values()

    assert {name: one.default for name, one in parameters(verb).items()} == OPTIONS[verb]
    assert [one.name for one in shown if one.kind is one.POSITIONAL_OR_KEYWORD] in (["source"], ["sources"], ["jobs"])
    assert len(shown) == len(OPTIONS[verb]) + 1


def test_options_have_the_same_types_everywhere():
    """As they are written where they stand once."""
    seen = {}
    for verb in OPTIONS:
        for name, one in parameters(verb).items():
            assert seen.setdefault(name, one.annotation) == one.annotation

    assert seen == {
        "client": "RekognitionClient | ClientName | None",
        "staging": "Staging | str | None",
        "s3_client": "Any",
        "clock": "Clock | None",
        "slot_timeout": "Seconds",
        "timeout": "Seconds",
        "attributes": "str | Sequence[str]",
        "sample_rate": "float | None",
        "job_tag": "str | None",
        "notify": "SnsSqs | None",
        "client_request_token": "str | None",
        "notification_channel": "Mapping[str, str] | None",
        "video_length": "Seconds",
        "on_progress": "OnProgress | None",
        "cancel": "threading.Event | None",
        "max_jobs": "int",
    }


@each_verb
def test_says_what_every_option_is(verb):
    """Its docstring describes each once, and names the default that is used."""
    arguments = inspect.getdoc(verb).partition("\nArgs:\n")[2].partition("\n\n")[0]
    entries = dict(re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", arguments, re.MULTILINE))

    assert sorted(entries) == sorted([*inspect.signature(verb).parameters])
    for name, default in OPTIONS[verb].items():
        written = f'"{default}"' if isinstance(default, str) else repr(default)
        assert f"Default: ``{written}``" in " ".join(entries[name].split()), name


@each_verb
def test_unknown_options_are_errors_as_pythons_own(verb):
    """A word that is misspelt is no option, and nothing is looked at before."""
    with pytest.raises(TypeError) as caught:
        verb([], tiemout=3)

    assert str(caught.value) == f"{verb.__qualname__}() got an unexpected keyword argument 'tiemout'"


@each_verb
def test_arguments_are_counted_as_pythons_own(verb):
    """Options are named; what a verb is about is not left out."""
    taken = 2 if verb == VideoJob.start else 1

    with pytest.raises(TypeError) as caught:
        verb([], "aws")
    name = f"{verb.__qualname__}()"
    assert (
        str(caught.value) == f"{name} takes {taken} positional argument{'s' * (taken > 1)} but {taken + 1} were given"
    )

    with pytest.raises(TypeError, match=f"^{re.escape(name)} missing 1 required positional argument: "):
        verb()


def test_an_option_of_one_video_is_none_of_many():
    """One token is one job; many have one each."""
    with pytest.raises(
        TypeError, match=r"^analyze_videos\(\) got an unexpected keyword argument 'client_request_token'$"
    ):
        analyze_videos([], client_request_token="mine")  # noqa: S106 -- no secret


@pytest.mark.parametrize("verb", [start_video, analyze_video])
def test_options_are_passed_on(verb, monkeypatch):
    """Each option arrives where a job is started, as it was given."""
    given = {name: object() for name in START if name not in CHECKED} | CHECKED
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
    own = {*OF_ONE_VIDEO, "client", "on_progress", "cancel"}
    checked = {name: CHECKED[name] for name in CHECKED if name not in own}
    given = {name: object() for name in START if name not in own and name not in checked} | checked
    passed, results = [], []

    class Job:
        """A job that has ended."""

        def result(self, **options):
            """Give nothing."""
            results.append(options)

    monkeypatch.setattr(VideoJob, "start", lambda source, **options: (passed.append((source, options)), Job())[1])

    list(analyze_videos(["a.mp4"], client="embedded", timeout=2, **given))

    ((source, arrived),), (waited,) = passed, results
    assert source == "a.mp4"
    assert set(arrived) == set(START) - OF_ONE_VIDEO
    assert {name: arrived[name] for name in given} == given
    assert (waited["timeout"], waited["cancel"], waited["on_progress"]) == (2.0, arrived["cancel"], None)


@pytest.mark.parametrize("verb", [start_video, analyze_video, analyze_videos], ids=lambda verb: verb.__name__)
@pytest.mark.parametrize("source", ["s3://bucket/clip.mp4", str(CLIP)], ids=["object", "file"])
def test_the_rate_of_the_service_is_fixed(verb, source, standin):
    """Another one is refused before anything is uploaded or started, of many videos once."""
    given = [source] if verb is analyze_videos else source

    with pytest.raises(InvalidInputError) as caught:
        verb(given, client="aws", staging="s3://my-uploads/a/", sample_rate=5)

    assert str(caught.value) == (
        "sample_rate=5 is for the embedded engine alone: Rekognition looks at two pictures a second; leave it out, or "
        'stay offline with client="embedded"'
    )
    assert standin.requests == []


@pytest.mark.parametrize(
    ("attributes", "asked"),
    [
        ("ALL", "ALL"),
        ("all", "ALL"),
        ("DEFAULT", "DEFAULT"),
        (["default"], "DEFAULT"),
        ("EMOTIONS", "ALL"),
        (["DEFAULT", "EMOTIONS"], "ALL"),
        ("default,smile", "ALL"),
    ],
)
def test_attributes_serve_photos_and_videos_alike(standin, client, attributes, asked):
    """The same words go to both verbs; of a video the service knows two sets, of which the larger has what is asked."""
    standin.script("StartFaceDetection", Answer({"JobId": "j-1"}))

    start_video("s3://bucket/clip.mp4", client=client, attributes=attributes)
    detect_image(PHOTO, client=client, attributes=attributes)

    assert standin.requests[0].body["FaceAttributes"] == asked


@pytest.mark.parametrize("verb", [start_video, analyze_video, analyze_videos], ids=lambda verb: verb.__name__)
def test_refuses_unknown_attributes_of_videos(verb, standin, client):
    """In the same words as of photos, and before anything is sent."""
    with pytest.raises(InvalidInputError) as caught:
        verb(["a.mp4"] if verb is analyze_videos else "s3://bucket/a.mp4", client=client, attributes="NOSE")

    assert str(caught.value) == f"attributes= has 'NOSE', which the service does not know; it knows {KNOWN}"
    assert standin.requests == []
