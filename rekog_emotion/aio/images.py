"""The verb for many images in asyncio: a few calls at a time, every outcome as it comes, and a file to go on from."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from functools import partial
from typing import Any, TypedDict, Unpack

from rekog_emotion.aio.driver import Driver
from rekog_emotion.aio.gathering import gathered, wholly
from rekog_emotion.clients.aio import resolve
from rekog_emotion.clients.connections import standing
from rekog_emotion.clients.protocols import AnyClient
from rekog_emotion.flows.batch import ImageOutcome
from rekog_emotion.flows.images import Batch, ImagesOptions, ImagesRequest, Item
from rekog_emotion.flows.ledger import GRACE
from rekog_emotion.flows.options import described, spelled_out
from rekog_emotion.sources.images import ImageSource
from rekog_emotion.values.progress import OnProgress

__all__ = ["detect_images"]


@described
class _Performer(TypedDict, total=False):
    """By whom it is done.

    Attributes:
        client: As for :func:`rekog_emotion.aio.detect_image`; one for all. Default: ``None``.
    """

    client: AnyClient | str | None


@described
class _Listeners(TypedDict, total=False):
    """Who is told.

    Attributes:
        on_progress: A plain function, called in the loop with a :class:`Progress` an outcome. Default: ``None``.
    """

    on_progress: OnProgress | None


class DetectImagesOptions(_Performer, ImagesOptions, _Listeners, total=False):
    """Options of ``detect_images``."""


@spelled_out(DetectImagesOptions, defaults=ImagesRequest)
def detect_images(
    sources: str | os.PathLike[str] | Iterable[ImageSource] | AsyncIterable[ImageSource],
    **options: Unpack[DetectImagesOptions],
) -> AsyncGenerator[ImageOutcome, None]:
    """Find the faces of many images, a few at a time, and give each outcome as it comes.

    A photo that fails is an outcome with its error, and stops no other. Whatever their number, few are in memory.
    Whoever leaves the loop early waits for the calls that are under way, two seconds at most; cancelling the task ends
    them. ``async with contextlib.aclosing(detect_images(...))`` ends it before the next statement.

    Emotions are how a face looks, not what a person feels.

    Args:
        sources: As for :func:`rekog_emotion.detect_images`, or an asynchronous iterable of the same; any other that is
            no list is taken from in a thread.
        **options: Those of ``DetectImagesOptions``.

    Returns:
        An asynchronous iterator of outcomes. What an earlier run has done is not among them.

    Raises:
        InvalidInputError: An argument cannot be used, or a source has no name and there is a checkpoint; nothing was
            sent. That the checkpoint is in use or is something else is raised when the first outcome is asked for.
        RekogEmotionError: Whatever else :func:`rekog_emotion.detect_images` raises, likewise.
    """
    asked = ImagesRequest.of(options)
    return _outcomes(asked.photos(sources, awaits=True), asked, options["client"])


async def _outcomes(
    photos: Any,  # noqa: ANN401 -- whatever callers pass
    asked: ImagesRequest,
    client: AnyClient | str | None,
) -> AsyncGenerator[ImageOutcome, None]:
    """Do the work, and give the outcomes."""
    driver = Driver(client=await resolve(client))
    batch = Batch(photos, asked, driver.client, driver.facts, **standing(driver.client))
    await driver.run(batch.open())
    stop, counting = threading.Event(), []
    try:
        await driver.run(batch.begin())
        if batch.counts:
            counting.append(asyncio.create_task(driver.aside(partial(batch.count, stop.is_set))))
        window = None if batch.window is None else asyncio.Semaphore(batch.window)
        items = _items(driver, batch, photos, window)
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
