import pytest

from rekog_emotion import Progress, ProgressEvent
from rekog_emotion.flows.tally import Tally


def test_counts():
    """Outcomes, and how long the rest will take at the rate of the last half minute."""
    tally = Tally(100.0, total=1000)
    for number in range(1, 201):
        tally.ended(failed=number % 10 == 0, now=100.0 + number / 4)
    tally.skipped, tally.failed_before, tally.left_out = 300, 20, 100

    report = tally.report(ProgressEvent.IMAGE, 150.0, source="a.jpg", reason="why")

    assert report == Progress(
        event="IMAGE",
        source="a.jpg",
        reason="why",
        done=180,
        failed=20,
        skipped=300,
        failed_before=20,
        left_out=100,
        total=900,
        rate=pytest.approx(4.0),
        seconds_left=pytest.approx(400 / 4),
    )


def test_the_rate_follows():
    """What was slow an hour ago says nothing about now."""
    tally = Tally(0.0)
    tally.ended(failed=False, now=3600.0)
    for number in range(400):
        tally.ended(failed=False, now=3601.0 + number / 10)

    assert tally.rate(3641.0) == pytest.approx(10, rel=0.05)


def test_at_the_beginning():
    """Nothing is known of the rate, nor of the time."""
    report = Tally(5.0, total=3).report(ProgressEvent.IMAGE, 5.1)

    assert (report.rate, report.seconds_left, report.total, report.done) == (None, None, 3, 0)


def test_a_total_that_nobody_knows():
    """There is a rate, and no time left."""
    tally = Tally(0.0)
    tally.ended(failed=False, now=1.0)

    report = tally.report(ProgressEvent.IMAGE, 1.0)

    assert (report.rate, report.total, report.seconds_left) == (1.0, None, None)


def test_more_than_were_counted():
    """Files that came while the folder was gone through leave no time less than none."""
    tally = Tally(0.0, total=1)
    for now in (1.0, 2.0):
        tally.ended(failed=False, now=now)

    report = tally.report(ProgressEvent.ENDED, 2.0)

    assert (report.total, report.seconds_left) == (2, 0.0)


@pytest.mark.parametrize(
    ("ends", "now", "rate"),
    [
        ([], 0.4, None),
        ([], 0.5, 0.0),
        ([0.4], 0.5, 2.0),
        ([0.5, 31.0], 31.5, 1 / 31),
        ([0.5, 30.5], 31.0, 2 / 31),
        ([0.4, 31.0], 31.5, 2 / 31.5),
        ([100.0, 200.0], 200.0, 1 / 100),
        ([10.0, 20.0, 45.0, 50.0], 51.0, 3 / 41),
    ],
    ids=["too early", "none", "one", "over half a minute", "just not", "no mark", "slow", "steady"],
)
def test_the_rate(ends, now, rate):
    """Is taken from marks half a second apart, from the last one that is half a minute old."""
    tally = Tally(0.0, total=10)
    for end in ends:
        tally.ended(failed=False, now=end)

    report = tally.report(ProgressEvent.IMAGE, now)

    assert report.rate == (None if rate is None else pytest.approx(rate))
    assert report.seconds_left == (pytest.approx((10 - len(ends)) / rate) if rate else None)
