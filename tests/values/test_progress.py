import attrs
import pytest

from rekog_emotion import Progress, ProgressEvent
from rekog_emotion.values.progress import tell


def test_events():
    """The events of a job, in the order in which it goes through them, and those of many photos."""
    jobs = ["UPLOADING", "WAITING_FOR_SLOT", "STARTED", "WAITING", "POLLED", "ANALYZING", "PAGE"]
    assert list(ProgressEvent) == [*jobs, "IMAGE", "LEFT_OUT", "ENDED"]


def test_tells():
    """A report has what belongs to its event; the rest is ``None``."""
    reports = []

    tell(reports.append, Progress(event=ProgressEvent.PAGE, job_id="j-1", faces=3))

    assert reports == [Progress(event=ProgressEvent.PAGE, job_id="j-1", faces=3)]
    assert (reports[0].seconds, reports[0].bytes_done, reports[0].status) == (None, None, None)


def test_tells_nobody():
    """Without a listener nobody is told."""
    assert tell(None, Progress(event=ProgressEvent.STARTED)) is None


def test_is_a_value():
    """A report can be kept, compared and not changed."""
    report = Progress(event=ProgressEvent.STARTED, job_id="j-1")

    assert report == Progress(event="STARTED", job_id="j-1")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        report.job_id = "j-2"
