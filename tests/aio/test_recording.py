"""Recording in asyncio: the file of the blocking verb, whole when its task is cancelled."""

import asyncio

import pytest

import rekog_emotion as rekog
from rekog_emotion import aio
from rekog_emotion.testing import VirtualClock
from tests.aio.test_live import SOMEBODY, Client, later, timed
from tests.scripted import LOST
from tests.tasks import run


@pytest.fixture
def moments():
    """Give four moments with somebody in them."""
    return list(rekog.watch(iter(timed(4)), client=Client(SOMEBODY), clock=VirtualClock()))


async def broken_off(moments):
    """Yield moments, then an error."""
    for one in moments:
        yield one
    raise LOST


@pytest.mark.parametrize("show", [None, rekog.Moment.blur], ids=["drawn", "hidden"])
def test_records_what_the_blocking_verb_does(moments, tmp_path, show):
    """The same file, to the byte."""
    assert rekog.record(moments, tmp_path / "threads.mp4", show=show) == 4
    assert run(aio.record(later(moments), tmp_path / "tasks.mp4", show=show)) == 4

    assert (tmp_path / "tasks.mp4").read_bytes() == (tmp_path / "threads.mp4").read_bytes()
    assert run(aio.record(later([]), tmp_path / "none.mp4")) == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["tasks.mp4", "threads.mp4"]


def test_what_was_recorded_is_kept_when_the_task_is_cancelled(moments, tmp_path):
    """The moments end, the file has what came so far, and the cancel goes on."""
    ended = []

    async def main():
        waiting = asyncio.Event()

        async def endless():
            try:
                for one in moments:
                    yield one
                waiting.set()
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        task = asyncio.create_task(aio.record(endless(), tmp_path / "out.mp4"))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert caught.value.__cause__ is None
        assert ended == [True]

    run(main())
    rekog.record(moments, tmp_path / "whole.mp4")
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_what_was_recorded_is_kept_when_the_moments_fail(moments, tmp_path):
    """Their error goes on."""
    with pytest.raises(type(LOST)) as caught:
        run(aio.record(broken_off(moments), tmp_path / "out.mp4"))

    assert caught.value is LOST
    rekog.record(moments, tmp_path / "whole.mp4")
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_no_recording_where_nothing_can_be_written(tmp_path):
    """It is refused before a moment is asked for."""
    target = tmp_path / "out.avi"

    with pytest.raises(rekog.InvalidInputError) as caught:
        run(aio.record(broken_off([]), target))

    mend = f"a video is written as .mp4, .m4v, .mov or .mkv; name it {target.with_suffix('.mp4')}"
    assert str(caught.value) == f"{target}: {mend}"
