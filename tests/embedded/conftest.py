import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from rekog_emotion.embedded import EmbeddedClient

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def client() -> Iterator[EmbeddedClient]:
    """Return the client that all tests share: its networks load once."""
    with EmbeddedClient() as client:
        yield client


@pytest.fixture(scope="session")
def engine(client):
    """Return the shared client's engine."""
    return client._analyzer


@pytest.fixture(scope="session")
def portrait():
    """Return a function from the name of a portrait to the picture."""

    def load(name: str = "astronaut") -> Image.Image:
        with Image.open(DATA / f"{name}.jpg") as image:
            return image.convert("RGB")

    return load


@pytest.fixture(scope="session")
def encoded():
    """Return a function from a picture to the bytes of its file."""

    def encode(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    return encode
