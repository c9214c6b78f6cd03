"""The clock of tasks that tests have set: it lies here, so that who sets it needs not load the verbs of asyncio."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["OF_TESTS"]

OF_TESTS: Final[Any] = None  # a `VirtualClock`
