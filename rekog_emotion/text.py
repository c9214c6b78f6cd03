"""Foreign or long text in our messages: what the service or botocore says, paths and addresses. Never for data."""

from __future__ import annotations

from typing import Final

from rekog_emotion.redaction import redacted

__all__ = ["encodable", "given_as", "plain", "quoted", "shown"]

# A proxy or a wrong endpoint answers with a page of HTML, which botocore hands on as the message.
_LONGEST: Final = 300
_LONGEST_NAME: Final = 200


def quoted(foreign: object) -> str:
    """Return foreign text as part of a message: one line, cut, without credentials, and text alone."""
    text = plain(" ".join(redacted(str(foreign)).split()))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def shown(name: str) -> str:
    """Return a path or an address as part of a message: on one line, and not too long."""
    name = name if name.isprintable() else repr(name)[1:-1]
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."


def plain(text: str) -> str:
    """Return a text whose signs can only be read: what a terminal would obey, or shows in another order, is an escape.

    Those are control characters, marks of the direction of writing, and halves of characters; line ends and tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in "\n\t" else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode()


def encodable(text: str) -> str:
    """Return a text that a file of UTF-8 can hold: half characters, as in names of other bytes, become escapes."""
    return text.encode(errors="backslashreplace").decode()


def given_as(data: bytes | bytearray | memoryview) -> str:
    """Return what a file without a name is called, of which there are the bytes alone."""
    return f"the file given as {memoryview(data).nbytes} bytes"
