"""Every public value and error goes through a pickle with its class and fields: to a process pool, Ray, a cache."""

import copy
import enum
import importlib
import inspect
import pickle
import re
import threading
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import attrs
import numpy as np
import pytest
from numpy.typing import NDArray

import rekog_emotion as rekog

PAGES = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[2].glob("docs/reference/*.md"))
DOCUMENTED = sorted(set(re.findall(r":: (rekog_emotion(?:\.\w+)+)$", PAGES, re.MULTILINE)))
PLAIN = {int: 7, float: 2.5, str: "text", bool: True, bytes: b"bytes", type(None): None, typing.Any: {"a": [1, None]}}
PLAIN |= {Exception: rekog.JobFailedError("it failed", job_id="j-1")}
PLAIN |= dict.fromkeys((rekog.VideoJob, rekog.aio.VideoJob, threading.Event))  # these stay in their process
# What is checked when it is made.
CHANNEL = {"topic_arn": "arn:aws:sns:t", "role_arn": "arn:aws:iam::r", "queue_url": "https://queue", "sqs_client": None}
CHECKED = {rekog.SnsSqs: CHANNEL}
PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)


def public():
    """Give every public thing: the package's names, and those that the reference describes beside them."""
    for name in [*(f"rekog_emotion.{name}" for name in rekog.__all__), *DOCUMENTED]:
        if name.startswith("rekog_emotion.ray") and find_spec("ray") is None:  # has an environment of its own
            continue
        module, _, last = name.rpartition(".")
        yield getattr(importlib.import_module(module), last, None)


def is_frozen(kind):
    """Tell whether a class is one of frozen values."""
    return attrs.has(kind) and kind.__setattr__ is not object.__setattr__ and hasattr(kind, "__hash__")


# These hold what a caller gave, and have a hash where that has one; here it is a dictionary.
AS_GIVEN = {"Call", "S3Staging"}
CLASSES = sorted(
    {one for one in public() if inspect.isclass(one)}, key=lambda kind: (kind.__qualname__, kind.__module__)
)
ERRORS = [kind for kind in CLASSES if issubclass(kind, Exception)]
WORDS = [kind for kind in CLASSES if issubclass(kind, enum.Enum)]
VALUES = [kind for kind in CLASSES if (is_frozen(kind) or issubclass(kind, tuple)) and kind not in PLAIN]


def sample(wanted):
    """Return a thing of a type, with all that it may have."""
    if isinstance(wanted, typing.TypeVar):
        wanted = wanted.__bound__ or typing.Any
    if wanted in PLAIN:
        return PLAIN[wanted]
    origin = typing.get_origin(wanted)
    return MAKERS[origin](typing.get_args(wanted)) if origin in MAKERS else made(origin or wanted)


def one_of(kinds):
    """Return a sample of the first of several types that is not ``None``."""
    return sample(next(one for one in kinds if one is not type(None)))


MAKERS = {
    typing.Union: one_of,
    types.UnionType: one_of,
    tuple: lambda kinds: tuple(sample(one) for one in kinds if one is not ...),
    Sequence: lambda kinds: (sample(kinds[0]),),
    list: lambda kinds: [sample(kinds[0])],
    Mapping: lambda kinds: {sample(kinds[0]): sample(kinds[1])},
    dict: lambda kinds: {sample(kinds[0]): sample(kinds[1])},
    typing.Literal: lambda words: words[0],
    Callable: lambda _: len,
    np.ndarray: lambda _: np.arange(3.0),
    NDArray: lambda _: np.arange(3.0),  # an alias of its own from NumPy 2.5 on
}


def made(kind):
    """Return a value or an error with every field set."""
    if issubclass(kind, enum.Enum):
        return next(iter(kind))
    if issubclass(kind, Exception):
        options = list(inspect.signature(kind.__init__).parameters.values())[1:]
        texts = {one.name: f"its {one.name}" for one in options if one.kind is one.KEYWORD_ONLY}
        return kind("what happened", **texts | ({"status": 400} if "status" in texts else {}))
    hints = typing.get_type_hints(kind)
    if issubclass(kind, tuple):
        if hasattr(kind, "_fields"):
            return kind(*[sample(hints[name]) for name in kind._fields])
        return kind(sample(next(one for one in kind.__orig_bases__ if typing.get_origin(one) is tuple)))
    options = {one.alias: sample(hints[one.name]) for one in attrs.fields(kind) if one.init}
    return kind(**options | CHECKED.get(kind, {}))


def fields(value):
    """Return all that a value or an error has."""
    if isinstance(value, Exception):
        return (value.args, vars(value), str(value))
    if isinstance(value, tuple):
        return tuple(value)
    return tuple(getattr(value, one.name) for one in attrs.fields(type(value)))


def same(one, other):
    """Tell whether two have the same class and fields, all the way down; exceptions and arrays do not compare so."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, Exception) or attrs.has(type(one)):
        return same(fields(one), fields(other))
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


def test_there_are_values_and_errors():
    """None of the lists that follow has come to nothing."""
    assert {rekog.Face, rekog.VideoAnalysis, rekog.VideoOutcome, rekog.Progress, rekog.S3Object} < set(VALUES)
    assert len(ERRORS) == len([name for name in rekog.__all__ if name.endswith("Error")]) > 20
    assert rekog.EmotionType in WORDS


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [*ERRORS, *VALUES], ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_comes_back_with_class_and_fields(kind, protocol):
    """Whatever it has."""
    value = made(kind)

    back = pickle.loads(pickle.dumps(value, protocol))  # noqa: S301 -- our own

    assert same(back, value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", WORDS, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_words_come_back_as_themselves(kind, protocol):
    """Each is one object a process."""
    assert all(pickle.loads(pickle.dumps(one, protocol)) is one for one in kind)  # noqa: S301 -- likewise


@pytest.mark.parametrize("kind", [*ERRORS, *VALUES], ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_can_be_copied(kind):
    """A deep copy is a pickle that stays here."""
    value = made(kind)

    assert same(copy.deepcopy(value), value)


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_what_is_the_same_is_equal(kind):
    """What comes back of a pickle is equal, unless it has an error, and has the hash of what it came from."""
    value = made(kind)

    back = pickle.loads(pickle.dumps(value))  # noqa: S301 -- likewise

    if not has_error(value):
        assert back == value
        if kind.__hash__ is not None and kind.__name__ not in AS_GIVEN:
            assert hash(back) == hash(value)


def has_error(value):
    """Tell whether a value has an exception, which equals itself alone."""
    return isinstance(value, Exception) or (
        (attrs.has(type(value)) or isinstance(value, tuple)) and any(map(has_error, fields(value)))
    )
