"""Many photos: what may be asked for, how many are done at a time, what becomes of each, and how all of it ends."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from attrs import Factory, define, field, frozen

from rekog_emotion.flows import batch
from rekog_emotion.flows.batch import ImageOutcome
from rekog_emotion.flows.combining import through
from rekog_emotion.flows.detecting import detect
from rekog_emotion.flows.ledger import (
    AHEAD,
    InOrder,
    Ledger,
    check_batch,
    is_countable,
    pace_for,
    total_of,
    workers_for,
)
from rekog_emotion.flows.rate import Pace, calls_a_second
from rekog_emotion.flows.request import Seconds, _attributes, check_listeners, seconds
from rekog_emotion.flows.steps import Facts, Flow, Give, Now, Shared, Work
from rekog_emotion.flows.tally import Tally
from rekog_emotion.flows.videos import End
from rekog_emotion.logs import logger
from rekog_emotion.sources.collections import Unusable
from rekog_emotion.sources.images import prepare_image, ready_image
from rekog_emotion.values.progress import OnProgress, ProgressEvent

__all__ = ["Asking", "Batch", "Done", "ImagesRequest", "Item", "paced"]

_log: Final = logger("rekog_emotion")


@frozen(kw_only=True)
class ImagesRequest:
    """What a caller asks for many photos, checked.

    Attributes:
        photos: What is to be gone through.
        attributes: The names that the service knows.
        timeout: Seconds for a photo, from its first call on.
        quota: Calls a second, as the caller says.
        workers: Photos at a time, as the caller says.
        ordered: Outcomes are wanted in the order of the sources.
        checkpoint: Where outcomes are written down, if anywhere.
        retry_errors: What ended with an error is done again.
        on_progress: Told how far it is.
    """

    photos: Any
    attributes: list[str]
    timeout: float | None
    quota: float | None
    workers: int | None
    ordered: bool
    checkpoint: str | os.PathLike[str] | None
    retry_errors: bool
    on_progress: OnProgress | None

    @classmethod
    def of(
        cls,
        sources: object,
        *,
        attributes: str | Sequence[str],
        timeout: Seconds,
        rate: float | None,
        workers: int | None = None,
        ordered: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        retry_errors: bool = False,
        on_progress: OnProgress | None = None,
        cancel: object = None,
        awaits: bool = False,
    ) -> ImagesRequest:
        """Return the request, when each option has been looked at.

        Args:
            sources: As the caller passes them.
            attributes: Likewise; and so are all others but the last.
            timeout: Likewise.
            rate: Likewise.
            workers: Likewise.
            ordered: Likewise.
            checkpoint: Likewise.
            retry_errors: Likewise.
            on_progress: Likewise.
            cancel: Likewise.
            awaits: Asynchronous iterables are gone through, too.

        Raises:
            InvalidInputError: One of them cannot be used.
        """
        wanted, limit, quota = _attributes(attributes), seconds(timeout, "timeout"), calls_a_second(rate)
        check_listeners(on_progress, cancel)
        check_batch(workers=workers, retry_errors=retry_errors, checkpoint=checkpoint)
        is_awaited = awaits and isinstance(sources, AsyncIterable)
        return cls(
            photos=sources if is_awaited else batch.check_sources(sources, named=checkpoint is not None),
            attributes=wanted,
            timeout=limit,
            quota=quota,
            workers=workers,
            ordered=ordered,
            checkpoint=checkpoint,
            retry_errors=retry_errors,
            on_progress=on_progress,
        )


def paced(client: object, quota: float | None, *, facts: Facts, aws: str | None) -> Flow[Pace | None]:
    """Return the pace of a client, set to what is known of its quota; ``None`` where there is none to keep to.

    Args:
        client: Who is asked.
        quota: Calls a second, as the caller says.
        facts: Of the client.
        aws: The region, if it is AWS that answers.
    """
    pace: Pace | None = yield Shared(lambda _: pace_for(client, quota, files=facts.files, region=aws))
    return pace


@frozen(kw_only=True)
class Asking:
    """What is asked of each photo of many, of whom, and how fast.

    Attributes:
        facts: Of the client.
        attributes: The names that the service knows.
        timeout: Seconds for a photo, from its first call on.
        pace: How fast calls may follow each other.
    """

    facts: Facts
    attributes: list[str]
    timeout: float | None
    pace: Pace | None

    @classmethod
    def of(cls, asked: ImagesRequest, facts: Facts, pace: Pace | None) -> Asking:
        """Return what is asked of each photo of a request."""
        return cls(facts=facts, attributes=asked.attributes, timeout=asked.timeout, pace=pace)

    def outcome(self, source: Any, *, cancellable: bool = False) -> Flow[ImageOutcome]:  # noqa: ANN401 -- whatever callers pass
        """Return what becomes of a photo, or of a place that cannot be looked into: one that fails stops no other.

        Args:
            source: What was found.
            cancellable: The caller may cancel by an event.
        """
        if isinstance(source, Unusable):
            return ImageOutcome(source=source.source, error=source.error)
        try:
            image = ready_image(source) or (yield Work(partial(prepare_image, source)))
            analysis = yield from detect(
                image,
                self.attributes,
                facts=self.facts,
                timeout=self.timeout,
                cancellable=cancellable,
                pace=self.pace,
                patient=True,
            )
        except Exception as error:  # noqa: BLE001 -- it is told
            return ImageOutcome(source=source, error=error)
        return ImageOutcome(source=source, analysis=analysis)


@frozen
class Item:
    """Something to be done, and its number among those that are."""

    number: int
    source: Any


@frozen
class Done:
    """What became of an item, and what is wrong with more than that one: its outcome cannot be written, or told."""

    number: int
    outcome: ImageOutcome
    fault: Exception | None


@define(eq=False)
class Batch:
    """Many photos, from the first to the last: all that is decided about them, in whatever world.

    Args:
        asked: What the caller asks for.
        client: Who is asked.
        facts: Of the client.
        region: Of the service, if it is known.
        aws: The same, if it is AWS that answers.
        pool: Connections that the client keeps, if it says so.
        waits: Whoever finds none of them free waits for one, and makes none of their own.

    Attributes:
        workers: How many photos are done at a time.
        ledger: What has become of them so far.
        fault: What is wrong with more than one photo: no other is begun.
        counts: They are to be counted, beside the work.
    """

    _asked: ImagesRequest
    _client: object = field(repr=False)
    _facts: Facts
    _region: str | None = field(kw_only=True)
    _aws: str | None = field(kw_only=True)
    _pool: int | None = field(kw_only=True)
    _waits: bool = field(kw_only=True)
    workers: int = field(init=False)
    ledger: Ledger = field(init=False)
    fault: Exception | None = field(init=False, default=None)
    counts: bool = field(init=False, default=False)
    _asking: Asking = field(init=False)
    _order: InOrder | None = field(
        init=False, default=Factory(lambda self: InOrder() if self._asked.ordered else None, takes_self=True)
    )
    _number: int = field(init=False, default=0)
    _has_begun: bool = field(init=False, default=False)

    def open(self) -> Flow[None]:
        """Take the checkpoint, read what an earlier run has done, and keep to a pace from now on.

        Raises:
            InvalidInputError: The checkpoint is in use, or is something else; nothing has changed, and nothing is told.
        """
        asked, client, facts = self._asked, self._client, self._facts
        self.ledger = Ledger(Tally((yield Now())), asked.on_progress)
        if asked.checkpoint is not None:
            try:
                yield Work(partial(self.ledger.open, asked.checkpoint, retry_errors=asked.retry_errors))
            except BaseException:
                self.ledger.close()
                raise
        self._asking = Asking.of(asked, facts, (yield from paced(client, asked.quota, facts=facts, aws=self._aws)))

    def begin(self) -> Flow[None]:
        """Decide how many are done at a time: no more than there are, where that is known at once."""
        asked, pool = self._asked, self._pool
        workers = asked.workers or workers_for(
            self._client, asked.quota, files=self._facts.files, region=self._region, pool=pool
        )
        if pool is not None and workers > pool:
            _log.warning(
                "%s workers share a client that keeps %s connections, and %s: pass a client with "
                "max_pool_connections=%s, or fewer workers",
                workers,
                pool,
                "the others wait for one" if self._waits else "makes the others anew each time",
                workers,
            )
        yield Work(self._measure)
        total = self.ledger.tally.total
        self.workers = workers if total is None else max(1, min(workers, total))
        self._has_begun = True

    def _measure(self) -> None:
        """Find out how many photos there are where that takes no time, or else whether they can be counted."""
        photos = self._asked.photos
        self.counts = not isinstance(photos, AsyncIterable) and is_countable(photos)
        if self.counts and not any(batch.has_more(one) for one in photos):
            self.ledger.tally.total, self.counts = len(photos), False

    def count(self, stopped: Callable[[], bool]) -> None:
        """Count the photos, which may take long; what fails at it, whoever goes through them meets, too.

        Args:
            stopped: Nobody wants to know any longer.
        """
        with suppress(Exception):
            self.ledger.tally.total = total_of(self._asked.photos, stopped)

    @property
    def window(self) -> int | None:
        """How many photos may be begun before one that is given first; ``None`` where there is no order."""
        return None if self._order is None else AHEAD * self.workers

    def items(self, photos: Iterable[Any] | None = None) -> Flow[None]:
        """Give what is to be done, until there is no more, or something is wrong with more than one.

        Args:
            photos: A part of them; left out, all that were asked for.
        """
        return through(batch.found(self._asked.photos if photos is None else photos), self._item)

    def _item(self, one: Any) -> Flow[bool]:  # noqa: ANN401 -- likewise
        """Give something that was found, if it is to be done; tell whether there is to be more."""
        if self.fault is None and self.ledger.takes(one, (yield Now())):
            item = Item(self._number, one)
            self._number += 1
            yield Give(item)
        return self.fault is None

    def one(self, item: Item, *, cancellable: bool = False) -> Flow[Done]:
        """Do an item: what becomes of it is written down, counted and told.

        Args:
            item: What is to be done.
            cancellable: The caller may cancel by an event.
        """
        # No frame that an error knows has the outcome with that error: nobody would ever let go of the photo.
        return (yield from self._kept(item, (yield from self._asking.outcome(item.source, cancellable=cancellable))))

    def _kept(self, item: Item, outcome: ImageOutcome) -> Flow[Done]:
        fault = None
        try:
            if self.ledger.journal is not None:
                yield Work(partial(self.ledger.write, item.source, outcome), whole=True)
            self.ledger.count(outcome, (yield Now()))
        except Exception as error:  # noqa: BLE001 -- it is raised where the outcomes are taken
            self.fault = fault = error
        return Done(item.number, outcome, fault)

    def ready(self, end: End[Item, Done]) -> Iterator[ImageOutcome]:
        """Take the end of an item, and yield the outcomes whose turn it is.

        Raises:
            Exception: What is wrong with more than one photo.
        """
        done = end.result
        if done is None:
            raise end.error or AssertionError
        yield from (done.outcome,) if self._order is None else self._order.ready(done.number, done.outcome)
        if done.fault is not None:
            raise done.fault

    def close(self) -> None:
        """Give the checkpoint back; a second time does nothing."""
        self.ledger.close()

    def end(self, now: float) -> None:
        """Give the checkpoint back, and tell of the end, if there was a beginning."""
        self.close()
        if self._has_begun:
            self.ledger.tell(ProgressEvent.ENDED, now)
