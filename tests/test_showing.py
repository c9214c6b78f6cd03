import io
import sys
from types import ModuleType

import pytest

import rekog_emotion as rekog
from rekog_emotion import Progress, showing

HALF = Progress(
    event="IMAGE",
    done=400,
    failed=3,
    skipped=99,
    failed_before=2,
    left_out=2,
    total=1000,
    rate=49.04,
    seconds_left=10.2,
    source="a.jpg",
)
END = Progress(event="ENDED", done=897, failed=3, skipped=100, left_out=2, total=1000, rate=49.0, seconds_left=0.0)


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self):
        """Tell that it is a terminal."""
        return True


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (HALF, "photos: 502 of 1000, 3 failed, 97 done before, 2 failed before, 2 left out, 49.0/s, 10 s left"),
        (END, "photos: 1000 of 1000, 3 failed, 100 done before, 2 left out, 49.0/s"),
        (Progress(event="IMAGE", done=1, failed=0, skipped=0, left_out=0), "photos: 1"),
        (
            Progress(event="IMAGE", done=1, failed=0, rate=0.5, total=900, seconds_left=1798.0),
            "photos: 1 of 900, 30.0/min, 30 min left",
        ),
        (
            Progress(event="IMAGE", done=0, failed=1, rate=1.0, total=9**9, seconds_left=9**7),
            "photos: 1 of 387420489, 1 failed, 1.0/s, 1328.6 h left",
        ),
        (
            Progress(event="UPLOADING", source="clip.mp4", bytes_done=50_000, bytes_total=2_000_000),
            "clip.mp4: uploading, 0.1 of 2.0 MB",
        ),
        (Progress(event="WAITING_FOR_SLOT", source="clip.mp4"), "clip.mp4: waiting for a free slot"),
        (Progress(event="POLLED", status="IN_PROGRESS"), "video: waiting for the job"),
        (Progress(event="ANALYZING", fraction=0.0), "video: looking, 0%"),
        (Progress(event="ANALYZING", fraction=0.254, seconds_left=150.0), "video: looking, 25%, 2 min left"),
        (Progress(event="WAITING", fraction=0.5, seconds_left=3.4), "video: looking, 50%, 3 s left"),
        (
            Progress(event="PAGE", source="\x1b[2J" + "a" * 50 + ".mp4", faces=7),
            f"...{'a' * 36}.mp4: reading, 7 faces",
        ),
    ],
)
def test_words(progress, line):
    """What is known is said, and no more."""
    assert showing._line(progress) == line


def test_a_log():
    """Gets a line in ten seconds, and one at the end."""
    log, times = io.StringIO(), iter([0.0, 3.0, 10.0, 10.0, 15.0, 19.9, 21.0])
    listener = showing._Lines(log, now=lambda: next(times))

    for done in range(1, 5):
        listener(Progress(event="IMAGE", done=done))
    listener(END)

    assert log.getvalue().splitlines() == ["photos: 2", showing._line(END)]


def test_standard_error(capsys):
    """Is where it goes."""
    rekog.show_progress()(END)

    assert capsys.readouterr() == ("", f"{showing._line(END)}\n")


def test_a_terminal():
    """Shows a bar, and gets its cursor back."""
    terminal = Terminal()
    listener = rekog.show_progress(file=terminal)

    for progress in (HALF, END):
        listener(progress)

    text = terminal.getvalue()
    assert "1000 of 1000, 3 failed" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_a_terminal_with_several_videos():
    """Shows a bar each, until the last has ended."""
    terminal = Terminal()
    listener = rekog.show_progress(file=terminal)

    listener(Progress(event="STARTED", source="[red]a.mp4"))
    listener(Progress(event="UPLOADING", source="b.mp4", bytes_done=1, bytes_total=2))
    listener(Progress(event="PAGE", source="[red]a.mp4", faces=5))
    listener(Progress(event="PAGE", source="b.mp4", faces=6))

    text = terminal.getvalue()
    assert "[red]a.mp4" in text
    assert "reading, 6 faces" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_a_terminal_without_rich(monkeypatch):
    """Gets lines."""
    monkeypatch.setitem(sys.modules, "rich", None)
    terminal = Terminal()

    rekog.show_progress(file=terminal)(END)

    assert terminal.getvalue() == f"{showing._line(END)}\n"


class Display(ModuleType):
    """What IPython shows with."""

    def __init__(self):
        super().__init__("IPython.display")
        self.pages = []

    def HTML(self, page):  # noqa: N802 -- IPython's name
        """Make a page."""
        return page

    def display(self, page, *, display_id):
        """Show a page that can be replaced."""
        assert display_id
        self.pages.append(page)
        return self

    def update(self, page):
        """Show another page in its place."""
        self.pages.append(page)


def test_a_notebook(monkeypatch):
    """Shows a live bar, whose names are text."""
    ipython, display = ModuleType("IPython"), Display()
    ipython.get_ipython = type("ZMQInteractiveShell", (), {})
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    listener = rekog.show_progress()
    times = iter([1.0, 1.0, 1.01, 1.2, 1.2, 1.2])
    listener._now = lambda: next(times)

    listener(Progress(event="STARTED", source="<b>.mp4"))
    listener(HALF)
    listener(HALF)
    listener(END)

    half, end = (showing._line(one).replace(":", "") for one in (HALF, END))
    video = '<div><progress style="width: 20em"></progress> &lt;b&gt;.mp4 waiting for the job</div>'
    assert display.pages == [
        video,
        f'{video}<div><progress value="502" max="1000" style="width: 20em"></progress> {half}</div>',
        f'{video}<div><progress value="1000" max="1000" style="width: 20em"></progress> {end}</div>',
    ]
