"""The fast reader of values that lie in two tuples until they are touched; see ``values.base.Compact``.

One has the numbers of a value, packed where all are floats; the other has the rest. Both are plain, so that Python's
garbage collector does not walk them. What is told about them, their layout, is shared by all values of one kind: the
same members in the same order, lists of the same length, landmarks in the same order. Whatever is not as the service
sends it (a null, an unknown member or word, a number of another type) is left to the careful reader by an
:class:`UnusualError`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise, starmap
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from rekog_emotion.wire.binding import Binding, UnusualError, new, setter
from rekog_emotion.wire.kinds import BOOLEAN, INTEGER, NUMBER, Columns, Leaf, Many, Member, One, members

__all__ = ["Layout", "compact_reader"]

_MOST: Final = 64  # plans, and layouts of each, that are remembered: the service has had a handful
_LONGEST: Final = 64  # items of a list; the service has 8 emotions and 30 landmarks
_BOTH: Final = "numbers, others"

Read: TypeAlias = Callable[[Any], Any]
Part: TypeAlias = Callable[[Sequence[float], tuple[Any, ...]], Any]


class Layout:
    """What is told about the two tuples of values of one kind.

    Attributes:
        parts: By attribute, what makes it of the two tuples; an attribute that is not here is ``None``.
        leaves: By path, such as ``bounding_box.left`` or ``landmarks.nose.x``, the Python that reads a leaf, such as
            ``numbers[2]``.
        lists: By attribute of a list of values, where its words lie in ``others`` and its numbers in ``numbers``.
    """

    __slots__ = ("leaves", "lists", "parts")

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.leaves: dict[str, str] = {}
        self.lists: dict[str, tuple[slice, slice]] = {}


def compact_reader(shape: type[Any]) -> Read:
    """Return the fast reader of a shape with slots for its layout and its two tuples.

    It raises :class:`UnusualError`, ``KeyError`` or ``TypeError`` of what it does not read.
    """
    plans: dict[tuple[str, ...], Read] = {}

    def planned(names: tuple[str, ...]) -> Read:
        if len(plans) >= _MOST:
            plans.clear()
        return plans.setdefault(names, _Plan(shape, names).reader())

    def read(wire: Any) -> Any:  # noqa: ANN401 -- whatever came
        if wire.__class__ is not dict:
            raise UnusualError
        names = tuple(wire)
        return (plans.get(names) or planned(names))(wire)

    return read


class _List(NamedTuple):
    """A member that is a list of items with one word and some numbers each."""

    source: str
    attribute: str
    kind: Many | Columns
    word: Member
    words: dict[str, Any]
    numbers: list[Member]


class _Plan:
    """How values that have these members, in this order, are read.

    Args:
        shape: The class.
        names: What the dict has.
    """

    def __init__(self, shape: type[Any], names: tuple[str, ...]) -> None:
        table = {member.name: member for member in members(shape)}
        if not table.keys() >= set(names):
            raise UnusualError
        self._shape = shape
        self._held = [table[name] for name in names]
        self._layouts: dict[tuple[Any, ...], Layout] = {}
        # By path, the Python that takes a leaf out of the dict.
        self._numbers, self._flags, self._integers, self._words = (dict[str, str]() for _ in range(4))
        self._bind = Binding()
        self._wrong: list[str] = []
        self._lists: list[_List] = []
        for i, (_, attribute, kind) in enumerate(self._held):
            source = f"part{i}"
            if isinstance(kind, Leaf):
                self._take(attribute, source, kind)
            elif isinstance(kind, One):
                self._wrong.append(f"len({source}) != {len(members(kind.shape))}")
                for name, leaf, inner in _leaves(kind.shape):
                    self._take(f"{attribute}.{leaf}", f"{source}[{name!r}]", inner)
            else:
                self._lists.append(_list(source, attribute, kind))

    def _take(self, path: str, source: str, kind: Leaf) -> None:
        if kind.words is None:
            {NUMBER: self._numbers, BOOLEAN: self._flags, INTEGER: self._integers}[kind][path] = source
        else:
            self._words[path] = f"{self._bind(_plain(kind.words))}[{source}]"

    def reader(self) -> Read:
        """Write the reader in one piece: calls and loops would cost as much as all the rest."""
        bind, wrong = self._bind, list(self._wrong)
        numbers, others, key = [*self._numbers.values()], ["*flags", "*integers", *self._words.values()], list[str]()
        for one in self._lists:
            each = {leaf.name: f"map({bind(itemgetter(leaf.name))}, {one.source})" for leaf in (one.word, *one.numbers)}
            wrong += [
                f"{one.source}.__class__ is not list",
                f"sum(map(len, {one.source})) != {len(each)} * len({one.source})",
            ]
            if isinstance(one.kind, Columns):
                key.append(f"tuple({each[one.word.name]})")
            else:
                key.append(f"len({one.source})")
                others.append(f"*map({bind(_plain(one.words).__getitem__)}, {each[one.word.name]})")
            numbers += [f"*{each[leaf.name]}" for leaf in one.numbers]
        unusual = f"raise {bind(UnusualError)}"
        mixed = [
            f"not {bind(kind.classes.issuperset)}(map(type, {name}))"
            for name, kind in (("flags", BOOLEAN), ("integers", INTEGER))
        ]
        lines = [
            *(f"part{i} = wire[{name!r}]" for i, (name, _, _) in enumerate(self._held)),
            f"if {' or '.join([*wrong, 'False'])}: {unusual}",
            f"numbers = {_tuple(numbers)}",
            f"flags = {_tuple(self._flags.values())}",
            f"integers = {_tuple(self._integers.values())}",
            f"if {' or '.join(mixed)}: {unusual}",
            f"if {bind(frozenset({float}).issuperset)}(map(type, numbers)): numbers = {bind(array)}('d', numbers)",
            f"elif not {bind(NUMBER.classes.issuperset)}(map(type, numbers)): {unusual}",
            f"key = {_tuple(key)}",
            f"layout = {bind(self._layouts.get)}(key) or {bind(self._lay_out)}(key)",
            f"value = {bind(new)}({bind(self._shape)})",
            *(
                f"{bind(setter(self._shape, slot))}(value, {held})"
                for slot, held in (("_layout", "layout"), ("_numbers", "numbers"), ("_others", _tuple(others)))
            ),
            f"{bind(setter(self._shape, '_extra'))}(value, None)",
            "return value",
        ]
        return bind.compiled("wire", lines, about=f"reader of {self._shape.__name__}")

    def _lay_out(self, key: tuple[Any, ...]) -> Layout:
        """Lay out lists of these lengths, and columns of these words."""
        if len(self._layouts) >= _MOST:
            self._layouts.clear()  # values keep theirs
        layout = Layout()
        others = [*self._flags, *self._integers, *self._words]
        layout.leaves = {path: f"numbers[{i}]" for i, path in enumerate(self._numbers)}
        layout.leaves |= {path: f"others[{i}]" for i, path in enumerate(others)}
        for _, attribute, kind in self._held:
            if isinstance(kind, (Leaf, One)):
                layout.parts[attribute] = _part(attribute, kind, layout.leaves)
        number, other = len(self._numbers), len(others)
        for one, said in zip(self._lists, key, strict=True):
            length = len(said) if isinstance(one.kind, Columns) else said
            if length > _LONGEST:
                raise UnusualError
            ends = [number + length * j for j in range(len(one.numbers) + 1)]
            if isinstance(one.kind, Columns):
                types = tuple([one.words[word] for word in said])
                layout.parts[one.attribute] = _columns_part(one.kind, types, ends)
                # The first of two of one type counts.
                layout.leaves |= {
                    f"{one.attribute}.{types[i]}.{leaf.attribute}": f"numbers[{ends[j] + i}]"
                    for i in reversed(range(length))
                    for j, leaf in enumerate(one.numbers)
                }
            else:
                layout.parts[one.attribute] = _many_part(one, other, ends)
                layout.lists[one.attribute] = slice(other, other + length), slice(number, ends[-1])
                other += length
            number = ends[-1]
        return self._layouts.setdefault(key, layout)


def _leaves(shape: type[Any]) -> list[tuple[str, str, Leaf]]:
    """Return the members of a shape that has no parts itself."""
    return [(name, attribute, kind) for name, attribute, kind in members(shape) if isinstance(kind, Leaf)]


def _list(source: str, attribute: str, kind: Many | Columns) -> _List:
    """Tell the word from the numbers."""
    numbers = [leaf for leaf in members(kind.shape) if leaf.kind is NUMBER]
    (word,) = [leaf for leaf in members(kind.shape) if leaf.kind is not NUMBER]
    words = next(dict(kind.words or {}) for _, _, kind in _leaves(kind.shape) if kind is not NUMBER)
    return _List(source, attribute, kind, word, words, numbers)


def _plain(words: Iterable[str]) -> dict[str, str]:
    """Return one text for all of a word, which is no object of an enum: those the collector walks."""
    return {word: word for word in words}


def _tuple(items: Iterable[str]) -> str:
    return f"({''.join(f'{item}, ' for item in items)})"


# --- parts ---


def _making(bind: Binding, value: str, shape: type[Any], leaves: dict[str, str]) -> Iterator[str]:
    """Yield the lines that make a value of leaves: the Python for each, by attribute."""
    yield f"{value} = {bind(new)}({bind(shape)})"
    for _, attribute, kind in _leaves(shape):
        read = leaves[attribute] if kind.words is None else f"{bind(kind.words)}[{leaves[attribute]}]"
        yield f"{bind(setter(shape, attribute))}({value}, {read})"
    yield f"{bind(setter(shape, '_extra'))}({value}, None)"


def _part(attribute: str, kind: Leaf | One, leaves: dict[str, str]) -> Part:
    bind = Binding()
    if isinstance(kind, Leaf):
        return bind.compiled(_BOTH, [f"return {leaves[attribute]}"], about=attribute)
    inner = {leaf.attribute: leaves[f"{attribute}.{leaf.attribute}"] for leaf in members(kind.shape)}
    return bind.compiled(_BOTH, [*_making(bind, "value", kind.shape, inner), "return value"], about=attribute)


def _many_part(one: _List, other: int, ends: list[int]) -> Part:
    bind, lines, length = Binding(), list[str](), ends[1] - ends[0]
    for i in range(length):
        leaves = {leaf.attribute: f"numbers[{ends[j] + i}]" for j, leaf in enumerate(one.numbers)}
        leaves[one.word.attribute] = f"others[{other + i}]"
        lines += _making(bind, f"value{i}", one.kind.shape, leaves)
    return bind.compiled(_BOTH, [*lines, f"return {_tuple(f'value{i}' for i in range(length))}"], about=one.attribute)


def _columns_part(kind: Columns, types: tuple[Any, ...], ends: list[int]) -> Part:
    cuts = list(starmap(slice, pairwise(ends)))
    return lambda numbers, _: kind.build(types, *[tuple(numbers[cut]) for cut in cuts])
