"""A photo's call: what is sent, how often, and what becomes of it when the time is over or the caller cancels."""

import re
import threading

import pytest

from rekog_emotion.errors import (
    AccessDeniedError,
    CallCancelledError,
    CallTimeoutError,
    InternalServiceError,
    InvalidInputError,
    ThrottledError,
)
from rekog_emotion.flows.detecting import PhotoRequest, detect, opening
from rekog_emotion.flows.rate import Pace, pace_of
from rekog_emotion.flows.steps import Call, Course, Facts, LateError, Resolve, Sleep, Work
from rekog_emotion.sources.images import PreparedImage
from rekog_emotion.values.s3 import S3Object
from rekog_emotion.wire.service import ENGINE_HEADER
from tests.scripted import ScriptedClient
from tests.stepping import BEGIN, Table

PHOTO = PreparedImage(wire={"Bytes": b"photo"}, size=(640, 480), name="me.jpg")
ANSWER = {"FaceDetails": []}
THROTTLED, DENIED, BROKEN = ThrottledError("slow down"), AccessDeniedError("no"), InternalServiceError("broken")
LATE = LateError()
MAY = "; the call may have reached the service, and may be charged"

pytestmark = pytest.mark.usefixtures("no_jitter")


def call(within=None):
    """Return the step of the call."""
    return Call("detect_faces", {"Image": {"Bytes": b"photo"}, "Attributes": ["ALL"]}, within=within)


def test_a_photo_is_read_before_its_client_is_made(tmp_path):
    """By a step of its own where that takes time."""
    path = tmp_path / "me.jpg"
    at_once, read = opening(S3Object(bucket="bucket", name="me.jpg"), "aws"), opening(path, "aws")

    assert next(at_once) == Resolve("aws")
    with pytest.raises(StopIteration) as end:
        at_once.send(("client", frozenset()))
    image, client = end.value.value
    assert (image.wire, client) == ({"S3Object": {"Bucket": "bucket", "Name": "me.jpg"}}, "client")
    with pytest.raises(InvalidInputError, match="there is no such file"):
        next(read).function()
    assert read.send(PHOTO) == Resolve("aws")


@pytest.mark.parametrize(
    ("answers", "options", "steps"),
    [
        ([ANSWER], {}, [call()]),
        ([THROTTLED, ANSWER], {}, [call(), Sleep(0.5), call()]),
        ([ANSWER], {"timeout": 60.0}, [call(60.0)]),
        ([ANSWER], {"cancellable": True}, [call(float("inf"))]),
        ([THROTTLED, ANSWER], {"timeout": 2.0}, [call(2.0), Sleep(0.5), call(1.5)]),
        ([THROTTLED, ANSWER], {"timeout": 2.0, "spent": 0.75}, [call(1.25), Sleep(0.5), call(0.75)]),
    ],
    ids=["once", "again", "in time", "cancellable", "what is left", "what was spent"],
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
        ([THROTTLED], {"timeout": 1.0}, {}, ThrottledError, "slow down", 2),
        (
            [ANSWER],
            {"timeout": 0.0},
            {},
            CallTimeoutError,
            "DetectFaces was not made: there was no time for it, and nothing was sent",
            0,
        ),
        ([LATE], {"timeout": 2.0}, {"takes": 2.0}, CallTimeoutError, f"DetectFaces got no answer after 2.0 s{MAY}", 1),
        (
            [THROTTLED, LATE],
            {"timeout": 4.0},
            {"takes": 1.75},
            CallTimeoutError,
            f"DetectFaces got no answer after 4.0 s and 2 attempts{MAY}",
            2,
        ),
        (
            [LATE],
            {"cancellable": True},
            {"takes": 0.5, "cancelled_at": 0.5},
            CallCancelledError,
            f"DetectFaces was cancelled after 0.5 s{MAY}",
            1,
        ),
        (
            [ANSWER],
            {"cancellable": True},
            {"cancelled_at": 0.0},
            CallCancelledError,
            "DetectFaces was cancelled before it was made: nothing was sent",
            0,
        ),
        (
            [THROTTLED],
            {"cancellable": True},
            {"cancelled_at": 0.25},
            CallCancelledError,
            "DetectFaces was cancelled after a failure: slow down",
            1,
        ),
        (
            [LateError("1 call goes on")],
            {"timeout": 2.0},
            {"takes": 2.0},
            CallTimeoutError,
            f"DetectFaces got no answer after 2.0 s{MAY}; 1 call goes on",
            1,
        ),
    ],
    ids=[
        "five times",
        "for good",
        "time over",
        "no time for more",
        "no time",
        "silent",
        "silent later",
        "cancelled",
        "before",
        "between",
        "left",
    ],
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


def paced(table, *, calls=1, timeout=60.0, patient=True, most=2.0):
    """Play the flow of a photo whose client has made calls before, at two a second."""
    pace = Pace(2.0, most=most)
    for _ in range(calls):
        pace.turn(BEGIN)
    options = {"timeout": timeout, "cancellable": True, "pace": pace, "patient": patient}
    return table.play(detect(PHOTO, ["ALL"], facts=Facts(retries=True), **options))


def test_waits_for_its_turn():
    """Which takes none of its time."""
    table = Table(ANSWER)

    paced(table, calls=5)

    assert table.steps == [Sleep(2.0), call(60.0)]


def test_is_patient():
    """Throttling halves the rate each second, and ends nothing but by the time."""
    table = Table(*[THROTTLED] * 7, ANSWER, takes=0.25)

    paced(table)

    assert len(table.calls) == 8


def test_is_patient_until_the_time_is_over():
    """Then the error is that of the last call, and no turn is waited for that would come too late."""
    table = Table(THROTTLED, takes=0.25)

    with pytest.raises(ThrottledError):
        paced(table, timeout=10.0)

    assert 10.0 - 5.0 <= table.now - 0.5 <= 10.0


def test_is_not_patient_with_what_breaks():
    """Five attempts are made, those that were throttled not counted."""
    table = Table(THROTTLED, BROKEN, THROTTLED, BROKEN)

    with pytest.raises(InternalServiceError):
        paced(table)

    assert len(table.calls) == 7


@pytest.mark.parametrize(("error", "epoch"), [(THROTTLED, 1), (BROKEN, 0)])
def test_only_throttling_tells_of_the_rate(error, epoch):
    """What breaks makes nobody slower."""
    pace = Pace(2.0, most=4.0)

    with pytest.raises(type(error)):
        Table(error).play(detect(PHOTO, ["ALL"], facts=Facts(), pace=pace))

    assert pace.epoch == epoch


def test_a_turn_from_before_the_rate_was_cut():
    """Is given up for another one."""
    pace = Pace(2.0, most=4.0)
    first, table = pace.turn(0.0), Table(ANSWER)
    flow = detect(PHOTO, ["ALL"], facts=Facts(), pace=pace)
    steps = [next(flow)]
    steps.append(flow.send(steps[0].function(0.0)))
    pace.throttled(first, 0.5)

    for answer in (None, False, 0.5):
        steps.append(flow.send(answer))
        if type(steps[-1]).__name__ == "Shared":
            break
    again = steps[-1].function(0.5)

    assert steps[1] == Sleep(0.5)
    assert (again.wait, again.epoch) == (1.0, 1)
    assert table.steps == []


def test_a_cancel_while_it_waits_for_its_turn():
    """Ends it, with nothing sent."""
    table = Table(ANSWER, cancelled_at=1.0)

    with pytest.raises(CallCancelledError) as caught:
        paced(table, calls=5)

    assert str(caught.value) == "DetectFaces was cancelled before it was made: nothing was sent"
    assert table.steps == [Sleep(2.0)]


def test_a_cancel_while_it_waits_anew_for_its_turn():
    """The turn that it had was void: it ends as the cancel is seen, and no wait follows."""
    pace = Pace(2.0, most=4.0)
    first, _ = pace.turn(BEGIN), pace.turn(BEGIN)

    class Cutting(Table):
        """Has the rate cut as the first turn has come."""

        def _now(self, step):
            pace.throttled(first, BEGIN + self.now)
            return super()._now(step)

    table = Cutting(ANSWER, cancelled_at=1.25)

    with pytest.raises(CallCancelledError) as caught:
        table.play(detect(PHOTO, ["ALL"], facts=Facts(retries=True), cancellable=True, pace=pace))

    assert str(caught.value) == "DetectFaces was cancelled before it was made: nothing was sent"
    assert table.steps == [Sleep(0.5), Sleep(1.0)]


def test_time_that_is_lost_between_looks_at_the_clock():
    """Is over all the same: nothing is tried again that there was no time for."""
    times = iter([0.0, 5.0])

    class Jumping(Table):
        """Stands still for five seconds between the first two looks at the clock."""

        def _now(self, step):
            self.now = next(times, self.now)
            return super()._now(step)

    table = Jumping(ANSWER)

    with pytest.raises(CallTimeoutError) as caught:
        table.play(detect(PHOTO, ["ALL"], facts=Facts(retries=True), timeout=3.0))

    assert str(caught.value) == "DetectFaces was not made: there was no time for it, and nothing was sent"
    assert table.steps == []


def test_no_wait_passes_the_time_that_is_left():
    """What was spent before the first attempt is none of it."""
    table = Table(THROTTLED)

    with pytest.raises(ThrottledError):
        table.play(detect(PHOTO, ["ALL"], facts=Facts(retries=True), timeout=2.0, spent=1.0))

    assert table.sleeps == [0.5, 0.5]


def test_what_is_cancelled_is_not_tried_again():
    """Nor is there a wait before that."""
    table = Table(ANSWER, cancelled_at=0.0)

    with pytest.raises(CallCancelledError):
        table.play(detect(PHOTO, ["ALL"], facts=Facts(retries=True), cancellable=True))

    assert table.steps == []


def test_what_is_cancelled_on_its_way_is_not_tried_again():
    """Nor is there a wait."""
    table = Table(LATE, takes=0.5, cancelled_at=0.5)

    with pytest.raises(CallCancelledError):
        table.play(detect(PHOTO, ["ALL"], facts=Facts(retries=True), cancellable=True))

    assert table.steps == [call(float("inf"))]


@pytest.mark.parametrize(("timeout", "waits"), [(1.5, [0.5]), (1.75, [0.5, 0.5])], ids=["as it is over", "before"])
def test_a_turn_that_comes_when_the_time_is_over(timeout, waits):
    """Is not waited for, as there would be no call."""
    table = Table(THROTTLED, takes=0.5)

    with pytest.raises(ThrottledError):
        paced(table, timeout=timeout, calls=0, most=4.0)

    assert table.sleeps == waits


def test_the_answer_is_read_at_once():
    """A hundred faces are not worth a thread."""
    course, works = Course(detect(PHOTO, ["ALL"], facts=Facts())), []
    for step in course:
        if isinstance(step, Work):
            works.append(step.short)
            course.answer(step.function())
        else:
            course.answer(ANSWER)

    assert works == [True]


def test_an_engine_that_says_its_name():
    """Is the one that answered, whoever was asked."""
    answer = {**ANSWER, "ResponseMetadata": {"HTTPHeaders": {ENGINE_HEADER: "embedded"}}}

    assert Table(answer).play(detect(PHOTO, ["ALL"], facts=Facts(engine="aws"))).engine == "embedded"


@pytest.mark.parametrize(("can", "at_stake"), [((), MAY), (("ends",), MAY), (("files", "ends"), ""), (("pixels",), "")])
@pytest.mark.parametrize("left", ["", "it goes on"])
def test_what_is_at_stake(can, at_stake, left):
    """A call of a service may be charged; of a client that works in this process nobody says so."""
    facts, goes_on = Facts(can=frozenset(can)), f"; {left}" if left else ""

    with pytest.raises(CallTimeoutError) as late:
        Table(LateError(left), takes=2.0).play(detect(PHOTO, ["ALL"], facts=facts, timeout=2.0))
    with pytest.raises(CallCancelledError) as cancelled:
        Table(LateError(left), takes=0.5, cancelled_at=0.5).play(detect(PHOTO, ["ALL"], facts=facts, cancellable=True))
    with pytest.raises(KeyboardInterrupt) as interrupted:
        Table(KeyboardInterrupt()).play(detect(PHOTO, ["ALL"], facts=facts))

    assert str(late.value) == f"DetectFaces got no answer after 2.0 s{at_stake}{goes_on}"
    assert str(cancelled.value) == f"DetectFaces was cancelled after 0.5 s{at_stake}{goes_on}"
    notes = [f"DetectFaces was under way: {at_stake.removeprefix('; ')}"] if at_stake else []
    assert getattr(interrupted.value, "__notes__", []) == notes


# --- what is asked for ---


@pytest.mark.parametrize(
    ("attributes", "timeout", "cancel", "begins"),
    [
        ("SMILES", -1, 5, "attributes= has 'SMILES'"),
        ("SMILE", -1, 5, "timeout=-1 is no duration"),
        ("SMILE", 1, 5, "cancel= got int"),
    ],
)
def test_what_is_wrong_is_told_in_order(attributes, timeout, cancel, begins):
    """Before the photo is read."""
    with pytest.raises(InvalidInputError, match=f"^{re.escape(begins)}"):
        PhotoRequest.of({"attributes": attributes, "timeout": timeout, "cancel": cancel}, now=BEGIN)


def test_what_is_asked_for_a_photo():
    """What is left of the time when the photo has been read and there is a client, at the pace of that."""
    options = {"attributes": "all", "timeout": 5, "cancel": threading.Event()}
    client, asked = ScriptedClient(), PhotoRequest.of(options, now=BEGIN - 3.0)
    without = PhotoRequest.of({"attributes": "all", "timeout": None}, now=BEGIN)
    first, _, third, endless = tables = [Table(ANSWER) for _ in range(4)]
    pace_of(client).limit(10.0)

    for table in tables[:3]:
        table.play(asked.detect(PHOTO, client, Facts(), now=BEGIN))
    endless.play(without.detect(PHOTO, ScriptedClient(), Facts(), now=BEGIN + 9.0))

    assert first.steps == [call(2.0)]
    assert third.sleeps == [pytest.approx(0.1, rel=0.05)]
    assert endless.steps == [call()]
