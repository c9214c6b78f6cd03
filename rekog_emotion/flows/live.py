"""What may be asked of what is live: options, their defaults and their checks. None of it needs an extra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

from attrs import field, fields_dict, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.flows.detecting import TIMEOUT
from rekog_emotion.flows.options import described
from rekog_emotion.flows.request import WATCH_RATE, WATCH_SMOOTH, Seconds, _attributes, _timeout, check_listeners
from rekog_emotion.values.numbers import check_from_zero

__all__ = ["WatchOptions", "WatchRequest", "asked"]

_FASTEST: Final = 1000.0  # samples a second: faces have times of whole milliseconds


@described
class WatchOptions(TypedDict, total=False):
    """What is asked of what is live, in whatever world.

    Attributes:
        rate: Samples a second. Default: ``2.0``.
        smooth: Width of the window in seconds, before each sample, over which scores are averaged; 0 for none.
            Default: ``1.0``.
        max_gap: Seconds that a person may be away and still be known again. Default: ``None``, two, or two samples if
            longer.
        attributes: As for :func:`rekog_emotion.detect_image`. Default: ``"ALL"``.
        max_calls: Calls after which it ends, with a moment that says so. Default: ``None``, no limit.
        timeout: Longest wait for one call: seconds, a ``timedelta``, or ``None`` for as long as it takes. Default:
            ``60.0``.
    """

    rate: float
    smooth: float
    max_gap: float | None
    attributes: str | Sequence[str]
    max_calls: int | None
    timeout: Seconds


def _rate(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given <= _FASTEST:
        msg = f"rate={given!r} is no rate: pass samples a second, over 0 and up to {_FASTEST:.0f}"
        raise InvalidInputError(msg)
    return float(given)


@frozen(kw_only=True)
class WatchRequest:
    """What a caller asks of what is live: :class:`WatchOptions`, checked.

    Raises:
        InvalidInputError: One of them cannot be used.
    """

    rate: float = field(default=WATCH_RATE, converter=_rate)
    smooth: float = WATCH_SMOOTH
    max_gap: float | None = None
    attributes: list[str] = field(default="ALL", converter=_attributes)
    max_calls: int | None = None
    timeout: float | None = field(default=TIMEOUT, converter=_timeout)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> WatchRequest:
        """Return the request among all options of a verb."""
        return cls(**{name: options[name] for name in fields_dict(cls) if name in options})

    def __attrs_post_init__(self) -> None:
        """Refuse a budget that is none, and times that are negative."""
        most = self.max_calls
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
            msg = f"max_calls={most!r} is no budget: pass 1 or more calls, or None for no limit"
            raise InvalidInputError(msg)
        check_from_zero(smooth=self.smooth, max_gap=self.max_gap or 0)


def asked(options: Mapping[str, Any]) -> WatchRequest:
    """Return what a caller wants.

    Args:
        options: Those of a watching, and of who is told.

    Raises:
        InvalidInputError: One of them cannot be used.
    """
    plan = WatchRequest.of(options)
    check_listeners(options["on_progress"], options.get("cancel"))
    return plan
