import asyncio
import json
import logging
import random
import threading
from contextlib import suppress
from datetime import timedelta

import pytest

from rekog_emotion import (
    AccessDeniedError,
    InvalidInputError,
    JobCancelledError,
    JobFailedError,
    JobNotFoundError,
    JobStatus,
    JobTimeoutError,
    Progress,
    ResponseError,
    StagingError,
    ThrottledError,
    TransportError,
    VideoAnalysis,
    VideoJob,
    analyze_video,
    start_video,
)
from rekog_emotion.flows import ending
from rekog_emotion.flows.ending import POLLS
from rekog_emotion.flows.polling import PollSchedule
from rekog_emotion.testing import FakeClient
from tests.scripted import IN_PROGRESS, LOST, ScriptedClient, Shelf, failed, page, refusal

THROTTLED = refusal("ThrottlingException", "Rate exceeded")
THROTTLED_TEXT = (
    "GetFaceDetection of job j-1 failed with ThrottlingException: Rate exceeded (requests come faster than the "
    "account's quota; slow down or have the quota raised)"
)
UNKNOWN_TEXT = (
    "GetFaceDetection of job j-1 failed with ResourceNotFoundException: Could not find JobId (results are "
    "kept for 7 days, in the account and region that started the job)"
)
EXPIRED_TEXT = (
    "GetFaceDetection of job j-1 failed with ExpiredTokenException: The security token is expired (check the "
    "credentials, the clock and that the identity may call rekognition:GetFaceDetection)"
)
LOST_TEXT = 'GetFaceDetection got no answer: Could not connect to the endpoint URL: "https://rekognition.example"'
GOES_ON = "it goes on at the service, and VideoJob.from_dict(error.state) resumes it"
STATE = {"version": 1, "job_id": "j-1", "upload": None}
LOOK = {"JobId": "j-1", "MaxResults": 1000}
VIDEO = "s3://bucket/clip.mp4"
VIDEO_ANSWER = {"JobStatus": "SUCCEEDED", "Faces": []}
MINE = "mine"


@pytest.fixture
def clip(tmp_path):
    """Give a file that nobody decodes."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42")
    return path


def job_of(*script, **options):
    """Return a job whose client answers from a script, and the client."""
    client = ScriptedClient(*script, **options)
    return VideoJob.resume("j-1", client=client), client


def started(clip, *script, broken=False):
    """Return a job that owns an upload, its client and its shelf."""
    client, shelf = ScriptedClient(*script), Shelf(broken=broken)
    return start_video(clip, client=client, staging=shelf), client, shelf


# --- waiting: how it ends, after how many calls and which sleeps ---


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(
    ("script", "timeout", "calls", "sleeps"),
    [
        ([page()], 0, 1, []),
        ([page()], None, 1, []),
        ([IN_PROGRESS, page()], 3600, 2, [0.875]),
        ([*[IN_PROGRESS] * 13, page()], None, 14, [0.875, *[1.75] * 10, 1.80075, 1.9772235]),
        ([IN_PROGRESS, page()], timedelta(seconds=1), 2, [0.875]),
        ([THROTTLED, page()], 3600, 2, [1.875]),
        ([THROTTLED, THROTTLED, THROTTLED, page()], 3600, 4, [1.875, 3.75, 5.75]),
        ([refusal("InternalServerError", status=500), page()], 3600, 2, [1.375]),
        (
            [refusal("Weird", status=503), refusal("ProvisionedThroughputExceededException"), page()],
            3600,
            3,
            [1.375, 3.75],
        ),
        ([LOST, LOST, IN_PROGRESS, LOST, page()], 3600, 5, [1.375, 2.75, 1.75, 2.25]),
    ],
    ids=["at-once", "without-limit", "later", "tenth", "timedelta", "throttled", "thrice", "5xx", "mixed", "lost"],
)
def test_waits(clock, script, timeout, calls, sleeps):
    """Looks at once, then after a tenth of the time so far; a poll that fails is a longer wait, not a lost job."""
    job, client = job_of(*script)

    job.wait(timeout=timeout)

    assert client.calls == [LOOK] * calls
    assert clock.sleeps == pytest.approx(sleeps)


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(
    ("script", "timeout", "calls", "message"),
    [
        ([IN_PROGRESS], 0, 1, f"job j-1 was not finished after 0 s; {GOES_ON}"),
        ([IN_PROGRESS], 0.5, 2, f"job j-1 was not finished after 0 s; {GOES_ON}"),
        ([IN_PROGRESS], 3, 4, f"job j-1 was not finished after 3 s; {GOES_ON}"),
        ([IN_PROGRESS], timedelta(minutes=1), 25, f"job j-1 was not finished after 60 s; {GOES_ON}"),
        (
            [IN_PROGRESS, THROTTLED],
            4,
            4,
            f"job j-1 was not finished after 4 s (the last look failed: {THROTTLED_TEXT}); {GOES_ON}",
        ),
        (
            [LOST],
            0,
            1,
            f"job j-1 was not finished after 0 s (the last look failed: {LOST_TEXT}); {GOES_ON}",
        ),
    ],
    ids=["look-once", "half-a-second", "polling", "timedelta", "throttled-last", "lost-last"],
)
def test_time_is_over(clock, script, timeout, calls, message):
    """The last sleep is cut to what is left, for one more look; the error says what happened and how to go on."""
    job, client = job_of(*script)

    with pytest.raises(JobTimeoutError) as caught:
        job.wait(timeout=timeout)

    assert str(caught.value) == message
    assert (caught.value.job_id, caught.value.state) == ("j-1", STATE)
    assert len(client.calls) == calls
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    assert round(sum(clock.sleeps), 6) <= seconds


def test_time_is_over_names_the_failure(clock):
    """The failure of the last look is the cause."""
    job, _ = job_of(THROTTLED)

    with pytest.raises(JobTimeoutError) as caught:
        job.result(timeout=0)

    assert isinstance(caught.value.__cause__, ThrottledError)
    assert clock.sleeps == []


@pytest.mark.parametrize("read", ["wait", "result", "faces"])
def test_waits_an_hour_unless_told(clock, read):
    """The default is one hour for every way to wait, and it is used."""
    job, _ = job_of(IN_PROGRESS)

    with pytest.raises(JobTimeoutError):
        list(getattr(job, read)())

    assert clock.now() == pytest.approx(3600)


@pytest.mark.usefixtures("clock")
def test_cancelled_before():
    """When cancel is set, nothing is called."""
    job, client = job_of(page())
    cancel = threading.Event()
    cancel.set()

    with pytest.raises(JobCancelledError) as caught:
        job.wait(cancel=cancel)

    assert str(caught.value) == f"the wait for job j-1 was cancelled after 0 s; {GOES_ON}"
    assert (caught.value.job_id, caught.value.state) == ("j-1", STATE)
    assert client.calls == []


@pytest.mark.usefixtures("no_jitter")
def test_cancelled_while_waiting(clock):
    """A wait that is cancelled returns at once, in the midst of a sleep and without another look."""
    job, client = job_of(IN_PROGRESS)
    cancel = threading.Event()
    clock.at(50.25, cancel.set)

    with pytest.raises(JobCancelledError) as caught:
        job.wait(cancel=cancel)

    assert str(caught.value) == f"the wait for job j-1 was cancelled after 50 s; {GOES_ON}"
    assert clock.now() == 50.25
    assert len(client.calls) == len(clock.sleeps)


def test_cancelled_in_real_time(monkeypatch):
    """With the clock of the system, a thread that sets cancel ends a sleep of an hour at once."""
    monkeypatch.setattr(ending, "POLLS", PollSchedule(floor=3600, cap=3600, jitter=0))
    cancel = threading.Event()
    job, client = job_of(lambda: (threading.Timer(0.01, cancel.set).start(), IN_PROGRESS)[1])

    with pytest.raises(JobCancelledError, match=r"^the wait for job j-1 was cancelled after \d+ s; "):
        job.wait(cancel=cancel)

    assert len(client.calls) == 1


@pytest.mark.parametrize(
    ("script", "calls", "message"),
    [
        ([failed("Unsupported codec/format.")], 1, "job j-1 failed: Unsupported codec/format."),
        ([failed()], 1, "job j-1 failed: the service gives no reason"),
        ([IN_PROGRESS, THROTTLED, failed("Video is corrupt")], 3, "job j-1 failed: Video is corrupt"),
        ([IN_PROGRESS, failed() | {"Faces": []}], 2, "job j-1 failed: the service gives no reason"),
    ],
    ids=["first-look", "no-reason", "later", "later-no-reason"],
)
@pytest.mark.usefixtures("clock")
def test_failed(script, calls, message):
    """A failed job is an error with the service's reason."""
    job, client = job_of(*script)

    with pytest.raises(JobFailedError) as caught:
        job.result()

    assert str(caught.value) == message
    assert caught.value.job_id == "j-1"
    assert len(client.calls) == calls


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (
            refusal("ResourceNotFoundException", "Could not find JobId"),
            JobNotFoundError,
            UNKNOWN_TEXT,
        ),
        (
            refusal("ExpiredTokenException", "The security token is expired"),
            AccessDeniedError,
            EXPIRED_TEXT,
        ),
        (
            {"JobStatus": "SUCCEEDED"},
            ResponseError,
            "Faces: missing from the answer, which is broken: this is not 'no faces'",
        ),
        ({}, ResponseError, "Faces: missing from the answer, which is broken: this is not 'no faces'"),
        (
            {"Faces": []},
            ResponseError,
            "JobStatus: expected one of IN_PROGRESS, SUCCEEDED, FAILED, got None",
        ),
        (
            page() | {"JobStatus": "PAUSED"},
            ResponseError,
            "JobStatus: expected one of IN_PROGRESS, SUCCEEDED, FAILED, got 'PAUSED'",
        ),
        (
            {"JobStatus": "PAUSED"},
            ResponseError,
            "JobStatus: expected one of IN_PROGRESS, SUCCEEDED, FAILED, got 'PAUSED'",
        ),
        (page() | {"JobStatus": 7}, ResponseError, "JobStatus: expected a string, got int"),
    ],
    ids=[
        "unknown-job",
        "expired",
        "no-faces",
        "empty",
        "no-status",
        "unknown-status",
        "unknown-status-alone",
        "status-of-a-wrong-type",
    ],
)
@pytest.mark.parametrize("begin", [[], [IN_PROGRESS]], ids=["first-look", "later"])
@pytest.mark.usefixtures("clock")
def test_ends(begin, step, error, message):
    """What another look would not mend is raised at once, a broken answer after five, with the job's id."""
    job, client = job_of(*begin, step)

    with pytest.raises(error) as caught:
        job.wait()

    assert str(caught.value) == message
    assert caught.value.job_id == "j-1"
    assert len(client.calls) == len(begin) + (5 if error is ResponseError else 1)
    assert getattr(caught.value, "__notes__", []) == []


@pytest.mark.usefixtures("clock")
def test_a_broken_answer_is_asked_for_again():
    """An answer that was cut off says nothing of the job."""
    broken = [{}, {"JobStatus": "SUCCEEDED"}, {"Faces": []}, {}]
    pages = page(0, then="a"), *broken, page(500, then="b"), *broken, page(1000)
    job, client = job_of(*broken, IN_PROGRESS, *broken, *pages)

    assert [face.timestamp_ms for face in job.faces()] == [0, 500, 1000]
    assert len(client.calls) == 4 + 1 + 4 + 1 + 4 + 1 + 4 + 1


# --- status: one look ---


@pytest.mark.parametrize("answer", [IN_PROGRESS, page(500), failed("Bad")], ids=lambda answer: answer["JobStatus"])
def test_status(clock, answer):
    """Says how the job is, and neither waits nor raises when it has failed."""
    job, client = job_of(answer, retries=True)

    assert job.status() == answer["JobStatus"]
    assert isinstance(job.status(), JobStatus)
    assert client.calls == [LOOK] * 2
    assert clock.sleeps == []


@pytest.mark.parametrize(("step", "error"), [(THROTTLED, ThrottledError), (LOST, TransportError)])
def test_status_never_waits(clock, step, error):
    """A look that fails is an error, not a wait, also where the client leaves retrying to the library."""
    job, client = job_of(step, retries=True)

    with pytest.raises(error):
        job.status()

    assert len(client.calls) == 1
    assert clock.sleeps == []


def test_status_keeps_the_first_page(clock):
    """The answer that tells of success is page one: it is not fetched again."""
    job, client = job_of(page(0, 500))

    job.status()

    assert [face.timestamp_ms for face in job.faces()] == [0, 500]
    assert len(client.calls) == 1
    assert clock.sleeps == []


# --- uploads ---


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("way", ["result", "status", "wait", "discard"])
def test_takes_its_upload_away(clip, way):
    """When the job has ended, or is not wanted, its upload goes, once."""
    job, _, shelf = started(clip, page(0))

    assert repr(job) == "<VideoJob j-1 with upload s3://shelf/k-1?versionId=v-1>"
    for _ in range(2):
        getattr(job, way)()

    assert shelf.events == ["stage clip.mp4", "discard k-1"]
    assert repr(job) == "<VideoJob j-1>"
    assert job.to_dict() == STATE


@pytest.mark.usefixtures("clock")
def test_says_what_was_analysed(clip):
    """A result bears the name of its video, as far as the job knows it."""
    job, client, _ = started(clip, page(0))

    assert job.result().source == str(clip)
    assert VideoJob.resume("j-1", client=client).result().source is None


@pytest.mark.usefixtures("clock")
def test_keeps_its_upload_while_it_runs(clip):
    """A job that goes on needs its upload, and every error that ends the wait names it."""
    job, _, shelf = started(clip, IN_PROGRESS)
    owned = {"bucket": "shelf", "key": "k-1", "version": "v-1"}

    with pytest.raises(JobTimeoutError) as caught:
        job.wait(timeout=0)

    assert str(caught.value) == (
        f"job j-1 was not finished after 0 s; {GOES_ON}; its upload s3://shelf/k-1?versionId=v-1 is kept until then"
    )
    assert caught.value.state == job.to_dict() == {"version": 1, "job_id": "j-1", "upload": owned}
    assert job.status() == JobStatus.IN_PROGRESS
    assert shelf.events == ["stage clip.mp4"]


@pytest.mark.usefixtures("clock")
def test_another_process_takes_the_upload_away(clip):
    """The state goes through JSON to another process, which ends what was begun."""
    job, _, shelf = started(clip, IN_PROGRESS)
    state = json.loads(json.dumps(job.to_dict()))

    result = VideoJob.from_dict(state, client=ScriptedClient(page(0)), staging=shelf).result()

    assert [face.timestamp_ms for face in result.faces] == [0]
    assert shelf.events == ["stage clip.mp4", "discard k-1"]


@pytest.mark.usefixtures("clock")
def test_a_failed_job_names_the_upload_that_is_left(clip):
    """The name of the video and the reason come first, then what is left."""
    job, _, _ = started(clip, failed("Bad"), broken=True)

    with pytest.raises(JobFailedError) as caught:
        job.wait()

    assert str(caught.value) == f"{clip}: job j-1 failed: Bad; it sticks"
    assert job.to_dict()["upload"] is not None


@pytest.mark.usefixtures("clock")
def test_a_finished_job_names_the_upload_that_is_left(clip):
    """The result is not lost when its upload cannot be deleted: the job still gives it, and so does another."""
    job, _, _ = started(clip, page(0), broken=True)

    with pytest.raises(StagingError) as caught:
        job.result()

    assert str(caught.value) == "it sticks"
    assert (caught.value.job_id, caught.value.bucket, caught.value.key) == ("j-1", "shelf", "k-1")
    assert caught.value.__notes__ == ["The analysis is complete: VideoJob.resume('j-1').result() gives it."]
    assert len(job.result().faces) == 1
    with pytest.raises(StagingError):
        job.discard()


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("step", [refusal("AccessDeniedException"), ValueError("a bug"), {}], ids=repr)
def test_an_error_in_the_midst_names_the_upload(clip, step):
    """Whatever ends a wait with an upload in a bucket says where it is and how to take it away."""
    client, shelf = ScriptedClient(IN_PROGRESS, step), Shelf()

    with pytest.raises(Exception, match=r"AccessDenied|a bug|broken") as caught:
        analyze_video(clip, client=client, staging=shelf)

    [note] = caught.value.__notes__
    state = {"version": 1, "job_id": "j-1", "upload": {"bucket": "shelf", "key": "k-1", "version": "v-1"}}
    assert note == (
        f"VideoJob.from_dict({state}) takes job j-1 up again; its upload s3://shelf/k-1?versionId=v-1 is kept until "
        "then"
    )
    assert shelf.events == ["stage clip.mp4"]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("read", ["wait", "result"])
def test_an_interrupt_says_how_to_go_on(read):
    """Ctrl-C stays a KeyboardInterrupt, with one note."""
    job, _ = job_of(IN_PROGRESS, KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt) as caught:
        getattr(job, read)()

    assert caught.value.__notes__ == [f"VideoJob.from_dict({STATE}) takes job j-1 up again"]


def test_an_interrupt_at_the_start_says_how_to_go_on(clip):
    """The job runs once it has an id, whatever the caller does with the news."""

    def on_progress(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        start_video(clip, client=ScriptedClient(), staging=Shelf(), on_progress=on_progress)

    assert len(caught.value.__notes__) == 1
    assert "takes job j-1 up again; its upload s3://shelf/k-1" in caught.value.__notes__[0]


# --- progress, results, arguments ---


@pytest.mark.usefixtures("no_jitter", "clock")
def test_tells_what_happens():
    """Every event comes in order, with what belongs to it and nothing else."""
    client = ScriptedClient(
        IN_PROGRESS, THROTTLED, IN_PROGRESS, page(0, 500, then="a"), page(1000), start=[{"JobId": "j-1"}]
    )
    events = []

    analyze_video(VIDEO, client=client, on_progress=events.append)

    assert events == [
        Progress(event="STARTED", job_id="j-1", state=STATE),
        Progress(event="POLLED", job_id="j-1", status="IN_PROGRESS"),
        Progress(event="WAITING", job_id="j-1", seconds=0, next_seconds=0.875),
        Progress(event="WAITING", job_id="j-1", seconds=0.875, next_seconds=2.75),
        Progress(event="POLLED", job_id="j-1", status="IN_PROGRESS"),
        Progress(event="WAITING", job_id="j-1", seconds=3.625, next_seconds=1.75),
        Progress(event="POLLED", job_id="j-1", status="SUCCEEDED"),
        Progress(event="PAGE", job_id="j-1", faces=2),
        Progress(event="PAGE", job_id="j-1", faces=3),
    ]


@pytest.mark.usefixtures("clock")
def test_gives_its_result_again():
    """A second result needs no second wait; pages after the first are fetched again."""
    job, client = job_of(IN_PROGRESS, page(0, then="a"), page(500))

    first, second = job.result(), job.result()

    assert first == second == VideoAnalysis.from_aws(page(0, 500))
    assert (first.engine, first.next_token) == ("scripted", None)
    assert client.calls == [LOOK, LOOK, LOOK | {"NextToken": "a"}, LOOK | {"NextToken": "a"}]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("script", "warns"), [([page()], True), ([failed()], True), ([IN_PROGRESS, page()], False)])
def test_says_that_a_token_may_have_given_an_old_job_back(caplog, script, warns):
    """A job with the caller's token that has ended at the first look may be yesterday's."""
    client = ScriptedClient(*script)
    job = start_video(VIDEO, client=client, client_request_token=MINE)

    with caplog.at_level(logging.WARNING, logger="rekog_emotion"), suppress(JobFailedError):
        job.wait()

    status = script[-1]["JobStatus"]
    text = f"job j-1 was {status} at the first look: the token 'mine' may have given back a job that was started before"
    assert caplog.messages == ([text] if warns else [])


@pytest.mark.usefixtures("clock")
def test_trusts_its_own_token(caplog):
    """A fresh token cannot have given an old job back."""
    with caplog.at_level(logging.WARNING, logger="rekog_emotion"):
        analyze_video(VIDEO, client=ScriptedClient(page()))

    assert caplog.messages == []


@pytest.mark.parametrize("read", ["wait", "result", "faces"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_progress": 7}, "on_progress= got int: pass a function that takes a Progress"),
        ({"cancel": True}, "cancel= got bool: pass a threading.Event"),
        ({"cancel": asyncio.Event()}, "cancel= got asyncio.locks.Event: pass a threading.Event"),
    ],
    ids=["on_progress", "cancel", "an event of tasks"],
)
def test_refuses_wrong_listeners(read, options, message):
    """No call is made, and no wait begins that nobody could end or hear of."""
    job, client = job_of(page())

    with pytest.raises(InvalidInputError) as caught:
        getattr(job, read)(**options)

    assert (str(caught.value), client.calls) == (message, [])


def test_refuses_another_channel():
    """A job that is taken up is as strict with it as one that is started."""
    for begin in (lambda: VideoJob.resume("j-1", notify="arn"), lambda: VideoJob.from_dict(STATE, notify="arn")):
        with pytest.raises(InvalidInputError) as caught:
            begin()

        assert str(caught.value) == "notify= got str: pass SnsSqs(topic_arn, role_arn, queue_url)"


@pytest.mark.parametrize("read", ["wait", "result", "faces"])
@pytest.mark.parametrize("timeout", [-1, float("nan"), "x", True, timedelta(seconds=-1)], ids=repr)
def test_refuses_a_wrong_timeout(read, timeout):
    """No call is made; ``faces`` refuses it at once, not with the first face."""
    job, client = job_of(page())
    for _ in range(2):
        with pytest.raises(InvalidInputError) as caught:
            getattr(job, read)(timeout=timeout)

        assert str(caught.value) == (
            f"timeout={timeout!r} is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever"
        )
        assert client.calls == []
        job._job.first = VideoAnalysis()


@pytest.mark.parametrize("job_id", ["", None, 7, b"j-1"], ids=repr)
def test_refuses_what_is_no_job_id(job_id):
    """A job id is a string."""
    with pytest.raises(InvalidInputError) as caught:
        VideoJob.resume(job_id, client=ScriptedClient())

    assert str(caught.value) == (f"job_id={job_id!r} is no job id: pass the string that started jobs carry as job_id")


@pytest.mark.parametrize(
    "state",
    [
        None,
        "j-1",
        [],
        {},
        {"version": 2, "job_id": "j-1", "upload": None},
        {"version": 1, "upload": None},
        {"version": 1, "job_id": "j-1"},
        {"version": 1, "job_id": "j-1", "upload": "s3://shelf/k-1"},
        {"version": 1, "job_id": "j-1", "upload": {"bucket": "shelf", "key": "k-1"}},
        {"version": 1, "job_id": "j-1", "upload": {"bucket": None, "key": "k-1", "version": None}},
        {"version": 1, "job_id": "j-1", "upload": {"bucket": "shelf", "key": 7, "version": None}},
        {"version": 1, "job_id": "j-1", "upload": {"bucket": "shelf", "key": "k-1", "version": 7}},
    ],
    ids=repr,
)
def test_refuses_what_is_no_state(state):
    """A state that cannot be taken up whole is not taken up by half."""
    with pytest.raises(InvalidInputError) as caught:
        VideoJob.from_dict(state, client=ScriptedClient())

    assert str(caught.value) == "this is no state of a job: pass what VideoJob.to_dict() gave (version 1)"


def test_refuses_a_state_without_a_job():
    """The id is checked as anywhere."""
    with pytest.raises(InvalidInputError) as caught:
        VideoJob.from_dict({"version": 1, "job_id": None, "upload": None}, client=ScriptedClient())

    assert str(caught.value) == "job_id=None is no job id: pass the string that started jobs carry as job_id"


# --- the cost of not knowing how long it takes ---


LENGTHS = (2, 10, 60, 600, 3600, 7200)


@pytest.mark.parametrize("seconds", LENGTHS)
def test_time_lost_and_calls_made(monkeypatch, seconds):
    """A job loses 5 % of its length or 1 s in the mean, 12 % or 3 s at worst; two hours take 80 calls at most."""
    monkeypatch.setattr(random, "uniform", random.Random(1).uniform)  # noqa: S311 -- the same test every time
    lost, calls = [], []
    for _ in range(4000):
        now, looks = 0.0, 1
        while now < seconds:
            now, looks = now + POLLS.interval(now), looks + 1
        lost.append(now - seconds)
        calls.append(looks)

    assert sum(lost) / len(lost) <= max(0.05 * seconds, 1)
    assert max(lost) <= max(0.12 * seconds, 3)
    assert max(calls) <= 80


@pytest.mark.parametrize("seconds", LENGTHS)
def test_waits_by_that_schedule(clock, seconds):
    """Which is how a job waits."""
    client = FakeClient(clock=clock)
    client.script_videos(VIDEO_ANSWER, seconds=seconds)

    start_video(VIDEO, client=client).wait(timeout=None)

    assert seconds <= clock.now() <= seconds + max(0.12 * seconds, 3)
    assert client.count("GetFaceDetection") <= 80


@pytest.mark.parametrize(("length", "first"), [(None, 0.875), (10, 0.875), (600, 30), (36000, 60)])
@pytest.mark.usefixtures("no_jitter")
def test_a_known_length_saves_looks(clock, length, first):
    """Before a twentieth of it, or a minute, there is nothing to be seen."""
    client = ScriptedClient(IN_PROGRESS, page())

    start_video(VIDEO, client=client, video_length=length).wait()

    assert clock.sleeps == [first]


def test_says_it_in_the_log(caplog):
    """Every event is a record with its members, under the library's name, and no face or credential is in it."""
    caplog.set_level("DEBUG", logger="rekog_emotion")

    job, _ = job_of(page(0, 500))
    job.result()

    said = [record.rekog_emotion for record in caplog.records if hasattr(record, "rekog_emotion")]
    assert said == [
        {"event": "POLLED", "job_id": "j-1", "status": "SUCCEEDED"},
        {"event": "PAGE", "job_id": "j-1", "faces": 2},
    ]
    assert caplog.messages[0] == "POLLED: job_id=j-1, status=SUCCEEDED"
