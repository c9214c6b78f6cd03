"""Faces of people who move as told, for tests of tracks and timelines."""

from rekog_emotion import (
    AgeRange,
    Attribute,
    BoundingBox,
    Emotion,
    Face,
    Gender,
    Landmark,
    Landmarks,
    Pose,
    Quality,
    TimedFace,
    VideoAnalysis,
    VideoMetadata,
)

POINTS = {
    "eyeLeft": (0.3, 0.35),
    "eyeRight": (0.7, 0.35),
    "nose": (0.5, 0.55),
    "mouthLeft": (0.35, 0.75),
    "mouthRight": (0.65, 0.75),
}


def face(x=0.5, y=0.5, size=0.1, *, emotions=None, gender=None, age=None, wide=0.0, bare=False, **members):
    """Give a face around a point; ``wide`` moves its eyes apart, ``bare`` leaves it with its box."""
    left, top = x - size / 2, y - size / 2
    if not bare:
        points = [
            Landmark(
                type=name, x=left + size * (px + (wide if px > 0.5 else -wide if px < 0.5 else 0)), y=top + size * py
            )
            for name, (px, py) in POINTS.items()
        ]
        members = {
            "landmarks": Landmarks.of(points),
            "pose": Pose(roll=0.0, yaw=0.0, pitch=0.0),
            "quality": Quality(brightness=70.0, sharpness=80.0),
            **members,
        }
    return Face(
        bounding_box=BoundingBox(left=left, top=top, width=size, height=size),
        emotions=None if emotions is None else tuple(Emotion(type=k, confidence=v) for k, v in emotions.items()),
        gender=gender and Gender(value=gender, confidence=99.0),
        age_range=age and AgeRange(low=age - 4, high=age + 4),
        **members,
    )


def glasses(*, worn):
    """Give the member for glasses."""
    return Attribute(value=worn, confidence=99.0)


def at(seconds, one):
    """Put a face at a time."""
    return TimedFace(timestamp_ms=round(seconds * 1000), face=one)


def video(*faces, seconds=None):
    """Give an analysis of faces."""
    metadata = None if seconds is None else VideoMetadata(duration_millis=round(seconds * 1000))
    return VideoAnalysis(faces=tuple(faces), metadata=metadata)


def looks(*samples, start=0.0, step=0.5, **members):
    """Give one still person whose face has these emotions, a sample each; None is a sample without the person."""
    return [at(start + k * step, face(emotions=one, **members)) for k, one in enumerate(samples) if one is not None]
