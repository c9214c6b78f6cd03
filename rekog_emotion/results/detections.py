"""Faces as ``Detections`` of the package supervision, for its annotators, zones, filters and metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rekog_emotion.errors import needs
from rekog_emotion.results.protocols import check_succeeded
from rekog_emotion.values.base import known_size
from rekog_emotion.values.numbers import as_float
from rekog_emotion.values.words import EmotionType

with needs("supervision", "to_supervision()"):
    import numpy as np
    import supervision as sv

    from rekog_emotion.results.timeline import timeline_of  # NumPy and SciPy come with supervision

if TYPE_CHECKING:
    from rekog_emotion.results.protocols import PictureFaces, VideoFaces
    from rekog_emotion.values.faces import Face

__all__ = ["of_image", "of_video"]

Size = tuple[int, int]

_CLASSES: Final = {str(kind): number for number, kind in enumerate(EmotionType)}


def of_image(analysis: PictureFaces, *, size: Size | None = None) -> sv.Detections:
    """Return the faces of a picture, those that have a box; see `ImageAnalysis.to_supervision`."""
    whole = known_size(size or analysis.size)
    return _detections(list(enumerate(analysis.faces)), whole, metadata={"source": analysis.source})


def of_video(analysis: VideoFaces, *, size: Size | None = None) -> dict[int, sv.Detections]:
    """Return the faces of each sample of a video, by its milliseconds; see `VideoAnalysis.to_supervision`."""
    check_succeeded(analysis)
    whole = known_size(size or analysis.size)
    people = {position: person.id for person in timeline_of(analysis).people for position in person.positions.tolist()}
    samples: dict[int, list[tuple[int, Face]]] = {}
    for position, timed in enumerate(analysis.faces):
        if timed.timestamp_ms is not None and timed.face is not None:
            samples.setdefault(timed.timestamp_ms, []).append((position, timed.face))
    return {
        time: _detections(faces, whole, people=people, metadata={"source": analysis.source, "timestamp_ms": time})
        for time, faces in sorted(samples.items())
    }


def _detections(
    faces: Sequence[tuple[int, Face]], size: Size, *, metadata: dict[str, Any], people: Mapping[int, int] | None = None
) -> sv.Detections:
    placed = [(position, face, corners) for position, face in faces if (corners := _corners(face, size)) is not None]
    if people is not None:  # of a sample, those that a track has
        placed = [one for one in placed if one[0] in people]
    if not placed:
        return sv.Detections.empty()
    emotions = [face.dominant_emotion for _, face, _ in placed]
    names = [str(one.type) if one is not None and one.type is not None else "UNKNOWN" for one in emotions]
    return sv.Detections(
        xyxy=np.array([corners for _, _, corners in placed], np.float32),
        confidence=np.array([_share(face.confidence) for _, face, _ in placed], np.float32),
        class_id=np.array([_CLASSES.get(name, _CLASSES["UNKNOWN"]) for name in names]),
        tracker_id=None if people is None else np.array([people[position] for position, _, _ in placed]),
        data={
            "class_name": np.array(names),
            "emotion_confidence": np.array([_share(one.confidence if one else None) for one in emotions], np.float32),
            "face": np.array([position for position, _, _ in placed]),
        },
        metadata=metadata,
    )


def _corners(face: Face, size: Size) -> tuple[float, float, float, float] | None:
    box = face.bounding_box
    if box is None or box.left is None or box.top is None or box.width is None or box.height is None:
        return None
    left, top, width, height = map(as_float, (box.left, box.top, box.width, box.height))
    corners = left * size[0], top * size[1], (left + width) * size[0], (top + height) * size[1]
    return corners if all(map(math.isfinite, corners)) else None


def _share(confidence: float | None) -> float:
    return math.nan if confidence is None else as_float(confidence) / 100
