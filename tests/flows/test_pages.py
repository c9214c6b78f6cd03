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
            [EXPIRED, page(0, then="b"), page(500)],
            [0, 500],
            [SPEND, ask("a"), SPEND, ask(), SPEND, ask("b")],
        ),
        (first(0, then="a"), [EXPIRED, page(0, 500)], [0, 500], [SPEND, ask("a"), SPEND, ask()]),
    ],
    ids=["one", "none", "two", "three", "throttled", "broken", "expired", "all at once"],
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
        ([THROTTLED], ThrottledError, 5),
    ],
    ids=["token", "faces", "other", "fewer", "expires", "in progress", "failed", "broken", "throttled"],
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
