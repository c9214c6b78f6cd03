"""The verb for many images in asyncio: a few calls at a time, every outcome as it comes, and a file to go on from."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Sequence, Sized
from contextlib import aclosing
from functools import partial
from typing import Any, Final

from attrs import frozen

from rekog_emotion.aio.driver import Driver
from rekog_emotion.aio.gathering import gathered, wholly
from rekog_emotion.clients.aio import resolve
from rekog_emotion.clients.connections import pool_of
from rekog_emotion.clients.listing import list_page
from rekog_emotion.clients.protocols import AnyClient, aws_region, service_region
from rekog_emotion.flows import batch, detecting
from rekog_emotion.flows.batch import ImageOutcome
from rekog_emotion.flows.checkpoint import Checkpoint
from rekog_emotion.flows.ledger import (
    AHEAD,
    GRACE,
    InOrder,
    Ledger,
    check_batch,
    is_countable,
    pace_for,
    total_of,
    workers_for,
)
from rekog_emotion.flows.rate import calls_a_second
from rekog_emotion.flows.request import Seconds, _attributes, check_listeners, seconds
from rekog_emotion.flows.steps import Course, Give, List
from rekog_emotion.flows.tally import Tally
from rekog_emotion.results.journal import Journal
from rekog_emotion.sources.collections import Unusable
from rekog_emotion.sources.images import ImageSource, prepare_image, ready_image
from rekog_emotion.values.progress import OnProgress, ProgressEvent

__all__ = ["detect_images"]

_END: Final = object()


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
    asked: dict[str, Any] = {"attributes": _attributes(attributes), "timeout": seconds(timeout, "timeout")}
    quota = calls_a_second(rate)
    check_listeners(on_progress, None)
    check_batch(workers=workers, retry_errors=retry_errors, checkpoint=checkpoint)
    photos: Any = sources
    if not isinstance(sources, AsyncIterable):
        photos = batch.check_sources(sources, named=checkpoint is not None)

    async def outcomes() -> AsyncGenerator[ImageOutcome, None]:
        driver = Driver(client=await resolve(client))
        ledger = Ledger(Tally(driver.clock.now()), on_progress)
        if checkpoint is not None:
            ledger.journal = await driver.aside(partial(Journal, checkpoint))
        pace = pace_for(driver.client, quota, files=driver.facts.files, region=aws_region(driver.client))
        region, pool = service_region(driver.client), pool_of(driver.client)
        number = workers or workers_for(driver.client, quota, files=driver.facts.files, region=region, pool=pool)
        work = _Work(driver, ledger, partial(detecting.detect, facts=driver.facts, patient=True, pace=pace, **asked))
        try:
            if ledger.journal is not None:
                ledger.done = await driver.aside(
                    lambda: Checkpoint(ledger.journal.entries(), retry_errors=retry_errors)  # type: ignore[union-attr]  # it is there
                )
            async with aclosing(work.outcomes(photos, number, ordered=ordered)) as given:
                async for outcome in given:
                    yield outcome
        finally:
            if ledger.journal is not None:
                ledger.journal.close()
            ledger.tell(ProgressEvent.ENDED, driver.clock.now())

    return outcomes()


@frozen
class _Work:
    """What becomes of the photos of one batch."""

    driver: Driver
    ledger: Ledger
    detect: Any

    async def outcomes(
        self, photos: Iterable[Any] | AsyncIterable[Any], workers: int, *, ordered: bool
    ) -> AsyncGenerator[ImageOutcome, None]:
        """Do the work, and give the outcomes."""
        stop = threading.Event()
        counting = asyncio.create_task(self._count(photos, stop))
        window = asyncio.Semaphore(AHEAD * workers) if ordered else None
        order = InOrder() if ordered else None
        items = self._items(photos, window)
        try:
            async with aclosing(gathered(self._do, items, workers=workers, grace=GRACE)) as ends:
                async for end in ends:
                    if end.result is None:
                        raise end.error or AssertionError
                    number, outcome, fault = end.result
                    for one in order.ready(number, outcome) if order else (outcome,):
                        if window is not None:
                            window.release()
                        yield one
                    if fault is not None:
                        raise fault
        finally:
            stop.set()
            await asyncio.gather(counting)
            await items.aclose()

    async def _items(
        self, photos: Iterable[Any] | AsyncIterable[Any], window: asyncio.Semaphore | None
    ) -> AsyncGenerator[tuple[int, Any], None]:
        """Yield what is to be done, with its number."""
        number = 0
        async with aclosing(self._found(photos)) as found:
            async for one in found:
                if not self.ledger.takes(one, self.driver.clock.now()):
                    continue
                if window is not None:
                    await window.acquire()
                yield number, one
                number += 1

    async def _found(self, photos: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
        """Yield what is found: folders are read, and the caller's iterables asked, in a thread."""
        if isinstance(photos, AsyncIterable):
            async for one in photos:
                async with aclosing(self._found([one])) as found:
                    async for each in found:
                        yield each
            return
        if isinstance(photos, (list, tuple)) and not any(batch.is_place(one) for one in photos):
            for one in photos:
                yield one
            return
        driver, course = self.driver, Course(batch.found(photos))
        while (step := await driver.aside(partial(next, course, _END))) is not _END:
            if isinstance(step, Give):
                yield step.value
            elif isinstance(step, List):  # what else there is to find
                try:
                    page = partial(list_page, driver.client, step.bucket, step.prefix, step.after)
                    course.answer(await driver.aside(page))
                except Exception as error:  # noqa: BLE001 -- it is for the flow
                    course.fail(error)

    async def _do(self, item: tuple[int, Any]) -> tuple[int, ImageOutcome, Exception | None]:
        number, source = item
        outcome, fault = await self._outcome(source), None
        try:
            if self.ledger.journal is not None:
                writing = asyncio.ensure_future(self.driver.aside(partial(self.ledger.write, source, outcome)))
                try:
                    await wholly([writing])  # what was paid for is written down, whatever cancels
                finally:
                    writing.result()
            self.ledger.count(outcome, self.driver.clock.now())
        except Exception as error:  # noqa: BLE001 -- it is raised where the outcomes are taken
            fault = error
        return number, outcome, fault

    async def _outcome(self, source: Any) -> ImageOutcome:  # noqa: ANN401 -- whatever callers pass
        if isinstance(source, Unusable):
            return ImageOutcome(source=source.source, error=source.error)
        try:
            image = ready_image(source) or await self.driver.aside(partial(prepare_image, source))
            return ImageOutcome(source=source, analysis=await self.driver.run(self.detect(image)))
        except Exception as error:  # noqa: BLE001 -- one that fails stops no other
            return ImageOutcome(source=source, error=error)

    async def _count(self, photos: Iterable[Any] | AsyncIterable[Any], stop: threading.Event) -> None:
        """Count what there is to do, where that can be known: beside the work, as it may take long."""
        if isinstance(photos, AsyncIterable) or not is_countable(photos):
            return
        if isinstance(photos, Sized) and not any(batch.has_more(one) for one in photos):
            self.ledger.tally.total = len(photos)
        else:
            self.ledger.tally.total = await self.driver.aside(partial(total_of, photos, stop.is_set))
