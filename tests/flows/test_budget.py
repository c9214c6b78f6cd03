"""The budget of looks that all jobs of a client share."""

import pytest

from rekog_emotion.flows.budget import Budget, budget_of
from tests.scripted import ScriptedClient


@pytest.mark.parametrize(
    ("times", "waits"),
    [
        ([0.0] * 5, [0.0, 0.0, 0.0, 0.5, 1.0]),
        ([0.0] * 5 + [1.0], [0.0, 0.0, 0.0, 0.5, 1.0, 0.5]),
        ([0.0] * 3 + [0.25, 1.0], [0.0, 0.0, 0.0, 0.25, 0.0]),
        ([0.0, 1000.0, 1000.0, 1000.0, 1000.0], [0.0, 0.0, 0.0, 0.0, 0.5]),
        ([5.0, 4.0, 4.0, 4.0, 5.0], [0.0, 0.0, 0.0, 0.5, 0.0]),
    ],
    ids=["a burst", "in debt", "filled up", "never more than a burst", "a clock that goes back"],
)
def test_looks_wait_for_their_turn(times, waits):
    """After a burst as many a second as the rate says, each behind those that wait already."""
    budget = Budget(rate=2.0, burst=3.0)

    assert [budget.reserve(now) for now in times] == waits


@pytest.mark.parametrize(("pages", "wait"), [(2, 0.0), (3, 0.5), (4, 1.0), (6, 2.0), (100, 2.0)])
def test_pages_make_looks_wait(pages, wait):
    """Each counts as a look does, until the debt is a burst."""
    budget = Budget(rate=2.0, burst=3.0)
    for _ in range(pages):
        budget.spend(0.0)

    assert budget.reserve(0.0) == wait


def test_pages_that_came_slowly_cost_nothing():
    """The time between them fills it up."""
    budget = Budget(rate=2.0, burst=3.0)
    for second in range(10):
        budget.spend(float(second))

    assert [budget.reserve(9.0) for _ in range(3)] == [0.0, 0.0, 0.5]


def test_what_cannot_wait_has_to_wait_for_none():
    """It is counted all the same."""
    budget = Budget(rate=2.0, burst=3.0)

    assert [budget.turn(0.0, waits=waits) for waits in (False, True, True, False, True)] == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_one_budget_a_client():
    """However often it is asked for; what cannot be referenced weakly has a new one each time."""
    one, other = ScriptedClient(), ScriptedClient()

    assert budget_of(one) is budget_of(one) is not budget_of(other)
    assert budget_of("a text") is not budget_of("a text")
