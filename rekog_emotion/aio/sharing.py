"""What all tasks share: with whoever else uses a client the mailbox of a queue, among themselves turns of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from rekog_emotion.clients.aio import of_loop
from rekog_emotion.clients.aws import sqs_client_for
from rekog_emotion.clients.sharing import SHARED
from rekog_emotion.flows.messages import Mailbox, mailbox_at

if TYPE_CHECKING:
    from rekog_emotion.flows.messages import SnsSqs

__all__ = ["mailbox_of", "turn_of_loop"]


_A_TURN: Final = 8  # calls that begin in one turn of the loop: some milliseconds
_BEGINNING: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]] = WeakKeyDictionary()


async def mailbox_of(
    channel: SnsSqs,
    client: Any,  # noqa: ANN401 -- of either world
    aside: Callable[[Callable[[], Any]], Awaitable[Any]],
) -> Mailbox:
    """Return the mailbox of a queue, with a client.

    Args:
        channel: The queue.
        client: For Rekognition.
        aside: Runs what takes its time in a thread.

    Raises:
        ConfigurationError: The SQS client cannot be made.
    """
    with SHARED.lock:
        mailbox = mailbox_at(channel, client)
    if mailbox.sqs is None:
        mailbox.sqs = await aside(partial(sqs_client_for, client))
    return mailbox


async def turn_of_loop() -> None:
    """Wait for a turn of the loop in which few other calls begin.

    To write a request and sign it takes the processor most of a millisecond: a thousand tasks that begin at once would
    hold up everything else in the loop for a second.
    """
    beginning = of_loop(_BEGINNING, partial(asyncio.Semaphore, _A_TURN))
    await beginning.acquire()
    asyncio.get_running_loop().call_soon(beginning.release)
