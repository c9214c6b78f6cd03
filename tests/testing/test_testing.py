import importlib
import inspect

import pytest

from rekog_emotion import testing


def test_sorted():
    """``__all__`` is sorted and names nothing twice."""
    assert sorted(set(testing.__all__)) == testing.__all__


@pytest.mark.parametrize("name", testing.__all__)
def test_can_be_had(name):
    """Every public name can be had from the package, is the one of its own module, and is documented."""
    thing = getattr(testing, name)

    assert getattr(importlib.import_module(thing.__module__), name) is thing
    assert name in importlib.import_module(thing.__module__).__all__
    assert inspect.getdoc(thing).splitlines()[0].endswith(".")


def test_unknown_name():
    """A name that is not there is an ``AttributeError`` like any module's."""
    with pytest.raises(AttributeError) as caught:
        _ = testing.FakeClints

    assert str(caught.value) == "module 'rekog_emotion.testing' has no attribute 'FakeClints'"
