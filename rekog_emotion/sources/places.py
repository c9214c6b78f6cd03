"""Where a source lies: a local path or an object in S3, told apart by the text alone."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.text import shown
from rekog_emotion.values.s3 import S3Object, is_s3_uri, parse_s3_uri

__all__ = ["locate"]

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
    if isinstance(source, str) and is_s3_uri(text):
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
