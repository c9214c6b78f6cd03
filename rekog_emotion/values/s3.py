"""Objects in S3, and their addresses."""

from __future__ import annotations

import re
from typing import Final

from attrs import field, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.text import shown
from rekog_emotion.values.base import Value
from rekog_emotion.wire.kinds import TEXT, wire

__all__ = ["S3", "VERSION", "S3Object", "is_s3_uri", "is_upload", "parse_s3_uri", "s3_uri", "s3_wire"]


@frozen(kw_only=True)
class S3Object(Value):
    """An object in S3, as the service names it: ``S3Object(bucket="photos", name="2024/me.jpg")``.

    Attributes:
        bucket: Name of the bucket, in the region of the client.
        name: Key of the object, as it is: nothing is percent-decoded.
        version: Version id, for a versioned bucket.
    """

    bucket: str | None = field(default=None, metadata=wire("Bucket", TEXT))
    name: str | None = field(default=None, metadata=wire("Name", TEXT))
    version: str | None = field(default=None, metadata=wire("Version", TEXT))


_BUCKET: Final = re.compile(r"[0-9A-Za-z.\-_]{3,255}")  # S3Bucket of the service model
# Of a key and a version: bytes in S3, characters in the service model, of which there are never more.
_LONGEST: Final = 1024

# By their names uploads are known again by whoever resumes a job by its id alone.
_OURS: Final = re.compile(r"(.*/)?rekog-emotion-[0-9a-f]{32}(\.[^/]*)?")

S3: Final = "s3://"
"""How addresses begin."""

VERSION: Final = "?versionId="
"""What stands between a key and its version in an address."""


def is_s3_uri(text: str) -> bool:
    """Tell an address in S3 from a path: by its beginning, in letters of either case."""
    return text[: len(S3)].lower() == S3


def parse_s3_uri(uri: str) -> S3Object:
    """Parse ``s3://bucket/key`` or ``s3://bucket/key?versionId=...``.

    The key is taken as it is: nothing is percent-decoded, and ``?`` and ``#`` belong to it.

    Args:
        uri: For example ``"s3://photos/2024/me.jpg"``.

    Returns:
        The object, with its version where the URI ends with one.

    Raises:
        InvalidInputError: It is no S3 URI, or has a bucket, key or version that the service refuses.
    """
    if not is_s3_uri(uri):
        message = "<str>: this is no S3 URI; write s3://bucket/key"
        raise InvalidInputError(message)
    bucket, _, key = uri[len(S3) :].partition("/")
    name, has_version, version = key.rpartition(VERSION)
    s3_object = (
        S3Object(bucket=bucket, name=name, version=version) if has_version else S3Object(bucket=bucket, name=key)
    )
    s3_wire(s3_object)
    return s3_object


def s3_wire(s3_object: S3Object) -> dict[str, str]:
    """Write an object as the service takes it, its members checked as the service does.

    Raises:
        InvalidInputError: The bucket, key or version is missing or not possible.
    """
    members = {"Bucket": s3_object.bucket, "Name": s3_object.name, "Version": s3_object.version}
    wire = {member: value for member, value in members.items() if value is not None}
    wrong = _wrong_text("bucket", s3_object.bucket) or _wrong_text("key", s3_object.name)
    if not wrong and not _BUCKET.fullmatch(wire["Bucket"]):
        wrong = f"the bucket '{shown(wire['Bucket'])}' is not possible: it has 3 to 255 of A-Z a-z 0-9 . - _"
    if "Version" in wire:
        wrong = wrong or _wrong_text("version", s3_object.version)
    if wrong:
        message = f"{shown(s3_uri(s3_object))}: {wrong}"
        raise InvalidInputError(message)
    return wire


def s3_uri(s3_object: S3Object) -> str:
    """Write an object as the whole URI that `parse_s3_uri` reads; a message shows it by `shown`."""
    version = "" if s3_object.version is None else f"{VERSION}{s3_object.version}"
    return f"{S3}{s3_object.bucket or ''}/{s3_object.name or ''}{version}"


def _wrong_text(what: str, value: object) -> str | None:
    if value is None or value == "":
        return f"the {what} is missing; write s3://bucket/key or s3://bucket/key?versionId=..."
    if not isinstance(value, str):
        return f"the {what} is of type {type(value).__name__}; pass a str"
    if (length := len(value.encode(errors="surrogatepass"))) > _LONGEST:
        return f"the {what} has {length} bytes; the service takes {_LONGEST}"
    return None


def is_upload(video: S3Object) -> bool:
    """Tell whether an object is one that this library has uploaded: by its random name."""
    return video.name is not None and _OURS.fullmatch(video.name) is not None
