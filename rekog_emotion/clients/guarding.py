"""A call of a boto3 client, of Rekognition or beside it: what goes in can be sent, and nothing secret comes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rekog_emotion.clients.beside import credentials_of
from rekog_emotion.clients.configuring import check_credentials, configuration_error, fault_of
from rekog_emotion.clients.connections import make_own
from rekog_emotion.errors import ConfigurationError, RekogEmotionError
from rekog_emotion.redaction import withhold

__all__ = ["check_signing", "guarded", "misconfigured"]


@contextmanager
def guarded(client: object) -> Iterator[None]:
    """Refuse credentials that no call can be made with, and take credentials out of whatever the block raises.

    Args:
        client: Makes the calls of the block; what is no boto3 client has no credentials.

    Raises:
        ConfigurationError: The credentials cannot be had, or have a sign that is in no credential.
    """
    try:
        check_signing(client)
        yield
    except RekogEmotionError:
        raise  # its text is our own, and what led to it was seen to
    except Exception as error:
        withhold(error)
        raise


def check_signing(client: object) -> None:
    """Refuse credentials that no call can be made with; they are renewed if they are about to expire.

    Comes before every call: of a client that a fork has brought along, too.

    Raises:
        ConfigurationError: They cannot be had, or have a sign that is in no credential.
    """
    make_own(client)
    if (credentials := credentials_of(client)) is not None:
        check_credentials(credentials)


def misconfigured(error: Exception, client: object) -> ConfigurationError | None:
    """Return our error for one of a boto3 client that tells of its configuration, ``None`` for any other."""
    from botocore import exceptions  # noqa: PLC0415 -- where botocore was never loaded it did not raise
    from urllib3.exceptions import LocationValueError  # noqa: PLC0415 -- it comes with botocore

    if isinstance(error, ConfigurationError):
        return error
    if isinstance(error, (exceptions.ClientError, exceptions.ParamValidationError, exceptions.StubResponseError)):
        return None
    about_credentials = (exceptions.CredentialRetrievalError, exceptions.NoCredentialsError)
    if isinstance(error, (*about_credentials, exceptions.PartialCredentialsError, exceptions.InvalidRegionError)):
        return configuration_error(error)
    underlying = getattr(error, "kwargs", {}).get("error")
    if isinstance(underlying, (exceptions.InvalidProxiesConfigError, LocationValueError)):
        return configuration_error(error)
    # An unhappy HTTP client may have met a dead network, or a certificate that is not there.
    return fault_of(client)
