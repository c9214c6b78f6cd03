import pytest

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.testing import Fault, FaultPlan

A, B = Fault.error("A"), Fault.error("B")
DETECT, START, GET = "DetectFaces", "StartFaceDetection", "GetFaceDetection"


def taken(plan, *operations):
    """Return the names of what goes wrong with calls, one after the other."""
    faults = [plan.take(operation) for operation in operations]
    return [fault and fault.name for fault in faults]


@pytest.mark.parametrize(
    ("cues", "calls", "expected"),
    [
        ([], [DETECT], [None]),
        ([(A, {})], [DETECT, DETECT], ["A", None]),
        ([(A, {"times": 2})], [DETECT, GET, GET], ["A", "A", None]),
        ([(A, {"times": None})], [DETECT] * 4, ["A"] * 4),
        ([(A, {"times": 0})], [DETECT], [None]),
        ([(A, {"operation": GET})], [DETECT, GET, GET], [None, "A", None]),
        ([(A, {"after": 2})], [DETECT] * 4, [None, None, "A", None]),
        ([(A, {"operation": GET, "after": 1})], [GET, DETECT, GET, GET], [None, None, "A", None]),
        ([(A, {}), (B, {"times": 2})], [DETECT] * 4, ["A", "B", "B", None]),
        ([(A, {"after": 1}), (B, {})], [DETECT] * 3, ["B", "A", None]),
        ([(A, {"operation": GET}), (B, {"operation": START})], [START, GET], ["B", "A"]),
    ],
)
def test_plan(cues, calls, expected):
    """Faults meet the calls they were planned for, in the order they were planned in."""
    plan = FaultPlan()
    for fault, options in cues:
        plan.add(fault, **options)

    assert taken(plan, *calls) == expected


def test_cleared():
    """A cleared plan lets all calls go well."""
    plan = FaultPlan()
    plan.add(A, times=None)
    plan.clear()

    assert taken(plan, DETECT) == [None]


@pytest.mark.parametrize("options", [{"times": -1}, {"after": -1}])
def test_negative_numbers(options):
    """A fault that would come for ever, or never, is refused."""
    with pytest.raises(InvalidInputError) as caught:
        FaultPlan().add(A, **options)

    ((name, number),) = options.items()
    assert str(caught.value) == f"{name}={number} is no number of calls: pass 0 or more"


def test_unknown_operation():
    """A fault for an operation that there is not would never come: it is refused."""
    with pytest.raises(InvalidInputError) as caught:
        FaultPlan().add(A, operation="detect_faces")

    assert str(caught.value) == (
        "operation='detect_faces' is none of the service's: use DetectFaces, GetFaceDetection, StartFaceDetection or "
        "leave it out"
    )


@pytest.mark.parametrize(("status", "text"), [(400, b"Slow down"), (500, b"Service Unavailable")])
def test_throttled(status, text):
    """The service throttles in two ways."""
    fault = Fault.throttled(status=status)

    assert (fault.name, fault.status, text in fault.body) == ("ThrottlingException", status, True)
