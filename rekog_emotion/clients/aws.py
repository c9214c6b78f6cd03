"""AWS's own clients: ours, and those that stand beside one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakKeyDictionary

from rekog_emotion.clients.beside import client_beside
from rekog_emotion.clients.configuring import (
    check_credentials,
    check_settings,
    configuration_error,
    fault_of,
    no_credentials,
)
from rekog_emotion.clients.connections import make_closable
from rekog_emotion.clients.fastpath import accelerate
from rekog_emotion.clients.protocols import RekognitionClient, service_region
from rekog_emotion.errors import InvalidInputError, RekogEmotionError
from rekog_emotion.interrupts import uncut

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
else:
    Session = Config = Any  # typing.get_type_hints() shall load neither

__all__ = ["aws_client", "s3_client_for", "sqs_client_for"]

# A connection is made when a caller finds none that is free. botocore keeps 10, and throws away what comes back beyond.
MOST_CONNECTIONS: Final = 256
CONNECT_TIMEOUT: Final = 10.0  # seconds
READ_TIMEOUT: Final = 60.0
_LONG_POLL: Final = 20.0  # seconds that a call of SQS may wait for messages before it answers


def aws_client(
    *,
    session: Session | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
    config: Config | None = None,
    connect_timeout: float = CONNECT_TIMEOUT,
    read_timeout: float = READ_TIMEOUT,
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
    with uncut():
        import boto3  # noqa: PLC0415 -- a third of a second, which no import of this package shall cost
        from botocore.config import Config  # noqa: PLC0415 -- likewise

    check_session(session, profile_name=profile_name, method="client", wanted="a boto3.session.Session")
    times = Config(connect_timeout=connect_timeout, read_timeout=read_timeout)
    settings = settings_of(times, config)
    with configured(session):
        if session is None:
            session = boto3.session.Session(profile_name=profile_name)
    with configured(session):
        check_found(session.get_credentials(), session)
        client = session.client("rekognition", region_name=region_name, endpoint_url=endpoint_url, config=settings)
    if (fault := fault_of(client, session)) is not None:
        raise fault
    note_made(client, session, settings)
    accelerate(client)
    make_closable(client)
    return cast("RekognitionClient", client)


def check_session(session: object, *, profile_name: str | None, method: str, wanted: str) -> None:
    """Refuse a session of another kind, or one beside the name of a profile.

    Args:
        session: What was given, or nothing.
        profile_name: What was given, or nothing.
        method: That a session of the right kind has.
        wanted: What to pass, in words.
    """
    if session is not None and profile_name is not None:
        msg = "session and profile_name exclude each other: make the session with its profile"
        raise InvalidInputError(msg)
    if session is not None and not callable(getattr(session, method, None)):
        msg = f"session= got {type(session).__module__}.{type(session).__name__}: pass {wanted}"
        raise InvalidInputError(msg)


def check_found(credentials: object, session: Any) -> None:  # noqa: ANN401 -- of either world
    """Refuse a session with which no client can be made: it has no credentials, or these or its settings are broken.

    Args:
        credentials: What the session has found, or nothing.
        session: boto3's, or one of aiobotocore.

    Raises:
        ConfigurationError: No client can be made.
    """
    if credentials is None:
        raise no_credentials()
    check_settings(session)
    check_credentials(credentials, session=session, renew=False)


def settings_of(times: Config, config: Config | None) -> Config:
    """Return what a client of ours is configured with: the caller's configuration over ours, but for its retries.

    Args:
        times: Our time-outs; the result is of its class.
        config: The caller's.
    """
    from botocore.config import Config  # noqa: PLC0415 -- a third of a second, which no import of this package shall cost

    if config is not None and not isinstance(config, Config):
        msg = f"config= got {type(config).__name__}: pass a botocore.config.Config"
        raise InvalidInputError(msg)
    settings = times.merge(Config(max_pool_connections=MOST_CONNECTIONS, user_agent_extra="rekog-emotion"))
    if config is not None:
        settings = settings.merge(config)
    # The mode is named, too: "adaptive" in the environment would sleep between our attempts by itself.
    merged: Config = settings.merge(Config(retries={"total_max_attempts": 1, "mode": "standard"}))
    return merged


# Clients do not tell their session, and not all that they were configured with.
_MADE: Final[WeakKeyDictionary[object, tuple[Any, Config]]] = WeakKeyDictionary()


def note_made(client: object, session: Any, settings: Config) -> None:  # noqa: ANN401 -- of either world
    """Keep, as long as there is a client of ours, what it was made of, for those that stand beside it."""
    _MADE[client] = session, settings


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
    with configured(made[0] if made else None):
        beside = client_beside(
            client, service, region=service_region(client), attempts=attempts, waiting=waiting, made=made
        )
    if (fault := fault_of(beside)) is not None:
        raise fault
    make_closable(beside)
    return beside


@contextmanager
def configured(session: Session | None) -> Iterator[None]:
    """Say of whatever boto3 and its providers of credentials raise that it is the configuration's."""
    try:
        yield
    except RekogEmotionError:
        raise
    except Exception as error:
        raise configuration_error(error, session) from error
