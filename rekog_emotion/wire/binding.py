"""What readers that are written as Python and compiled are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

__all__ = ["Binding", "UnusualError", "indented", "new", "setter"]

new: Final[Callable[[type], Any]] = object.__new__


class UnusualError(Exception):
    """Something that a fast reader does not read."""


def setter(shape: type, attribute: str) -> Callable[[Any, Any], None]:
    """Return what sets a slot: frozen values refuse ``setattr``, their slot descriptors do not."""
    put: Callable[[Any, Any], None] = getattr(shape, attribute).__set__
    return put


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines one level further in."""
    return (f"    {line}" for line in lines)


class Binding:
    """The objects that a piece of Python refers to, each by a name of its own."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {}

    def __call__(self, thing: object) -> str:
        """Return the name by which the lines can use an object."""
        name = f"_{len(self._names)}"
        self._names[name] = thing
        return name

    def compiled(self, arguments: str, lines: Iterable[str], *, about: str) -> Callable[..., Any]:
        """Compile lines to a function: calls and loops would cost as much as all the rest.

        Args:
            arguments: Of the function.
            lines: Its body.
            about: What tracebacks call it.
        """
        source = "\n".join([f"def made({arguments}):", *indented(lines)])
        names = dict(self._names)
        exec(compile(source, f"<{about}>", "exec"), names)  # noqa: S102 -- made of our own table alone
        made: Callable[..., Any] = names["made"]
        return made
