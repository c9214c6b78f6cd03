"""How fast the calls of many photos may follow each other, so that a quota is used and hardly ever passed.

Additive up and half down, as TCP does it: a throttled call halves the rate, and quiet raises it again, quickly to
nearly where it was throttled, slowly from there on. Times come from the caller, so that tests need none.
"""

from __future__ import annotations

from collections import deque
from typing import Final
from weakref import WeakKeyDictionary

from attrs import frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.values.numbers import as_float

__all__ = ["Pace", "Turn", "calls_a_second", "pace_in_use", "pace_of", "quota_in"]

# AWS's default quota of DetectFaces: 50 a second in the large regions, 5 in all others (Service Quotas L-A5121FD7).
_LARGE: Final = frozenset({"us-east-1", "us-east-2", "us-west-2", "eu-west-1"})
_QUOTA_OF_LARGE: Final = 50.0
_QUOTA: Final = 5.0

# Calls do not start exactly when they should, and a service that counts them by the second would see one too many.
_OF_A_QUOTA: Final = 0.98
_SLOWEST: Final = 0.2
_SETTLING: Final = 1.0  # seconds in which a service that counts by the second still sees the rate before
_LATE: Final = 1.0  # turns that may be made up for
_NEARLY: Final = 0.95  # of the rate that was throttled: quickly up to here
_QUICK: Final = 0.225  # of that rate, a second: two seconds from half of it
_SLOW: Final = 0.005  # likewise, from there on
_IMPATIENT: Final = 10.0  # seconds of quiet after which it creeps twice as fast, three times after two of them
_UNTRIED: Final = 0.05  # likewise, of a rate that has never been throttled: twice as fast in 14 seconds
_WINDOW: Final = 2.0  # seconds over which calls are counted
_SEVERAL, _SHARE = 3, 0.05  # throttled calls in them, at least, and their share, that tell of a rate that nobody knows
_PAIR: Final = 2  # likewise, of a rate that the caller knows: a single one was late, and the call after it too near


@frozen
class Turn:
    """When a call may be made.

    Attributes:
        wait: Seconds until then.
        epoch: How often the rate had been cut by then. Where it has been since, the turn is void: take another one.
    """

    wait: float
    epoch: int


class Pace:
    """The rate of one operation of a client, shared by all who call it, who use it one at a time.

    Args:
        rate: Calls a second at the start; left out, there is no limit until a call is throttled.
        most: Calls a second at most.
        begin: When the first turn is.

    Attributes:
        rate: Calls a second, as things stand.
        epoch: How often it has been cut.
    """

    def __init__(self, rate: float | None = None, *, most: float | None = None, begin: float = 0.0) -> None:
        self.rate = rate
        self._most = most
        self.epoch = 0
        self._next = begin  # when the next turn is
        self._at: float | None = None  # when the rate was looked at
        self._cut_at: float | None = None
        self._knee: float | None = None  # the rate that was throttled last
        self._quiet_from: float | None = None  # since when the rate creeps
        self._waited = False
        self._sent: deque[float] = deque()  # calls of the last seconds, and which of them were throttled
        self._refused: deque[float] = deque()

    @property
    def is_in_use(self) -> bool:
        """Whether a batch keeps to it, or has done so: until then calls do not wait for each other."""
        return self.rate is not None

    def limit(self, quota: float) -> None:
        """Keep to a quota that the caller knows, from now on.

        Args:
            quota: Calls a second.
        """
        if self._most == quota * _OF_A_QUOTA:
            return
        self.rate = self._most = quota * _OF_A_QUOTA
        self._knee = None

    def expect(self, quota: float) -> None:
        """Begin with a quota that is likely, where nothing is known; it is passed if that goes well."""
        if self.rate is None:
            self.rate = quota * _OF_A_QUOTA

    def turn(self, now: float) -> Turn:
        """Take the next turn.

        Args:
            now: Seconds on a clock that never goes back.
        """
        self._sent.append(now)
        while self._sent[0] < now - _WINDOW:
            self._sent.popleft()
        if self.rate is None:
            return Turn(0.0, self.epoch)
        self._grow(now)
        space = 1 / self.rate
        begin = max(self._next, now - _LATE * space)
        self._next = begin + space
        wait = max(0.0, begin - now)
        self._waited = self._waited or wait > 0
        return Turn(wait, self.epoch)

    def throttled(self, turn: Turn, now: float) -> None:
        """Halve the rate, once for all calls whose turns were taken before it was, and once a second.

        One call of many that is throttled may have other reasons than the rate: where there is none, it makes none,
        and one that the caller knows, it leaves alone.

        Args:
            turn: Of the call that was throttled.
            now: When.
        """
        if self._is_alone(now):
            return
        if turn.epoch < self.epoch or (self._cut_at is not None and now < self._cut_at + _SETTLING):
            return
        self.epoch += 1
        self._knee = self._measured(now) if self.rate is None else self.rate
        self.rate = max(self._knee / 2, _SLOWEST)
        self._quiet_from = None
        self._at = self._cut_at = now
        self._next = now + 1 / self.rate
        self._waited = False

    def _is_alone(self, now: float) -> bool:
        """Count a call that was throttled, and tell whether so few others were that it says nothing of the rate."""
        self._refused.append(now)
        while self._refused[0] < now - _WINDOW:
            self._refused.popleft()
        if self.rate is None:
            return len(self._refused) < _SEVERAL or len(self._refused) < _SHARE * len(self._sent)
        return self.rate == self._most and len(self._refused) < _PAIR

    def _measured(self, now: float) -> float:
        return max(len(self._sent) / max(1.0, now - min(self._sent, default=now)), _SLOWEST)

    def _grow(self, now: float) -> None:
        """Raise the rate for the time since it was last looked at, where callers had to wait for their turns."""
        since, self._at = self._at, now
        rate = self.rate or 0.0
        if since is None or now <= since or not self._waited:
            return
        self._waited = False
        seconds = min(now - since, _SETTLING)  # of a longer time nothing is known
        knee = self._knee or rate
        if self._knee is not None and rate < _NEARLY * knee:
            rate = min(rate + _QUICK * knee * seconds, _NEARLY * knee)
        else:
            if self._quiet_from is None:
                self._quiet_from = since
            impatience = _SLOW * (1 + (now - self._quiet_from) / _IMPATIENT)
            rate += knee * (_UNTRIED if self._knee is None else impatience) * seconds
        self.rate = rate if self._most is None else min(rate, self._most)


def calls_a_second(rate: object) -> float | None:
    """Return a caller's ``rate``.

    Raises:
        InvalidInputError: It is no number over zero.
    """
    if rate is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < as_float(rate) < float("inf"):
        msg = f"rate={rate!r} is no rate: pass calls a second, your quota for instance, or leave it out"
        raise InvalidInputError(msg)
    return float(rate)


def quota_in(region: str) -> float:
    """Return AWS's default quota of DetectFaces in a region, in calls a second."""
    return _QUOTA_OF_LARGE if region in _LARGE else _QUOTA


_PACES: Final[WeakKeyDictionary[object, Pace]] = WeakKeyDictionary()


def pace_in_use(client: object) -> Pace | None:
    """Return the pace of a client that many photos are sent by; ``None`` of any other."""
    pace = pace_of(client)
    return pace if pace.is_in_use else None


def pace_of(client: object) -> Pace:
    """Return the pace that all callers of a client share; what cannot be referenced weakly gets one a batch."""
    try:
        # One step, whatever other threads do.
        return _PACES.get(client) or _PACES.setdefault(client, Pace())
    except TypeError:
        return Pace()
