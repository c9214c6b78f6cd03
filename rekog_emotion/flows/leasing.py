"""One rate for many processes: a lessor gives their calls turns, and each of them goes on without it if need be.

A lease has the turns of those who wait, in one row for all processes, so that their calls follow each other as evenly
as those of one. It also names the share of the rate that a lessee may go by where the lessor is lost; all shares
together are never more than the rate. Times come from the caller, so that tests need none.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from attrs import define, frozen

from rekog_emotion.flows.rate import Pace, Turn

__all__ = ["HEARTBEAT", "Lease", "LeaseRequest", "Lessee", "Lessor"]

HEARTBEAT: Final = 0.25
"""Seconds after which a lessee asks again, though nobody waits: it learns that the rate was cut."""

_SETTLING: Final = 1.0  # seconds in which a new lessor waits for those who still go by their shares
_GONE: Final = 4 * HEARTBEAT  # seconds after which a lessee that does not ask is none
_GLANCE: Final = 0.01  # seconds until a caller sees whether there is a turn
_NO_TURN: Final = -1  # the epoch of a turn that is none


@frozen(kw_only=True)
class LeaseRequest:
    """What a lessee asks for.

    Attributes:
        lessee: Who asks.
        turns: Callers that wait for one.
        refused: The epoch of each call that was throttled since it asked last.
        quota: Calls a second, where the user knows.
        likely: Calls a second to begin with, where nobody knows.
        share: Calls a second that it has gone by without a lessor; ``None`` where it has not.
        rate: Of all, as far as it knew.
    """

    lessee: str
    turns: int
    refused: tuple[int, ...] = ()
    quota: float | None = None
    likely: float | None = None
    share: float | None = None
    rate: float | None = None


@frozen(kw_only=True)
class Lease:
    """What a lessee is given.

    Attributes:
        lessor: Who gives it.
        epoch: How often the lessor has cut the rate.
        waits: Seconds until each turn, at most as many as were asked for.
        share: Calls a second to go by if the lessor is lost; ``None`` for no limit.
        rate: Of all.
    """

    lessor: str
    epoch: int
    waits: tuple[float, ...]
    share: float | None
    rate: float | None


@define
class _Known:
    """What a lessor knows of a lessee."""

    asked_at: float
    share: float = 0.0  # that it was told of


class Lessor:
    """Gives turns at one rate, which adapts as that of a single process does.

    Args:
        name: Another one than that of any lessor before it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._pace = Pace()
        self._lessees: dict[str, _Known] = {}
        self._began_at: float | None = None
        self._settled = False
        self._alone: dict[str, float] = {}  # the shares by which lessees say that they go
        self._rate: float | None = None  # that a lessor before this one had come to

    def lease(self, request: LeaseRequest, now: float) -> Lease:
        """Return what a lessee may do.

        Args:
            request: What it asks for.
            now: Seconds on a clock that never goes back.
        """
        known = self._lessees.setdefault(request.lessee, _Known(now))
        known.asked_at = now
        self._lessees = {name: one for name, one in self._lessees.items() if one.asked_at > now - _GONE}
        if not self._settled:
            self._settle(request, known, now)
        elif request.quota is not None:
            self._pace.limit(request.quota)
        for epoch in request.refused:
            self._pace.throttled(Turn(0.0, epoch), now)
        given = request.turns if self._pace.rate != 0 else 0
        turns = [self._pace.turn(now) for _ in range(given)]
        share = self._share_of(known)
        return Lease(
            lessor=self._name,
            epoch=self._pace.epoch,
            waits=tuple(turn.wait for turn in turns),
            share=share,
            rate=self._pace.rate if self._settled else self._rate,
        )

    def _settle(self, request: LeaseRequest, known: _Known, now: float) -> None:
        """Give no more than lessees go by already, until all that there are have had the time to come."""
        if self._began_at is None:
            self._began_at = now
        if request.quota is not None:
            self._pace.limit(request.quota)
        elif request.likely is not None:
            self._pace.expect(request.likely)
        if request.share is not None:
            known.share = self._alone.setdefault(request.lessee, request.share)
            self._rate = request.rate
        whole = self._rate if self._rate is not None else self._goal(request)
        self._settled = whole is None or now >= self._began_at + _SETTLING
        self._rate = whole
        self._pace.rate = whole if self._settled else min(sum(self._alone.values()), whole or 0.0)

    def _goal(self, request: LeaseRequest) -> float | None:
        goal = Pace()
        if request.quota is not None:
            goal.limit(request.quota)
        elif request.likely is not None:
            goal.expect(request.likely)
        return goal.rate

    def _share_of(self, known: _Known) -> float | None:
        """Return what a lessee goes by without this lessor: what is due to it, as far as the others leave it."""
        rate = self._pace.rate
        if rate is None:
            return None
        if not self._settled:  # there may be others who go by shares, and have not come yet
            return known.share
        others = sum(one.share for one in self._lessees.values() if one is not known)
        known.share = min(rate / len(self._lessees), max(rate - others, 0.0))
        return known.share


class Lessee(Pace):
    """The pace of a client whose turns come from a lessor.

    Args:
        name: Another one than that of any other lessee.
        quota: Calls a second, where the user knows.
        likely: Calls a second to begin with, where nobody knows.
    """

    def __init__(self, name: str, *, quota: float | None = None, likely: float | None = None) -> None:
        super().__init__()
        self._name = name
        self._quota = quota
        self._likely = likely
        self._waiting = 0
        self._turns: deque[float] = deque()  # when those are that nobody has taken yet
        self._last = 0.0  # turn that came from the lessor
        self._refusals: list[int] = []
        self._lease: Lease | None = None
        self._alone: Pace | None = None

    @property
    def is_in_use(self) -> bool:
        """It always is."""
        return True

    def limit(self, quota: float) -> None:
        """Leave the limit to the lessor."""

    def expect(self, quota: float) -> None:
        """Leave what is likely to the lessor."""

    @property
    def is_waited_for(self) -> bool:
        """Whether there is something to ask the lessor for, or to tell it."""
        return self._waiting > 0 or bool(self._refusals)

    def turn(self, now: float) -> Turn:
        """Take the next turn; where there is none yet, one that is void, and means to look again."""
        space = 1 / self.rate if self.rate else 0.0
        while self._turns and self._turns[0] < now - max(space, _GLANCE):
            self._turns.popleft()  # to make up for it would be to crowd the turns of the others
        if self._turns:
            return Turn(max(self._turns.popleft() - now, 0.0), self.epoch)
        if self._alone is None:
            self._waiting += 1
        elif self._alone.rate != 0:
            return Turn(self._alone.turn(now).wait, self.epoch)
        return Turn(_GLANCE, _NO_TURN)

    def throttled(self, turn: Turn, now: float) -> None:
        """Tell the lessor of a call that was throttled; without one, it counts against the share."""
        if turn.epoch != self.epoch:
            return
        if self._alone is not None:
            before = self._alone.epoch
            self._alone.throttled(Turn(0.0, before), now)
            self.epoch += self._alone.epoch - before
        elif self._lease is not None:
            self._refusals.append(self._lease.epoch)

    def request(self) -> LeaseRequest:
        """Return what is asked of the lessor now."""
        alone = self._alone is not None and self._lease is not None
        return LeaseRequest(
            lessee=self._name,
            turns=self._waiting,
            refused=tuple(self._refusals),
            quota=self._quota,
            likely=self._likely,
            share=(self._alone.rate or 0.0) if self._alone is not None and alone else None,
            rate=self.rate if alone else None,
        )

    def granted(self, request: LeaseRequest, lease: Lease, now: float) -> None:
        """Take what the lessor gave.

        Args:
            request: What it was asked for.
            lease: What it gave.
            now: When that arrived.
        """
        before, self._lease, self.rate = self._lease, lease, lease.rate
        if before is None or self._alone is not None or (before.lessor, before.epoch) != (lease.lessor, lease.epoch):
            self.epoch += 1
            self._turns.clear()
        self._alone = None
        del self._refusals[: len(request.refused)]
        self._waiting = 0
        self._turns.extend(now + wait for wait in lease.waits)
        self._last = max(self._last, *self._turns) if self._turns else self._last

    def lost(self, now: float) -> None:
        """Go on by the share that the last lease named, after the turns that came with it."""
        if self._alone is not None:
            return
        self._waiting = 0
        self._refusals.clear()
        share = 0.0 if self._lease is None else self._lease.share
        begin = max(self._last + 1 / share, now) if share else now
        self._alone = Pace(share, most=share, begin=begin)
