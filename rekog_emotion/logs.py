"""Loggers whose records are text: names of objects, words of answers and errors of others stand in them."""

from __future__ import annotations

import logging
from typing import Final

from rekog_emotion.redaction import redacted, withhold
from rekog_emotion.text import plain

__all__ = ["logger"]

_FORMATTER: Final = logging.Formatter()


def logger(name: str) -> logging.Logger:
    """Return the logger of a module; nothing that it says moves the cursor of whoever reads the log."""
    found = logging.getLogger(name)
    found.addFilter(_as_text)
    return found


def _as_text(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(_line(str(one)) if isinstance(one, str | BaseException) else one for one in record.args)
    if record.exc_info and record.exc_info[1] is not None:  # a caller's exc_info=False stays False
        withhold(record.exc_info[1])
        record.exc_text = plain(_FORMATTER.formatException(record.exc_info))  # formatters take it as it is
    return True


def _line(text: str) -> str:
    return plain(redacted(text)).replace("\n", "\\n")  # or it could forge a record
