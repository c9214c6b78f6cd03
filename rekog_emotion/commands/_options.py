"""Options that several commands share."""

from __future__ import annotations

import argparse

__all__ = ["add_client", "add_debug", "add_job", "add_results", "add_shared"]


def add_shared(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command has that analyses something."""
    add_client(parser)
    parser.add_argument("--json", action="store_true", help="print JSON Lines on a terminal, too")
    add_debug(parser)


def add_client(parser: argparse.ArgumentParser) -> None:
    """Add the choice of who analyses."""
    parser.add_argument(
        "--client",
        choices=("aws", "embedded"),
        help="who analyses: 'aws' is Amazon Rekognition, 'embedded' runs on this machine and sends nothing anywhere; "
        "their numbers differ (default: $REKOG_EMOTION_CLIENT, else aws)",
    )


def add_debug(parser: argparse.ArgumentParser) -> None:
    """Add the wish for tracebacks."""
    parser.add_argument("--debug", action="store_true", help="print the traceback of every error")


def add_results(parser: argparse.ArgumentParser) -> None:
    """Add the way to what was analysed before."""
    parser.add_argument(
        "--results",
        metavar="FILE",
        help="do not analyse anew, but read what rekog-emotion image or video printed (JSON Lines), to_json() wrote, "
        "or the service answered",
    )


def add_job(parser: argparse.ArgumentParser) -> None:
    """Add the options of a video's job."""
    parser.add_argument(
        "--staging", metavar="S3_PREFIX", help="where a local video is uploaded for AWS, such as s3://bucket/uploads/"
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=3600.0,
        metavar="SECONDS",
        help="how long to wait for the job of a video, which goes on when the time is over (default: 3600)",
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        msg = f"{text!r} is no time: name seconds from 0 on, or inf to wait for ever"
        raise argparse.ArgumentTypeError(msg)
    return seconds
