"""A small part of the attacks runs with the tests; and what does not hold is told."""

import random
from collections import Counter
from types import SimpleNamespace

import pytest

from tests.reliability import attacks
from tests.reliability.attacks import Held
from tests.reliability.soak import HEADING, Soak


@pytest.mark.parametrize(("name", "count"), [("answers", 20), ("jobs", 200), ("values", 60), ("requests", 100)])
def test_holds(name, count, capfd):
    """Every attack ends as an answer or a named error, and all of them are counted."""
    attack, _ = attacks.ATTACKS[name]

    held = attack(count, random.Random(5))  # noqa: S311 -- no secret

    assert held.count >= count
    assert sum(held.ends.values()) == held.count
    assert "Traceback" not in capfd.readouterr().err


def test_an_unnamed_error_is_told(monkeypatch):
    """The run ends with it, and with what it came from."""

    def output(_):
        raise ZeroDivisionError

    monkeypatch.setitem(attacks.IMAGE_OUTPUTS, "repr", output)

    with pytest.raises(ZeroDivisionError) as caught:
        attacks.values(200, random.Random(5))  # noqa: S311 -- no secret

    assert caught.value.__notes__[0].startswith("output repr of ")


def test_changes_are_seldom_none():
    """What is sent differs from what it was made of; the original stays as it is."""
    content = {"a": [1, 2, {"b": "c"}], "d": None}
    random_ = random.Random(5)  # noqa: S311 -- no secret

    made = [repr(attacks.changed(content, random_)) for _ in range(200)]

    assert content == {"a": [1, 2, {"b": "c"}], "d": None}
    assert made.count(repr(content)) < 20
    assert len(set(made)) > 100


def test_the_table_is_a_part_of_its_page():
    """It takes the place of the one before, and nothing else."""
    held = [Held("attacks", 1200, Counter({"result": 1000, "Error": 200}), "much")]
    page = attacks.with_table("# Page\n\nText.\n", held, "How.")

    assert page.startswith("# Page\n\nText.\n\n## What held\n\n")
    assert page.endswith("|---|---|---|---|\n| attacks | 1,200 | 1,000 result, 200 Error | much |\n")
    assert attacks.with_table(page, held, "How.") == page


def test_other_parts_of_the_page_stay():
    """Whichever comes first, each takes the place of its own."""
    page = attacks.with_section("# Page\n\nText.\n", HEADING, "\nShort.\n")
    page = attacks.with_section(page, "\n## Last\n", "\nWords.\n")

    assert page == "# Page\n\nText.\n\n## A long run\n\nShort.\n\n## Last\n\nWords.\n"
    assert attacks.with_section(page, HEADING, "\nLong.\n") == page.replace("Short.", "Long.")


# --- the soak ---


class Messages:
    """A topic, and when which message came."""

    def __init__(self, *messages):
        self.messages = [(at, {"JobId": job_id, "Status": status}) for at, job_id, status in messages]


def soaked(*messages, **known):
    """Return a run in which one job was started, and these messages came."""
    known = {"jobs": {"token": {"a"}}, "ended": {"a": "SUCCEEDED"}} | known
    server = SimpleNamespace(log=[])
    return Soak(server=server, topic=Messages(*messages), random=random.Random(5), **known)  # noqa: S311 -- no secret


RIGHT = (1.0, "a", "SUCCEEDED")
SAYS = ", and its messages say [({}, 'SUCCEEDED')]"
BOTH = {"jobs": {"t": {"a", "b"}}, "ended": {"a": "SUCCEEDED", "b": "FAILED"}}


@pytest.mark.parametrize(
    ("run", "wrong"),
    [
        (soaked(RIGHT), []),
        (soaked(), ["job a has 0 messages"]),
        (soaked(RIGHT, (9.0, "a", "SUCCEEDED")), ["job a has 2 messages"]),
        (soaked(RIGHT, (9.0, "a", "SUCCEEDED"), kills=[1.1]), []),
        (soaked(RIGHT, (9.0, "a", "SUCCEEDED"), kills=[4.0]), ["job a has 2 messages"]),
        (soaked((1.0, "a", "FAILED")), ["job a ended as SUCCEEDED, and its messages say [(1.0, 'FAILED')]"]),
        (
            soaked(RIGHT, (2.0, "b", "SUCCEEDED")),
            ["job b ended as None" + SAYS.format(2.0)],
        ),
        (
            soaked(
                RIGHT,
                (2.0, "b", "FAILED"),
                jobs={"t": {"a", "b"}},
                ended={"a": "SUCCEEDED", "b": "FAILED"},
            ),
            ["t has the jobs ['a', 'b']"],
        ),
        (
            soaked(RIGHT, ended={}),
            ["job a has not ended", "job a ended as None" + SAYS.format(1.0)],
        ),
        (soaked(RIGHT, marks=[(k, 100.0 + 10 * k, 20) for k in range(20)]), ["190 MB became 290"]),
        (soaked(RIGHT, marks=[(k, 100.0, 20 + 2 * k) for k in range(20)]), ["38 descriptors became 58"]),
        (soaked(RIGHT, marks=[(k, 100.0, 20) for k in range(20)]), []),
    ],
)
def test_what_a_soak_complains_of(run, wrong):
    """Jobs that are lost, doubled or open, messages that are missing or too many, and what grows."""
    assert run.judge() == wrong
