"""The one format of results: a whole, versioned document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from rekog_emotion.errors import InvalidInputError

__all__ = ["FORMAT", "VERSION"]


FORMAT: Final = "rekog-emotion"


VERSION: Final = 1


_NO_VIDEO: Final = object()


def _video_of(numbered: tuple[int, Any]) -> tuple[object, object]:
    _, document = numbered
    if isinstance(document, dict) and "Timestamp" in document and "Face" in document:
        return document.get("source"), document.get("engine")
    return _NO_VIDEO, None


def _face(document: dict[str, Any]) -> dict[str, Any]:
    return {name: member for name, member in document.items() if name not in {"source", "engine"}}


def _documents(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                msg = f"line {number} is no JSON: {error}"
                raise InvalidInputError(msg) from error


def _size(size: object) -> tuple[int, int] | None:
    match size:
        case None:
            return None
        case [int(width), int(height)]:
            return width, height
        case _:
            msg = f"no analysis: size is {size!r}, and should be width and height in pixels"
            raise InvalidInputError(msg)
