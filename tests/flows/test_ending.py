"""The wait for the end of a job as steps: looks, waits for a turn, a message or the end itself."""

import json

import pytest

from rekog_emotion import SnsSqs
from rekog_emotion.errors import InternalServiceError, JobCancelledError, JobTimeoutError, ResponseError, ThrottledError
from rekog_emotion.flows.ending import Lookout
from rekog_emotion.flows.messages import Mailbox
from rekog_emotion.flows.resuming import WaysOut
from rekog_emotion.flows.steps import Await, Call, Facts, Open, Sleep, Turn
from rekog_emotion.values.progress import Progress, ProgressEvent
from tests.scripted import IN_PROGRESS, failed, page
from tests.stepping import Table

LOOK = Call("get_face_detection", {"JobId": "j-1", "MaxResults": 1000}, "j-1")
THROTTLED, BROKE = ThrottledError("slow down"), InternalServiceError("broken")
UNKNOWN = "JobStatus: expected one of IN_PROGRESS, SUCCEEDED, FAILED, got 'PAUSED'"
NOTIFY = SnsSqs("arn:aws:sns:t", "arn:aws:iam::r", "https://q")
TURN = Turn()
HERE = frozenset({"files", "ends"})

pytestmark = pytest.mark.usefixtures("no_jitter")


def lookout(*, notify=None, fresh=False, seconds=None, can=frozenset()):
    """Return one wait."""
    return Lookout(
        job_id="j-1",
        facts=Facts(retries=True, can=can),
        notify=notify,
        fresh=fresh,
        video_seconds=seconds,
        ways_out=lambda: WaysOut(job_id="j-1", upload=None, here=False),
    )


@pytest.mark.parametrize(
    ("answers", "options", "script", "steps"),
    [
        ([page(0)], {}, {}, [TURN, LOOK]),
        ([failed()], {}, {}, [TURN, LOOK]),
        ([IN_PROGRESS, page(0)], {}, {}, [TURN, LOOK, Sleep(0.875), TURN, LOOK]),
        ([THROTTLED, page(0)], {}, {}, [TURN, LOOK, Sleep(1.875), TURN, LOOK]),
        ([BROKE, page(0)], {}, {}, [TURN, LOOK, Sleep(1.375), TURN, LOOK]),
        ([{}, page(0)], {}, {}, [TURN, LOOK, Sleep(0.875), TURN, LOOK]),
        ([page(0)], {}, {"turns": [2.0]}, [TURN, Sleep(2.0), LOOK]),
        ([page(0)], {"can": HERE}, {}, [LOOK]),
        ([IN_PROGRESS, page(0)], {"can": HERE}, {"ends_at": 0.5}, [LOOK, Await("j-1", 0.875), LOOK]),
        (
            [IN_PROGRESS, IN_PROGRESS, page(0)],
            {"can": HERE},
            {"ends_at": 0.0},
            [LOOK, Await("j-1", 0.875), LOOK, Sleep(0.875), LOOK],
        ),
        ([IN_PROGRESS, page(0)], {"fresh": True, "seconds": 600}, {}, [TURN, LOOK, Sleep(30), TURN, LOOK]),
        ([IN_PROGRESS, page(0)], {"fresh": True, "seconds": 36000}, {}, [TURN, LOOK, Sleep(60), TURN, LOOK]),
        ([IN_PROGRESS, page(0)], {"fresh": False, "seconds": 600}, {}, [TURN, LOOK, Sleep(0.875), TURN, LOOK]),
    ],
    ids=[
        "at once",
        "failed",
        "later",
        "throttled",
        "5xx",
        "broken",
        "a turn",
        "here",
        "heard",
        "not heard here",
        "a length",
        "a great length",
        "not fresh",
    ],
)
def test_steps(answers, options, script, steps):
    """Looks first, then as the schedule, the budget and the client say."""
    table, one = Table(*answers, **script), lookout(**options)

    ended = table.play(one.until_ended(None))

    assert table.steps == steps
    assert (ended.status, one.looks) == (
        answers[-1]["JobStatus"],
        sum(isinstance(a, dict) and a != {} for a in answers),
    )


@pytest.mark.parametrize(
    ("answers", "limit", "script", "error", "message", "calls"),
    [
        ([IN_PROGRESS], 3.0, {}, JobTimeoutError, "job j-1 was not finished after 3 s; it goes on", 4),
        (
            [IN_PROGRESS, THROTTLED],
            0.5,
            {},
            JobTimeoutError,
            "job j-1 was not finished after 0 s (the last look failed: slow down); it goes on",
            2,
        ),
        (
            [IN_PROGRESS],
            None,
            {"cancelled_at": 0.5},
            JobCancelledError,
            "the wait for job j-1 was cancelled after 0 s; it goes on",
            1,
        ),
        ([{}], None, {}, ResponseError, "Faces: missing from the answer", 5),
        ([*[{}] * 4, IN_PROGRESS, {}], None, {}, ResponseError, "Faces: missing from the answer", 10),
        ([{"JobStatus": "PAUSED"}], 3600.0, {}, ResponseError, UNKNOWN, 5),
        ([page(0) | {"JobStatus": "PAUSED"}], None, {}, ResponseError, UNKNOWN, 5),
        ([*[{"JobStatus": "PAUSED"}] * 4, IN_PROGRESS, {"JobStatus": "PAUSED"}], None, {}, ResponseError, UNKNOWN, 10),
        ([{}, {"JobStatus": "PAUSED"}], None, {}, ResponseError, UNKNOWN, 5),
        ([ValueError("a bug")], None, {}, ValueError, "a bug", 1),
    ],
    ids=[
        *("time over", "while failing", "cancelled", "broken", "broken in rows"),
        *("unknown", "unknown, with faces", "unknown in rows", "broken and unknown", "a bug"),
    ],
)
def test_ends(answers, limit, script, error, message, calls):
    """The error says what happened."""
    table = Table(*answers, **script)

    with pytest.raises(error) as caught:
        table.play(lookout().until_ended(limit))

    assert str(caught.value).startswith(message)
    assert len(table.calls) == calls


def test_tells_how_far_a_client_of_this_machine_is():
    """Each share of the work once, and with every report from then on."""
    told = []

    class Advancing(Table):
        """Advances while it is waited for."""

        def _await(self, step):
            told.extend(step.advanced(*known) for known in ((0.25, 9.0), (0.25, 9.0), (0.5, None)))
            return super()._await(step)

    table = Advancing(IN_PROGRESS, page(0), ends_at=0.5)
    table.play(lookout(can=HERE).until_ended(None))

    event = ProgressEvent.ANALYZING
    assert told == [
        Progress(event=event, job_id="j-1", fraction=0.25, seconds_left=9.0),
        None,
        Progress(event=event, job_id="j-1", fraction=0.5),
    ]
    assert [(report.event, report.fraction) for report in table.told] == [
        ("POLLED", None),
        ("WAITING", None),
        ("POLLED", 0.5),
    ]


def receipt(status):
    """Return the answer of a queue."""
    return {"Messages": [{"Body": json.dumps({"JobId": "j-1", "Status": status}), "ReceiptHandle": "r"}]}


class Noting(Mailbox):
    """A mailbox that notes who expects a message, and for whom it is forgotten."""

    def __init__(self):
        super().__init__("https://q")
        self.noted = []

    def expect(self, job_id):
        """Note it."""
        self.noted.append(("expect", job_id))
        super().expect(job_id)

    def forget(self, job_id):
        """Note it."""
        self.noted.append(("forget", job_id))
        super().forget(job_id)


@pytest.mark.parametrize(
    ("fresh", "answers", "status", "looks"),
    [
        (True, [receipt("SUCCEEDED"), {}, page(0)], "SUCCEEDED", 1),
        (True, [receipt("FAILED"), {}, IN_PROGRESS], "IN_PROGRESS", 1),
        (False, [page(0)], "SUCCEEDED", 1),
        (False, [IN_PROGRESS, receipt("SUCCEEDED"), {}, page(0)], "SUCCEEDED", 2),
    ],
    ids=["told", "told of failure", "an old job", "an old job, told"],
)
def test_by_message(fresh, answers, status, looks):
    """The message is expected before anything else and forgotten at last; a fresh job is not looked at before it."""
    mailbox = Noting()
    table, one = Table(*answers, mailbox=mailbox), lookout(notify=NOTIFY, fresh=fresh)

    assert table.play(one.until_ended(None)).status == status
    assert table.steps[0] == Open(NOTIFY)
    assert mailbox.noted == [("expect", "j-1"), ("forget", "j-1")]
    assert one.looks == looks


def test_a_message_is_forgotten_whatever_happens():
    """After an error, too."""
    mailbox = Noting()
    table = Table(KeyboardInterrupt(), mailbox=mailbox)

    with pytest.raises(KeyboardInterrupt):
        table.play(lookout(notify=NOTIFY).until_ended(None))

    assert mailbox.noted == [("expect", "j-1"), ("forget", "j-1")]
