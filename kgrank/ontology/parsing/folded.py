"""A text as names are compared, every character with its position in the text as it was written."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from kgrank.ontology.characters import invisible_positions

_MARKS = str.maketrans(
    {**dict.fromkeys("“”„‟«»", '"'), **dict.fromkeys("‘’‚ʼ", "'"), **dict.fromkeys("–—‐‑−", "-")}
)


@dataclass(frozen=True)
class Folded:
    """A text without case, width and Unicode form, runs of white space as one space.

    Attributes:
        text: The folded text.
        source: What was folded.
        offsets: For each folded character, and for the end, its position in ``source``.
        breaks: Positions in ``text`` of spaces that stand for a line break.
    """

    text: str
    source: str
    offsets: tuple[int, ...]
    breaks: frozenset[int]

    def original(self, start: int, end: int) -> str:
        """The part of the source that a part of the folded text stands for."""
        return " ".join(self.source[self.offsets[start] : self.offsets[end]].split())


def fold(text: str) -> Folded:
    """The text folded, with the position of each character."""
    hidden = invisible_positions(text)
    letters: list[str] = []
    offsets: list[int] = []
    breaks: set[int] = set()
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and (end in hidden or _continues(text[end])):
            end += 1
        cluster = "".join(text[n] for n in range(at, end) if n not in hidden)
        if cluster.isspace():
            if letters[-1:] != [" "]:
                letters.append(" ")
                offsets.append(at)
            if "\n" in cluster:
                breaks.add(len(letters) - 1)
        else:
            for letter in _folded(cluster):
                letters.append(letter)
                offsets.append(at)
        at = end
    return Folded("".join(letters), text, (*offsets, len(text)), frozenset(breaks))


@lru_cache(4096)
def folded_name(text: str) -> str:
    """A name as it is compared."""
    return fold(text).text.strip()


def _continues(character: str) -> bool:
    """Whether a character is one with the letter before it: an accent, or a later part of a Korean syllable."""
    plain = unicodedata.normalize("NFKC", character)[:1]
    return "\u1160" <= plain <= "\u11ff" or (plain != "" and unicodedata.combining(plain) > 0)


def _folded(cluster: str) -> str:
    plain = unicodedata.normalize("NFKC", cluster.translate(_MARKS)).casefold()
    return unicodedata.normalize("NFC", plain).translate(_MARKS).strip()
