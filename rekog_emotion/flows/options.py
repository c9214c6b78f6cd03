"""Options that stand once, and that every verb shows: in ``help()``, editors, ``inspect`` and the reference.

A verb is ``def start_video(source, **options: Unpack[StartVideoOptions])``, by which type checkers know names and
types. :func:`spelled_out` gives it the signature, the defaults and the docstring of one that has them written out.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, ForwardRef, TypeVar, cast

from attrs import NOTHING, fields

__all__ = ["described", "part", "spelled_out"]

F = TypeVar("F", bound=Callable[..., Any])
D = TypeVar("D")

# What is said of each option, by the module of its kind and its name.
_DESCRIPTIONS: dict[str, dict[str, str]] = {}


def described(options: type[D]) -> type[D]:
    """Take down what the docstring of some options says of each, for the docstrings of the verbs."""
    entries = inspect.cleandoc(options.__doc__ or "").partition("\nAttributes:\n")[2]
    known = _DESCRIPTIONS.setdefault(options.__module__, {})
    known.update(re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", entries, re.MULTILINE))
    return options


def part(options: Mapping[str, Any], kind: type[D]) -> D:
    """Return those of the options that belong to a kind."""
    return cast("D", {name: options[name] for name in kind.__annotations__ if name in options})


def spelled_out(kind: type[object], *, defaults: type[object]) -> Callable[[F], F]:
    """Let a function that takes ``**options`` look and behave as if it named each of them.

    It is called with all of them: those that were left out have their defaults.

    Args:
        kind: The ``TypedDict`` of the options.
        defaults: An attrs class that has the defaults; of an option that it does not know, ``None``.
    """
    known = {one.name: one.default for one in fields(defaults) if one.default is not NOTHING}  # type: ignore[arg-type]  # any attrs class
    standing = {name: known.get(name) for name in kind.__annotations__}
    said = {**_DESCRIPTIONS.get(defaults.__module__, {}), **_DESCRIPTIONS.get(kind.__module__, {})}

    def spell(function: F) -> F:
        def whole(given: Mapping[str, Any]) -> dict[str, Any]:
            for name in given:
                if name not in standing and name not in own:
                    msg = f"{function.__qualname__}() got an unexpected keyword argument {name!r}"
                    raise TypeError(msg)
            return {**standing, **given}

        def blocking(*arguments: Any, **given: Any) -> Any:  # noqa: ANN401 -- those of the function
            return function(*arguments, **whole(given))

        async def awaited(*arguments: Any, **given: Any) -> Any:  # noqa: ANN401 -- likewise
            return await function(*arguments, **whole(given))

        verb = functools.wraps(function)(awaited if inspect.iscoroutinefunction(function) else blocking)

        signature = inspect.signature(function)
        *first, _ = signature.parameters.values()
        own = {one.name for one in first}
        named = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_type(kind, name))
            for name, default in standing.items()
        ]
        verb.__signature__ = signature.replace(parameters=[*first, *named])  # type: ignore[attr-defined]  # functions may
        verb.__doc__ = _document(function.__doc__, {name: said.get(name, "") for name in standing})
        return cast("F", verb)

    return spell


def _type(kind: type[object], name: str) -> object:
    """Return the annotation of an option as it is written."""
    annotation = kind.__annotations__[name]
    return annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation


def _document(text: str | None, said: Mapping[str, str]) -> str | None:
    """Return a docstring with what is said of each option in place of its line for all; none under ``python -OO``."""
    if text is None:
        return None
    entries = "\n".join(f"    {name}: {what}" for name, what in said.items())
    return re.sub(r"^ +\*\*options: .*$", lambda _: entries, inspect.cleandoc(text), flags=re.MULTILINE)
