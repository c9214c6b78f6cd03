"""What all tasks of a loop share: the budget of a client's calls, the mailbox of a queue, and the turns of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, WeakValueDictionary

from rekog_emotion import forks
from rekog_emotion.clients.aio import of_loop
from rekog_emotion.clients.aws import sqs_client_for
from rekog_emotion.flows.budget import Budget
from rekog_emotion.flows.messages import Mailbox

if TYPE_CHECKING:
    from rekog_emotion.flows.messages import SnsSqs

__all__ = ["LoopMailbox", "budget_of", "mailbox_of", "turn_of_loop"]


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

_A_TURN: Final = 8  # calls that begin in one turn of the loop: some milliseconds
_BEGINNING: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]] = WeakKeyDictionary()


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


async def mailbox_of(
    channel: SnsSqs,
    client: Any,  # noqa: ANN401 -- of either world
    aside: Callable[[Callable[[], Any]], Awaitable[Any]],
) -> LoopMailbox:
    """Return the mailbox of a queue, which is one for all tasks of the loop that have it.

    Args:
        channel: The queue.
        client: For Rekognition.
        aside: Runs what takes its time in a thread.

    Raises:
        ConfigurationError: The SQS client cannot be made.
    """
    owner = client if channel.sqs_client is None else channel.sqs_client
    key = (channel.queue_url, id(owner), id(asyncio.get_running_loop()))
    mailbox = _MAILBOXES.get(key)
    if mailbox is None:
        sqs = channel.sqs_client
        if sqs is None:
            sqs = await aside(partial(sqs_client_for, client))
        mailbox = _MAILBOXES.setdefault(key, LoopMailbox(sqs, channel.queue_url))
    return mailbox


async def turn_of_loop() -> None:
    """Wait for a turn of the loop in which few other calls begin.

    To write a request and sign it takes the processor most of a millisecond: a thousand tasks that begin at once would
    hold up everything else in the loop for a second.
    """
    beginning = of_loop(_BEGINNING, partial(asyncio.Semaphore, _A_TURN))
    await beginning.acquire()
    asyncio.get_running_loop().call_soon(beginning.release)
