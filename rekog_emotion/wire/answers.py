"""Answers of the service to values; ``_members`` has the table and the way back.

An answer of another shape is a :class:`~rekog_emotion.errors.ResponseError` that says where; nothing is clamped,
rounded or dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from rekog_emotion.errors import InvalidInputError, ResponseError
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.results.video_analysis import VideoAnalysis
from rekog_emotion.values.faces import Face
from rekog_emotion.values.videos import StartedJob, TimedFace
from rekog_emotion.values.words import JobStatus
from rekog_emotion.wire.reading import READERS, MismatchError, broken, read_members

__all__ = [
    "ENGINE_HEADER",
    "draining",
    "engine_of",
    "merge",
    "read_face",
    "read_image",
    "read_started_job",
    "read_timed_face",
    "read_video",
]

T = TypeVar("T")

ENGINE_HEADER: Final = "x-rekog-emotion-engine"
"""Response header in which an engine other than the service says who it is."""


def engine_of(answer: object) -> str | None:
    """Return who an answer says it is from; only engines other than the service say so, in a header."""
    metadata = answer.get("ResponseMetadata") if isinstance(answer, Mapping) else None
    headers = metadata.get("HTTPHeaders") if isinstance(metadata, Mapping) else None
    name = headers.get(ENGINE_HEADER) if isinstance(headers, Mapping) else None
    return name if isinstance(name, str) else None


def _answer(read: Callable[[Mapping[str, Any]], T], answer: Mapping[str, Any]) -> T:
    try:
        return read(answer)
    except MismatchError as mismatch:
        raise ResponseError(mismatch.problem, path=mismatch.path) from None


def read_face(detail: Mapping[str, Any]) -> Face:
    """Read a ``FaceDetail``."""
    face: Face = _answer(READERS[Face], detail)
    return face


def read_timed_face(detection: Mapping[str, Any]) -> TimedFace:
    """Read a ``FaceDetection``."""
    face: TimedFace = _answer(READERS[TimedFace], detection)
    return face


def read_image(
    answer: Mapping[str, Any], *, size: tuple[int, int] | None, engine: str | None, source: str | None
) -> ImageAnalysis:
    """Read an answer of DetectFaces."""

    def read(answer: Mapping[str, Any]) -> ImageAnalysis:
        members = read_members(ImageAnalysis, answer)
        if members["faces"] is None:
            # botocore raises nothing for a 200 with an empty, cut or foreign body.
            broken("FaceDetails", "missing from the answer, which is broken: this is not 'no faces'")
        return ImageAnalysis(**members, size=size, engine=engine or engine_of(answer), source=source)

    return _answer(read, answer)


def read_started_job(answer: Mapping[str, Any]) -> StartedJob:
    """Read an answer of StartFaceDetection."""

    def read(answer: Mapping[str, Any]) -> StartedJob:
        members = read_members(StartedJob, answer)
        if not members["job_id"]:
            broken("JobId", "missing from the answer, which is broken: the job may have been started")
        return StartedJob(**members)

    return _answer(read, answer)


def _read_page(answer: Mapping[str, Any]) -> VideoAnalysis:
    members = read_members(VideoAnalysis, answer)
    faces = members.pop("faces")
    if faces is None and members["status"] not in {JobStatus.IN_PROGRESS, JobStatus.FAILED}:
        broken("Faces", "missing from the answer, which is broken: this is not 'no faces'")
    return VideoAnalysis(**members, faces=faces or (), has_faces=faces is not None, engine=engine_of(answer))


class _Draining(list[Any]):
    """A list that is emptied as it is read."""

    def __iter__(self) -> Iterator[Any]:
        self.reverse()
        while self:
            yield self.pop()


def draining(page: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a page with a list of faces of its own, which is emptied as it is read; the given one is left alone.

    Where nobody keeps the given one, each face is freed as soon as it is read. That halves the peak of memory, and
    spares the garbage collector, which counts what is made and not yet freed, a third of the time of reading.
    """
    faces = page.get("Faces") if isinstance(page, Mapping) else None
    return {**page, "Faces": _Draining(faces)} if isinstance(faces, list) else page


def read_video(pages: Iterable[Mapping[str, Any]], *, engine: str | None) -> VideoAnalysis:
    """Read one page of GetFaceDetection as it is, or several as one whole."""
    read = [_answer(_read_page, page) for page in pages]
    if not read:
        msg = "there is no page to read: give VideoAnalysis.from_aws() at least one answer of GetFaceDetection"
        raise InvalidInputError(msg)
    return merge(read, engine=engine)


def merge(pages: Sequence[VideoAnalysis], *, engine: str | None = None) -> VideoAnalysis:
    """Return a single page as it is; several as the first one with the faces of all and no token."""
    from attrs import evolve  # noqa: PLC0415 -- not needed to read images

    first = pages[0]
    if engine is not None:
        first = evolve(first, engine=engine)
    if len(pages) == 1:
        return first
    extra = {name: value for name, value in first.extra.items() if name != "NextToken"}
    faces = tuple(face for page in pages for face in page.faces)
    return evolve(first, faces=faces, next_token=None, extra=extra or None)
