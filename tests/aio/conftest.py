"""aiobotocore, led to a stand-in of the service, where it is installed."""

import pytest
from moto.server import ThreadedMotoServer


@pytest.fixture
def aws(standin, monkeypatch):
    """Lead aiobotocore to a stand-in of the service."""
    pytest.importorskip("aiobotocore")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret-at-all")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return standin


@pytest.fixture(scope="package")
def moto():
    """Give the address of a stand-in for S3 and SQS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()
