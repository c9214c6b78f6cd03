"""What is imported is whole whenever a signal comes."""

import signal
import subprocess
import sys
import threading

import pytest

from rekog_emotion.interrupts import uncut

# Ctrl-C comes once, when a module in the midst of a package is looked for; the same call then works.
_CALL = """
import signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
import rekog_emotion as rekog

for _ in range(2):
    try:
        {call}
    except KeyboardInterrupt:
        print("interrupted")
    else:
        print("done")
"""
_TIMELINE = (
    'rekog.VideoAnalysis.from_aws({"JobStatus": "SUCCEEDED", "Faces": [], "VideoMetadata": {}}).timeline().to_pandas()'
)


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("tenacity.asyncio", "rekog.detect_image"),
        ("botocore.session", 'rekog.aws_client(region_name="eu-west-1")'),
        ("numpy.linalg", "from rekog_emotion.embedded import EmbeddedClient; EmbeddedClient().close()"),
        ("pandas._libs.tslibs", _TIMELINE),
        ("matplotlib.colors", "from rekog_emotion.results import plots"),
    ],
)
def test_an_interrupted_import_can_be_made_again(module, call, monkeypatch):
    """A call whose imports Ctrl-C interrupts raises that when they are whole, and works the next time."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")

    if module.startswith("matplotlib"):  # says so where its list of fonts, made once, takes five seconds
        subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], capture_output=True, check=True)
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", _CALL.format(module=module, call=call)], capture_output=True, text=True, check=False
    )

    assert (done.stdout.split(), done.stderr) == (["interrupted", "done"], "")


def test_signals_wait_for_the_end_of_the_block():
    """A handler is called when the outermost block has ended, and is in its place again."""
    seen = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with uncut():
            with uncut():
                signal.raise_signal(signal.SIGTERM)
            assert seen == []

        assert seen == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_the_block_wants_of_signals_stays():
    """A handler that an imported module sets is not taken away."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        with uncut():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_leave_signals_alone():
    """Only the main thread may set handlers, and only it is interrupted."""
    handlers = []

    def imports():
        with uncut():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=imports)
    thread.start()
    thread.join()

    assert handlers == [signal.getsignal(signal.SIGINT)]
