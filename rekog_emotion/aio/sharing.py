"""What all tasks of a loop share: the budget of a client's calls, and the mailbox of a queue."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, WeakValueDictionary

from rekog_emotion import forks
from rekog_emotion.flows.budget import Budget
from rekog_emotion.flows.messages import Mailbox

if TYPE_CHECKING:
    from rekog_emotion.flows.messages import SnsSqs

__all__ = ["LoopMailbox", "budget_of", "known_mailbox", "new_mailbox"]


class LoopMailbox(Mailbox):
    """A mailbox for the tasks of one loop.

    Args:
        sqs: An SQS client, of either world.
        queue_url: URL of the queue.

    Attributes:
        sqs: The client.
        receiving: Held by the task whose call is under way: the others need none of their own.
    """

    def __init__(self, sqs: Any, queue_url: str) -> None:  # noqa: ANN401 -- boto3's clients have no importable type
        super().__init__(queue_url)
        self.sqs = sqs
        self.receiving = asyncio.Lock()


_BUDGETS: Final[WeakKeyDictionary[object, Budget]] = WeakKeyDictionary()
_MAILBOXES: Final[WeakValueDictionary[tuple[str, int, int], LoopMailbox]] = WeakValueDictionary()


def _begin_anew() -> None:  # pragma: no cover -- tested in forked children, where nothing is measured
    """Share no connection to a queue with the parent."""
    _MAILBOXES.clear()


forks.in_child(_begin_anew)


def budget_of(client: object) -> Budget:
    """Return the budget that all jobs of a client share; what cannot be referenced weakly gets a new one."""
    try:
        return _BUDGETS.get(client) or _BUDGETS.setdefault(client, Budget())
    except TypeError:
        return Budget()


def _key(channel: SnsSqs, client: object) -> tuple[str, int, int]:
    owner = client if channel.sqs_client is None else channel.sqs_client
    return channel.queue_url, id(owner), id(asyncio.get_running_loop())


def known_mailbox(channel: SnsSqs, client: object) -> LoopMailbox | None:
    """Return the mailbox of a queue where the loop has one."""
    return _MAILBOXES.get(_key(channel, client))


def new_mailbox(channel: SnsSqs, client: object, sqs: Any) -> LoopMailbox:  # noqa: ANN401 -- likewise
    """Return the mailbox of a queue, a new one where the loop has none."""
    mailbox = LoopMailbox(sqs, channel.queue_url)
    return _MAILBOXES.setdefault(_key(channel, client), mailbox)
