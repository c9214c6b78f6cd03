"""What a member of the service's shapes is called on the wire, and what it holds.

A field of a value says its own: ``field(default=None, metadata=wire("Width", NUMBER))``. Reading and writing walk that
table; a test compares it with botocore's service model, so that a member which the service gains is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from attrs import fields

__all__ = ["BOOLEAN", "INTEGER", "NUMBER", "OBJECT", "TEXT", "Columns", "Kind", "Leaf", "Many", "Member", "One"]
__all__ += ["members", "wire", "word"]


class Leaf(NamedTuple):
    """A plain value.

    Attributes:
        expected: What an error calls it.
        classes: The exact classes it may have; a bool is no number here.
        words: For a word of an open vocabulary, the enum's members by their wire form.
    """

    expected: str
    classes: frozenset[type]
    words: Mapping[str, StrEnum] | None = None


class One(NamedTuple):
    """Another shape."""

    shape: type[Any]


class Many(NamedTuple):
    """A list of another shape."""

    shape: type[Any]


class Columns(NamedTuple):
    """A list of another shape that is kept by column.

    Attributes:
        shape: What the list has on the wire, and what iterating over the columns gives.
        fast: Reads a list that is as the service sends it, and raises ``UnusualError`` of any other.
        gather: Makes the columns of values of the shape.
        build: Makes them of a tuple of words, and one of each number.
    """

    shape: type[Any]
    fast: Callable[[Any], Any]
    gather: Callable[[Iterable[Any]], Any]
    build: Callable[..., Any]


Kind: TypeAlias = Leaf | One | Many | Columns


class Member(NamedTuple):
    """One member of a shape: its name on the wire, its attribute here, and what it holds."""

    name: str
    attribute: str
    kind: Kind


NUMBER: Final = Leaf("a number", frozenset({float, int}))
INTEGER: Final = Leaf("an integer", frozenset({int}))
BOOLEAN: Final = Leaf("a boolean", frozenset({bool}))
TEXT: Final = Leaf("a string", frozenset({str}))
OBJECT: Final = Leaf("an object", frozenset({dict}))

_KEY: Final = "rekog_emotion.wire"


def word(vocabulary: type[StrEnum]) -> Leaf:
    """Return the kind of a word of an open vocabulary."""
    return Leaf(TEXT.expected, TEXT.classes, {word.value: word for word in vocabulary})


def wire(name: str, kind: Kind, *, after: str | None = None) -> dict[str, Any]:
    """Return the metadata by which a field says its name on the wire and what it holds.

    Args:
        name: As the service's model has it.
        kind: What it holds.
        after: The member that it follows on the wire, where that is not the field before.
    """
    return {_KEY: (name, kind, after)}


_TABLES: Final[dict[type[Any], tuple[Member, ...]]] = {}


def members(shape: type[Any]) -> tuple[Member, ...]:
    """Return every member of a shape, in the service's order."""
    if shape not in _TABLES:
        _TABLES[shape] = _table(shape)
    return _TABLES[shape]


def _table(shape: type[Any]) -> tuple[Member, ...]:
    said = [(field.name, *field.metadata[_KEY]) for field in fields(shape) if _KEY in field.metadata]
    table = [Member(name, attribute, kind) for attribute, name, kind, after in said if after is None]
    for attribute, name, kind, after in said:
        if after is not None:
            table.insert([member.name for member in table].index(after) + 1, Member(name, attribute, kind))
    return tuple(table)
