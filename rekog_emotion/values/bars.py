"""Faces and emotions as HTML bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, Protocol

from rekog_emotion.text import encodable
from rekog_emotion.values.numbers import share
from rekog_emotion.values.palette import COLORS, Color
from rekog_emotion.values.wording import Ages, age, features, percent, word

__all__ = ["Rated", "emotion_html", "face_html", "table"]


class Rated(Protocol):
    """A word with its confidence: what an ``Emotion`` has."""

    @property
    def type(self) -> str | None:
        """The word."""
        ...

    @property
    def confidence(self) -> float | None:
        """Of 0 to 100."""
        ...


class _Gender(Protocol):
    @property
    def value(self) -> str | None: ...

    @property
    def confidence(self) -> float | None: ...


class _Described(Protocol):
    """What a ``Face`` has."""

    @property
    def age_range(self) -> Ages | None: ...

    @property
    def gender(self) -> _Gender | None: ...

    @property
    def emotions(self) -> Sequence[Rated] | None: ...


_LONGEST: Final = 80  # letters of a name
_BARS: Final = 50  # emotions of a face; the service has eight
_CAUTION: Final = "Emotions are how a face looks, not what a person feels."
_CELL: Final = "padding:2px 10px 2px 0;text-align:left;border-bottom:1px solid rgba(128,128,128,.4)"
_OTHER: Final = "#b4b4b4"


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def face_html(face: _Described) -> str:
    """Return the emotions of a face as bars, and what else is known of it."""
    words = ", ".join(filter(None, (_gender(face), age(face.age_range), *features(face))))
    ranked = sorted(face.emotions or (), key=lambda emotion: -(emotion.confidence or 0.0))[:_BARS]
    bars = "".join(_bar(emotion) for emotion in ranked)
    return _frame([f"<div><b>Face</b> {escape(words)}</div>", bars or "<div>no emotions</div>"])


def emotion_html(emotion: Rated) -> str:
    """Return one emotion as a bar."""
    return _frame([_bar(emotion)])


def _frame(parts: Sequence[str]) -> str:
    # A file name of other bytes than UTF-8 is no text, and no page could hold it.
    return (
        '<div style="font-family:sans-serif;font-size:13px;line-height:1.4">'
        f'{encodable("".join(parts))}<div style="opacity:.65;font-size:11px;margin-top:4px">{_CAUTION}</div></div>'
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 0) -> str:
    """Return a table of cells that are HTML already, and how many rows more there would be.

    What is not known of any row needs no column.
    """
    rows = list(rows)
    known = [place for place in range(len(heads)) if not rows or any(row[place] for row in rows)]
    heads, rows = [heads[place] for place in known], [[row[place] for place in known] for row in rows]
    head = "".join(f'<th style="{_CELL}">{escape(name)}</th>' for name in heads)
    body = "".join(
        f"<tr>{''.join(f'<td style={chr(34)}{_CELL}{chr(34)}>{cell}</td>' for cell in row)}</tr>" for row in rows
    )
    more = f"<div>and {left} more</div>" if left > 0 else ""
    style = "border-collapse:collapse;margin:4px 0;color:inherit;font-size:inherit"
    return f'<table style="{style}"><tr>{head}</tr>{body}</table>{more}'


def _chip(emotion: Rated) -> str:
    text = escape(f"{word(emotion.type)}{percent(emotion.confidence)}")
    color = _color(emotion.type)
    return f'<span style="background:{color};color:#141414;padding:1px 6px;border-radius:3px">{text}</span>'


def _bar(emotion: Rated) -> str:
    width = share(emotion.confidence)
    return (
        '<div style="display:flex;align-items:center;max-width:420px;margin:2px 0">'
        f'<span style="width:100px;overflow:hidden">{escape(word(emotion.type))}</span>'
        '<span style="flex:1;height:12px;background:rgba(128,128,128,.25)">'
        f'<span style="display:block;height:12px;width:{width:.1f}%;background:{_color(emotion.type)}"></span></span>'
        f'<span style="width:60px;text-align:right">{percent(emotion.confidence).strip()}</span></div>'
    )


def _color(word: str | None) -> str:
    """Return a colour of our own, never the word: it stands in a style."""
    return "rgba(128,128,128,.25)" if word == "" else _hex(COLORS[word]) if word in COLORS else _OTHER


def _gender(face: _Described) -> str:
    return word(face.gender.value) + percent(face.gender.confidence) if face.gender else ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
