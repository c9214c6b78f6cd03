"""What every value has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Self, TypeVar, cast

from attrs import AttrsInstance, field, fields, frozen, resolve_types

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.wire.binding import new, setter
from rekog_emotion.wire.compact import Layout

__all__ = ["Compact", "Value", "made_when_touched", "tuples_of"]

T = TypeVar("T")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def short(digits: int) -> Any:  # noqa: ANN401 -- attrs types its repr hook as Any callable
    """Return a repr for numbers that rounds: a face has 150 of them, and sixteen digits each hide the picture."""

    def shortened(number: float | None) -> str:
        if number is None:
            return "None"
        try:
            # Zero is added to lose the sign of a zero that was a small negative number.
            return f"{round(number, digits) + 0:.{digits}f}"
        except OverflowError:  # an integer of over 300 digits
            return "inf" if number > 0 else "-inf"

    return shortened


_RATIO = short(3)
_DEGREES = short(1)
_PERCENT = short(1)


def known_size(size: tuple[int, int] | None) -> tuple[int, int]:
    """Return the size of a picture, if it is known."""
    if size is None:
        msg = "the picture's size is not known, as it is in S3: pass its width and height as a viewer shows it"
        raise InvalidInputError(msg)
    return size


@frozen(kw_only=True)
class Value:
    """Base of all values: keeps the members that this version of the library does not know."""

    # A dict or None, never a shared or empty one: it pickles, and costs nothing where nothing is unknown.
    _extra: dict[str, Any] | None = field(default=None, repr=False, hash=False, eq=lambda extra: extra or None)

    @property
    def extra(self) -> Mapping[str, Any]:
        """Unknown members by their wire name, and known ones that came as null as ``{Name: None}``."""
        return _NOTHING if self._extra is None else MappingProxyType(self._extra)


resolve_types(Value)  # here are the names of its annotation, which subclasses in other rooms inherit


class Compact(Value):
    """Base of values that have many parts: as they came from the service they lie in two tuples.

    The parts are made when they are touched, anew each time, so that there is no state that a thread could see half
    made. What was built part by part, by its class or ``attrs.evolve``, holds the parts itself.
    """

    __slots__ = ("_layout", "_numbers", "_others")

    _layout: Layout | None
    _numbers: Sequence[float]
    _others: tuple[Any, ...]

    def __new__(cls, *_: object, **__: object) -> Self:
        """Make a value that holds its parts itself."""
        value = new(cls)
        _put_layout(value, None)
        return cast("Self", value)


_put_layout: Final = setter(Compact, "_layout")
_layout_of, _numbers_of, _others_of = (getattr(Compact, slot).__get__ for slot in Compact.__slots__)


class _Part:
    """A member of a compact value, in front of the slot that holds it in others."""

    def __init__(self, slot: Any, attribute: str) -> None:  # noqa: ANN401 -- a slot's descriptor has no type
        self._get, self._set, self._attribute = slot.__get__, slot.__set__, attribute

    def __get__(self, value: object, owner: type | None = None) -> Any:  # noqa: ANN401 -- any member
        """Return what the slot holds, or make it."""
        if value is None:
            return self
        layout = _layout_of(value)
        if layout is None:
            return self._get(value)
        part = layout.parts.get(self._attribute)
        return None if part is None else part(_numbers_of(value), _others_of(value))

    def __set__(self, value: object, member: object) -> None:
        """Fill the slot, as the class does when it makes a value of parts."""
        self._set(value, member)


def tuples_of(value: Compact) -> tuple[Layout | None, Sequence[float], tuple[Any, ...]]:
    """Return the layout of a value and its two tuples; no layout, and empty ones, where it holds its parts itself."""
    layout = _layout_of(value)
    return (None, (), ()) if layout is None else (layout, _numbers_of(value), _others_of(value))


def made_when_touched(shape: type[T]) -> type[T]:
    """Let the members of a compact class be made when they are touched."""
    for field_ in fields(cast("type[AttrsInstance]", shape)):
        if field_.name != "_extra":
            setattr(shape, field_.name, _Part(getattr(shape, field_.name), field_.name))
    return shape
