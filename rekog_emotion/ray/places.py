"""Paths, addresses and what was found there, on their way between processes."""

# Names stay as they were given; a Path would make "./a" into "a".
# ruff: noqa: PTH109, PTH118
from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rekog_emotion.errors import needs
from rekog_emotion.flows.batch import is_place
from rekog_emotion.sources.collections import prefix_of
from rekog_emotion.values.s3 import is_s3_uri

with needs("ray", "Ray Data"):
    import pyarrow as pa

__all__ = ["here", "is_prefix", "packed", "parts", "reached", "unpacked"]

_COLUMN: Final = "place"
_ROUNDS: Final = 2  # parts that each actor is left with, at least


def packed(things: Iterable[Any]) -> pa.Table:
    """Return a table of places; pickled, as names of files need not be text."""
    return pa.table({_COLUMN: pa.array(map(pickle.dumps, things), pa.binary())})


def unpacked(table: pa.Table) -> list[Any]:
    """Return the places of a table that `packed` has made."""
    return [pickle.loads(one) for one in table.column(_COLUMN).to_pylist()]  # noqa: S301 -- our own


def parts(things: Sequence[Any], actors: int, fewest: int, most: int) -> list[Sequence[Any]]:
    """Return things in parts, smaller and smaller towards the end, so that all actors end at about the same time.

    Args:
        things: Any.
        actors: Who take the parts.
        fewest: Of a part, but for the last one.
        most: Of a part.
    """
    found: list[Sequence[Any]] = []
    begin = 0
    while begin < len(things):
        size = min(max((len(things) - begin) // (_ROUNDS * actors), fewest), most)
        found.append(things[begin : begin + size])
        begin += size
    return found


def here() -> str:
    """Return the folder in which relative paths begin."""
    return os.getcwd()


def reached(place: Any, folder: str) -> Any:  # noqa: ANN401 -- whatever callers pass
    """Return a place as this process reaches it: processes of a cluster may be anywhere.

    Args:
        place: As it was given.
        folder: Where relative paths begin.
    """
    if not is_place(place) or os.getcwd() == folder:
        return place
    text = os.fsdecode(place)
    return place if is_s3_uri(text) else os.path.join(folder, text)


def is_prefix(place: object) -> bool:
    """Tell whether a place is ``s3://bucket/prefix/``."""
    return isinstance(place, str) and prefix_of(place) is not None
