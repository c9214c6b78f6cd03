"""A client for the pictures of one stream: it takes them as they are, and follows faces from one to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rekog_emotion.embedded.trail import Trail

__all__ = ["StreamClient"]

Look = Callable[[Any, Sequence[Any], Trail, float], Mapping[str, Any]]
"""Answers DetectFaces for pixels: these, the attributes, what is known of the stream, and when they were taken."""


class StreamClient:
    """Answers DetectFaces for one picture of a stream after another; all else is answered by the client it is of.

    Args:
        client: Whose stream it is.
        look: Looks at a picture.

    Attributes:
        engine: As of the client.
        rekog_capabilities: ``"pixels"``.
    """

    rekog_capabilities: Final = frozenset({"pixels"})

    def __init__(self, client: Any, look: Look) -> None:  # noqa: ANN401 -- the client is a room above
        self.engine: str = client.engine
        self._client, self._look = client, look
        self._trail = Trail()
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the client has
        return getattr(self._client, name)

    def detect_faces(self, *, Image: Any, Attributes: Sequence[Any] = ("DEFAULT",)) -> Mapping[str, Any]:  # noqa: ANN401, N803 -- boto3's signature
        """Find the faces of the next picture.

        Args:
            Image: ``{"Pixels": ..., "Seconds": ...}``: a PIL picture in mode RGB, and when it was taken; or
                what the client takes.
            Attributes: As of the client.
        """
        match Image:
            case {"Pixels": pixels, "Seconds": float() as seconds}:
                with self._lock:  # one after another: a call that nobody waits for any longer may still be under way
                    return self._look(pixels, Attributes, self._trail, seconds)
        answer: Mapping[str, Any] = self._client.detect_faces(Image=Image, Attributes=Attributes)
        return answer
