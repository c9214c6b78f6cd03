"""Options that stand once: verbs look and behave as if each named all of its own."""

import asyncio
import inspect
import pickle
import re
import subprocess
import sys
import typing

import pytest

import rekog_emotion as rekog
from rekog_emotion.blocking import options
from rekog_emotion.flows.options import described, part, spelled_out
from rekog_emotion.flows.request import VideoRequest

JOBS = rekog.VideoJob
VERBS = [
    *(rekog.start_video, rekog.analyze_video, rekog.analyze_videos, rekog.wait_for_videos),
    *(JOBS.start, JOBS.resume, JOBS.from_dict, JOBS.wait, JOBS.faces, JOBS.result),
]
each_verb = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__qualname__)


@described
class Sizes(typing.TypedDict, total=False):
    """Options of a test.

    Attributes:
        width: How wide; a text
            of two lines. Default: ``None``.
        slot_timeout: How long. Default: ``3600.0``.

    More of it.
    """

    width: int | None
    slot_timeout: float | None


@spelled_out(Sizes, defaults=VideoRequest)
def paint(source, *colours, frame=2, **options: typing.Unpack[Sizes]):
    """Paint a picture.

    Args:
        source: What.
        *colours: In which.
        frame: Around it.
        **options: Those of ``Sizes``.

    Returns:
        What it got.
    """
    return source, colours, frame, options


def test_a_function_is_spelled_out():
    """Its own parameters come first, then each option with its type and default, in the signature and in the words."""
    signature = "(source, *colours, frame=2, width: int | None = None, slot_timeout: float | None = 3600.0)"

    assert str(inspect.signature(paint)) == signature
    assert inspect.getdoc(paint) == (
        "Paint a picture.\n\nArgs:\n    source: What.\n    *colours: In which.\n    frame: Around it.\n"
        "    width: How wide; a text\n        of two lines. Default: ``None``.\n"
        "    slot_timeout: How long. Default: ``3600.0``.\n\nReturns:\n    What it got."
    )


@pytest.mark.parametrize(
    ("given", "got"),
    [
        ({}, {"width": None, "slot_timeout": 3600.0}),
        ({"width": 7}, {"width": 7, "slot_timeout": 3600.0}),
        ({"slot_timeout": None, "width": 1}, {"slot_timeout": None, "width": 1}),
    ],
)
def test_it_gets_every_option(given, got):
    """What was left out has its default."""
    assert paint("a", "red", **given) == ("a", ("red",), 2, got)
    assert paint("a", frame=3, **given) == ("a", (), 3, got)


def test_a_coroutine_function_stays_one():
    """It is awaited with every option."""

    @spelled_out(Sizes, defaults=VideoRequest)
    async def carve(source, **options: typing.Unpack[Sizes]):
        """Carve."""
        return source, options

    assert (inspect.iscoroutinefunction(carve), inspect.iscoroutinefunction(paint)) == (True, False)
    assert asyncio.run(carve("wood", width=3)) == ("wood", {"width": 3, "slot_timeout": 3600.0})


def test_part_of_the_options():
    """Those of a kind, as far as they are there."""
    given = {"timeout": 7, "client": "aws", "cancel": None, "on_progress": None}

    assert part(given, options.StartVideoOptions) == {"client": "aws", "cancel": None, "on_progress": None}


WAIT = "timeout: 'Seconds' = 3600.0, on_progress: 'OnProgress | None' = None, cancel: 'threading.Event | None' = None"
MORE = (
    "staging: 'Staging | None' = None, s3_client: 'Any' = None, notify: 'SnsSqs | None' = None, "
    "clock: 'Clock | None' = None"
)
CLIENT = "client: 'RekognitionClient | ClientName | None' = None"
SIGNATURES = [
    (JOBS.resume, f"(job_id: 'str', *, {CLIENT}, upload: 'S3Object | None' = None, {MORE}) -> 'VideoJob'"),
    (JOBS.from_dict, f"(state: 'Mapping[str, Any]', *, {CLIENT}, {MORE}) -> 'VideoJob'"),
    (JOBS.wait, f"(self, *, {WAIT}) -> 'None'"),
    (JOBS.faces, f"(self, *, {WAIT}) -> 'Iterator[TimedFace]'"),
    (JOBS.result, f"(self, *, {WAIT}) -> 'VideoAnalysis'"),
]


@pytest.mark.parametrize(("verb", "signature"), SIGNATURES, ids=[verb.__name__ for verb, _ in SIGNATURES])
def test_signatures_of_jobs(verb, signature):
    """As help() shows them, in their order."""
    assert str(inspect.signature(verb)) == signature


SHOWN = {
    rekog.detect_image: {"client": None, "attributes": "ALL", "timeout": 60.0, "cancel": None},
    rekog.watch: {
        "client": None,
        "rate": 2.0,
        "smooth": 1.0,
        "max_gap": None,
        "attributes": "ALL",
        "max_calls": None,
        "timeout": 60.0,
        "on_progress": None,
        "cancel": None,
        "clock": None,
    },
}


@pytest.mark.parametrize("verb", SHOWN, ids=lambda verb: verb.__name__)
def test_verbs_show_and_describe_every_option(verb):
    """By name, in order, with the default that is used; no ``**options`` is left."""
    arguments = inspect.getdoc(verb).partition("\nArgs:\n")[2].partition("\n\n")[0]
    entries = dict(re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", arguments, re.MULTILINE))
    source, *options = inspect.signature(verb).parameters.values()

    assert source.kind is source.POSITIONAL_OR_KEYWORD
    assert {one.kind for one in options} == {source.KEYWORD_ONLY}
    assert [(one.name, one.default) for one in options] == [*SHOWN[verb].items()]
    assert list(entries) == [source.name, *SHOWN[verb]]
    for name, default in SHOWN[verb].items():
        written = f'"{default}"' if isinstance(default, str) else repr(default)
        assert f"Default: ``{written}``" in " ".join(entries[name].split()), name


@pytest.mark.parametrize("verb", [*VERBS, *SHOWN], ids=lambda verb: verb.__qualname__)
def test_verbs_are_sent_to_processes(verb):
    """By their names, as any function; a class method by its class."""
    assert pickle.loads(pickle.dumps(verb)) == verb  # noqa: S301 -- our own


@each_verb
def test_the_types_of_verbs_can_be_asked_for(verb):
    """Annotations as they are written resolve in their module."""
    hints = typing.get_type_hints(verb)

    assert typing.get_args(hints["options"])[0].__name__.endswith("Options")
    assert "return" in hints


def test_without_docstrings():
    """Python leaves them out with -OO."""
    program = "import inspect, rekog_emotion as r; print(r.start_video.__doc__, inspect.signature(r.start_video))"

    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-OO", "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"None {inspect.signature(rekog.start_video)}\n"


def test_an_option_that_nobody_knows():
    """Is refused as Python does."""
    with pytest.raises(TypeError) as caught:
        paint("a", height=7)

    assert str(caught.value) == "paint() got an unexpected keyword argument 'height'"
    assert paint(source="a") == ("a", (), 2, {"width": None, "slot_timeout": 3600.0})


def test_an_option_of_which_nothing_is_said():
    """Is named all the same; a function without a docstring has none."""

    class Plain(typing.TypedDict, total=False):
        depth: "int"

    @spelled_out(described(Plain), defaults=VideoRequest)
    def dig(**options: typing.Unpack[Plain]):
        return options

    @spelled_out(Plain, defaults=VideoRequest)
    def dug(**options: typing.Unpack[Plain]):
        """Dig.

        Args:
            **options: How.
        """
        return options

    assert (dig.__doc__, dig()) == (None, {"depth": None})
    assert inspect.signature(dig).parameters["depth"].annotation == "int"
    assert dug.__doc__ == "Dig.\n\nArgs:\n    depth: "
