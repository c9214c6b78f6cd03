import gc
import threading
import weakref

import pytest

from rekog_emotion import (
    AccessDeniedError,
    JobCancelledError,
    JobFailedError,
    PaginationError,
    ResponseError,
    ThrottledError,
    VideoJob,
)
from rekog_emotion.errors import InvalidPaginationTokenError
from tests.scripted import IN_PROGRESS, LOST, ScriptedClient, failed, page, refusal

EXPIRED = refusal("InvalidPaginationTokenException", "Token expired")
THROTTLED = refusal("ThrottlingException", "Rate exceeded")
MISFIT = "the pages of job j-1 do not fit together: "
AGAIN = "; VideoJob.resume() begins again"
CHANGED = f"{MISFIT}read again after a token had expired, they are not the same{AGAIN}"
DENIED = (
    "GetFaceDetection of job j-1 failed with AccessDeniedException: No. (check the credentials, the clock and that the "
    "identity may call rekognition:GetFaceDetection)"
)
RETURNED = f"{MISFIT}a page token came twice, so that they would never end{AGAIN}"
REPEATED = f"{MISFIT}page {{}} has the faces of the one before once more{AGAIN}"

pytestmark = pytest.mark.usefixtures("clock")


def read(*script, **options):
    """Return the timestamps of all faces, and the client that gave them."""
    client = ScriptedClient(*script, **options)
    faces = VideoJob.resume("j-1", client=client).faces()
    return [face.timestamp_ms for face in faces], client


def tokens(client):
    """Return the page tokens that a client was asked for, in order."""
    return [call.get("NextToken") for call in client.calls]


# --- in one go ---


@pytest.mark.parametrize(
    ("script", "timestamps", "asked"),
    [
        ([page()], [], [None]),
        ([page(0, 0, 500)], [0, 0, 500], [None]),
        ([page(0, then="a"), page(500, then="b"), page(1000)], [0, 500, 1000], [None, "a", "b"]),
        ([page(then="a"), page(0, then="b"), page(then="c"), page()], [0], [None, "a", "b", "c"]),
        ([page(0, then="")], [0], [None]),
        ([page(0, NextToken=None)], [0], [None]),
    ],
    ids=["no-faces", "one", "three", "empty-ones", "empty-token", "null-token"],
)
def test_every_face_once(script, timestamps, asked):
    """Pages follow each other's tokens; the answer that tells of success is the first."""
    faces, client = read(*script)

    assert faces == timestamps
    assert tokens(client) == asked
    assert {call["MaxResults"] for call in client.calls} == {1000}


def settled(client, count):
    """Return the page tokens that a client was asked for, when the call under way has ended."""
    for thread in threading.enumerate():
        if thread.name == "rekog-emotion-page":
            thread.join()
    assert len(client.calls) == count
    return tokens(client)


def test_one_page_comes_ahead():
    """Nothing is called before the first face is wanted; then one page is fetched while another is used."""
    client = ScriptedClient(IN_PROGRESS, page(0, 500, then="a"), page(1000, then="b"), page(1500))
    faces = VideoJob.resume("j-1", client=client).faces()

    assert tokens(client) == []
    assert next(faces).timestamp_ms == 0
    assert settled(client, 3) == [None, None, "a"]
    assert next(faces).timestamp_ms == 500
    assert settled(client, 3) == [None, None, "a"]
    assert next(faces).timestamp_ms == 1000
    assert settled(client, 4) == [None, None, "a", "b"]
    assert [face.timestamp_ms for face in faces] == [1500]
    assert len(client.calls) == 4


def test_an_abandoned_iterator_leaves_nothing():
    """Whoever stops reading has no more calls than the one under way, and no threads or pages in memory."""
    client = ScriptedClient(page(0, then="a"), page(500, then="b"), page(1000))
    job = VideoJob.resume("j-1", client=client)
    faces = job.faces()
    next(faces)
    reference = weakref.ref(faces)
    del faces
    gc.collect()

    assert reference() is None
    assert settled(client, 2) == [None, "a"]
    assert [thread.name for thread in threading.enumerate() if thread.name == "rekog-emotion-page"] == []


def test_an_abandoned_iterator_ends_the_retries_ahead(clock):
    """A page that fails is not tried again for somebody who has left."""
    client = ScriptedClient(page(0, then="a"), THROTTLED, retries=True)
    faces = VideoJob.resume("j-1", client=client).faces()
    clock.at(0.0, faces.close)  # when the first retry is waited for

    assert next(faces).timestamp_ms == 0
    assert len(settled(client, len(client.calls))) <= 6
    assert clock.now() < 60


def test_other_metadata_is_named():
    """Pages that speak of two videos do not belong together, and the error says by what."""
    here, there = (
        {"FrameRate": rate, "FrameWidth": 640, "Codec": codec} for rate, codec in ((25.0, "h264"), (30.0, "h265"))
    )
    client = ScriptedClient(page(0, then="a", VideoMetadata=here), page(500, VideoMetadata=there))

    with pytest.raises(PaginationError) as caught:
        VideoJob.resume("j-1", client=client).result()

    differences = "codec 'h265', not 'h264', frame_rate 30.0, not 25.0"
    assert str(caught.value) == f"{MISFIT}page 2 has other VideoMetadata than the first: {differences}{AGAIN}"


# --- tokens that expire ---


@pytest.mark.parametrize(
    ("script", "timestamps", "asked"),
    [
        (
            [page(0, 500, then="a"), EXPIRED, page(0, 500, then="b"), page(1000)],
            [0, 500, 1000],
            [None, "a", None, "b"],
        ),
        (
            [page(0, then="a"), page(500, then="b"), EXPIRED, page(0, then="c"), page(500, then="d"), page(1000)],
            [0, 500, 1000],
            [None, "a", "b", None, "c", "d"],
        ),
        (
            [
                page(0, then="a"),
                EXPIRED,
                page(0, then="b"),
                page(500, then="c"),
                EXPIRED,
                page(0, 500, then="d"),
                page(9),
            ],
            [0, 500, 9],
            [None, "a", None, "b", "c", None, "d"],
        ),
        ([page(0, 500, then="a"), EXPIRED, page(0, then="b"), page(500, 1000)], [0, 500, 1000], [None, "a", None, "b"]),
        ([page(0, then="a"), EXPIRED, page(0, 500, 1000)], [0, 500, 1000], [None, "a", None]),
        ([page(0, then="a"), EXPIRED, page(0)], [0], [None, "a", None]),
        (
            [page(then="a"), page(0, then="b"), EXPIRED, page(then="c"), page(0, then="d"), page(500)],
            [0, 500],
            [None, "a", "b", None, "c", "d"],
        ),
        (
            [page(0, then="a"), page(then="b"), EXPIRED, page(0, then="c"), page(then="d"), page(500)],
            [0, 500],
            [None, "a", "b", None, "c", "d"],
        ),
        ([page(then="a"), EXPIRED, page(then="b"), page(0)], [0], [None, "a", None, "b"]),
    ],
    ids=[
        "second-page",
        "third-page",
        "twice",
        "cut-elsewhere",
        "all-at-once",
        "nothing-new",
        "first-page-empty",
        "last-page-empty",
        "only-empty",
    ],
)
def test_an_expired_token(script, timestamps, asked):
    """All is read again from the first page, and no face comes twice."""
    faces, client = read(*script)

    assert faces == timestamps
    assert tokens(client) == asked


def test_an_expired_token_in_a_result():
    """A result that was read twice is the one that was read once."""
    interrupted = ScriptedClient(page(0, then="a"), EXPIRED, page(0))
    whole = ScriptedClient(page(0))

    first, second = (VideoJob.resume("j-1", client=client).result() for client in (interrupted, whole))

    assert first == second
    assert first.next_token is None


def test_an_expired_token_tells_of_new_faces_alone():
    """Faces are counted once for those who watch."""
    client = ScriptedClient(page(0, then="a"), EXPIRED, page(0, then="b"), page(500, 1000))
    counts = []

    VideoJob.resume("j-1", client=client).result(on_progress=lambda progress: counts.append(progress.faces))

    assert [count for count in counts if count is not None] == [1, 3]


def test_tokens_that_always_expire():
    """Where a second attempt gets no further, the error is the service's."""
    client = ScriptedClient(page(0, then="a"), EXPIRED, page(0, then="b"), EXPIRED)
    faces = VideoJob.resume("j-1", client=client).faces()

    assert next(faces).timestamp_ms == 0
    with pytest.raises(InvalidPaginationTokenError) as caught:
        next(faces)

    assert str(caught.value) == (
        "GetFaceDetection of job j-1 failed with InvalidPaginationTokenException: Token expired (page tokens expire "
        "after 24 hours: begin again with the first page)"
    )
    assert caught.value.job_id == "j-1"
    assert tokens(client) == [None, "a", None, "b"]


# --- pages that do not fit together ---


@pytest.mark.parametrize(
    ("script", "error", "message", "calls"),
    [
        ([page(0, then="a"), page(500, then="a")], PaginationError, RETURNED, 2),
        ([page(0, then="a"), page(500, then="b"), page(1000, then="a")], PaginationError, RETURNED, 3),
        ([page(0, 500, then="a"), page(0, 500, then="b")], PaginationError, REPEATED.format(2), 2),
        ([page(0, then="a"), page(500, then="b"), page(500)], PaginationError, REPEATED.format(3), 3),
        ([page(0, then="a"), EXPIRED, page(1, then="b"), page(500)], PaginationError, CHANGED, 3),
        ([page(0, 500, then="a"), EXPIRED, page(0, then="b"), page(501)], PaginationError, CHANGED, 4),
        ([page(0, 500, then="a"), EXPIRED, page(0)], PaginationError, CHANGED, 3),
        ([page(0, then="a"), EXPIRED, page()], PaginationError, CHANGED, 3),
        (
            [page(0, then="a"), IN_PROGRESS],
            PaginationError,
            f"{MISFIT}one came as IN_PROGRESS after the job had SUCCEEDED{AGAIN}",
            2,
        ),
        (
            [page(0, then="a"), EXPIRED, IN_PROGRESS],
            PaginationError,
            f"{MISFIT}one came as IN_PROGRESS after the job had SUCCEEDED{AGAIN}",
            3,
        ),
        ([page(0, then="a"), failed("Lost it")], JobFailedError, "job j-1 failed: Lost it", 2),
        ([page(0, then="a"), EXPIRED, failed()], JobFailedError, "job j-1 failed: the service gives no reason", 3),
        (
            [page(0, then="a"), {"JobStatus": "SUCCEEDED"}],
            ResponseError,
            "Faces: missing from the answer, which is broken: this is not 'no faces'",
            2,
        ),
        *(
            ([page(0, then="a"), page(Faces=broken)], ResponseError, f"Faces: expected a list, got {kind}", 2)
            for broken, kind in (({}, "dict"), ("", "str"), (0, "int"), (False, "bool"))
        ),
        (
            [page(0, then="a"), {"Faces": []}],
            ResponseError,
            "JobStatus: expected one of IN_PROGRESS, SUCCEEDED, FAILED, got None",
            2,
        ),
        (
            [page(0, then="a"), refusal("AccessDeniedException")],
            AccessDeniedError,
            DENIED,
            2,
        ),
    ],
    ids=[
        "same-token",
        "circle",
        "same-faces",
        "same-faces-at-the-end",
        "other-face",
        "other-face-later",
        "fewer-faces",
        "no-faces",
        "in-progress",
        "in-progress-again",
        "failed",
        "failed-again",
        "no-list-of-faces",
        "an-object",
        "a-string",
        "a-number",
        "false",
        "no-status",
        "denied",
    ],
)
def test_misfits(script, error, message, calls):
    """What cannot be the rest of the result is an error with the job's id, never a shorter result."""
    client = ScriptedClient(*script)

    with pytest.raises(error) as caught:
        VideoJob.resume("j-1", client=client).result()

    assert str(caught.value) == message
    assert caught.value.job_id == "j-1"
    tries = 5 if error is ResponseError else 0  # a broken answer is asked for again
    assert calls <= len(client.calls) <= calls + tries + 1  # the next page may be on its way


# --- pages that fail for a while ---


@pytest.mark.usefixtures("no_jitter")
def test_a_page_is_asked_for_again(clock):
    """A client that leaves retrying to the library has its pages tried again."""
    script = [page(0, then="a"), THROTTLED, LOST, page(500)]

    faces, client = read(*script, retries=True)

    assert faces == [0, 500]
    assert tokens(client) == [None, "a", "a", "a"]
    assert clock.sleeps == [0.5, 0.5]


def test_a_page_is_left_to_a_client_that_retries(clock):
    """Any other client has tried again by itself."""
    client = ScriptedClient(page(0, then="a"), THROTTLED)

    with pytest.raises(ThrottledError):
        VideoJob.resume("j-1", client=client).result()

    assert tokens(client) == [None, "a"]
    assert clock.sleeps == []


CANCELLED = (
    "reading the pages of job j-1 was cancelled; its result is kept for 7 days, and "
    "VideoJob.from_dict(error.state) reads it"
)


def test_cancelled_between_pages():
    """When cancel is set, no page is given or asked for any more, but for the one on its way."""
    client, cancel = ScriptedClient(page(0, then="a"), page(500, then="b"), page(1000)), threading.Event()
    faces = VideoJob.resume("j-1", client=client).faces(cancel=cancel)
    next(faces)
    cancel.set()

    with pytest.raises(JobCancelledError) as caught:
        next(faces)

    assert str(caught.value) == CANCELLED
    assert caught.value.state == {"version": 1, "job_id": "j-1", "upload": None}
    assert settled(client, 2) == [None, "a"]


@pytest.mark.usefixtures("no_jitter")
def test_cancelled_while_a_page_is_tried_again(clock):
    """A cancel is a cancel, not the failure that was being waited out."""
    client = ScriptedClient(page(0, then="a"), THROTTLED, retries=True)
    cancel = threading.Event()
    clock.at(0.25, cancel.set)

    with pytest.raises(JobCancelledError) as caught:
        VideoJob.resume("j-1", client=client).result(cancel=cancel)

    assert str(caught.value) == CANCELLED
    assert clock.now() == 0.25
    assert tokens(client) == [None, "a"]
