"""Reads the shapes of the table ``_members`` from wire mappings.

Every shape has two readers that give equal values. The fast one is made for what the service sends a thousand times a
page: a dict with nothing unknown, null or of a wrong type. It fills the slots of a new value directly, which takes a
third of the time of the generated ``__init__`` of a frozen class. Whatever it does not expect it leaves to the careful
one, which keeps unknown members and nulls, and says where an answer is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from operator import itemgetter
from typing import Any, Final, NoReturn, TypeAlias

from rekog_emotion._members import MEMBERS, NUMBER, OBJECT, Leaf, Many, One
from rekog_emotion.analyses import ImageAnalysis, StartedJob, VideoAnalysis
from rekog_emotion.enums import LandmarkType
from rekog_emotion.models import Landmark, Landmarks, Value

__all__ = ["READERS", "MismatchError", "broken", "read_members"]

Reader: TypeAlias = Callable[[Any], Any]

_new: Final[Callable[[type], Any]] = object.__new__


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


# --- the careful way ---


def read_members(shape: type[Value], wire: object) -> dict[str, Any]:
    """Return the arguments that make a value of this shape, ``extra`` included.

    Raises:
        MismatchError: The answer has another shape.
    """
    if not isinstance(wire, Mapping):
        _refuse(OBJECT.expected, wire)
    members: dict[str, Any] = {}
    for name, attribute, kind in MEMBERS[shape]:
        value = wire.get(name)
        try:
            members[attribute] = None if value is None else _read_kind(kind, value)
        except MismatchError as mismatch:
            raise mismatch.within(name) from None
    known = {name for name, _, _ in MEMBERS[shape]}
    extra = {name: deepcopy(value) for name, value in wire.items() if value is None or name not in known}
    return {**members, "extra": extra or None}


def _read_kind(kind: Leaf | One | Many, value: object) -> object:
    if isinstance(kind, One):
        return READERS[kind.shape](value)
    if isinstance(kind, Many):
        return _LIST_READERS[kind.shape](value)
    if isinstance(value, str) and str in kind.classes:
        return value if kind.words is None else kind.words.get(value, value)
    if isinstance(value, Mapping) and kind is OBJECT:
        return deepcopy(dict(value))
    if value.__class__ in kind.classes:
        return value
    _refuse(kind.expected, value)


def _list_reader(read: Reader) -> Reader:
    def read_list(wire: object) -> tuple[Any, ...]:
        if not isinstance(wire, (list, tuple)):
            _refuse("a list", wire)
        values: list[Any] = []
        try:
            for item in wire:
                values.append(read(item))  # noqa: PERF401 -- the length so far is the index of a bad item
        except MismatchError as mismatch:
            position = f"[{len(values)}]"
            raise mismatch.within(position) from None
        return tuple(values)

    return read_list


# --- the fast way ---


def _setter(shape: type, attribute: str) -> Callable[[Any, Any], None]:
    """Return what sets a slot: frozen values refuse ``setattr``, their slot descriptors do not."""
    setter: Callable[[Any, Any], None] = getattr(shape, attribute).__set__
    return setter


class _UnusualError(Exception):
    """Something that the fast way does not read."""


def _fast_reader(shape: type[Value]) -> Reader:
    rows = [(name, _setter(shape, attribute), kind) for name, attribute, kind in MEMBERS[shape]]
    leaves = [(name, put, kind.classes) for name, put, kind in rows if isinstance(kind, Leaf) and not kind.words]
    words = [(name, put, kind.words) for name, put, kind in rows if isinstance(kind, Leaf) and kind.words]
    nested = [(name, put, READERS[kind.shape]) for name, put, kind in rows if isinstance(kind, One)]
    nested += [(name, put, _LIST_READERS[kind.shape]) for name, put, kind in rows if isinstance(kind, Many)]
    put_extra, count = _setter(shape, "_extra"), len(rows)

    def read(wire: Any) -> Any:  # noqa: ANN401 -- whatever came, to a value of the shape
        if wire.__class__ is not dict:
            raise _UnusualError
        get, value, absent = wire.get, _new(shape), 0
        for name, put, classes in leaves:
            member = get(name)
            if member.__class__ not in classes:
                raise _UnusualError
            put(value, member)
        for name, put, vocabulary in words:
            put(value, vocabulary[wire[name]])
        for name, put, read_nested in nested:
            member = get(name)
            if member is None:
                put(value, None)
                absent += 1
            else:
                put(value, read_nested(member))
        # More members than those that were found: unknown ones, or nulls.
        if len(wire) + absent != count:
            raise _UnusualError
        put_extra(value, None)
        return value

    return read


def _fast_pair_reader(shape: type[Value], one_kind: Leaf, two_kind: Leaf) -> Reader:
    """Read a shape of two leaves, which is what twenty of a face's twenty-five parts are, with the loops unrolled."""
    (one_name, one_attribute, _), (two_name, two_attribute, _) = MEMBERS[shape]
    put_one, put_two, put_extra = (_setter(shape, name) for name in (one_attribute, two_attribute, "_extra"))
    words, one_classes, two_classes = one_kind.words, one_kind.classes, two_kind.classes

    def read(wire: Any) -> Any:  # noqa: ANN401 -- whatever came, to a value of the shape
        one, two = wire[one_name], wire[two_name]
        if words:
            one = words[one]
        elif one.__class__ not in one_classes:
            raise _UnusualError
        if two.__class__ not in two_classes or len(wire) != 2:  # noqa: PLR2004 -- a pair
            raise _UnusualError
        value = _new(shape)
        put_one(value, one)
        put_two(value, two)
        put_extra(value, None)
        return value

    return read


def _reader(shape: type[Value]) -> Reader:
    match [kind for _, _, kind in MEMBERS[shape]]:
        case [Leaf() as one, Leaf() as two]:
            fast = _fast_pair_reader(shape, one, two)
        case _:
            fast = _fast_reader(shape)

    def read(wire: object) -> Any:  # noqa: ANN401 -- a value of the shape
        try:
            return fast(wire)
        except (_UnusualError, KeyError, TypeError, MismatchError):
            return shape(**read_members(shape, wire))

    return read


# --- landmarks, by column ---

_LANDMARKS: Final = {word.value: word for word in LandmarkType}
_COLUMNS: Final = itemgetter("Type", "X", "Y")
_LANDMARK_SETTERS: Final = tuple(_setter(Landmarks, name) for name in ("types", "x", "y", "_extras"))
# One tuple of types serves all faces whose landmarks come in the same order; the service has had a handful of orders.
_LAYOUTS: Final[dict[tuple[str, ...], tuple[LandmarkType, ...]]] = {}
_MAX_LAYOUTS: Final = 64


def _layout(types: tuple[str, ...]) -> tuple[LandmarkType, ...]:
    layout = tuple([_LANDMARKS[kind] for kind in types])
    return _LAYOUTS.setdefault(types, layout) if len(_LAYOUTS) < _MAX_LAYOUTS else layout


def _read_landmarks(wire: Any) -> Landmarks:  # noqa: ANN401 -- whatever came
    """Read the columns at one go where every landmark is plain, else landmark by landmark."""
    try:
        types, x, y = zip(*map(_COLUMNS, wire), strict=True)
        layout = _LAYOUTS.get(types) or _layout(types)
        plain = sum(map(len, wire)) == len(MEMBERS[Landmark]) * len(types)
    except (KeyError, TypeError, ValueError):
        plain = False
    if plain and NUMBER.classes.issuperset(map(type, x)) and NUMBER.classes.issuperset(map(type, y)):
        landmarks: Landmarks = _new(Landmarks)
        for put, column in zip(_LANDMARK_SETTERS, (layout, x, y, None), strict=True):
            put(landmarks, column)
        return landmarks
    return Landmarks.of(_list_reader(READERS[Landmark])(wire))


# Dependencies stand first in the table. Whole answers have members of ours beside the wire's: _wire reads them.
READERS: Final[dict[type[Value], Reader]] = {}
_LIST_READERS: Final[dict[type[Value], Reader]] = {}
for _shape in [shape for shape in MEMBERS if shape not in {ImageAnalysis, StartedJob, VideoAnalysis}]:
    READERS[_shape] = _reader(_shape)
    _LIST_READERS[_shape] = _read_landmarks if _shape is Landmark else _list_reader(READERS[_shape])
