"""The start of a job as steps: the upload, the call and its tries, the wait for a slot, and what is taken away."""

import copy
import inspect
from pathlib import Path

import pytest

from rekog_emotion.errors import (
    AccessDeniedError,
    ConfigurationError,
    InternalServiceError,
    InvalidInputError,
    JobCancelledError,
    JobTimeoutError,
    LimitExceededError,
    MissingExtraError,
    ResponseError,
    StagingError,
    ThrottledError,
    TransportError,
)
from rekog_emotion.flows.ending import Lookout
from rekog_emotion.flows.job import Job
from rekog_emotion.flows.messages import Mailbox, SnsSqs
from rekog_emotion.flows.request import VideoRequest
from rekog_emotion.flows.starting import Starter, opening
from rekog_emotion.flows.steps import Call, Discard, Facts, Open, Resolve, Sleep, Stage
from rekog_emotion.media.containers import refusal_of_the_service
from rekog_emotion.sources.videos import PreparedVideo
from rekog_emotion.values.progress import Progress
from rekog_emotion.values.s3 import S3Object
from tests.scripted import STARTED
from tests.stepping import Table

MINE = {"client_request_token": "mine"}
VIDEO = PreparedVideo(place=S3Object(bucket="bucket", name="clip.mp4"), name="s3://bucket/clip.mp4", seconds=9.0)
FILE = PreparedVideo(place=Path("no-such-clip.mp4"), name="no-such-clip.mp4")
UPLOAD = S3Object(bucket="shelf", name="k-1", version="v-1")
FULL, THROTTLED, DENIED = LimitExceededError("20 jobs"), ThrottledError("slow down"), AccessDeniedError("no")
LOST, UNSENT = TransportError("no answer"), TransportError("no way", sent=False)
STUCK = StagingError("it sticks", bucket="shelf", key="k-1")
NOTIFY = SnsSqs("arn:aws:sns:t", "arn:aws:iam::r", "https://q")
HERE = frozenset({"files"})
STATE = {"version": 1, "job_id": "j-1", "upload": None}

pytestmark = pytest.mark.usefixtures("no_jitter")


def call(bucket="bucket", name="clip.mp4"):
    """Return the step of the call."""
    request = {"FaceAttributes": "ALL", "ClientRequestToken": "mine"}
    return Call("start_face_detection", {**request, "Video": {"S3Object": {"Bucket": bucket, "Name": name}}})


@pytest.mark.parametrize("place", ["s3://bucket/clip.mp4", "clip.mp4"])
def test_a_start_is_opened_in_order(place, tmp_path, monkeypatch):
    """The options, the video, the client, what it can do, and where a file goes; the first that is wrong is told."""
    monkeypatch.chdir(tmp_path)
    told, options = [], {"notify": NOTIFY, "staging": "shelf", "s3_client": "s3", "on_progress": None, "client": "aws"}

    def begun(**given):
        find = lambda *values, **named: (values, named)  # noqa: E731 -- it is as short as that
        return opening(place, options | given, check_beside=lambda *given: told.append(given), find=find)

    with pytest.raises(InvalidInputError, match=r"^notify= got int"):
        next(begun(notify=5))
    assert told == []
    read = next(begun())
    assert told == [("shelf", "s3", None)]
    if place == "clip.mp4":
        with pytest.raises(InvalidInputError, match=r"^clip.mp4: there is no such file"):
            read.function()
        return
    flow = begun()
    next(flow)
    assert flow.send(read.function()) == Resolve("aws")
    with pytest.raises(InvalidInputError, match=r"^notify="):
        flow.send((object(), HERE))

    flow = begun(notify=None)
    next(flow)
    flow.send(read.function())
    work = flow.send(("client", frozenset()))
    assert work.function() == ((VIDEO.place, "shelf"), {"client": "client", "s3_client": "s3"})
    with pytest.raises(StopIteration) as end:
        flow.send("staging")
    asked, video, client, staging = end.value.value
    assert (asked, video.place, client, staging) == (VideoRequest(), VIDEO.place, "client", "staging")


def start(video=VIDEO, *, can=frozenset(), retries=True, **asked):
    """Return the flow of a start."""
    return Starter(asked=VideoRequest(**MINE, **asked), facts=Facts(retries=retries, can=can)).start(video)


@pytest.mark.parametrize(
    ("answers", "steps"),
    [
        ([STARTED], [call()]),
        ([FULL, FULL, STARTED], [call(), Sleep(10), call(), Sleep(10), call()]),
        ([THROTTLED, STARTED], [call(), Sleep(0.5), call()]),
        ([LOST, STARTED], [call(), Sleep(0.25), call()]),
        ([{}, STARTED], [call(), Sleep(0.25), call()]),
        ([FULL, THROTTLED, STARTED], [call(), Sleep(10), call(), Sleep(0.5), call()]),
    ],
    ids=["at once", "a slot", "throttled", "no answer", "a broken answer", "both"],
)
def test_steps(answers, steps):
    """Every try is the same call, with the same token."""
    table = Table(*answers)

    job = table.play(start())

    assert table.steps == steps
    assert (job.job_id, job.upload, job.token, job.fresh, job.video_seconds) == ("j-1", None, "mine", False, 9.0)
    assert table.told[-1] == Progress(event="STARTED", job_id="j-1", state=STATE)


def test_an_upload_comes_first():
    """The call names it by its key alone; the job owns it by its version, too."""
    table = Table(STARTED)

    job = table.play(start(FILE, can=HERE, video_length=60))

    assert table.steps == [Stage(FILE.place), call("shelf", "k-1")]
    assert (job.upload, job.video_seconds, job.source) == (UPLOAD, 60.0, "no-such-clip.mp4")


@pytest.mark.parametrize(
    ("answers", "asked", "script", "error", "message", "calls"),
    [
        ([DENIED], {}, {}, AccessDeniedError, "no", 1),
        ([FULL], {"slot_timeout": 25}, {}, JobTimeoutError, "no job could be started within 25 s: 20 jobs", 4),
        ([FULL], {"slot_timeout": 0}, {}, JobTimeoutError, "no job could be started within 0 s: 20 jobs", 1),
        (
            [FULL],
            {},
            {"cancelled_at": 12.5},
            JobCancelledError,
            "the start was cancelled after 12 s; no job was started",
            2,
        ),
        (
            [THROTTLED],
            {},
            {"cancelled_at": 0.25},
            JobCancelledError,
            "the start was cancelled after a failure: slow down",
            1,
        ),
        ([THROTTLED], {}, {}, ThrottledError, "slow down", 5),
        ([{}], {}, {}, ResponseError, "JobId: missing from the answer", 5),
        ([KeyboardInterrupt()], {}, {}, KeyboardInterrupt, "", 1),
    ],
    ids=["denied", "no slot", "no time", "cancelled", "while failing", "throttled", "broken", "Ctrl-C"],
)
def test_an_upload_in_vain_is_taken_away(answers, asked, script, error, message, calls):
    """Whatever the reason, as the last step."""
    table = Table(*answers, **script)

    with pytest.raises(error) as caught:
        table.play(start(FILE, can=HERE, **asked))

    assert str(caught.value).startswith(message)
    assert len(table.calls) == calls
    assert (table.steps[0], table.steps[-1]) == (Stage(FILE.place), Discard(UPLOAD))


@pytest.mark.parametrize(
    ("options", "known"),
    [
        ({}, {"fresh": True, "token": None, "video_seconds": 9.0}),
        (MINE, {"fresh": False, "token": "mine", "video_seconds": 9.0}),
        ({"video_length": 60}, {"fresh": True, "token": None, "video_seconds": 60.0}),
        ({"notify": NOTIFY}, {"fresh": True, "token": None, "notify": NOTIFY}),
    ],
    ids=["by default", "a token", "a length", "a message"],
)
def test_what_a_job_knows_of_its_start(options, known):
    """With a token of the caller's it may be an old one; what the caller says of its length counts."""
    flow = Starter(asked=VideoRequest(**options), facts=Facts()).start(VIDEO)

    job = Table(STARTED).play(flow)

    assert {name: getattr(job, name) for name in known} == known
    assert (job.source, job.facts, job.first) == ("s3://bucket/clip.mp4", Facts(), None)


JOBS = "job_id facts upload notify mailbox token fresh video_seconds source"


@pytest.mark.parametrize(
    ("kind", "names"),
    [(Starter, "asked facts"), (Lookout, "job_id facts notify fresh video_seconds ways_out"), (Job, JOBS)],
)
def test_what_is_found_out_is_not_for_the_maker_to_say(kind, names):
    """What becomes of a job begins as nothing."""
    assert [*inspect.signature(kind).parameters] == names.split()


class Unheard(Table):
    """Has a listener that raises."""

    def _tell(self, _):
        message = "of a listener"
        raise ValueError(message)


def test_a_job_that_was_started_is_named_whatever_happens_then():
    """A listener that raises, for one: the job runs, and its upload is its own."""
    table = Unheard(STARTED)

    with pytest.raises(ValueError, match="of a listener") as caught:
        table.play(start(FILE, can=HERE))

    assert table.steps == [Stage(FILE.place), call("shelf", "k-1")]
    upload = {"bucket": "shelf", "key": "k-1", "version": "v-1"}
    state = {"version": 1, "job_id": "j-1", "upload": upload}
    assert caught.value.__notes__ == [f"VideoJob.from_dict({state!r}) takes job j-1 up again"]


@pytest.mark.parametrize(
    ("error", "notes"),
    [
        (ConfigurationError("no region"), []),
        (InvalidInputError("no"), []),
        (MissingExtraError("no", extra="offline"), []),
        (ValueError("a bug"), [True]),
    ],
)
def test_what_never_reached_the_service_has_started_nothing(error, notes):
    """Of a bug nobody knows."""
    with pytest.raises(type(error)) as caught:
        Table(error).play(start())

    assert [note == MAY_RUN for note in getattr(caught.value, "__notes__", [])] == notes


def test_a_file_that_the_service_would_refuse(tmp_path):
    """Is not uploaded, but where no service is behind the client."""
    clip = tmp_path / "clip.mkv"
    clip.write_bytes(b"\x1aE\xdf\xa3\x80\x42\x82\x88matroska")
    video = PreparedVideo(place=clip, name="clip.mkv")
    table, here = Table(STARTED), Table(STARTED)

    with pytest.raises(InvalidInputError) as caught:
        table.play(start(video))
    here.play(start(video, can=HERE))

    assert str(caught.value) == f"{clip}: {refusal_of_the_service(clip)}"
    assert (table.steps, here.steps[0]) == ([], Stage(clip))


def test_cancelled_before_the_upload():
    """Nothing is done."""
    table = Table(STARTED, cancelled_at=0)

    with pytest.raises(JobCancelledError) as caught:
        table.play(start(FILE))

    assert str(caught.value) == "the upload of no-such-clip.mp4 was cancelled before it began; no job was started"
    assert table.steps == []


def test_an_upload_that_fails_leaves_nothing_to_take_away():
    """Who uploads has done so."""
    table = Table(STARTED, staged=STUCK)

    with pytest.raises(StagingError) as caught:
        table.play(start(FILE, can=HERE))

    assert (caught.value, table.steps) == (STUCK, [Stage(FILE.place)])


@pytest.mark.parametrize("error", [DENIED, KeyboardInterrupt()])
def test_an_upload_that_sticks(error):
    """An error of the bucket says why it was made in vain; an interrupt stays one, with a note."""
    table = Table(error, stuck=STUCK)

    with pytest.raises((StagingError, KeyboardInterrupt)) as caught:
        table.play(start(FILE, can=HERE))

    if error is DENIED:
        assert str(caught.value) == "it sticks; it was uploaded for a job that could not start: no"
    else:
        assert "it sticks" in caught.value.__notes__


MAY_RUN = "A job may have been started: start_video('s3://bucket/clip.mp4', client_request_token='mine') with the same "
MAY_RUN += "options gives it back."


@pytest.mark.parametrize(
    ("answers", "notes"),
    [
        ([KeyboardInterrupt()], [MAY_RUN]),
        ([LOST], [MAY_RUN]),
        ([LOST, THROTTLED], [MAY_RUN]),
        ([LOST, FULL, DENIED], []),
        ([InternalServiceError("broken")], [MAY_RUN]),
        ([{}], [MAY_RUN]),
        ([THROTTLED], []),
        ([DENIED], []),
        ([UNSENT], []),
    ],
    ids=["Ctrl-C", "unheard", "then throttled", "then refused", "5xx", "no id", "throttled", "denied", "no way"],
)
def test_what_may_have_been_started(answers, notes):
    """Where nobody knows what became of a start, the token that gives its job back is told, and only there."""
    fresh = [copy.copy(answer) for answer in answers]
    for answer in fresh:
        getattr(answer, "__dict__", {}).pop("__notes__", None)  # of another test

    with pytest.raises(BaseException) as caught:  # noqa: PT011 -- each has its own
        Table(*fresh).play(start())

    assert getattr(caught.value, "__notes__", []) == notes


NOTIFY = SnsSqs("arn:aws:sns:eu-west-1:1:ends", "arn:aws:iam::1:role/r", "https://q")


@pytest.mark.parametrize("video", [VIDEO, FILE], ids=["in S3", "a file"])
def test_opens_the_queue_first(video):
    """The mailbox is there before anything is sent, and the job keeps it."""
    mailbox = Mailbox("https://q")
    table = Table(STARTED, mailbox=mailbox)

    job = table.play(Starter(asked=VideoRequest(notify=NOTIFY), facts=Facts(retries=True)).start(video))

    assert (table.steps[0], job.mailbox) == (Open(NOTIFY), mailbox)
    assert [step.method for step in table.steps if isinstance(step, Call)] == ["start_face_detection"]


@pytest.mark.parametrize("video", [VIDEO, FILE], ids=["in S3", "a file"])
def test_a_queue_without_a_client(video):
    """Nothing is uploaded or started, and the error speaks of no job."""
    table = Table(STARTED, mailbox=ConfigurationError("no credentials"))

    with pytest.raises(ConfigurationError) as caught:
        table.play(Starter(asked=VideoRequest(notify=NOTIFY), facts=Facts(retries=True)).start(video))

    assert (str(caught.value), getattr(caught.value, "__notes__", [])) == ("no credentials", [])
    assert table.steps == [Open(NOTIFY)]
