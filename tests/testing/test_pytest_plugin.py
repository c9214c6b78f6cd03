import asyncio
import re
import sys
from pathlib import Path

import pytest

import rekog_emotion as rekog
from rekog_emotion import aio
from rekog_emotion.testing import Fault
from tests.testing.recordings import PHOTO, VIDEO, image, video

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs/how-to/test-your-service.md"


@pytest.fixture
def loopless(monkeypatch):
    """Give the sleeps in real time that are asked for in a loop, which end at once and fail."""
    asked = []

    async def sleep(_, seconds):
        asked.append(seconds)
        pytest.fail(f"{seconds} s of real time")

    monkeypatch.setattr("rekog_emotion.aio.clock.LoopClock.sleep", sleep)
    return asked


def run(pytester, *options):
    """Run pytest on the files of the folder in a process of its own."""
    return pytester.run(sys.executable, "-m", "pytest", "-q", *options)


def test_fake(rekog_fake, rekog_clock):
    """The fake lives by the virtual clock, as the library does."""
    rekog_fake.script_videos(video(2), seconds=600)

    assert len(rekog.analyze_video(VIDEO, client=rekog_fake).faces) == 2
    assert rekog_clock.now() >= 600


def test_endpoint(rekog_endpoint, rekog_fake):
    """The endpoint stands before the fake."""
    rekog_fake.script_images(image(1.0))
    rekog_endpoint.faults.add(Fault.throttled())

    assert len(rekog.detect_image(PHOTO).faces) == 1
    assert (rekog_endpoint.count(), rekog_fake.count("DetectFaces")) == (2, 1)


def test_fake_in_tasks(rekog_fake, rekog_clock, loopless):
    """The verbs of asyncio live by the virtual clock as well: jobs and throttling take no time."""
    rekog_fake.script_videos(video(2), seconds=600)
    rekog_fake.faults.add(Fault.throttled(), times=3)

    assert len(asyncio.run(aio.analyze_video(VIDEO, client=rekog_fake)).faces) == 2
    assert rekog_clock.now() >= 600
    assert loopless == []


def test_endpoint_in_tasks(rekog_endpoint, rekog_fake, rekog_clock, loopless):
    """They do before the endpoint, too."""
    rekog_fake.script_videos(video(2), seconds=600)
    rekog_endpoint.faults.add(Fault.throttled(), times=3)

    assert len(asyncio.run(aio.analyze_video(VIDEO, client=rekog.aws_client())).faces) == 2
    assert rekog_clock.now() >= 600
    assert loopless == []


def test_page(pytester):
    """The tests that the documentation shows pass, in a test run where nothing is set up."""
    snippets = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    pytester.path.joinpath("photo.jpg").write_bytes(PHOTO.read_bytes())
    pytester.path.joinpath("test_page.py").write_text("\n".join(snippets))

    run(pytester).assert_outcomes(passed=5)


def test_listed(pytester):
    """The fixtures explain themselves to ``pytest --fixtures``."""
    result = run(pytester, "--fixtures")

    for line in ("rekog_clock*", "rekog_fake*", "rekog_endpoint*", "*Give a FakeClient for client=*"):
        result.stdout.fnmatch_lines([line])


def test_loads_nothing_heavy(pytester):
    """A test run that does not use the fixtures loads the plugin alone."""
    pytester.makepyfile(
        """
        import sys

        def test_modules():
            ours = sorted(name for name in sys.modules if name.startswith("rekog_emotion"))
            plugin = ["rekog_emotion.testing", "rekog_emotion.testing.pytest_plugin"]
            assert ours == ["rekog_emotion", *plugin]
            assert not {"attrs", "boto3", "botocore", "numpy", "starlette", "tenacity"} & set(sys.modules)
        """
    )

    run(pytester).assert_outcomes(passed=1)
