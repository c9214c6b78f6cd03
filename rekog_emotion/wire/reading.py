"""Reads the shapes of the table ``_members`` from wire mappings.

Every shape has two readers that give equal values. The fast one is made for what the service sends a thousand times a
page: a dict with nothing unknown, null or of a wrong type. It fills the slots of a new value directly, which takes a
third of the time of the generated ``__init__`` of a frozen class; like that ``__init__``, it is written from the table
and compiled. Whatever it does not expect it leaves to the careful one, which keeps unknown members and nulls, and says
where an answer is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from functools import cache, partial
from operator import itemgetter
from typing import Any, Final, NoReturn, TypeAlias

from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.base import Value
from rekog_emotion.values.landmarks import Landmark, Landmarks
from rekog_emotion.values.videos import StartedJob
from rekog_emotion.values.words import LandmarkType
from rekog_emotion.wire.kinds import MEMBERS, NUMBER, OBJECT, Leaf, Many, One

__all__ = ["READERS", "MismatchError", "broken", "read_members"]

Reader: TypeAlias = Callable[[Any], Any]
_Put: TypeAlias = Callable[[Any, Any], None]

_new: Final[Callable[[type], Any]] = object.__new__

_DEEPEST: Final = 100  # of what is unknown; the service's own members go six levels deep


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
    extra = {name: _copied(name, value) for name, value in wire.items() if value is None or name not in known}
    return {**members, "extra": extra or None}


def _copied(name: str, value: object) -> object:
    """Copy what is kept as it came, unless it is too deep for what writes or compares it later."""
    layer = [value]
    for _ in range(_DEEPEST):
        layer = [inner for outer in layer for inner in _content(outer)]
        if not layer:
            return deepcopy(value)
    broken(name, f"nested more than {_DEEPEST} levels deep")


def _content(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, (list, tuple)) else ()


def _read_kind(kind: Leaf | One | Many, value: object) -> object:
    if isinstance(kind, One):
        return READERS[kind.shape](value)
    if isinstance(kind, Many):
        return _LIST_READERS[kind.shape](value)
    if isinstance(value, str) and str in kind.classes:
        return value if kind.words is None else kind.words.get(value, value)
    if isinstance(value, Mapping) and kind is OBJECT:
        return _copied("", dict(value))
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


def _setter(shape: type, attribute: str) -> _Put:
    """Return what sets a slot: frozen values refuse ``setattr``, their slot descriptors do not."""
    setter: _Put = getattr(shape, attribute).__set__
    return setter


class _UnusualError(Exception):
    """Something that the fast way does not read."""


def _lines(shape: type[Value], bind: Callable[[object], str], depth: int = 0) -> Iterator[str]:
    """Yield the lines of Python that make ``value0`` of ``wire0``, ``value1`` of ``wire1`` within it, and so on.

    Args:
        shape: The shape.
        bind: Gives the name by which the lines can use an object.
        depth: How far inside.
    """
    wire, value, part, inner = f"wire{depth}", f"value{depth}", f"wire{depth + 1}", f"value{depth + 1}"
    unusual = f"raise {bind(_UnusualError)}"
    plain = all(isinstance(kind, Leaf) for _, _, kind in MEMBERS[shape])
    if not plain:
        yield f"if {wire}.__class__ is not dict: {unusual}"
        yield f"absent{depth} = 0"
    yield f"{value} = {bind(_new)}({bind(shape)})"
    for name, attribute, kind in MEMBERS[shape]:
        put = f"{bind(_setter(shape, attribute))}({value}, {{}})".format
        if isinstance(kind, Leaf):
            yield f"leaf = {wire}[{name!r}]"
            if kind.words is None:
                other = " and ".join(
                    f"leaf.__class__ is not {bind(wanted)}" for wanted in sorted(kind.classes, key=str)
                )
                yield f"if {other}: {unusual}"
            yield put("leaf" if kind.words is None else f"{bind(kind.words)}[leaf]")
            continue
        yield f"{part} = {wire}.get({name!r})"
        yield f"if {part} is None: absent{depth} += 1; {put(None)}"
        yield "else:"
        if isinstance(kind, One):
            yield from _indented([*_lines(kind.shape, bind, depth + 1), put(inner)])
        elif kind.shape is Landmark:
            yield from _indented([put(f"{bind(_read_landmarks)}({part})")])
        else:
            each = [*_lines(kind.shape, bind, depth + 1), f"many{depth}.append({inner})"]
            opening = [f"if {part}.__class__ is not list: {unusual}", f"many{depth} = []", f"for {part} in {part}:"]
            yield from _indented([*opening, *_indented(each), put(f"tuple(many{depth})")])
    # More members than those that were found: unknown ones, or nulls.
    found = f"len({wire})" if plain else f"len({wire}) + absent{depth}"
    yield f"if {found} != {len(MEMBERS[shape])}: {unusual}"
    yield f"{bind(_setter(shape, '_extra'))}({value}, None)"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _compile(shape: type[Value]) -> Reader:
    """Write the fast reader of a shape in one piece: calls and loops would cost as much as all the rest."""
    names: dict[str, Any] = {}

    def bind(thing: object) -> str:
        name = f"_{len(names)}"
        names[name] = thing
        return name

    body = [*_lines(shape, bind), "return value0"]
    source = "\n".join(["def read(wire0):", *_indented(body)])
    exec(compile(source, f"<reader of {shape.__name__}>", "exec"), names)  # noqa: S102 -- made of our own table alone
    read: Reader = names["read"]
    return read


def _reader(shape: type[Value]) -> Reader:
    fast = cache(partial(_compile, shape))  # compiled when it is first used: it takes some milliseconds

    def read(wire: object) -> Any:  # noqa: ANN401 -- a value of the shape
        try:
            return fast()(wire)
        except (_UnusualError, KeyError, TypeError, MismatchError):
            return shape(**read_members(shape, wire))

    return read


# --- landmarks, by column ---

_LANDMARKS: Final = {word.value: word for word in LandmarkType}
_TYPE, _X, _Y = map(itemgetter, ("Type", "X", "Y"))
_PUT_TYPES, _PUT_X, _PUT_Y, _PUT_EXTRAS = (_setter(Landmarks, name) for name in ("types", "x", "y", "_extras"))
# One tuple of types serves all faces whose landmarks come in the same order; the service has had a handful of orders.
_LAYOUTS: Final[dict[tuple[str, ...], tuple[LandmarkType, ...]]] = {}
_MAX_LAYOUTS: Final = 64


def _layout(types: tuple[str, ...]) -> tuple[LandmarkType, ...]:
    layout = tuple([_LANDMARKS[kind] for kind in types])
    return _LAYOUTS.setdefault(types, layout) if len(_LAYOUTS) < _MAX_LAYOUTS else layout


def _read_landmarks(wire: Any) -> Landmarks:  # noqa: ANN401 -- whatever came
    """Read the columns at one go where every landmark is plain, else landmark by landmark."""
    try:
        types, x, y = tuple(map(_TYPE, wire)), tuple(map(_X, wire)), tuple(map(_Y, wire))
        layout = _LAYOUTS.get(types) or _layout(types)
        plain = wire.__class__ is list and sum(map(len, wire)) == 3 * len(types)
    except (KeyError, TypeError):
        plain = False
    if plain and NUMBER.classes.issuperset(map(type, x)) and NUMBER.classes.issuperset(map(type, y)):
        landmarks: Landmarks = _new(Landmarks)
        _PUT_TYPES(landmarks, layout)
        _PUT_X(landmarks, x)
        _PUT_Y(landmarks, y)
        _PUT_EXTRAS(landmarks, None)
        return landmarks
    return Landmarks.of(_list_reader(READERS[Landmark])(wire))


# Whole answers have members of ours beside the wire's: _wire reads them.
READERS: Final = {shape: _reader(shape) for shape in MEMBERS if shape not in {ImageAnalysis, StartedJob, VideoAnalysis}}
_LIST_READERS: Final = {shape: _list_reader(read) for shape, read in READERS.items()} | {Landmark: _read_landmarks}
