"""Messages of the end of a job: what is read, kept, deleted and left alone."""

import json
import math
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from rekog_emotion import InvalidInputError, SnsSqs
from rekog_emotion.flows.messages import Completion, Mailbox, Watch, mailbox_at, read_completion
from rekog_emotion.flows.polling import PollSchedule
from rekog_emotion.flows.steps import Call, Course, Listen, Sleep
from tests.stepping import BEGIN, Table

TOPIC = "arn:aws:sns:us-east-1:123456789012:ends"
ROLE = "arn:aws:iam::123456789012:role/rekognition"
QUEUE = "https://sqs.example/123456789012/ends"
DONE = {"JobId": "j-1", "Status": "SUCCEEDED", "API": "StartFaceDetection", "Timestamp": 1700000000000}

# --- what is read ---

DEEP = '{"JobId":' + "[" * 100_000


@pytest.mark.parametrize(
    ("body", "completion"),
    [
        (DONE, Completion(job_id="j-1", status="SUCCEEDED")),
        ({"Type": "Notification", "Message": json.dumps(DONE)}, Completion(job_id="j-1", status="SUCCEEDED")),
        ({"JobId": "j-1"}, Completion(job_id="j-1")),
        ({"JobId": "j-1", "Status": None, "Message": "x", "New": []}, Completion(job_id="j-1")),
        ({"JobId": 1}, None),
        ({"Message": "no JSON"}, None),
        ({"Message": {"JobId": "j-1"}}, None),
        ([], None),
        ("no JSON", None),
        (DEEP, None),
        ({"Message": DEEP}, None),
        (None, None),
    ],
)
def test_reads_messages(body, completion):
    """The service's own or SNS's envelope, with keys missing or new; whatever names no job is no message."""
    assert read_completion(body if isinstance(body, str) or body is None else json.dumps(body)) == completion


def test_reads_a_recorded_message():
    """What the service once sent is read."""
    folder = os.environ.get("REKOG_EMOTION_RECORDINGS")
    if folder is None:
        pytest.skip("REKOG_EMOTION_RECORDINGS names no folder")
    body = Path(folder, "sns_message_hawkey.json").read_text()

    completion = read_completion(body)

    assert (completion.job_id, completion.status) == (json.loads(body)["JobId"], "SUCCEEDED")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"topic_arn": "ends"}, "topic_arn='ends' is no ARN of its kind: it begins with arn: and has :sns: in it"),
        ({"role_arn": TOPIC}, f"role_arn={TOPIC!r} is no ARN of its kind: it begins with arn: and has :iam: in it"),
        (
            {"queue_url": "arn:aws:sqs:x"},
            "queue_url='arn:aws:sqs:x' is no address: pass the URL of the queue, not its ARN or name",
        ),
        ({"topic_arn": 7}, "topic_arn=7 is no ARN of its kind: it begins with arn: and has :sns: in it"),
        (
            {"topic_arn": "x:sns:"},
            "topic_arn='x:sns:' is no ARN of its kind: it begins with arn: and has :sns: in it",
        ),
        ({"queue_url": None}, "queue_url=None is no address: pass the URL of the queue, not its ARN or name"),
        ({"long_poll": -1}, "long_poll=-1 is not 0 to 20 seconds"),
        ({"long_poll": 0.5}, "long_poll=0.5 is not 0 to 20 seconds"),
        ({"long_poll": 21}, "long_poll=21 is not 0 to 20 seconds"),
        (
            {"sqs_client": SimpleNamespace(receive_message=print, delete_message=print)},
            "sqs_client= got SimpleNamespace: pass a boto3 SQS client, or leave it out",
        ),
    ],
)
def test_refuses_wrong_addresses(options, message):
    """What is no topic, role or queue is found before anything is paid for."""
    with pytest.raises(InvalidInputError) as caught:
        SnsSqs(**{"topic_arn": TOPIC, "role_arn": ROLE, "queue_url": QUEUE, **options})

    assert str(caught.value) == message


# --- what is kept ---


def receipts(*messages):
    """Return the answer of a queue with messages, each with itself as receipt."""
    bodies = [message if isinstance(message, str) else json.dumps(message) for message in messages]
    return {"Messages": [{"Body": body, "ReceiptHandle": body} for body in bodies]}


def test_one_job_may_be_waited_for_twice():
    """A second wait sees the message that the first one took, and the end of one of them is not that of the other."""
    mailbox = Mailbox(QUEUE)

    mailbox.expect("j-1")
    Table(receipts(DONE)).play(mailbox.receive(0))
    mailbox.expect("j-1")
    assert mailbox.of("j-1").status == "SUCCEEDED"
    mailbox.forget("j-1")
    assert mailbox.of("j-1").status == "SUCCEEDED"
    mailbox.forget("j-1")
    mailbox.expect("j-1")
    assert mailbox.of("j-1") is None


def test_a_message_that_cannot_be_read_holds_up_no_other():
    """It is given back as another's, and the message behind it is taken."""
    mailbox, table = Mailbox(QUEUE), Table(receipts(DEEP, DONE))

    mailbox.expect("j-1")

    assert table.play(mailbox.receive(0)) == 1
    assert mailbox.of("j-1") == Completion(job_id="j-1", status="SUCCEEDED")
    place = {"QueueUrl": QUEUE}
    assert table.steps == [
        Call(
            "receive_message",
            {**place, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0},
            within=math.inf,
            queue=mailbox,
        ),
        Call("change_message_visibility", {**place, "ReceiptHandle": DEEP, "VisibilityTimeout": 0}, queue=mailbox),
        Call("delete_message", {**place, "ReceiptHandle": json.dumps(DONE)}, queue=mailbox),
    ]


# --- waiting ---


@pytest.mark.parametrize(
    ("answers", "takes", "seconds", "receives", "sleeps"),
    [
        ([receipts(DONE)], 0, 100, [20], []),
        ([{}, receipts(DONE)], 20, 100, [20, 20], []),
        ([{}], 20, 50, [20, 20, 10], []),
        ([{}, receipts(DONE)], 0, 100, [20, 20], [20]),
        ([{}], 0, 0.5, [0], [0.5]),
        ([receipts("noise"), {}, receipts("noise"), {}, receipts(DONE)], 0, 100, [20] * 3, [1, 2]),
        ([receipts("noise")], 0, 10, [10, 9, 7, 3], [1, 2, 4, 3]),
        ([RuntimeError("no access")], 0, 100, [20], [5]),
    ],
    ids=["at once", "later", "to the end", "early answers", "less than a second", "noise", "all noise", "broken"],
)
def test_waits_for_a_message(answers, takes, seconds, receives, sleeps):
    """The queue is asked for 20 s at a time, the less often the more it has for others; what fails is left at once."""
    mailbox, table = Mailbox(QUEUE), Table(*answers, takes=takes)
    mailbox.expect("j-1")
    polls = PollSchedule(floor=5, jitter=0)

    table.play(Watch(mailbox, "j-1", polls=polls, long_poll=20, begin=BEGIN).sleep(seconds))

    asked = [step.parameters for step in table.steps if isinstance(step, Call) and step.method == "receive_message"]
    assert [parameters["WaitTimeSeconds"] for parameters in asked] == receives
    assert table.sleeps == sleeps


def test_a_message_that_has_come_is_not_waited_for():
    """The job was not ready yet: its schedule is kept."""
    mailbox, table = Mailbox(QUEUE), Table(receipts(DONE))
    mailbox.expect("j-1")
    table.play(mailbox.receive(0))
    watch = Watch(mailbox, "j-1", polls=PollSchedule(floor=5, jitter=0), long_poll=20, begin=BEGIN)
    table.steps.clear()

    table.play(watch.sleep(7))

    assert (table.steps, watch.interval(0.0), watch.completion.failed) == ([Sleep(7)], 5, False)


def test_without_a_message_a_look_is_minutes_away():
    """Unless the queue fails."""
    mailbox = Mailbox(QUEUE)
    mailbox.expect("j-1")
    watch = Watch(mailbox, "j-1", polls=PollSchedule(floor=5, jitter=0), long_poll=20, begin=BEGIN)

    assert 270 <= watch.interval(0.0) <= 330
    Table(RuntimeError("no access")).play(watch.sleep(1))
    assert watch.interval(0.0) == 5


def test_cancelled_at_the_queue():
    """It is not asked any more."""
    mailbox, table = Mailbox(QUEUE), Table({}, takes=20, cancelled_at=30)
    mailbox.expect("j-1")

    table.play(Watch(mailbox, "j-1", polls=PollSchedule(), long_poll=20, begin=BEGIN).sleep(100))

    assert (len(table.calls), table.now) == (2, 40)


@pytest.mark.parametrize(
    ("waits", "sleeps"), [([None, 0.0], []), ([None, 3.0], [3.0]), ([None, None, 20.0], [10.0])], ids=str
)
def test_somebody_else_listens(waits, sleeps):
    """For this job, too: whether its message has come is looked at, and the queue is asked when they have ended."""
    mailbox = Mailbox(QUEUE)
    mailbox.expect("j-1")
    flow = Watch(mailbox, "j-1", polls=PollSchedule(), long_poll=20, begin=BEGIN).sleep(10)
    answers, slept = list(waits), []
    course = Course(flow)
    for step in course:
        if isinstance(step, Sleep):
            slept.append(step.seconds)
            Table(receipts(DONE)).play(mailbox.receive(0))
        if isinstance(step, Listen):
            wait = answers.pop(0)
            if wait == 0.0:
                Table(receipts(DONE)).play(mailbox.receive(0))
            course.answer(wait)
        else:
            course.answer(0.0)

    assert (answers, slept) == ([], sleeps)


def test_the_most_that_strangers_hold_it_up():
    """Twenty seconds; after a time without any it begins anew."""
    noise, quiet = receipts("noise"), {}
    answers = [answer for _ in range(6) for answer in (noise, {})] + [quiet, noise, {}]
    mailbox, table = Mailbox(QUEUE), Table(*answers, receipts(DONE), {})
    mailbox.expect("j-1")

    table.play(Watch(mailbox, "j-1", polls=PollSchedule(), long_poll=20, begin=BEGIN).sleep(1000))

    assert table.sleeps == [1, 2, 4, 8, 16, 20, 20, 1]


def test_a_message_that_comes_before_the_queue_is_asked():
    """Another wait for the job may have taken it: nobody is asked any more."""
    mailbox, table = Mailbox(QUEUE), Table(receipts(DONE))
    mailbox.expect("j-1")
    course = Course(Watch(mailbox, "j-1", polls=PollSchedule(), long_poll=20, begin=BEGIN).sleep(10))
    asked = []

    for step in course:
        if isinstance(step, Listen):
            table.play(mailbox.receive(0))
            asked = list(table.calls)
        course.answer(table._answer(step))

    assert table.calls == asked
    assert table.sleeps == []


def test_a_second_copy_is_put_away():
    """SQS may deliver twice: after the wait, too, it is nobody's but ours."""
    mailbox, table = Mailbox(QUEUE), Table(receipts(DONE), {}, receipts(DONE), {})

    mailbox.expect("j-1")
    strangers = [table.play(mailbox.receive(0))]
    mailbox.forget("j-1")
    strangers.append(table.play(mailbox.receive(0)))

    assert strangers == [0, 0]
    assert [step.method for step in table.steps] == ["receive_message", "delete_message"] * 2


def test_a_message_that_cannot_be_put_away(caplog):
    """Has come all the same."""
    mailbox, table = Mailbox(QUEUE), Table(receipts(DONE), RuntimeError("no access"))

    mailbox.expect("j-1")

    assert table.play(mailbox.receive(0)) == 0
    assert mailbox.of("j-1").status == "SUCCEEDED"
    assert caplog.messages == [f"a message of {QUEUE} could not be put away: no access"]


def test_a_queue_that_fails_is_told_once(caplog):
    """However often; a queue that works again is waited at again."""
    mailbox, table = Mailbox(QUEUE), Table(RuntimeError("no access"))
    mailbox.expect("j-1")
    watch = Watch(mailbox, "j-1", polls=PollSchedule(floor=5, jitter=0), long_poll=20, begin=BEGIN)

    for _ in range(3):
        table.play(watch.sleep(100))
    broken = watch.interval(0.0)
    Table({}, takes=20).play(watch.sleep(20))

    assert caplog.messages == ["job j-1 is looked at instead, since its queue fails: no access"]
    assert table.sleeps == [5, 5, 5]
    assert (broken, watch.interval(0.0) >= 270) == (5, True)


def test_a_channel():
    """Topic and role go to the service, the queue is ours; the client is no part of what it is."""
    methods = dict.fromkeys(("receive_message", "delete_message", "change_message_visibility"), print)
    notify = SnsSqs(TOPIC, ROLE, "http://localhost/ends", sqs_client=SimpleNamespace(**methods), long_poll=0)

    assert notify.channel() == {"SNSTopicArn": TOPIC, "RoleArn": ROLE}
    assert notify == SnsSqs(TOPIC, ROLE, "http://localhost/ends", long_poll=0)
    assert repr(notify) == (
        f"SnsSqs(topic_arn={TOPIC!r}, role_arn={ROLE!r}, queue_url='http://localhost/ends', long_poll=0)"
    )
    for more in (["a client"], [None, 7]):
        with pytest.raises(TypeError, match="takes 4 positional arguments"):
            SnsSqs(TOPIC, ROLE, "http://localhost/ends", *more)
    assert repr(notify) == (
        f"SnsSqs(topic_arn={TOPIC!r}, role_arn={ROLE!r}, queue_url='http://localhost/ends', long_poll=0)"
    )
    with pytest.raises(TypeError):
        SnsSqs(TOPIC, ROLE, QUEUE, 20)


# --- who shares a mailbox ---


class Queue:
    """A client of SQS that is not asked."""

    receive_message = delete_message = change_message_visibility = print


OURS, THEIRS = Queue(), Queue()


@pytest.mark.parametrize(
    ("other", "client", "is_one"),
    [
        ({}, "same", True),
        ({"topic_arn": TOPIC + "2"}, "same", True),
        ({"queue_url": QUEUE + "2"}, "same", False),
        ({}, "other", False),
    ],
    ids=["all alike", "another topic", "another queue", "another client"],
)
@pytest.mark.parametrize("sqs", [None, OURS], ids=["beside", "given"])
def test_one_mailbox_a_queue_and_client(sqs, other, client, is_one):
    """By the client of the queue where there is one, whatever that for Rekognition is; else by that."""
    known = {"topic_arn": TOPIC, "role_arn": ROLE, "queue_url": QUEUE}
    clients = {"same": SimpleNamespace(), "other": SimpleNamespace()}
    mailbox = mailbox_at(SnsSqs(**known, sqs_client=sqs), clients["same"])
    own = THEIRS if sqs is not None and client == "other" else sqs

    found = mailbox_at(SnsSqs(**{**known, **other}, sqs_client=own), clients[client])

    assert (found is mailbox) == is_one
    assert (mailbox.sqs, found.sqs) == (sqs, own)


def test_one_listens():
    """The others do when it has left."""
    mailbox = Mailbox(QUEUE)

    assert [mailbox.listen(), mailbox.listen(), mailbox.leave(), mailbox.listen()] == [True, False, None, True]
