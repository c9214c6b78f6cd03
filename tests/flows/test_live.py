"""What may be asked of what is live: options, their defaults and their checks."""

from datetime import timedelta

import pytest

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.flows.live import WatchRequest
from rekog_emotion.flows.request import ATTRIBUTES


def test_what_is_left_out_has_its_default():
    """Of all options of a verb those that are asked of the watching are taken."""
    asked = WatchRequest.of({"client": "embedded", "attributes": "smile, default", "timeout": timedelta(minutes=1)})

    assert asked == WatchRequest(attributes=["SMILE", "DEFAULT"])


@pytest.mark.parametrize("options", [{"rate": 1000}, {"rate": 0.1, "max_calls": 1}, {"rate": 2, "max_calls": None}])
def test_options_that_can_be_used(options):
    """Up to a sample a millisecond, and from one call on."""
    asked = WatchRequest(**options)

    assert {name: getattr(asked, name) for name in options} == options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0}, "rate=0 is no rate: pass samples a second, over 0 and up to 1000"),
        ({"rate": True}, "rate=True is no rate: pass samples a second, over 0 and up to 1000"),
        ({"rate": float("nan")}, "rate=nan is no rate: pass samples a second, over 0 and up to 1000"),
        ({"rate": 1001}, "rate=1001 is no rate: pass samples a second, over 0 and up to 1000"),
        ({"rate": 2, "max_calls": 0}, "max_calls=0 is no budget: pass 1 or more calls, or None for no limit"),
        ({"rate": -1}, "rate=-1 is no rate: pass samples a second, over 0 and up to 1000"),
        ({"rate": "2"}, "rate='2' is no rate: pass samples a second, over 0 and up to 1000"),
        ({"rate": 2, "max_calls": True}, "max_calls=True is no budget: pass 1 or more calls, or None for no limit"),
        ({"rate": 2, "max_calls": 2.5}, "max_calls=2.5 is no budget: pass 1 or more calls, or None for no limit"),
        (
            {"attributes": "SMELL"},
            f"attributes= has 'SMELL', which the service does not know; it knows {', '.join(ATTRIBUTES)}",
        ),
        ({"timeout": -1}, "timeout=-1 is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever"),
    ],
)
def test_options_that_cannot_be_used(options, message):
    """They are refused before anything is opened."""
    with pytest.raises(InvalidInputError) as caught:
        WatchRequest(**options)

    assert str(caught.value) == message
