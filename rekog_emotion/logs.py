"""Loggers whose records are text: names of objects, words of answers and errors of others stand in them."""

from __future__ import annotations

import logging
from typing import Final

from rekog_emotion.redaction import redacted, withhold
from rekog_emotion.text import plain

__all__ = ["logger"]

_FORMATTER: Final = logging.Formatter()
# Letters of one text in a record, and of one line of a traceback: callers make names and tokens as long as they like.
_LONGEST: Final = 1000


def logger(name: str) -> logging.Logger:
    """Return the logger of a module.

    Nothing that it says moves the cursor of whoever reads the log, and no text in it fills a disk.
    """
    found = logging.getLogger(name)
    found.addFilter(_as_text)
    return found


def _as_text(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(one if isinstance(one, int | float) else _line(str(one)) for one in record.args)
    if record.exc_info and record.exc_info[1] is not None:  # a caller's exc_info=False stays False
        withhold(record.exc_info[1])
        trace = plain(_FORMATTER.formatException(record.exc_info))
        record.exc_text = "\n".join(map(_cut, trace.split("\n")))  # formatters take it as it is
    return True


def _line(text: str) -> str:
    return _cut(plain(redacted(text)).replace("\n", "\\n"))  # or it could forge a record


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
