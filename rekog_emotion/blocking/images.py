"""The verb for many images: a few calls at a time, every outcome as it comes, and a file to go on from."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from rekog_emotion.blocking.clock import Stop
from rekog_emotion.blocking.driver import Driver
from rekog_emotion.blocking.gathering import _Gathering
from rekog_emotion.clients.connections import pool_of
from rekog_emotion.clients.names import resolve_client
from rekog_emotion.clients.protocols import RekognitionClient, aws_region, service_region
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
from rekog_emotion.flows.rate import Pace, calls_a_second
from rekog_emotion.flows.request import Seconds, _attributes, check_listeners, seconds
from rekog_emotion.flows.tally import Tally
from rekog_emotion.logs import logger
from rekog_emotion.results.journal import Journal
from rekog_emotion.sources.collections import Unusable
from rekog_emotion.sources.images import ImageSource, prepare_image
from rekog_emotion.values.progress import OnProgress, ProgressEvent

if TYPE_CHECKING:
    from rekog_emotion.results.image_analysis import ImageAnalysis

__all__ = ["Asking", "ImageOutcome", "detect_images", "workers_of"]

_log: Final = logger("rekog_emotion")
_GLANCE: Final = 0.05


def detect_images(
    sources: str | os.PathLike[str] | Iterable[ImageSource],
    *,
    client: RekognitionClient | str | None = None,
    attributes: str | Sequence[str] = "ALL",
    workers: int | None = None,
    rate: float | None = None,
    ordered: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    retry_errors: bool = False,
    timeout: Seconds = detecting.TIMEOUT,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> Iterator[ImageOutcome]:
    """Find the faces of many images, a few at a time, and give each outcome as it comes.

    A photo that fails is an outcome with its error, and stops no other. Whatever their number, few are in memory.
    Whoever leaves the loop early waits for the calls that are under way, two seconds at most.

    Emotions are how a face looks, not what a person feels.

    Args:
        sources: One place: a folder (with all its folders; what is hidden, or no image by its first bytes, is left out
            and counted), a glob such as ``"photos/**/*.jpg"``, or ``s3://bucket/prefix/``. Or an iterable of whatever
            :func:`rekog_emotion.detect_image` takes, and of places; it is taken from as workers get free.
        client: As for :func:`rekog_emotion.detect_image`; one for all.
        attributes: Likewise.
        workers: Photos at a time, each in a thread. Left out, as many as the rate needs; for the embedded engine, as
            many as there are cores.
        rate: Calls a second at most, your quota for instance; all callers of the client share it. Left out, AWS's
            default quota of the region is where it begins. A throttled call halves it, and it grows again.
        ordered: Give the outcomes in the order of the sources.
        checkpoint: A file of JSON Lines that gets a document an outcome, written before the outcome is given; a second
            run with it goes on, and gives what is new. ``read_json_lines`` reads all of it.
        retry_errors: With ``checkpoint``: do again what ended with an error.
        timeout: Longest wait for a photo, from its first call on: seconds, a ``timedelta``, or ``None``.
        on_progress: Called with a :class:`Progress` an outcome, from several threads, one at a time.
            :func:`rekog_emotion.show_progress` gives one.
        cancel: Ends all of it when set.

    Returns:
        An iterator of outcomes. What an earlier run has done is not among them.

    Raises:
        InvalidInputError: An argument cannot be used, the checkpoint is in use or is something else, a source has no
            name and there is a checkpoint; nothing was sent.
        MissingExtraError: The client needs an extra that is not installed.
        ConfigurationError: AWS is not configured.
    """
    wanted = _attributes(attributes)
    limit, quota = seconds(timeout, "timeout"), calls_a_second(rate)
    check_listeners(on_progress, cancel)
    check_batch(workers=workers, retry_errors=retry_errors, checkpoint=checkpoint)
    photos = batch.check_sources(sources, named=checkpoint is not None)
    driver = Driver(client=resolve_client(client))
    journal = None if checkpoint is None else Journal(checkpoint)
    try:
        done = None if journal is None else Checkpoint(journal.entries(), retry_errors=retry_errors)
    except BaseException:
        if journal is not None:
            journal.close()
        raise
    work = _Work(
        Asking(driver=driver, attributes=wanted, timeout=limit, pace=_pace(driver, quota)),
        journal=journal,
        done=done,
        on_progress=on_progress,
        cancel=cancel,
    )
    outcomes = work.outcomes(photos, workers=workers or workers_of(driver, quota), ordered=ordered)
    if journal is not None:
        weakref.finalize(outcomes, journal.close)  # also where nobody asks for the first outcome
    return outcomes


def _pace(driver: Driver, quota: float | None) -> Pace | None:
    return pace_for(driver.client, quota, files=driver.facts.files, region=aws_region(driver.client))


def workers_of(driver: Driver, quota: float | None) -> int:
    """Return how many photos at a time are of use.

    Args:
        driver: Has the client.
        quota: Calls a second, as the caller says.
    """
    region, pool = service_region(driver.client), pool_of(driver.client)
    return workers_for(driver.client, quota, files=driver.facts.files, region=region, pool=pool)


@frozen(kw_only=True)
class Asking:
    """What is asked of each photo of many, of whom, and how fast.

    Attributes:
        driver: Has the client.
        attributes: The names that the service knows.
        timeout: Seconds for a photo, from its first call on.
        pace: How fast calls may follow each other.
    """

    driver: Driver
    attributes: list[str]
    timeout: float | None
    pace: Pace | None

    def outcome(self, source: Any, cancel: threading.Event | None = None) -> ImageOutcome:  # noqa: ANN401 -- whatever callers pass
        """Return what becomes of a photo, or of a place that cannot be looked into: one that fails stops no other."""
        if isinstance(source, Unusable):
            return ImageOutcome(source=source.source, error=source.error)
        try:
            return ImageOutcome(source=source, analysis=self._analysis(source, cancel))
        except Exception as error:  # noqa: BLE001 -- it is told
            return ImageOutcome(source=source, error=error)

    def _analysis(self, source: Any, cancel: threading.Event | None) -> ImageAnalysis:  # noqa: ANN401 -- likewise
        flow = detecting.detect(
            prepare_image(source),
            self.attributes,
            facts=self.driver.facts,
            timeout=self.timeout,
            cancellable=cancel is not None,
            pace=self.pace,
            patient=True,
        )
        return self.driver.run(flow, cancel=cancel)


@frozen
class _Item:
    """Something to be done, and the how manieth it is."""

    number: int
    source: Any


class _Grace(Stop):
    """Set when the caller cancels, and a little after the caller has left: calls under way are paid for."""

    def __init__(self, left: threading.Event, cancel: threading.Event | None) -> None:
        super().__init__(cancel)
        self._left = left
        self._since: float | None = None

    def is_set(self) -> bool:
        """Tell whether nobody waits any longer."""
        if super().is_set():
            return True
        if not self._left.is_set():
            return False
        if self._since is None:
            self._since = time.monotonic()
        return time.monotonic() >= self._since + GRACE


class _Work:
    """What becomes of the photos of one batch."""

    def __init__(
        self,
        asking: Asking,
        *,
        journal: Journal | None,
        done: Checkpoint | None,
        on_progress: OnProgress | None,
        cancel: threading.Event | None,
    ) -> None:
        self._asking = asking
        self._driver = driver = asking.driver
        self._cancel = cancel
        self._stop = Stop(cancel)  # nobody wants more
        self._telling = threading.Lock()
        self._ledger = Ledger(Tally(driver.clock.now()), on_progress, journal, done)
        self._fault: BaseException | None = None  # what is wrong with more than one photo

    def outcomes(self, photos: Iterable[Any], *, workers: int, ordered: bool) -> Iterator[ImageOutcome]:
        """Do the work, and give the outcomes."""
        pool = pool_of(self._driver.client)
        if pool is not None and workers > pool:
            _log.warning(
                "%s workers share a client that keeps %s connections, and makes the others anew each time: pass a "
                "client with max_pool_connections=%s, or fewer workers",
                workers,
                pool,
                workers,
            )
        counting = self._begin_to_count(photos)
        if self._ledger.tally.total is not None:
            workers = max(1, min(workers, self._ledger.tally.total))
        window = threading.Semaphore(AHEAD * workers) if ordered else None
        ends = _Gathering(self._do, self._items(photos, window), workers=workers, cancel=self._stop, of="photos").each()
        try:
            outcomes = (end.result for end in ends if end.result is not None)
            for outcome in _in_order(outcomes, window) if window else (one for _, one in outcomes):
                yield outcome
                if self._fault is not None:
                    raise self._fault
            if self._fault is not None:
                raise self._fault
        finally:
            self._stop.set()
            ends.close()
            if counting is not None:
                counting.join()
            if self._ledger.journal is not None:
                self._ledger.journal.close()
            with self._telling:
                self._ledger.tell(ProgressEvent.ENDED, self._driver.clock.now())

    def _items(self, photos: Iterable[Any], window: threading.Semaphore | None) -> Iterator[_Item]:
        """Yield what is to be done, one worker at a time."""
        number = 0
        for one in self._driver.iterate(batch.found(photos), cancel=self._stop):
            with self._telling:
                takes = self._ledger.takes(one, self._driver.clock.now())
            if not takes:
                continue
            while window is not None and not window.acquire(timeout=_GLANCE):
                if self._stop.is_set():
                    return
            yield _Item(number, one)
            number += 1

    def _do(self, item: _Item, left: threading.Event) -> tuple[int, ImageOutcome]:
        outcome = self._asking.outcome(item.source, _Grace(left, self._cancel))
        try:
            self._ledger.write(item.source, outcome)
            with self._telling:
                self._ledger.count(outcome, self._driver.clock.now())
        except BaseException as error:  # noqa: BLE001 -- it is raised where the outcomes are taken
            self._fault = error
            self._stop.set()
        return item.number, outcome

    def _begin_to_count(self, photos: Iterable[Any]) -> threading.Thread | None:
        """Count what there is to do, where that can be known: beside the work, as it may take long."""
        if not is_countable(photos):
            return None
        if isinstance(photos, Sized) and not any(batch.has_more(one) for one in photos):
            self._ledger.tally.total = len(photos)
            return None

        def count() -> None:
            self._ledger.tally.total = total_of(photos, self._stop.is_set)

        thread = threading.Thread(target=count, name="rekog-emotion-count", daemon=True)
        thread.start()
        return thread


def _in_order(outcomes: Iterator[tuple[int, ImageOutcome]], window: threading.Semaphore) -> Iterator[ImageOutcome]:
    """Yield outcomes by their numbers; only so many may wait for one that comes first."""
    order = InOrder()
    for number, outcome in outcomes:
        for one in order.ready(number, outcome):
            window.release()
            yield one
