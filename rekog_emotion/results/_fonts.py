"""Fonts of labels: the one that comes with Pillow, and for letters that it lacks one of the system."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeAlias

from PIL import ImageFont

__all__ = ["drawable", "font_of"]

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Files that Pillow looks for where the system keeps its fonts: of many alphabets, of East Asia, and of others.
_FILES: Final = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "arial.ttf",
    "Arial.ttf",
    "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-zenhei.ttc",
    "msyh.ttc",
    "malgun.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "AppleSDGothicNeo.ttc",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "Nirmala.ttc",
    "LeelawUI.ttf",
    "NotoEmoji-Regular.ttf",
    "seguisym.ttf",
)
_TRIED: Final = 24  # pixels of the letters by which a font is tried
_NONE: Final = "\U0010ffff"  # which no font has: it is drawn as what a font draws of letters that it lacks


def font_of(letters: float, text: str = "") -> Font:
    """Return the font of letters of about so many pixels: that of Pillow, or one that has more of a text.

    Args:
        letters: Pixels.
        text: What is to be drawn.
    """
    return _font(round(letters), None if text.isascii() else _file_for(frozenset(filter(_is_odd, text))))


def drawable(text: str) -> str:
    """Return a text in which letters that no font has lose their marks: ``Jose`` says more than a box."""
    if text.isascii():
        return text
    odd = frozenset(filter(_is_odd, text))
    lacking = odd - _had(_file_for(odd), odd)
    return "".join(_plain(sign) if sign in lacking else sign for sign in text) if lacking else text


def _is_odd(sign: str) -> bool:
    return not sign.isascii()


def _plain(sign: str) -> str:
    return "".join(filter(str.isascii, unicodedata.normalize("NFKD", sign))) or sign


@lru_cache(maxsize=256)
def _file_for(signs: frozenset[str]) -> str | None:
    """Return the file of the font that has the most of some letters; ``None`` is Pillow's own."""
    best, most = None, len(_had(None, signs))
    for file in _files() if most < len(signs) else ():
        if (had := len(_had(file, signs))) > most:
            best, most = file, had
        if most == len(signs):
            break
    return best


@lru_cache(maxsize=1)
def _files() -> tuple[str, ...]:
    """Return the fonts that are there."""
    matplotlib = find_spec("matplotlib")  # which brings one; it is not imported for that
    places = [Path(matplotlib.origin).parent / "mpl-data/fonts/ttf"] if matplotlib and matplotlib.origin else []
    found = [str(place / "DejaVuSans.ttf") for place in places]
    there = []
    for name in (*found, *_FILES):
        with suppress(OSError):
            there.append(str(ImageFont.truetype(name, _TRIED).path))
    return tuple(there)


def _had(file: str | None, signs: frozenset[str]) -> frozenset[str]:
    """Return which letters a font has."""
    return frozenset(sign for sign in signs if _has(file, sign))


@lru_cache(maxsize=4096)
def _has(file: str | None, sign: str) -> bool:
    font = _font(_TRIED, file)
    return bytes(font.getmask(sign)) != bytes(font.getmask(_NONE))


@lru_cache(maxsize=64)
def _font(size: int, file: str | None) -> Font:
    return ImageFont.load_default(size) if file is None else ImageFont.truetype(file, size)
