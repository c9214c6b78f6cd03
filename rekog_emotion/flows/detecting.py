"""The faces of a photo: one call, tried again within its deadline, and what its answer means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, TypedDict

from attrs import field, frozen

from rekog_emotion.errors import CallCancelledError, CallTimeoutError, RekogEmotionError, ThrottledError
from rekog_emotion.flows import retrying
from rekog_emotion.flows.options import described
from rekog_emotion.flows.rate import Pace, Turn, pace_in_use
from rekog_emotion.flows.request import Seconds, _attributes, _timeout, check_listeners
from rekog_emotion.flows.steps import (
    Call,
    Cancelled,
    Facts,
    Flow,
    LateError,
    Now,
    Opening,
    Resolve,
    Shared,
    Sleep,
    Work,
)
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.sources.images import ImageSource, PreparedImage, prepare_image, ready_image
from rekog_emotion.wire.answers import engine_of
from rekog_emotion.wire.service import DETECT_FACES

__all__ = ["TIMEOUT", "PhotoOptions", "PhotoRequest", "detect", "opening"]

TIMEOUT: Final = 60.0
"""Seconds for the call of a photo unless told otherwise."""

_NOTHING_SENT: Final = "was cancelled before it was made: nothing was sent"
_MAY_BE_CHARGED: Final = "the call may have reached the service, and may be charged"


@described
class PhotoOptions(TypedDict, total=False):
    """What is asked of a photo, in whatever world.

    Attributes:
        attributes: ``"ALL"``, ``"DEFAULT"`` (box, landmarks, pose, quality), or a list such as
            ``["DEFAULT", "EMOTIONS"]`` or ``"emotions,smile"``, in capitals or not; fewer are faster, the price is the
            same. Default: ``"ALL"``.
        timeout: Longest wait for the answer, with all attempts and the waits between them: seconds, a ``timedelta``, or
            ``None`` for as long as they take. Default: ``60.0``.
    """

    attributes: str | Sequence[str]
    timeout: Seconds


@frozen(kw_only=True)
class PhotoRequest:
    """What a caller asks for one photo, checked before it is read, which is before there is a client.

    Attributes:
        attributes: The names that the service knows.
        timeout: Seconds for all of it; ``None`` for as long as it takes.
        cancellable: The caller may cancel, other than by ending what the flow is performed in.
        begin: When the caller asked, by the clock that the flow is performed by.
    """

    attributes: list[str] = field(default="ALL", converter=_attributes)
    timeout: float | None = field(default=TIMEOUT, converter=_timeout)
    cancellable: bool = False
    begin: float

    @classmethod
    def of(cls, options: Mapping[str, Any], *, now: float) -> PhotoRequest:
        """Return the request among all options of a verb.

        Raises:
            InvalidInputError: One of them cannot be used.
        """
        cancel = options.get("cancel")
        attributes, timeout = options["attributes"], options["timeout"]
        request = cls(attributes=attributes, timeout=timeout, cancellable=cancel is not None, begin=now)
        check_listeners(None, cancel)
        return request

    def detect(self, image: PreparedImage, client: object, facts: Facts, *, now: float) -> Flow[ImageAnalysis]:
        """Find the faces of the photo, in what is left of the time.

        Args:
            image: The photo, which has been read.
            client: Who is asked: where a batch has set a pace for its calls, this one keeps to it, too.
            facts: Of the client.
            now: What time it is.
        """
        return detect(
            image,
            self.attributes,
            facts=facts,
            timeout=self.timeout,
            cancellable=self.cancellable,
            pace=pace_in_use(client),
            spent=now - self.begin,
        )


def opening(source: ImageSource, client: object) -> Opening[tuple[PreparedImage, Any]]:
    """Return a photo that has been read, and the client, which is made after it."""
    image = ready_image(source)
    if image is None:
        image = yield Work(partial(prepare_image, source))
    found, _ = yield Resolve(client)
    return image, found


def detect(
    image: PreparedImage,
    attributes: Sequence[str],
    *,
    facts: Facts,
    timeout: float | None = None,
    cancellable: bool = False,
    pace: Pace | None = None,
    patient: bool = False,
    spent: float = 0.0,
) -> Flow[ImageAnalysis]:
    """Find the faces of an image.

    Args:
        image: What is sent.
        attributes: The names that the service knows, checked.
        facts: Of the client.
        timeout: Seconds for all attempts and the waits between them; ``None`` for as long as they take.
        cancellable: The caller may cancel: a call that is under way is then not waited for.
        pace: How fast calls of the client may follow each other; left out, nothing is waited for. The wait for the
            first turn takes none of the time.
        patient: Throttling ends nothing but by the time.
        spent: Seconds of the time that are over: the picture was read, and the client made.

    Raises:
        CallTimeoutError: The time is over.
        CallCancelledError: The caller has cancelled.
        RekogEmotionError: What else the call raises is raised as it is.
    """
    attempts = _Attempts(image, attributes, facts=facts, timeout=timeout, cancellable=cancellable, pace=pace)
    yield from attempts.begin(spent)
    if facts.retries:
        seconds = retrying.RETRY_SECONDS if timeout is None else max(timeout - spent, 0.0)
        try:
            answer = yield from retrying.retried(
                attempts.one, passing=attempts.may_pass, seconds=seconds, waits_for=ThrottledError if patient else None
            )
        except RekogEmotionError as error:
            if cancellable and attempts.may_pass(error) and (yield Cancelled()):  # it waited for the next attempt
                what = f"was cancelled after a failure: {error}"
                raise _cancelled(what) from error
            raise
    else:
        answer = yield from attempts.one()
    engine = engine_of(answer) or facts.engine
    analysis: ImageAnalysis = yield Work(
        partial(ImageAnalysis.from_aws, answer, size=image.size, engine=engine, source=image.name),
        short=True,  # there are 100 faces at most
    )
    return analysis


class _Attempts:
    """Makes the attempts for one photo, each within what is left of its time."""

    def __init__(
        self,
        image: PreparedImage,
        attributes: Sequence[str],
        *,
        facts: Facts,
        timeout: float | None,
        cancellable: bool,
        pace: Pace | None,
    ) -> None:
        self._at_stake = "" if facts.local else _MAY_BE_CHARGED
        self._request = {"Image": image.wire, "Attributes": list(attributes)}
        self._timeout = math.inf if timeout is None else timeout
        self._limited = timeout is not None or cancellable
        self._pace = pace
        self._turn: Turn | None = None  # that was taken, and no call made in it
        self._begin = 0.0
        self._made = 0
        self._failure: RekogEmotionError | None = None  # of the last attempt
        self._over = False

    def begin(self, spent: float) -> Flow[None]:
        """Wait for the first turn; the time goes on from then."""
        yield from self._take_turn()
        self._begin = (yield Now()) - spent if self._limited else 0.0

    def one(self) -> Flow[Mapping[str, Any]]:
        """Make an attempt."""
        yield from self._take_turn()
        if self._limited and (yield Cancelled()):
            self._over = True
            raise _cancelled(_NOTHING_SENT)
        within = (yield from self._left()) if self._limited else None
        turn, self._turn = self._turn, None
        self._made += 1
        answer: Mapping[str, Any]
        try:
            answer = yield Call("detect_faces", self._request, within=within)
        except LateError as late:
            self._over = True
            raise (yield from self._late(late)) from None
        except RekogEmotionError as error:
            self._failure = error
            if isinstance(error, ThrottledError) and self._pace is not None and turn is not None:
                yield Shared(partial(self._pace.throttled, turn))
            raise
        except GeneratorExit:
            raise
        except BaseException as error:  # Ctrl-C, or the cancel of a task
            if self._at_stake and not isinstance(error, Exception):
                error.add_note(f"{DETECT_FACES} was under way: {self._at_stake}")
            raise
        return answer

    def may_pass(self, error: BaseException) -> bool:
        """Tell whether another attempt may go better."""
        return retrying.is_transient(error) and not self._over

    def _take_turn(self) -> Flow[None]:
        """Wait until a call may be made; a turn from before the rate was cut is none."""
        pace = self._pace
        if pace is None:
            return
        while self._turn is None or self._turn.epoch != pace.epoch:
            self._turn = turn = yield Shared(pace.turn)
            if not turn.wait:
                continue
            if self._failure is not None and turn.wait >= (yield from self._left()):
                self._over = True
                raise self._failure
            yield Sleep(turn.wait)
            if (yield Cancelled()):
                self._over = True
                raise _cancelled(_NOTHING_SENT)

    def _left(self) -> Flow[float]:
        """Return what is left of the time; there is no attempt without any."""
        left: float = self._begin + self._timeout - (yield Now())
        if left > 0:
            return left
        self._over = True
        if self._failure is not None:
            raise self._failure
        msg = f"{DETECT_FACES} was not made: there was no time for it, and nothing was sent"
        raise CallTimeoutError(msg, operation=DETECT_FACES)

    def _late(self, late: LateError) -> Flow[RekogEmotionError]:
        """Return the error of a call that is not waited for any longer."""
        waited = (yield Now()) - self._begin
        tried = "" if self._made == 1 else f" and {self._made} attempts"
        what = "; ".join(filter(None, (f"after {waited:.1f} s{tried}", self._at_stake, late.left)))
        if (yield Cancelled()):
            return _cancelled(f"was cancelled {what}")
        return CallTimeoutError(f"{DETECT_FACES} got no answer {what}", operation=DETECT_FACES)


def _cancelled(what: str) -> CallCancelledError:
    return CallCancelledError(f"{DETECT_FACES} {what}", operation=DETECT_FACES)
