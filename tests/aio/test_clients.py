"""Our own clients of aiobotocore: of the same configuration as those of boto3, with the same words about it."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.loaders import JSONFileLoader, create_loader

import rekog_emotion as rekog
from rekog_emotion import aio
from rekog_emotion.clients.aws import s3_client_for, sqs_client_for
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


SERVICES = """services = local
[services local]
s3 =
  endpoint_url = http://127.0.0.1:9001
sqs =
  endpoint_url = http://127.0.0.1:9002
"""


@pytest.mark.parametrize(
    ("options", "s3", "sqs"),
    [
        ({}, "http://127.0.0.1:9001", "http://127.0.0.1:9002"),
        (
            {"config": Config(ignore_configured_endpoint_urls=True)},
            "https://s3.eu-west-1.amazonaws.com",
            "https://sqs.eu-west-1.amazonaws.com",
        ),
    ],
    ids=["of the profile", "none of them"],
)
def test_endpoints_beside(configure, options, s3, sqs):
    """What stands beside our client goes to the addresses that its profile names, unless it was told to ignore such."""
    configure(SERVICES)

    async def beside():
        async with aio.aws_client(profile_name="other", **options) as client:
            return [await asyncio.to_thread(make, client) for make in (s3_client_for, sqs_client_for)]

    blocking = rekog.aws_client(profile_name="other", **options)
    for clients in (run(beside()), [s3_client_for(blocking), sqs_client_for(blocking)]):
        assert [client.meta.endpoint_url for client in clients] == [s3, sqs]
        keys = {client._request_signer._credentials.get_frozen_credentials().access_key for client in clients}
        assert keys == {"AKID2"}


FIRST_CALL = """
import asyncio, sys, threading
from rekog_emotion import aio
from rekog_emotion.clients.aio import resolve

class Noting:
    def find_spec(self, name, path=None, target=None):
        where = "loop" if threading.current_thread() is threading.main_thread() else "thread"
        imported.append((where, name.partition(".")[0]))

async def main():
    if sys.argv[1] == "aws":
        await resolve("aws")
        await aio.close()
    else:
        await aio.detect_image(sys.argv[2], client="embedded")

imported = []
sys.meta_path.insert(0, Noting())
asyncio.run(main())
heavy = {"aiobotocore", "aiohttp", "numpy", "onnxruntime", "PIL"}
for where in ("loop", "thread"):
    print(where, *sorted({root for at, root in imported if at == where and root in heavy}))
"""


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("client", "thread"), [("aws", "thread aiobotocore aiohttp"), ("embedded", "thread PIL numpy onnxruntime")]
)
def test_a_first_call_imports_in_a_thread(client, thread):
    """What takes a third of a second to load holds up no loop."""
    photo = Path(__file__).parents[1] / "data" / "astronaut.jpg"

    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", FIRST_CALL, client, photo], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == ["loop", thread]


@pytest.mark.usefixtures("credentials")
def test_what_botocore_knows_is_read_in_a_thread(monkeypatch):
    """Its files on addresses and on the service are the large ones."""
    read = {True: set(), False: set()}
    load_file = JSONFileLoader.load_file

    def noting(self, path):
        found = load_file(self, path)
        if found is not None:
            read[threading.current_thread() is threading.main_thread()].add(Path(path).name)
        return found

    monkeypatch.setattr(JSONFileLoader, "load_file", noting)
    monkeypatch.setattr("botocore.session.create_loader", create_loader)  # one that has read nothing yet
    run(made())

    large = {"endpoints", "service-2"}
    assert (read[True] & large, read[False] & large) == (set(), large)
