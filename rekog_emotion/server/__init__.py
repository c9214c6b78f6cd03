"""A local endpoint that speaks Rekognition's wire protocol, so that any AWS SDK can use it unchanged."""

from __future__ import annotations

from rekog_emotion.errors import needs

with needs("server", "The server"):
    from rekog_emotion.server.app import create_app
    from rekog_emotion.server.objects import MediaRoot, S3Objects
    from rekog_emotion.server.running import listen, serve
    from rekog_emotion.server.spool import Spool

__all__ = ["MediaRoot", "S3Objects", "Spool", "create_app", "listen", "serve"]
