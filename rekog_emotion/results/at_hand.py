"""The file that was analysed, where it is still at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.files import is_file
from rekog_emotion.text import shown
from rekog_emotion.values.s3 import is_s3_uri

if TYPE_CHECKING:
    from rekog_emotion.results.protocols import AnyFaces

__all__ = ["file_of", "is_at_hand"]


def is_at_hand(analysis: AnyFaces) -> bool:
    """Tell whether what was analysed is a file of this machine that is still there."""
    source = analysis.source
    return source is not None and not _is_no_path(source) and is_file(source)


def file_of(analysis: AnyFaces, *, kind: str, how: str) -> Path:
    """Return the path of what was analysed.

    Args:
        analysis: Of a picture or a video.
        kind: ``"picture"`` or ``"video"``.
        how: The call by which one passes it.

    Raises:
        InvalidInputError: It was not a file, or is no longer there.
    """
    source = analysis.source
    if source is None:
        msg = f"the analysis does not know its {kind}: pass it, {how}"
        raise InvalidInputError(msg)
    if _is_no_path(source):
        msg = f"the {kind} was {shown(source)}, not a file of this machine: pass it, {how}"
        raise InvalidInputError(msg)
    if not is_at_hand(analysis):
        msg = f"{shown(source)}: the {kind} that was analysed is no longer there: pass it, {how}"
        raise InvalidInputError(msg)
    return Path(source)


def _is_no_path(source: str) -> bool:
    return is_s3_uri(source) or (source.startswith("<") and source.endswith(">"))
