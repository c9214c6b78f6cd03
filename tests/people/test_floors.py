import numpy as np
import pytest

from rekog_emotion.people.floors import estimate_floors, scores


def rows(*faces):
    """Give confidences, a row a face."""
    return np.array(faces, np.float32)


def test_a_floor_is_what_nearly_every_face_has():
    """The 5 % quantile over all faces; emotions that some lack have none."""
    seen = rows(*([100 - k, 6 + k, k] for k in range(21)))

    assert estimate_floors(seen).tolist() == pytest.approx([0, 7, 1])


@pytest.mark.parametrize(
    ("faces", "floors"),
    [
        ([[98, 5, 0.5]] * 3, [0, 5, 0.5]),
        ([[97, 6, 0]] * 3, [0, 0, 0]),  # they sum to what they may without floors
        ([[94, 10, 0]] * 3, [0, 10, 0]),
        ([[94, 10.5, 0]] * 3, [0, 0, 0]),  # so much is what all show
        ([[98, 5, 0.5], [np.nan] * 3], [0, 5, 0.5]),
        ([[98, 5, 0.5], [98, 5, np.nan]], [0, 5, 0.5]),
        ([[np.nan] * 3] * 2, [0, 0, 0]),
        ([], [0, 0, 0]),
    ],
)
def test_where_there_are_floors(faces, floors):
    """Only where even low sums are beyond what a face has without them, and only small ones; NaN is left out."""
    found = estimate_floors(np.array(faces, np.float32).reshape(-1, 3))

    assert (found.tolist(), found.dtype) == (pytest.approx(floors), np.float32)


@pytest.mark.parametrize(
    ("confidences", "floors", "expected"),
    [
        ([80, 10], [0, 0], [80, 10]),
        ([100, 20], [0, 20], [100, 0]),
        ([10, 60], [0, 20], [10, 50]),
        ([10, 5], [0, 20], [10, 0]),
        ([150, 50], [0, 0], [75, 25]),
        ([100, 60], [0, 20], [200 / 3, 100 / 3]),
        ([np.nan, np.nan], [0, 0], [np.nan, np.nan]),
    ],
)
def test_scores_are_what_is_above_the_floors(confidences, floors, expected):
    """Stretched back to 0 to 100, and shared where they sum to more."""
    found = scores(rows(confidences), rows(floors)[0])

    assert found.tolist() == [pytest.approx(expected, nan_ok=True, rel=1e-5)]
