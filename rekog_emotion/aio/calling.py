"""One call, by a client of either world: aiobotocore's in the task, boto3's and any other in a thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import nullcontext
from functools import partial
from typing import Any, TypeAlias

from rekog_emotion.aio.sharing import turn_of_loop
from rekog_emotion.clients import failures
from rekog_emotion.clients.aio_fastpath import Passing
from rekog_emotion.clients.connections import leave, line_of
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

    The thread of another client's call ends by itself, and the loop with it; the cancel has a note that says so.
    """
    line, end = line_of(client), Future[None]()

    def work() -> Any:  # noqa: ANN401 -- likewise
        end.set_running_or_notify_cancel()
        try:
            with line or nullcontext():
                return call()
        finally:
            end.set_result(None)

    try:
        return await aside(work)
    except BaseException as error:
        # One that has not begun never does, as there was no thread for it; a line is closed before it, too.
        if (line is not None or end.running()) and (left := leave(client, end, line)):
            error.add_note(left)
        raise
