"""A photo's call: what is sent, how often, and what becomes of it when the time is over or the caller cancels."""

import pytest

from rekog_emotion.errors import AccessDeniedError, InternalServiceError, ThrottledError, TransportError
from rekog_emotion.flows.detecting import detect
from rekog_emotion.flows.steps import Call, Facts, LateError, Sleep
from rekog_emotion.sources.images import PreparedImage
from tests.stepping import Table

PHOTO = PreparedImage(wire={"Bytes": b"photo"}, size=(640, 480), name="me.jpg")
ANSWER = {"FaceDetails": []}
THROTTLED, DENIED, BROKEN = ThrottledError("slow down"), AccessDeniedError("no"), InternalServiceError("broken")
LATE = LateError()
MAY = "; the call may have reached the service, and may be charged"

pytestmark = pytest.mark.usefixtures("no_jitter")


def call(within=None):
    """Return the step of the call."""
    return Call("detect_faces", {"Image": {"Bytes": b"photo"}, "Attributes": ["ALL"]}, within=within)


@pytest.mark.parametrize(
    ("answers", "options", "steps"),
    [
        ([ANSWER], {}, [call()]),
        ([THROTTLED, ANSWER], {}, [call(), Sleep(0.5), call()]),
        ([ANSWER], {"timeout": 60.0}, [call(60.0)]),
        ([ANSWER], {"cancellable": True}, [call(float("inf"))]),
        ([THROTTLED, ANSWER], {"timeout": 2.0}, [call(2.0), Sleep(0.5), call(1.5)]),
        (
            [THROTTLED, THROTTLED, ANSWER],
            {"timeout": 1.0},
            [call(1.0), Sleep(0.5), call(0.5), Sleep(0.5), call(0.0)],
        ),
    ],
    ids=["once", "again", "in time", "cancellable", "what is left", "cut"],
)
def test_steps(answers, options, steps):
    """Each attempt has what is left of the time, and so has each wait."""
    table = Table(*answers)

    photo = table.play(detect(PHOTO, ["ALL"], facts=Facts(retries=True, engine="aws"), **options))

    assert table.steps == steps
    assert (photo.faces, photo.size, photo.engine, photo.source) == ((), (640, 480), "aws", "me.jpg")


@pytest.mark.parametrize(
    ("answers", "options", "script", "error", "message", "calls"),
    [
        ([THROTTLED], {}, {}, ThrottledError, "slow down", 5),
        ([DENIED], {}, {}, AccessDeniedError, "no", 1),
        ([BROKEN], {"timeout": 2.0}, {"takes": 1.0}, InternalServiceError, "broken", 2),
        ([LATE], {"timeout": 2.0}, {"takes": 2.0}, TransportError, f"DetectFaces got no answer after 2.0 s{MAY}", 1),
        (
            [THROTTLED, LATE],
            {"timeout": 4.0},
            {"takes": 1.75},
            TransportError,
            f"DetectFaces got no answer after 4.0 s and 2 attempts{MAY}",
            2,
        ),
        (
            [LATE],
            {"cancellable": True},
            {"takes": 0.5, "cancelled_at": 0.5},
            TransportError,
            f"DetectFaces was cancelled after 0.5 s{MAY}",
            1,
        ),
        (
            [ANSWER],
            {"cancellable": True},
            {"cancelled_at": 0.0},
            TransportError,
            "DetectFaces was cancelled before it was made: nothing was sent",
            0,
        ),
        ([THROTTLED], {"cancellable": True}, {"cancelled_at": 0.25}, ThrottledError, "slow down", 1),
    ],
    ids=["five times", "for good", "time over", "silent", "silent later", "cancelled", "before", "between"],
)
def test_ends(answers, options, script, error, message, calls):
    """The error says what was tried and how long, and is the last one where there is one."""
    table = Table(*answers, **script)

    with pytest.raises(error) as caught:
        table.play(detect(PHOTO, ["ALL"], facts=Facts(retries=True), **options))

    assert str(caught.value) == message
    assert len(table.calls) == calls


def test_leaves_trying_again_to_the_client():
    """Where the client does so by itself."""
    table = Table(THROTTLED)

    with pytest.raises(ThrottledError):
        table.play(detect(PHOTO, ["ALL"], facts=Facts(), timeout=60.0))

    assert table.steps == [call(60.0)]
