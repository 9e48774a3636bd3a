"""Titles as tokens with their places, and what people stated of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

MOST_CHARACTERS = 2_000
"""Of a text that are read: a value of an item is said early, or not at all."""

LONGEST_VALUE = 8
"""Tokens of a value at most."""

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[^\w\s]|_")
_NOT_WORD = re.compile(r"[\W_]+")

Span = tuple[int, int]
"""The first token of a value, and the one after its last."""


@dataclass(frozen=True)
class Example:
    """A text of an item, and what is known of it.

    Attributes:
        text: Title, and what else says something of the item.
        category: Its category.
        values: By attribute its values; none where somebody looked, and the text states none.
    """

    text: str
    category: str
    values: Mapping[str, tuple[str, ...]]

    @cached_property
    def tokens(self) -> tuple[re.Match[str], ...]:
        """Words, numbers and signs, in order."""
        return tuple(_TOKEN.finditer(self.text[:MOST_CHARACTERS]))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The tokens in small letters."""
        return tuple(token[0].casefold() for token in self.tokens)

    def said(self, span: Span) -> str:
        """The words of a span as they stand in the text."""
        return self.text[self.tokens[span[0]].start() : self.tokens[span[1] - 1].end()]

    def spans_of(self, value: str) -> list[Span]:
        """Where a value stands in the text, whatever its signs and letters' size."""
        words = words_of(value)
        size = len(words)
        if not 0 < size <= LONGEST_VALUE:
            return []
        at = range(len(self.words) - size + 1)
        return [(i, i + size) for i in at if self.words[i] == words[0] and self.words[i : i + size] == words]


def words_of(text: str) -> tuple[str, ...]:
    """The tokens of a text in small letters."""
    return tuple(token.casefold() for token in _TOKEN.findall(text[:MOST_CHARACTERS]))


def plain(value: str) -> str:
    """What two spellings of the same value share: small letters, single blanks, no signs."""
    return _NOT_WORD.sub(" ", value.casefold()).strip()
