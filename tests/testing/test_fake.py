import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from attrs import evolve
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

import rekog_emotion as rekog
from rekog_emotion.testing import Call, FakeClient, Fault, FaultPlan, VirtualClock, virtual_time
from tests.testing.recordings import FAILED, OBJECT, PHOTO, VIDEO, Until, image, video

DAY = 86400.0
RECORDINGS = os.environ.get("REKOG_EMOTION_RECORDINGS")
SERVICE = ServiceModel(create_loader().load_service_model("rekognition", "service-2"), "rekognition")


@pytest.fixture
def time():
    """Let the library live by a virtual clock."""
    with virtual_time() as clock:
        yield clock


def bare(answer):
    """Return an answer without its ``ResponseMetadata``."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def start(fake, **parameters):
    """Start a job and return its id."""
    return fake.start_face_detection(Video=OBJECT, **parameters)["JobId"]


def refused(call, **parameters):
    """Return operation, code, message and status of the error that a call raises."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    error = response["Error"]
    return caught.value.operation_name, error["Code"], error["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


# --- pictures ---


def test_images_in_turn():
    """Pictures get the answers in turn, and the last one from then on."""
    fake = FakeClient(images=[image(1.0), image()])

    analyses = [rekog.detect_image(PHOTO, client=fake) for _ in range(3)]

    assert [[face.confidence for face in analysis.faces] for analysis in analyses] == [[1.0], [], []]
    assert analyses[0].engine == "fake"


@pytest.mark.parametrize("kind", ["mapping", "str", "path", "analysis"])
def test_recordings(tmp_path, kind):
    """A recording is a mapping, a file of JSON, or what the library made of an answer; one or several."""
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps(image(7.0)))
    analysis = rekog.ImageAnalysis.from_aws(image(7.0))
    recording = {"mapping": image(7.0), "str": str(path), "path": path, "analysis": analysis}[kind]

    for images in (recording, [recording]):
        answer = FakeClient(images=images).detect_faces(Image={"Bytes": b"x"})
        assert bare(answer) == image(7.0)


def test_no_script():
    """A fake that was given nothing says what it lacks."""
    fake = FakeClient()

    with pytest.raises(AssertionError) as caught:
        rekog.detect_image(PHOTO, client=fake)
    assert str(caught.value) == "FakeClient has no answer for DetectFaces: give it some with script_images()"
    with pytest.raises(AssertionError) as caught:
        rekog.start_video(VIDEO, client=fake)
    assert str(caught.value) == "FakeClient has no answer for StartFaceDetection: give it some with script_videos()"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": video()}, "the recording is no answer of DetectFaces: it has no FaceDetails"),
        ({"videos": image()}, "the recording is no answer of GetFaceDetection: it has no JobStatus"),
        ({"images": "list.json"}, "list.json is no answer of DetectFaces: it has no FaceDetails"),
        (
            {"images": "text.json"},
            "text.json is no answer of DetectFaces: it is no JSON (Expecting value: line 1 column 1 (char 0))",
        ),
    ],
)
def test_wrong_recordings(tmp_path, monkeypatch, options, message):
    """A recording of something else is refused at once."""
    monkeypatch.chdir(tmp_path)
    Path("list.json").write_text("[]")
    Path("text.json").write_text("faces")

    with pytest.raises(rekog.InvalidInputError) as caught:
        FakeClient(**options)

    assert str(caught.value) == message


def test_answers_are_copies():
    """What is done to an answer, or to a recording, changes no later answer."""
    recording = image(1.0)
    fake = FakeClient(images=recording)
    recording["FaceDetails"].clear()
    fake.detect_faces(Image={})["FaceDetails"].clear()

    assert bare(fake.detect_faces(Image={})) == image(1.0)


def test_a_test_that_fails_prints_no_picture():
    """Of what was sent a call shows the beginning."""
    fake = FakeClient(images=image())
    rekog.detect_image(PHOTO, client=fake, attributes=["SMILE", "AGE_RANGE"])

    shown = repr(fake.calls)

    assert shown.startswith("[Call(operation='DetectFaces', parameters={'Attributes': ['SMILE', 'AGE_RANGE'], ")
    assert len(shown) < 250


def test_calls():
    """Every call is written down with the parameters that were given."""
    fake = FakeClient(images=image(), videos=video())
    fake.detect_faces(Image={"Bytes": b"x"}, Attributes=["ALL"])
    job_id = start(fake, ClientRequestToken="t", JobTag="tag", FaceAttributes="ALL")
    fake.get_face_detection(JobId=job_id, MaxResults=7)

    assert fake.calls == [
        Call("DetectFaces", {"Image": {"Bytes": b"x"}, "Attributes": ["ALL"]}),
        Call(
            "StartFaceDetection",
            {"Video": OBJECT, "ClientRequestToken": "t", "FaceAttributes": "ALL", "JobTag": "tag"},
        ),
        Call("GetFaceDetection", {"JobId": job_id, "MaxResults": 7}),
    ]
    assert [fake.count(name) for name in ("DetectFaces", "GetFaceDetection")] == [1, 1]


# --- jobs ---


def test_job_takes_its_time(time):
    """A job is IN_PROGRESS until its seconds have passed; the library waits without taking time."""
    fake = FakeClient()
    fake.script_videos(video(3), seconds=90)

    analysis = rekog.analyze_video(VIDEO, client=fake)

    assert [face.timestamp_ms for face in analysis.faces] == [0, 500, 1000]
    assert 90 <= time.now() < 110
    assert fake.count("GetFaceDetection") == len(time.sleeps) + 1


def test_own_clock():
    """With a clock of its own, the fake lives by that."""
    clock = VirtualClock()
    fake = FakeClient(videos=video(), clock=clock)
    fake.script_videos(video(), seconds=10)
    job_id = start(fake, JobTag="t")

    assert bare(fake.get_face_detection(JobId=job_id)) == {
        "JobStatus": "IN_PROGRESS",
        "Faces": [],
        "JobId": job_id,
        "Video": OBJECT,
        "JobTag": "t",
    }
    clock.advance(10)
    assert fake.get_face_detection(JobId=job_id)["JobStatus"] == "SUCCEEDED"


@pytest.mark.usefixtures("time")
def test_failed_job():
    """A recording of a job that failed lets a job fail."""
    fake = FakeClient(videos=[FAILED, video()])

    with pytest.raises(rekog.JobFailedError, match=r"Unsupported codec/format\."):
        rekog.analyze_video(VIDEO, client=fake)
    assert "Faces" not in fake.get_face_detection(JobId="fake-job-1")
    assert len(rekog.analyze_video(VIDEO, client=fake).faces) == 1


@pytest.mark.usefixtures("time")
def test_endless_job():
    """A recording of a job that is IN_PROGRESS stands for one that never ends."""
    with pytest.raises(rekog.JobTimeoutError):
        rekog.analyze_video(VIDEO, client=FakeClient(videos={"JobStatus": "IN_PROGRESS"}), timeout=3600)


@pytest.mark.usefixtures("time")
def test_pages():
    """Results are cut into pages as asked for, a thousand faces at most, and every face comes once."""
    fake = FakeClient(videos=video(2500, NextToken="recorded"))
    analysis = rekog.analyze_video(VIDEO, client=fake)
    assert [face.timestamp_ms for face in analysis.faces] == [500 * k for k in range(2500)]
    assert fake.count("GetFaceDetection") == 3

    pages, token = [], {}
    while token is not None:
        answer = fake.get_face_detection(JobId="fake-job-1", MaxResults=999, **token)
        pages.append(len(answer["Faces"]))
        token = {"NextToken": answer["NextToken"]} if "NextToken" in answer else None
    assert pages == [999, 999, 502]


@pytest.mark.usefixtures("time")
def test_video_analysis_replays():
    """What the library read of a video can be replayed."""
    first = rekog.analyze_video(VIDEO, client=FakeClient(videos=video(3)))
    second = rekog.analyze_video(VIDEO, client=FakeClient(videos=first))

    assert second.faces == first.faces


def test_expiry(time):
    """Page tokens last a day, results seven; nobody else's token is good."""
    fake = FakeClient(videos=video(3))
    mine, other = start(fake), start(fake)
    token = fake.get_face_detection(JobId=mine, MaxResults=2)["NextToken"]
    bad_page = ("GetFaceDetection", "InvalidPaginationTokenException", "Invalid Pagination Token", 400)
    no_job = ("GetFaceDetection", "ResourceNotFoundException", "Could not find JobId", 400)

    assert refused(fake.get_face_detection, JobId=other, NextToken=token) == bad_page
    assert refused(fake.get_face_detection, JobId=mine, NextToken="x") == bad_page
    time.advance(DAY)
    assert len(fake.get_face_detection(JobId=mine, NextToken=token)["Faces"]) == 1
    time.advance(1)
    assert refused(fake.get_face_detection, JobId=mine, NextToken=token) == bad_page
    time.advance(6 * DAY)
    assert refused(fake.get_face_detection, JobId=mine) == no_job
    assert refused(fake.get_face_detection, JobId="unknown") == no_job


def test_request_tokens(time):
    """The same token with the same parameters gives the same job, for seven days; other parameters are refused."""
    fake = FakeClient(videos=video())
    token = {"ClientRequestToken": "t"}
    first = start(fake, **token)

    assert start(fake, **token) == first
    assert start(fake, ClientRequestToken="u") != first
    assert refused(fake.start_face_detection, Video=OBJECT, JobTag="other", **token)[1] == (
        "IdempotentParameterMismatchException"
    )
    time.advance(7 * DAY + 1)
    assert start(fake, **token) != first


def test_slots(time):
    """As many jobs may be open as were said; the library waits for a slot."""
    fake = FakeClient(max_jobs=2)
    fake.script_videos(video(), seconds=300)
    start(fake), start(fake)

    assert refused(fake.start_face_detection, Video=OBJECT) == (
        "StartFaceDetection",
        "LimitExceededException",
        "2 open Jobs for User arn:aws:iam::123456789012:user/test Maximum limit: 2",
        400,
    )
    assert len(rekog.analyze_video(VIDEO, client=fake).faces) == 1
    assert time.now() >= 600


def test_answers_are_the_services():
    """Every answer has the shape that botocore's model of the service gives it."""
    fake = FakeClient(images=image(1.0), videos=video(3))
    started = fake.start_face_detection(Video=OBJECT, JobTag="t")
    answers = {
        "DetectFaces": fake.detect_faces(Image={"Bytes": b"x"}),
        "StartFaceDetection": started,
        "GetFaceDetection": fake.get_face_detection(JobId=started["JobId"], MaxResults=1),
    }

    for operation, answer in answers.items():
        shape = SERVICE.operation_model(operation).output_shape
        assert bare(answer).keys() <= shape.members.keys()
        assert ParamValidator().validate(bare(answer), shape).generate_report() == ""
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


# --- faults ---


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.error("InvalidS3ObjectException", "No."), rekog.InvalidS3ObjectError),
        (Fault.expired_token(), rekog.AccessDeniedError),
        (Fault.garbage(), rekog.ResponseError),
        (Fault.empty(), rekog.ResponseError),
        (Fault.cut_body(), rekog.ResponseError),
    ],
    ids=lambda value: getattr(value, "name", None),
)
@pytest.mark.usefixtures("time")
def test_faults_for_good(fault, expected):
    """What cannot pass is the caller's error."""
    fake = FakeClient(images=image())
    fake.faults.add(fault)

    with pytest.raises(expected):
        rekog.detect_image(PHOTO, client=fake)
    assert fake.count("DetectFaces") == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.throttled(), "ThrottlingException"),
        (Fault.throttled(status=500), "ThrottlingException"),
        (Fault.internal_error(), "InternalServerError"),
        (Fault.unavailable(), "503"),
        (Fault.connection_reset(), None),
    ],
    ids=["throttled", "throttled with 500", "failed", "gateway", "reset"],
)
def test_passing_faults(time, fault, code):
    """What passes is tried again by the library, and raised if it does not pass."""
    plan = FaultPlan()
    plan.add(fault, times=2)
    fake = FakeClient(images=image(1.0), faults=plan)

    assert len(rekog.detect_image(PHOTO, client=fake).faces) == 1
    assert (fake.count("DetectFaces"), len(time.sleeps)) == (3, 2)
    plan.add(fault, times=None)
    with pytest.raises(rekog.RekogEmotionError) as caught:
        rekog.detect_image(PHOTO, client=fake)
    assert getattr(caught.value, "code", None) == code


BROKEN = [
    *(
        (value, f"expected a list, got {kind}")
        for value, kind in (({}, "dict"), ("", "str"), (0, "int"), (False, "bool"))
    ),
    (None, "missing from the answer, which is broken: this is not 'no faces'"),
]


@pytest.mark.parametrize(("broken", "problem"), BROKEN)
@pytest.mark.usefixtures("time")
def test_broken_recordings(broken, problem):
    """What is no list in the place of the faces is replayed as it is, and never "no faces"."""
    fake = FakeClient(images={"FaceDetails": broken}, videos={"JobStatus": "SUCCEEDED", "Faces": broken})

    with pytest.raises(rekog.ResponseError) as of_image:
        rekog.detect_image(PHOTO, client=fake)
    with pytest.raises(rekog.ResponseError) as of_video:
        rekog.analyze_video(VIDEO, client=fake)

    assert (str(of_image.value), of_image.value.path) == (f"FaceDetails: {problem}", "FaceDetails")
    assert (str(of_video.value), of_video.value.path) == (f"Faces: {problem}", "Faces")


def test_no_slot(time):
    """The library waits for a slot where the account has none."""
    fake = FakeClient(videos=video())
    fake.faults.add(Fault.no_slot(), times=3)

    assert len(rekog.analyze_video(VIDEO, client=fake).faces) == 1
    assert (fake.count("StartFaceDetection"), len(time.sleeps)) == (4, 3)


@pytest.mark.usefixtures("time")
def test_lost_answer():
    """The job is started though its answer is lost; the library asks again with the same token and gets that job."""
    fake = FakeClient(videos=[video(1), video(2)])
    fake.faults.add(Fault.lost_answer())

    analysis = rekog.analyze_video(VIDEO, client=fake)

    assert (fake.count("StartFaceDetection"), analysis.job_id, len(analysis.faces)) == (2, "fake-job-1", 1)


def test_connection_error():
    """Without the library, a broken connection is botocore's error."""
    fake = FakeClient(images=image())
    fake.faults.add(Fault.connection_reset())

    with pytest.raises(ConnectionClosedError):
        fake.detect_faces(Image={})


def test_delayed():
    """A delayed answer comes when its event is set, and others before it."""
    fake, until, done = FakeClient(images=[image(1.0), image(2.0)]), Until(), []
    fake.faults.add(Fault.delayed(until))
    thread = threading.Thread(target=lambda: done.append(fake.detect_faces(Image={})))
    thread.start()
    assert until.waited_for.wait(60)
    first = fake.detect_faces(Image={})
    assert done == []
    until.set()
    thread.join(60)

    assert [bare(first), bare(done[0])] == [image(1.0), image(2.0)]


def test_trickling():
    """A fake sends no bytes: a trickling answer is a whole one."""
    fake = FakeClient(images=image(1.0))
    fake.faults.add(Fault.trickling(60))

    assert bare(fake.detect_faces(Image={})) == image(1.0)


# --- what it costs ---


def test_imports_nothing_heavy():
    """The fake and its results need neither boto3 nor the engine."""
    program = f"""
import sys
import rekog_emotion as rekog
from rekog_emotion.testing import FakeClient
fake = FakeClient(images={{"FaceDetails": []}}, videos={{"JobStatus": "SUCCEEDED", "Faces": []}})
rekog.detect_image({str(PHOTO)!r}, client=fake), rekog.analyze_video("s3://bucket/clip.mp4", client=fake)
print(*sorted({{"PIL", "av", "boto3", "botocore", "numpy", "onnxruntime", "starlette", "uvicorn"}} & set(sys.modules)))
"""
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == []


@pytest.mark.skipif(not RECORDINGS, reason="REKOG_EMOTION_RECORDINGS names no folder")
@pytest.mark.usefixtures("time")
def test_recorded_answers():
    """Recorded answers of the service replay as they are: all faces, whatever they look like."""
    for path in sorted(Path(RECORDINGS).glob("img_*.json")):
        faces = json.loads(path.read_bytes())["FaceDetails"]
        assert rekog.detect_image(PHOTO, client=FakeClient(images=path)).to_aws()["FaceDetails"] == faces
    for path in sorted(Path(RECORDINGS).glob("vid_*.json")):
        faces = json.loads(path.read_bytes())["Faces"]
        assert rekog.analyze_video(VIDEO, client=FakeClient(videos=path)).to_aws()["Faces"] == faces


def test_is_evolvable():
    """Faults are plain values: one that is not listed is made of another."""
    fault = evolve(Fault.garbage(), status=502)
    fake = FakeClient(images=image())
    fake.faults.add(fault)

    assert refused(fake.detect_faces, Image={}) == ("DetectFaces", "502", "<html>Log in to the network</html>", 502)
