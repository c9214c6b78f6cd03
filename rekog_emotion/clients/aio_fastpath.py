"""The shortcut for pages of faces, for aiobotocore's clients: pages are decoded in a thread, and hold up nobody.

A large picture is sent piece by piece. As the bytes that botocore makes of it, aiohttp would write it at once, and warn
of that: whoever has warnings raised could send none.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from rekog_emotion.clients import fastpath
from rekog_emotion.wire.service import DETECT_FACES

__all__ = ["Acceleration", "Passing"]

_SMALL: Final = 32_768  # bytes that are decoded faster than a thread takes them over, in less than a millisecond
_LARGE: Final = 262_144  # of a body; aiohttp warns from 1 MiB on


class Acceleration(fastpath.Acceleration):
    """As of :mod:`rekog_emotion.clients.fastpath`, on a client of aiobotocore."""

    async def _take_faces(self, **event: Any) -> None:  # noqa: ANN401 -- whatever botocore gives
        if not self._is_meant():
            return
        take = partial(self._take, event, ours=fastpath.is_ours())
        if len(event.get("response_dict", {}).get("body", b"")) <= _SMALL:
            take()
        else:
            await asyncio.get_running_loop().run_in_executor(None, take)

    def _handlers(self) -> list[tuple[str, Callable[..., Any]]]:
        return [*super()._handlers(), (f"before-send.rekognition.{DETECT_FACES}", self._in_pieces)]

    def _in_pieces(self, request: Any, **_: Any) -> None:  # noqa: ANN401 -- botocore's
        if self._is_meant() and isinstance(request.body, bytes) and len(request.body) > _LARGE:
            request.body = io.BytesIO(request.body)


class Passing(Acceleration):
    """The shortcut for one call of ours."""

    _counted = True
