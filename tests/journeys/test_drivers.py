"""The same flows in threads and in asyncio tasks: equal calls, sleeps and ends, row by row of one table."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from concurrent.futures import Future

import pytest
from attrs import field, frozen
from botocore.exceptions import ReadTimeoutError

from rekog_emotion import SnsSqs
from rekog_emotion.aio.driver import Driver as Tasks
from rekog_emotion.blocking.driver import Driver as Threads
from rekog_emotion.flows.detecting import detect
from rekog_emotion.flows.job import Job
from rekog_emotion.flows.request import VideoRequest
from rekog_emotion.flows.starting import Starter
from rekog_emotion.sources.images import PreparedImage
from rekog_emotion.sources.videos import PreparedVideo
from rekog_emotion.testing import VirtualClock
from rekog_emotion.values.s3 import S3Object
from tests.scripted import IN_PROGRESS, LOST, STARTED, ScriptedClient, Shelf, failed, page, refusal
from tests.tasks import LoopTime

PHOTO = PreparedImage(wire={"Bytes": b"photo"}, size=(640, 480), name="me.jpg")
VIDEO = PreparedVideo(place=S3Object(bucket="bucket", name="clip.mp4"), name="s3://bucket/clip.mp4")
UPLOAD = S3Object(bucket="shelf", name="k-1", version="v-1")
LEFT = S3Object(bucket="b", name=f"rekog-emotion-{'0' * 32}.mp4")
CHANNEL = {"topic_arn": "arn:aws:sns:eu-west-1:1:ends", "role_arn": "arn:aws:iam::1:role/r", "queue_url": "https://q/1"}
UNHEARD = ReadTimeoutError(endpoint_url="https://rekognition.example")
MINE = {"client_request_token": "mine"}
FACES = {"FaceDetails": [{"Confidence": 99.0}]}


def refused(code, operation="GetFaceDetection"):
    """Return one of the service's errors."""
    return refusal(code, operation=operation)


THROTTLED, EXPIRED = refused("ThrottlingException"), refused("InvalidPaginationTokenException")
BROKE, UNKNOWN = refusal("InternalServerError", status=500), refused("ResourceNotFoundException")
FULL = refused("LimitExceededException", "StartFaceDetection")
BUSY, DENIED = (refused(f"{code}Exception", "StartFaceDetection") for code in ("Throttling", "AccessDenied"))


def message(job_id="j-1", status="SUCCEEDED"):
    """Return a message of the service, as the queue gives it."""
    body = json.dumps({"JobId": job_id, "Status": status})
    return {"Body": body, "ReceiptHandle": job_id}


@frozen(kw_only=True)
class Script:
    """What happens to one flow, and how it ends.

    Attributes:
        flow: Makes it, from the facts of the client and a local file.
        get: What GetFaceDetection, or DetectFaces, answers in turn.
        start: Likewise StartFaceDetection.
        queue: Likewise the queue's ReceiveMessage; an error is raised.
        retries: The client leaves trying again to us.
        cancel: Second at which the caller cancels.
        sticks: What was uploaded cannot be deleted.
        end: The error, or how many faces or what else there is.
        calls: How many calls there are.
    """

    flow: object
    get: list = field(factory=lambda: [page()])
    start: list = field(factory=lambda: [STARTED])
    queue: list = field(factory=list)
    retries: bool = True
    cancel: float | None = None
    sticks: bool = False
    ended: bool = False
    end: object = 0
    calls: int = 1


# --- flows ---


def photo(facts, _):
    """Find the faces of a photo."""
    return len((yield from detect(PHOTO, ["ALL"], facts=facts)).faces)


def timed_photo(facts, _):
    """Find the faces of a photo within a minute."""
    return len((yield from detect(PHOTO, ["ALL"], facts=facts, timeout=60.0, cancellable=True)).faces)


def resumed(limit=3600.0, **known):
    """Take a job up and read it."""

    def flow(facts, _):
        return len((yield from Job(job_id="j-1", facts=facts, **known).result(limit)).faces)

    return flow


def waited(limit=3600.0, **known):
    """Take a job up and wait for it."""

    def flow(facts, _):
        return (yield from Job(job_id="j-1", facts=facts, **known).wait(limit))

    return flow


def status(facts, _):
    """Ask once."""
    return str((yield from Job(job_id="j-1", facts=facts, upload=UPLOAD).status()))


def discarded(facts, _):
    """Take an upload away, twice."""
    job = Job(job_id="j-1", facts=facts, upload=UPLOAD)
    for _ in range(2):
        yield from job.discard()
    return job.upload


def started(*, local=False, **asked):
    """Start a job."""

    def flow(facts, clip):
        video = PreparedVideo(place=clip, name="clip.mp4") if local else VIDEO
        job = yield from Starter(asked=VideoRequest(**MINE, **asked), facts=facts).start(video)
        return job.job_id

    return flow


def analyzed(*, local=False, timeout=3600.0, fresh=False, **asked):
    """Start a job, wait for it and read it."""

    def flow(facts, clip):
        video = PreparedVideo(place=clip, name="clip.mp4") if local else VIDEO
        token = {} if fresh else MINE
        job = yield from Starter(asked=VideoRequest(**token, **asked), facts=facts).start(video)
        return len((yield from job.result(timeout)).faces)

    return flow


def told(queue_url="https://q/1", **options):
    """Analyse a video whose end is told by message."""

    def flow(facts, clip):
        notify = SnsSqs(**{**CHANNEL, "queue_url": queue_url}, sqs_client=told.client, **options)
        return (yield from analyzed(fresh=True, notify=notify)(facts, clip))

    return flow


def unheard(**asked):
    """Start a job whose queue nobody can ask: its client cannot be made."""
    return started(notify=SnsSqs(**CHANNEL), **asked)


ANSWERS = {
    # calls and failures of a photo
    "photo": Script(flow=photo, get=[FACES], end=1),
    "photo, no faces": Script(flow=photo, get=[{"FaceDetails": []}], end=0),
    "photo, throttled": Script(flow=photo, get=[THROTTLED, THROTTLED, FACES], end=1, calls=3),
    "photo, no answer": Script(flow=photo, get=[LOST, FACES], end=1, calls=2),
    "photo, mixed": Script(flow=photo, get=[BROKE, THROTTLED, LOST, FACES], end=1, calls=4),
    "photo, five times": Script(flow=photo, get=[THROTTLED], end="ThrottledError", calls=5),
    "photo, their client": Script(flow=photo, get=[THROTTLED], retries=False, end="ThrottledError"),
    "photo, denied": Script(flow=photo, get=[refused("AccessDeniedException", "DetectFaces")], end="AccessDeniedError"),
    "photo, garbage": Script(flow=photo, get=[{}], end="ResponseError"),
    "photo, a bug": Script(flow=photo, get=[ValueError("a bug")], end="ValueError"),
    "photo, in time": Script(flow=timed_photo, get=[THROTTLED, FACES], end=1, calls=2),
    "photo, cancelled between": Script(flow=timed_photo, get=[THROTTLED], cancel=0.25, end="CallCancelledError"),
    # polling
    "done at once": Script(flow=resumed(), get=[page(0, 500)], end=2),
    "done later": Script(flow=resumed(), get=[IN_PROGRESS, IN_PROGRESS, page(0)], end=1, calls=3),
    "done much later": Script(flow=resumed(None), get=[*[IN_PROGRESS] * 40, page(0)], end=1, calls=41),
    "a throttled look": Script(flow=resumed(), get=[THROTTLED, THROTTLED, page(0)], end=1, calls=3),
    "a lost look": Script(flow=resumed(), get=[IN_PROGRESS, LOST, IN_PROGRESS, page(0)], end=1, calls=4),
    "a broken look": Script(flow=resumed(), get=[{}, {}, {}, {}, page(0)], end=1, calls=5),
    "always broken": Script(flow=resumed(), get=[{}], end="ResponseError", calls=5),
    "no such job": Script(flow=resumed(), get=[UNKNOWN], end="JobNotFoundError"),
    "failed": Script(flow=resumed(), get=[IN_PROGRESS, failed("Bad codec")], end="JobFailedError", calls=2),
    "failed, no reason": Script(flow=resumed(), get=[failed()], end="JobFailedError"),
    "no time": Script(flow=resumed(0.0), get=[IN_PROGRESS], end="JobTimeoutError"),
    "time over": Script(flow=resumed(3.0), get=[IN_PROGRESS], end="JobTimeoutError", calls=4),
    "time over, throttled": Script(flow=resumed(4.0), get=[IN_PROGRESS, THROTTLED], end="JobTimeoutError", calls=4),
    "a known length": Script(flow=analyzed(fresh=True, video_length=600), get=[IN_PROGRESS, page(0)], end=1, calls=3),
    "waited for alone": Script(flow=waited(), get=[IN_PROGRESS, page(0)], end=None, calls=2),
    "its end is heard": Script(flow=resumed(), get=[*[IN_PROGRESS] * 3, page(0)], ended=True, end=1, calls=4),
    "its end is heard, time over": Script(
        flow=resumed(5.0), get=[IN_PROGRESS], ended=True, end="JobTimeoutError", calls=6
    ),
    "an unknown status": Script(
        flow=resumed(), get=[IN_PROGRESS, {"JobStatus": "PAUSED"}], end="ResponseError", calls=6
    ),
    "an unknown status, told": Script(
        flow=told(), get=[{"JobStatus": "PAUSED"}], queue=[{"Messages": [message()]}], end="ResponseError", calls=8
    ),
    # one look
    "status, unknown": Script(flow=status, get=[{"JobStatus": "PAUSED"}], end="ResponseError"),
    "status": Script(flow=status, get=[IN_PROGRESS], end="IN_PROGRESS"),
    "status, ended": Script(flow=status, get=[page(0)], end="SUCCEEDED"),
    "status, failed": Script(flow=status, get=[failed()], end="FAILED"),
    "status, throttled": Script(flow=status, get=[THROTTLED], end="ThrottledError"),
    "status, upload sticks": Script(flow=status, get=[page(0)], sticks=True, end="StagingError"),
    # pages
    "three pages": Script(flow=resumed(), get=[page(0, then="a"), page(500, then="b"), page(1000)], end=3, calls=3),
    "empty pages": Script(flow=resumed(), get=[page(then="a"), page(0, then="b"), page()], end=1, calls=3),
    "a page again": Script(flow=resumed(), get=[page(0, then="a"), THROTTLED, LOST, page(500)], end=2, calls=4),
    "a page left to them": Script(
        flow=resumed(), get=[page(0, then="a"), THROTTLED], retries=False, end="ThrottledError", calls=2
    ),
    "a broken page": Script(flow=resumed(), get=[page(0, then="a"), {}, {}, page(500)], end=2, calls=4),
    "a page of an unknown status": Script(
        flow=resumed(), get=[page(0, then="a"), {"JobStatus": "PAUSED"}], end="ResponseError", calls=7
    ),
    "a page always broken": Script(flow=resumed(), get=[page(0, then="a"), {}], end="ResponseError", calls=7),
    "an expired token": Script(
        flow=resumed(), get=[page(0, then="a"), EXPIRED, page(0, then="b"), page(500)], end=2, calls=4
    ),
    "tokens that always expire": Script(
        flow=resumed(),
        get=[page(0, then="a"), EXPIRED, page(0, then="b"), EXPIRED],
        end="InvalidPaginationTokenError",
        calls=4,
    ),
    "a token twice": Script(flow=resumed(), get=[page(0, then="a"), page(1, then="a")], end="PaginationError", calls=2),
    "faces twice": Script(flow=resumed(), get=[page(0, then="a"), page(0)], end="PaginationError", calls=2),
    "other faces": Script(flow=resumed(), get=[page(0, then="a"), EXPIRED, page(1)], end="PaginationError", calls=3),
    "a page in progress": Script(flow=resumed(), get=[page(0, then="a"), IN_PROGRESS], end="PaginationError", calls=2),
    "a page failed": Script(flow=resumed(), get=[page(0, then="a"), failed()], end="JobFailedError", calls=2),
    # cancels
    "cancelled before": Script(flow=resumed(), cancel=0.0, end="JobCancelledError", calls=0),
    "cancelled while waiting": Script(flow=resumed(), get=[IN_PROGRESS], cancel=10.0, end="JobCancelledError", calls=7),
    "cancelled while failing": Script(flow=resumed(), get=[THROTTLED], cancel=2.0, end="JobCancelledError", calls=2),
    "cancelled while a page is tried again": Script(
        flow=resumed(), get=[page(0, then="a"), THROTTLED], cancel=0.25, end="JobCancelledError", calls=2
    ),
    "cancelled for a slot": Script(
        flow=started(local=True), start=[FULL], cancel=12.5, end="JobCancelledError", calls=2
    ),
    "cancelled with an upload": Script(
        flow=analyzed(local=True), get=[IN_PROGRESS], cancel=5.0, end="JobCancelledError", calls=5
    ),
    "cancelled while a start is tried again": Script(
        flow=started(local=True), start=[BUSY], cancel=0.25, end="JobCancelledError"
    ),
    # slots and starts
    "started": Script(flow=started(), end="j-1"),
    "not started, no client of the queue": Script(flow=unheard(), end="ConfigurationError", calls=0),
    "not uploaded, no client of the queue": Script(flow=unheard(local=True), end="ConfigurationError", calls=0),
    "a slot later": Script(flow=started(), start=[FULL, FULL, STARTED], end="j-1", calls=3),
    "no slot in time": Script(flow=started(slot_timeout=25), start=[FULL], end="JobTimeoutError", calls=4),
    "no time for a slot": Script(flow=started(slot_timeout=0), start=[FULL], end="JobTimeoutError"),
    "started again": Script(flow=started(), start=[LOST, BUSY, STARTED], end="j-1", calls=3),
    "started, broken answers": Script(flow=started(), start=[{}, {"JobId": ""}, STARTED], end="j-1", calls=3),
    "not started, denied": Script(flow=started(), start=[DENIED], end="AccessDeniedError"),
    "not started, unheard": Script(flow=started(), start=[UNHEARD], end="TransportError", calls=5),
    "not started, busy": Script(flow=started(), start=[BUSY], end="ThrottledError", calls=5),
    "not started, their client": Script(flow=started(), start=[BUSY], retries=False, end="ThrottledError"),
    # uploads
    "an upload": Script(flow=analyzed(local=True), get=[IN_PROGRESS, page(0)], end=1, calls=3),
    "an upload in vain": Script(flow=started(local=True), start=[DENIED], end="AccessDeniedError"),
    "an upload in vain that sticks": Script(flow=started(local=True), start=[DENIED], sticks=True, end="StagingError"),
    "an upload of a failed job": Script(flow=analyzed(local=True), get=[failed("Bad")], end="JobFailedError", calls=2),
    "an upload that sticks": Script(flow=analyzed(local=True), get=[page(0)], sticks=True, end="StagingError", calls=2),
    "an upload of a job that goes on": Script(
        flow=analyzed(local=True, timeout=1.0), get=[IN_PROGRESS], end="JobTimeoutError", calls=4
    ),
    "an upload and an error": Script(flow=analyzed(local=True), get=[UNKNOWN], end="JobNotFoundError", calls=2),
    "discarded": Script(flow=discarded, end=None, calls=0),
    "discarded in vain": Script(flow=discarded, sticks=True, end="StagingError", calls=0),
    # messages
    "a message": Script(flow=told(), queue=[{}, {"Messages": [message()]}], get=[page(0)], end=1, calls=5),
    "a message of others": Script(
        flow=told(), queue=[{"Messages": [message("j-2")]}, {"Messages": [message()]}], get=[page(0)], end=1, calls=6
    ),
    "a message of failure": Script(
        flow=told(),
        queue=[{"Messages": [message(status="FAILED")]}],
        get=[failed("Bad")],
        end="JobFailedError",
        calls=4,
    ),
    "a lost message": Script(flow=told(), queue=[{}], get=[page(0)], end=1, calls=17),
    "a queue that fails": Script(
        flow=told(), queue=[RuntimeError("no access")], get=[IN_PROGRESS, page(0)], end=1, calls=5
    ),
    "cancelled at the queue": Script(flow=told(), queue=[{}], cancel=50.0, end="JobCancelledError", calls=4),
}


# --- two worlds ---


class Client(ScriptedClient):
    """A scripted client for photos, too."""

    def __init__(self, script):
        super().__init__(*script.get, start=script.start, retries=script.retries)
        if script.ended:
            self.rekog_capabilities = frozenset({"ends"})

    def detect_faces(self, **parameters):
        """Answer DetectFaces."""
        return self._next("get", parameters)

    def ended(self, _):
        """Tell that it is not in this process that the job ends."""
        end = Future()
        end.set_result(None)
        return end


class Queue:
    """A queue that answers from a script, and takes its time where nothing comes."""

    def __init__(self, script, clock, calls):
        self._script, self._clock, self._calls = list(script.queue), clock, calls

    def receive_message(self, **parameters):
        """Answer ReceiveMessage."""
        self._calls.append(("receive", parameters["WaitTimeSeconds"]))
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(step, Exception):
            raise step
        return step

    def delete_message(self, **parameters):
        """Answer DeleteMessage."""
        self._calls.append(("delete", parameters["ReceiptHandle"]))

    def change_message_visibility(self, **parameters):
        """Answer ChangeMessageVisibility."""
        self._calls.append(("release", parameters["ReceiptHandle"]))


def awaited(kind):
    """Return a class whose methods are coroutine functions."""

    def of(name):
        async def method(self, *args, **options):
            await asyncio.sleep(0)
            return getattr(super(made, self), name)(*args, **options)

        return method

    names = [
        name for name in dir(kind) if not name.startswith("_") and name != "ended" and callable(getattr(kind, name))
    ]
    made = type(f"Awaited{kind.__name__}", (kind,), {name: of(name) for name in names})
    return made


def end_of(error):
    """Return what an end says: its kind, text, notes and state."""
    if isinstance(error, asyncio.CancelledError):
        error = error.__cause__
    if isinstance(error, BaseException):
        return type(error).__name__, str(error), getattr(error, "__notes__", []), getattr(error, "state", None)
    return error


def in_threads(script, clip):
    """Play a script by the blocking driver."""
    clock, client, shelf, cancel, reports = (
        VirtualClock(),
        Client(script),
        Shelf(broken=script.sticks),
        threading.Event(),
        [],
    )
    told.client = Queue(script, clock, client.calls)
    if script.cancel == 0:
        cancel.set()
    elif script.cancel is not None:
        clock.at(script.cancel, cancel.set)
    driver = Threads(client=client, clock=clock, staging=shelf)
    try:
        end = driver.run(script.flow(driver.facts, clip), cancel=cancel, on_progress=reports.append)
    except Exception as error:  # noqa: BLE001 -- it is what is compared
        end = error
    return end_of(end), plain(client.calls), clock.sleeps, clock.now(), shelf.events, reports


def in_tasks(script, clip, *, blocking):
    """Play a script by the asyncio driver, with a client of either world."""
    clock, reports = LoopTime(), []
    client = (Client if blocking else awaited(Client))(script)
    shelf = (Shelf if blocking else awaited(Shelf))(broken=script.sticks)
    told.client = (Queue if blocking else awaited(Queue))(script, clock, client.calls)

    async def main():
        task = asyncio.current_task()
        if script.cancel == 0:
            task.cancel()
        elif script.cancel is not None:
            clock.at(script.cancel, task.cancel)
        driver = Tasks(client=client, clock=clock, staging=shelf)
        try:
            end = await driver.run(script.flow(driver.facts, clip), on_progress=reports.append)
        except BaseException as error:  # noqa: BLE001 -- it is what is compared
            end = error
        return end, len(asyncio.all_tasks())

    end, tasks = asyncio.run(main())
    assert tasks == 1
    return end_of(end), plain(client.calls), clock.sleeps, clock.now(), shelf.events, reports


def plain(calls):
    """Return calls without what is random."""
    return [
        {name: value for name, value in call.items() if name != "ClientRequestToken"}
        if isinstance(call, dict)
        else call
        for call in calls
    ]


def test_the_table_is_long_enough():
    """Sixty scripts at least."""
    assert len(ANSWERS) >= 60


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize("name", ANSWERS)
def test_both_worlds(name, tmp_path):
    """Threads and tasks make the same calls, sleep the same, tell the same and end the same."""
    script, clip = ANSWERS[name], tmp_path / "clip.mp4"
    clip.write_bytes(b"\0\0\0\x18ftypmp42")

    in_thread = in_threads(script, clip)

    end, calls, *_ = in_thread
    assert ((end[0] if isinstance(end, tuple) else end), len(calls)) == (script.end, script.calls)
    assert in_tasks(script, clip, blocking=False) == in_thread
    assert in_tasks(script, clip, blocking=True) == in_thread


PAGES = [name for name in ANSWERS if "page" in name and ANSWERS[name].cancel is None]


def given_in_threads(script, taken):
    """Return the pages, or those up to one, as the blocking driver gives them; then the error, and the sleeps."""
    clock, given = VirtualClock(), []
    driver = Threads(client=Client(script), clock=clock)
    pages = driver.iterate(Job(job_id="j-1", facts=driver.facts).pages(3600.0))
    try:
        given.extend(itertools.islice(pages, taken))
    except Exception as error:  # noqa: BLE001 -- it is what is compared
        given.append(end_of(error))
    pages.close()
    for thread in threading.enumerate():
        if thread.name == "rekog-emotion-page":
            thread.join()
    return given, clock.sleeps if taken is None else None


async def given_in_tasks(script, taken):
    """Return what the asyncio driver gives; no task is left."""
    clock, given = LoopTime(), []
    driver = Tasks(client=awaited(Client)(script), clock=clock)
    pages = driver.iterate(Job(job_id="j-1", facts=driver.facts).pages(3600.0))
    try:
        while taken is None or len(given) < taken:
            given.append(await anext(pages))
    except StopAsyncIteration:
        pass
    except Exception as error:  # noqa: BLE001 -- it is what is compared
        given.append(end_of(error))
    await pages.aclose()
    assert len(asyncio.all_tasks()) == 1
    return given, clock.sleeps if taken is None else None


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize("taken", [1, 2, None], ids=["one", "two", "all"])
@pytest.mark.parametrize("name", PAGES)
def test_both_worlds_give(name, taken):
    """Page by page, too, also where the caller stops half-way."""
    assert asyncio.run(given_in_tasks(ANSWERS[name], taken)) == given_in_threads(ANSWERS[name], taken)
