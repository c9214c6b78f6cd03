"""One call, by a client of either world: aiobotocore's in the task, boto3's and any other in a thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

from rekog_emotion.aio.sharing import turn_of_loop
from rekog_emotion.clients import failures
from rekog_emotion.clients.aio_fastpath import Passing
from rekog_emotion.clients.connections import line_of
from rekog_emotion.clients.fastpath import accelerated
from rekog_emotion.clients.guarding import guarded
from rekog_emotion.clients.protocols import is_async
from rekog_emotion.flows.steps import Call

__all__ = ["made"]

Aside: TypeAlias = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a function in a thread."""


async def made(step: Call, client: Any, aside: Aside) -> Any:  # noqa: ANN401 -- of either world; the service's answer
    """Make a call.

    Args:
        step: The call; one for a queue is made by the queue's own client.
        client: For Rekognition.
        aside: Runs the call of a blocking client.
    """
    if step.queue is not None:
        sqs = step.queue.sqs
        ask = partial(getattr(sqs, step.method), **step.parameters)
        if not is_async(sqs, step.method):
            return await _ended_by_cancel(sqs, guarded(sqs)(ask), aside)  # credentials may be renewed there, too
        with guarded(sqs):
            return await ask()
    if not is_async(client, step.method):
        once = partial(failures.once, client, step.method, job_id=step.job_id, **step.parameters)
        return await _ended_by_cancel(client, once, aside)
    await turn_of_loop()
    with failures.mapped(client, step.method, step.parameters, job_id=step.job_id), accelerated(client, Passing):
        return await getattr(client, step.method)(**step.parameters)


async def _ended_by_cancel(client: object, call: Callable[[], Any], aside: Aside) -> Any:  # noqa: ANN401 -- likewise
    """Make a call in a thread, which ends with a cancel where the client is one of ours.

    The thread of another client's call ends by itself, and the loop with it.
    """
    line = line_of(client)
    if line is None:
        return await aside(call)

    def work() -> Any:  # noqa: ANN401 -- likewise
        with line:
            return call()

    try:
        return await aside(work)
    finally:
        line.close()  # after the call it does nothing
