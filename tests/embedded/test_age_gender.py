import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekog_emotion.embedded.age_gender import age_range, male


@pytest.mark.parametrize(
    ("age", "low", "high"),
    [(-3, 0, 2), (0, 0, 2), (8, 4, 13), (30, 20, 43), (55, 45, 68), (85, 79, 95), (140, 134, 135)],
)
def test_age_range(age, low, high):
    """The range is wider above than below: the network reads the old too young."""
    assert age_range(age) == {"Low": low, "High": high}


@given(st.floats(-50, 200))
def test_age_range_is_never_empty(age):
    """Low is under high, and no age is negative."""
    years = age_range(age)

    assert 0 <= years["Low"] < years["High"]


def test_both_networks_count():
    """Where one is torn the other decides; where they contradict each other nothing is sure."""
    first, second = np.array([0.99, 0.5, 0.01, 0.5, 0.8]), np.array([0.5, 0.99, 0.5, 0.01, 0.01])
    grown = male(first, second, np.full(5, 30.0))

    assert list(grown > 0.5) == [True, True, False, False, False]
    assert 0.2 < grown[4] < 0.5 < grown[0] < 1


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_childs_gender_is_less_sure(first, second):
    """The networks hardly know it, so what they say moves it less than a grown face's."""
    ages = np.array([5.0, 11.0, 30.0])
    there, back = (male(np.full(3, a), np.full(3, b), ages) for a, b in ((first, second), (1 - first, 1 - second)))
    child, between, grown = np.abs(np.log(there / (1 - there)) - np.log(back / (1 - back)))

    assert np.all((there > 0) & (there < 1))
    assert child <= between + 1e-9
    assert between <= grown + 1e-9
