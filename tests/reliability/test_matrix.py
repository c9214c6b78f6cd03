"""Every fault with every call: the whole result or an error that says where to go on, and nothing lost or left."""

import gc
import threading
from functools import cache
from itertools import product

import pytest

from tests.amounts import HOW_MUCH, amount
from tests.reliability.matrix import CASES, FAULTS, OPERATIONS, TIMEOUT, TIMES, World

# By default one of three: each fault with each operation, now once, now five times, now for ever.
IN_TURNS = [CASES[start + start // len(TIMES) % len(TIMES)] for start in range(0, len(CASES), len(TIMES))]
SOME = {"whole": CASES, "few": IN_TURNS[::7]}.get(HOW_MUCH, IN_TURNS)

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
def outcome_of(world):
    """Return a function that runs a case once, however many tests ask for what came of it."""
    return cache(world.run)


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
        thread.join(timeout=60)
    assert [thread.name for thread in left if thread.is_alive()] == []


def test_undisturbed(world):
    """Nothing goes wrong where nothing does."""
    outcome = world.run()

    assert outcome.is_complete
    assert (len(outcome.jobs), outcome.left) == (1, ())
    assert outcome.seconds < TIMEOUT


@pytest.mark.parametrize(("operation", "fault", "times"), SOME)
def test_case(outcome_of, operation, fault, times):
    """The result face for face, or a named error with the job's id; one job at most; nothing that no error names."""
    assert outcome_of(operation, fault, times).complaints() == []


def test_some_cases_meet_every_fault_with_every_operation():
    """And each number of times with each operation, and with each fault."""
    assert [case[:2] for case in IN_TURNS] == list(product(OPERATIONS, FAULTS))
    assert {(operation, times) for operation, _, times in IN_TURNS} == set(product(OPERATIONS, TIMES))
    assert {(fault, times) for _, fault, times in IN_TURNS} == set(product(FAULTS, TIMES))


@pytest.mark.parametrize(("operation", "fault", "times"), [("", "", "once"), *OF_ASYNCIO])
def test_case_of_asyncio(outcome_of, tasks, operation, fault, times):
    """As in threads, and with the same end: the same result, or an error of the same class."""
    outcome = tasks.run(operation, fault, times)

    assert outcome.complaints() == []
    known = outcome_of(operation, fault, times)
    assert (outcome.is_complete, type(outcome.error)) == (known.is_complete, type(known.error))
