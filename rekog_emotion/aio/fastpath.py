"""The shortcut for pages of faces, for aiobotocore's clients: pages are decoded in a thread, and hold up nobody."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

from rekog_emotion.clients import fastpath

__all__ = ["Acceleration", "Passing"]

_SMALL: Final = 32_768  # bytes that are decoded faster than a thread takes them over, in less than a millisecond


class Acceleration(fastpath.Acceleration):
    """As of :mod:`rekog_emotion.clients.fastpath`, on a client of aiobotocore."""

    async def _take_faces(self, **event: Any) -> None:  # noqa: ANN401 -- whatever botocore gives
        ours = fastpath.is_ours()
        if self._counted and not ours:
            return
        body = event.get("response_dict", {}).get("body", b"")
        if len(body) <= _SMALL:
            self._take(event, ours=ours)
        else:
            await asyncio.get_running_loop().run_in_executor(None, partial(self._take, event, ours=ours))


class Passing(Acceleration):
    """The shortcut for one call of ours."""

    _counted = True
