"""The one format of results: a whole, versioned document."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeGuard

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.text import quoted, shown
from rekog_emotion.values.s3 import S3, is_s3_uri

__all__ = [
    "BEGINNING",
    "ERROR",
    "FORMAT",
    "VERSION",
    "Document",
    "check_analysis",
    "is_single_face",
    "known_as",
    "numbered_documents",
    "of_single_faces",
    "parsed",
    "understood",
    "written",
    "written_error",
]

FORMAT: Final = "rekog-emotion"
VERSION: Final = 1
ERROR: Final = "error"
"""The kind of a document that says why there is no analysis."""

BEGINNING: Final = f'{{"format": "{FORMAT}"'
"""What every line of ours begins with."""

_A_ROW: Final = {"source", "face", "bounding_box_left", "dominant_emotion"}  # of those that `tables` writes as JSON


class Document(NamedTuple):
    """What a document says.

    Attributes:
        kind: ``image`` or ``video``, or ``error`` where it says why there is no analysis.
        answers: The service's own: one, or the pages of a video; none of an error.
        beside: What an analysis has beside its answer, as far as the document says it: ``size``, ``engine``,
            ``source``; of an error ``source`` and ``error``.
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
        InvalidInputError: The answer has a number that JSON cannot hold: NaN, infinity, or one of over 4300 digits.
    """
    document = {"format": FORMAT, "version": VERSION, "kind": kind, **beside, "answer": answer}
    try:
        return json.dumps(document, indent=indent, allow_nan=False)
    except ValueError as error:
        name = shown(str(beside.get("source") or "the analysis"))
        wrong = "too long" if "digits" in str(error) else "not finite"  # Python writes integers of 4300 digits at most
        msg = f"{name} cannot be written as JSON: it has a number that is {wrong}"
        raise InvalidInputError(msg) from error


def written_error(source: str | None, error: str, **beside: object) -> str:
    """Return the document, on one line, that says why there is no analysis.

    Args:
        source: Of what.
        error: Why.
        beside: What else is said.
    """
    return json.dumps({"format": FORMAT, "version": VERSION, "kind": ERROR, "source": source, "error": error, **beside})


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
        document = json.loads(text.removeprefix("\ufeff") if isinstance(text, str) else text)
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
    kind, answer = _kind_and_answer(document)
    if kind == ERROR:
        return Document(ERROR, [], {name: document.get(name) for name in ("source", "error")})
    if kind not in ("image", "video") or not isinstance(answer, dict):
        msg = "no analysis: pass what to_json() wrote, or an answer of DetectFaces or GetFaceDetection"
        raise InvalidInputError(msg)
    beside = {"source": document.get("source")}
    if document.get("engine") is not None:
        beside["engine"] = document["engine"]
    if kind == "image":
        beside["size"] = _size(document.get("size"))
    return Document(str(kind), [answer], beside)


def _kind_and_answer(document: dict[str, Any]) -> tuple[object, object]:
    if document.get("format") == FORMAT:
        version = document.get("version")
        if not isinstance(version, int) or version > VERSION:
            msg = f"the document is of version {version!r}, and this library reads up to {VERSION}: update it"
            raise InvalidInputError(msg)
        return document.get("kind"), document.get("answer")
    if document.keys() >= _A_ROW:
        msg = "no analysis: this is a row of a table of faces, which holds a part of one; pass what the table is of"
        raise InvalidInputError(msg)
    if is_single_face(document):
        return "video", of_single_faces([document])
    # A line that the command `image` once printed, or the service's own answer.
    kind = "image" if "FaceDetails" in document else "video" if "JobStatus" in document else None
    return kind, {name: member for name, member in document.items() if name not in {"source", "engine", "size"}}


def known_as(source: str) -> str:
    """Return by what the documents of one source are known: ``./a.jpg`` and ``a.jpg`` are one photo."""
    return f"{S3}{source[len(S3) :]}" if is_s3_uri(source) else os.path.normpath(source)


def is_single_face(document: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether parsed JSON is one face of a video, with the source and the engine of its analysis."""
    return isinstance(document, dict) and {"Timestamp", "Face"} <= document.keys()


def of_single_faces(faces: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the answer that single faces of a video are of, as far as they say it."""
    return {
        "JobStatus": "SUCCEEDED",
        "Faces": [
            {name: member for name, member in face.items() if name not in {"source", "engine"}} for face in faces
        ],
    }


def check_analysis(document: Document) -> None:
    """Refuse a document that says why there is no analysis.

    Raises:
        InvalidInputError: It is one.
    """
    if document.kind == ERROR:
        source, error = document.beside["source"], document.beside["error"]
        msg = f"no analysis: the document says why there is none of {shown(str(source))}: {quoted(error)}"
        raise InvalidInputError(msg)


def numbered_documents(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """Yield the JSON of each line that is not empty, with the number of the line.

    A last line that is cut off, as of a run that was killed, is the document of an error of nothing that has a name.

    Raises:
        InvalidInputError: A line is no JSON.
    """
    numbered = enumerate(lines, start=1)
    for number, whole in numbered:
        line = whole.removeprefix("\ufeff") if number == 1 else whole
        if not line.strip("\0 \t\r\n"):  # after a power cut, a file may end with zeros
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError) as error:
            if not _is_cut(line) or next(numbered, None) is not None:
                msg = f"line {number} is no JSON: {error}"
                raise InvalidInputError(msg) from error
            reason = f"line {number} is cut off, as what wrote it did not end well: what it was about is not read"
            document = json.loads(written_error(None, reason))
        yield number, document


def _is_cut(line: str) -> bool:
    """Tell whether a line begins as ours do, and lacks its end."""
    return not line.endswith("\n") and (line.startswith(BEGINNING) or BEGINNING.startswith(line))


def _size(size: object) -> tuple[int, int] | None:
    match size:
        case None:
            return None
        case [int(width), int(height)] if width > 0 < height and bool not in {type(width), type(height)}:
            return width, height
        case _:
            msg = f"no analysis: size is {shown(repr(size))}, and should be width and height in pixels"
            raise InvalidInputError(msg)
