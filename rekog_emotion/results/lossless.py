"""Analyses as JSON and back, without loss: one document, or one line an analysis."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from attrs import evolve

from rekog_emotion.errors import InvalidInputError, ResponseError
from rekog_emotion.results.documents import _NO_VIDEO, FORMAT, VERSION, _documents, _face, _size, _video_of
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.text import shown

if TYPE_CHECKING:
    from rekog_emotion.results.rows import Analysis

__all__ = ["from_json", "read_json_lines", "to_json", "write_json_lines"]


def to_json(analysis: Analysis, *, indent: int | None = None) -> str:
    """Return an analysis as JSON that :func:`from_json` reads back, unknown members and all.

    The document has ``format``, ``version``, ``kind`` (``image`` or ``video``), ``source``, ``engine``, ``size`` of an
    image, and the service's own ``answer``. A later version of this library reads what an earlier one wrote.

    Args:
        analysis: Of an image or a video.
        indent: Spaces a level; left out, all is on one line.

    Raises:
        InvalidInputError: The analysis has a number that JSON cannot hold (NaN or infinity).
    """
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "kind": "image" if isinstance(analysis, ImageAnalysis) else "video",
        "source": analysis.source,
        "engine": analysis.engine,
    }
    if isinstance(analysis, ImageAnalysis):
        document["size"] = analysis.size
    document["answer"] = analysis.to_aws()
    try:
        return json.dumps(document, indent=indent, allow_nan=False)
    except ValueError as error:
        name = shown(analysis.source or "the analysis")
        msg = f"{name} cannot be written as JSON: it has a number that is not finite"
        raise InvalidInputError(msg) from error


def from_json(text: str | bytes) -> Analysis:
    """Read what :func:`to_json` wrote.

    An answer of DetectFaces or GetFaceDetection as the service words it is read as well, and so is a list of the pages
    of one.

    Raises:
        InvalidInputError: It is no JSON, or no analysis, or was written by a later version in a form that this one
            does not know.
        ResponseError: A member of the answer has the wrong type.
    """
    if not isinstance(text, (str, bytes, bytearray)):
        msg = f"no analysis: pass JSON as text or bytes, and this is {type(text).__name__}"
        raise InvalidInputError(msg)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"no analysis: this is no JSON ({error})"
        raise InvalidInputError(msg) from error
    return _read(document)


def write_json_lines(file: Any, analyses: Iterable[Analysis]) -> int:  # noqa: ANN401 -- anything with write(str)
    """Write one line of :func:`to_json` an analysis, each as soon as it is there.

    Args:
        file: A text file, or anything that has its ``write``.
        analyses: Any iterable; no more than one is in memory at a time.

    Returns:
        The number of lines.
    """
    number = 0
    for analysis in analyses:
        file.write(to_json(analysis) + "\n")
        number += 1
    return number


def read_json_lines(lines: Iterable[str]) -> Iterator[Analysis]:
    """Yield the analyses of JSON Lines, one after the other.

    Besides the lines of :func:`write_json_lines` it reads those that ``rekog-emotion image`` and ``rekog-emotion
    video`` print; the faces of a video, which has one a line there, become one analysis.

    Args:
        lines: An open text file, or any iterable of lines; empty ones are passed over.

    Raises:
        InvalidInputError: A line is no analysis; the message has its number.
        ResponseError: A member of an answer has the wrong type.
    """
    for (source, engine), documents in groupby(_documents(lines), key=_video_of):
        if source is _NO_VIDEO:
            yield from (_numbered(number, document) for number, document in documents)
            continue
        faces = [(number, document) for number, document in documents]
        answer = {"JobStatus": "SUCCEEDED", "Faces": [_face(document) for _, document in faces]}
        yield evolve(_numbered(faces[0][0], answer), source=source, engine=engine)


def _numbered(number: int, document: object) -> Any:  # noqa: ANN401 -- an analysis of either kind
    try:
        return _read(document)
    except InvalidInputError as error:
        msg = f"line {number}: {error}"
        raise InvalidInputError(msg) from error
    except ResponseError as error:
        numbered = ResponseError(f"line {number}: {error.message}")
        numbered.path = error.path  # which the message has already
        raise numbered from error


def _read(document: object) -> Analysis:
    if (
        isinstance(document, list)
        and document
        and all(isinstance(one, dict) and "JobStatus" in one for one in document)
    ):
        return VideoAnalysis.from_aws(*document)
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
    if kind not in {"image", "video"} or not isinstance(answer, dict):
        msg = "no analysis: pass what to_json() wrote, or an answer of DetectFaces or GetFaceDetection"
        raise InvalidInputError(msg)
    engine, source = document.get("engine"), document.get("source")
    analysis = ImageAnalysis.from_aws(answer) if kind == "image" else VideoAnalysis.from_aws(answer)
    if isinstance(analysis, ImageAnalysis):
        analysis = evolve(analysis, size=_size(document.get("size")))
    return evolve(analysis, engine=analysis.engine if engine is None else engine, source=source)
