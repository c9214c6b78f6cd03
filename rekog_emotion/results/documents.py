"""The one format of results: a whole, versioned document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.text import shown

__all__ = ["FORMAT", "VERSION", "Document", "numbered_documents", "parsed", "understood", "written"]

FORMAT: Final = "rekog-emotion"
VERSION: Final = 1


class Document(NamedTuple):
    """What a document says.

    Attributes:
        kind: ``image`` or ``video``.
        answers: The service's own: one, or the pages of a video.
        beside: What an analysis has beside its answer, as far as the document says it: ``size``, ``engine``,
            ``source``.
    """

    kind: str
    answers: list[Mapping[str, Any]]
    beside: dict[str, Any]


def written(kind: str, answer: Mapping[str, Any], *, indent: int | None, **beside: object) -> str:
    """Return a document as JSON.

    Args:
        kind: ``image`` or ``video``.
        answer: The service's own.
        indent: Spaces a level; left out, all is on one line.
        beside: What an analysis has beside it: ``source``, ``engine``, and ``size`` of an image.

    Raises:
        InvalidInputError: The answer has a number that JSON cannot hold (NaN or infinity).
    """
    document = {"format": FORMAT, "version": VERSION, "kind": kind, **beside, "answer": answer}
    try:
        return json.dumps(document, indent=indent, allow_nan=False)
    except ValueError as error:
        name = shown(str(beside.get("source") or "the analysis"))
        msg = f"{name} cannot be written as JSON: it has a number that is not finite"
        raise InvalidInputError(msg) from error


def parsed(text: str | bytes) -> Document:
    """Read a document, the service's own answer, or a list of the pages of one.

    Raises:
        InvalidInputError: It is no JSON, or no analysis, or was written by a later version in a form that this one
            does not know.
    """
    if not isinstance(text, (str, bytes, bytearray)):
        msg = f"no analysis: pass JSON as text or bytes, and this is {type(text).__name__}"
        raise InvalidInputError(msg)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"no analysis: this is no JSON ({error})"
        raise InvalidInputError(msg) from error
    return understood(document)


def understood(document: object) -> Document:
    """Return what parsed JSON says.

    Raises:
        InvalidInputError: It is no analysis, or was written by a later version in a form that this one does not know.
    """
    pages = document if isinstance(document, list) else []
    if pages and all(isinstance(one, dict) and "JobStatus" in one for one in pages):
        return Document("video", pages, {})
    if not isinstance(document, dict):
        msg = f"no analysis: a JSON object is needed, and this is {type(document).__name__}"
        raise InvalidInputError(msg)
    if document.get("format") == FORMAT:
        version = document.get("version")
        if not isinstance(version, int) or version > VERSION:
            msg = f"the document is of version {version!r}, and this library reads up to {VERSION}: update it"
            raise InvalidInputError(msg)
        answer, kind = document.get("answer"), document.get("kind")
    else:
        # A line of the command `image`, or the service's own answer.
        answer = {name: member for name, member in document.items() if name not in {"source", "engine", "size"}}
        kind = "image" if "FaceDetails" in document else "video" if "JobStatus" in document else None
    if kind not in ("image", "video") or not isinstance(answer, dict):
        msg = "no analysis: pass what to_json() wrote, or an answer of DetectFaces or GetFaceDetection"
        raise InvalidInputError(msg)
    beside = {"source": document.get("source")}
    if document.get("engine") is not None:
        beside["engine"] = document["engine"]
    if kind == "image":
        beside["size"] = _size(document.get("size"))
    return Document(str(kind), [answer], beside)


def numbered_documents(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """Yield the JSON of each line that is not empty, with the number of the line.

    Raises:
        InvalidInputError: A line is no JSON.
    """
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
