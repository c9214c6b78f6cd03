"""What a second run need not do again: which sources have an outcome already."""

from __future__ import annotations

import hashlib
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from heapq import merge
from typing import Final

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.results.documents import known_as
from rekog_emotion.results.journal import Entry
from rekog_emotion.sources.naming import name_of, told_of
from rekog_emotion.values.s3 import S3Object

__all__ = ["Checkpoint", "check_named"]

_LOOSE: Final = 50_000  # marks that are put in order together


class Checkpoint:
    """Decides which sources are still to be done, and takes each once.

    Args:
        entries: What earlier runs have left; of one source that failed and was done again, that it is done counts.
        retry_errors: Do again what ended with an error.

    Attributes:
        skipped: How many have not been taken.
        failed_before: How many of these had failed.
    """

    def __init__(self, entries: Iterable[Entry] = (), *, retry_errors: bool = False) -> None:
        done, failed = _Marks(), _Marks()
        for entry in entries:
            if entry.source is not None:
                (failed if entry.failed else done).add(entry.source)
        self._done, self._failed = done, _Marks() if retry_errors else failed
        self.skipped = self.failed_before = 0

    def takes(self, source: object) -> bool:
        """Tell whether a source is to be done now; from then on it counts as done.

        Raises:
            InvalidInputError: It has no name to be known by again.
        """
        check_named(source)
        name = name_of(source)
        if name in self._done:
            self.skipped += 1
            return False
        if name in self._failed:
            self.skipped += 1
            self.failed_before += 1
            return False
        self._done.add(name)
        return True


def check_named(source: object) -> None:
    """Refuse a source that no second run could know again.

    Raises:
        InvalidInputError: It is no path and no address.
    """
    if not isinstance(source, (str, os.PathLike, S3Object)):
        msg = (
            f"{told_of(source)} has no name, by which a second run would know it again: with checkpoint= pass "
            "paths, s3:// addresses or S3Objects, or leave checkpoint= out"
        )
        raise InvalidInputError(msg)


class _Marks:
    """A set of names in eight bytes each, so that a million of them is no matter.

    That two of a million names have one mark has a chance of one to thirty million.
    """

    def __init__(self) -> None:
        self._sorted = array("Q")
        self._loose: set[int] = set()

    def add(self, name: str) -> None:
        self._loose.add(_mark(name))
        if len(self._loose) >= _LOOSE:
            self._sorted = array("Q", merge(self._sorted, sorted(self._loose)))
            self._loose = set()

    def __contains__(self, name: str) -> bool:
        mark = _mark(name)
        if mark in self._loose:
            return True
        place = bisect_left(self._sorted, mark)
        return place < len(self._sorted) and self._sorted[place] == mark


def _mark(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(known_as(name).encode(errors="surrogatepass"), digest_size=8).digest())
