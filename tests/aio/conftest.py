"""aiobotocore, led to a stand-in of the service, where it is installed."""

import pytest


@pytest.fixture
def aws(standin, monkeypatch):
    """Lead aiobotocore to a stand-in of the service."""
    pytest.importorskip("aiobotocore")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret-at-all")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return standin
