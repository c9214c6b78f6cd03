"""How a job is taken up again: its state, and what errors say of it."""

import pytest

from rekog_emotion.errors import (
    AccessDeniedError,
    InvalidInputError,
    JobFailedError,
    JobTimeoutError,
    ResponseError,
    StagingError,
)
from rekog_emotion.flows.messages import SnsSqs
from rekog_emotion.flows.resuming import (
    WaysOut,
    check_job_id,
    opening,
    read_state,
    remind,
    resumable,
    write_state,
)
from rekog_emotion.flows.steps import Resolve
from rekog_emotion.values.s3 import S3Object

UPLOAD = S3Object(bucket="shelf", name="k-1", version="v-1")
PLAIN = S3Object(bucket="shelf", name="k-1")
OWNED = {"bucket": "shelf", "key": "k-1", "version": "v-1"}
KEPT = "; its upload s3://shelf/k-1?versionId=v-1 is kept until then"
GOES_ON = "it goes on at the service, and VideoJob.from_dict(error.state) resumes it"
HERE = "it goes on until its client is closed, so wait again with the same client, or give it more time"


def ways(upload=None, *, here=False):
    """Return the ways out of a job."""
    return WaysOut(job_id="j-1", upload=upload, here=here)


@pytest.mark.parametrize(
    ("upload", "owned"), [(None, None), (UPLOAD, OWNED), (PLAIN, {**OWNED, "version": None})], ids=str
)
def test_a_state_is_read_as_it_was_written(upload, owned):
    """With the upload that the job owns, and its version where there is one."""
    state = write_state("j-1", upload)

    assert state == {"version": 1, "job_id": "j-1", "upload": owned}
    assert read_state(state) == ("j-1", upload)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"version": 2, "job_id": "j-1", "upload": None},
        {"version": 2, "job_id": "j-1", "upload": OWNED},
        {"version": 1, "job_id": "j-1"},
        {"version": 1, "job_id": "j-1", "upload": {"bucket": "shelf", "key": "k-1"}},
        {"version": 1, "job_id": "j-1", "upload": {**OWNED, "version": 1}},
    ],
)
def test_refuses_another_state(state):
    """Of another version, or with a part missing or of another type."""
    with pytest.raises(InvalidInputError) as caught:
        read_state(state)

    assert str(caught.value) == "this is no state of a job: pass what VideoJob.to_dict() gave (version 1)"


@pytest.mark.parametrize("job_id", ["", None, 5, b"j-1"])
def test_refuses_what_is_no_id(job_id):
    """Of a job: no text, or an empty one."""
    check_job_id("j-1")

    with pytest.raises(InvalidInputError) as caught:
        check_job_id(job_id)

    assert str(caught.value) == f"job_id={job_id!r} is no job id: pass the string that started jobs carry as job_id"


def test_a_job_is_taken_up_in_order():
    """Its id comes first, then where it tells its end, what stands beside the client, that, and what deletes."""
    beside, options = [], {"notify": 5, "staging": "shelf", "s3_client": "s3", "client": "aws", "upload": UPLOAD}

    def check_beside(*given):
        beside.append(given)

    def begun(job_id, options):
        return opening(job_id, options, check_beside=check_beside, find=lambda staging, **named: (staging, named))

    with pytest.raises(InvalidInputError, match=r"^job_id="):
        next(begun("", options))
    with pytest.raises(InvalidInputError, match=r"^notify= got int"):
        next(begun("j-1", options))
    assert beside == []
    own = begun("j-1", {**options, "notify": None, "staging": 5})
    assert next(own) == Resolve("aws")
    address = begun("j-1", {**options, "notify": None})
    assert next(address) == Resolve("aws")
    # Whoever takes an upload away has no use for an address, and says so.
    assert beside == [(5, "s3", None), (None, "s3", None)]

    work = address.send(("client", frozenset()))
    found = work.function()
    assert found == ("shelf", {"client": "client", "upload": UPLOAD, "s3_client": "s3"})
    with pytest.raises(StopIteration) as end:
        address.send(found)
    assert end.value.value == ("client", found)


def test_a_client_that_sends_no_messages_takes_up_no_job_with_them():
    """Told before anything is looked for beside it."""
    channel = SnsSqs("arn:aws:sns:t", "arn:aws:iam::r", "https://q")
    options = {"notify": channel, "staging": None, "s3_client": None, "client": None, "upload": None}
    begun = opening("j-1", options, check_beside=lambda *_: None, find=None)
    next(begun)

    with pytest.raises(InvalidInputError, match=r"^notify="):
        begun.send((object(), frozenset({"files"})))


@pytest.mark.parametrize(
    ("known", "goes_on", "kept"),
    [(ways(), GOES_ON, ""), (ways(UPLOAD), GOES_ON, KEPT), (ways(UPLOAD, here=True), HERE, "")],
    ids=["at the service", "with an upload", "here"],
)
def test_what_is_said_of_a_job_that_goes_on(known, goes_on, kept):
    """How long it was waited for, where it goes on, and what is kept; the state tells all."""
    late, failing = known.timed_out(12.4, None), known.timed_out(12.6, AccessDeniedError("no"))
    cancelled, unread = known.wait_cancelled(3.0), known.reading_cancelled()

    assert str(late) == f"job j-1 was not finished after 12 s; {goes_on}{kept}"
    assert str(failing) == f"job j-1 was not finished after 13 s (the last look failed: no); {goes_on}{kept}"
    assert str(cancelled) == f"the wait for job j-1 was cancelled after 3 s; {goes_on}{kept}"
    assert str(unread) == (
        "reading the pages of job j-1 was cancelled; its result is kept for 7 days, and "
        f"VideoJob.from_dict(error.state) reads it{kept}"
    )
    assert {error.job_id for error in (late, failing, cancelled, unread)} == {"j-1"}
    assert late.state == failing.state == cancelled.state == unread.state == known.state


NOTE = "VideoJob.from_dict({'version': 1, 'job_id': 'j-1', 'upload': None}) takes job j-1 up again"
NOTE_OF_BOTH = f"VideoJob.from_dict({{'version': 1, 'job_id': 'j-1', 'upload': {OWNED}}}) takes job j-1 up again{KEPT}"


@pytest.mark.parametrize(
    ("error", "known", "notes"),
    [
        (KeyboardInterrupt(), ways(), [NOTE]),
        (KeyboardInterrupt(), ways(UPLOAD), [NOTE_OF_BOTH]),
        (GeneratorExit(), ways(UPLOAD), []),
        (AccessDeniedError("no"), ways(), [NOTE]),
        (ResponseError("broken", job_id="j-1"), ways(), []),
        (ResponseError("broken", job_id="j-1"), ways(UPLOAD), [NOTE_OF_BOTH]),
        (ResponseError("broken", job_id="j-2"), ways(), [NOTE]),
        (JobFailedError("failed", job_id="j-1"), ways(UPLOAD), []),
        (JobFailedError("failed", job_id="j-2"), ways(UPLOAD), [NOTE_OF_BOTH]),
        (JobTimeoutError("late", job_id="j-1", state={}), ways(UPLOAD), []),
    ],
)
def test_notes(error, known, notes):
    """Say how to take a job up again where the error does not, once however often it passes by."""
    for _ in range(2):
        with pytest.raises(type(error)), resumable(lambda: known):
            raise error

    assert getattr(error, "__notes__", []) == notes


def test_an_error_of_staging_names_its_job():
    """Which is enough, with the upload that it names itself."""
    error = StagingError("it sticks", bucket="shelf", key="k-1")
    error.job_id = "j-1"

    remind(error, ways(UPLOAD))

    assert not hasattr(error, "__notes__")
