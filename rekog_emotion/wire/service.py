"""Facts of the service, each once: what its operations are called, what it takes, how long it keeps things."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

__all__ = [
    "BAD_PAGE",
    "CONTENT_TYPE",
    "DETECT_FACES",
    "ENGINE_HEADER",
    "GET_FACE_DETECTION",
    "IMAGE_PRICE",
    "JOB_TAG",
    "MAX_IMAGE_BYTES",
    "MAX_IMAGE_FACES",
    "MAX_IMAGE_OBJECT_BYTES",
    "MAX_JOBS",
    "MAX_PAGE_FACES",
    "MAX_VIDEO_BYTES",
    "METHODS",
    "MIN_IMAGE_SIDE",
    "NO_JOB",
    "OPERATIONS",
    "OTHER_REQUEST",
    "PAGE_TOKENS_LAST",
    "RESULTS_LAST",
    "START_FACE_DETECTION",
    "TARGET",
    "TOKEN",
    "Operation",
]

Operation: TypeAlias = Literal["DetectFaces", "GetFaceDetection", "StartFaceDetection"]

DETECT_FACES: Final = "DetectFaces"
START_FACE_DETECTION: Final = "StartFaceDetection"
GET_FACE_DETECTION: Final = "GetFaceDetection"

METHODS: Final[dict[str, str]] = {
    DETECT_FACES: "detect_faces",
    START_FACE_DETECTION: "start_face_detection",
    GET_FACE_DETECTION: "get_face_detection",
}
"""What boto3 calls each operation."""

OPERATIONS: Final = {method: operation for operation, method in METHODS.items()}
"""What each of boto3's methods asks for."""

TARGET: Final = "RekognitionService"
"""What ``X-Amz-Target`` begins with, before a dot and the operation."""

CONTENT_TYPE: Final = "application/x-amz-json-1.1"
"""Of requests and answers."""

ENGINE_HEADER: Final = "x-rekog-emotion-engine"
"""Response header in which an engine other than the service says who it is."""

MAX_IMAGE_BYTES: Final = 5_242_880
"""Bytes of an image in a request; ImageBlob of the service model, which botocore does not check."""

MAX_IMAGE_OBJECT_BYTES: Final = 15 * 1024**2
"""Bytes of an image in S3."""

MIN_IMAGE_SIDE: Final = 80
"""Pixels, as the service documents; under it says no more than "Request has Invalid Parameters"."""

IMAGE_PRICE: Final = 0.001
"""US dollars for an image, of the first million a month in most regions: the list price, which may change."""

MAX_IMAGE_FACES: Final = 100
"""Faces of an image, the largest ones."""

MAX_VIDEO_BYTES: Final = 10 * 1024**3
"""Bytes of a stored video."""

MAX_PAGE_FACES: Final = 1000
"""Faces of a page; more may be asked for, and is taken for it."""

MAX_JOBS: Final = 20
"""Jobs of an account that run at once, unless it was given more (Service Quotas L-A6079699)."""

RESULTS_LAST: Final = 7 * 24 * 60 * 60.0
"""Seconds that the result of a job is kept, and its ClientRequestToken known."""

PAGE_TOKENS_LAST: Final = 24 * 60 * 60.0
"""Seconds for which a page token is good."""

TOKEN: Final = re.compile(r"[a-zA-Z0-9\-_]{1,64}")
"""A ClientRequestToken, and a job's id, whole: the service model's pattern, which botocore does not check."""

JOB_TAG: Final = re.compile(r"[a-zA-Z0-9_.\-:+=/]{1,1024}")
"""A JobTag, likewise."""

NO_JOB: Final = ("ResourceNotFoundException", "Could not find JobId")
"""Code and text where a job is not known, as recorded."""

BAD_PAGE: Final = ("InvalidPaginationTokenException", "Invalid Pagination Token")
"""Likewise of a page token."""

OTHER_REQUEST: Final = (
    "IdempotentParameterMismatchException",
    (
        "A ClientRequestToken input parameter was reused with an operation, but at least one of the other input "
        "parameters is different from the previous call to the operation."
    ),
)
"""Likewise of a token that was used for something else."""
