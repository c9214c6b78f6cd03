import os
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from unittest.mock import patch

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import NoRegionError, ProfileNotFound

from rekog_emotion.clients import names
from rekog_emotion.clients.aws import aws_client, s3_client_for
from rekog_emotion.clients.configuring import configuration_error
from rekog_emotion.clients.names import configuration, engine_name, known_of, resolve_client
from rekog_emotion.clients.protocols import progress_of, service_region
from rekog_emotion.errors import ConfigurationError, InvalidInputError, MissingExtraError
from rekog_emotion.flows.steps import Facts

NO_CREDENTIALS = (
    "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in AWS_PROFILE or "
    "run 'aws configure', or stay offline with client=\"embedded\""
)
WAYS_IN = 'pass boto3.client("rekognition"), aws_client(), "aws" or "embedded"'
NO_REGION = (
    "no AWS region is set: set AWS_DEFAULT_REGION, give the profile a region or pass aws_client(region_name=...), "
    'or stay offline with client="embedded"'
)


class Answering:
    """The least that is a client."""

    def detect_faces(self, **_):
        """Answer."""

    def start_face_detection(self, **_):
        """Answer."""

    def get_face_detection(self, **_):
        """Answer."""


@pytest.fixture(autouse=True)
def fresh_cache():
    """Let no test see the clients of another."""
    names._CACHE.clear()
    yield
    names._CACHE.clear()


@pytest.fixture
def no_network(monkeypatch):
    """Fail at the first look at the network."""

    def refuse(*_):
        message = "the network was asked"
        raise AssertionError(message)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def made(monkeypatch):
    """Replace what makes clients by name; give the list of what was made."""
    made = []

    def factory(name):
        def make():
            client = SimpleNamespace(name=name)
            made.append(client)
            return client

        return make

    monkeypatch.setattr(names, "_FACTORIES", {"aws": factory("aws"), "embedded": factory("embedded")})
    return made


# --- which client is meant ---


def test_an_object_is_taken_as_it_is():
    """Anything with the three methods is a client."""
    client = Answering()

    assert resolve_client(client) is client


@pytest.mark.parametrize(
    ("variable", "client", "expected"),
    [
        (None, None, "aws"),
        ("", None, "aws"),
        ("aws", None, "aws"),
        ("embedded", None, "embedded"),
        (None, "aws", "aws"),
        (None, "embedded", "embedded"),
        ("embedded", "aws", "aws"),
        ("nonsense", "embedded", "embedded"),
    ],
)
@pytest.mark.usefixtures("made")
def test_names(monkeypatch, variable, client, expected):
    """What is passed counts, then the environment, then it is AWS."""
    if variable is not None:
        monkeypatch.setenv("REKOG_EMOTION_CLIENT", variable)

    assert resolve_client(client).name == expected


@pytest.mark.parametrize(
    ("client", "message"),
    [
        ("azure", "client='azure' names no client: use 'aws', 'embedded' or an object with boto3's methods"),
        ("", "client='' names no client: use 'aws', 'embedded' or an object with boto3's methods"),
        ("AWS", "client='AWS' names no client: use 'aws', 'embedded' or an object with boto3's methods"),
        (
            7,
            f"client= got int, which has no detect_faces(): {WAYS_IN}",
        ),
        (
            SimpleNamespace(detect_faces=print, start_face_detection=None),
            f"client= got SimpleNamespace, which has no start_face_detection(): {WAYS_IN}",
        ),
        (Answering, "client= got the class Answering itself: pass an object of it, Answering()"),
    ],
)
def test_no_client(client, message):
    """What is no client is refused before anything is made or called."""
    with pytest.raises(InvalidInputError) as caught:
        resolve_client(client)

    assert str(caught.value) == message


def test_an_unknown_name_in_the_environment_is_a_matter_of_configuration(monkeypatch):
    """The message names the variable."""
    monkeypatch.setenv("REKOG_EMOTION_CLIENT", "azure")

    with pytest.raises(ConfigurationError) as caught:
        resolve_client(None)

    assert str(caught.value) == (
        "REKOG_EMOTION_CLIENT='azure' names no client: set it to 'aws' or 'embedded', or unset it"
    )


def test_aws_without_credentials_does_not_fall_back():
    """Their numbers differ: the embedded engine is never a silent substitute."""
    with pytest.raises(ConfigurationError) as caught:
        resolve_client(None)

    assert str(caught.value) == NO_CREDENTIALS


def test_the_embedded_engine_by_name():
    """The name makes an EmbeddedClient, once."""
    embedded = pytest.importorskip("rekog_emotion.embedded")

    client = resolve_client("embedded")

    assert type(client) is embedded.EmbeddedClient
    assert resolve_client("embedded") is client


@pytest.mark.parametrize("missing", ["numpy", "onnxruntime", "PIL"])
def test_the_embedded_engine_without_its_extra(monkeypatch, missing):
    """The message is the command that mends it."""
    loaded = [name for name in sys.modules if name.startswith(("rekog_emotion.embedded", "rekog_emotion.media.images"))]
    monkeypatch.delattr("rekog_emotion.media.images", raising=False)

    with patch.dict(sys.modules, {missing: None}):
        for name in loaded:
            del sys.modules[name]
        with pytest.raises(MissingExtraError) as caught:
            resolve_client("embedded")

    assert str(caught.value) == (
        "The embedded engine needs the 'embedded' extra: pip install 'rekog-emotion[embedded]'"
    )


# --- the cache ---


def test_one_client_a_configuration(made, monkeypatch):
    """Clients pool connections and hold networks: one of a name, until the configuration of AWS changes."""
    first = resolve_client("aws")
    assert resolve_client(None) is first

    monkeypatch.setenv("AWS_PROFILE", "other")
    other = resolve_client("aws")
    assert other is not first

    monkeypatch.delenv("AWS_PROFILE")
    assert resolve_client("aws") is first
    assert made == [first, other]


@pytest.mark.usefixtures("made")
def test_the_embedded_engine_has_nothing_to_do_with_aws(monkeypatch):
    """Its networks are not loaded again when a region changes."""
    first = resolve_client("embedded")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    assert resolve_client("embedded") is first


def test_a_client_that_cannot_be_made_is_tried_again(monkeypatch):
    """Whoever mends the configuration needs no new process."""
    with pytest.raises(ConfigurationError):
        resolve_client("aws")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    assert service_region(resolve_client("aws")) == "us-east-1"


def test_threads_share_one_client(monkeypatch):
    """Many threads that ask at once get the one that the first of them makes, while the others wait at the lock."""
    gate, made = threading.Barrier(8), []

    def make():
        assert names._CACHE._lock.locked()
        made.append(SimpleNamespace())
        return made[-1]

    monkeypatch.setitem(names._FACTORIES, "aws", make)

    def ask(_):
        gate.wait(60)
        return resolve_client("aws")

    with ThreadPoolExecutor(8) as pool:
        clients_of_threads = list(pool.map(ask, range(8)))

    assert clients_of_threads == made * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_fork_makes_its_own(made):
    """Sockets are not shared with a child, even where the lock was held by another thread while it was forked."""
    first = resolve_client("aws")
    with names._CACHE._lock:
        child = os.fork()
        if child == 0:
            # Nothing of pytest may run here.
            os._exit(0 if resolve_client("aws") is not first and made[0] is first and len(made) == 2 else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert resolve_client("aws") is first


# --- our own boto3 client ---


@pytest.mark.usefixtures("credentials")
def test_makes_a_boto3_client():
    """It makes one attempt, with time-outs that fit a call, and says on whose behalf."""
    client = aws_client()

    config = client.meta.config
    assert client.meta.service_model.service_name == "rekognition"
    assert service_region(client) == "eu-west-1"
    assert client.meta.endpoint_url == "https://rekognition.eu-west-1.amazonaws.com"
    assert config.retries == {"total_max_attempts": 1, "mode": "standard"}
    assert (config.connect_timeout, config.read_timeout) == (10.0, 60.0)
    assert config.user_agent.endswith(" rekog-emotion")


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive", "nonsense"])
@pytest.mark.parametrize("attempts", ["1", "7"])
def test_retries_are_not_for_the_environment_to_say(monkeypatch, mode, attempts):
    """Two policies would multiply, and "adaptive" sleeps by itself."""
    monkeypatch.setenv("AWS_RETRY_MODE", mode)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", attempts)

    assert aws_client().meta.config.retries == {"total_max_attempts": 1, "mode": "standard"}


@pytest.mark.usefixtures("credentials")
def test_options_are_passed_on():
    """Region, endpoint and time-outs."""
    client = aws_client(
        region_name="us-west-2", endpoint_url="http://127.0.0.1:1", connect_timeout=1.5, read_timeout=2.5
    )

    assert service_region(client) == "us-west-2"
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (1.5, 2.5)


@pytest.mark.usefixtures("credentials")
def test_a_config_wins_but_for_its_retries():
    """What it sets is kept, what it leaves open is ours."""
    config = Config(
        read_timeout=3, max_pool_connections=42, use_fips_endpoint=True, retries={"mode": "adaptive", "max_attempts": 9}
    )

    client = aws_client(region_name="us-east-1", config=config, connect_timeout=4, read_timeout=5)

    made = client.meta.config
    assert (made.connect_timeout, made.read_timeout, made.max_pool_connections) == (4, 3, 42)
    assert made.retries == {"total_max_attempts": 1, "mode": "standard"}
    assert client.meta.endpoint_url == "https://rekognition-fips.us-east-1.amazonaws.com"
    assert config.retries == {"mode": "adaptive", "max_attempts": 9}


def session_of_its_own(**options):
    """Make a session whose credentials are not those of the environment."""
    return boto3.session.Session("AKIDSESSION", "not-a-secret", **options)


def test_a_session_brings_credentials_and_region():
    """As an assumed role does."""
    session = session_of_its_own(region_name="ap-south-1")

    client = aws_client(session=session)

    assert service_region(client) == "ap-south-1"
    assert client._request_signer._credentials.access_key == "AKIDSESSION"
    assert service_region(aws_client(session=session, region_name="eu-west-3")) == "eu-west-3"


def test_a_profile_brings_credentials_and_region(monkeypatch, tmp_path):
    """By argument or, as for every AWS tool, by environment."""
    (tmp_path / "config").write_text("[profile work]\nregion = eu-north-1\n", encoding="ascii")
    (tmp_path / "credentials").write_text(
        "[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = not-a-secret\n", encoding="ascii"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    assert service_region(aws_client(profile_name="work")) == "eu-north-1"
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert service_region(aws_client()) == "eu-north-1"


def test_session_and_profile_exclude_each_other():
    """A session has its profile already."""
    with pytest.raises(InvalidInputError) as caught:
        aws_client(session=boto3.session.Session(), profile_name="work")

    assert str(caught.value) == "session and profile_name exclude each other: make the session with its profile"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"session": botocore.session.Session()},
            "session= got botocore.session.Session: pass a boto3.session.Session",
        ),
        ({"session": "work"}, "session= got builtins.str: pass a boto3.session.Session"),
        ({"config": {"region_name": "eu-west-1"}}, "config= got dict: pass a botocore.config.Config"),
    ],
    ids=["session of botocore", "session", "config"],
)
def test_arguments_of_other_types(options, message):
    """A session of botocore's makes no clients as boto3's does, and a dict is no configuration."""
    with pytest.raises(InvalidInputError) as caught:
        aws_client(**options)

    assert str(caught.value) == message


# --- AWS that is not configured ---


def cannot_be_used(reason):
    """Return the message for a configuration that is broken."""
    return f'the AWS configuration cannot be used: {reason}; mend it, or stay offline with client="embedded"'


KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("environment", "options", "message", "cause"),
    [
        pytest.param({}, {}, NO_CREDENTIALS, "NoneType", id="nothing"),
        pytest.param({"AWS_DEFAULT_REGION": "us-east-1"}, {}, NO_CREDENTIALS, "NoneType", id="no credentials"),
        pytest.param(KEYS, {}, NO_REGION, "NoRegionError", id="no region"),
        pytest.param(
            {**KEYS, "AWS_PROFILE": "gone"},
            {},
            cannot_be_used("The config profile (gone) could not be found (AWS_PROFILE)"),
            "ProfileNotFound",
            id="unknown profile in the environment",
        ),
        pytest.param(
            KEYS,
            {"profile_name": "gone"},
            cannot_be_used("The config profile (gone) could not be found"),
            "ProfileNotFound",
            id="unknown profile",
        ),
        pytest.param(
            {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"},
            {},
            cannot_be_used("Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"),
            "PartialCredentialsError",
            id="half of the credentials",
        ),
        pytest.param(
            KEYS,
            {"region_name": "us east 1"},
            cannot_be_used("Provided region_name 'us east 1' doesn't match a supported format"),
            "InvalidRegionError",
            id="no region name",
        ),
        pytest.param(
            KEYS,
            {"region_name": "us-east-1", "endpoint_url": "rekognition"},
            cannot_be_used("Invalid endpoint: rekognition"),
            "ValueError",
            id="no endpoint",
        ),
    ],
)
def test_not_configured(monkeypatch, environment, options, message, cause):
    """The message names both ways out, before anything is sent anywhere."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as caught:
        aws_client(**options)

    assert str(caught.value) == message
    assert type(caught.value.__cause__).__name__ == cause


@pytest.mark.usefixtures("no_network")
def test_a_broken_file(monkeypatch, tmp_path):
    """The message names the file."""
    (tmp_path / "config").write_text("region = eu-west-1", encoding="ascii")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    with pytest.raises(ConfigurationError) as caught:
        aws_client()

    assert str(caught.value) == cannot_be_used(f"Unable to parse config file: {tmp_path / 'config'}")


@pytest.mark.usefixtures("no_network", "credentials")
def test_the_password_of_an_endpoint_is_not_told():
    """It may stand in the configuration, never in a message."""
    with pytest.raises(ConfigurationError) as caught:
        aws_client(endpoint_url="http://user:hunter2@bad host/")

    assert str(caught.value) == cannot_be_used("Invalid endpoint: http://***@bad host/")


# --- the S3 client beside it ---


def test_uploads_go_with_the_same_session():
    """And to the region that Rekognition reads from."""
    session = session_of_its_own()

    s3 = s3_client_for(aws_client(session=session, region_name="eu-west-3"))

    assert s3.meta.service_model.service_name == "s3"
    assert service_region(s3) == "eu-west-3"
    assert s3._request_signer._credentials.access_key == "AKIDSESSION"
    assert s3.meta.config.retries == {"mode": "standard", "total_max_attempts": 5}


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("client", [Answering(), SimpleNamespace(), (), 7])
def test_uploads_beside_any_other_client_go_with_the_default_session(client):
    """Whatever it is made of."""
    s3 = s3_client_for(client)

    assert service_region(s3) == "eu-west-1"
    assert s3._request_signer._credentials.access_key == "AKIDEXAMPLE"


def test_an_s3_client_that_cannot_be_made(monkeypatch):
    """It is a matter of configuration."""
    monkeypatch.setenv("AWS_PROFILE", "gone")

    with pytest.raises(ConfigurationError) as caught:
        s3_client_for(Answering())

    assert str(caught.value) == cannot_be_used("The config profile (gone) could not be found (AWS_PROFILE)")
    assert isinstance(caught.value.__cause__, ProfileNotFound)


# --- who answers ---


@pytest.mark.usefixtures("credentials")
def test_who_answers():
    """A client may call itself something; boto3's is AWS; any other goes by its class."""
    boto3_client = boto3.client("rekognition")

    assert engine_name(boto3_client) == "aws"
    assert engine_name(Answering()) == "Answering"
    assert engine_name(SimpleNamespace(engine="mine")) == "mine"
    assert engine_name(SimpleNamespace(engine=7)) == "SimpleNamespace"


@pytest.mark.parametrize(
    "client",
    [None, Answering(), SimpleNamespace(meta=None), SimpleNamespace(meta=SimpleNamespace(region_name=7))],
)
def test_no_region(client):
    """What is no boto3 client has no region."""
    assert service_region(client) is None


def test_no_region_error_is_what_botocore_raises():
    """The mapping knows it by its class, not by its text."""
    assert str(configuration_error(NoRegionError())) == NO_REGION


def test_how_far_the_work_is():
    """A client that says that it knows is asked, and no other."""

    class Knowing(Answering):
        rekog_capabilities = frozenset({"progress"})

        def progress(self, job_id):
            return (0.5, 7.0) if job_id == "j-1" else None

    assert [progress_of(Knowing(), "j-1"), progress_of(Knowing(), "j-2")] == [(0.5, 7.0), None]
    assert progress_of(Answering(), "j-1") is None


class Telling(Answering):
    """A client that tells all of itself."""

    engine = "telling"
    rekog_capabilities = frozenset({"files"})
    meta = SimpleNamespace(config=SimpleNamespace(retries={"total_max_attempts": 1}))


@pytest.mark.parametrize(
    ("client", "known"),
    [
        (Answering(), {"retries": False, "can": frozenset(), "engine": "Answering"}),
        (Telling(), {"retries": True, "can": frozenset({"files"}), "engine": "telling"}),
    ],
    ids=["nothing", "all"],
)
def test_what_flows_are_told(client, known):
    """All of it, by the names of the facts."""
    assert known_of(client) == known
    assert Facts(**known_of(client)) == Facts(**known)


def test_what_clients_by_name_depend_on(monkeypatch):
    """Every variable of AWS, in whatever order they were set, and no other."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_REGION", "AWS_PROFILE", "AWSLESS", "MY_AWS_REGION"):
        monkeypatch.setenv(name, name.lower())

    assert configuration() == (("AWS_PROFILE", "aws_profile"), ("AWS_REGION", "aws_region"))
