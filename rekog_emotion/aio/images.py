"""The verb for many images in asyncio: a few calls at a time, every outcome as it comes, and a file to go on from."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from rekog_emotion.aio.driver import Driver
from rekog_emotion.aio.gathering import gathered, wholly
from rekog_emotion.clients.aio import resolve
from rekog_emotion.clients.connections import standing
from rekog_emotion.clients.protocols import AnyClient
from rekog_emotion.flows import detecting
from rekog_emotion.flows.batch import ImageOutcome
from rekog_emotion.flows.images import Batch, ImagesRequest, Item
from rekog_emotion.flows.ledger import GRACE
from rekog_emotion.flows.request import Seconds
from rekog_emotion.sources.images import ImageSource
from rekog_emotion.values.progress import OnProgress

__all__ = ["detect_images"]


def detect_images(
    sources: str | os.PathLike[str] | Iterable[ImageSource] | AsyncIterable[ImageSource],
    *,
    client: AnyClient | str | None = None,
    attributes: str | Sequence[str] = "ALL",
    workers: int | None = None,
    rate: float | None = None,
    ordered: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    retry_errors: bool = False,
    timeout: Seconds = detecting.TIMEOUT,
    on_progress: OnProgress | None = None,
) -> AsyncGenerator[ImageOutcome, None]:
    """Find the faces of many images, a few at a time, and give each outcome as it comes.

    A photo that fails is an outcome with its error, and stops no other. Whatever their number, few are in memory.
    Whoever leaves the loop early waits for the calls that are under way, two seconds at most; cancelling the task ends
    them. ``async with contextlib.aclosing(detect_images(...))`` ends it before the next statement.

    Emotions are how a face looks, not what a person feels.

    Args:
        sources: As for :func:`rekog_emotion.detect_images`, or an asynchronous iterable of the same; any other that is
            no list is taken from in a thread.
        client: As for :func:`rekog_emotion.aio.detect_image`; one for all.
        attributes: Likewise.
        workers: Photos at a time, each in a task. Left out, as many as the rate needs; for the embedded engine, as
            many as there are cores.
        rate: Calls a second at most, your quota for instance; all callers of the client share it. Left out, AWS's
            default quota of the region is where it begins. A throttled call halves it, and it grows again.
        ordered: Give the outcomes in the order of the sources.
        checkpoint: As for :func:`rekog_emotion.detect_images`; either world goes on from the other's.
        retry_errors: With ``checkpoint``: do again what ended with an error.
        timeout: Longest wait for a photo, from its first call on: seconds, a ``timedelta``, or ``None``.
        on_progress: A plain function, called in the loop with a :class:`Progress` an outcome.

    Returns:
        An asynchronous iterator of outcomes. What an earlier run has done is not among them.

    Raises:
        InvalidInputError: An argument cannot be used, or a source has no name and there is a checkpoint; nothing was
            sent. That the checkpoint is in use or is something else is raised when the first outcome is asked for.
        RekogEmotionError: Whatever else :func:`rekog_emotion.detect_images` raises, likewise.
    """
    asked = ImagesRequest.of(
        sources,
        attributes=attributes,
        timeout=timeout,
        rate=rate,
        workers=workers,
        ordered=ordered,
        checkpoint=checkpoint,
        retry_errors=retry_errors,
        on_progress=on_progress,
        awaits=True,
    )
    return _outcomes(client, asked)


async def _outcomes(client: AnyClient | str | None, asked: ImagesRequest) -> AsyncGenerator[ImageOutcome, None]:
    """Do the work, and give the outcomes."""
    driver = Driver(client=await resolve(client))
    batch = Batch(asked, driver.client, driver.facts, **standing(driver.client))
    await driver.run(batch.open())
    stop, counting = threading.Event(), []
    try:
        await driver.run(batch.begin())
        if batch.counts:
            counting.append(asyncio.create_task(driver.aside(partial(batch.count, stop.is_set))))
        window = None if batch.window is None else asyncio.Semaphore(batch.window)
        items = _items(driver, batch, asked.photos, window)
        ends = gathered(lambda item: driver.run(batch.one(item)), items, workers=batch.workers, grace=GRACE)
        async with aclosing(items), aclosing(ends):
            async for end in ends:
                for outcome in batch.ready(end):
                    if window is not None:
                        window.release()
                    yield outcome
    finally:
        stop.set()
        try:
            await wholly(counting)
        finally:
            batch.end(driver.clock.now())


async def _items(
    driver: Driver, batch: Batch, photos: Iterable[Any] | AsyncIterable[Any], window: asyncio.Semaphore | None
) -> AsyncGenerator[Item, None]:
    """Yield what is to be done."""
    if not isinstance(photos, AsyncIterable):
        async with aclosing(driver.iterate(batch.items(photos))) as items:
            async for item in items:
                if window is not None:
                    await window.acquire()
                yield item
        return
    async for one in photos:
        async with aclosing(_items(driver, batch, [one], window)) as items:
            async for item in items:
                yield item
        if batch.fault is not None:
            return
