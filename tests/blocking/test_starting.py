import asyncio
import logging
import re
import struct
import threading
from concurrent.futures import Future
from datetime import timedelta
from functools import partial

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from rekog_emotion import (
    AccessDeniedError,
    InvalidInputError,
    JobCancelledError,
    JobTimeoutError,
    MissingExtraError,
    Progress,
    ResponseError,
    S3Object,
    StagingError,
    ThrottledError,
    VideoJob,
    analyze_video,
    start_video,
)
from rekog_emotion.testing import FakeClient
from tests.scripted import IN_PROGRESS, LOST, STARTED, ScriptedClient, Shelf, page, refusal

VIDEO = "s3://bucket/clip.mp4"
MINE = "mine"
FULL = refusal("LimitExceededException", "Too many jobs", operation="StartFaceDetection")
FULL_TEXT = (
    "StartFaceDetection failed with LimitExceededException: Too many jobs (too many jobs run at once (20 by default); "
    "a slot is free when one of them ends)"
)
THROTTLED = refusal("ThrottlingException", "Rate exceeded", operation="StartFaceDetection")
THROTTLED_TEXT = (
    "StartFaceDetection failed with ThrottlingException: Rate exceeded (requests come faster than the account's "
    "quota; slow down or have the quota raised)"
)
DENIED_TEXT = (
    "StartFaceDetection failed with AccessDeniedException: No. (check the credentials, the clock and that the identity "
    "may call rekognition:StartFaceDetection)"
)
NO_DURATION = "is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever"
NOT_OF_64 = "is not 1 to 64 letters, digits, hyphens and underscores"
NO_CHANNEL = 'is no channel: pass {"SNSTopicArn": "arn:...", "RoleArn": "arn:..."}, or notify=SnsSqs(...)'
NOT_OF_1024 = "is not 1 to 1024 letters, digits and any of _.-:+=/"


@pytest.fixture
def clip(tmp_path):
    """Give a file that nobody decodes."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42")
    return path


# --- what is sent ---


def test_asks_for_everything():
    """All attributes and a fresh token, unless the caller says otherwise."""
    client = ScriptedClient()

    first, second = (start_video(VIDEO, client=client) for _ in range(2))

    assert first.job_id == second.job_id == "j-1"
    sent = [call.pop("ClientRequestToken") for call in client.calls]
    assert (
        client.calls == [{"FaceAttributes": "ALL", "Video": {"S3Object": {"Bucket": "bucket", "Name": "clip.mp4"}}}] * 2
    )
    assert len(set(sent)) == 2
    assert all(re.fullmatch(r"[0-9a-f]{32}", text) for text in sent)


def test_sends_what_the_caller_says():
    """Every option reaches the service under its name."""
    client = ScriptedClient()
    channel = {"SNSTopicArn": "arn:aws:sns:eu-west-1:1:topic", "RoleArn": "arn:aws:iam::1:role/rekognition"}

    start_video(
        S3Object(bucket="bucket", name="clip.mp4", version="v-1"),
        client=client,
        attributes="DEFAULT",
        client_request_token=MINE,
        job_tag="tag:1",
        notification_channel=channel,
    )

    assert client.calls == [
        {
            "FaceAttributes": "DEFAULT",
            "ClientRequestToken": "mine",
            "JobTag": "tag:1",
            "NotificationChannel": channel,
            "Video": {"S3Object": {"Bucket": "bucket", "Name": "clip.mp4", "Version": "v-1"}},
        }
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slot_timeout": -1}, f"slot_timeout=-1 {NO_DURATION}"),
        ({"slot_timeout": float("nan")}, f"slot_timeout=nan {NO_DURATION}"),
        ({"slot_timeout": "x"}, f"slot_timeout='x' {NO_DURATION}"),
        (
            {"slot_timeout": timedelta(seconds=-1)},
            f"slot_timeout=datetime.timedelta(days=-1, seconds=86399) {NO_DURATION}",
        ),
        ({"attributes": None}, 'attributes= got NoneType: ask for "ALL", "DEFAULT" or a list of names'),
        *(
            ({"client_request_token": wrong}, f"client_request_token={wrong!r} {NOT_OF_64}")
            for wrong in ("", "a b", "é", "a\n", "a" * 65, 7)
        ),
        ({"on_progress": 7}, "on_progress= got int: pass a function that takes a Progress"),
        ({"cancel": True}, "cancel= got bool: pass a threading.Event"),
        ({"cancel": asyncio.Event()}, "cancel= got asyncio.locks.Event: pass a threading.Event"),
        ({"cancel": Future()}, "cancel= got concurrent.futures._base.Future: pass a threading.Event"),
        ({"notify": "arn:aws:sns:x"}, "notify= got str: pass SnsSqs(topic_arn, role_arn, queue_url)"),
        *(
            ({"notification_channel": wrong}, f"notification_channel={wrong!r} {NO_CHANNEL}")
            for wrong in ("arn:aws:sns:x", 7, {}, {"SNSTopicArn": "arn:x"}, {"SNSTopicArn": "arn:x", "RoleArn": None})
        ),
        *(({"job_tag": wrong}, f"job_tag={wrong!r} {NOT_OF_1024}") for wrong in ("", "a b", "a" * 1025, b"tag")),
    ],
    ids=lambda value: re.sub(" at 0x.*", "", str(value)[:50]) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("verb", [start_video, analyze_video], ids=lambda verb: verb.__name__)
def test_refuses_wrong_arguments(clip, verb, options, message):
    """What the service would refuse is an error before anything is uploaded or called."""
    client, shelf = ScriptedClient(), Shelf()

    with pytest.raises(InvalidInputError) as caught:
        verb(clip, client=client, staging=shelf, **options)

    assert str(caught.value) == message
    assert client.calls == shelf.events == []


@pytest.mark.parametrize("source", ["missing.mp4", b"bytes", 7, "http://example/clip.mp4"], ids=repr)
def test_refuses_wrong_sources(source):
    """What is no video is an error before anything is called."""
    client, shelf = ScriptedClient(), Shelf()

    with pytest.raises(InvalidInputError):
        analyze_video(source, client=client, staging=shelf)

    assert client.calls == shelf.events == []


# --- slots ---


@pytest.mark.usefixtures("no_jitter")
def test_waits_for_a_slot(clock):
    """Where too many jobs run, it tries again after ten seconds or a tenth of the time so far, with the same token."""
    client = ScriptedClient(page(), start=[*[FULL] * 12, STARTED])
    events = []

    start_video(VIDEO, client=client, on_progress=events.append)

    assert clock.sleeps == pytest.approx([*[10] * 11, 11])
    assert len({call["ClientRequestToken"] for call in client.calls}) == 1
    assert events[:2] == [
        Progress(event="WAITING_FOR_SLOT", seconds=0, next_seconds=10),
        Progress(event="WAITING_FOR_SLOT", seconds=10, next_seconds=10),
    ]
    assert [event.event for event in events] == ["WAITING_FOR_SLOT"] * 12 + ["STARTED"]


def test_jobs_that_wait_for_a_slot_do_not_all_ask_at_once(clock):
    """The waits differ by up to a tenth."""
    start_video(VIDEO, client=ScriptedClient(start=[*[FULL] * 10, STARTED]))

    assert all(9 <= seconds <= 11 for seconds in clock.sleeps)
    assert len(set(clock.sleeps)) == 10


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(("timeout", "calls", "waited"), [(0, 1, 0), (25, 4, 25), (timedelta(seconds=30), 4, 30)])
def test_no_slot_in_time(clock, clip, timeout, calls, waited):
    """The last wait is cut to what is left, for one more try; nothing was started, and the upload is gone."""
    client, shelf = ScriptedClient(start=[FULL]), Shelf()

    with pytest.raises(JobTimeoutError) as caught:
        analyze_video(clip, client=client, staging=shelf, slot_timeout=timeout)

    assert str(caught.value) == f"no job could be started within {waited} s: {FULL_TEXT}"
    assert (caught.value.job_id, caught.value.state) == (None, None)
    assert len(client.calls) == calls
    assert clock.now() == waited
    assert shelf.events == ["stage clip.mp4", "discard k-1"]


@pytest.mark.usefixtures("no_jitter")
def test_a_deadline_each_for_slot_and_job(clock):
    """What the wait for a slot took is there for the job all the same."""
    client = ScriptedClient(IN_PROGRESS, start=[FULL, FULL, STARTED])

    with pytest.raises(JobTimeoutError) as caught:
        analyze_video(VIDEO, client=client, slot_timeout=20, timeout=3)

    assert str(caught.value).startswith("job j-1 was not finished after 3 s; ")
    assert clock.now() == 20 + 3


@pytest.mark.usefixtures("no_jitter")
def test_an_upload_does_not_count(clock, clip):
    """The deadline is for the service: a slow line does not use it up."""
    client, shelf = ScriptedClient(IN_PROGRESS), Shelf()
    shelf.stage = lambda *_, **__: (clock.advance(7200), S3Object(bucket="shelf", name="k-1"))[1]

    with pytest.raises(JobTimeoutError) as caught:
        analyze_video(clip, client=client, staging=shelf, timeout=3)

    assert str(caught.value).startswith("job j-1 was not finished after 3 s; ")
    assert clock.now() == 7200 + 3


@pytest.mark.usefixtures("no_jitter", "clock")
def test_for_ever():
    """Without a limit it waits as long as it takes, for a slot and for the job."""
    client = ScriptedClient(*[IN_PROGRESS] * 100, page(), start=[*[FULL] * 100, STARTED])

    assert analyze_video(VIDEO, client=client, slot_timeout=None, timeout=None).faces == ()


# --- cancels and failures ---


@pytest.mark.usefixtures("clock")
def test_cancelled_before_it_began(clip):
    """When cancel is set, nothing is uploaded and nothing called."""
    client, shelf, cancel = ScriptedClient(), Shelf(), threading.Event()
    cancel.set()

    with pytest.raises(JobCancelledError) as caught:
        analyze_video(clip, client=client, staging=shelf, cancel=cancel)

    assert str(caught.value) == f"the upload of {clip} was cancelled before it began; no job was started"
    with pytest.raises(JobCancelledError) as caught:
        analyze_video(VIDEO, client=client, cancel=cancel)

    assert str(caught.value) == "the start was cancelled after 0 s; no job was started"
    assert client.calls == shelf.events == []


@pytest.mark.usefixtures("no_jitter")
def test_cancelled_while_waiting_for_a_slot(clock, clip):
    """The wait ends at once; nothing was started, and the upload is gone."""
    client, shelf, cancel = ScriptedClient(start=[FULL]), Shelf(), threading.Event()
    clock.at(12.5, cancel.set)

    with pytest.raises(JobCancelledError) as caught:
        analyze_video(clip, client=client, staging=shelf, cancel=cancel)

    assert str(caught.value) == "the start was cancelled after 12 s; no job was started"
    assert (caught.value.job_id, caught.value.state) == (None, None)
    assert clock.now() == 12.5
    assert shelf.events == ["stage clip.mp4", "discard k-1"]


@pytest.mark.usefixtures("no_jitter")
def test_cancelled_while_the_start_is_tried_again(clock, clip):
    """A cancel is a cancel, and does not claim to know what became of a start that failed."""
    client, shelf, cancel = ScriptedClient(start=[THROTTLED], retries=True), Shelf(), threading.Event()
    clock.at(0.25, cancel.set)

    with pytest.raises(JobCancelledError) as caught:
        analyze_video(clip, client=client, staging=shelf, cancel=cancel)

    assert str(caught.value) == f"the start was cancelled after a failure: {THROTTLED_TEXT}"
    assert isinstance(caught.value.__cause__, ThrottledError)
    assert len(client.calls) == 1
    assert shelf.events == ["stage clip.mp4", "discard k-1"]


@pytest.mark.usefixtures("no_jitter")
def test_a_start_is_tried_again_with_its_token(clock):
    """A start without answer may have been heard: the token makes the next one the same."""
    client = ScriptedClient(start=[LOST, THROTTLED, STARTED], retries=True)

    start_video(VIDEO, client=client)

    assert len(client.calls) == 3
    assert len({call["ClientRequestToken"] for call in client.calls}) == 1
    assert clock.sleeps == [0.25, 1.0]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("step", "error", "message", "calls"),
    [
        (THROTTLED, ThrottledError, THROTTLED_TEXT, 1),
        (
            refusal("AccessDeniedException", operation="StartFaceDetection"),
            AccessDeniedError,
            DENIED_TEXT,
            1,
        ),
        ({}, ResponseError, "JobId: missing from the answer, which is broken: the job may have been started", 5),
    ],
    ids=["throttled", "denied", "no-job-id"],
)
def test_cannot_start(clip, step, error, message, calls):
    """The error is the service's, after one call, or a few where the answer was broken, and the upload is gone."""
    client, shelf = ScriptedClient(start=[step]), Shelf()

    with pytest.raises(error) as caught:
        start_video(clip, client=client, staging=shelf)

    assert str(caught.value) == message
    assert len(client.calls) == calls
    assert shelf.events == ["stage clip.mp4", "discard k-1"]


@pytest.mark.usefixtures("clock")
def test_a_broken_answer_to_the_start_is_asked_for_again():
    """There is a job behind it, mostly, which the same token gives back."""
    client = ScriptedClient(start=[{}, {"JobId": ""}, STARTED])

    assert start_video(VIDEO, client=client).job_id == "j-1"

    assert len({call["ClientRequestToken"] for call in client.calls}) == 1


def test_cannot_start_and_cannot_tidy_up(clip):
    """What is left in the bucket is the error, and why the job could not start is its reason."""
    client = ScriptedClient(start=[refusal("VideoTooLargeException", operation="StartFaceDetection")])

    with pytest.raises(StagingError) as caught:
        start_video(clip, client=client, staging=Shelf(broken=True))

    assert str(caught.value) == (
        "it sticks; it was uploaded for a job that could not start: StartFaceDetection failed with "
        "VideoTooLargeException: No. (the service takes JPEG and PNG images, and H.264 video in MP4 or MOV, within its "
        "limits)"
    )
    assert (caught.value.bucket, caught.value.key, caught.value.job_id) == ("shelf", "k-1", None)


@pytest.mark.parametrize("broken", [False, True], ids=["tidy", "untidy"])
def test_interrupted_between_upload_and_start(clip, broken):
    """Ctrl-C stays one, takes the upload away, and notes where that failed, and what may have been started."""
    client, shelf = ScriptedClient(start=[KeyboardInterrupt()]), Shelf(broken=broken)

    with pytest.raises(KeyboardInterrupt) as caught:
        VideoJob.start(clip, client=client, staging=shelf)

    assert shelf.events == ["stage clip.mp4", *([] if broken else ["discard k-1"])]
    (call,) = client.calls
    again = f"start_video('s3://shelf/k-1', client_request_token={call['ClientRequestToken']!r})"
    may_run = f"A job may have been started: {again} with the same options gives it back."
    assert caught.value.__notes__ == [*(["it sticks"] if broken else []), may_run]


MAY_RUN = "A job may have been started: start_video('s3://bucket/clip.mp4', client_request_token='mine') with the same "
MAY_RUN += "options gives it back."
UNHEARD = ReadTimeoutError(endpoint_url="https://rekognition.example")
DENIED = refusal("AccessDeniedException", operation="StartFaceDetection")
UNREACHABLE = EndpointConnectionError(endpoint_url="https://rekognition.example")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("start", "retries", "notes"),
    [
        ([KeyboardInterrupt()], False, [MAY_RUN]),
        ([SystemExit()], False, [MAY_RUN]),
        ([UNHEARD], False, [MAY_RUN]),
        ([UNHEARD, THROTTLED], True, [MAY_RUN]),
        ([UNHEARD, FULL, DENIED], True, []),
        ([refusal("InternalServerError", status=500)], True, [MAY_RUN]),
        ([{}], False, [MAY_RUN]),
        ([THROTTLED], True, []),
        ([DENIED], False, []),
        ([UNREACHABLE], True, []),
        ([MissingExtraError("PyAV", extra="embedded")], False, []),
    ],
    ids=[
        "ctrl-c",
        "exit",
        "unheard",
        "then-throttled",
        "then-refused",
        "5xx",
        "no-id",
        "throttled",
        "denied",
        "no-way",
        "no-extra",
    ],
)
def test_what_may_have_been_started(start, retries, notes):
    """Where nobody knows what became of a start, the token that gives its job back is told, and only there."""
    client = ScriptedClient(start=start, retries=retries)

    with pytest.raises(BaseException) as caught:  # noqa: PT011 -- each has its own
        start_video(VIDEO, client=client, client_request_token=MINE)

    assert getattr(caught.value, "__notes__", []) == notes


def test_the_token_gives_the_job_back():
    """What the note says to call is the same start."""
    fake = FakeClient(videos={"JobStatus": "SUCCEEDED", "Faces": []})
    heard, fake.start_face_detection = fake.start_face_detection, lambda **request: (heard(**request), interrupt())

    with pytest.raises(KeyboardInterrupt) as caught:
        start_video(VIDEO, client=fake)
    fake.start_face_detection = heard
    (note,) = caught.value.__notes__
    call = note.partition(": ")[2].partition(" with the same")[0]
    job = eval(call, {"start_video": partial(start_video, client=fake)})  # noqa: S307 -- our own text

    assert (job.job_id, fake.count("StartFaceDetection")) == ("fake-job-1", 2)


def interrupt(*_):
    """Be Ctrl-C."""
    raise KeyboardInterrupt


STATE = {"version": 1, "job_id": "j-1", "upload": {"bucket": "shelf", "key": "k-1", "version": "v-1"}}
TAKEN_UP = f"VideoJob.from_dict({STATE!r}) takes job j-1 up again; its upload s3://shelf/k-1?versionId=v-1 is kept "
TAKEN_UP += "until then"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(), JobCancelledError("mine"), StagingError("mine")])
def test_a_listener_that_fails_when_the_job_has_begun(clip, error):
    """The job and its upload stay, and the error says from what they are taken up."""
    client, shelf = ScriptedClient(page(0)), Shelf()

    def listen(progress):
        if progress.event == "STARTED":
            raise error

    with pytest.raises(type(error)) as caught:
        analyze_video(clip, client=client, staging=shelf, on_progress=listen)

    assert caught.value.__notes__ == [TAKEN_UP]
    assert shelf.events == ["stage clip.mp4"]


def test_a_log_that_fails_when_the_job_has_begun(clip):
    """A broken filter of the caller's loses no job."""
    client, shelf, log = ScriptedClient(page(0)), Shelf(), logging.getLogger("rekog_emotion")
    log.addFilter(interrupt)
    log.setLevel(logging.INFO)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            analyze_video(clip, client=client, staging=shelf)
    finally:
        log.removeFilter(interrupt)
        log.setLevel(logging.NOTSET)

    assert caught.value.__notes__ == [TAKEN_UP]


def test_a_header_that_lies_is_no_obstacle(tmp_path):
    """What a file says of its length cannot fail, and is read before anything is bought."""
    path = tmp_path / "lies.mp4"
    inner = struct.pack(">I4sQ", 1, b"free", 2**63) + bytes(99)
    path.write_bytes(struct.pack(">I4sQ", 1, b"moov", 16 + len(inner)) + inner)
    client, shelf = ScriptedClient(page(0)), Shelf()

    assert len(analyze_video(path, client=client, staging=shelf).faces) == 1
    assert shelf.events == ["stage lies.mp4", "discard k-1"]
