"""Our own clients of aiobotocore: of the same configuration as those of boto3, with the same words about it."""

import pytest

import rekog_emotion as rekog
from rekog_emotion import aio
from tests.tasks import run

pytest.importorskip("aiobotocore")

PROFILES = """[default]
region = us-east-1
[profile other]
region = eu-west-1
{option}
"""


@pytest.fixture
def configure(tmp_path, monkeypatch):
    """Give what writes a profile into a file of the test's own."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    keys = "[{}]\naws_access_key_id = AKID{}\naws_secret_access_key = not-a-secret\n"
    (tmp_path / "credentials").write_text(keys.format("default", 1) + keys.format("other", 2), encoding="ascii")

    def write(option):
        (tmp_path / "config").write_text(PROFILES.format(option=option), encoding="ascii")

    return write


async def made(**options):
    """Return our client, which is closed."""
    async with aio.aws_client(**options) as client:
        return client


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("use_fips_endpoint = maybe", "use_fips_endpoint='maybe' is not true or false"),
        ("max_attempts = 0", "max_attempts='0' is not a number from 1 on"),
        (
            "endpoint_url = localhost:1",
            "Invalid endpoint: localhost:1 (endpoint_url of the profile 'other' in {dir}/config)",
        ),
    ],
    ids=["switch", "number", "address"],
)
def test_options_of_a_profile(tmp_path, configure, option, reason):
    """What is wrong in a file is refused, and the file named, as by the blocking client."""
    configure(option)

    for make in (lambda: run(made(profile_name="other")), lambda: rekog.aws_client(profile_name="other")):
        with pytest.raises(rekog.ConfigurationError) as caught:
            make()
        assert str(caught.value).replace(str(tmp_path), "{dir}") == (
            f'the AWS configuration cannot be used: {reason}; mend it, or stay offline with client="embedded"'
        )
