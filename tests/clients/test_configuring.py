"""A broken configuration of AWS is told at once, before any call and any wait, by the file or variable that has it."""

import logging
import os
import traceback
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import ClientError, EndpointConnectionError, SSOTokenLoadError

from rekog_emotion import ConfigurationError, SnsSqs, StagingError, TransportError, analyze_video, detect_image
from rekog_emotion.blocking.driver import Driver
from rekog_emotion.clients import names
from rekog_emotion.clients.aws import aws_client, s3_client_for
from rekog_emotion.clients.configuring import check_credentials
from rekog_emotion.clients.uploads import S3Staging
from rekog_emotion.commands.cli import main
from rekog_emotion.flows.messages import Mailbox
from rekog_emotion.testing import FakeClient
from rekog_emotion.values.s3 import S3Object
from tests.http_standin import Answer

PORTRAIT = Path(__file__).parents[1] / "data" / "astronaut.jpg"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDMADEUP01", "AWS_SECRET_ACCESS_KEY": "made-up-secret"}
NO_CREDENTIALS = (
    "no AWS credentials were found{}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in AWS_PROFILE "
    "or run 'aws configure', or stay offline with client=\"embedded\""
)
PROCESS = "credential_process of the profile 'default' in {dir}/config"


def cannot_be_used(reason):
    """Return the message for a configuration that is broken."""
    return f'the AWS configuration cannot be used: {reason}; mend it, or stay offline with client="embedded"'


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Put configuration files in a folder of the test's own, and let no test see the clients of another."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no certificate", encoding="ascii")
    names._CACHE.clear()
    yield
    names._CACHE.clear()


def process(output):
    """Return a configuration whose credentials a program prints."""
    return f"[default]\ncredential_process = printf '{output}'\n"


CONFIGS = [
    pytest.param("[default\nx = 1\n", "Unable to parse config file: {dir}/config", id="no section"),
    pytest.param(b"[default]\nregion = caf\xe9\n", "Unable to parse config file: {dir}/config", id="no UTF-8"),
    pytest.param(
        "[default]\ncredential_process = /no/such --tool\n",
        f"/no/such: No such file or directory ({PROCESS})",
        id="no program",
    ),
    pytest.param(
        "[default]\ncredential_process = sh -c 'echo denied >&2; exit 3'\n",
        f"Error when retrieving credentials from custom-process: denied ({PROCESS})",
        id="program fails",
    ),
    pytest.param(process("hello"), f"Expecting value: line 1 column 1 (char 0) ({PROCESS})", id="program without JSON"),
    pytest.param(
        process("[]"),
        f"botocore stumbled over it with AttributeError: 'list' object has no attribute 'get' ({PROCESS})",
        id="program with a list",
    ),
    pytest.param(
        "[default]\ncredential_process = 'x\n", f"No closing quotation ({PROCESS})", id="program with half a quotation"
    ),
    pytest.param(
        process(
            '{"Version":1,"AccessKeyId":"AKIDMADEUP01","SecretAccessKey":"made-up-secret","SessionToken":"made-up\\\\n"}'
        ),
        "the session token of credential_process of the profile 'default' in {dir}/config has a line break at its end, "
        "as no credential does",
        id="program with a line break",
    ),
    pytest.param(
        "[default]\nrole_arn = x\nsource_profile = gone\n",
        'The source_profile "gone" referenced in the profile "default" does not exist '
        "(source_profile of the profile 'default' in {dir}/config)",
        id="role without its source",
    ),
    pytest.param(
        "[default]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n",
        "The specified sso-session does not exist: \"s\" (sso_session of the profile 'default' in {dir}/config)",
        id="SSO without its session",
    ),
    pytest.param(
        "[default]\naws_access_key_id = AKIDMADEUP01\n",
        "Partial credentials found in config-file, missing: aws_secret_access_key ({dir}/config)",
        id="half of the credentials",
    ),
    pytest.param(
        "[default]\naws_access_key_id = AKIDMADEUP01\naws_secret_access_key = made-up\n  secret\n",
        "aws_secret_access_key of the profile 'default' in {dir}/config has a line break in it, as no credential does",
        id="credential on two lines",
    ),
]
KEYED_CONFIGS = [
    pytest.param(
        "[default]\nca_bundle = /no/ca.pem\n",
        "the CA bundle /no/ca.pem does not exist (ca_bundle of the profile 'default' in {dir}/config)",
        id="no CA bundle",
    ),
    pytest.param(
        "[default]\nuse_fips_endpoint = perhaps\n", "use_fips_endpoint='perhaps' is not true or false", id="no switch"
    ),
    pytest.param(
        "[default]\nendpoint_url = http://127.0.0.1:99999\n",
        "Invalid endpoint: http://127.0.0.1:99999 (endpoint_url of the profile 'default' in {dir}/config)",
        id="no port",
    ),
]
VARIABLES = [
    pytest.param({"AWS_PROFILE": "gone"}, "The config profile (gone) could not be found (AWS_PROFILE)", id="profile"),
    pytest.param(
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/no/t",
        },
        "/no/t: No such file or directory (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)",
        id="token of a container",
    ),
    pytest.param(
        {"AWS_METADATA_SERVICE_TIMEOUT": "abc"},
        "invalid literal for int() with base 10: 'abc' (AWS_METADATA_SERVICE_TIMEOUT)",
        id="time-out",
    ),
    pytest.param(
        KEYS | {"AWS_DEFAULT_REGION": "us east 1"},
        "Provided region_name 'us east 1' doesn't match a supported format (AWS_DEFAULT_REGION)",
        id="region",
    ),
    pytest.param(
        KEYS | {"AWS_ENDPOINT_URL": "http://user:made-up-secret@bad host/"},
        "Invalid endpoint: http://***@bad host/ (AWS_ENDPOINT_URL)",
        id="endpoint",
    ),
    pytest.param(
        KEYS | {"AWS_ENDPOINT_URL_REKOGNITION": "ftp://127.0.0.1"},
        "Invalid endpoint: ftp://127.0.0.1 (AWS_ENDPOINT_URL_REKOGNITION)",
        id="scheme of the endpoint",
    ),
    pytest.param(
        KEYS | {"AWS_CA_BUNDLE": "/no/ca.pem"},
        "the CA bundle /no/ca.pem does not exist (AWS_CA_BUNDLE)",
        id="CA bundle",
    ),
    pytest.param(
        KEYS | {"AWS_CA_BUNDLE": "{dir}/folder"},
        "the CA bundle {dir}/folder is a directory (AWS_CA_BUNDLE)",
        id="CA folder",
    ),
    pytest.param(
        KEYS | {"REQUESTS_CA_BUNDLE": "{dir}/text"},
        "the CA bundle {dir}/text has no certificates in PEM form (REQUESTS_CA_BUNDLE)",
        id="CA bundle that is none",
    ),
    pytest.param(
        KEYS | {"AWS_DEFAULTS_MODE": "wrong"},
        "Client configured with invalid defaults mode: wrong. Valid defaults modes include: legacy, auto, standard, "
        "in-region, cross-region, mobile (AWS_DEFAULTS_MODE)",
        id="defaults mode",
    ),
    pytest.param(KEYS | {"AWS_MAX_ATTEMPTS": "abc"}, "AWS_MAX_ATTEMPTS='abc' is not a number from 1 on", id="attempts"),
    pytest.param(
        KEYS | {"AWS_USE_FIPS_ENDPOINT": "yes"}, "AWS_USE_FIPS_ENDPOINT='yes' is not true or false", id="switch"
    ),
    pytest.param(
        KEYS | {"AWS_SHARED_CREDENTIALS_FILE": "/"},
        "AWS_SHARED_CREDENTIALS_FILE='/' is a directory, and should be a file",
        id="directory of credentials",
    ),
    pytest.param(
        KEYS | {"AWS_CONFIG_FILE": "/"}, "AWS_CONFIG_FILE='/' is a directory, and should be a file", id="directory"
    ),
    pytest.param(
        KEYS | {"AWS_ENDPOINT_URL_REKOGNITION": "http://[::1"},
        "AWS_ENDPOINT_URL_REKOGNITION has an invalid endpoint: Invalid IPv6 URL",
        id="half an IPv6 address",
    ),
    pytest.param(
        KEYS | {"HTTPS_PROXY": "http://user:made-up-secret@127.0.0.1:99999"},
        "Invalid proxy: http://***@127.0.0.1:99999 (HTTPS_PROXY)",
        id="proxy",
    ),
    pytest.param(
        KEYS | {"HTTPS_PROXY": "socks5://127.0.0.1:9"}, "Invalid proxy: socks5://127.0.0.1:9 (HTTPS_PROXY)", id="socks"
    ),
    *(
        pytest.param(
            KEYS | {name: value}, f"{name} has {flaw}, as no credential does", id=f"{name[4:].lower()} with {flaw[2:]}"
        )
        for name, value, flaw in (
            ("AWS_SESSION_TOKEN", "made-up-token\n", "a line break at its end"),
            ("AWS_SECURITY_TOKEN", "made-up-token\r", "a line break at its end"),
            ("AWS_ACCESS_KEY_ID", " AKIDMADEUP01", "white space before it"),
            ("AWS_SECRET_ACCESS_KEY", "made up secret", "white space in it"),
            ("AWS_SECRET_ACCESS_KEY", "made-up\x7fsecret", "a control character in it"),
            ("AWS_ACCESS_KEY_ID", "AKIDMÄDEUP01", "a sign that is no ASCII"),
            ("AWS_SESSION_TOKEN", os.fsdecode(b"made-up\xff"), "a sign that is no ASCII"),
        )
    ),
]


def raised(tmp_path, call):
    """Return the message of a configuration error, which nothing that led to it tells more of."""
    with pytest.raises(ConfigurationError) as caught:
        call()
    shown = "".join(traceback.format_exception(caught.value))
    values = ("AKIDMADEUP", "AKIDMÄDEUP", "made-up-secret", "made-up-token", "made up secret", "made-up\n")
    assert [value for value in values if value in shown] == []
    return str(caught.value).replace(str(tmp_path), "{dir}")


@pytest.mark.parametrize(("text", "reason"), CONFIGS)
def test_files(tmp_path, text, reason):
    """What botocore's providers raise of a file, whatever it is."""
    (tmp_path / "config").write_bytes(text if isinstance(text, bytes) else text.encode())

    assert raised(tmp_path, aws_client) == cannot_be_used(reason)


@pytest.mark.parametrize(("text", "reason"), KEYED_CONFIGS)
def test_options(tmp_path, monkeypatch, text, reason):
    """What is wrong beside the credentials."""
    (tmp_path / "config").write_text(text, encoding="utf-8")
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)

    assert raised(tmp_path, aws_client) == cannot_be_used(reason)


@pytest.mark.parametrize(("environment", "reason"), VARIABLES)
def test_variables(tmp_path, monkeypatch, capsys, environment, reason):
    """By the verbs as by the client, and on the command line with exit code 2."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", str("AWS_METADATA_SERVICE_TIMEOUT" not in environment).lower())
    for name, value in environment.items():
        monkeypatch.setenv(name, value.replace("{dir}", str(tmp_path)))

    assert raised(tmp_path, aws_client) == cannot_be_used(reason)
    assert raised(tmp_path, lambda: detect_image(PORTRAIT)) == cannot_be_used(reason)
    assert main(["image", str(PORTRAIT), "--client", "aws"]) == 2
    said = cannot_be_used(reason.replace("{dir}", str(tmp_path))).replace('client="embedded"', "--client embedded")
    assert capsys.readouterr().err == f"rekog-emotion: {said}\n"


@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_a_folder_in_place_of_a_file(tmp_path, monkeypatch, variable):
    """Botocore passes over it without a word."""
    monkeypatch.setenv(variable, str(tmp_path / "folder"))

    assert raised(tmp_path, aws_client) == NO_CREDENTIALS.format(", and {dir}/folder is a directory")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to this user")
def test_a_file_that_may_not_be_read(tmp_path):
    """Likewise."""
    (tmp_path / "config").touch(mode=0o000)

    assert raised(tmp_path, aws_client) == NO_CREDENTIALS.format(", and {dir}/config may not be read by this user")


def test_a_file_that_is_missing(tmp_path):
    """A note says so, since it may be meant."""
    with pytest.raises(ConfigurationError) as caught:
        aws_client()

    assert str(caught.value) == NO_CREDENTIALS.format("")
    assert caught.value.__notes__ == [
        f"AWS_CONFIG_FILE names {tmp_path}/config, which does not exist.",
        f"AWS_SHARED_CREDENTIALS_FILE names {tmp_path}/credentials, which does not exist.",
    ]


# --- what is found out only at the call ---


@pytest.mark.parametrize(
    ("path", "problem"), [("/no/token", "No such file or directory"), ("{dir}/folder", "Is a directory")]
)
def test_a_token_of_web_identity(tmp_path, monkeypatch, clock, path, problem):
    """Botocore opens its file when it first signs."""
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path.replace("{dir}", str(tmp_path)))

    assert raised(tmp_path, lambda: detect_image(PORTRAIT)) == cannot_be_used(
        f"{path}: {problem} (AWS_WEB_IDENTITY_TOKEN_FILE)"
    )
    assert clock.sleeps == []


def lazy(error, method="sso"):
    """Return a session whose credentials cannot be fetched."""

    def fail():
        raise error

    session = boto3.Session()
    session._session._credentials = DeferredRefreshableCredentials(refresh_using=fail, method=method)
    return session


STS = ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "AssumeRole")


@pytest.mark.parametrize(
    ("error", "method", "reason"),
    [
        (
            SSOTokenLoadError(error_msg="Token for s does not exist"),
            "sso",
            "Error loading SSO Token: Token for s does not exist (sso_session)",
        ),
        (OSError(13, "Permission denied", "/cache"), "sso", "/cache: Permission denied (sso_session)"),
        (EOFError(), "assume-role", "botocore stumbled over it with EOFError (role_arn)"),
        (
            STS,
            "assume-role",
            "An error occurred (AccessDenied) when calling the AssumeRole operation: not authorized (role_arn)",
        ),
    ],
    ids=["SSO", "file", "MFA", "role"],
)
@pytest.mark.parametrize("own", [True, False], ids=["ours", "the caller's"])
def test_credentials_that_cannot_be_fetched(tmp_path, clock, error, method, reason, own):
    """Told at the first call, and never tried again."""
    session = lazy(error, method)
    client = aws_client(session=session) if own else session.client("rekognition")

    assert raised(tmp_path, lambda: detect_image(PORTRAIT, client=client)) == cannot_be_used(reason)
    assert clock.sleeps == []


def test_credentials_that_cannot_be_fetched_for_now(clock):
    """A network that is down is one, wherever it was needed."""
    client = aws_client(session=lazy(EndpointConnectionError(endpoint_url="http://sts/")))

    with pytest.raises(TransportError) as caught:
        detect_image(PORTRAIT, client=client)

    assert str(caught.value) == 'DetectFaces got no answer: Could not connect to the endpoint URL: "http://sts/"'
    assert len(clock.sleeps) > 1


def test_credentials_of_the_callers_client(tmp_path, clock):
    """They never came by our hands before the call."""
    session = boto3.Session("AKIDMADEUP01", "made-up-secret", "made-up-token\n")
    client = session.client("rekognition", endpoint_url="http://127.0.0.1:9")

    for call in (lambda: detect_image(PORTRAIT, client=client), lambda: aws_client(session=session)):
        assert raised(tmp_path, call) == cannot_be_used(
            "the aws_session_token of the session has a line break at its end, as no credential does"
        )
    assert clock.sleeps == []


@pytest.mark.usefixtures("credentials")
def test_certificates_of_the_callers_client(tmp_path, clock):
    """Botocore finds out when it connects."""
    client = boto3.client("rekognition", verify=str(tmp_path / "gone.pem"), config=Config(connect_timeout=1))
    client.meta.events.register("before-send", lambda **_: (_ for _ in ()).throw(OSError("invalid path")))

    assert raised(tmp_path, lambda: detect_image(PORTRAIT, client=client)) == cannot_be_used(
        "the CA bundle {dir}/gone.pem does not exist"
    )
    assert clock.sleeps == []


# --- beside the client ---


@pytest.mark.usefixtures("credentials")
def test_an_endpoint_of_s3(tmp_path, monkeypatch):
    """The clients beside are made of the same configuration, and have more of their own."""
    client = aws_client()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:abc")

    assert raised(tmp_path, lambda: s3_client_for(client)) == cannot_be_used(
        "Invalid endpoint: http://127.0.0.1:abc (AWS_ENDPOINT_URL_S3)"
    )


def test_credentials_of_s3(tmp_path):
    """Nothing is uploaded, and what is there already is named."""
    s3 = boto3.Session("AKIDMADEUP01", "made-up-secret\n").client("s3")
    staging = S3Staging(bucket="my-uploads", s3_client=s3)
    (tmp_path / "clip.mp4").write_bytes(bytes(9))
    reason = cannot_be_used(
        "the aws_secret_access_key of the session has a line break at its end, as no credential does"
    )
    staged = S3Object(bucket="my-uploads", name="k")

    assert raised(tmp_path, lambda: staging.stage(tmp_path / "clip.mp4")) == reason
    for call, what in ((staging.remove, "looked up"), (staging.discard, "deleted")):
        with pytest.raises(StagingError) as caught:
            call(staged)
        assert str(caught.value) == f"the upload s3://my-uploads/k could not be {what}: {reason}; delete it yourself"


def test_credentials_that_are_lost_during_the_upload(tmp_path, monkeypatch, standin):
    """What was uploaded by then is named."""
    standin.script("PUT", Answer(headers={"ETag": '"x"'}))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", standin.url)
    s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    s3.meta.events.register(
        "after-call.s3.PutObject", lambda **_: setattr(s3._request_signer._credentials, "token", "made-up-token\n")
    )
    (tmp_path / "clip.mp4").write_bytes(bytes(9))

    with pytest.raises(ConfigurationError) as caught:
        S3Staging(bucket="my-uploads", s3_client=s3).stage(tmp_path / "clip.mp4")

    reason = cannot_be_used("AWS_SESSION_TOKEN has a line break at its end, as no credential does")
    assert str(caught.value) == reason
    assert caught.value.__notes__[-1].startswith(
        "What there may be of it could not be deleted: the upload s3://my-uploads/rekog-emotion-"
    )
    assert standin.operations() == ["PUT"]


def test_credentials_of_s3_are_found_before_the_job_is_started(tmp_path, standin):
    """As nothing is uploaded."""
    (tmp_path / "clip.mp4").write_bytes(bytes.fromhex("0000001066747970") + b"isom\0\0\0\0")
    s3 = boto3.Session("AKIDMADEUP01", "made-up-secret", "made-up-token\n").client("s3")

    with pytest.raises(ConfigurationError):
        analyze_video(tmp_path / "clip.mp4", staging="s3://my-uploads/", s3_client=s3)

    assert standin.requests == []


def test_a_queue(caplog):
    """It is not worth a job that was paid for: the log tells, and of no credential."""
    sqs = boto3.Session("AKIDMADEUP01", "made-up-secret", "made-up-token\n").client("sqs")
    channel = SnsSqs("arn:aws:sns:us-east-1:1:t", "arn:aws:iam::1:role/r", "https://sqs.us-east-1.amazonaws.com/1/q")

    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigurationError) as caught:
        Driver(client=FakeClient()).run(Mailbox(channel.queue_url, sqs).receive(0))

    assert str(caught.value) == cannot_be_used(
        "the aws_session_token of the session has a line break at its end, as no credential does"
    )
    assert "made-up-token" not in caplog.text


def test_credentials_of_another_type(tmp_path):
    """A number is no token."""
    from botocore.credentials import Credentials

    odd = Credentials("AKIDMADEUP01", "made-up-secret", 7, method="elsewhere")

    assert raised(tmp_path, lambda: check_credentials(odd)) == cannot_be_used(
        "the session token has the type int, as no credential does"
    )
