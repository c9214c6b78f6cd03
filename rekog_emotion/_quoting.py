"""Foreign text in our messages: what the service, a proxy or botocore says."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["encodable", "quoted"]

# A proxy or a wrong endpoint answers with a page of HTML, which botocore hands on as the message.
_LONGEST: Final = 300
# What follows in the message about a wrong signature is the request with its headers, session token and all.
_REQUEST: Final = "The Canonical String for this request"
_URL_CREDENTIALS: Final = re.compile(r"//[^/@\s]+@")


def quoted(foreign: object) -> str:
    """Return foreign text as part of a message: one line, cut, without a session token or the password of a URL."""
    text = " ".join(str(foreign).partition(_REQUEST)[0].split())
    text = _URL_CREDENTIALS.sub("//***@", text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def encodable(text: str) -> str:
    """Return a text that a file of UTF-8 can hold: half characters, as in names of other bytes, become escapes."""
    return text.encode(errors="backslashreplace").decode()
