"""One budget of GetFaceDetection calls for all jobs of a client, so that many jobs together stay within its quota."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

__all__ = ["Budget", "budget_of"]

# AWS's quota of GetFaceDetection is 5 calls a second in most regions, 20 in the largest (Service Quotas L-4E7ADAC1).
RATE: Final = 5.0
BURST: Final = 20.0


class Budget:
    """A token bucket, which its callers use one at a time.

    Looks at jobs wait for their turn. Pages do not: they are what a slot is freed by, and each takes the service longer
    than a look; they count, and looks wait the longer for them.

    Args:
        rate: Calls a second.
        burst: Calls that may be made at once after a time without any.
    """

    def __init__(self, rate: float = RATE, burst: float = BURST) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at: float | None = None

    def turn(self, now: float, *, waits: bool) -> float:
        """Count a call, and return how many seconds it has to wait; one that cannot wait has to wait for none."""
        if waits:
            return self.reserve(now)
        self.spend(now)
        return 0.0

    def reserve(self, now: float) -> float:
        """Take a call, and return how many seconds it has to wait.

        Args:
            now: Seconds on the clock that the caller waits by.
        """
        self._refill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def spend(self, now: float) -> None:
        """Count a call that does not wait; the debt is never more than a burst."""
        self._refill(now)
        self._tokens = max(self._tokens - 1, -self._burst)

    def _refill(self, now: float) -> None:
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now


_BUDGETS: Final[WeakKeyDictionary[object, Budget]] = WeakKeyDictionary()


def budget_of(client: object) -> Budget:
    """Return the budget that all jobs of a client share; what cannot be referenced weakly gets a new one."""
    try:
        return _BUDGETS.setdefault(client, Budget())  # one step, whatever other threads do
    except TypeError:
        return Budget()
