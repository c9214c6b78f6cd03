"""The process of the command ``rekog-emotion``, which is ``python -m rekog_emotion``, too."""

from __future__ import annotations

import signal
import sys
import time
from typing import Final

__all__ = ["run"]

_PATIENCE: Final = 10.0  # seconds that a command has for its clean-up before a signal interrupts that, too


def run() -> int:
    """Run the command, and return the exit code of the process.

    Signals end it as Ctrl-C does, cleaning up, and without a traceback, also while it is loaded and while it ends.
    """
    interrupting = _Interrupting()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupting)
    try:
        from rekog_emotion.commands.cli import main  # noqa: PLC0415 -- a fifth of a second, in which a signal may come

        code = main()
    except KeyboardInterrupt as interrupt:  # while it was loaded, or while an earlier one was seen to
        from rekog_emotion.commands._terminal import interrupted  # noqa: PLC0415 -- likewise

        code = interrupted(interrupt)
    # All is done but for the threads and modules to be put away. What has been interrupted may be killed in that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL if code else signal.SIG_IGN)
    return code


class _Interrupting:
    """Interrupts the command, once: a second interrupt would tear a lock from whoever cleans up after the first."""

    def __init__(self) -> None:
        self._again = float("-inf")

    def __call__(self, number: int, _: object) -> None:
        now = time.monotonic()
        if now < self._again:
            return
        self._again = now + _PATIENCE
        raise KeyboardInterrupt(*([signal.SIGTERM] if number == signal.SIGTERM else []))


if __name__ == "__main__":
    sys.exit(run())
