"""How much long searches try: a part, ``few`` or the ``whole``, as the variable ``REKOG_EMOTION_TESTS`` says."""

import os

HOW_MUCH = os.environ.get("REKOG_EMOTION_TESTS", "")


def amount(part: int, *, whole: int, few: int | None = None) -> int:
    """Return how many a search tries in this test run; few are a tenth unless they are given."""
    return {"whole": whole, "few": part // 10 if few is None else few}.get(HOW_MUCH, part)
