from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from rekog_emotion import InvalidInputError, S3Object
from rekog_emotion.sources.images import parse_s3_uri, prepare_image
from rekog_emotion.sources.places import locate
from tests.pictures import portrait, saved

FILES = [
    saved(portrait((90, 90)), file_format, **options)
    for file_format, options in [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("WEBP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ]
]
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=250)


def outcome(source):
    """Return what came of preparing a source, or the message of its error."""
    try:
        return prepare_image(source)
    except InvalidInputError as error:
        return str(error)


@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6),
    st.none() | st.integers(0, 5000),
)
def test_a_damaged_file_goes_out_or_is_refused(data, changes, length):
    """Never fail in another way, whatever bytes of a real file are changed or missing."""
    damaged = bytearray(data[:length])
    for position, value in changes:
        if position < len(damaged):
            damaged[position] = value

    match outcome(bytes(damaged)):
        case str(message):
            assert message.startswith(f"the file given as {len(damaged)} bytes: ")
        case prepared:
            assert min(prepared.size) >= 80


@given(st.binary(max_size=300))
def test_any_bytes_go_out_or_are_refused(data):
    """Never fail in another way on what is no picture."""
    assert str(outcome(data)).startswith(f"the file given as {len(data)} bytes: ")


@given(st.from_regex(r"[0-9A-Za-z.\-_]{3,60}", fullmatch=True), keys, st.none() | keys)
def test_an_object_comes_back_from_its_uri(bucket, key, version):
    """Read what was written, whatever signs the key has."""
    end = "" if version is None else f"?versionId={version}"
    assume("?versionId=" not in key and "?versionId=" not in (version or ""))

    assert S3Object(bucket=bucket, name=key, version=version) == parse_s3_uri(f"s3://{bucket}/{key}{end}")


@given(st.text() | st.builds("{}:{}{}".format, st.text(max_size=8), st.sampled_from(["", "/", "//"]), st.text()))
def test_any_text_is_a_place_or_refused(text):
    """Never fail in another way on a path, a URI or neither."""
    try:
        locate(text)
    except InvalidInputError as error:
        assert len(str(error)) < 1000  # noqa: PT017 -- either outcome is right
