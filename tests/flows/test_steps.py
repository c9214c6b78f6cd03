"""Flows on their way: what is answered, and what is given."""

from pathlib import Path

import pytest
from attrs import evolve, fields

from rekog_emotion.flows.batch import ImageOutcome
from rekog_emotion.flows.ending import Lookout
from rekog_emotion.flows.job import Job
from rekog_emotion.flows.live import WatchRequest
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
    Stage,
    Turn,
    Work,
)
from rekog_emotion.flows.videos import JobOutcome
from rekog_emotion.values.progress import Progress, ProgressEvent
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


@pytest.mark.parametrize(("waited", "left"), [(0.0, 60.0), (1.5, 58.5), (60.0, 0.0), (61.0, 0.0)])
def test_a_wait_for_work_that_goes_on(waited, left):
    """A sixtieth of it is real; the rest is over when the clock says so, however long the real part took there."""
    step = Await("j-1", 60.0)

    assert (step.real_seconds, step.rest(waited)) == (1.0, left)


def test_what_is_told_of_work_that_goes_on():
    """What the flow makes of it where the client knows how far it is; the bytes of an upload."""
    seen = []
    step = Await("j-1", 60.0, lambda *known: seen.append(known))

    assert (step.told(None), step.told((0.5, None)), step.told((1.0, 0.0))) == (None, None, None)
    assert seen == [(0.5, None), (1.0, 0.0)]
    assert Stage(Path("clip.mp4")).told(5, 7) == Progress(event=ProgressEvent.UPLOADING, bytes_done=5, bytes_total=7)


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


KINDS = [Completion, Facts, ImageOutcome, Job, JobOutcome, Lookout, PollSchedule, Readout, Starter, VideoRequest]


@pytest.mark.parametrize("kind", [*KINDS, WatchRequest, WaysOut], ids=lambda kind: kind.__name__)
def test_what_has_many_parts_is_made_by_their_names(kind):
    """And never by their places."""
    with pytest.raises(TypeError) as caught:
        kind(*[None] * len(fields(kind)))

    assert "takes 1 positional argument" in str(caught.value)


@pytest.mark.parametrize("options", [VideoOptions, StartOptions, WaitOptions], ids=lambda options: options.__name__)
def test_options_can_be_left_out(options):
    """Each of them."""
    assert options.__required_keys__ == frozenset()


def test_a_result_that_is_taken():
    """Is kept no longer: it may have an error, which knows the frames that know the course."""

    def flow():
        yield Now()
        return ["a face"]

    course = Course(flow())
    for _ in course:
        pass

    assert course.taken() == ["a face"]
    assert not hasattr(course, "result")
