"""Where a source lies: a local path or an object in S3, told apart by the text alone."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.text import shown
from rekog_emotion.values.faces import S3Object

__all__ = ["locate", "parse_s3_uri", "s3_uri", "s3_wire"]

_BUCKET: Final = re.compile(r"[0-9A-Za-z.\-_]{3,255}")  # S3Bucket of the service model
_LONGEST: Final = (
    1024  # of a key and a version: bytes in S3, characters in the service model, of which there are never more
)
_S3: Final = "s3://"
_VERSION: Final = "?versionId="

# Two letters at least: one letter and a colon are a Windows drive. One slash suffices: a Path folds two into one.
_SCHEME: Final = re.compile(r"(data):|([A-Za-z][A-Za-z0-9+.\-]+):/")
_NOT_DOWNLOADED: Final = (
    "nothing is downloaded; save it to a file and pass the path, or pass the s3:// URI of an object in S3"
)
_SCHEMES: Final = {
    "data": "a data: URL is not decoded; pass base64.b64decode(url.partition(',')[2])",
    "file": "a file: URL is not read; pass the path itself",
    "http": _NOT_DOWNLOADED,
    "https": _NOT_DOWNLOADED,
    "s3": "an S3 URI is a str that begins with s3://, and never a Path; pass s3://bucket/key",
}
_BASE64_IMAGE: Final = re.compile(r"/9j/|iVBORw0KGgo|R0lGOD|UklGR")  # JPEG, PNG, GIF, WebP
_LONGEST_NAME: Final = 255  # bytes of a file name on all usual file systems


def locate(source: str | os.PathLike[str]) -> Path | S3Object:
    """Tell a path from an ``s3://`` URI.

    Args:
        source: Either of them; nothing is looked up.

    Returns:
        The path, or the object with bucket, key and version checked.

    Raises:
        InvalidInputError: It is empty, a URL, or something else that no path can be.
    """
    text = os.fsdecode(os.fspath(source))
    if isinstance(source, str) and text[: len(_S3)].lower() == _S3:
        return parse_s3_uri(text)
    if scheme := _SCHEME.match(text):
        # The rest is not shown: it may be a presigned URL, or the image itself.
        name = (scheme[1] or scheme[2]).lower()
        mend = _SCHEMES.get(name, "no such scheme is known; pass a path or an s3:// URI")
        message = f"<{name}: URL>: {mend}"
        raise InvalidInputError(message)
    if not text:
        message = "the path is empty; pass the path of a file"
        raise InvalidInputError(message)
    if "\0" in text:
        message = "<str>: a path cannot have a NUL character; pass the content of a file as bytes"
        raise InvalidInputError(message)
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        message = f"{shown(text)}: no path can have the character {text[error.start]!r} here; check how it was made"
        raise InvalidInputError(message) from error
    if len(text) > _LONGEST_NAME and _BASE64_IMAGE.match(text):
        message = "<str>: this is Base64 text, not a path; pass base64.b64decode(text)"
        raise InvalidInputError(message)
    return Path(text)


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
    if uri[: len(_S3)].lower() != _S3:
        message = "<str>: this is no S3 URI; write s3://bucket/key"
        raise InvalidInputError(message)
    bucket, _, key = uri[len(_S3) :].partition("/")
    name, has_version, version = key.rpartition(_VERSION)
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
    version = "" if s3_object.version is None else f"{_VERSION}{s3_object.version}"
    return f"{_S3}{s3_object.bucket or ''}/{s3_object.name or ''}{version}"


def _wrong_text(what: str, value: object) -> str | None:
    if value is None or value == "":
        return f"the {what} is missing; write s3://bucket/key or s3://bucket/key?versionId=..."
    if not isinstance(value, str):
        return f"the {what} is of type {type(value).__name__}; pass a str"
    if (length := len(value.encode(errors="surrogatepass"))) > _LONGEST:
        return f"the {what} has {length} bytes; the service takes {_LONGEST}"
    return None
