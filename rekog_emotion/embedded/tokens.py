"""The tokens of pages: where a page begins, which job gave it out, and when."""

from __future__ import annotations

import base64
import hmac
import struct
from typing import Final

from rekog_emotion.wire.service import PAGE_TOKENS_LAST

__all__ = ["page_token", "position"]

_FORM: Final = struct.Struct(">Qd")  # position of the page's first face, and when the token was given out


def page_token(job_id: str, begin: int, now: float) -> str:
    """Return an opaque text that says where a page begins, and that this job gave it out, and when."""
    content = _FORM.pack(begin, now)
    mark = hmac.digest(job_id.encode(), content, "sha256")
    return base64.urlsafe_b64encode(content + mark).decode()


def position(job_id: str, token: str, *, now: float) -> int:
    """Return where the page of a token begins.

    Raises:
        ValueError: The token is none of this job's, or too old.
    """
    try:
        begin, issued = _FORM.unpack_from(base64.urlsafe_b64decode(token))
    except struct.error as error:
        raise ValueError from error
    if not hmac.compare_digest(token, page_token(job_id, begin, issued)) or now - issued > PAGE_TOKENS_LAST:
        raise ValueError
    return int(begin)
