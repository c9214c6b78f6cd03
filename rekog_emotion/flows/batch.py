"""Many photos: where they are found, and what becomes of each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from attrs import frozen

from rekog_emotion.errors import CallCancelledError, InvalidInputError, PaginationError, RekogEmotionError
from rekog_emotion.flows.checkpoint import check_named
from rekog_emotion.flows.steps import Flow, Give, List, Work
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.journal import error_line
from rekog_emotion.results.outcomes import Outcome
from rekog_emotion.sources.collections import (
    Found,
    Prefix,
    Unusable,
    check_place,
    found_at,
    found_in_page,
    is_collection,
    prefix_of,
)
from rekog_emotion.sources.images import ImageSource
from rekog_emotion.sources.naming import name_of
from rekog_emotion.values.s3 import S3Object, s3_uri

__all__ = ["ImageOutcome", "check_sources", "found", "has_more", "is_place", "is_prefix", "line_of"]


@frozen
class ImageOutcome(Outcome[ImageSource, ImageAnalysis]):
    """What became of one photo of many: an analysis or an error.

    Attributes:
        source: The photo, as it was given or found.
        analysis: Its faces; ``None`` where there was an error.
        error: Why there is no analysis.
    """


def is_place(source: object) -> bool:
    """Tell whether something is a path or an address, where one photo or many may be."""
    return isinstance(source, (str, os.PathLike))


def check_sources(sources: object, *, named: bool) -> Iterable[Any]:
    """Return what is to be gone through.

    Args:
        sources: One place, or an iterable of photos and places.
        named: Each needs a name.

    Raises:
        InvalidInputError: It is neither, there is nothing at the one place, or a source of a list has no name.
    """
    if isinstance(sources, (str, os.PathLike)):
        check_place(sources)
        return [sources]
    if isinstance(sources, (bytes, bytearray, memoryview, S3Object)) or not isinstance(sources, Iterable):
        msg = (
            f"sources= got {type(sources).__name__}: pass a folder, a glob, s3://bucket/prefix/ or an iterable of "
            "photos, or detect_image() one"
        )
        raise InvalidInputError(msg)
    if named and isinstance(sources, (list, tuple)):
        for source in sources:
            check_named(source)
    return sources


def found(sources: Iterable[Any]) -> Flow[None]:
    """Give the photos at each source as they are found, and what else is there: what is left out or cannot be used.

    Folders are looked into, and the caller's own iterables asked, by steps of their own, as that may take long.

    Args:
        sources: Photos, and places where there are some.
    """
    if isinstance(sources, (list, tuple)):
        for source in sources:
            files = is_place(source) and not is_prefix(source)
            yield from _found_at(source, (yield Work(partial(_inside, source))) if files else None)
        return
    looks = _looked_at(sources)
    while (look := (yield Work(partial(next, looks, None)))) is not None:
        yield from _found_at(*look)


def _looked_at(sources: Iterable[Any]) -> Iterator[tuple[Any, Iterator[Found] | None]]:
    for source in sources:
        yield source, _inside(source)


def _inside(source: object) -> Iterator[Found] | None:
    """Return what is to be gone through at a source; ``None`` of one that is a photo itself, whatever it turns out."""
    return found_at(source) if isinstance(source, (str, os.PathLike)) and is_collection(source) else None


def _found_at(source: Any, inside: Iterator[Found] | None) -> Flow[None]:  # noqa: ANN401 -- whatever callers pass
    """Give what is at one source.

    Args:
        source: As the caller has it.
        inside: What is to be gone through there.
    """
    if not is_place(source):
        yield Give(source)
        return
    text = os.fsdecode(os.fspath(source))
    if (prefix := prefix_of(text)) is not None:
        yield from _listed(prefix)
    elif inside is None:
        yield Give(source if text == os.fspath(source) else text)
    else:
        while (one := (yield Work(partial(next, inside, None)))) is not None:
            yield Give(one)


def _listed(prefix: Prefix) -> Flow[None]:
    """Give the pictures under a prefix, page by page."""
    place = s3_uri(S3Object(bucket=prefix.bucket, name=prefix.prefix))
    after: str | None = None
    while True:
        try:
            page = yield List(prefix.bucket, prefix.prefix, after)
        except RekogEmotionError as error:
            yield Give(Unusable(place, error))
            return
        for one in found_in_page(prefix.bucket, page.get("Contents") or ()):
            yield Give(one)
        token = page.get("NextContinuationToken")
        if not token:
            return
        if token == after:
            msg = f"{place}: the listing repeats itself; its other pictures are missing"
            yield Give(Unusable(place, PaginationError(msg)))
            return
        after = token


def line_of(outcome: ImageOutcome) -> str | None:
    """Return the line of a checkpoint for an outcome; ``None`` for one that is still to be done."""
    if isinstance(outcome.error, CallCancelledError):
        return None
    if outcome.analysis is None:
        return error_line(name_of(outcome.source), outcome.error or AssertionError())
    return outcome.analysis.to_json()


def has_more(source: object) -> bool:
    """Tell whether a source may be more than one photo: a folder, a glob or a prefix."""
    return isinstance(source, (str, os.PathLike)) and is_collection(source)


def is_prefix(source: object) -> bool:
    """Tell whether a source is a prefix in S3, whose objects nobody counts before they are listed."""
    return isinstance(source, str) and prefix_of(source) is not None
