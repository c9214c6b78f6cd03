"""The service's vocabularies, open: a word that is not listed here stays a plain string and survives.

Each class is a :class:`enum.StrEnum`, so ``EmotionType.HAPPY == "HAPPY"``. The lists are those of the service model
that botocore ships; a test compares them with the installed one.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "ColorRange",
    "EmotionType",
    "GenderType",
    "JobStatus",
    "LandmarkType",
    "OrientationCorrection",
    "Word",
]


class Word(StrEnum):
    """A word of the service; its repr is the bare value, so that values read well on a terminal."""

    def __repr__(self) -> str:
        return str(self.value)


class EmotionType(Word):
    """How a face looks; not what the person feels."""

    HAPPY = "HAPPY"
    SAD = "SAD"
    ANGRY = "ANGRY"
    CONFUSED = "CONFUSED"
    DISGUSTED = "DISGUSTED"
    SURPRISED = "SURPRISED"
    CALM = "CALM"
    UNKNOWN = "UNKNOWN"
    FEAR = "FEAR"


class GenderType(Word):
    """How a face looks to the model; not a person's gender identity."""

    MALE = "Male"
    FEMALE = "Female"


class JobStatus(Word):
    """The states of a video job."""

    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class ColorRange(Word):
    """Luma range of a video: full (0-255) or limited (16-235)."""

    FULL = "FULL"
    LIMITED = "LIMITED"


class OrientationCorrection(Word):
    """Clockwise turn that an image needs; the service has not sent it since 2018."""

    ROTATE_0 = "ROTATE_0"
    ROTATE_90 = "ROTATE_90"
    ROTATE_180 = "ROTATE_180"
    ROTATE_270 = "ROTATE_270"


class LandmarkType(Word):
    """Points of a face. Left and right are the viewer's: on an upright face ``EYE_LEFT.x < EYE_RIGHT.x``."""

    EYE_LEFT = "eyeLeft"
    EYE_RIGHT = "eyeRight"
    NOSE = "nose"
    MOUTH_LEFT = "mouthLeft"
    MOUTH_RIGHT = "mouthRight"
    LEFT_EYE_BROW_LEFT = "leftEyeBrowLeft"
    LEFT_EYE_BROW_RIGHT = "leftEyeBrowRight"
    LEFT_EYE_BROW_UP = "leftEyeBrowUp"
    RIGHT_EYE_BROW_LEFT = "rightEyeBrowLeft"
    RIGHT_EYE_BROW_RIGHT = "rightEyeBrowRight"
    RIGHT_EYE_BROW_UP = "rightEyeBrowUp"
    LEFT_EYE_LEFT = "leftEyeLeft"
    LEFT_EYE_RIGHT = "leftEyeRight"
    LEFT_EYE_UP = "leftEyeUp"
    LEFT_EYE_DOWN = "leftEyeDown"
    RIGHT_EYE_LEFT = "rightEyeLeft"
    RIGHT_EYE_RIGHT = "rightEyeRight"
    RIGHT_EYE_UP = "rightEyeUp"
    RIGHT_EYE_DOWN = "rightEyeDown"
    NOSE_LEFT = "noseLeft"
    NOSE_RIGHT = "noseRight"
    MOUTH_UP = "mouthUp"
    MOUTH_DOWN = "mouthDown"
    LEFT_PUPIL = "leftPupil"
    RIGHT_PUPIL = "rightPupil"
    UPPER_JAWLINE_LEFT = "upperJawlineLeft"
    MID_JAWLINE_LEFT = "midJawlineLeft"
    CHIN_BOTTOM = "chinBottom"
    MID_JAWLINE_RIGHT = "midJawlineRight"
    UPPER_JAWLINE_RIGHT = "upperJawlineRight"
