"""What stands beside a client inherits from it: S3 for uploads, SQS for messages, whoever made the client."""

import datetime as dt
from types import SimpleNamespace

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from rekog_emotion import VideoJob, analyze_video
from rekog_emotion.clients.aws import aws_client, s3_client_for, sqs_client_for
from rekog_emotion.clients.beside import credentials_of
from rekog_emotion.clients.protocols import service_region
from rekog_emotion.values.s3 import S3Object
from tests.http_standin import Answer, HttpStandin

BESIDE = [pytest.param(s3_client_for, id="s3"), pytest.param(sqs_client_for, id="sqs")]
MADE_BY = [pytest.param("us", id="ours"), pytest.param("caller", id="the caller's")]
JOB = "a" * 64


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Give a file with a certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(begin).not_valid_after(begin + dt.timedelta(days=36500))
    path = tmp_path_factory.mktemp("certificate") / "client.pem"
    path.write_bytes(
        made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return str(path)


def client_of(whom, **options):
    """Return a client of credentials and a region that are not those of the environment."""
    session = boto3.Session("AKIDOTHER", "other", "other-token", region_name="us-west-2")
    if whom == "us":
        return aws_client(session=session, **options)
    return session.client("rekognition", **options)


def keys(client):
    """Return what a client signs with."""
    return tuple(credentials_of(client).get_frozen_credentials())[:3]


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("whom", MADE_BY)
def test_credentials_and_region(whom, beside):
    """They are the client's, not those of the environment."""
    made = beside(client_of(whom))

    assert keys(made) == ("AKIDOTHER", "other", "other-token")
    assert service_region(made) == "us-west-2"


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("whom", MADE_BY)
def test_configuration(whom, beside, certificate):
    """Proxies, time-outs, certificates and the rest that is not about one service; retries are our own."""
    config = Config(
        client_cert=certificate,
        connect_timeout=3,
        proxies={"https": "http://proxy.example:3128"},
        proxies_config={"proxy_use_forwarding_for_https": True},
        read_timeout=4,
        request_checksum_calculation="when_required",
        retries={"mode": "adaptive", "total_max_attempts": 9},
        s3={"addressing_style": "path"},
        signature_version="v4",
        tcp_keepalive=True,
        user_agent_appid="my-app",
        user_agent_extra="my-service/1",
    )

    client = client_of(whom, config=config)
    made = beside(client).meta.config

    for name in (
        "client_cert",
        "connect_timeout",
        "proxies",
        "proxies_config",
        "request_checksum_calculation",
        "s3",
        "tcp_keepalive",
        "user_agent_appid",
        "user_agent_extra",
    ):
        assert getattr(made, name) == getattr(client.meta.config, name) is not None, name
    assert made.retries == {"mode": "standard", "total_max_attempts": 5 if beside is s3_client_for else 1}
    # A call of SQS waits for messages before it answers.
    assert made.read_timeout == (4 if beside is s3_client_for else 24)
    assert made.signature_version in {"s3v4", "v4"}


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("whom", MADE_BY)
@pytest.mark.parametrize(
    ("options", "environment", "host"),
    [
        ({}, {}, "s3.us-west-2.amazonaws.com"),
        ({"use_fips_endpoint": True}, {}, "s3-fips.us-west-2.amazonaws.com"),
        ({"use_dualstack_endpoint": True}, {}, "s3.dualstack.us-west-2.amazonaws.com"),
        ({"s3": {"use_dualstack_endpoint": True}}, {}, "s3.dualstack.us-west-2.amazonaws.com"),
        ({}, {"AWS_USE_FIPS_ENDPOINT": "true"}, "s3-fips.us-west-2.amazonaws.com"),
        ({"use_fips_endpoint": False}, {"AWS_USE_FIPS_ENDPOINT": "true"}, "s3.us-west-2.amazonaws.com"),
    ],
    ids=["plain", "fips", "dual-stack", "dual-stack of s3", "fips by environment", "no fips in spite of it"],
)
def test_endpoint(monkeypatch, whom, options, environment, host):
    """FIPS and dual-stack are the client's, also where it has an endpoint of its own, which is its alone."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    plain = s3_client_for(client_of(whom, config=Config(**options)))
    beside_local = s3_client_for(client_of(whom, config=Config(**options), endpoint_url="http://127.0.0.1:9"))

    assert plain.meta.endpoint_url == beside_local.meta.endpoint_url == f"https://{host}"


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("whom", MADE_BY)
def test_an_endpoint_of_its_own(monkeypatch, whom):
    """The environment's address of S3 holds, unless our client was told to ignore such."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000")

    assert s3_client_for(client_of(whom)).meta.endpoint_url == "http://127.0.0.1:9000"
    ignoring = s3_client_for(client_of("us", config=Config(ignore_configured_endpoint_urls=True)))
    assert ignoring.meta.endpoint_url == "https://s3.us-west-2.amazonaws.com"


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("checked", [True, False])
def test_certificates(beside, checked, certificate):
    """A bundle, or none checked at all, as the caller's client does it."""
    verify = checked and certificate

    made = beside(client_of("caller", verify=verify))

    assert made._endpoint.http_session._verify == verify


@pytest.mark.usefixtures("credentials")
def test_credentials_that_renew_themselves():
    """They are shared, not copied: an upload of hours goes on when they have expired."""
    session = boto3.session.Session(region_name="eu-west-1")
    renewing = RefreshableCredentials.create_from_metadata(
        metadata={"access_key": "AKID", "secret_key": "s", "token": "t", "expiry_time": "2099-01-01T00:00:00Z"},
        refresh_using=dict,
        method="assume-role",
    )
    session._session._credentials = renewing

    assert credentials_of(s3_client_for(session.client("rekognition"))) is renewing


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("whom", MADE_BY)
def test_a_client_that_does_not_sign(whom):
    """Nothing beside it signs with keys that it was not given."""
    made = s3_client_for(client_of(whom, config=Config(signature_version=UNSIGNED)))

    assert (made.meta.config.signature_version, credentials_of(made)) == (UNSIGNED, None)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "client",
    [
        SimpleNamespace(meta=SimpleNamespace(region_name="us-west-2")),
        SimpleNamespace(
            meta=SimpleNamespace(region_name="us-west-2", config={"proxies": {"http": "http://proxy"}}),
            _request_signer=SimpleNamespace(_credentials="AKID"),
            _endpoint=SimpleNamespace(http_session=SimpleNamespace(_verify=7)),
        ),
    ],
    ids=["little", "other types"],
)
def test_beside_what_only_looks_like_a_boto3_client(client):
    """It has a region to give, and the rest comes from the environment."""
    made = s3_client_for(client)

    assert (keys(made)[0], service_region(made)) == ("AKIDEXAMPLE", "us-west-2")
    assert made.meta.config.proxies is None


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("whom", MADE_BY)
def test_all_of_a_job_goes_through_the_proxy_by_the_same_credentials(monkeypatch, whom, tmp_path):
    """The upload, the job, the looks and the deletion, also in the process that takes the job up."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(bytes.fromhex("0000001066747970") + b"isom\0\0\0\0")
    ended = Answer({"JobStatus": "SUCCEEDED", "VideoMetadata": {}, "Faces": []})
    with HttpStandin() as proxy:
        proxy.script("StartFaceDetection", Answer({"JobId": JOB}))
        proxy.script("GetFaceDetection", ended, ended)
        proxy.script("PUT", Answer(headers={"ETag": '"x"'}))
        proxy.script("HEAD", Answer())
        proxy.script("DELETE", Answer(status=204))
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3.invalid")
        config = Config(proxies={"http": proxy.url})
        client = client_of(whom, config=config, endpoint_url="http://rekognition.invalid")

        analyze_video(clip, client=client, staging="s3://my-uploads/")
        VideoJob.resume(JOB, client=client, upload=S3Object(bucket="my-uploads", name="k")).result()

    assert proxy.operations() == [
        *("PUT", "HEAD", "StartFaceDetection", "GetFaceDetection", "DELETE"),
        *("GetFaceDetection", "DELETE"),
    ]
    assert all("Credential=AKIDOTHER/" in request.headers["Authorization"] for request in proxy.requests)
