"""What all threads of a process share, with a lock each: the budget of a client's calls, and the mailbox of a queue."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, WeakValueDictionary

from rekog_emotion import forks
from rekog_emotion.clients.aws import sqs_client_for
from rekog_emotion.flows.budget import Budget
from rekog_emotion.flows.messages import Mailbox

if TYPE_CHECKING:
    from rekog_emotion.clients.protocols import RekognitionClient
    from rekog_emotion.flows.messages import SnsSqs

__all__ = ["SharedBudget", "SharedMailbox", "budget_of", "mailbox_of"]


class SharedBudget(Budget):
    """A budget with a lock."""

    def __init__(self) -> None:
        super().__init__()
        self._begin_anew()
        forks.in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()

    def reserve(self, now: float) -> float:
        """Take a call, and return how many seconds it has to wait."""
        with self._lock:
            return super().reserve(now)

    def spend(self, now: float) -> None:
        """Count a call that does not wait."""
        with self._lock:
            super().spend(now)


class SharedMailbox(Mailbox):
    """A mailbox with a lock.

    Args:
        sqs: A boto3 SQS client.
        queue_url: URL of the queue.

    Attributes:
        sqs: The client.
        receiving: Held by the thread whose call is under way: the others need none of their own.
    """

    def __init__(self, sqs: Any, queue_url: str) -> None:  # noqa: ANN401 -- boto3's clients have no importable type
        super().__init__(queue_url)
        self.sqs = sqs
        self._begin_anew()
        forks.in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        self.receiving, self._lock = threading.Lock(), threading.Lock()

    def expect(self, job_id: str) -> None:
        """Keep the message of a job, if it comes, or another thread's for the same job."""
        with self._lock:
            super().expect(job_id)

    def forget(self, job_id: str) -> None:
        """Keep it no longer, unless another thread waits for it, too."""
        with self._lock:
            super().forget(job_id)


_BUDGETS: Final[WeakKeyDictionary[object, SharedBudget]] = WeakKeyDictionary()
# A process needs one a queue and client, or its threads would take each other's messages.
_MAILBOXES: Final[WeakValueDictionary[tuple[str, int], SharedMailbox]] = WeakValueDictionary()
_LOCK = threading.Lock()


def _begin_anew() -> None:  # pragma: no cover -- tested in forked children, where nothing is measured
    """Share no connection to a queue with the parent, and no lock."""
    global _LOCK  # noqa: PLW0603 -- whoever holds it now keeps the old one
    _LOCK = threading.Lock()
    _MAILBOXES.clear()


forks.in_child(_begin_anew)


def budget_of(client: object) -> SharedBudget:
    """Return the budget that all jobs of a client share; what cannot be referenced weakly gets a new one."""
    try:
        # One step, whatever other threads do.
        return _BUDGETS.get(client) or _BUDGETS.setdefault(client, SharedBudget())
    except TypeError:
        return SharedBudget()


def mailbox_of(channel: SnsSqs, client: RekognitionClient) -> SharedMailbox:
    """Return the mailbox of a queue, which is one for all that have it.

    Raises:
        ConfigurationError: The SQS client cannot be made.
    """
    owner = client if channel.sqs_client is None else channel.sqs_client
    with _LOCK:
        key = (channel.queue_url, id(owner))
        mailbox = _MAILBOXES.get(key)
        if mailbox is None:
            sqs = sqs_client_for(client) if channel.sqs_client is None else channel.sqs_client
            mailbox = SharedMailbox(sqs, channel.queue_url)
            _MAILBOXES[key] = mailbox
    return mailbox
