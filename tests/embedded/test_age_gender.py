import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekog_emotion.embedded.age_gender import age_range, aged, male


@pytest.mark.parametrize(
    ("age", "low", "high"),
    [(-3, 0, 2), (0, 0, 2), (8, 4, 13), (30, 18, 42), (55, 42, 68), (85, 77, 93), (140, 132, 133)],
)
def test_age_range(age, low, high):
    """The range is widest in the middle of life, and never reaches beyond the oldest."""
    assert age_range(age) == {"Low": low, "High": high}


@given(st.floats(-50, 200))
def test_age_range_is_never_empty(age):
    """Low is under high, and no age is negative."""
    years = age_range(age)

    assert 0 <= years["Low"] < years["High"]


def test_all_networks_count():
    """Where two are torn the third decides; where they contradict each other nothing is sure."""
    own = np.array([9.0, 0.0, 0.0, -9.0, 0.0, 0.0, 2.0])
    second = np.array([0.5, 0.99, 0.5, 0.5, 0.01, 0.5, 0.3])
    third = np.array([0.5, 0.5, 0.9999, 0.5, 0.5, 0.0001, 0.3])

    told = male(own, second, third)

    assert list(told > 0.5) == [True, True, True, False, False, False, told[6] > 0.5]
    assert 0.2 < told[6] < 0.8


@given(st.floats(allow_nan=False), st.floats(0, 1), st.floats(0, 1))
def test_no_gender_is_certain(own, second, third):
    """Whatever the networks say, the probability can be told as odds."""
    (told,) = male(*(np.array([one]) for one in (own, second, third)))

    assert 0 < told < 1


@given(st.floats(0, 100), st.floats(0, 100))
def test_ages_lie_near_what_the_networks_say(own, second):
    """Between the two, but for the few years by which both read too young; older where either is."""
    (age,), (older,) = (aged(np.array([one]), np.array([second])) for one in (own, own + 10))

    assert min(own, second) - 0.2 <= age <= max(own, second) + 4
    assert older > age
