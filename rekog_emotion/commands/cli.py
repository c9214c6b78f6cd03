"""The command ``rekog-emotion``: its parser, and the frame that every command runs in."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from rekog_emotion.commands import _terminal, annotate, blur, export, image, report, serve, video, watch
from rekog_emotion.commands._completion import HELP, SHELLS, Completion

__all__ = ["build_parser", "main"]

_DESCRIPTION: Final = """\
Find the faces of images and videos and describe them, with Amazon Rekognition
or offline with the embedded engine.

Emotions are how a face looks, not what a person feels.
"""
_EPILOG: Final = f"""\
environment:
  REKOG_EMOTION_CLIENT  the client where --client is left out: aws or embedded
  {_terminal.DEBUG_VARIABLE}   1 does what --debug does
  AWS_PROFILE, AWS_DEFAULT_REGION and whatever else boto3 reads

exit codes (of several photos the highest counts):
  {_terminal.OK}    all went well, be there faces or not
  {_terminal.FAILED}    a call failed, or something unexpected happened
  {_terminal.UNUSABLE}    something given cannot be used: a photo, an option, the configuration
  {_terminal.INTERRUPTED}  interrupted by Ctrl-C
  {_terminal.TERMINATED}  ended by SIGTERM
  {_terminal.NO_READER}  the reader of the output went away
"""
_COMMANDS: Final = {
    "image": image,
    "video": video,
    "watch": watch,
    "annotate": annotate,
    "blur": blur,
    "export": export,
    "report": report,
    "serve": serve,
}


class _Parser(argparse.ArgumentParser):
    """A parser whose errors take one line and name the help, instead of printing half of it."""

    def error(self, message: str) -> NoReturn:
        _terminal.note(f"{self.prog}: {_terminal.one_line(message)}; see {self.prog} --help")
        self.exit(_terminal.UNUSABLE)


class _Command(_Parser):
    """A parser of one command, whose options may stand between its photos: ``image a.jpg --client embedded b.jpg``."""

    _is_mixing = False

    def parse_known_args(  # type: ignore[override]  # whose overloads differ in what a namespace is
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Read arguments as every parser does, and where some are left, options first."""
        known, left = super().parse_known_args(args, namespace)
        if not left or self._is_mixing:
            return known, left
        self._is_mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_mixing = False


class _Version(argparse.Action):
    """Print the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        _terminal.say(f"{_terminal.PROGRAM} {version('rekog-emotion')}")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    form = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog=_terminal.PROGRAM, description=_DESCRIPTION, epilog=_EPILOG, formatter_class=form, allow_abbrev=False
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="print the version and exit")
    parser.add_argument("--print-completion", action=Completion, choices=SHELLS, help=HELP)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Command)
    for name, command in _COMMANDS.items():
        subparser = commands.add_parser(
            name,
            help=command.SUMMARY,
            description=command.DESCRIPTION,
            epilog=command.EPILOG,
            formatter_class=form,
            allow_abbrev=False,
        )
        subparser.set_defaults(options={})
        command.add(subparser)
        subparser.set_defaults(run=command.run, parser=subparser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: The arguments without the program's name; left out, those of the process.

    Returns:
        The exit code.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started the command: nobody reads what is said
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 -- to the end of the process
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        # A sign that the terminal's encoding lacks is an escape, as on standard error, and no failure.
        reconfigure(errors="backslashreplace")
    with _terminal.standard_error():
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    debug, options = False, {}
    try:
        with _terminal.standard_output():
            args, unknown = build_parser().parse_known_args(argv)
            if unknown:
                args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")  # it knows which help to name
            debug, options = args.debug, args.options
            args.argv = list(sys.argv[1:] if argv is None else argv)
            code: int = args.run(args)
    except KeyboardInterrupt as interrupt:
        return _terminal.interrupted(interrupt)
    except BrokenPipeError:
        _terminal.let_go_of(sys.stdout)
        return _terminal.NO_READER
    except _terminal.OutputError as error:
        _terminal.let_go_of(sys.stdout)
        return _terminal.report(error, debug=debug)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the user of a command cannot read a traceback
        return _terminal.report(error, debug=debug, options=options)
    return code
