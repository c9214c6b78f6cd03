"""The process of the command ``rekog-emotion``, which is ``python -m rekog_emotion``, too."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

__all__ = ["run"]


def run() -> int:
    """Run the command, and return the exit code of the process.

    Signals end it as Ctrl-C does, cleaning up, and without a traceback, also while it is loaded and while it ends.
    """
    signal.signal(signal.SIGTERM, _terminate)
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


def _terminate(*_: object) -> NoReturn:
    raise KeyboardInterrupt(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(run())
