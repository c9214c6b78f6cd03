import pytest

from rekog_emotion.text import quoted, shown

SIGNATURE_ERROR = """The request signature we calculated does not match.

The Canonical String for this request should have been
'POST
/

host:rekognition.eu-west-1.amazonaws.com
x-amz-security-token:TOKEN'
"""


@pytest.mark.parametrize(
    ("foreign", "expected"),
    [
        ("Rate exceeded.", "Rate exceeded."),
        (ValueError("no such thing"), "no such thing"),
        ("", ""),
        ("\n<html>\r\n  <title>403</title>\n</html>\n", "<html> <title>403</title> </html>"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 300 + "..."),
        ('could not connect: "https://user:pass@host/"', 'could not connect: "https://***@host/"'),
        ("http://host/path@2x and mail@host", "http://host/path@2x and mail@host"),
        (SIGNATURE_ERROR, "The request signature we calculated does not match."),
    ],
)
def test_quotes(foreign, expected):
    """One line, cut, and no secrets."""
    assert quoted(foreign) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("photo 1.jpg", "photo 1.jpg"),
        ("émotion.jpg", "émotion.jpg"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        ("\udcff.jpg", "\\udcff.jpg"),
        ("a" * 200, "a" * 200),
        ("a" * 201, "a" * 200 + "..."),
    ],
    ids=["plain", "accents", "control", "undecodable", "longest", "too long"],
)
def test_names_are_fit_for_a_line(text, expected):
    """Escape what does not print, and cut what is long."""
    assert expected == shown(text)
