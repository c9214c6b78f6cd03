"""The verb for many images: a few calls at a time, every outcome as it comes, and a file to go on from."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import TypedDict, Unpack

from rekog_emotion.blocking.clock import Stop
from rekog_emotion.blocking.driver import Driver
from rekog_emotion.blocking.gathering import _Gathering
from rekog_emotion.clients.connections import standing
from rekog_emotion.clients.names import resolve_client
from rekog_emotion.clients.protocols import RekognitionClient
from rekog_emotion.flows.batch import ImageOutcome
from rekog_emotion.flows.images import Batch, Done, ImagesOptions, ImagesRequest, Item
from rekog_emotion.flows.ledger import GRACE
from rekog_emotion.flows.options import described, spelled_out
from rekog_emotion.flows.steps import GLANCE
from rekog_emotion.sources.images import ImageSource
from rekog_emotion.values.progress import OnProgress

__all__ = ["ImageOutcome", "detect_images"]


@described
class _Performer(TypedDict, total=False):
    """By whom it is done.

    Attributes:
        client: As for :func:`rekog_emotion.detect_image`; one for all. Default: ``None``.
    """

    client: RekognitionClient | str | None


@described
class _Listeners(TypedDict, total=False):
    """Who is told, and who may end it.

    Attributes:
        on_progress: Called with a :class:`Progress` an outcome, from several threads, one at a time.
            :func:`rekog_emotion.show_progress` gives one. Default: ``None``.
        cancel: Ends all of it when set. Default: ``None``.
    """

    on_progress: OnProgress | None
    cancel: threading.Event | None


class DetectImagesOptions(_Performer, ImagesOptions, _Listeners, total=False):
    """Options of ``detect_images``."""


@spelled_out(DetectImagesOptions, defaults=ImagesRequest)
def detect_images(
    sources: str | os.PathLike[str] | Iterable[ImageSource], **options: Unpack[DetectImagesOptions]
) -> Iterator[ImageOutcome]:
    """Find the faces of many images, a few at a time, and give each outcome as it comes.

    A photo that fails is an outcome with its error, and stops no other. Whatever their number, few are in memory.
    Whoever leaves the loop early waits for the calls that are under way, two seconds at most.

    Emotions are how a face looks, not what a person feels.

    Args:
        sources: One place: a folder (with all its folders; what is hidden, or no image by its first bytes, is left out
            and counted), a glob such as ``"photos/**/*.jpg"``, or ``s3://bucket/prefix/``. Or an iterable of whatever
            :func:`rekog_emotion.detect_image` takes, and of places; it is taken from as workers get free.
            An error of its own is raised when the outcomes of what came before it have been given.
        **options: Those of ``DetectImagesOptions``.

    Returns:
        An iterator of outcomes. What an earlier run has done is not among them.

    Raises:
        InvalidInputError: An argument cannot be used, the checkpoint is in use or is something else, a source has no
            name and there is a checkpoint; nothing was sent.
        MissingExtraError: The client needs an extra that is not installed.
        ConfigurationError: AWS is not configured.
    """
    asked = ImagesRequest.of(options)
    photos, cancel = asked.photos(sources), options["cancel"]
    driver = Driver(client=resolve_client(options["client"]))
    batch = Batch(photos, asked, driver.client, driver.facts, **standing(driver.client))
    driver.run(batch.open())
    outcomes = _outcomes(driver, batch, cancel)
    weakref.finalize(outcomes, batch.close)  # also where nobody asks for the first outcome
    return outcomes


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


def _outcomes(driver: Driver, batch: Batch, cancel: threading.Event | None) -> Iterator[ImageOutcome]:
    """Do the work, and give the outcomes."""
    stop = Stop(cancel)  # nobody wants more

    def do(item: Item, left: threading.Event) -> Done:
        return driver.run(batch.one(item, cancellable=True), cancel=_Grace(left, cancel))

    with ExitStack() as ending:  # the last comes first
        ending.callback(lambda: batch.end(driver.clock.now()))
        driver.run(batch.begin())
        if batch.counts:
            counting = threading.Thread(target=batch.count, args=[stop.is_set], name="rekog-emotion-count", daemon=True)
            counting.start()
            ending.callback(counting.join)
        window = None if batch.window is None else threading.Semaphore(batch.window)
        items = _items(driver, batch, window, stop)
        ends = _Gathering(do, items, workers=batch.workers, cancel=stop, of="photos").each()
        ending.callback(ends.close)
        ending.callback(stop.set)
        for end in ends:
            for outcome in batch.ready(end):
                if window is not None:
                    window.release()
                yield outcome


def _items(driver: Driver, batch: Batch, window: threading.Semaphore | None, stop: threading.Event) -> Iterator[Item]:
    """Yield what is to be done, one worker at a time."""
    for item in driver.iterate(batch.items(), cancel=stop):
        while window is not None and not window.acquire(timeout=GLANCE):
            if stop.is_set():
                return
        yield item
