"""Characters that nobody sees."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = (
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\u0000-\u0008\u000e-\u001f\u007f]"
)
"""Soft hyphens, zero-width spaces, marks of direction and of byte order, control characters."""

_JOINERS = "[\u200c\u200d]"
"""They shape letters of Persian and of the scripts of India, and join pictures: there they are part of a text."""

_INVISIBLE = re.compile(f"{_UNSEEN}|(?<![^\x00-\u02ff]){_JOINERS}|{_JOINERS}(?![^\x00-\u02ff])")


def has_invisible(text: str) -> bool:
    """Whether a text has a character that changes nothing visible."""
    return not text.isprintable() and _INVISIBLE.search(text) is not None


def invisible_positions(text: str) -> frozenset[int]:
    """The positions of characters that change nothing visible."""
    return frozenset(m.start() for m in _INVISIBLE.finditer(text)) if has_invisible(text) else frozenset()


def visible(text: str) -> str:
    """A text in Unicode's normal form C, without what cannot be seen and without space at its ends."""
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).strip()
