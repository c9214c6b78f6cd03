"""Requests held against botocore's model of the service; errors in the words of the framework behind it.

The framework drops members that it does not know and members that are null, refuses what is of another type as a
``SerializationException``, and lists up to ten broken constraints in one ``ValidationException``. The latter is known
from Rekognition (``Value 'java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]' at 'image.bytes' failed to satisfy constraint:
Member must have length greater than or equal to 1``); the texts of the former are those of other services that share
the framework.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, Final

from botocore.model import ListShape, Shape, StringShape, StructureShape

from rekog_emotion.server.protocol import RefusedError, refusal, serialization_error

__all__ = ["parsed"]

_INVALID: Final = "ValidationException"
_MOST_VIOLATIONS: Final = 10
# A body is one text for the most part; millions of members would hold up all others while Python makes objects of them.
_MOST_COMMAS: Final = 10_000
_LONGEST_QUOTE: Final = 1024
_NUMBER: Final = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber"


def parsed(body: bytes | bytearray, shape: StructureShape) -> dict[str, Any]:
    """Return the parameters of a request, as boto3's methods take them.

    Args:
        body: JSON as it came.
        shape: The model of the operation's request.

    Raises:
        RefusedError: It is no JSON, or not what the model says.
    """
    if body.count(b",") > _MOST_COMMAS:
        raise serialization_error(None)
    try:
        content = _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        raise serialization_error(None) from None
    if content is None:
        raise serialization_error(None)
    request: dict[str, Any] = _converted(content, shape)
    violations = list(islice(_violations(request, shape, ""), _MOST_VIOLATIONS))
    if violations:
        count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected"
        raise refusal(_INVALID, f"{count}: {'; '.join(violations)}")
    return request


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python takes for JSON."""
    raise ValueError(name)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


# Types


def _converted(value: Any, shape: Shape) -> Any:  # noqa: ANN401 -- any JSON
    """Return a value as its shape wants it, without what is unknown or null; ``None`` stays."""
    if value is None:
        return None
    if isinstance(shape, StructureShape):
        return _structure(value, shape)
    if isinstance(shape, ListShape):
        if isinstance(value, list):
            return [_converted(member, shape.member) for member in value]
        raise serialization_error(_UNEXPECTED_MAP if isinstance(value, dict) else "Expected list or null")
    match value:
        case list():
            raise serialization_error(_UNEXPECTED_LIST)
        case dict():
            raise serialization_error(_UNEXPECTED_MAP)
        case str() if not value.isascii():
            _refuse_half_characters(value)
    return {"blob": _blob, "integer": _integer, "string": _string}[shape.type_name](value)


# The service quotes the text; an image does not belong into a message.
_NOT_BASE64: Final = "The text can not be converted to a Blob: it is not Base64"
_UNEXPECTED_LIST: Final = "Start of list found where not expected"
_UNEXPECTED_MAP: Final = "Start of structure or map found where not expected."


def _structure(value: Any, shape: StructureShape) -> dict[str, Any]:  # noqa: ANN401 -- any JSON
    if not isinstance(value, dict):
        raise serialization_error(_UNEXPECTED_LIST if isinstance(value, list) else "Expected null")
    known = {name: _converted(value.get(name), member) for name, member in shape.members.items()}
    return {name: member for name, member in known.items() if member is not None}


def _blob(value: str | float) -> bytes:
    if not isinstance(value, str):
        raise _inconvertible(value, "a Blob")
    try:
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise serialization_error(_NOT_BASE64) from None


def _integer(value: str | float) -> int:
    if isinstance(value, (bool, str)) or (isinstance(value, float) and not math.isfinite(value)):
        raise _inconvertible(value, "an Integer")
    return int(value)


def _string(value: str | float) -> str:
    if not isinstance(value, str):
        raise _inconvertible(value, "an String")
    return value


def _refuse_half_characters(text: str) -> None:
    """Refuse surrogates without their other half, which no file name or header can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise serialization_error(None) from None


def _inconvertible(value: str | float, to: str) -> RefusedError:
    known = {bool: "class java.lang.Boolean", str: "class java.lang.String"}
    return serialization_error(f"{known.get(type(value), _NUMBER)} can not be converted to {to}")


# Constraints


def _violations(value: Any, shape: Shape, path: str) -> Iterator[str]:  # noqa: ANN401 -- what the shape says
    """Give the constraints that a value breaks, in the service's words."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            # The framework names members as Java does.
            where = f"{path}.{name[0].lower()}{name[1:]}".removeprefix(".")
            if name in value:
                yield from _violations(value[name], member, where)
            elif name in shape.required_members:
                yield _violation("null", where, "Member must not be null")
    elif isinstance(shape, ListShape):
        broken = {rule for member in value for rule in _broken(member, shape.member)}
        if broken:
            yield _violation(
                f"'{_shown(value)}'", path, f"Member must satisfy constraint: [{', '.join(sorted(broken))}]"
            )
    else:
        for rule in _broken(value, shape):
            yield _violation(f"'{_shown(value)}'", path, rule)


def _violation(value: str, path: str, rule: str) -> str:
    return f"Value {value} at '{path}' failed to satisfy constraint: {rule}"


def _broken(value: Any, shape: Shape) -> Iterator[str]:  # noqa: ANN401 -- what the shape says
    """Give what a text, number or blob must satisfy and does not."""
    if value is None:
        yield "Member must not be null"
        return
    limits = shape.metadata
    measure, size = ("value", value) if isinstance(value, int) else ("length", len(value))
    if size < limits.get("min", size):
        yield f"Member must have {measure} greater than or equal to {limits['min']}"
    if size > limits.get("max", size):
        yield f"Member must have {measure} less than or equal to {limits['max']}"
    if "pattern" in limits and not _compiled(limits["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {limits['pattern']}"
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def _shown(value: Any) -> str:  # noqa: ANN401 -- what the shape says
    if isinstance(value, bytes):
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    text = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."
