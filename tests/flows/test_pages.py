"""The pages of a job as steps: what is asked for, in which order, and what is given."""

import pytest

from rekog_emotion.errors import (
    InvalidPaginationTokenError,
    JobCancelledError,
    JobFailedError,
    PaginationError,
    ResponseError,
    ThrottledError,
)
from rekog_emotion.flows.pages import Readout, look
from rekog_emotion.flows.resuming import WaysOut
from rekog_emotion.flows.steps import Begin, Call, Course, Facts, Give, Sleep, Take, Turn, Work
from rekog_emotion.results.video_analysis import VideoAnalysis
from tests.scripted import IN_PROGRESS, failed, page
from tests.stepping import Table

EXPIRED, THROTTLED = InvalidPaginationTokenError("expired"), ThrottledError("slow down")
UNREAD = ResponseError("the answer of GetFaceDetection cannot be read")
FAILED = JobFailedError("it failed", job_id="j-1")
WAIT = Sleep(0.5)
SPEND = Turn(waits=False)

pytestmark = pytest.mark.usefixtures("no_jitter")


def ask(token=None):
    """Return the step of the call for a page."""
    place = {} if token is None else {"NextToken": token}
    return Call("get_face_detection", {"JobId": "j-1", "MaxResults": 1000, **place}, "j-1")


def readout(*, begun_again=lambda _: None, **facts):
    """Return a reading of a job."""

    def fail(_):
        raise FAILED
        yield

    return Readout(
        job_id="j-1",
        facts=Facts(retries=True, **facts),
        ways_out=lambda: WaysOut(job_id="j-1", upload=None, here=False),
        begun_again=begun_again,
        failed=fail,
    )


def first(*timestamps, then=None):
    """Return a first page that has been read."""
    return VideoAnalysis.from_aws(page(*timestamps, then=then))


def times(table):
    """Return the timestamps of all faces that were given."""
    return [face.timestamp_ms for one in table.given for face in one.faces]


@pytest.mark.parametrize(
    ("begin", "answers", "given", "steps"),
    [
        (first(0, 500), [], [0, 500], []),
        (first(), [], [], []),
        (first(0, then="a"), [page(500)], [0, 500], [SPEND, ask("a")]),
        (
            first(0, then="a"),
            [page(500, then="b"), page(1000)],
            [0, 500, 1000],
            [SPEND, ask("a"), SPEND, ask("b")],
        ),
        (first(0, then="a"), [THROTTLED, page(500)], [0, 500], [SPEND, ask("a"), WAIT, ask("a")]),
        (
            first(0, then="a"),
            [{}, {}, page(500)],
            [0, 500],
            [SPEND, ask("a"), SPEND, ask("a"), Sleep(0.25), SPEND, ask("a")],
        ),
        (
            first(0, then="a"),
            [UNREAD, page(500, then="b"), page(1000)],
            [0, 500, 1000],
            [SPEND, ask("a"), SPEND, ask("a"), SPEND, ask("b")],
        ),
        (
            first(0, then="a"),
            [EXPIRED, page(0, then="b"), page(500)],
            [0, 500],
            [SPEND, ask("a"), SPEND, ask(), SPEND, ask("b")],
        ),
        (first(0, then="a"), [EXPIRED, page(0, 500)], [0, 500], [SPEND, ask("a"), SPEND, ask()]),
    ],
    ids=["one", "none", "two", "three", "throttled", "broken", "unread", "expired", "all at once"],
)
def test_steps(begin, answers, given, steps):
    """A page counts within the budget, and no face is given twice."""
    table = Table(*answers)

    table.play(readout().pages(begin))

    assert (times(table), table.steps) == (given, steps)


@pytest.mark.parametrize(
    ("answers", "error", "calls"),
    [
        ([page(500, then="a")], PaginationError, 1),
        ([page(0)], PaginationError, 1),
        ([EXPIRED, page(1)], PaginationError, 2),
        ([EXPIRED, page()], PaginationError, 2),
        ([EXPIRED, page(0, then="b"), EXPIRED], InvalidPaginationTokenError, 3),
        ([IN_PROGRESS], PaginationError, 1),
        ([failed()], JobFailedError, 1),
        ([{}], ResponseError, 6),
        ([UNREAD], ResponseError, 6),
        ([THROTTLED], ThrottledError, 5),
    ],
    ids=["token", "faces", "other", "fewer", "expires", "in progress", "failed", "broken", "unread", "throttled"],
)
def test_ends(answers, error, calls):
    """What cannot be the rest of the result is an error."""
    table = Table(*answers)

    with pytest.raises(error):
        table.play(readout().pages(first(0, then="a")))

    assert len(table.calls) == calls


def test_a_page_is_begun_before_the_one_before_is_given():
    """And the one after it before it is read."""
    course, kinds = Course(readout().pages(first(0, then="a"))), []
    for step in course:
        kinds.append(type(step))
        if isinstance(step, Take):
            course.answer([page(500, then="b") if Begin not in kinds[3:] else page(1000)])
        elif isinstance(step, Work):
            course.answer(step.function())
        else:
            course.answer(False if not isinstance(step, Begin) else "handle")
    kinds = [kind for kind in kinds if kind in {Begin, Give, Take, Work}]

    assert kinds == [Begin, Give, Take, Begin, Work, Give, Take, Work, Give]


def test_an_engine_of_its_own_has_no_budget():
    """Nobody counts its calls."""
    table = Table(page(500))

    table.play(readout(can=frozenset({"files"})).pages(first(0, then="a")))

    assert table.steps == [ask("a")]


def test_a_first_page_that_was_read_again_is_kept():
    """For a second reading."""
    kept = []

    Table(EXPIRED, page(0, 500)).play(readout(begun_again=kept.append).pages(first(0, then="a")))

    assert [len(one.faces) for one in kept] == [2]


@pytest.mark.parametrize(
    ("answers", "cancelled_at", "given"),
    [([page(500)], 0.0, []), ([THROTTLED], 0.25, [0])],
    ids=["between", "while it is tried again"],
)
def test_cancelled(answers, cancelled_at, given):
    """A cancel is a cancel, not the failure that was being waited out."""
    table = Table(*answers, cancelled_at=cancelled_at)

    with pytest.raises(JobCancelledError) as caught:
        table.play(readout().pages(first(0, then="a")))

    assert str(caught.value) == (
        "reading the pages of job j-1 was cancelled; its result is kept for 7 days, and "
        "VideoJob.from_dict(error.state) reads it"
    )
    assert times(table) in ([0], given)


def test_a_look():
    """One call, whose answer is the first page."""
    table = Table(page(0, 500))

    assert len(table.play(look("j-1")).faces) == 2
    assert table.steps == [ask()]


MISFIT = "the pages of job j-1 do not fit together: {}; VideoJob.resume() begins again"
OTHERS = "read again after a token had expired, they are not the same"
SIZES = [{"VideoMetadata": {"FrameWidth": width, "FrameHeight": 480}} for width in (640, 320)]


@pytest.mark.parametrize(
    ("answers", "given"),
    [
        ([EXPIRED, page(0, 500), page(1000)], [0, 500]),
        ([EXPIRED, page(0, then="b"), page(500, 1000)], [0, 500, 1000]),
        ([EXPIRED, page(0, 500, 1000)], [0, 500, 1000]),
        ([EXPIRED, page(0, 500, then="b"), EXPIRED], None),
        ([EXPIRED, page(0, 500, 1000, then="b"), EXPIRED, page(0, 500, 1000)], [0, 500, 1000]),
        ([{}, page(1000, then="b"), page(1500)], [0, 500, 1000, 1500]),
        ([{"NextToken": "b"}, page(1500), page(1000)], [0, 500, 1000]),
        ([page(1000, **SIZES[0])], [0, 500, 1000]),
    ],
    ids=["the same", "cut elsewhere", "at once", "twice", "twice with more", "broken", "broken, no more", "a size"],
)
def test_no_face_is_given_twice(answers, given):
    """However the pages are cut when they are read again."""
    table = Table(*answers)

    if given is None:
        with pytest.raises(InvalidPaginationTokenError):
            table.play(readout().pages(first(0, 500, then="a")))
    else:
        table.play(readout().pages(first(0, 500, then="a")))

    assert times(table) == (given or [0, 500])


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ([page(1000, then="a")], "a page token came twice, so that they would never end"),
        ([page(0, 500)], "page 2 has the faces of the one before once more"),
        ([EXPIRED, page(0, 501)], OTHERS),
        ([EXPIRED, page(0, then="b"), page(501, 1000)], OTHERS),
        ([EXPIRED, page(0)], OTHERS),
        ([IN_PROGRESS], "one came as IN_PROGRESS after the job had SUCCEEDED"),
        (
            [page(1000, **SIZES[1])],
            "page 2 has other VideoMetadata than the first: frame_width 320, not 640",
        ),
    ],
)
def test_pages_that_do_not_fit_together(answers, problem):
    """The error says which, and what to do."""
    begin = VideoAnalysis.from_aws(page(0, 500, then="a", **SIZES[0]))

    with pytest.raises(PaginationError) as caught:
        Table(*answers).play(readout().pages(begin))

    assert (str(caught.value), caught.value.job_id) == (MISFIT.format(problem), "j-1")


def test_the_last_page_is_given_though_cancelled():
    """There is nothing left to cancel."""
    table = Table(cancelled_at=0)

    table.play(readout().pages(first(0)))

    assert times(table) == [0]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({}, "Faces: missing from the answer"),
        ({"Faces": []}, "JobStatus: expected one of IN_PROGRESS, SUCCEEDED, FAILED, got None"),
        (page(0, JobStatus=None), "JobStatus: expected one of IN_PROGRESS, SUCCEEDED, FAILED, got None"),
        (page(0, JobStatus="ODD"), "JobStatus: expected one of IN_PROGRESS, SUCCEEDED, FAILED, got 'ODD'"),
    ],
)
def test_a_look_at_what_is_no_page(answer, message):
    """Names what is wrong, and the job."""
    with pytest.raises(ResponseError) as caught:
        Table(answer).play(look("j-1"))

    assert str(caught.value).startswith(message)
    assert caught.value.job_id == "j-1"
