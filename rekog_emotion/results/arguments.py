"""What the methods of analyses take and give, and the rooms that they call."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from rekog_emotion.values.faces import Face

if TYPE_CHECKING:
    from PIL.Image import Image
else:
    Image = Any  # typing.get_type_hints() shall need no extra

__all__ = ["Image", "Labels", "Paint", "Picture"]

Labels: TypeAlias = bool | Callable[[Face], str | None]
Paint: TypeAlias = str | tuple[int, int, int]
Picture: TypeAlias = Image | str | os.PathLike[str] | bytes
