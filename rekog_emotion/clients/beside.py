"""Clients that stand beside a client for Rekognition, S3 for uploads and SQS for messages: they inherit from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
    from botocore.credentials import Credentials

__all__ = ["client_beside", "credentials_of"]


def credentials_of(client: object) -> Credentials | None:
    """Return the credentials that a boto3 client signs with, which may renew themselves; ``None`` of any other."""
    signer = getattr(client, "_request_signer", None)
    if signer is None:
        return None
    from botocore.credentials import Credentials  # noqa: PLC0415 -- boto3 takes a third of a second, and is used by now

    credentials = getattr(signer, "_credentials", None)
    return credentials if isinstance(credentials, Credentials) else None


def client_beside(
    client: object,
    service: str,
    *,
    region: str | None,
    attempts: int,
    waiting: float,
    made: tuple[Any, Config] | None,
) -> Any:  # noqa: ANN401 -- boto3's clients have no importable type
    """Build a boto3 client with all of another one that is not about its service.

    Args:
        client: A boto3 client, whose credentials, proxies, time-outs, certificates, FIPS and dual-stack settings are
            taken; any other has nothing to give.
        service: Name of the service.
        region: Where; left out, the session's.
        attempts: Tries a call.
        waiting: Seconds that the service may take for an answer on top of what Rekognition may.
        made: For a client of ours, the session and the settings that it was made of: boto3's, or aiobotocore's, whose
            profile is taken.
    """
    from botocore.config import Config  # noqa: PLC0415 -- boto3 takes a third of a second

    session: Any  # boto3's type knows services by name only
    session, settings = made or (None, None)
    if not hasattr(session, "client"):
        session = _session_like(client, profile=getattr(session, "profile", None))
    config: Any = _inherited(client, settings).merge(
        Config(retries={"mode": "standard", "total_max_attempts": attempts})
    )
    if waiting and config.read_timeout is not None:
        config = config.merge(Config(read_timeout=config.read_timeout + waiting))
    return session.client(service, region_name=region, config=config, verify=_verify(client))


def _session_like(client: object, *, profile: str | None) -> Session:
    """Return a session of a profile, with the credentials of a boto3 client; beside any other, with its own."""
    import boto3  # noqa: PLC0415 -- likewise
    from botocore.session import get_session  # noqa: PLC0415 -- likewise

    core = get_session()
    if profile is not None:
        core.set_config_variable("profile", profile)
    if (credentials := credentials_of(client)) is not None:
        core.register_component("credential_provider", _Known(_blocking(credentials)))
    return boto3.session.Session(botocore_session=core)


@frozen
class _Known:
    """Gives credentials where botocore would look for some."""

    credentials: Credentials

    def load_credentials(self) -> Credentials:
        """Return them; botocore asks by this name."""
        return self.credentials


def _blocking(credentials: Credentials) -> Credentials:
    """Return credentials that can be asked outside of tasks: aiobotocore's renew themselves in a loop of their own."""
    from inspect import iscoroutinefunction  # noqa: PLC0415 -- botocore has loaded it

    if not iscoroutinefunction(credentials.get_frozen_credentials):
        return credentials
    import asyncio  # noqa: PLC0415 -- whoever has such credentials has loaded it

    from botocore.credentials import Credentials  # noqa: PLC0415 -- likewise

    class Asked(Credentials):
        """Asks the others each time; clients beside one of aiobotocore work in threads."""

        def get_frozen_credentials(self) -> Any:  # noqa: ANN401 -- botocore's
            asked: Any = credentials.get_frozen_credentials()
            return asyncio.run(asked)

    return Asked("", "", method=credentials.method)


# Of botocore's Config: what is not about one service.
_INHERITED: Final = (
    "client_cert",
    "connect_timeout",
    "proxies",
    "proxies_config",
    "read_timeout",
    "request_checksum_calculation",
    "response_checksum_validation",
    "s3",  # Rekognition has no use for it, so it is there for this
    "tcp_keepalive",
    "user_agent_appid",
    "user_agent_extra",
)


def _inherited(client: object, settings: Config | None) -> Config:
    """Return what the clients beside a boto3 client take from its configuration."""
    from botocore import UNSIGNED  # noqa: PLC0415 -- likewise
    from botocore.config import Config  # noqa: PLC0415 -- boto3 takes a third of a second

    config = getattr(getattr(client, "meta", None), "config", None)
    if not isinstance(config, Config):
        return Config()
    options = {name: value for name in _INHERITED if (value := getattr(config, name, None)) is not None}
    # The client has settled these, and does not say what it was not: the environment may not settle them once more.
    options |= {name: bool(getattr(config, name, None)) for name in ("use_fips_endpoint", "use_dualstack_endpoint")}
    if getattr(config, "signature_version", None) is UNSIGNED:
        options["signature_version"] = UNSIGNED
    if (ignore := getattr(settings, "ignore_configured_endpoint_urls", None)) is not None:
        options["ignore_configured_endpoint_urls"] = ignore
    return Config(**options)


def _verify(client: object) -> bool | str | None:
    """Return how a boto3 client checks certificates: by a bundle, or not at all; ``None`` where it does not say."""
    verify = getattr(getattr(getattr(client, "_endpoint", None), "http_session", None), "_verify", None)
    return verify if isinstance(verify, bool | str) else None
