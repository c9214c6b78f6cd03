"""What is wrong with the configuration of AWS, in words that say how to mend it."""

from __future__ import annotations

from typing import Final

from rekog_emotion._quoting import quoted
from rekog_emotion.errors import ConfigurationError

__all__ = ["NO_CREDENTIALS", "configuration_error"]

_STAY_OFFLINE: Final = 'or stay offline with client="embedded"'
NO_CREDENTIALS: Final = (
    "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in AWS_PROFILE or "
    f"run 'aws configure', {_STAY_OFFLINE}"
)
_NO_REGION: Final = (
    "no AWS region is set: set AWS_DEFAULT_REGION, give the profile a region or pass aws_client(region_name=...), "
    f"{_STAY_OFFLINE}"
)


def configuration_error(error: Exception) -> ConfigurationError:
    """Return the error that says how to mend what botocore found wrong with the configuration."""
    from botocore.exceptions import NoCredentialsError, NoRegionError  # noqa: PLC0415 -- botocore is loaded by now

    if isinstance(error, NoRegionError):
        return ConfigurationError(_NO_REGION)
    if isinstance(error, NoCredentialsError):
        return ConfigurationError(NO_CREDENTIALS)
    reason = quoted(error).rstrip(".")
    return ConfigurationError(f"the AWS configuration cannot be used: {reason}; mend it, {_STAY_OFFLINE}")
