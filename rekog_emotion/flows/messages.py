"""Completion by notification: the service tells an SNS topic that a job has ended, and an SQS queue holds the message.

Waiting for the message instead of asking again and again is what AWS advises: the service throttles GetFaceDetection
when it is asked too often. A message that is lost, or a queue that fails, costs time and not the job: now and then the
job is looked at all the same.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

from attrs import field, frozen

from rekog_emotion import forks
from rekog_emotion.errors import InvalidInputError
from rekog_emotion.flows.polling import PollSchedule, Schedule
from rekog_emotion.flows.steps import Call, Cancelled, Flow, LateError, Listen, Now, Sleep
from rekog_emotion.logs import logger
from rekog_emotion.text import quoted, shown

__all__ = ["Completion", "Mailbox", "SnsSqs", "Watch", "mailbox_at", "read_completion"]

_log: Final = logger("rekog_emotion")

LONG_POLL: Final = 20  # seconds, the longest that SQS takes
_MESSAGES: Final = 10  # the most that SQS gives at once
# A look at the job in case its message is lost: after five minutes, then after a quarter of the time waited.
_FALLBACK: Final = PollSchedule(share=0.25, floor=300.0, cap=1800.0)
_METHODS: Final = ("receive_message", "delete_message", "change_message_visibility")
_SHORTEST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 20.0


@frozen
class SnsSqs:
    """Where the service announces the end of a job, and where the announcement is waited for.

    The queue is subscribed to the topic, with or without raw message delivery; topic, queue and client are of one
    region. Many jobs, also of several processes, may share them: each takes and deletes its own messages only. The
    identity needs ``sqs:ReceiveMessage``, ``sqs:DeleteMessage`` and ``sqs:ChangeMessageVisibility``.

    Attributes:
        topic_arn: ARN of the SNS topic.
        role_arn: ARN of the IAM role by which Rekognition may publish to the topic.
        queue_url: URL of the SQS queue.
        sqs_client: The boto3 SQS client; left out, one with what the Rekognition client has: credentials, region,
            proxies, time-outs, certificates.
        long_poll: Seconds that one call waits at the queue for a message, 0 to 20.
    """

    topic_arn: str
    role_arn: str
    queue_url: str
    sqs_client: Any = field(default=None, kw_only=True, repr=False, eq=False)
    long_poll: int = field(default=LONG_POLL, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Refuse what the service would refuse after the upload.

        Raises:
            InvalidInputError: One of them is not what its name says.
        """
        for name, part in (("topic_arn", ":sns:"), ("role_arn", ":iam:")):
            arn = getattr(self, name)
            if not isinstance(arn, str) or not arn.startswith("arn:") or part not in arn:
                msg = f"{name}={arn!r} is no ARN of its kind: it begins with arn: and has {part} in it"
                raise InvalidInputError(msg)
        if not isinstance(self.queue_url, str) or not self.queue_url.startswith(("https://", "http://")):
            msg = f"queue_url={self.queue_url!r} is no address: pass the URL of the queue, not its ARN or name"
            raise InvalidInputError(msg)
        if not isinstance(self.long_poll, int) or not 0 <= self.long_poll <= LONG_POLL:
            msg = f"long_poll={self.long_poll!r} is not 0 to {LONG_POLL} seconds"
            raise InvalidInputError(msg)
        if self.sqs_client is not None and not all(callable(getattr(self.sqs_client, name, None)) for name in _METHODS):
            msg = f"sqs_client= got {type(self.sqs_client).__name__}: pass a boto3 SQS client, or leave it out"
            raise InvalidInputError(msg)

    def channel(self) -> dict[str, str]:
        """Return the service's ``NotificationChannel``."""
        return {"SNSTopicArn": self.topic_arn, "RoleArn": self.role_arn}


@frozen(kw_only=True)
class Completion:
    """The message that a job has ended.

    Attributes:
        job_id: Id of the job.
        status: ``SUCCEEDED``, ``FAILED`` or ``ERROR``; ``None`` where the message does not say.
    """

    job_id: str
    status: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the message says that the job has no result."""
        return self.status in {"FAILED", "ERROR"}


def read_completion(body: str) -> Completion | None:
    """Read the body of an SQS message: the service's own, or in the envelope of SNS.

    Returns:
        ``None`` for anything that does not name a job.
    """
    content = _mapping(body)
    if "JobId" not in content:
        content = _mapping(content.get("Message"))
    job_id, status = content.get("JobId"), content.get("Status")
    if not isinstance(job_id, str):
        return None
    return Completion(job_id=job_id, status=status if isinstance(status, str) else None)


def _mapping(text: object) -> Mapping[str, Any]:
    try:
        content = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


class Mailbox:
    """One queue, for all of this process that wait at it, in threads and in tasks.

    They use it one at a time, but for the call of who listens: the others need none of their own.

    Args:
        queue_url: URL of the queue.
        sqs: The queue's client.

    Attributes:
        sqs: The client; ``None`` until whoever opens the mailbox has made one.
    """

    def __init__(self, queue_url: str, sqs: Any = None) -> None:  # noqa: ANN401 -- boto3's clients have no importable type
        self._queue_url = queue_url
        self.sqs = sqs
        self._expected: dict[str, Completion | None] = {}
        self._waiting: Counter[str] = Counter()
        self._ended: set[str] = set()
        self._is_listened_to = False
        forks.in_child(self.leave)

    def listen(self) -> bool:
        """Begin to listen, and tell whether nobody else does."""
        is_free, self._is_listened_to = not self._is_listened_to, True
        return is_free

    def leave(self) -> None:
        """End to listen."""
        self._is_listened_to = False

    def expect(self, job_id: str) -> None:
        """Keep the message of a job, if it comes, or another's for the same job."""
        self._waiting[job_id] += 1
        self._expected.setdefault(job_id, None)

    def forget(self, job_id: str) -> None:
        """Keep it no longer, unless somebody else waits for it, too."""
        self._waiting[job_id] -= 1
        if not self._waiting[job_id]:
            del self._waiting[job_id], self._expected[job_id]

    def of(self, job_id: str) -> Completion | None:
        """Return the message of a job, if it has come."""
        return self._expected.get(job_id)

    def receive(self, seconds: int) -> Flow[int]:
        """Wait for messages, keep and delete those of jobs that are waited for, and let go of all others.

        Returns:
            The number of messages of others.
        """
        strangers = 0
        asked = {"QueueUrl": self._queue_url, "MaxNumberOfMessages": _MESSAGES, "WaitTimeSeconds": seconds}
        # It ends by itself, if late; a cancel is not to wait for that.
        answer: Mapping[str, Any] = yield Call("receive_message", asked, within=math.inf, queue=self)
        for message in answer.get("Messages") or ():
            completion = read_completion(message.get("Body"))
            if completion is not None and completion.job_id in self._expected:
                self._expected[completion.job_id] = completion
                self._ended.add(completion.job_id)
            # SQS delivers at least once: a second copy is nobody's but ours.
            ours = completion is not None and completion.job_id in self._ended
            strangers += not ours
            yield from self._dispose(message, ours=ours)
        return strangers

    def _dispose(self, message: Mapping[str, Any], *, ours: bool) -> Flow[None]:
        place = {"QueueUrl": self._queue_url, "ReceiptHandle": message.get("ReceiptHandle")}
        try:
            if ours:
                yield Call("delete_message", place, queue=self)
            else:
                yield Call("change_message_visibility", {**place, "VisibilityTimeout": 0}, queue=self)
        except Exception as error:  # noqa: BLE001 -- the message itself has come, and comes again at worst
            _log.warning("a message of %s could not be put away: %s", quoted(self._queue_url), quoted(error))


# A process needs one a queue and client, or its threads and tasks would take each other's messages.
_MAILBOXES: Final[WeakValueDictionary[tuple[str, int], Mailbox]] = WeakValueDictionary()


def _begin_anew() -> None:  # pragma: no cover -- tested in forked children, where nothing is measured
    """Share no connection to a queue with the parent."""
    _MAILBOXES.clear()


forks.in_child(_begin_anew)


def mailbox_at(channel: SnsSqs, client: object) -> Mailbox:
    """Return the mailbox of a queue, which is one for all that have the queue by the same client.

    Args:
        channel: The queue.
        client: For Rekognition; where the channel has no client of its own, one beside this is for the mailbox.
    """
    owner = client if channel.sqs_client is None else channel.sqs_client
    return _MAILBOXES.setdefault((channel.queue_url, id(owner)), Mailbox(channel.queue_url, channel.sqs_client))


class Watch:
    """One wait for the message of one job: the schedule of looks, and the sleep between them that a message ends.

    Args:
        mailbox: Where the message comes.
        job_id: Id of the job.
        polls: The schedule of looks when the message has come, or cannot.
        long_poll: Seconds that one call waits for messages.
        begin: When the wait began.
    """

    def __init__(self, mailbox: Mailbox, job_id: str, *, polls: Schedule, long_poll: int, begin: float) -> None:
        self._mailbox = mailbox
        self._job_id = job_id
        self._polls = polls
        self._long_poll = long_poll
        self._begin = begin
        self._broken = False
        self._strangers = 0

    @property
    def completion(self) -> Completion | None:
        """The message, if it has come."""
        return self._mailbox.of(self._job_id)

    def interval(self, waited: float, setback: float = 0.0) -> float:
        """Return seconds to the next look at the job itself."""
        schedule: Schedule = self._polls if self._broken or self.completion is not None else _FALLBACK
        return schedule.interval(waited, setback)

    def sleep(self, seconds: float) -> Flow[None]:
        """Wait for the message, so many seconds at most."""
        now: float = yield Now()
        end = now + seconds
        if self.completion is not None:  # it has come, and the job was not ready yet
            yield Sleep(seconds)
            return
        while (left := end - now) > 0 and self.completion is None and not (yield Cancelled()):
            pause: float | None = yield Listen(self._mailbox, partial(self._receive, left))
            now = yield Now()
            if pause is None:  # somebody else listens, for this job, too
                continue
            if self._broken:
                yield Sleep(min(left, self._polls.interval(now - self._begin)))
                return
            if pause > 0 and self.completion is None:
                yield Sleep(min(pause, max(end - now, 0.0)))
                now = yield Now()

    def _receive(self, left: float) -> Flow[float]:
        """Ask the queue once, and return how many seconds to wait before the next time."""
        if self.completion is not None:
            return 0.0
        begin: float = yield Now()
        wait = min(self._long_poll, int(left))
        try:
            strangers = yield from self._mailbox.receive(wait)
        except LateError:
            return 0.0  # the caller has cancelled
        except Exception as error:  # noqa: BLE001 -- whatever a queue does, the job can be looked at
            if not self._broken:
                _log.warning(
                    "job %s is looked at instead, since its queue fails: %s", shown(self._job_id), quoted(error)
                )
            self._broken = True
            return 0.0
        self._broken = False
        # Messages of others are there again at once: to leave them to their owners, wait longer each time.
        self._strangers = self._strangers + 1 if strangers else 0
        if strangers:
            return float(min(_SHORTEST_PAUSE * 2 ** min(self._strangers - 1, 10), _LONGEST_PAUSE))
        # A queue that gives its answer before the time, as emulators do, is not asked all the time.
        now: float = yield Now()
        return max(wait - (now - begin), _SHORTEST_PAUSE if wait == 0 else 0.0)
