"""What tests of programs stand on that use this library: no AWS, no network beyond this machine, no waiting.

Names are loaded when they are first used, so that the plugin for pytest costs nothing where it is not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rekog_emotion.testing.clock import VirtualClock, virtual_time
    from rekog_emotion.testing.endpoint import LocalEndpoint
    from rekog_emotion.testing.fake import Call, FakeClient
    from rekog_emotion.testing.faults import Fault, FaultPlan

__all__ = ["Call", "FakeClient", "Fault", "FaultPlan", "LocalEndpoint", "VirtualClock", "virtual_time"]

_MODULES = ("clock", "faults", "fake", "endpoint")


if not TYPE_CHECKING:  # type checkers would take any name for one of the package's

    def __getattr__(name: str) -> Any:  # noqa: ANN401 -- a module's attributes
        if name in __all__:
            for module in _MODULES:
                home = import_module(f"{__name__}.{module}")
                if name in home.__all__:
                    return globals().setdefault(name, getattr(home, name))
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
