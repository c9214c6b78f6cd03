"""Flows that are made of flows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rekog_emotion.flows.steps import Course, Flow, Give, Step

__all__ = ["collect", "through", "tidied"]

T = TypeVar("T")


def through(flow: Flow[Any], each: Callable[[Any], Flow[bool]]) -> Flow[None]:
    """Perform a flow that gives values, and another one with each of them, which tells whether to go on."""
    course = Course(flow)
    for step in course:
        try:
            if not isinstance(step, Give):
                course.answer((yield step))
            elif not (yield from each(step.value)):
                course.close()
        except GeneratorExit:
            course.close()
            raise
        except BaseException as error:  # noqa: BLE001 -- it is for the flow
            course.fail(error)


def collect(flow: Flow[Any]) -> Flow[list[Any]]:
    """Perform a flow that gives values, and return the values."""
    values: list[Any] = []

    def keep(value: Any) -> Flow[bool]:  # noqa: ANN401 -- whatever is given
        yield from ()
        values.append(value)
        return True

    yield from through(flow, keep)
    return values


def tidied(flow: Flow[T], step: Step) -> Flow[T]:
    """Perform a flow, and a step that tidies up after it, however it ends."""
    try:
        result = yield from flow
    except GeneratorExit:
        raise
    except BaseException:
        yield step
        raise
    yield step
    return result
