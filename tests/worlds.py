"""The verbs of both worlds as plain calls, so that one test asks both.

In threads they are the verbs as they are. In asyncio each call is run to its end in a loop that lasts as long as the
world, and a ``cancel=`` cancels the task; where that ends with an error of the library as the cause, it is raised.
"""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

import rekog_emotion as rekog
from rekog_emotion import aio
from rekog_emotion.aio.driver import Driver
from rekog_emotion.clients import failures
from rekog_emotion.flows.steps import Call

NAMES = ("threads", "tasks")
ONE_ATTEMPT = {"retries": {"total_max_attempts": 1}}
_END = object()


class Threads:
    """The verbs as they are."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __getattr__(self, name: str) -> Any:
        return getattr(rekog, name)

    def aws_client(self, **options: Any) -> Any:
        """Return a client of ours that is closed with the world."""
        return self._lasting(rekog.aws_client(**options))

    def plain_client(self, service: str = "rekognition", **options: Any) -> Any:
        """Return an unmodified client that makes one attempt, and is closed with the world."""
        return self._lasting(boto3.client(service, config=Config(**ONE_ATTEMPT), **options))

    def _lasting(self, client: Any) -> Any:
        self._stack.callback(client.close)
        return client

    def ask(self, client: Any, method: str, parameters: dict[str, Any]) -> Any:
        """Call a client, past the library."""
        return getattr(client, method)(**parameters)

    def once(self, client: Any, method: str, parameters: dict[str, Any]) -> Any:
        """Make a call whose errors are the library's."""
        return failures.once(client, method, **parameters)


class Tasks:
    """Those of ``rekog_emotion.aio``, each run to its end; the clients are aiobotocore's."""

    def __init__(self, stack: ExitStack) -> None:
        self._runner = stack.enter_context(asyncio.Runner())
        self._lasting = AsyncExitStack()
        stack.callback(self._close)

    def __getattr__(self, name: str) -> Any:
        return self._plain(getattr(aio, name))

    def aws_client(self, **options: Any) -> Any:
        """Return a client of ours that is closed with the world."""
        return self._runner.run(self._lasting.enter_async_context(aio.aws_client(**options)))

    def plain_client(self, service: str = "rekognition", **options: Any) -> Any:
        """Return an unmodified client of aiobotocore that makes one attempt, and is closed with the world."""
        from aiobotocore.config import AioConfig
        from aiobotocore.session import get_session

        made = get_session().create_client(service, config=AioConfig(**ONE_ATTEMPT), **options)
        return self._runner.run(self._lasting.enter_async_context(made))

    def ask(self, client: Any, method: str, parameters: dict[str, Any]) -> Any:
        """Call a client of either world, past the library."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending a large body directly", ResourceWarning)  # aiohttp's
            return self._plain(getattr(client, method)(**parameters))

    def once(self, client: Any, method: str, parameters: dict[str, Any]) -> Any:
        """Make a call whose errors are the library's."""
        return self._runner.run(Driver(client=client).call(Call(method, parameters)))

    def _close(self) -> None:
        async def last() -> None:
            await self._lasting.aclose()
            await aio.close()
            assert asyncio.all_tasks() == {asyncio.current_task()}

        self._runner.run(last())

    def _plain(self, thing: Any) -> Any:
        if inspect.iscoroutine(thing):
            return self._plain(self._runner.run(thing))
        if inspect.isasyncgen(thing):
            return self._each(thing)
        if isinstance(thing, aio.VideoJob) or thing is aio.VideoJob:
            return Job(self, thing)
        return partial(self._call, thing) if callable(thing) else thing

    def _call(self, function: Any, *arguments: Any, cancel: Any = None, **options: Any) -> Any:
        arguments = tuple([Job.own(one) for one in each] if isinstance(each, list) else each for each in arguments)
        given = function(*arguments, **options)
        return self._plain(given if cancel is None else _until(given, cancel))

    def _each(self, generator: Any) -> Iterator[Any]:
        async def following() -> Any:
            return await anext(generator, _END)

        async def close() -> None:
            await generator.aclose()

        try:
            while (one := self._runner.run(following())) is not _END:
                yield one
        finally:
            self._runner.run(close())


class Job:
    """A job whose methods are plain calls."""

    def __init__(self, world: Tasks, job: Any) -> None:
        self._world, self._job = world, job

    @staticmethod
    def own(thing: Any) -> Any:
        """Return the job itself, and anything else as it is."""
        return thing._job if isinstance(thing, Job) else thing

    def __getattr__(self, name: str) -> Any:
        return self._world._plain(getattr(self._job, name))


async def _until(coroutine: Any, cancel: Any) -> Any:
    """Return what a coroutine gives; it is cancelled when the event is set."""
    task = asyncio.create_task(coroutine)
    while not task.done() and not cancel.is_set():  # noqa: ASYNC110 -- the event is one of threads
        await asyncio.sleep(0)
    if cancel.is_set():
        task.cancel()
    try:
        return await task
    except asyncio.CancelledError as error:
        raise error.__cause__ or error from None


@contextmanager
def world(name: str) -> Iterator[Threads | Tasks]:
    """Give one of the worlds for the length of a block."""
    with ExitStack() as stack:
        yield {"threads": Threads, "tasks": Tasks}[name](stack)
