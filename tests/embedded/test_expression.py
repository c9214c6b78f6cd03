import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekog_emotion.embedded import expression
from rekog_emotion.embedded.engine import _find, _looks


@given(st.lists(st.floats(1e-6, 1), min_size=7, max_size=7))
def test_eight_types_in_order_that_sum_to_100(odds):
    """Whatever the networks say, the wire's list is complete, sorted and adds up."""
    emotions = expression._wire(np.array(odds) / sum(odds))
    confidences = [emotion["Confidence"] for emotion in emotions]

    assert {*expression.CLASSES, "CONFUSED"} == {emotion["Type"] for emotion in emotions}
    assert sorted(confidences, reverse=True) == confidences
    assert sum(confidences) == pytest.approx(100)
    assert min(confidences) >= 0


def test_no_face_is_confused():
    """No network knows CONFUSED: it is last, with nothing."""
    emotions = expression._wire(np.full(7, 1 / 7))

    assert emotions[-1] == {"Type": "CONFUSED", "Confidence": 0.0}


@pytest.mark.parametrize(
    ("muscle", "more", "less"),
    [
        ("smile", "HAPPY", "CALM"),
        ("jaw_open", "SURPRISED", "DISGUSTED"),
        ("mouth_frown", "ANGRY", "DISGUSTED"),
        ("mouth_stretch", "FEAR", "HAPPY"),
    ],
)
def test_a_muscle_speaks_for_one_emotion_and_against_another(muscle, more, less):
    """A movement adds evidence by its square root; a face at rest adds none."""
    rest = dict.fromkeys(expression.MUSCLE_WEIGHTS, 0.0)
    half, full = (expression._tension(rest | {muscle: strength}) for strength in (0.25, 1.0))

    assert (more, less) == (expression.CLASSES[full.argmax()], expression.CLASSES[full.argmin()])
    assert full / 2 == pytest.approx(half)
    assert not expression._tension(rest).any()


def test_emotions_of_a_face_do_not_depend_on_its_company(engine, portrait):
    """A face that is looked at among others gets the answer that it gets alone."""
    nets = engine._networks()
    faces = [_find(nets, portrait(name), "default")[0] for name in ("astronaut", "biden")]

    together = [told.emotions for _, told, _ in _looks(nets, faces, None)]

    assert [emotions[0]["Type"] for emotions in together] == ["HAPPY", "CALM"]
    for face, emotions in zip(faces, together, strict=True):
        [(_, told, _)] = _looks(nets, [face], None)
        alone = told.emotions
        assert [one["Type"] for one in alone] == [one["Type"] for one in emotions]
        assert [one["Confidence"] for one in alone] == pytest.approx([one["Confidence"] for one in emotions], abs=1e-3)


def test_muscles_that_the_emotions_weigh_are_measured():
    """Every movement has its outputs of the coefficient network, which has 52, each used once."""
    outputs = [column for columns in expression.COEFFICIENTS.values() for column in columns]

    assert expression.MUSCLE_WEIGHTS.keys() <= expression.COEFFICIENTS.keys()
    assert len(set(outputs)) == len(outputs)
    assert set(outputs) <= set(range(52))


def test_mirrored_crops_follow_the_crops():
    """Pixels of the second half run from right to left."""
    crops = np.arange(2 * 3 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3, 3)

    both = expression.mirrored(crops)

    assert both.shape == (4, 3, 3, 3)
    assert np.array_equal(both[2:, :, ::-1], crops)
