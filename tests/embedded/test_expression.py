import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekog_emotion.embedded import expression

INDEX = {name: index for index, name in enumerate(expression.CLASSES)}


@given(st.lists(st.floats(1e-6, 1), min_size=7, max_size=7))
def test_eight_types_in_order_that_sum_to_100(odds):
    """Whatever the networks say, the wire's list is complete, sorted and adds up."""
    probabilities = np.array(odds) / sum(odds)

    emotions = expression._wire(expression._with_confused(probabilities))
    confidences = [emotion["Confidence"] for emotion in emotions]

    assert {*expression.CLASSES, "CONFUSED"} == {emotion["Type"] for emotion in emotions}
    assert sorted(confidences, reverse=True) == confidences
    assert sum(confidences) == pytest.approx(100)
    assert min(confidences) >= 0


def test_an_even_split_of_tense_classes_is_confused():
    """Evenly angry, sad, fearful and surprised is partly confused; one clear emotion is not."""
    even, clear = np.full(7, 1e-9), np.full(7, 1e-9)
    even[[INDEX[name] for name in ("ANGRY", "SAD", "FEAR", "SURPRISED")]] = 0.25
    clear[INDEX["SAD"]] = 1

    assert expression._with_confused(even)["CONFUSED"] == pytest.approx(0.45)
    assert expression._with_confused(clear)["CONFUSED"] == 0


def test_mirrored_crops_follow_the_crops():
    """Pixels of the second half run from right to left."""
    crops = np.arange(2 * 3 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3, 3)

    both = expression.mirrored(crops)

    assert both.shape == (4, 3, 3, 3)
    assert np.array_equal(both[2:, :, ::-1], crops)
