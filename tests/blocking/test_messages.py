"""The end of a job by message: what is read, kept, deleted and left alone, and what becomes of a queue that fails.

In asyncio the queue is asked in threads.
"""

import json
import threading
import time
import uuid
from functools import partial

import boto3
import pytest

from rekog_emotion import (
    ConfigurationError,
    InvalidInputError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    SnsSqs,
)
from rekog_emotion.testing import FakeClient, LocalEndpoint, virtual_time
from tests.http_standin import Answer, silence
from tests.scripted import IN_PROGRESS, STARTED, ScriptedClient, page
from tests.testing.recordings import video

VIDEO = "s3://bucket/clip.mp4"
MINE = "mine"
TOPIC = "arn:aws:sns:us-east-1:123456789012:ends"
ROLE = "arn:aws:iam::123456789012:role/rekognition"
QUEUE = "https://sqs.example/123456789012/ends"
DONE = {"JobId": "j-1", "Status": "SUCCEEDED", "API": "StartFaceDetection", "Timestamp": 1700000000000}


class Queue:
    """An SQS client whose queue is a list; whoever looks sees all messages that nobody has in hand.

    Attributes:
        messages: Bodies, in order.
        deleted: Bodies that were deleted.
        released: Bodies that were given back.
        receives: Calls to receive.
    """

    def __init__(self, *messages):
        self.messages = [message if isinstance(message, str) else json.dumps(message) for message in messages]
        self.deleted, self.released, self.receives = [], [], 0
        self.errors = []

    def receive_message(self, **parameters):
        """Give all messages."""
        assert (parameters["QueueUrl"], parameters["MaxNumberOfMessages"]) == (QUEUE, 10)
        assert 0 <= parameters["WaitTimeSeconds"] <= 20
        self.receives += 1
        if self.errors:
            raise self.errors.pop(0)
        return {"Messages": [{"Body": body, "ReceiptHandle": body} for body in self.messages]} if self.messages else {}

    def delete_message(self, **parameters):
        """Delete a message."""
        self.messages.remove(parameters["ReceiptHandle"])
        self.deleted.append(parameters["ReceiptHandle"])

    def change_message_visibility(self, **parameters):
        """Give a message back."""
        assert parameters["VisibilityTimeout"] == 0
        self.released.append(parameters["ReceiptHandle"])


def notify(queue):
    """Return the address of a queue."""
    return SnsSqs(TOPIC, ROLE, QUEUE, sqs_client=queue)


def test_is_for_aws_only(verbs):
    """A client that sends no messages is told so, before the start."""
    pytest.importorskip("onnxruntime")
    with pytest.raises(InvalidInputError) as caught:
        verbs.start_video(VIDEO, client="embedded", notify=notify(Queue()))

    assert str(caught.value) == "notify= is for AWS: EmbeddedClient sends no messages, so leave it out"


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(lambda verbs, **options: verbs.start_video(VIDEO, **options), id="start_video"),
        pytest.param(lambda verbs, **options: verbs.analyze_video(VIDEO, **options), id="analyze_video"),
        pytest.param(lambda verbs, **options: next(verbs.analyze_videos([VIDEO], **options)), id="analyze_videos"),
    ],
)
def test_a_queue_that_cannot_be_asked(verbs, begin):
    """Without a configuration for its client no job is bought whose end nobody would learn of."""
    client = ScriptedClient(page(0))

    with pytest.raises(ConfigurationError) as caught:
        begin(verbs, client=client, notify=SnsSqs(TOPIC, ROLE, QUEUE))

    assert str(caught.value) == (
        "no AWS region is set: set AWS_DEFAULT_REGION, give the profile a region or pass aws_client(region_name=...), "
        'or stay offline with client="embedded"'
    )
    assert not any("job" in note for note in getattr(caught.value, "__notes__", []))
    assert client.calls == []


def test_is_for_aws_only_of_many(verbs):
    """What is wrong for all videos is no outcome of each."""
    pytest.importorskip("onnxruntime")
    with pytest.raises(InvalidInputError) as caught:
        next(verbs.analyze_videos([VIDEO], client="embedded", notify=notify(Queue())))

    assert str(caught.value) == "notify= is for AWS: EmbeddedClient sends no messages, so leave it out"


@pytest.mark.parametrize("client", [boto3, "sqs", 0], ids=["a module", "a name", "a number"])
def test_needs_a_client_of_a_queue(client):
    """What receives no messages is refused before the start."""
    with pytest.raises(InvalidInputError) as caught:
        SnsSqs(TOPIC, ROLE, QUEUE, sqs_client=client)

    assert str(caught.value) == f"sqs_client= got {type(client).__name__}: pass a boto3 SQS client, or leave it out"


def test_one_way_to_name_the_topic(verbs):
    """A channel besides is a contradiction."""
    with pytest.raises(InvalidInputError) as caught:
        verbs.start_video(VIDEO, client=ScriptedClient(), notify=notify(Queue()), notification_channel={})

    assert str(caught.value) == (
        "notify= and notification_channel= exclude each other: notify= names topic and role already"
    )


# --- waiting ---


def test_looks_only_when_the_message_has_come(verbs, clock):
    """The service is told the topic, and is not asked before it has sent its message there."""
    queue, client = Queue(), ScriptedClient(page(0))
    clock.at(100, lambda: queue.messages.append(json.dumps(DONE)))

    clip = verbs.analyze_video(VIDEO, client=client, notify=notify(queue))

    assert [face.timestamp_ms for face in clip.faces] == [0]
    assert client.calls[0]["NotificationChannel"] == {"SNSTopicArn": TOPIC, "RoleArn": ROLE}
    assert len(client.calls) == 2
    assert 100 <= clock.now() <= 120
    assert (queue.deleted, queue.messages) == ([json.dumps(DONE)], [])


def test_a_lost_message_costs_minutes(verbs, clock):
    """Now and then the job is looked at all the same."""
    queue, client = Queue(), ScriptedClient(IN_PROGRESS, page(0))

    assert len(verbs.analyze_video(VIDEO, client=client, notify=notify(queue)).faces) == 1

    assert 2 * 270 <= clock.now() <= 2 * 330
    assert len(client.calls) == 3


def test_waits_for_the_message_to_the_end(verbs, clock):
    """The time is used to its end, though the next look at the job itself would come later."""
    queue = Queue()
    clock.at(100, lambda: queue.messages.append(json.dumps(DONE)))
    queue.errors = [RuntimeError("once")]

    assert (
        len(
            verbs.analyze_video(
                VIDEO, client=ScriptedClient(IN_PROGRESS, page(0)), notify=notify(queue), timeout=120
            ).faces
        )
        == 1
    )
    with pytest.raises(JobTimeoutError):
        verbs.analyze_video(VIDEO, client=ScriptedClient(IN_PROGRESS), notify=notify(Queue()), timeout=120)

    assert 120 <= clock.now() <= 130


def test_a_token_of_the_callers_may_name_an_old_job(verbs, clock):
    """For which there is no message: such a job is looked at first, and so is one that is resumed."""
    for begin in (
        partial(verbs.start_video, VIDEO, client_request_token=MINE),
        partial(verbs.VideoJob.resume, "j-1"),
    ):
        assert begin(client=ScriptedClient(page()), notify=notify(Queue())).result().faces == ()
    assert clock.now() == 0


def test_leaves_the_messages_of_others(verbs, clock):
    """They are given back at once, and the queue is then asked less and less often."""
    other, noise = json.dumps({**DONE, "JobId": "j-2"}), "no message of the service"
    queue, client = Queue(other, noise), ScriptedClient(page(0))
    clock.at(250, lambda: queue.messages.append(json.dumps(DONE)))

    verbs.analyze_video(VIDEO, client=client, notify=notify(queue))

    assert queue.messages == [other, noise]
    assert queue.deleted == [json.dumps(DONE)]
    assert len(client.calls) == 2
    assert queue.receives < 25


def test_deletes_a_message_that_comes_twice(verbs, clock):
    """SQS delivers at least once; the second copy would come up for ever."""
    queue = Queue(DONE)
    channel = notify(queue)
    job = verbs.start_video(VIDEO, client=ScriptedClient(page(0)), notify=channel)
    second = verbs.start_video(VIDEO, client=ScriptedClient(page(0), start=[{"JobId": "j-2"}]), notify=channel)
    clock.at(50, lambda: queue.messages.append(json.dumps({**DONE, "JobId": "j-2"})))
    clock.at(30, lambda: queue.messages.append(json.dumps(DONE)))

    ended = [outcome.job.job_id for outcome in verbs.wait_for_videos([job, second]) if outcome.error is None]

    assert sorted(ended) == ["j-1", "j-2"]
    assert queue.messages == []


@pytest.mark.parametrize("status", ["FAILED", "ERROR"])
@pytest.mark.usefixtures("clock")
def test_a_message_of_failure_is_a_failure(verbs, status):
    """The service's own reason where there is one; an hour of waiting for a job that is lost, never."""
    message = {**DONE, "Status": status}
    for answer, reason in (
        ({"JobStatus": "FAILED", "StatusMessage": "Bad codec"}, "Bad codec"),
        (IN_PROGRESS, "the message of its end says so, though the service still calls it IN_PROGRESS"),
    ):
        with pytest.raises(JobFailedError) as caught:
            verbs.analyze_video(VIDEO, client=ScriptedClient(answer), notify=notify(Queue(message)))
        assert str(caught.value) == f"{VIDEO}: job j-1 failed: {reason}"


def test_not_ready_when_the_message_comes(verbs, clock):
    """Then it is looked at again soon."""
    client = ScriptedClient(IN_PROGRESS, IN_PROGRESS, page(0))

    verbs.analyze_video(VIDEO, client=client, notify=notify(Queue(DONE)))

    assert len(client.calls) == 4
    assert clock.now() < 5


def test_a_queue_that_fails_is_no_lost_job(verbs, clock, caplog):
    """The job is looked at instead, as without a queue, and one warning says so."""
    queue, client = Queue(), ScriptedClient(*[IN_PROGRESS] * 5, page(0))
    queue.errors = [RuntimeError("no access to the queue")] * 100

    verbs.analyze_video(VIDEO, client=client, notify=notify(queue))

    assert len(client.calls) == 7
    assert clock.now() < 15
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "job j-1 is looked at instead, since its queue fails: no access to the queue"
    ]


def test_cancelled_while_waiting_for_the_message(verbs, clock):
    """A cancel ends the wait; the job goes on."""
    cancel = threading.Event()
    clock.at(30, cancel.set)

    with pytest.raises(JobCancelledError) as caught:
        verbs.analyze_video(VIDEO, client=ScriptedClient(page()), notify=notify(Queue()), cancel=cancel)

    assert caught.value.job_id == "j-1"
    assert clock.now() == 30


def test_a_real_cancel_is_prompt(verbs):
    """By the system's clock, too: at once, though the queue would be asked again in 20 s only."""
    cancel, took = threading.Event(), []
    queue = Queue()
    waiting = threading.Event()

    def receive(**_):
        waiting.set()
        return {}

    queue.receive_message = receive

    def wait():
        try:
            verbs.analyze_video(VIDEO, client=ScriptedClient(page()), notify=notify(queue), cancel=cancel)
        except JobCancelledError:
            took.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait()
    begin = time.monotonic()
    cancel.set()
    thread.join()

    assert took[0] - begin < 10


def test_a_cancel_ends_a_long_poll(verbs, standin, monkeypatch):
    """The queue has not answered, and never does: nobody waits for it, and no thread is left at it."""
    cancel = threading.Event()

    def hear(handler):
        cancel.set()
        silence(handler)

    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", standin.url)
    standin.script("StartFaceDetection", Answer(STARTED))
    standin.script("ReceiveMessage", hear)

    with pytest.raises(JobCancelledError) as caught:
        verbs.analyze_video(
            VIDEO, client=verbs.aws_client(), notify=SnsSqs(TOPIC, ROLE, f"{standin.url}/1/ends"), cancel=cancel
        )

    assert caught.value.job_id == "j-1"


# --- over real HTTP ---


@pytest.mark.parametrize("raw", ["true", "false"])
@pytest.mark.parametrize("dropped", [False, True])
def test_over_http(verbs, moto, raw, dropped):
    """From SNS through SQS: no look before the message, raw or enveloped; without a message it ends all the same."""
    fake = FakeClient(videos=video(3))
    with virtual_time() as clock, LocalEndpoint(fake) as endpoint:
        fake.script_videos(video(3), seconds=60)
        name = f"queue-{uuid.uuid4()}"
        sns, sqs = (boto3.client(service, endpoint_url=moto) for service in ("sns", "sqs"))
        topic = sns.create_topic(Name=name)["TopicArn"]
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": raw})
        looks_before = []

        def end():
            looks_before.append(endpoint.count("GetFaceDetection"))
            if not dropped:
                message = {**DONE, "JobId": endpoint.job_ids[0]}
                sns.publish(TopicArn=topic, Message=json.dumps(message))

        clock.at(60, end)
        client = verbs.aws_client()

        clip = verbs.analyze_video(VIDEO, client=client, notify=SnsSqs(topic, ROLE, queue, sqs_client=sqs, long_poll=0))

        left = sqs.receive_message(QueueUrl=queue).get("Messages", [])
        for one in (sns, sqs):
            one.close()
    assert len(clip.faces) == 3
    assert looks_before == [0]
    assert endpoint.count("GetFaceDetection") == 1
    assert clock.now() < (350 if dropped else 70)
    assert left == []
