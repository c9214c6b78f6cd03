"""Many videos: so many at once, every outcome, and nothing left behind."""

import json
import pickle
import queue
import threading
from types import SimpleNamespace

import pytest
from botocore.exceptions import ReadTimeoutError

from rekog_emotion import (
    InvalidInputError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    S3Object,
    VideoJob,
    VideoOutcome,
    analyze_videos,
    start_video,
    wait_for_videos,
)
from rekog_emotion.blocking import gathering
from rekog_emotion.flows.videos import End
from rekog_emotion.testing import FakeClient
from tests.scripted import IN_PROGRESS, ScriptedClient, page, refusal
from tests.testing.recordings import video

LOST_ANSWER = ReadTimeoutError(endpoint_url="https://rekognition.example")
DENIED = (
    "GetFaceDetection of job j-1 failed with AccessDeniedException: No. (check the credentials, the clock and that the "
    "identity may call rekognition:GetFaceDetection)"
)
UNHEARD = (
    'StartFaceDetection got no answer: Read timeout on endpoint URL: "https://rekognition.example" (A job may have '
    "been started: start_video('s3://bucket/a.mp4', client_request_token='TOKEN') with the same options gives it "
    "back.)"
)
FAILED = {"JobStatus": "FAILED", "StatusMessage": "Unsupported codec/format."}
pytestmark = pytest.mark.usefixtures("clock")


def videos(count):
    """Return addresses of so many videos."""
    return [f"s3://bucket/{number}.mp4" for number in range(count)]


class Counting(FakeClient):
    """A fake client that keeps how many jobs there were at most at once, as the service sees them."""

    most = 0

    def start_face_detection(self, **parameters):
        """Answer StartFaceDetection, and count."""
        answer = super().start_face_detection(**parameters)
        self.most = max(self.most, sum(job.ends > self._now() for job in list(self._jobs.values())))
        return answer


@pytest.mark.parametrize(("count", "max_jobs"), [(0, 3), (1, 3), (12, 3), (5, 20)])
def test_every_video_once(count, max_jobs):
    """Each gives its outcome, and never more jobs run than were allowed."""
    client = Counting(max_jobs=max_jobs)
    client.script_videos(video(3), seconds=30)

    outcomes = list(analyze_videos(videos(count), max_jobs=max_jobs, client=client))

    assert sorted(outcome.source for outcome in outcomes) == sorted(videos(count))
    assert [len(outcome.result().faces) for outcome in outcomes] == [3] * count
    assert client.most <= min(max_jobs, count)
    assert client.count("StartFaceDetection") == count


def test_one_bad_video_stops_no_other():
    """Failures are outcomes, with their errors: at the service, and before anything was sent."""
    client = FakeClient()
    client.script_videos(FAILED, video(3))

    outcomes = {
        str(outcome.source): outcome
        for outcome in analyze_videos(
            ["s3://bucket/bad.mp4", "s3://bucket/", "no-such.mp4", *videos(2)], max_jobs=1, client=client
        )
    }

    errors = {source: type(outcome.error) for source, outcome in outcomes.items() if outcome.error is not None}
    assert errors == {
        "s3://bucket/bad.mp4": JobFailedError,
        "s3://bucket/": InvalidInputError,
        "no-such.mp4": InvalidInputError,
    }
    assert [len(outcomes[source].analysis.faces) for source in videos(2)] == [3, 3]
    with pytest.raises(JobFailedError, match=r"Unsupported codec/format\."):
        outcomes["s3://bucket/bad.mp4"].result()


def test_takes_sources_as_slots_get_free():
    """A generator without end is no trouble; leaving early ends all threads, and the log says what goes on."""
    client, taken = FakeClient(videos=video(1)), []

    def endless():
        while True:
            taken.append(f"s3://bucket/{len(taken)}.mp4")
            yield taken[-1]

    outcomes = analyze_videos(endless(), max_jobs=2, client=client)
    for _ in range(5):
        assert next(outcomes).error is None
    outcomes.close()

    assert 5 <= len(taken) <= 12
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("rekog-emotion")] == []


def test_a_source_list_that_fails():
    """An error of the caller's own generator comes out, when what runs has ended."""

    def broken():
        yield "s3://bucket/0.mp4"
        raise LookupError("no more")  # noqa: EM101, TRY003 -- a caller's

    with pytest.raises(LookupError, match="no more"):
        list(analyze_videos(broken(), client=FakeClient(videos=video(1))))


def test_cancelled(clock):
    """Each job that runs is an outcome that can be resumed; no more are started than may run."""
    client, cancel = FakeClient(), threading.Event()
    client.script_videos(video(3), seconds=500)
    clock.at(60, cancel.set)

    outcomes = list(analyze_videos(videos(9), max_jobs=2, client=client, cancel=cancel))

    assert {type(outcome.error) for outcome in outcomes} == {JobCancelledError}
    running = [outcome.error for outcome in outcomes if outcome.error.job_id]  # one may have been about to start
    assert 1 <= len(running) == client.count("StartFaceDetection") <= len(outcomes) <= 2
    clock.advance(500)
    states = [json.loads(json.dumps(error.state)) for error in running]
    assert [len(VideoJob.from_dict(state, client=client).result().faces) for state in states] == [3] * len(states)


def test_left_early_says_what_goes_on(caplog):
    """Who breaks the loop finds the states of the jobs that run in the log."""
    client = ScriptedClient(IN_PROGRESS, start=[{"JobId": "j-1"}])
    looked = threading.Event()
    outcomes = analyze_videos(
        ["no-such.mp4", "s3://bucket/a.mp4"],
        max_jobs=2,
        client=client,
        timeout=None,
        on_progress=lambda progress: looked.set() if progress.event == "POLLED" else None,
    )
    assert next(outcomes).source == "no-such.mp4"
    looked.wait()
    outcomes.close()

    [record] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "(state: {'version': 1, 'job_id': 'j-1', 'upload': None})" in record.getMessage()


@pytest.mark.parametrize(
    ("script", "start", "message"),
    [
        (
            [page(0, JobId="j-1")],
            {"JobId": "j-1"},
            "job j-1 has ended, and nobody took its result: it is kept for 7 days",
        ),
        (
            [refusal("AccessDeniedException")],
            {"JobId": "j-1"},
            DENIED,
        ),
        (
            [],
            LOST_ANSWER,
            UNHEARD,
        ),
        ([], refusal("AccessDeniedException"), None),
    ],
    ids=["result", "failed", "no-answer", "refused"],
)
def test_left_early_loses_no_job(caplog, monkeypatch, script, start, message):
    """Whatever became of a job when nobody wanted it any longer, the log says how to have it; nothing of no job."""
    begun, left, lies_there = threading.Event(), threading.Event(), threading.Event()

    class Ends(queue.Queue):
        def put(self, end):
            super().put(end)
            if left.is_set() and isinstance(end, End):
                lies_there.set()

    monkeypatch.setattr(gathering, "queue", SimpleNamespace(Queue=Ends))

    def late():
        begun.set()
        assert left.wait(60)
        return start

    client = ScriptedClient(*script, start=[late])
    outcomes = analyze_videos(["no-such.mp4", "s3://bucket/a.mp4"], max_jobs=2, client=client)
    assert next(outcomes).source == "no-such.mp4"
    assert begun.wait(60)
    left.set()
    assert lies_there.wait(60)  # nobody takes it; only now the threads are asked to end
    outcomes.close()

    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    token = client.calls[0]["ClientRequestToken"]
    assert said == [message.replace("TOKEN", token)] if message else said == []


def test_a_full_account_is_waited_for():
    """More at once than the account may run: they wait for slots, each with its own deadline."""
    client = FakeClient(max_jobs=2)
    client.script_videos(video(1), seconds=100)

    outcomes = list(analyze_videos(videos(6), max_jobs=6, client=client))

    assert [outcome.error for outcome in outcomes] == [None] * 6
    client.script_videos(video(1), seconds=float("inf"))
    outcomes = list(analyze_videos(videos(3), max_jobs=3, client=client, slot_timeout=30, timeout=60))
    assert [type(outcome.error) for outcome in outcomes] == [JobTimeoutError] * 3


def test_progress_says_which_video():
    """Events of all videos come to one callback."""
    events = []

    list(analyze_videos(videos(3), client=FakeClient(videos=video(3)), on_progress=events.append))

    assert {event.source for event in events} == set(videos(3))
    assert {event.event for event in events} == {"STARTED", "POLLED", "PAGE"}


def test_progress_calls_an_object_by_its_address():
    """However the video was named."""
    events = []

    list(
        analyze_videos(
            [S3Object(bucket="bucket", name="0.mp4")], client=FakeClient(videos=video(3)), on_progress=events.append
        )
    )

    assert {event.source for event in events} == {"s3://bucket/0.mp4"}


@pytest.mark.parametrize("options", [{"attributes": "NOSE"}, {"job_tag": "a b"}, {"timeout": -1}], ids=repr)
def test_refuses_wrong_arguments_once(options):
    """Not in every outcome."""
    with pytest.raises(InvalidInputError, match=next(iter(options))):
        analyze_videos(videos(2), client=FakeClient(), **options)


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ("j-1", "jobs= got str: pass a list of jobs, or wait() for one"),
        (7, "jobs= got int: pass a list of jobs, or wait() for one"),
        (["j-1"], "jobs= has 'j-1': pass what start_video() or VideoJob.resume() gave"),
    ],
)
def test_refuses_to_wait_for_what_is_no_job(jobs, message):
    """Before it waits."""
    with pytest.raises(InvalidInputError) as caught:
        wait_for_videos(jobs)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("clip.mp4",), "sources= got str: pass a list of videos, or start_video() one"),
        ((7,), "sources= got int: pass a list of videos, or start_video() one"),
    ],
)
def test_refuses_what_is_no_list(arguments, message):
    """Before anything is started, not at the first outcome."""
    with pytest.raises(InvalidInputError) as caught:
        analyze_videos(*arguments, client=FakeClient())

    assert str(caught.value) == message


@pytest.mark.parametrize("max_jobs", [0, -1, True, 1.5])
def test_refuses_no_jobs(max_jobs):
    """At least one at once."""
    with pytest.raises(InvalidInputError) as caught:
        analyze_videos([], max_jobs=max_jobs, client=FakeClient())

    assert str(caught.value) == f"max_jobs={max_jobs!r} is no number of jobs: pass 1 or more"


def test_waits_for_jobs_that_were_started_before():
    """Each comes as it ends, with all its faces or the error it ended by, and itself."""
    client = FakeClient()
    client.script_videos(video(3), FAILED, {"JobStatus": "IN_PROGRESS"}, seconds=10)
    jobs = [start_video(source, client=client) for source in videos(3)]

    outcomes = {outcome.job: outcome for outcome in wait_for_videos(jobs, timeout=60)}

    assert [outcomes[job].source for job in jobs] == [job.source for job in jobs] == videos(3)
    assert [type(outcomes[job].error) for job in jobs] == [type(None), JobFailedError, JobTimeoutError]
    assert len(outcomes[jobs[0]].result().faces) == 3
    with pytest.raises(JobFailedError, match=r"Unsupported codec/format\."):
        outcomes[jobs[1]].result()


def test_a_job_that_was_taken_up_has_no_source():
    """Its id is all that is known of it."""
    client = FakeClient()
    client.script_videos(video(3))
    job_id = start_video("s3://bucket/a.mp4", client=client).job_id

    [outcome] = wait_for_videos([VideoJob.resume(job_id, client=client)])

    assert (outcome.source, outcome.job.job_id, len(outcome.analysis.faces)) == (None, job_id, 3)


def test_an_outcome_has_its_job():
    """Whoever ran out of time goes on with it; what was never started has none."""
    client = FakeClient()
    client.script_videos(video(3), seconds=100)

    outcomes = analyze_videos(["no-such.mp4", "s3://bucket/a.mp4"], max_jobs=1, client=client, timeout=10)
    bad, late = outcomes

    assert (type(bad.error), bad.job) == (InvalidInputError, None)
    assert (type(late.error), late.job.job_id) == (JobTimeoutError, late.error.job_id)
    assert len(late.job.result().faces) == 3


def test_an_outcome_leaves_its_job_in_its_process():
    """A job has a client; the rest of an outcome goes anywhere."""
    client = FakeClient()
    client.script_videos(video(3), FAILED)
    good, bad = analyze_videos(videos(2), max_jobs=1, client=client)

    copies = pickle.loads(pickle.dumps((good, bad)))  # noqa: S301 -- our own

    assert copies[0] == good
    assert [(type(one), one.source, one.job, str(one.error)) for one in copies] == [
        (VideoOutcome, good.source, None, "None"),
        (VideoOutcome, bad.source, None, str(bad.error)),
    ]


def test_looks_of_all_jobs_keep_to_the_quota(clock):
    """Sixty jobs that are looked at together stay within 5 looks a second, after a burst of 20."""
    client = FakeClient(max_jobs=100)
    client.script_videos({"JobStatus": "IN_PROGRESS"})
    looks = []
    ask = client.get_face_detection
    client.get_face_detection = lambda **parameters: (looks.append(clock.now()), ask(**parameters))[1]
    jobs = [start_video(source, client=client) for source in videos(60)]

    for job in jobs:
        with pytest.raises(JobTimeoutError):
            job.wait(timeout=20)

    assert len(looks) > 60
    for begin in looks:
        assert sum(begin <= look < begin + 10 for look in looks) <= 20 + 5 * 10 + 1


def test_pages_are_not_held_up(clock):
    """A result of many pages takes no time of the budget; looks wait for it instead."""
    script = [page(number, then=str(number)) for number in range(60)]
    job = VideoJob.resume("j-1", client=ScriptedClient(*script, page(60)))

    assert len(list(job.faces())) == 61
    assert clock.now() == 0
