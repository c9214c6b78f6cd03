"""Flows that are made of flows: what is collected, and what is tidied up."""

import pytest

from rekog_emotion.flows.combining import collect, tidied
from rekog_emotion.flows.steps import Now, Sleep
from tests.stepping import BEGIN, Table, asking


def test_values_are_collected():
    """All other steps are performed."""
    table = Table()

    assert table.play(collect(asking())) == [BEGIN, BEGIN + 1.0]
    assert (table.steps, table.given) == ([Sleep(1.0)], [])


def test_errors_of_steps_reach_what_is_collected():
    """As they reach a flow on its own."""
    flow = collect(asking())

    next(flow)
    assert flow.send(5.0) == Sleep(1.0)
    with pytest.raises(StopIteration) as caught:
        flow.throw(ValueError("late"))

    assert caught.value.value == [5.0]


def test_what_is_collected_is_closed():
    """With whoever collects it."""
    ended = []

    def flow():
        try:
            yield Now()
        finally:
            ended.append(True)

    outer = collect(flow())
    next(outer)
    outer.close()

    assert ended == [True]


def failing():
    """Fail after a step."""
    yield Now()
    message = "a bug"
    raise ValueError(message)


def test_tidies_up():
    """After a result and after an error; not when it is closed, since a closed flow performs no step."""
    ended, broken = Table(), Table()
    assert ended.play(tidied(collect(asking()), Sleep(7.0))) == [BEGIN, BEGIN + 1.0]
    with pytest.raises(ValueError, match="a bug"):
        broken.play(tidied(failing(), Sleep(7.0)))
    closed = tidied(failing(), Sleep(7.0))
    next(closed)
    closed.close()

    assert ended.steps == [Sleep(1.0), Sleep(7.0)]
    assert broken.steps == [Sleep(7.0)]
    assert list(closed) == []
