import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekog_emotion.embedded.age_gender import age_range


@pytest.mark.parametrize(
    ("age", "low", "high"),
    [(-3, 0, 2), (0, 0, 2), (8, 6, 13), (30, 23, 42), (55, 46, 68), (85, 82, 95), (140, 137, 138)],
)
def test_age_range(age, low, high):
    """The range is wider above than below: the network reads the old too young."""
    assert age_range(age) == {"Low": low, "High": high}


@given(st.floats(-50, 200))
def test_age_range_is_never_empty(age):
    """Low is under high, and no age is negative."""
    years = age_range(age)

    assert 0 <= years["Low"] < years["High"]
