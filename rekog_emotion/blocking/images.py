"""The verb for many images: a few calls at a time, every outcome as it comes, and a file to go on from."""

from __future__ import annotations

import math
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
from rekog_emotion.clients.protocols import RekognitionClient, service_region
from rekog_emotion.errors import CallCancelledError, InvalidInputError
from rekog_emotion.flows import batch, detecting
from rekog_emotion.flows.batch import ImageOutcome
from rekog_emotion.flows.checkpoint import Checkpoint
from rekog_emotion.flows.rate import Pace, calls_a_second, pace_of, quota_in
from rekog_emotion.flows.request import Seconds, _attributes, check_listeners, seconds
from rekog_emotion.flows.tally import Tally
from rekog_emotion.logs import logger
from rekog_emotion.results.journal import Journal
from rekog_emotion.sources.collections import LeftOut, Unusable, count_at
from rekog_emotion.sources.images import ImageSource, prepare_image
from rekog_emotion.sources.naming import name_of
from rekog_emotion.values.progress import OnProgress, ProgressEvent, tell

if TYPE_CHECKING:
    from rekog_emotion.results.image_analysis import ImageAnalysis

__all__ = ["ImageOutcome", "detect_images"]

_log: Final = logger("rekog_emotion")
_AWS: Final = ".amazonaws.com"
_SECONDS_A_CALL: Final = 0.5  # of the service, with some to spare: so many workers keep to a rate
_FEW, _MANY, _SOME = 4, 32, 8  # workers: at least, at most, and where no rate is known
_GRACE: Final = 2.0  # seconds for the calls under way, which are paid for, where the caller leaves
_AHEAD: Final = 4  # photos a worker that may be done before one that comes first
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
    _check_workers(workers)
    if retry_errors and checkpoint is None:
        msg = "retry_errors=True is about the errors in a checkpoint: name it by checkpoint="
        raise InvalidInputError(msg)
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
        driver,
        request=_Request(attributes=wanted, timeout=limit, pace=_pace(driver, quota)),
        journal=journal,
        done=done,
        on_progress=on_progress,
        cancel=cancel,
    )
    outcomes = work.outcomes(photos, workers=workers or _workers(driver, quota), ordered=ordered)
    if journal is not None:
        weakref.finalize(outcomes, journal.close)  # also where nobody asks for the first outcome
    return outcomes


def _check_workers(workers: object) -> None:
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        msg = f"workers={workers!r} is no number of workers: pass 1 or more, or leave it out"
        raise InvalidInputError(msg)


def _pace(driver: Driver, quota: float | None) -> Pace | None:
    """Return the pace of a client, set to what is known of its quota; ``None`` where there is none to keep to."""
    if driver.facts.files and quota is None:
        return None
    pace = pace_of(driver.client)
    region = service_region(driver.client)
    if quota is not None:
        pace.limit(quota)
    elif region is not None and _AWS in str(getattr(getattr(driver.client, "meta", None), "endpoint_url", "")):
        pace.expect(quota_in(region))
    return pace


def _workers(driver: Driver, quota: float | None) -> int:
    """Return how many photos at a time are of use."""
    if driver.facts.files:
        return max(1, _cores() // max(1, int(getattr(driver.client, "threads", 1))))
    region = service_region(driver.client)
    quota = quota or (quota_in(region) if region is not None else None)
    number = _SOME if quota is None else math.ceil(min(max(quota * _SECONDS_A_CALL, _FEW), _MANY))
    return min(number, pool_of(driver.client) or number)


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover -- of macOS and Windows


@frozen
class _Request:
    """What is asked of each photo, and how fast."""

    attributes: list[str]
    timeout: float | None
    pace: Pace | None


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
        return time.monotonic() >= self._since + _GRACE


class _Work:
    """What becomes of the photos of one batch."""

    def __init__(
        self,
        driver: Driver,
        *,
        request: _Request,
        journal: Journal | None,
        done: Checkpoint | None,
        on_progress: OnProgress | None,
        cancel: threading.Event | None,
    ) -> None:
        self._driver = driver
        self._request = request
        self._journal = journal
        self._done = done
        self._on_progress = on_progress
        self._cancel = cancel
        self._stop = Stop(cancel)  # nobody wants more
        self._telling = threading.Lock()
        self._tally = Tally(driver.clock.now())
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
        if self._tally.total is not None:
            workers = max(1, min(workers, self._tally.total))
        window = threading.Semaphore(_AHEAD * workers) if ordered else None
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
            if self._journal is not None:
                self._journal.close()
            self._tell(ProgressEvent.ENDED)

    def _items(self, photos: Iterable[Any], window: threading.Semaphore | None) -> Iterator[_Item]:
        """Yield what is to be done, one worker at a time."""
        number = 0
        for one in self._driver.iterate(batch.found(photos), cancel=self._stop):
            if isinstance(one, LeftOut):
                self._tally.left_out += 1
                self._tell(ProgressEvent.LEFT_OUT, source=one.source, reason=one.reason)
                continue
            if self._done is not None and not isinstance(one, Unusable) and not self._done.takes(one):
                self._tally.skipped = self._done.skipped
                continue
            while window is not None and not window.acquire(timeout=_GLANCE):
                if self._stop.is_set():
                    return
            yield _Item(number, one)
            number += 1

    def _do(self, item: _Item, left: threading.Event) -> tuple[int, ImageOutcome]:
        outcome = self._outcome(item.source, _Grace(left, self._cancel))
        try:
            self._record(item.source, outcome)
        except BaseException as error:  # noqa: BLE001 -- it is raised where the outcomes are taken
            self._fault = error
            self._stop.set()
        return item.number, outcome

    def _outcome(self, source: Any, cancel: threading.Event) -> ImageOutcome:  # noqa: ANN401 -- whatever callers pass
        if isinstance(source, Unusable):
            return ImageOutcome(source=source.source, error=source.error)
        try:
            return ImageOutcome(source=source, analysis=self._analysis(source, cancel))
        except Exception as error:  # noqa: BLE001 -- one that fails stops no other
            return ImageOutcome(source=source, error=error)

    def _analysis(self, source: Any, cancel: threading.Event) -> ImageAnalysis:  # noqa: ANN401 -- likewise
        flow = detecting.detect(
            prepare_image(source),
            self._request.attributes,
            facts=self._driver.facts,
            timeout=self._request.timeout,
            cancellable=True,
            pace=self._request.pace,
            patient=True,
        )
        return self._driver.run(flow, cancel=cancel)

    def _record(self, source: object, outcome: ImageOutcome) -> None:
        """Write an outcome down before anybody sees it, and count it."""
        if isinstance(outcome.error, CallCancelledError):
            return
        line = batch.line_of(outcome)
        if self._journal is not None and line is not None and not isinstance(source, Unusable):
            self._journal.append(line)
        with self._telling:
            self._tally.ended(failed=outcome.error is not None, now=self._driver.clock.now())
        reason = None if outcome.error is None else str(outcome.error)
        self._tell(ProgressEvent.IMAGE, source=name_of(outcome.source), reason=reason)

    def _tell(self, event: ProgressEvent, *, source: str | None = None, reason: str | None = None) -> None:
        with self._telling:
            tell(self._on_progress, self._tally.report(event, self._driver.clock.now(), source=source, reason=reason))

    def _begin_to_count(self, photos: Iterable[Any]) -> threading.Thread | None:
        """Count what there is to do, where that can be known: beside the work, as it may take long."""
        if not isinstance(photos, Sized) or not isinstance(photos, Iterable):
            return None
        if not any(batch.has_more(one) for one in photos):
            self._tally.total = len(photos)
            return None
        if any(batch.is_prefix(one) for one in photos):
            return None

        def count() -> None:
            total = 0
            for one in photos:
                for _ in count_at(one) if batch.is_place(one) else (1,):
                    total += 1
                    if self._stop.is_set():
                        return
            self._tally.total = total

        thread = threading.Thread(target=count, name="rekog-emotion-count", daemon=True)
        thread.start()
        return thread


def _in_order(outcomes: Iterator[tuple[int, ImageOutcome]], window: threading.Semaphore) -> Iterator[ImageOutcome]:
    """Yield outcomes by their numbers; only so many may wait for one that comes first."""
    waiting: dict[int, ImageOutcome] = {}
    following = 0
    for number, outcome in outcomes:
        waiting[number] = outcome
        while following in waiting:
            window.release()
            yield waiting.pop(following)
            following += 1
