"""The fast reader of a shape, for what the service sends a thousand times a page.

It takes a dict with nothing unknown, null or of a wrong type, and leaves whatever else there may be to the careful one
by an :class:`UnusualError`. It fills the slots of a new value directly, which takes a third of the time of the
generated ``__init__`` of a frozen class; like that ``__init__``, it is written from the table and compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from rekog_emotion.wire.binding import Binding, UnusualError, indented, new, setter
from rekog_emotion.wire.compact import compact_reader
from rekog_emotion.wire.kinds import Leaf, One, members

__all__ = ["Reader", "compile_reader"]

Reader: TypeAlias = Callable[[Any], Any]


def _is_compact(shape: type[Any]) -> bool:
    return hasattr(shape, "_layout")


def _lines(shape: type[Any], bind: Binding, depth: int = 0) -> Iterator[str]:
    """Yield the lines of Python that make ``value0`` of ``wire0``, ``value1`` of ``wire1`` within it, and so on.

    Shapes with lists are none of these: a face is compact, and the answers, of which there are few, are read carefully.

    Args:
        shape: The shape.
        bind: Gives the name by which the lines can use an object.
        depth: How far inside.
    """
    wire, value, part, inner = f"wire{depth}", f"value{depth}", f"wire{depth + 1}", f"value{depth + 1}"
    if _is_compact(shape):
        yield f"{value} = {bind(compact_reader(shape))}({wire})"
        return
    unusual = f"raise {bind(UnusualError)}"
    plain = all(isinstance(kind, Leaf) for _, _, kind in members(shape))
    if not plain:
        yield f"if {wire}.__class__ is not dict: {unusual}"
        yield f"absent{depth} = 0"
    yield f"{value} = {bind(new)}({bind(shape)})"
    for name, attribute, kind in members(shape):
        put = f"{bind(setter(shape, attribute))}({value}, {{}})".format
        if isinstance(kind, Leaf):
            yield f"leaf = {wire}[{name!r}]"
            if kind.words is None:
                other = " and ".join(
                    f"leaf.__class__ is not {bind(wanted)}" for wanted in sorted(kind.classes, key=str)
                )
                yield f"if {other}: {unusual}"
            yield put("leaf" if kind.words is None else f"{bind(kind.words)}[leaf]")
        if isinstance(kind, One):
            yield f"{part} = {wire}.get({name!r})"
            yield f"if {part} is None: absent{depth} += 1; {put(None)}"
            yield "else:"
            yield from indented([*_lines(kind.shape, bind, depth + 1), put(inner)])
    # More members than those that were found: unknown ones, or nulls.
    found = f"len({wire})" if plain else f"len({wire}) + absent{depth}"
    yield f"if {found} != {len(members(shape))}: {unusual}"
    yield f"{bind(setter(shape, '_extra'))}({value}, None)"


def compile_reader(shape: type[Any]) -> Reader:
    """Write the fast reader of a shape in one piece: calls and loops would cost as much as all the rest.

    What it gives raises :class:`UnusualError`, ``KeyError`` or ``TypeError`` of what it does not read.
    """
    bind = Binding()
    return bind.compiled("wire0", [*_lines(shape, bind), "return value0"], about=f"reader of {shape.__name__}")
