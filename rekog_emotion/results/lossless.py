"""Analyses as JSON and back, without loss: one document, or one line an analysis."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, Final, TypeAlias

from attrs import evolve

from rekog_emotion.errors import InvalidInputError, ResponseError
from rekog_emotion.logs import logger
from rekog_emotion.media.writing import Writable, text_file
from rekog_emotion.results.documents import (
    ERROR,
    FORMAT,
    VERSION,
    Document,
    check_analysis,
    is_single_face,
    known_as,
    numbered_documents,
    of_single_faces,
    parsed,
    understood,
)
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.journal import error_line
from rekog_emotion.results.protocols import Analyses, analyses_in
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.s3 import S3Object, s3_uri

__all__ = ["FORMAT", "VERSION", "Analysis", "from_json", "read_json_lines", "to_json", "write_json_lines"]

Analysis: TypeAlias = ImageAnalysis | VideoAnalysis

_log: Final = logger(__name__)
_NO_VIDEO: Final = object()
_SECONDS: Final = "seconds"  # what the document of a moment has, and no other


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
    return analysis.to_json(indent=indent)


def from_json(text: str | bytes) -> Analysis:
    """Read what :func:`to_json` wrote.

    An answer of DetectFaces or GetFaceDetection as the service words it is read as well, and so is a list of the pages
    of one.

    Raises:
        InvalidInputError: It is no JSON, or no analysis, or was written by a later version in a form that this one
            does not know.
        ResponseError: A member of the answer has the wrong type.
    """
    document = parsed(text)
    check_analysis(document)
    return _analysis(document)


def write_json_lines(file: str | os.PathLike[str] | Writable, analyses: Analyses) -> int:
    """Write one line of :func:`to_json` an analysis, each as soon as it is there.

    Args:
        file: A text file, or anything that has its ``write``; or a path, whose file appears when it is whole, so that
            nothing is there of what broke off.
        analyses: One, or any iterable; no more than one is in memory at a time. Of an outcome the analysis counts, and
            one that is an error is a line that says so.

    Returns:
        The number of lines.

    Raises:
        InvalidInputError: Nothing can be written there.
        OSError: The disk is full, for instance.
    """
    number = 0
    with text_file(file) as out:

        def write(line: str) -> None:
            nonlocal number
            out.write(line + "\n")
            number += 1

        for analysis in analyses_in(analyses, on_error=lambda one: write(error_line(_name(one.source), one.error))):
            write(to_json(analysis))
    return number


def _name(source: object) -> str:
    """Return what an outcome is about, as a line can hold it."""
    if isinstance(source, S3Object):
        return s3_uri(source)
    return os.fsdecode(source) if isinstance(source, (str, bytes, os.PathLike)) else f"<{type(source).__name__}>"


def read_json_lines(
    lines: Iterable[str], *, on_error: Callable[[Document], object] | None = None
) -> Iterator[Analysis]:
    """Yield the analyses of JSON Lines, one after the other.

    They are what :func:`write_json_lines` writes, and ``rekog-emotion image`` and ``rekog-emotion video`` print. Lines
    of single faces, as ``video`` printed them before, are read as well; those of one video become one analysis.

    Args:
        lines: An open text file, or any iterable of lines; empty ones are passed over.
        on_error: Called with each document that says why something has no analysis, which is passed over; its
            ``beside`` has ``source`` and ``error``. Of what failed and was done again nothing is told, and the newest
            line of what failed again; so this is at the end, but for the moments that ``rekog-emotion watch`` prints.

    Raises:
        InvalidInputError: A line is no analysis; the message has its number. Or ``lines`` is a path, or text as one.
        ResponseError: A member of an answer has the wrong type.
    """
    if isinstance(lines, (str, bytes, os.PathLike)):
        what = f"lines= got {type(lines).__name__}"
        msg = f"{what}: pass the open file, as of open(path, encoding='utf-8'), or the lines of a text"
        raise InvalidInputError(msg)
    return _read(lines, on_error)


def _read(lines: Iterable[str], on_error: Callable[[Document], object] | None) -> Iterator[Analysis]:
    failed: dict[object, Document] = {}
    for (source, engine), documents in groupby(numbered_documents(lines), key=_video_of):
        if source is _NO_VIDEO:
            for number, document in documents:
                read = _numbered(number, document)
                if not isinstance(read, Document):
                    failed.pop(_known(read.source), None)
                    yield read
                elif on_error is None:
                    _tell_what_is_lost(read)
                elif _SECONDS in document:
                    on_error(read)  # a moment of many of one source
                else:
                    name = _known(read.beside["source"])
                    failed[number if name is None else name] = read
            continue
        faces = [(number, document) for number, document in documents]
        answer = of_single_faces(document for _, document in faces)
        yield evolve(_numbered(faces[0][0], answer), source=source, engine=engine)
    if on_error is not None:
        for error in failed.values():
            on_error(error)


def _tell_what_is_lost(error: Document) -> None:
    """Say in the log where nobody knows what failed: of a line that is cut off."""
    if error.beside["source"] is None:
        _log.warning("%s", error.beside["error"])


def _known(source: object) -> str | None:
    """Return by what a source is known; ``<bytes>`` and the like are no names."""
    return known_as(source) if isinstance(source, str) and not source.startswith("<") else None


def _numbered(number: int, document: object) -> Any:  # noqa: ANN401 -- an analysis of either kind, or an error's document
    try:
        read = understood(document)
        return read if read.kind == ERROR else _analysis(read)
    except InvalidInputError as error:
        msg = f"line {number}: {error}"
        raise InvalidInputError(msg) from error
    except ResponseError as error:
        numbered = ResponseError(f"line {number}: {error.message}")
        numbered.path = error.path  # which the message has already
        raise numbered from error


def _analysis(document: Document) -> Analysis:
    if document.kind == "image":
        return ImageAnalysis.from_document(document)
    return VideoAnalysis.from_document(document)


def _video_of(numbered: tuple[int, Any]) -> tuple[object, object]:
    _, document = numbered
    if is_single_face(document):
        return document.get("source"), document.get("engine")
    return _NO_VIDEO, None
