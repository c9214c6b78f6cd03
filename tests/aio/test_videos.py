"""Many videos in asyncio: so many at once, every outcome, and nothing left behind."""

import asyncio
import json
import pickle
from contextlib import aclosing

import pytest

from rekog_emotion import SnsSqs, aio, analyze_videos
from rekog_emotion.errors import ConfigurationError, InvalidInputError, JobFailedError, JobTimeoutError
from rekog_emotion.testing import FakeClient, VirtualClock
from tests.scripted import IN_PROGRESS, page
from tests.tasks import Awaited, LoopTime, over, run

FAILED = {"JobStatus": "FAILED", "StatusMessage": "Unsupported codec/format."}
FACES = {"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": at, "Face": {}} for at in (0, 500, 1000)]}


def videos(count):
    """Return addresses of so many videos."""
    return [f"s3://bucket/{number}.mp4" for number in range(count)]


async def given(sources):
    """Yield sources as they come."""
    for source in sources:
        await asyncio.sleep(0)
        yield source


async def every(outcomes):
    """Return all that is given."""
    return [outcome async for outcome in outcomes]


class Counting(Awaited):
    """A client that keeps how many jobs there were at most at once; each ends at its second look."""

    def __init__(self):
        super().__init__(page(0))
        self.running, self.most, self.looks = set(), 0, {}

    async def start_face_detection(self, **_):
        """Start a job."""
        job_id = f"j-{len(self.looks)}"
        self.looks[job_id] = 0
        self.running.add(job_id)
        self.most = max(self.most, len(self.running))
        return {"JobId": job_id}

    async def get_face_detection(self, *, JobId, **_):  # noqa: N803 -- boto3's form
        """Tell how a job is."""
        await asyncio.sleep(0)
        self.looks[JobId] += 1
        if self.looks[JobId] == 1:
            return IN_PROGRESS
        self.running.discard(JobId)
        return page(0)


@pytest.mark.parametrize(("count", "max_jobs"), [(0, 3), (1, 3), (12, 3), (5, 20)])
@pytest.mark.parametrize("kind", [list, iter, given], ids=["list", "generator", "asynchronous"])
def test_every_video_once(count, max_jobs, kind):
    """Each gives its outcome, and never more jobs run than were allowed."""
    client = Counting()
    sources = kind(videos(count))

    outcomes = run(every(aio.analyze_videos(sources, max_jobs=max_jobs, client=client, clock=LoopTime())))

    assert sorted(outcome.source for outcome in outcomes) == sorted(videos(count))
    assert [len(outcome.result().faces) for outcome in outcomes] == [1] * count
    assert client.most <= min(max_jobs, count)
    assert {outcome.job.job_id for outcome in outcomes} == set(client.looks)


def test_outcomes_are_those_of_the_blocking_verb():
    """Failures are outcomes, with their errors: at the service, and before anything was sent."""
    sources = ["s3://bucket/bad.mp4", "s3://bucket/", "no-such.mp4", *videos(2)]
    clients = [FakeClient(), FakeClient()]
    for client in clients:
        client.script_videos(FAILED, FACES)

    ours = run(every(aio.analyze_videos(sources, max_jobs=1, client=clients[0], clock=LoopTime())))
    theirs = list(analyze_videos(sources, max_jobs=1, client=clients[1], clock=VirtualClock()))

    assert [(one.source, type(one.error)) for one in ours] == [(one.source, type(one.error)) for one in theirs]
    assert [None if one.analysis is None else one.analysis.faces for one in ours] == [
        None if one.analysis is None else one.analysis.faces for one in theirs
    ]
    with pytest.raises(JobFailedError, match=r"Unsupported codec/format\."):
        ours[0].result()
    again = pickle.loads(pickle.dumps(ours[-1]))  # noqa: S301 -- our own
    assert (again, again.job, type(again)) == (ours[-1], None, aio.VideoOutcome)


def test_tells_of_each_video():
    """Every event says which it is about."""
    events = []

    run(every(aio.analyze_videos(videos(2), client=Awaited(page(0)), on_progress=events.append)))

    assert {event.source for event in events} == set(videos(2))


@pytest.mark.parametrize("how", ["timeout", "close", "cancel"])
def test_left_early_leaves_no_task(how, caplog):
    """Jobs go on, and the log says from what state each is taken up again."""
    client = Awaited(IN_PROGRESS)

    async def first(leave):
        begun = asyncio.Event()

        def listen(progress):
            if progress.event == "POLLED":
                begun.set()

        sources = ["no-such.mp4", "s3://bucket/a.mp4"]
        async with aclosing(aio.analyze_videos(sources, client=client, on_progress=listen)) as outcomes:
            assert (await anext(outcomes)).source == "no-such.mp4"
            await begun.wait()
            leave()
            if how != "close":
                async for _ in outcomes:
                    raise AssertionError
            await outcomes.aclose()

    async def main():
        if how == "timeout":
            async with asyncio.timeout(None) as limit:
                await first(lambda: over(limit))
        else:
            await first(asyncio.current_task().cancel if how == "cancel" else list)

    if how == "close":
        run(main())
    else:
        with pytest.raises((asyncio.CancelledError, TimeoutError)):
            run(main())

    [record] = [one for one in caplog.records if one.name == "rekog_emotion" and one.levelname == "WARNING"]
    # By a note of its own where a look was under way.
    assert "{'version': 1, 'job_id': 'j-1', 'upload': None}" in record.getMessage()


def test_a_loop_that_is_broken_ends_by_itself():
    """The loop collects what nobody goes on with, tasks and all."""

    async def main():
        async for outcome in aio.analyze_videos(videos(9), max_jobs=2, client=Awaited(page(0))):
            assert outcome.error is None
            break
        while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 -- nothing tells
            await asyncio.sleep(0)

    run(main())


def test_a_source_list_that_fails():
    """An error of the caller's own generator comes out, when what runs has ended."""

    def broken():
        yield "s3://bucket/0.mp4"
        raise LookupError("no more")  # noqa: EM101, TRY003 -- a caller's

    with pytest.raises(LookupError, match="no more"):
        run(every(aio.analyze_videos(broken(), client=Awaited(page(0)))))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (["a.mp4"], {"max_jobs": 0}, "max_jobs=0 is no number of jobs: pass 1 or more"),
        ("a.mp4", {}, "sources= got str: pass a list of videos, or start_video() one"),
        (
            ["a.mp4"],
            {"timeout": "x"},
            "timeout='x' is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever",
        ),
        (["a.mp4"], {"staging": "b"}, "staging='b' is no S3 address: pass \"s3://bucket/prefix/\""),
        (["a.mp4"], {"on_progress": 7}, "on_progress= got int: pass a function that takes a Progress"),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments, options, message):
    """Before the first outcome is asked for."""
    with pytest.raises(InvalidInputError) as caught:
        aio.analyze_videos(arguments, **options)

    assert str(caught.value) == message


def test_what_the_client_cannot_do_is_wrong_for_all():
    """It is an error, and no outcome."""
    with pytest.raises(InvalidInputError, match="sample_rate=5 is for the embedded engine alone"):
        run(every(aio.analyze_videos(videos(2), sample_rate=5, client=Awaited())))


def test_a_queue_that_cannot_be_asked():
    """It is one error of all videos, before any is sent."""
    client, channel = Awaited(page(0)), SnsSqs("arn:aws:sns:t", "arn:aws:iam::r", "https://q")

    with pytest.raises(ConfigurationError) as caught:
        run(every(aio.analyze_videos(videos(2), client=client, notify=channel)))

    assert str(caught.value) == (
        "no AWS region is set: set AWS_DEFAULT_REGION, give the profile a region or pass aws_client(region_name=...), "
        'or stay offline with client="embedded"'
    )
    assert client.calls == []


def test_waits_for_jobs():
    """Each gives its outcome; a time-out's state takes it up again, and what is no job is refused."""

    async def main():
        clock = LoopTime()
        done = await aio.VideoJob.resume("j-1", client=Awaited(page(0)))
        late = await aio.VideoJob.resume("j-2", client=Awaited(IN_PROGRESS), clock=clock)
        outcomes = {one.job.job_id: one for one in await every(aio.wait_for_videos([done, late], timeout=5))}
        assert len(outcomes["j-1"].result().faces) == 1
        assert isinstance(outcomes["j-2"].error, JobTimeoutError)
        state = json.loads(json.dumps(outcomes["j-2"].error.state))
        assert (await aio.VideoJob.from_dict(state, client=Awaited())).job_id == "j-2"
        assert await every(aio.wait_for_videos([])) == []
        for wrong, message in ((7, "jobs= got int: pass a list of jobs, or wait() for one"), (["j"], "jobs= has 'j'")):
            with pytest.raises(InvalidInputError, match=message[:20]):
                aio.wait_for_videos(wrong)

    run(main())
