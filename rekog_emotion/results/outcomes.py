"""What became of one of many: an analysis or an error."""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import frozen

__all__ = ["Outcome"]

S = TypeVar("S")
A = TypeVar("A")


@frozen(kw_only=True)
class Outcome(Generic[S, A]):
    """What became of one of many.

    Attributes:
        source: What it is about, as it was given.
        analysis: What was found; ``None`` where there was an error.
        error: Why there is no analysis.
    """

    source: S
    analysis: A | None = None
    error: Exception | None = None

    def result(self) -> A:
        """Return the analysis, or raise the error."""
        if self.analysis is None:
            raise self.error or AssertionError
        return self.analysis
