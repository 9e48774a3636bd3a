"""Numbers as people write them: decimal point or comma, and thousands in every usual form.

A number has at most one reading for each decimal mark. ``1,234`` has two: 1234 where the point is the mark, 1.234
where the comma is. A space, an apostrophe and Indian groups (``12,34,567``) part thousands with either mark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite

POINT, COMMA = ".", ","

# Full-width digits and marks, the minus sign, Arabic marks, typographic apostrophes.
_PLAIN = str.maketrans(
    {chr(0xFF10 + n): str(n) for n in range(10)}
    | {
        "\uff0e": ".",
        "\uff0c": ",",
        "\uff0b": "+",
        "\uff0d": "-",
        "\u2212": "-",
        "\u066b": ".",
        "\u066c": "'",
        "\u2019": "'",
        "\u02bc": "'",
        "\u00b4": "'",
    }
)


def _grammar(mark: str, thousands: str) -> re.Pattern[str]:
    groups = rf"[1-9]\d{{0,2}}(?P<part>[{thousands}'\s])\d{{3}}(?:(?P=part)\d{{3}})*"
    indian = rf"[1-9]\d?(?:{re.escape(thousands)}\d{{2}})+{re.escape(thousands)}\d{{3}}"
    whole = rf"(?:{groups}|{indian}|\d+)"
    fraction = rf"{re.escape(mark)}(?:\d+|[-\u2013\u2014]{{1,2}})?"
    return re.compile(
        rf"(?P<sign>[+-]?)(?:(?P<whole>{whole})(?P<fraction>{fraction})?|(?P<below>{re.escape(mark)}\d+))"
        r"(?P<power>[eE][+-]?\d+)?"
    )


_GRAMMARS: Mapping[str, re.Pattern[str]] = {POINT: _grammar(POINT, COMMA), COMMA: _grammar(COMMA, POINT)}


def plain_marks(text: str) -> str:
    """The text with digits, signs and apostrophes in their plain form."""
    return text.translate(_PLAIN).strip()


def readings(digits: str) -> dict[str, float]:
    """The number that a text is, by decimal mark; empty where it is no number."""
    numbers = {mark: _read(grammar, digits) for mark, grammar in _GRAMMARS.items()}
    return {mark: number for mark, number in numbers.items() if number is not None}


def _read(grammar: re.Pattern[str], digits: str) -> float | None:
    match = grammar.fullmatch(digits)
    if match is None:
        return None
    whole = re.sub(r"\D", "", match["whole"] or "0")
    fraction = re.sub(r"\D", "", match["fraction"] or match["below"] or "")
    number = float(f"{match['sign']}{whole}.{fraction or 0}{match['power'] or ''}")
    return number if isfinite(number) else None
