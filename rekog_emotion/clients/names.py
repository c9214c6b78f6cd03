"""Who answers: anything with boto3's three methods, our own boto3 client, or the embedded engine.

A client is given as an object or by name: ``"aws"`` or ``"embedded"``. Left out, it is what the environment variable
``REKOG_EMOTION_CLIENT`` says, else ``"aws"``. There is no silent way from one to the other: their numbers differ.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol, cast
from weakref import WeakKeyDictionary

from rekog_emotion import forks
from rekog_emotion.clients.beside import client_beside
from rekog_emotion.clients.configuring import (
    check_credentials,
    check_settings,
    configuration_error,
    fault_of,
    no_credentials,
)
from rekog_emotion.clients.fastpath import accelerate
from rekog_emotion.errors import ConfigurationError, InvalidInputError, RekogEmotionError

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config

__all__ = [
    "RekognitionClient",
    "aws_client",
    "capabilities",
    "engine_name",
    "resolve_client",
    "s3_client_for",
    "service_region",
    "sqs_client_for",
]

ENVIRONMENT_VARIABLE: Final = "REKOG_EMOTION_CLIENT"
_LONG_POLL: Final = 20.0  # seconds that a call of SQS may wait for messages before it answers
_METHODS: Final = ("detect_faces", "start_face_detection", "get_face_detection")


class RekognitionClient(Protocol):
    """Boto3's three methods: what a real client, a stubbed one, a recording, a fake and the embedded engine share.

    Nested arguments are ``Any`` and parameters keyword-only and explicit: this form alone lets a typed boto3 client
    pass as it is under mypy, pyright and ty.
    """

    def detect_faces(self, *, Image: Any, Attributes: Sequence[Any] = ...) -> Mapping[str, Any]:  # noqa: ANN401, N803 -- boto3's form
        """Answer DetectFaces."""
        ...

    def start_face_detection(
        self,
        *,
        Video: Any,  # noqa: ANN401, N803 -- boto3's form
        ClientRequestToken: str = ...,  # noqa: N803 -- boto3's form
        NotificationChannel: Any = ...,  # noqa: ANN401, N803 -- boto3's form
        FaceAttributes: Any = ...,  # noqa: ANN401, N803 -- boto3's form
        JobTag: str = ...,  # noqa: N803 -- boto3's form
    ) -> Mapping[str, Any]:
        """Answer StartFaceDetection."""
        ...

    def get_face_detection(
        self,
        *,
        JobId: str,  # noqa: N803 -- boto3's form
        MaxResults: int = ...,  # noqa: N803 -- boto3's form
        NextToken: str = ...,  # noqa: N803 -- boto3's form
    ) -> Mapping[str, Any]:
        """Answer GetFaceDetection."""
        ...


def aws_client(
    *,
    session: Session | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
    config: Config | None = None,
    connect_timeout: float = 10.0,
    read_timeout: float = 60.0,
) -> RekognitionClient:
    """Build a boto3 client for Rekognition that leaves retrying to this library.

    botocore makes one attempt a call, because its default counts and modes differ between versions and would multiply
    with ours.

    Args:
        session: A boto3 session: assumed roles and anything else that boto3 can do for credentials.
        region_name: Region; left out, the session's.
        profile_name: Profile of the AWS configuration files; not together with ``session``.
        endpoint_url: Address of another endpoint, for example a VPC's or a local server's.
        config: botocore's ``Config``: proxies, FIPS endpoints, pool size. Its retries are replaced.
        connect_timeout: Seconds; ``config`` wins where it sets its own.
        read_timeout: Seconds; ``config`` wins where it sets its own.

    Returns:
        A boto3 client, usable like any other.

    Raises:
        InvalidInputError: Both ``session`` and ``profile_name`` are given, or ``session`` or ``config`` is of another
            type.
        ConfigurationError: There are no credentials or no region, or the configuration is broken.
    """
    import boto3  # noqa: PLC0415 -- a third of a second, which no import of this package shall cost
    from botocore.config import Config  # noqa: PLC0415 -- likewise

    if session is not None and profile_name is not None:
        msg = "session and profile_name exclude each other: make the session with its profile"
        raise InvalidInputError(msg)
    if session is not None and not callable(getattr(session, "client", None)):
        msg = f"session= got {type(session).__module__}.{type(session).__name__}: pass a boto3.session.Session"
        raise InvalidInputError(msg)
    if config is not None and not isinstance(config, Config):
        msg = f"config= got {type(config).__name__}: pass a botocore.config.Config"
        raise InvalidInputError(msg)
    settings = Config(connect_timeout=connect_timeout, read_timeout=read_timeout, user_agent_extra="rekog-emotion")
    if config is not None:
        settings = settings.merge(config)
    # The mode is named, too: "adaptive" in the environment would sleep between our attempts by itself.
    settings = settings.merge(Config(retries={"total_max_attempts": 1, "mode": "standard"}))
    with _configured(session):
        if session is None:
            session = boto3.session.Session(profile_name=profile_name)
    with _configured(session):
        if (credentials := session.get_credentials()) is None:
            raise no_credentials()
        check_settings(session)
        check_credentials(credentials, session=session, renew=False)
        client = session.client("rekognition", region_name=region_name, endpoint_url=endpoint_url, config=settings)
    if (fault := fault_of(client, session)) is not None:
        raise fault
    _MADE[client] = session, settings
    accelerate(client)
    return cast("RekognitionClient", client)


# boto3 clients do not tell their session, and not all that they were configured with.
_MADE: Final[WeakKeyDictionary[object, tuple[Session, Config]]] = WeakKeyDictionary()


def s3_client_for(client: RekognitionClient) -> Any:  # noqa: ANN401 -- boto3's clients have no importable type
    """Build an S3 client beside a boto3 client for Rekognition, with all of its that is not Rekognition's own.

    It has the same credentials, region, proxies, time-outs, certificates, FIPS and dual-stack settings, whoever made
    the client; beside any other client it is one of the default session.

    Raises:
        ConfigurationError: There are no credentials, or the configuration is broken.
    """
    # S3 retries uploads part by part, which is botocore's business; the counts are pinned, since its defaults change.
    return _client_beside(client, "s3", attempts=5, waiting=0.0)


def sqs_client_for(client: RekognitionClient) -> Any:  # noqa: ANN401 -- boto3's clients have no importable type
    """Build an SQS client beside a Rekognition client, as :func:`s3_client_for` does; it leaves retrying to us.

    Raises:
        ConfigurationError: There are no credentials, or the configuration is broken.
    """
    return _client_beside(client, "sqs", attempts=1, waiting=_LONG_POLL)


def _client_beside(client: RekognitionClient, service: str, *, attempts: int, waiting: float) -> Any:  # noqa: ANN401 -- likewise
    from botocore.client import BaseClient  # noqa: PLC0415 -- boto3 takes a third of a second

    # What is no boto3 client may not even be weakly referenced.
    made = _MADE.get(client) if isinstance(client, BaseClient) else None
    with _configured(made[0] if made else None):
        beside = client_beside(
            client, service, region=service_region(client), attempts=attempts, waiting=waiting, made=made
        )
    if (fault := fault_of(beside)) is not None:
        raise fault
    return beside


@contextmanager
def _configured(session: Session | None) -> Iterator[None]:
    """Say of whatever boto3 and its providers of credentials raise that it is the configuration's."""
    try:
        yield
    except RekogEmotionError:
        raise
    except Exception as error:
        raise configuration_error(error, session) from error


def _embedded_client() -> RekognitionClient:
    from rekog_emotion.embedded import EmbeddedClient  # noqa: PLC0415 -- needs the extra

    return EmbeddedClient()


_FACTORIES: Final[dict[str, Callable[[], RekognitionClient]]] = {"aws": aws_client, "embedded": _embedded_client}


class _Cache:
    """Clients by name: one a process and configuration, since they pool connections and hold loaded networks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[tuple[object, ...], RekognitionClient] = {}

    def get(self, name: str) -> RekognitionClient:
        # boto3 reads its configuration from variables that begin with AWS_.
        settings = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
        key = (name, settings if name == "aws" else ())
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


def resolve_client(client: RekognitionClient | str | None) -> RekognitionClient:
    """Return the client that is meant.

    Args:
        client: An object with boto3's three methods, ``"aws"``, ``"embedded"``, or ``None`` for what the environment
            variable ``REKOG_EMOTION_CLIENT`` says, else ``"aws"``.

    Raises:
        InvalidInputError: It is none of these.
        ConfigurationError: The name in the environment variable is unknown, or AWS is not configured.
        MissingExtraError: ``"embedded"`` without the extra of that name.
    """
    if client is None:
        name = os.environ.get(ENVIRONMENT_VARIABLE) or "aws"
        if name not in _FACTORIES:
            msg = f"{ENVIRONMENT_VARIABLE}={name!r} names no client: set it to 'aws' or 'embedded', or unset it"
            raise ConfigurationError(msg)
        return _CACHE.get(name)
    if isinstance(client, str):
        if client not in _FACTORIES:
            msg = f"client={client!r} names no client: use 'aws', 'embedded' or an object with boto3's methods"
            raise InvalidInputError(msg)
        return _CACHE.get(client)
    if isinstance(client, type):
        msg = f"client= got the class {client.__name__} itself: pass an object of it, {client.__name__}()"
        raise InvalidInputError(msg)
    missing = [name for name in _METHODS if not callable(getattr(client, name, None))]
    if missing:
        msg = (
            f"client= got {type(client).__name__}, which has no {missing[0]}(): "
            'pass boto3.client("rekognition"), aws_client(), "aws" or "embedded"'
        )
        raise InvalidInputError(msg)
    return client


def engine_name(client: RekognitionClient) -> str:
    """Return who answers: what the client calls itself, ``"aws"`` for a boto3 client, else the name of its class."""
    name = getattr(client, "engine", None)
    if isinstance(name, str):
        return name
    return "aws" if service_region(client) is not None else type(client).__name__


def capabilities(client: object) -> frozenset[str]:
    """Return what a client can do beyond boto3's three methods, as it says itself; none where it says nothing.

    ``"files"``: it takes local files by its ``stage`` and ``discard``, and has no quota and sends no messages.
    ``"ends"``: its ``ended(job_id)`` gives a ``concurrent.futures.Future`` that is done when the job has ended, or at
    once where another process runs the job.
    """
    said = getattr(client, "rekog_capabilities", None)
    return said if isinstance(said, frozenset) else frozenset()


def service_region(client: object) -> str | None:
    """Return the region of a boto3 client, ``None`` of any other."""
    region = getattr(getattr(client, "meta", None), "region_name", None)
    return region if isinstance(region, str) else None
