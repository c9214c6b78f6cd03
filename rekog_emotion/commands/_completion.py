"""``--print-completion``: the script by which a shell completes the command."""

from __future__ import annotations

import argparse
from typing import Any, Final, NoReturn

from rekog_emotion.commands import _terminal
from rekog_emotion.errors import MissingExtraError, needs

__all__ = ["HELP", "SHELLS", "Completion"]

HELP: Final = "print the script by which this shell completes the command, and exit: bash, zsh or tcsh"
SHELLS: Final = ("bash", "zsh", "tcsh")
_FILES: Final = {"CLIP", "FILE", "MEDIA", "OUT", "PHOTO", "SOURCE"}
_FOLDERS: Final = {"DIR"}


class Completion(argparse.Action):
    """Print the script; shtab is loaded only then."""

    def __call__(
        self, parser: argparse.ArgumentParser, _namespace: object, values: object, _option: str | None = None
    ) -> NoReturn:
        """Print the script for a shell."""
        try:
            with needs("cli", "Shell completion"):
                import shtab
        except MissingExtraError as missing:
            parser.exit(_terminal.report(missing))
        for action in _actions(parser):
            completed: Any = action  # `complete` is where shtab looks
            if action.metavar in _FILES:
                completed.complete = shtab.FILE
            elif action.metavar in _FOLDERS:
                completed.complete = shtab.DIRECTORY
        _terminal.say(shtab.complete(parser, shell=str(values)))
        parser.exit()


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the actions of a parser and of its commands."""
    found: list[argparse.Action] = []
    for action in parser._actions:  # noqa: SLF001 -- argparse has no public way to them
        found.append(action)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 -- likewise
            for command in action.choices.values():
                found += _actions(command)
    return found
