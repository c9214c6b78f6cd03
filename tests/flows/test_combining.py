"""Flows that are made of flows: what is collected, and what is tidied up."""

import pytest

from rekog_emotion.flows.combining import collect, through, tidied
from rekog_emotion.flows.steps import Give, Now, Sleep
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


def test_a_flow_with_each_value():
    """Its steps are performed, too, until it has enough; then the other one is closed."""
    closed = []

    def numbers():
        try:
            for number in range(9):
                yield Sleep(1.0)
                yield Give(number)
        finally:
            closed.append(number)

    def each(number):
        yield Give((number, (yield Now())))
        return number < 2

    table = Table()
    table.play(through(numbers(), each))

    assert table.given == [(0, BEGIN + 1.0), (1, BEGIN + 2.0), (2, BEGIN + 3.0)]
    assert (table.sleeps, closed) == ([1.0] * 3, [2])


def test_a_flow_with_a_value_that_fails():
    """Is told to who gave it."""

    def each(_):
        yield Now()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Table().play(through(asking(), each))
