"""What a source is called in messages."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.media.files import BinaryFile
from rekog_emotion.text import given_as, shown
from rekog_emotion.values.s3 import S3Object, s3_uri

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Picture: TypeAlias = NDArray[np.uint8] | Image.Image
else:
    Picture = Any  # typing.get_type_hints() shall need no extra

__all__ = ["Picture", "name_of", "told_of"]


def _is_image(source: object) -> TypeGuard[Image.Image]:
    # Nobody has an instance of an optional package's class without having imported it.
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(source, pillow.Image)


def _is_array(source: object) -> TypeGuard[NDArray[Any]]:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(source, numpy.ndarray)


def _is_file(source: object) -> TypeGuard[BinaryFile]:
    return callable(getattr(source, "read", None)) and not isinstance(source, type)


def name_of(source: object) -> str:
    """Return the exact path or address of a source as it was given; what has none is named by what it is."""
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    if isinstance(source, S3Object):
        return s3_uri(source)
    return "None" if source is None else _kind(source)


def _kind(source: object) -> str:
    if _is_image(source):
        return "<PIL image>"
    if _is_array(source):
        return "<array>"
    if _is_file(source):
        name = getattr(source, "name", None)
        return f"<file {os.fsdecode(name)}>" if isinstance(name, str | bytes) and name else "<file>"
    return f"<{type(source).__name__}>"


def told_of(source: object) -> str:
    """Return what a source is called in messages: its name, or how many bytes were given."""
    if isinstance(source, bytes | bytearray | memoryview):
        return given_as(source)
    return shown(name_of(source))


@contextmanager
def _naming(source: object) -> Iterator[None]:
    """Say in an error which source it is about."""
    try:
        yield
    except InvalidInputError as error:
        message = f"{told_of(source)}: {error.message}"
        raise InvalidInputError(message) from error.__cause__
