import zlib

from tests.amounts import amount
from tests.embedded import fuzz


def test_damaged_files_give_a_result_or_a_named_error(client, monkeypatch):
    """Of many mutated pictures and clips none crashes or hangs; `python tests/embedded/fuzz.py` tries more."""
    files = amount(2000, whole=20_000, few=2000)
    monkeypatch.setattr(client, "_analyzer", fuzz.Some(client._analyzer, every=50))

    ends, slowest = fuzz.fuzz(files, client=client)

    assert ends.total() == files
    assert {kind for kind, _ in ends} == set(fuzz.KINDS)
    assert {end for _, end in ends} <= {
        "result",
        "InvalidImageFormatException",
        "InvalidParameterException",
        "InvalidInputError",
        "UnsupportedVideoError",
    }
    # The mutations are mild enough to get past the header, and wild enough to break something.
    assert all(ends[kind, "result"] > (0 if kind == "PNG" else files // 100) for kind in fuzz.KINDS)
    assert slowest < fuzz.SLOWEST


def test_the_same_seed_gives_the_same_files():
    """A failure can be repeated."""
    assert list(fuzz.files(8, 3)) == list(fuzz.files(8, 3))
    assert list(fuzz.files(8, 3)) != list(fuzz.files(8, 4))


def test_checksums_are_mended():
    """An intact PNG stays as it is; a damaged chunk gets the checksum of what it holds now."""
    png = fuzz.seeds()["PNG"][0]
    damaged = bytearray(png)
    damaged[20] ^= 1

    mended = fuzz.with_checksums(bytes(damaged))

    assert fuzz.with_checksums(png) == png
    assert int.from_bytes(mended[29:33]) == zlib.crc32(mended[12:29])
