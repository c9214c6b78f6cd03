"""Flows on their way: what is answered, and what is given."""

import pytest
from attrs import evolve, fields

from rekog_emotion.flows.batch import ImageOutcome
from rekog_emotion.flows.ending import Lookout
from rekog_emotion.flows.job import Job
from rekog_emotion.flows.messages import Completion
from rekog_emotion.flows.pages import Readout
from rekog_emotion.flows.polling import PollSchedule
from rekog_emotion.flows.request import StartOptions, VideoOptions, VideoRequest, WaitOptions
from rekog_emotion.flows.resuming import WaysOut
from rekog_emotion.flows.starting import Starter
from rekog_emotion.flows.steps import (
    Await,
    Begin,
    Call,
    Course,
    Facts,
    Give,
    LateError,
    Listen,
    Now,
    Shared,
    Sleep,
    Turn,
    Work,
)
from rekog_emotion.flows.videos import JobOutcome
from rekog_emotion.flows.watching import Plan
from tests.stepping import asking


def test_a_course_hands_on_answers_errors_and_the_result():
    """An answer is for one step alone, and so is an error."""
    course = Course(asking())

    steps = [next(course)]
    course.answer(5.0)
    steps += [next(course), next(course)]
    course.fail(ValueError("late"))
    steps += list(course)

    assert steps == [Now(), Give(5.0), Sleep(1.0)]
    assert course.result is True


def test_the_answer_of_one_step_is_not_that_of_the_next():
    """A step that is not answered has none."""
    course = Course(asking())

    next(course)
    course.answer(5.0)
    *_, last = course

    assert last == Give(None)


def test_a_course_that_is_closed():
    """Performs no step any more."""
    course = Course(asking())
    next(course)
    course.close()

    assert list(course) == []
    assert course.result is None


@pytest.mark.parametrize(
    ("facts", "files", "ends"),
    [
        (Facts(), False, False),
        (Facts(can=frozenset({"files"})), True, False),
        (Facts(can=frozenset({"ends"})), False, True),
    ],
)
def test_facts(facts, files, ends):
    """What a client says of itself, and nothing else."""
    assert (facts.files, facts.ends, facts.retries, facts.engine) == (files, ends, False, "")
    assert not facts.pixels
    assert evolve(facts, can=facts.can | {"pixels"}).pixels


def test_steps_in_words():
    """Photos and what is called are left out; two waits for a job are one step, whatever is told meanwhile."""
    assert repr(Call("detect_faces", {"Image": b"photo"})) == (
        "Call(method='detect_faces', job_id=None, within=None, queue=None)"
    )
    assert repr(Await("j-1", 2.0, print)) == "Await(job_id='j-1', seconds=2.0)"
    assert Await("j-1", 2.0, print) == Await("j-1", 2.0)
    assert Await("j-1", 2.0).advanced(0.5, None) is None
    assert Turn().waits is True
    assert repr(Work(print)) == "Work(short=False)"
    assert [repr(one) for one in (Shared(print), Begin(print), Give("a face"))] == ["Shared()", "Begin()", "Give()"]
    assert repr(Listen("a queue", print)) == "Listen(mailbox='a queue')"
    assert LateError("1 call goes on").left == "1 call goes on"


KINDS = [Completion, Facts, ImageOutcome, Job, JobOutcome, Lookout, Plan, PollSchedule, Readout, Starter, VideoRequest]


@pytest.mark.parametrize("kind", [*KINDS, WaysOut], ids=lambda kind: kind.__name__)
def test_what_has_many_parts_is_made_by_their_names(kind):
    """And never by their places."""
    with pytest.raises(TypeError) as caught:
        kind(*[None] * len(fields(kind)))

    assert "takes 1 positional argument" in str(caught.value)


@pytest.mark.parametrize("options", [VideoOptions, StartOptions, WaitOptions], ids=lambda options: options.__name__)
def test_options_can_be_left_out(options):
    """Each of them."""
    assert options.__required_keys__ == frozenset()
