"""Who answers: anything with boto3's three methods, our own boto3 client, or the embedded engine.

A client is given as an object or by name: ``"aws"`` or ``"embedded"``. Left out, it is what the environment variable
``REKOG_EMOTION_CLIENT`` says, else ``"aws"``. There is no silent way from one to the other: their numbers differ.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Final, TypedDict

from rekog_emotion import forks
from rekog_emotion.clients.aws import aws_client
from rekog_emotion.clients.protocols import (
    RekognitionClient,
    capabilities,
    is_async,
    leaves_retrying_to_us,
    said,
    service_region,
)
from rekog_emotion.errors import ConfigurationError, InvalidInputError
from rekog_emotion.wire.service import OPERATIONS

__all__ = ["Known", "configuration", "engine_name", "known_of", "name_of", "object_of", "resolve_client"]

ENVIRONMENT_VARIABLE: Final = "REKOG_EMOTION_CLIENT"
_WAYS_IN: Final = 'pass boto3.client("rekognition"), aws_client(), "aws" or "embedded"'


def _embedded_client() -> RekognitionClient:
    from rekog_emotion.embedded import EmbeddedClient  # noqa: PLC0415 -- needs the extra

    return EmbeddedClient()


_FACTORIES: Final[dict[str, Callable[[], RekognitionClient]]] = {"aws": aws_client, "embedded": _embedded_client}


def configuration() -> tuple[tuple[str, str], ...]:
    """Return what tells the clients by the name ``"aws"`` apart: boto3 reads the variables that begin with AWS_."""
    return tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))


class _Cache:
    """Clients by name: one a process and configuration, since they pool connections and hold loaded networks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[tuple[object, ...], RekognitionClient] = {}

    def get(self, name: str) -> RekognitionClient:
        key = (name, configuration() if name == "aws" else ())
        with self._lock:
            if key not in self._clients:
                self._clients[key] = _FACTORIES[name]()
            return self._clients[key]

    def clear(self) -> None:
        """Forget all clients: a forked child shares no sockets, and no thread there gives back a lock that was held."""
        self._lock = threading.Lock()
        self._clients = {}


_CACHE: Final = _Cache()
forks.in_child(_CACHE.clear)


def name_of(client: object) -> str | None:
    """Return the name of the client that is meant, ``None`` where it is an object.

    Raises:
        InvalidInputError: No client has this name.
        ConfigurationError: No client has the name that the environment variable holds.
    """
    if client is None:
        name = os.environ.get(ENVIRONMENT_VARIABLE) or "aws"
        if name not in _FACTORIES:
            msg = f"{ENVIRONMENT_VARIABLE}={name!r} names no client: set it to 'aws' or 'embedded', or unset it"
            raise ConfigurationError(msg)
        return name
    if isinstance(client, str):
        if client not in _FACTORIES:
            msg = f"client={client!r} names no client: use 'aws', 'embedded' or an object with boto3's methods"
            raise InvalidInputError(msg)
        return client
    return None


def resolve_client(client: RekognitionClient | str | None) -> RekognitionClient:
    """Return the client that is meant.

    Args:
        client: An object with boto3's three methods, ``"aws"``, ``"embedded"``, or ``None`` for what the environment
            variable ``REKOG_EMOTION_CLIENT`` says, else ``"aws"``.

    Raises:
        InvalidInputError: It is none of these, or its methods are coroutine functions.
        ConfigurationError: The name in the environment variable is unknown, or AWS is not configured.
        MissingExtraError: ``"embedded"`` without the extra of that name.
    """
    if (name := name_of(client)) is not None:
        return _CACHE.get(name)
    made: RekognitionClient = object_of(client)
    if any(is_async(made, method) for method in OPERATIONS):
        msg = (
            f"client= got {type(client).__name__}, whose calls are awaited, as those of aiobotocore's clients are: "
            f"use rekog_emotion.aio with it, or {_WAYS_IN}"
        )
        raise InvalidInputError(msg)
    return made


def object_of(client: object) -> Any:  # noqa: ANN401 -- of either world
    """Return a client that is given as an object.

    Raises:
        InvalidInputError: It has not boto3's three methods.
    """
    if isinstance(client, type):
        msg = f"client= got the class {client.__name__} itself: pass an object of it, {client.__name__}()"
        raise InvalidInputError(msg)
    missing = [name for name in OPERATIONS if not callable(getattr(client, name, None))]
    if missing:
        msg = f"client= got {type(client).__name__}, which has no {missing[0]}(): {_WAYS_IN}"
        raise InvalidInputError(msg)
    return client


class Known(TypedDict):
    """What is known of a client: the facts that flows are told, by their names."""

    retries: bool
    can: frozenset[str]
    engine: str


def known_of(client: object) -> Known:
    """Return what is known of a client of either world."""
    return Known(retries=leaves_retrying_to_us(client), can=capabilities(client), engine=engine_name(client))


def engine_name(client: object) -> str:
    """Return who answers: what the client calls itself, ``"aws"`` for a boto3 client, else the name of its class."""
    name = said(client, "engine")
    if isinstance(name, str):
        return name
    return "aws" if service_region(client) is not None else type(client).__name__
