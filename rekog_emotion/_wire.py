"""The service's wire mappings to values; ``_members`` has the way back.

Reading is written out by hand, shape by shape, because it is the hot path: a page of a video has 1000 faces of 150
numbers. An answer of another shape is a :class:`~rekog_emotion.errors.ResponseError` that says where; nothing is
clamped, rounded or dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final, NoReturn, TypeVar

from rekog_emotion._members import KNOWN
from rekog_emotion.analyses import ImageAnalysis, StartedJob, TimedFace, Video, VideoAnalysis, VideoMetadata
from rekog_emotion.enums import ColorRange, EmotionType, GenderType, JobStatus, LandmarkType, OrientationCorrection
from rekog_emotion.errors import InvalidInputError, ResponseError
from rekog_emotion.models import (
    AgeRange,
    Attribute,
    BoundingBox,
    Emotion,
    EyeDirection,
    Face,
    Gender,
    Landmark,
    Landmarks,
    Pose,
    Quality,
    S3Object,
)

__all__ = ["ENGINE_HEADER", "engine_of", "merge", "read_face", "read_image", "read_started_job", "read_video"]

T = TypeVar("T")

ENGINE_HEADER: Final = "x-rekog-emotion-engine"
"""Response header in which an engine other than the service says who it is."""

_EMOTIONS: Final[dict[str, EmotionType | str]] = {word.value: word for word in EmotionType}
_GENDERS: Final[dict[str, GenderType | str]] = {word.value: word for word in GenderType}
_LANDMARKS: Final[dict[str, LandmarkType]] = {word.value: word for word in LandmarkType}
_STATUSES: Final[dict[str, JobStatus | str]] = {word.value: word for word in JobStatus}
_COLOR_RANGES: Final[dict[str, ColorRange | str]] = {word.value: word for word in ColorRange}
_CORRECTIONS: Final[dict[str, OrientationCorrection | str]] = {word.value: word for word in OrientationCorrection}
_NUMBERS: Final = frozenset({float, int})
# One tuple of types serves all faces whose landmarks come in the same order; the service has had a handful of orders.
_LAYOUTS: Final[dict[tuple[LandmarkType, ...], tuple[LandmarkType, ...]]] = {}
_MAX_LAYOUTS: Final = 64


class _MismatchError(Exception):
    """A member is not what the service's shape says; collects the path on its way out."""

    def __init__(self, member: str, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = member

    def within(self, member: str) -> _MismatchError:
        self.path = f"{member}.{self.path}" if self.path else member
        return self


# --- leaves ---


def _broken(member: str, problem: str) -> NoReturn:
    raise _MismatchError(member, problem)


def _refuse(member: str, expected: str, value: object) -> NoReturn:
    _broken(member, f"expected {expected}, got {type(value).__name__}")


def _number(shape: Mapping[str, Any], member: str) -> float | None:
    value = shape.get(member)
    if value is None or value.__class__ is float or value.__class__ is int:
        return value
    _refuse(member, "a number", value)


def _integer(shape: Mapping[str, Any], member: str) -> int | None:
    value = shape.get(member)
    if value is None or value.__class__ is int:
        return value
    _refuse(member, "an integer", value)


def _boolean(shape: Mapping[str, Any], member: str) -> bool | None:
    value = shape.get(member)
    if value is None or value.__class__ is bool:
        return value
    _refuse(member, "a boolean", value)


def _text(shape: Mapping[str, Any], member: str) -> str | None:
    value = shape.get(member)
    if value is None or isinstance(value, str):
        return value
    _refuse(member, "a string", value)


def _word(shape: Mapping[str, Any], member: str, vocabulary: Mapping[str, T | str]) -> T | str | None:
    value = _text(shape, member)
    return None if value is None else vocabulary.get(value, value)


def _extra(shape: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any] | None:
    """Return what the value has no attribute for: unknown members, and known ones that came as null."""
    if known.issuperset(shape) and None not in shape.values():
        return None
    return {name: deepcopy(value) for name, value in shape.items() if value is None or name not in known}


# --- nesting ---


def _mapping(value: object, member: str = "") -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    _refuse(member, "an object", value)


def _member(shape: Mapping[str, Any], member: str, read: Callable[[Mapping[str, Any]], T]) -> T | None:
    value = shape.get(member)
    if value is None:
        return None
    try:
        return read(_mapping(value))
    except _MismatchError as mismatch:
        raise mismatch.within(member) from None


def _items(items: object, member: str, read: Callable[[Mapping[str, Any]], T]) -> tuple[T, ...]:
    if not isinstance(items, (list, tuple)):
        _refuse(member, "a list", items)
    values: list[T] = []
    try:
        for item in items:
            values.append(read(_mapping(item)))  # noqa: PERF401 -- the length so far is the index of a bad item
    except _MismatchError as mismatch:
        position = f"{member}[{len(values)}]"
        raise mismatch.within(position) from None
    return tuple(values)


# --- shapes ---


def _bounding_box(shape: Mapping[str, Any]) -> BoundingBox:
    return BoundingBox(
        width=_number(shape, "Width"),
        height=_number(shape, "Height"),
        left=_number(shape, "Left"),
        top=_number(shape, "Top"),
        extra=_extra(shape, KNOWN[BoundingBox]),
    )


def _age_range(shape: Mapping[str, Any]) -> AgeRange:
    return AgeRange(low=_integer(shape, "Low"), high=_integer(shape, "High"), extra=_extra(shape, KNOWN[AgeRange]))


def _attribute(shape: Mapping[str, Any]) -> Attribute:
    return Attribute(
        value=_boolean(shape, "Value"),
        confidence=_number(shape, "Confidence"),
        extra=_extra(shape, KNOWN[Attribute]),
    )


def _gender(shape: Mapping[str, Any]) -> Gender:
    return Gender(
        value=_word(shape, "Value", _GENDERS),
        confidence=_number(shape, "Confidence"),
        extra=_extra(shape, KNOWN[Gender]),
    )


def _emotion(shape: Mapping[str, Any]) -> Emotion:
    return Emotion(
        type=_word(shape, "Type", _EMOTIONS),
        confidence=_number(shape, "Confidence"),
        extra=_extra(shape, KNOWN[Emotion]),
    )


def _landmark(shape: Mapping[str, Any]) -> Landmark:
    return Landmark(
        type=_word(shape, "Type", _LANDMARKS),
        x=_number(shape, "X"),
        y=_number(shape, "Y"),
        extra=_extra(shape, KNOWN[Landmark]),
    )


def _landmarks(items: object) -> Landmarks:
    """Read the columns at one go where every landmark is plain, which is the rule; else landmark by landmark."""
    if isinstance(items, list):
        try:
            types = tuple([_LANDMARKS[item["Type"]] for item in items])
            x = tuple([item["X"] for item in items])
            y = tuple([item["Y"] for item in items])
        except (KeyError, TypeError):
            pass
        else:
            plain = sum(map(len, items)) == len(KNOWN[Landmark]) * len(items)
            if plain and _NUMBERS.issuperset(map(type, x)) and _NUMBERS.issuperset(map(type, y)):
                if len(_LAYOUTS) < _MAX_LAYOUTS:
                    types = _LAYOUTS.setdefault(types, types)
                return Landmarks(types=types, x=x, y=y)
    return Landmarks.of(_items(items, "Landmarks", _landmark))


def _pose(shape: Mapping[str, Any]) -> Pose:
    return Pose(
        roll=_number(shape, "Roll"),
        yaw=_number(shape, "Yaw"),
        pitch=_number(shape, "Pitch"),
        extra=_extra(shape, KNOWN[Pose]),
    )


def _quality(shape: Mapping[str, Any]) -> Quality:
    return Quality(
        brightness=_number(shape, "Brightness"),
        sharpness=_number(shape, "Sharpness"),
        extra=_extra(shape, KNOWN[Quality]),
    )


def _eye_direction(shape: Mapping[str, Any]) -> EyeDirection:
    return EyeDirection(
        yaw=_number(shape, "Yaw"),
        pitch=_number(shape, "Pitch"),
        confidence=_number(shape, "Confidence"),
        extra=_extra(shape, KNOWN[EyeDirection]),
    )


def _face(shape: Mapping[str, Any]) -> Face:
    emotions, landmarks = shape.get("Emotions"), shape.get("Landmarks")
    return Face(
        bounding_box=_member(shape, "BoundingBox", _bounding_box),
        confidence=_number(shape, "Confidence"),
        age_range=_member(shape, "AgeRange", _age_range),
        smile=_member(shape, "Smile", _attribute),
        eyeglasses=_member(shape, "Eyeglasses", _attribute),
        sunglasses=_member(shape, "Sunglasses", _attribute),
        gender=_member(shape, "Gender", _gender),
        beard=_member(shape, "Beard", _attribute),
        mustache=_member(shape, "Mustache", _attribute),
        eyes_open=_member(shape, "EyesOpen", _attribute),
        mouth_open=_member(shape, "MouthOpen", _attribute),
        emotions=None if emotions is None else _items(emotions, "Emotions", _emotion),
        landmarks=None if landmarks is None else _landmarks(landmarks),
        pose=_member(shape, "Pose", _pose),
        quality=_member(shape, "Quality", _quality),
        face_occluded=_member(shape, "FaceOccluded", _attribute),
        eye_direction=_member(shape, "EyeDirection", _eye_direction),
        extra=_extra(shape, KNOWN[Face]),
    )


def _timed_face(shape: Mapping[str, Any]) -> TimedFace:
    return TimedFace(
        timestamp_ms=_integer(shape, "Timestamp"),
        face=_member(shape, "Face", _face),
        extra=_extra(shape, KNOWN[TimedFace]),
    )


def _video_metadata(shape: Mapping[str, Any]) -> VideoMetadata:
    return VideoMetadata(
        codec=_text(shape, "Codec"),
        duration_millis=_integer(shape, "DurationMillis"),
        format=_text(shape, "Format"),
        frame_rate=_number(shape, "FrameRate"),
        frame_height=_integer(shape, "FrameHeight"),
        frame_width=_integer(shape, "FrameWidth"),
        color_range=_word(shape, "ColorRange", _COLOR_RANGES),
        extra=_extra(shape, KNOWN[VideoMetadata]),
    )


def _s3_object(shape: Mapping[str, Any]) -> S3Object:
    return S3Object(
        bucket=_text(shape, "Bucket"),
        name=_text(shape, "Name"),
        version=_text(shape, "Version"),
        extra=_extra(shape, KNOWN[S3Object]),
    )


def _video(shape: Mapping[str, Any]) -> Video:
    return Video(s3_object=_member(shape, "S3Object", _s3_object), extra=_extra(shape, KNOWN[Video]))


# --- answers ---


def _response_metadata(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    value = answer.get("ResponseMetadata")
    return None if value is None else deepcopy(dict(_mapping(value, "ResponseMetadata")))


def engine_of(answer: object) -> str | None:
    """Return who an answer says it is from; only engines other than the service say so, in a header."""
    metadata = answer.get("ResponseMetadata") if isinstance(answer, Mapping) else None
    headers = metadata.get("HTTPHeaders") if isinstance(metadata, Mapping) else None
    name = headers.get(ENGINE_HEADER) if isinstance(headers, Mapping) else None
    return name if isinstance(name, str) else None


def _answer(answer: Mapping[str, Any], read: Callable[[Mapping[str, Any]], T]) -> T:
    try:
        return read(_mapping(answer))
    except _MismatchError as mismatch:
        raise ResponseError(mismatch.problem, path=mismatch.path) from None


def read_face(detail: Mapping[str, Any]) -> Face:
    """Read a ``FaceDetail``."""
    return _answer(detail, _face)


def read_image(
    answer: Mapping[str, Any], *, size: tuple[int, int] | None, engine: str | None, source: str | None
) -> ImageAnalysis:
    """Read an answer of DetectFaces."""

    def read(shape: Mapping[str, Any]) -> ImageAnalysis:
        details = shape.get("FaceDetails")
        if details is None:
            # botocore raises nothing for a 200 with an empty, cut or foreign body.
            _broken("FaceDetails", "missing from the answer, which is broken: this is not 'no faces'")
        metadata = _response_metadata(shape)
        return ImageAnalysis(
            faces=_items(details, "FaceDetails", _face),
            size=size,
            engine=engine or engine_of(shape),
            source=source,
            orientation_correction=_word(shape, "OrientationCorrection", _CORRECTIONS),
            response_metadata=metadata,
            extra=_extra(shape, KNOWN[ImageAnalysis]),
        )

    return _answer(answer, read)


def read_started_job(answer: Mapping[str, Any]) -> StartedJob:
    """Read an answer of StartFaceDetection."""

    def read(shape: Mapping[str, Any]) -> StartedJob:
        job_id = _text(shape, "JobId")
        if not job_id:
            _broken("JobId", "missing from the answer, which is broken: the job may have been started")
        return StartedJob(
            job_id=job_id, response_metadata=_response_metadata(shape), extra=_extra(shape, KNOWN[StartedJob])
        )

    return _answer(answer, read)


def _page(shape: Mapping[str, Any]) -> VideoAnalysis:
    status, faces = _word(shape, "JobStatus", _STATUSES), shape.get("Faces")
    if faces is None and status not in {JobStatus.IN_PROGRESS, JobStatus.FAILED}:
        _broken("Faces", "missing from the answer, which is broken: this is not 'no faces'")
    metadata = _response_metadata(shape)
    return VideoAnalysis(
        faces=() if faces is None else _items(faces, "Faces", _timed_face),
        status=status,
        status_message=_text(shape, "StatusMessage"),
        metadata=_member(shape, "VideoMetadata", _video_metadata),
        next_token=_text(shape, "NextToken"),
        job_id=_text(shape, "JobId"),
        video=_member(shape, "Video", _video),
        job_tag=_text(shape, "JobTag"),
        engine=engine_of(shape),
        response_metadata=metadata,
        has_faces=faces is not None,
        extra=_extra(shape, KNOWN[VideoAnalysis]),
    )


def read_video(pages: Iterable[Mapping[str, Any]], *, engine: str | None) -> VideoAnalysis:
    """Read one page of GetFaceDetection as it is, or several as one whole."""
    read = [_answer(page, _page) for page in pages]
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
