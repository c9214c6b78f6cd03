"""Flows that are made of flows."""

from __future__ import annotations

from typing import Any, TypeVar

from rekog_emotion.flows.steps import Course, Flow, Give, Step

__all__ = ["collect", "tidied"]

T = TypeVar("T")


def collect(flow: Flow[Any]) -> Flow[list[Any]]:
    """Perform a flow that gives values, and return the values."""
    course, values = Course(flow), []
    for step in course:
        if isinstance(step, Give):
            values.append(step.value)
            continue
        try:
            course.answer((yield step))
        except GeneratorExit:
            course.close()
            raise
        except BaseException as error:  # noqa: BLE001 -- it is for the flow
            course.fail(error)
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
