"""How much long searches try: a part, or all where the environment variable ``REKOG_EMOTION_TESTS`` is ``whole``."""

import os

IS_WHOLE = os.environ.get("REKOG_EMOTION_TESTS") == "whole"


def amount(part: int, *, whole: int) -> int:
    """Return how many a search tries in this test run."""
    return whole if IS_WHOLE else part
