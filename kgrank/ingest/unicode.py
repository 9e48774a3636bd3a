"""Texts as people see them: one Unicode form, no characters that cannot be seen, no space at the ends."""

from __future__ import annotations

import re
import unicodedata

import polars as pl

_UNSEEN = (
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\u0000-\u0008\u000e-\u001f\u007f]"
)
"""Soft hyphens, zero-width spaces, marks of direction and of byte order, control characters."""

_JOINERS = "[\u200c\u200d]"
"""They shape letters of Persian and of the scripts of India, and join pictures: there they are part of a text."""

_STRAY_JOINER = re.compile(f"(?<![^\x00-\u02ff]){_JOINERS}|{_JOINERS}(?![^\x00-\u02ff])")
_UNSEEN_CHARACTER = re.compile(_UNSEEN)


def visible(text: str) -> str:
    """A text in normal form C, without what cannot be seen."""
    text = _STRAY_JOINER.sub("", _UNSEEN_CHARACTER.sub("", text))
    return unicodedata.normalize("NFC", text).strip()


def visible_column(cells: pl.Series) -> pl.Series:
    """As ``visible``, each text of a column; an empty one is null."""
    cells = cells.str.strip_chars()
    if cells.str.contains("[^\x20-\x7e]").any():
        odd = cells.filter(cells.str.contains("[^\x20-\x7e]")).unique()
        changed = {text: visible(text) for text in odd if visible(text) != text}
        if changed:
            cells = cells.replace(changed)
    return cells.replace({"": None})
