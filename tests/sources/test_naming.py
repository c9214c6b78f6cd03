import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rekog_emotion import InvalidInputError, S3Object
from rekog_emotion.sources.naming import _naming, name_of


class Named(io.BytesIO):
    """A file with a name of its own."""

    def __init__(self, name):
        super().__init__()
        self.name = name


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a/b.jpg", "a/b.jpg"),
        (b"a", "<bytes>"),
        (Path("a") / "b.jpg", os.path.join("a", "b.jpg")),  # noqa: PTH118 -- as the system writes it
        (S3Object(bucket="clips", name="a.mp4", version="v"), "s3://clips/a.mp4?versionId=v"),
        (None, "None"),
        (Image.new("L", (1, 1)), "<PIL image>"),
        (np.zeros((1, 1)), "<array>"),
        (io.BytesIO(), "<file>"),
        (Named("a.jpg"), "<file a.jpg>"),
        (Named(b"a.jpg"), "<file a.jpg>"),
        (Named(""), "<file>"),
        (Named(3), "<file>"),
        (Named(None), "<file>"),
        # A class that has read() is none of its instances.
        (io.BytesIO, "<type>"),
        (3.5, "<float>"),
        ([b"a"], "<list>"),
    ],
)
def test_what_a_source_is_called(source, name):
    """By its path or address, else by what it is."""
    assert name_of(source) == name


def test_an_error_says_which_source_it_is_about():
    """The name stands before it, and the cause stays."""
    cause = ValueError("why")
    with pytest.raises(InvalidInputError) as caught, _naming("a.jpg"):
        raise InvalidInputError("it is empty") from cause  # noqa: TRY003, EM101 -- the text is what is looked at

    assert str(caught.value) == "a.jpg: it is empty"
    assert caught.value.__cause__ is cause
