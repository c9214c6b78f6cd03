"""What can go wrong with a call, and when: the same plan for the fake client and for the local endpoint."""

from __future__ import annotations

import json
import threading
from typing import Literal, Self

from attrs import define, field, frozen

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.wire.service import CONTENT_TYPE, METHODS, Operation

__all__ = ["OPERATIONS", "Fault", "FaultPlan", "Operation"]

OPERATIONS = tuple(sorted(METHODS))
_GATEWAY = b"<html><body><h1>503 Service Unavailable</h1></body></html>"


@frozen(kw_only=True)
class Fault:
    """Something that goes wrong with a call: made by the methods below, used up by a :class:`FaultPlan`.

    Attributes:
        name: What it is, for messages.
        status: HTTP status code of the answer.
        body: The answer in place of the true one; ``None`` for the true one, for which the call is carried out.
        content_type: Of the answer.
        cut: The connection ends after half of the answer.
        reset: The connection is reset, and there is no answer.
        interval: Seconds between one byte of the answer and the next; ``None`` for no wait.
        until: What the answer waits for.
    """

    name: str
    status: int = 200
    body: bytes | None = field(default=None, repr=False)
    content_type: str = CONTENT_TYPE
    cut: bool = False
    reset: bool = False
    interval: float | None = None
    until: threading.Event | None = field(default=None, repr=False)

    @classmethod
    def error(cls, code: str, message: str = "", *, status: int = 400) -> Self:
        """An error of the service.

        Args:
            code: For example ``"InvalidS3ObjectException"``.
            message: The service's text.
            status: HTTP status code.
        """
        body = json.dumps({"__type": code, "Code": code, "Message": message}).encode()
        return cls(name=code, status=status, body=body)

    @classmethod
    def throttled(cls, *, status: Literal[400, 500] = 400) -> Self:
        """Too many requests; the service says so with either status."""
        text = "Slow down; sudden increase in rate of requests." if status == 400 else "Service Unavailable"  # noqa: PLR2004 -- HTTP's
        return cls.error("ThrottlingException", text, status=status)

    @classmethod
    def no_slot(cls) -> Self:
        """As many jobs as the account may run at once are running."""
        text = "20 open Jobs for User arn:aws:iam::123456789012:user/test Maximum limit: 20"
        return cls.error("LimitExceededException", text)

    @classmethod
    def internal_error(cls) -> Self:
        """The service failed (HTTP 500)."""
        return cls.error("InternalServerError", "Internal server error", status=500)

    @classmethod
    def expired_token(cls) -> Self:
        """The credentials were good, and are no more."""
        text = "The security token included in the request is expired"
        return cls.error("ExpiredTokenException", text)

    @classmethod
    def unavailable(cls) -> Self:
        """A gateway answers in place of the service: HTTP 503 with a page of HTML."""
        return cls(name="503 in HTML", status=503, body=_GATEWAY, content_type="text/html")

    @classmethod
    def garbage(cls, body: bytes = b"<html>Log in to the network</html>") -> Self:
        """HTTP 200 with something that is no answer of the service."""
        return cls(name="garbage", body=body)

    @classmethod
    def empty(cls) -> Self:
        """HTTP 200 without any content."""
        return cls(name="empty answer", body=b"")

    @classmethod
    def connection_reset(cls) -> Self:
        """The connection breaks before the call is carried out."""
        return cls(name="connection reset", body=b"", reset=True)

    @classmethod
    def lost_answer(cls) -> Self:
        """The call is carried out, a job started, and then the connection breaks."""
        return cls(name="lost answer", reset=True)

    @classmethod
    def cut_body(cls) -> Self:
        """The connection ends after half of the answer."""
        return cls(name="cut answer", cut=True)

    @classmethod
    def delayed(cls, until: threading.Event) -> Self:
        """The answer comes when an event is set; the end of a :class:`LocalEndpoint` sets it, too."""
        return cls(name="delayed answer", until=until)

    @classmethod
    def trickling(cls, interval: float) -> Self:
        """The answer comes a byte at a time; the fake client, which sends no bytes, does not wait.

        Args:
            interval: Seconds from byte to byte.
        """
        return cls(name="trickling answer", interval=interval)


@define
class _Cue:
    fault: Fault
    operation: str | None
    after: int
    times: float

    def take(self, operation: str) -> bool:
        """Tell whether the fault meets this call."""
        if self.operation not in {None, operation} or not self.times:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


class FaultPlan:
    """Says which call goes wrong, and how. May be shared by threads, clients and endpoints.

    >>> from rekog_emotion.testing import Fault, FaultPlan
    >>> plan = FaultPlan()
    >>> plan.add(Fault.throttled(), operation="GetFaceDetection", times=2)
    >>> plan.add(Fault.unavailable())
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cues: list[_Cue] = []

    def add(self, fault: Fault, *, operation: Operation | None = None, times: int | None = 1, after: int = 0) -> None:
        """Plan a fault. What was planned before comes first.

        Args:
            fault: What goes wrong.
            operation: With which operation; left out, with any.
            times: With how many calls; ``None`` for all from then on.
            after: Calls of the operation that go well before.

        Raises:
            InvalidInputError: There is no such operation, or a number of calls is negative.
        """
        if operation is not None and operation not in OPERATIONS:
            msg = f"operation={operation!r} is none of the service's: use {', '.join(OPERATIONS)} or leave it out"
            raise InvalidInputError(msg)
        for name, number in (("times", times), ("after", after)):
            if number is not None and number < 0:
                msg = f"{name}={number!r} is no number of calls: pass 0 or more"
                raise InvalidInputError(msg)
        with self._lock:
            self._cues.append(_Cue(fault, operation, after, float("inf") if times is None else times))

    def take(self, operation: str) -> Fault | None:
        """Return what goes wrong with the call that is made now, and count it."""
        with self._lock:
            return next((cue.fault for cue in self._cues if cue.take(operation)), None)

    def clear(self) -> None:
        """Let all calls go well from now on."""
        with self._lock:
            self._cues.clear()
