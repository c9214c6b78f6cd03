"""The faces of a photo: one call, tried again within its deadline, and what its answer means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from rekog_emotion.errors import TransportError
from rekog_emotion.flows import retrying
from rekog_emotion.flows.steps import Call, Cancelled, Facts, Flow, LateError, Now, Work
from rekog_emotion.results.image_analysis import ImageAnalysis
from rekog_emotion.sources.images import PreparedImage
from rekog_emotion.wire.answers import engine_of
from rekog_emotion.wire.service import DETECT_FACES

__all__ = ["detect"]

_NOTHING_SENT: Final = "was cancelled before it was made: nothing was sent"
_MAY_BE_CHARGED: Final = "the call may have reached the service, and may be charged"


def detect(
    image: PreparedImage,
    attributes: Sequence[str],
    *,
    facts: Facts,
    timeout: float | None = None,
    cancellable: bool = False,
) -> Flow[ImageAnalysis]:
    """Find the faces of an image.

    Args:
        image: What is sent.
        attributes: The names that the service knows, checked.
        facts: Of the client.
        timeout: Seconds for all attempts and the waits between them; ``None`` for as long as they take.
        cancellable: The caller may cancel: a call that is under way is then not waited for.

    Raises:
        TransportError: The time is over, or the caller has cancelled; what else the call raises is raised as it is.
    """
    request = {"Image": image.wire, "Attributes": list(attributes)}
    limited = timeout is not None or cancellable
    begin: float = (yield Now()) if limited else 0.0
    attempts, over = 0, False

    def attempt() -> Flow[Mapping[str, Any]]:
        nonlocal attempts, over
        answer: Mapping[str, Any]
        if not limited:
            answer = yield Call("detect_faces", request)
            return answer
        if (yield Cancelled()):
            over = True
            raise _given_up(_NOTHING_SENT)
        left = math.inf if timeout is None else max(begin + timeout - (yield Now()), 0.0)
        attempts += 1
        try:
            answer = yield Call("detect_faces", request, within=left)
        except LateError:
            over = True
            waited = (yield Now()) - begin
            why = "was cancelled" if (yield Cancelled()) else "got no answer"
            tried = "" if attempts == 1 else f" and {attempts} attempts"
            what = f"{why} after {waited:.1f} s{tried}; {_MAY_BE_CHARGED}"
            raise _given_up(what) from None
        return answer

    def passing(error: BaseException) -> bool:
        return retrying.is_transient(error) and not over

    if facts.retries:
        seconds = retrying.RETRY_SECONDS if timeout is None else timeout
        answer = yield from retrying.retried(attempt, passing=passing, seconds=seconds)
    else:
        answer = yield from attempt()
    engine = engine_of(answer) or facts.engine
    analysis: ImageAnalysis = yield Work(
        partial(ImageAnalysis.from_aws, answer, size=image.size, engine=engine, source=image.name)
    )
    return analysis


def _given_up(what: str) -> TransportError:
    return TransportError(f"{DETECT_FACES} {what}", operation=DETECT_FACES)
