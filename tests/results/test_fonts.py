"""Letters of labels that the font of Pillow lacks."""

import pytest
from PIL import Image, ImageChops

from rekog_emotion import BoundingBox, Face, ImageAnalysis
from rekog_emotion.results import _fonts
from rekog_emotion.results._fonts import drawable, font_of


@pytest.fixture
def no_others(monkeypatch):
    """Let there be no font but Pillow's."""
    monkeypatch.setattr(_fonts, "_files", lambda: ())
    _fonts._file_for.cache_clear()
    yield
    _fonts._file_for.cache_clear()


def drawn(text):
    """Return a picture of a face with a label."""
    face = Face(bounding_box=BoundingBox(left=0.4, top=0.4, width=0.2, height=0.2))
    return ImageAnalysis(faces=(face,), size=(300, 200)).draw(Image.new("RGB", (300, 200)), labels=lambda _: text)


def boxes(text):
    """Return how many letters are drawn as what a font draws of those that it lacks."""
    font = font_of(24, text)
    return sum(bytes(font.getmask(sign)) == bytes(font.getmask("\U0010ffff")) for sign in text)


@pytest.mark.parametrize("name", ["José", "Łukasz", "Ёлка", "Ωμέγα", "Zoë 😀"])
def test_names_are_letters(name):
    """By a font that has them: matplotlib brings one."""
    pytest.importorskip("matplotlib")

    assert boxes(name) == 0
    assert drawable(name) == name
    assert ImageChops.difference(drawn(name), drawn("?" * len(name))).getbbox()


def test_plain_letters_look_as_ever():
    """Where Pillow's font has all of a text, it stays."""
    assert font_of(12, "HAPPY 98.2%") is font_of(12)


@pytest.mark.usefixtures("no_others")
@pytest.mark.parametrize(
    ("name", "plain"), [("José", "Jose"), ("Zoë Ångström", "Zoe Angstrom"), ("Ελλάς é", "Ελλάς e")]
)
def test_without_a_font_the_marks_go(name, plain):
    """A letter without its mark says more than a box."""
    assert drawable(name) == plain
    assert drawn(name).tobytes() == drawn(plain).tobytes()


@pytest.mark.usefixtures("no_others")
def test_what_nobody_has_is_drawn_as_it_is():
    """As the boxes that every program shows."""
    assert drawable("王 a") == "王 a"
    assert drawn("王 a").size == (300, 200)


def test_a_font_of_part_of_a_text(monkeypatch):
    """The one that has the most of it."""
    monkeypatch.setattr(_fonts, "_files", lambda: ("latin", "all but one", "few"))
    has = {None: "", "latin": "é", "all but one": "éÜ", "few": "Ü"}
    monkeypatch.setattr(_fonts, "_has", lambda file, sign: sign in has[file])
    _fonts._file_for.cache_clear()

    assert _fonts._file_for(frozenset("éÜ王")) == "all but one"
    assert _fonts._file_for(frozenset("王")) is None
    _fonts._file_for.cache_clear()
