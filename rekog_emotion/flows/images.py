"""Many photos: what may be asked for, how many are done at a time, what becomes of each, and how all of it ends."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypedDict

from attrs import Factory, define, field, fields_dict, frozen

from rekog_emotion.flows import batch
from rekog_emotion.flows.batch import ImageOutcome
from rekog_emotion.flows.combining import through
from rekog_emotion.flows.detecting import TIMEOUT, detect
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
from rekog_emotion.flows.options import described
from rekog_emotion.flows.rate import Pace, calls_a_second
from rekog_emotion.flows.request import Seconds, _attributes, _timeout, check_listeners
from rekog_emotion.flows.steps import Facts, Flow, Give, Now, Shared, Work
from rekog_emotion.flows.tally import Tally
from rekog_emotion.flows.videos import End
from rekog_emotion.logs import logger
from rekog_emotion.sources.collections import Unusable
from rekog_emotion.sources.images import prepare_image, ready_image
from rekog_emotion.values.progress import OnProgress, ProgressEvent

__all__ = ["Asking", "Batch", "Done", "ImagesOptions", "ImagesRequest", "Item", "paced"]

_log: Final = logger("rekog_emotion")


@described
class ImagesOptions(TypedDict, total=False):
    """What is asked of many photos, in whatever world.

    Attributes:
        attributes: As for :func:`rekog_emotion.detect_image`. Default: ``"ALL"``.
        workers: Photos at a time. Default: ``None``, as many as the rate needs; for the embedded engine, as many as
            there are cores.
        rate: Calls a second at most, your quota for instance; all callers of the client share it. A throttled call
            halves it, and it grows again. Default: ``None``, for which AWS's default quota of the region is where it
            begins.
        ordered: Give the outcomes in the order of the sources. Default: ``False``.
        checkpoint: A file of JSON Lines that gets a document an outcome, written before the outcome is given; a second
            run with it, in threads or in asyncio, goes on, and gives what is new: what has a line is done, whoever
            answered and whatever was asked for. ``read_json_lines`` reads all of it. Default: ``None``.
        retry_errors: With ``checkpoint``: do again what ended with an error. Default: ``False``.
        timeout: Longest wait for a photo, from its first call on: seconds, a ``timedelta``, or ``None`` for as long as
            it takes. Default: ``60.0``.
    """

    attributes: str | Sequence[str]
    workers: int | None
    rate: float | None
    ordered: bool
    checkpoint: str | os.PathLike[str] | None
    retry_errors: bool
    timeout: Seconds


@frozen(kw_only=True)
class ImagesRequest:
    """What a caller asks for many photos, checked: :class:`ImagesOptions`, and who is told and may end it.

    Raises:
        InvalidInputError: One of them cannot be used.
    """

    attributes: list[str] = field(default="ALL", converter=_attributes)
    timeout: float | None = field(default=TIMEOUT, converter=_timeout)
    rate: float | None = field(default=None, converter=calls_a_second)
    workers: int | None = None
    ordered: bool = False
    checkpoint: str | os.PathLike[str] | None = None
    retry_errors: bool = False
    on_progress: OnProgress | None = None
    cancel: Any = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> ImagesRequest:
        """Return the request among all options of a verb."""
        return cls(**{name: options[name] for name in fields_dict(cls) if name in options})

    def __attrs_post_init__(self) -> None:
        """Refuse what would fail when photos have been paid for."""
        check_listeners(self.on_progress, self.cancel)
        check_batch(workers=self.workers, retry_errors=self.retry_errors, checkpoint=self.checkpoint)

    def photos(self, sources: object, *, awaits: bool = False) -> Any:  # noqa: ANN401 -- whatever callers pass
        """Return what is to be gone through.

        Args:
            sources: As the caller passes them.
            awaits: Asynchronous iterables are gone through, too.

        Raises:
            InvalidInputError: They cannot be.
        """
        if awaits and isinstance(sources, AsyncIterable):
            return sources
        return batch.check_sources(sources, named=self.checkpoint is not None)


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
        photos: What is to be gone through.
        asked: What the caller asks for.
        client: Who is asked.
        facts: Of the client.
        region: Of the service, if it is known.
        aws: The same, if it is AWS that answers.
        pool: Connections that the client keeps, if it says so.
        waits: Whoever finds none of them free waits for one, and makes none of their own.

    Attributes:
        photos: What is to be gone through.
        workers: How many of them are done at a time.
        ledger: What has become of them so far.
        fault: What is wrong with more than one photo: no other is begun.
        counts: They are to be counted, beside the work.
    """

    photos: Any = field(repr=False)
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
        self._asking = Asking.of(asked, facts, (yield from paced(client, asked.rate, facts=facts, aws=self._aws)))

    def begin(self) -> Flow[None]:
        """Decide how many are done at a time: no more than there are, where that is known at once."""
        asked, pool = self._asked, self._pool
        workers = asked.workers or workers_for(
            self._client, asked.rate, files=self._facts.files, region=self._region, pool=pool
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
        photos = self.photos
        self.counts = not isinstance(photos, AsyncIterable) and is_countable(photos)
        if self.counts and not any(batch.has_more(one) for one in photos):
            self.ledger.tally.total, self.counts = len(photos), False

    def count(self, stopped: Callable[[], bool]) -> None:
        """Count the photos, which may take long; what fails at it, whoever goes through them meets, too.

        Args:
            stopped: Nobody wants to know any longer.
        """
        with suppress(Exception):
            self.ledger.tally.total = total_of(self.photos, stopped)

    @property
    def window(self) -> int | None:
        """How many photos may be begun before one that is given first; ``None`` where there is no order."""
        return None if self._order is None else AHEAD * self.workers

    def items(self, photos: Iterable[Any] | None = None) -> Flow[None]:
        """Give what is to be done, until there is no more, or something is wrong with more than one.

        Args:
            photos: A part of them; left out, all that were asked for.
        """
        return through(batch.found(self.photos if photos is None else photos), self._item)

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
