"""The verbs past one machine: photos and videos as datasets of Ray Data, by the same decisions, options and results.

Inside this package ``import ray`` is Ray itself; whoever needs both names calls this one otherwise:
``from rekog_emotion import ray as rekog_ray``. Names are loaded when they are first used, so that the package can be
looked at where Ray is missing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rekog_emotion.ray.images import DetectImages, detect_images
    from rekog_emotion.ray.videos import analyze_videos

__all__ = ["DetectImages", "analyze_videos", "detect_images"]

_HOMES: Final = {"DetectImages": "images", "analyze_videos": "videos", "detect_images": "images"}

if not TYPE_CHECKING:  # type checkers would take any name for one of the package's

    def __getattr__(name: str) -> Any:  # noqa: ANN401 -- a module's attributes
        if name in _HOMES:
            home = import_module(f"{__name__}.{_HOMES[name]}")
            return globals().setdefault(name, getattr(home, name))
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)


def __dir__() -> list[str]:
    return __all__
