"""A Ray of this machine, where it is installed."""

import logging
import os
from contextlib import suppress
from importlib.util import find_spec

import pytest

from tests.ray import workers

# One imports from another, which a skip at its beginning would leave half made.
collect_ignore_glob = [] if find_spec("ray") else ["test_*.py"]


@pytest.fixture(scope="session")
def ray():
    """Give Ray, without a cluster."""
    ray = pytest.importorskip("ray")
    ray.cloudpickle.register_pickle_by_value(workers)  # no process but this one finds the tests
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # of 15 they hardly run beside anything else
    context = pytest.importorskip("ray.data").DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray


@pytest.fixture(scope="module")
def local_ray(ray):
    """Give Ray with two CPUs, and leave no process of it behind."""
    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=4_000_000_000,  # where it is small, Ray runs few tasks at once
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    yield ray
    ray.shutdown()
    assert left_behind() == []


def left_behind():
    """Return the processes of Ray that this one has started and that are still there."""
    import psutil

    there = []
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if one.name().startswith(("ray", "gcs_server")) and one.status() != psutil.STATUS_ZOMBIE:
                there.append(one)
    return [str(one) for one in psutil.wait_procs(there, timeout=120)[1] if "zombie" not in str(one)]


def pytest_collection_modifyitems(items):
    """Let Ray warn of what it likes; what it says is not ours to mend."""
    for item in items:
        if item.path.parent.name == "ray":
            item.add_marker(pytest.mark.filterwarnings("default"))
