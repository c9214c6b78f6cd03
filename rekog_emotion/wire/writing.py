"""Values to the service's JSON."""

from __future__ import annotations

from copy import deepcopy
from enum import StrEnum
from typing import Any

from rekog_emotion.wire.kinds import OBJECT, Kind, Leaf, One, members

__all__ = ["write_shape"]


def write_shape(value: Any, *, without: str | None = None) -> dict[str, Any]:  # noqa: ANN401 -- any value
    """Return the wire form of a value: dicts, lists and plain strings, numbers and booleans.

    Args:
        value: An instance of a class whose fields say their wire names.
        without: A member that is not written, though there is one.
    """
    held = ((name, kind, getattr(value, attribute)) for name, attribute, kind in members(type(value)))
    known = {name: _write(kind, member) for name, kind, member in held if member is not None and name != without}
    return deepcopy(dict(value.extra)) | known if value.extra else known


def _write(kind: Kind, member: Any) -> Any:  # noqa: ANN401 -- a value, several, or a leaf
    if isinstance(kind, Leaf):
        return member.value if isinstance(member, StrEnum) else deepcopy(member) if kind is OBJECT else member
    return write_shape(member) if isinstance(kind, One) else [write_shape(item) for item in member]
