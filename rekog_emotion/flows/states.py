"""What a job is taken up from in another process: plain JSON, with what it owns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.values.s3 import S3Object

__all__ = ["read_state", "write_state"]

_VERSION: Final = 1


def write_state(job_id: str, upload: S3Object | None) -> dict[str, Any]:
    """Return the state of a job: its id, and bucket, key and version of its upload."""
    owned = None if upload is None else {"bucket": upload.bucket, "key": upload.name, "version": upload.version}
    return {"version": _VERSION, "job_id": job_id, "upload": owned}


def read_state(state: Mapping[str, Any]) -> tuple[str, S3Object | None]:
    """Return a job's id and its upload, if it has one.

    Raises:
        InvalidInputError: ``state`` is of another kind or version.
    """
    match state:
        case {"version": version, "job_id": job_id, "upload": None} if version == _VERSION:
            return job_id, None
        case {
            "version": version,
            "job_id": job_id,
            "upload": {"bucket": str(bucket), "key": str(key), "version": str() | None as object_version},
        } if version == _VERSION:
            return job_id, S3Object(bucket=bucket, name=key, version=object_version)
    msg = f"this is no state of a job: pass what VideoJob.to_dict() gave (version {_VERSION})"
    raise InvalidInputError(msg)
