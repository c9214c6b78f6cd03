"""The service's JSON to values.

Every shape has two readers that give equal values: the fast one (``compiled``), and the careful one of this room, which
keeps unknown members and nulls, and says where an answer is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache, partial
from typing import Any, Final, NoReturn, TypeVar

from rekog_emotion.errors import ResponseError
from rekog_emotion.wire.binding import UnusualError
from rekog_emotion.wire.compiled import Reader, compile_reader
from rekog_emotion.wire.kinds import OBJECT, Columns, Kind, Leaf, Many, One, members

__all__ = ["MismatchError", "broken", "read_answer", "read_members", "reader"]

T = TypeVar("T")

_DEEPEST: Final = 100  # of what is unknown; the service's own members go six levels deep
_PLAIN: Final = frozenset({str, int, float, bool, bytes})


class MismatchError(Exception):
    """A member is not what the service's shape says; collects the path on its way out."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path

    def within(self, outer: str) -> MismatchError:
        """Return the same, seen from one level further out."""
        between = "." if self.path and self.path[0] != "[" else ""
        self.path = f"{outer}{between}{self.path}"
        return self


def broken(path: str, problem: str) -> NoReturn:
    """Raise a :class:`MismatchError`."""
    raise MismatchError(path, problem)


def _refuse(expected: str, value: object) -> NoReturn:
    broken("", f"expected {expected}, got {type(value).__name__}")


def read_answer(read: Callable[[Mapping[str, Any]], T], answer: Mapping[str, Any]) -> T:
    """Read an answer, or a part of one.

    An answer of another shape is a :class:`~rekog_emotion.errors.ResponseError` that says where; nothing is clamped,
    rounded or dropped.

    Args:
        read: What reads it: a :func:`reader`, or one that raises :class:`MismatchError` likewise.
        answer: What came.
    """
    try:
        return read(answer)
    except MismatchError as mismatch:
        raise ResponseError(mismatch.problem, path=mismatch.path) from None


_READERS: Final[dict[type[Any], Reader]] = {}


def reader(shape: type[Any]) -> Reader:
    """Return what reads a shape: the fast way where it can, else carefully; it raises :class:`MismatchError`."""
    if shape not in _READERS:
        _READERS[shape] = _reader(shape)
    return _READERS[shape]


def _reader(shape: type[Any]) -> Reader:
    fast = cache(partial(compile_reader, shape))  # compiled when it is first used: it takes some milliseconds

    def read(wire: object) -> Any:  # noqa: ANN401 -- a value of the shape
        try:
            return fast()(wire)
        except (UnusualError, KeyError, TypeError):
            return shape(**read_members(shape, wire))

    return read


def read_members(shape: type[Any], wire: object) -> dict[str, Any]:
    """Return the arguments that make a value of this shape, ``extra`` included.

    Raises:
        MismatchError: The answer has another shape.
    """
    if not isinstance(wire, Mapping):
        _refuse(OBJECT.expected, wire)
    found: dict[str, Any] = {}
    for name, attribute, kind in members(shape):
        value = wire.get(name)
        try:
            found[attribute] = None if value is None else _read_kind(kind, value)
        except MismatchError as mismatch:
            raise mismatch.within(name) from None
    known = {name for name, _, _ in members(shape)}
    extra = {name: _copied(name, value) for name, value in wire.items() if value is None or name not in known}
    return {**found, "extra": extra or None}


def _copied(name: str, value: Any, levels: int = _DEEPEST) -> Any:  # noqa: ANN401 -- whatever came
    """Copy what is kept as it came, unless it is too deep for what writes or compares it later."""
    if not levels:
        broken(name, f"nested more than {_DEEPEST} levels deep")
    if value is None or value.__class__ in _PLAIN:
        return value
    if value.__class__ is dict:
        return {key: _copied(name, inner, levels - 1) for key, inner in value.items()}
    if value.__class__ is list:
        return [_copied(name, inner, levels - 1) for inner in value]
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple | list) else ():
        _copied(name, inner, levels - 1)
    return deepcopy(value)  # which takes five times as long


def _read_kind(kind: Kind, value: object) -> object:
    if isinstance(kind, One):
        return reader(kind.shape)(value)
    if isinstance(kind, Many):
        return tuple(_read_list(kind.shape, value))
    if isinstance(kind, Columns):
        return _read_columns(kind, value)
    return _read_leaf(kind, value)


def _read_columns(kind: Columns, value: object) -> object:
    try:
        return kind.fast(value)
    except UnusualError:
        return kind.gather(_read_list(kind.shape, value))


def _read_leaf(kind: Leaf, value: object) -> object:
    if isinstance(value, str) and str in kind.classes:
        return value if kind.words is None else kind.words.get(value, value)
    if isinstance(value, Mapping) and kind is OBJECT:
        return _copied("", dict(value))
    if value.__class__ in kind.classes:
        return value
    _refuse(kind.expected, value)


def _read_list(shape: type[Any], wire: object) -> list[Any]:
    if not isinstance(wire, (list, tuple)):
        _refuse("a list", wire)
    read, values = reader(shape), list[Any]()
    try:
        for item in wire:  # which may have been read as it came; the length so far is the index of a bad one
            values.append(item if item.__class__ is shape else read(item))
    except MismatchError as mismatch:
        position = f"[{len(values)}]"
        raise mismatch.within(position) from None
    return values
