"""Options that several commands share."""

from __future__ import annotations

import argparse

__all__ = ["add_shared"]


def add_shared(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command has that analyses something."""
    parser.add_argument(
        "--client",
        choices=("aws", "embedded"),
        help="who analyses: 'aws' is Amazon Rekognition, 'embedded' runs on this machine and sends nothing anywhere; "
        "their numbers differ (default: $REKOG_EMOTION_CLIENT, else aws)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON Lines on a terminal, too")
    parser.add_argument("--debug", action="store_true", help="print the traceback of every error")
