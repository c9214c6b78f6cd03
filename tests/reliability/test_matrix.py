"""Every fault with every call: the whole result or an error that says where to go on, and nothing lost or left."""

import gc
import threading

import pytest

from tests.amounts import amount
from tests.reliability.matrix import CASES, TIMEOUT, World

# By default every other one: each fault with each operation, now once, now five times, now for ever.
SOME = CASES[:: len(CASES) // amount(126, whole=252, few=12)]

# botocore leaves the socket of an answer that was cut to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


# One case of four by default, of each of the three numbers of times.
OF_ASYNCIO = CASES[:: amount(4, whole=1)]


@pytest.fixture(scope="module")
def world():
    """Run the services once for all cases."""
    with World.running() as world:
        yield world
    gc.collect()


@pytest.fixture(scope="module")
def tasks():
    """Run them once more for the cases of asyncio."""
    pytest.importorskip("aiobotocore")
    with World.running("tasks") as world:
        yield world
    gc.collect()


@pytest.fixture(autouse=True)
def no_thread_left():
    """Fail a test that leaves threads of the library behind; those of the servers last as long as all cases do."""
    yield
    left = [thread for thread in threading.enumerate() if thread.name.startswith(("rekog-emotion-page", "ThreadPool"))]
    for thread in left:
        thread.join(timeout=10)
    assert [thread.name for thread in left if thread.is_alive()] == []


def test_undisturbed(world):
    """Nothing goes wrong where nothing does."""
    outcome = world.run()

    assert outcome.is_complete
    assert (len(outcome.jobs), outcome.left) == (1, ())
    assert outcome.seconds < TIMEOUT


@pytest.mark.parametrize(("operation", "fault", "times"), SOME)
def test_case(world, operation, fault, times):
    """The result face for face, or a named error with the job's id; one job at most; nothing that no error names."""
    outcome = world.run(operation, fault, times)

    assert outcome.complaints() == []


def test_some_cases_meet_every_fault_with_every_operation():
    """However often it comes, and each number of times with each operation."""
    some = CASES[::2]

    assert {case[:2] for case in some} == {case[:2] for case in CASES}
    assert {(operation, times) for operation, _, times in some} == {(one, times) for one, _, times in CASES}


@pytest.mark.parametrize(("operation", "fault", "times"), [("", "", "once"), *OF_ASYNCIO])
def test_case_of_asyncio(world, tasks, operation, fault, times):
    """As in threads, and with the same end: the same result, or an error of the same class."""
    outcome = tasks.run(operation, fault, times)

    assert outcome.complaints() == []
    known = world.run(operation, fault, times)
    assert (outcome.is_complete, type(outcome.error)) == (known.is_complete, type(known.error))
