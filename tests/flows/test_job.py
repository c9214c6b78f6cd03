"""The life of a job as steps: its upload is taken away when it has ended, and kept while it goes on."""

from contextlib import suppress

import pytest

from rekog_emotion.errors import JobFailedError, JobTimeoutError, StagingError
from rekog_emotion.flows.job import Job
from rekog_emotion.flows.steps import Call, Discard, Facts, Remove, Turn
from rekog_emotion.values.s3 import S3Object
from tests.scripted import IN_PROGRESS, failed, page
from tests.stepping import Table

UPLOAD = S3Object(bucket="shelf", name="k-1", version="v-1")
OURS = S3Object(bucket="b", name=f"rekog-emotion-{'0' * 32}.mp4")
ECHO = {"Video": {"S3Object": {"Bucket": "b", "Name": OURS.name}}}
LOOK = Call("get_face_detection", {"JobId": "j-1", "MaxResults": 1000}, "j-1")
TURN, SPEND = Turn(), Turn(waits=False)

pytestmark = pytest.mark.usefixtures("no_jitter")


def stuck():
    """Return the error of an upload that cannot be deleted."""
    return StagingError("it sticks", bucket="shelf", key="k-1")


def job(**known):
    """Return a job."""
    return Job(job_id="j-1", facts=Facts(retries=True, can=known.pop("can", frozenset()), engine="aws"), **known)


@pytest.mark.parametrize(
    ("flow", "answer", "steps"),
    [
        (lambda one: one.wait(None), page(0), [TURN, LOOK, Discard(UPLOAD)]),
        (lambda one: one.result(None), page(0), [TURN, LOOK, Discard(UPLOAD)]),
        (lambda one: one.status(), page(0), [SPEND, LOOK, Discard(UPLOAD)]),
        (lambda one: one.status(), failed(), [SPEND, LOOK, Discard(UPLOAD)]),
        (lambda one: one.status(), IN_PROGRESS, [SPEND, LOOK]),
        (lambda one: one.discard(), None, [Discard(UPLOAD)]),
    ],
    ids=["wait", "result", "status", "failed", "going on", "discard"],
)
def test_takes_its_upload_away(flow, answer, steps):
    """Once it has ended, or is not wanted; then it owns none."""
    table, one = Table(answer), job(upload=UPLOAD)

    table.play(flow(one))

    assert table.steps == steps
    assert (one.upload is None) == (steps[-1] == Discard(UPLOAD))


@pytest.mark.parametrize(
    ("known", "removed"),
    [
        ({}, True),
        ({"fresh": True}, False),
        ({"token": "mine"}, False),
        ({"can": frozenset({"files"})}, False),
        ({"upload": UPLOAD}, False),
    ],
    ids=["by its id", "fresh", "a token", "no service", "an own one"],
)
def test_adopts_an_upload(known, removed):
    """Of a job that was taken up by its id alone, the upload that the answer names is ours by its name."""
    table = Table(page(0, **ECHO))

    table.play(job(**known).wait(None))

    assert (Remove(OURS) in table.steps) == removed


def test_an_adopted_upload_that_sticks_is_logged(caplog):
    """The result is what was asked for."""
    table = Table(page(0, **ECHO), stuck=stuck())

    table.play(job().wait(None))

    assert caplog.messages[-1] == "job j-1 has ended, and its upload is left: it sticks"


@pytest.mark.parametrize(
    ("answer", "error", "message", "notes"),
    [
        (failed("Bad"), JobFailedError, "job j-1 failed: Bad; it sticks", []),
        (
            page(0),
            StagingError,
            "it sticks",
            ["The analysis is complete: VideoJob.resume('j-1').result() gives it."],
        ),
    ],
)
def test_an_upload_that_sticks(answer, error, message, notes):
    """What is left is told, and which result there is."""
    with pytest.raises(error) as caught:
        Table(answer, stuck=stuck()).play(job(upload=UPLOAD).wait(None))

    assert (str(caught.value), caught.value.job_id) == (message, "j-1")
    assert getattr(caught.value, "__notes__", []) == notes


def test_keeps_its_upload_while_it_goes_on():
    """And says so."""
    table, one = Table(IN_PROGRESS), job(upload=UPLOAD)

    with pytest.raises(JobTimeoutError) as caught:
        table.play(one.wait(0.0))

    assert caught.value.state == one.state
    assert (one.upload, table.steps) == (UPLOAD, [TURN, LOOK])


OLD = "at the first look: the token 'mine' may have given back a job that was started before"


@pytest.mark.parametrize(
    ("answers", "token", "texts"),
    [
        ([page(0)], "mine", [f"job j-1 was SUCCEEDED {OLD}"]),
        ([failed()], "mine", [f"job j-1 was FAILED {OLD}"]),
        ([IN_PROGRESS, page(0)], "mine", []),
        ([page(0)], None, []),
        ([IN_PROGRESS, page(0)], None, []),
    ],
    ids=["ended", "failed", "later", "no token", "no token, later"],
)
def test_a_token_may_have_given_an_old_job_back(caplog, answers, token, texts):
    """It is told of a job with the caller's token that has ended at the first look."""
    with suppress(JobFailedError):
        Table(*answers).play(job(token=token).wait(None))

    assert caplog.messages == texts


def test_a_failure_names_its_video():
    """Where it is known."""
    with pytest.raises(JobFailedError) as caught:
        Table(failed("Bad")).play(job(source="clip.mp4").wait(None))

    assert str(caught.value) == "clip.mp4: job j-1 failed: Bad"


def test_a_look_at_a_client_of_its_own_is_not_counted():
    """There is no quota, and nothing to take away."""
    table, one = Table(page(0)), job(can=frozenset({"files"}))

    assert table.play(one.status()) == "SUCCEEDED"
    assert table.steps == [LOOK]
    assert len(one.first.faces) == 1


def test_an_upload_that_sticks_names_the_job():
    """And is still the job's own."""
    one = job(upload=UPLOAD)

    with pytest.raises(StagingError) as caught:
        Table(stuck=stuck()).play(one.discard())

    assert (caught.value.job_id, one.upload) == ("j-1", UPLOAD)


def test_leaves_alone_what_is_not_ours():
    """A video that the caller has put there himself."""
    table = Table(page(0, Video={"S3Object": {"Bucket": "b", "Name": "clip.mp4"}}))

    table.play(job().wait(None))

    assert table.steps == [TURN, LOOK]


def test_gives_its_result_again():
    """Without another look; pages after the first are fetched again."""
    table, one = Table(page(0, then="a"), page(500), page(500)), job(source="clip.mp4")

    first, second = (table.play(one.result(None)) for _ in range(2))

    assert first == second
    assert (first.engine, first.source, first.next_token, len(first.faces)) == ("aws", "clip.mp4", None, 2)
    assert [call.get("NextToken") for call in table.calls] == [None, "a", "a"]


def test_one_job_is_not_another():
    """Whatever they have in common."""
    one = job()

    assert one == one  # noqa: PLR0124 -- that is what is asked
    assert one != job()
