"""What every test stands on: no AWS configuration of this machine, and no thread left behind."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import threading
from collections.abc import Iterator
from functools import cache

import pytest
from botocore.loaders import create_loader
from hypothesis import HealthCheck, settings

from rekog_emotion import workers
from rekog_emotion.testing import VirtualClock, virtual_time
from tests.amounts import amount
from tests.http_standin import HttpStandin
from tests.worlds import NAMES, Tasks, Threads, world

# What a shell starts in the background ignores Ctrl-C, and so would the programs that tests interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# On a busy machine any example may take long.
patient = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "max_examples": amount(50, whole=200)}
# The same examples each time, so that a change is judged by itself; --hypothesis-profile=search looks for new ones.
settings.register_profile("tests", derandomize=True, **patient)
settings.register_profile("search", **patient)
settings.load_profile("tests")


def pytest_xdist_auto_num_workers(config) -> int | None:
    """Run what is named one after another in this process, and all in a process more than there are cores.

    More processes would take longer to start than files and tests that are named; of all tests some wait for others: a
    server, a program, a time-out.
    """
    if all(".py" in argument for argument in config.args):
        return 0
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + 1


def pytest_collection_finish() -> None:
    """Let no garbage collection go through what the tests are made of, which stays to the end."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> Iterator[None]:
    """Let all sessions of botocore share what they read from its files, which is most of what a client costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", cache(create_loader))
        yield


@pytest.fixture(scope="session", autouse=True)
def isolated(tmp_path_factory) -> Iterator[None]:
    """Hide the configuration of AWS, of proxies and of this library that the machine may have, from fixtures, too."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("AWS_") or name.lower().endswith("_proxy") or name == "REKOG_EMOTION_CLIENT":
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("AWS_CONFIG_FILE", str(home / "config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(autouse=True)
def same_jitter(request) -> None:
    """Draw the same waits, which are random by design, in each run of a test."""
    random.seed(request.node.nodeid)


@pytest.fixture(autouse=True)
def no_session_of_others() -> None:
    """Have boto3 forget the session that another test configured."""
    if "boto3" in sys.modules:
        sys.modules["boto3"].DEFAULT_SESSION = None


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test that leaves threads behind; pools of module and session fixtures call theirs ``lasting...``.

    Python calls threads ``Dummy...`` that it did not start: DuckDB's, say.
    """
    before = set(threading.enumerate())
    yield
    workers.dismiss()
    others = ("lasting", "Dummy")
    left = [thread for thread in threading.enumerate() if thread not in before and not thread.name.startswith(others)]
    for thread in left:
        thread.join(timeout=60)
    assert [thread.name for thread in left if thread.is_alive()] == []


def configure_aws(patch: pytest.MonkeyPatch) -> None:
    """Set a region and credentials that open no door."""
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    patch.setenv("AWS_SESSION_TOKEN", "not-a-token")
    patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture
def credentials(monkeypatch) -> None:
    """Configure AWS for a test that makes no call."""
    configure_aws(monkeypatch)


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    """Give the clock that the library uses in this test."""
    with virtual_time() as clock:
        yield clock


@pytest.fixture
def no_jitter(monkeypatch) -> None:
    """Take the middle of an interval to poll, which is the interval without jitter, and half of one to retry."""
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Give the address of a stand-in for S3, SNS and SQS, where each test uses names of its own."""
    from moto.server import ThreadedMotoServer  # loaded by the processes that need it

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def standin(monkeypatch) -> Iterator[HttpStandin]:
    """Give a scripted HTTP server, where every client of this test goes that has no other ``endpoint_url``."""
    configure_aws(monkeypatch)
    with HttpStandin() as standin:
        monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", standin.url)
        yield standin


@pytest.fixture(params=NAMES)
def verbs(request) -> Iterator[Threads | Tasks]:
    """Give the verbs of each world as plain calls, those of asyncio where aiobotocore is installed."""
    if request.param == "tasks":
        pytest.importorskip("aiobotocore")
    with world(request.param) as verbs:
        yield verbs
