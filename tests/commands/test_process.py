"""How the process of the command ends when signals come: with the right code, and without a traceback."""

import signal
import subprocess
import sys
import textwrap

import pytest

COMMAND = """
    import atexit, os, signal, sys
    from rekog_emotion import __main__
    from rekog_emotion.commands import cli

    __main__._PATIENCE = SECONDS

    def send(*numbers):
        for number in numbers:
            os.kill(os.getpid(), getattr(signal, number))

    def command(args):
        try:
            send(*DURING)
        finally:
            send(*CLEANING)
            print("cleaned up", flush=True)
        return CODE

    cli.export.run = command
    sys.argv[1:] = ["export", "results.jsonl"]
    atexit.register(lambda: send(*AFTER))
    sys.exit(__main__.run())
"""


def ended(*, during=(), cleaning=(), after=(), code=0, patience=60):
    """Run a command that gets signals while it works, while it cleans up and when it is over; tell how it ended."""
    script = textwrap.dedent(COMMAND)
    values = {"DURING": during, "CLEANING": cleaning, "AFTER": after, "CODE": code, "SECONDS": patience}
    for name, value in values.items():
        script = script.replace(name, repr(value))
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=600)  # noqa: S603 -- the test's own script
    return run.returncode, run.stdout, run.stderr


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_ends_by_a_signal(name, code):
    """The command cleans up, and says no word; the code is that of shells."""
    assert ended(during=[name]) == (code, "cleaned up\n", "")


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_ends_by_more_signals(name, code):
    """Those that come while it cleans up change nothing."""
    assert ended(during=[name], cleaning=["SIGINT", "SIGTERM", name]) == (code, "cleaned up\n", "")


def test_a_clean_up_that_hangs_can_be_interrupted():
    """After a while, ten seconds that is, a further signal counts as the first one did."""
    assert ended(during=["SIGTERM"], cleaning=["SIGINT"], patience=0) == (130, "", "")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_done_is_done(name):
    """A signal that comes when all has been done changes nothing."""
    assert ended(after=[name] * 4) == (0, "cleaned up\n", "")


def test_may_be_killed_at_its_end():
    """What has been interrupted, and still waits for something, ends at once."""
    assert ended(during=["SIGINT"], after=["SIGINT"]) == (-signal.SIGINT, "cleaned up\n", "")


def test_the_code_of_the_command():
    """Without signals it is what the command says."""
    assert ended(code=1) == (1, "cleaned up\n", "")


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_while_it_is_loaded(name, code):
    """Signals that come while modules are imported are quiet, too."""
    script = f"""
        import os, signal, sys
        from rekog_emotion import __main__

        class Finder:
            def find_spec(self, name, *_):
                if name in {{"rekog_emotion.commands.cli", "rekog_emotion.commands._terminal"}}:
                    os.kill(os.getpid(), signal.{name})

        sys.meta_path.insert(0, Finder())
        sys.exit(__main__.run())
    """
    run = subprocess.run(  # noqa: S603 -- the test's own script
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, timeout=600
    )

    assert (run.returncode, run.stdout, run.stderr) == (code, "", "")
