"""Many videos: what may be asked for, whom an event is about, and what is said of those that nobody waits for."""

import logging
import pickle
from pathlib import Path

import pytest

from rekog_emotion.errors import AccessDeniedError, InvalidInputError, JobTimeoutError
from rekog_emotion.flows.job import Job, JobHandle
from rekog_emotion.flows.request import VideoRequest
from rekog_emotion.flows.steps import Facts
from rekog_emotion.flows.videos import (
    End,
    JobOutcome,
    Task,
    about,
    asked_for_each,
    check_jobs,
    check_videos,
    log_what_is_left,
    outcome_of,
    tasks_for,
    waits_for,
    workers_at,
)
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.progress import Progress, ProgressEvent
from rekog_emotion.values.s3 import S3Object


@pytest.mark.parametrize(
    "sources",
    [[], ["a.mp4"], ("a.mp4", Path("b.mp4")), iter(["a.mp4"])],
    ids=["nothing", "a list", "a tuple", "an iterator"],
)
@pytest.mark.parametrize("jobs", [1, 20])
def test_videos_that_can_be_asked_for(sources, jobs):
    """Any list of them, and any number of jobs from one on."""
    check_videos(sources, jobs)


@pytest.mark.parametrize(
    ("sources", "jobs", "message"),
    [
        *(
            ([], jobs, f"max_jobs={jobs!r} is no number of jobs: pass 1 or more")
            for jobs in (0, -1, True, 2.5, "3", None)
        ),
        *(
            (sources, 1, f"sources= got {type(sources).__name__}: pass a list of videos, or start_video() one")
            for sources in ("a.mp4", b"a.mp4", None, 5, S3Object(bucket="shelf", name="a.mp4"))
        ),
    ],
    ids=str,
)
def test_videos_that_cannot(sources, jobs, message):
    """One video is not many, and no job does nothing."""
    with pytest.raises(InvalidInputError) as caught:
        check_videos(sources, jobs)

    assert str(caught.value) == message


def test_jobs_that_can_be_waited_for():
    """Whatever they come in, they are gone through once."""
    assert check_jobs(iter([1, 2]), int) == [1, 2]
    assert check_jobs((), int) == []


def test_an_iterable_of_jobs_that_fails():
    """Those that it gave are not lost: its error comes after them; with nothing to lose it comes at once."""

    def starting(*jobs):
        yield from jobs
        raise LookupError("no more")  # noqa: EM101, TRY003 -- a caller's

    jobs, came = check_jobs(starting(1, 2), int), []
    assert len(jobs) == 2
    with pytest.raises(LookupError, match="no more"):
        came.extend(one for one in jobs)
    assert came == [1, 2]
    with pytest.raises(LookupError, match="no more"):
        check_jobs(starting(), int)
    with pytest.raises(InvalidInputError, match="jobs= has 'j-1'"):
        check_jobs(starting(1, "j-1"), int)


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        *(
            (jobs, f"jobs= got {type(jobs).__name__}: pass a list of jobs, or wait() for one")
            for jobs in ("j-1", b"j-1", None, 5)
        ),
        ([1, "j-1"], "jobs= has 'j-1': pass what start_video() or VideoJob.resume() gave"),
        ([None], "jobs= has None: pass what start_video() or VideoJob.resume() gave"),
    ],
    ids=str,
)
def test_jobs_that_cannot(jobs, message):
    """An id is no job."""
    with pytest.raises(InvalidInputError) as caught:
        check_jobs(jobs, int)

    assert str(caught.value) == message


NOBODY = {"on_progress": None, "staging": None, "s3_client": None}


def test_what_is_asked_for_each():
    """The videos are looked at first, then what is asked for them."""
    with pytest.raises(InvalidInputError, match=r"^max_jobs=0"):
        asked_for_each([], 0, {"timeout": -1, **NOBODY}, print)
    with pytest.raises(InvalidInputError, match=r"^timeout=-1"):
        asked_for_each([], 1, {"timeout": -1, **NOBODY}, print)

    assert asked_for_each([], 1, {"timeout": 1, **NOBODY}, lambda *_: None) == VideoRequest(timeout=1)


def test_the_work_on_videos():
    """Those of a list are counted, those of an iterator taken one by one."""
    taken = iter(["a.mp4", "b.mp4"])

    assert tasks_for(["a.mp4"]) == [Task("a.mp4")]
    assert next(iter(tasks_for(taken))) == Task("a.mp4")
    assert list(taken) == ["b.mp4"]


@pytest.mark.parametrize(("items", "workers"), [(["a"], 1), ([], 0), (["a"] * 9, 3), (iter("a"), 3)])
def test_who_is_at_work(items, workers):
    """As many as there is work for; nobody knows of an iterator's."""
    assert workers_at(items, 3) == workers


def test_what_is_waited_for():
    """How long is looked at first, then the jobs."""
    job = JobHandle(job=Job(job_id="j-1", facts=Facts(), source="a.mp4"))
    with pytest.raises(InvalidInputError, match=r"^timeout=-1"):
        waits_for("j-1", JobHandle, {"timeout": -1, "on_progress": None})
    with pytest.raises(InvalidInputError, match=r"^jobs= got str"):
        waits_for("j-1", JobHandle, {"timeout": 1, "on_progress": None})

    assert waits_for([job], JobHandle, {"timeout": 1, "on_progress": None}) == ([job], 1.0)


def test_what_became_of_a_video():
    """Its work has its job, or the job is all there is; each world has its own kind of outcome."""
    job, error = JobHandle(job=Job(job_id="j-1", facts=Facts(), source="a.mp4")), AccessDeniedError("no")
    whole = VideoAnalysis(job_id="j-1")

    assert outcome_of(End(Task("a.mp4", job), result=whole), dict) == {
        "source": "a.mp4",
        "analysis": whole,
        "error": None,
        "job": job,
    }
    assert outcome_of(End(Task("b.mp4"), error=error), dict)["job"] is None
    assert outcome_of(End(job, error=error), dict) == {"source": "a.mp4", "analysis": None, "error": error, "job": job}


def test_an_event_is_about_a_video():
    """Which it names beside what else it says."""
    told = []

    about(S3Object(bucket="shelf", name="a.mp4"), told.append)(Progress(event=ProgressEvent.PAGE, faces=7))

    assert told == [Progress(event=ProgressEvent.PAGE, faces=7, source="s3://shelf/a.mp4")]
    assert about("a.mp4", None) is None


@pytest.mark.parametrize(
    "outcome",
    [
        JobOutcome(source="a.mp4", analysis=VideoAnalysis(job_id="j-1")),
        JobOutcome(source=None, error=AccessDeniedError("no")),
    ],
    ids=["analysis", "error"],
)
def test_an_outcome_is_sent_to_processes(outcome):
    """With all but the job."""
    back = pickle.loads(pickle.dumps(outcome))  # noqa: S301 -- our own

    assert (type(back), back.source, back.analysis) == (JobOutcome, outcome.source, outcome.analysis)
    assert (type(back.error), str(back.error)) == (type(outcome.error), str(outcome.error))


def noted(error, *notes):
    """Return an error with notes."""
    for note in notes:
        error.add_note(note)
    return error


LATE = JobTimeoutError("late", job_id="j-1", state={"job_id": "j-1"})


@pytest.mark.parametrize(
    ("result", "error", "messages"),
    [
        (None, None, []),
        ("ended", None, []),
        (
            VideoAnalysis(job_id="j-1"),
            None,
            ["job j-1 has ended, and nobody took its result: it is kept for 7 days"],
        ),
        (None, AccessDeniedError("no"), []),
        (None, ValueError(), []),
        (None, noted(ValueError(), "resume it"), ["ValueError (resume it)"]),
        (None, noted(ValueError("a bug"), "resume it", "or not"), ["a bug (resume it; or not)"]),
        (None, AccessDeniedError("no", job_id="j-1"), ["no"]),
        (None, LATE, ["late (state: {'job_id': 'j-1'})"]),
        (
            None,
            noted(JobTimeoutError("late", job_id="j-1", state={}), "more"),
            ["late (state: {}; more)"],
        ),
    ],
)
def test_what_is_said_of_a_job_that_nobody_waits_for(caplog, result, error, messages):
    """How to take it up, where there is one."""
    with caplog.at_level(logging.WARNING, "rekog_emotion"):
        log_what_is_left(result, error)

    assert caplog.messages == messages


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        (Task("a.mp4"), noted(ValueError(), "it goes on"), "a.mp4: ValueError (it goes on)"),
        (Task(b"12345"), noted(ValueError(), "it goes on"), "the file given as 5 bytes: ValueError (it goes on)"),
        (Task("a.mp4"), noted(ValueError("a bug"), "it goes on"), "a bug (it goes on)"),
        (Task(None), noted(ValueError(), "it goes on"), "ValueError (it goes on)"),
    ],
)
def test_what_it_is_said_of(caplog, item, error, message):
    """The source, where it is known and the error has no text that says it."""
    with caplog.at_level(logging.WARNING, "rekog_emotion"):
        log_what_is_left(None, error, item)

    assert caplog.messages == [message]
