"""Characters that steer a terminal or break a document, shown as signs that do neither."""

from __future__ import annotations

import re

_STEERING = (
    "\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufffe\uffff"
)
"""Control characters but for tab and line end, marks that turn the direction of text, halves of characters, and
what no XML may hold."""

_TERMINAL = re.compile(f"[{_STEERING}]")


def harmless(text: str) -> str:
    """A text of the same length for a terminal, a log, XML or HTML: ␛ for an escape character, � for others."""
    return text if text.isascii() and text.isprintable() else _TERMINAL.sub(_picture, text)


def drawable(text: str) -> str:
    """The same for a picture, whose fonts have � for all of them and no ␛."""
    return _TERMINAL.sub("�", text)


def harmless_json(document: str) -> str:
    """A JSON document of the same meaning for a terminal: its steering characters are written as escapes."""
    return _TERMINAL.sub(lambda sign: f"\\u{ord(sign[0]):04x}", document)


def _picture(sign: re.Match[str]) -> str:
    """Unicode has a picture of each character of ASCII that steers."""
    number = ord(sign[0])
    return chr(0x2400 + number) if number < 0x20 else "␡" if number == 0x7F else "�"
