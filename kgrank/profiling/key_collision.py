"""Values that are probably one: equal keys, as in OpenRefine's key collision, and near ones, which are proposed.

https://openrefine.org/docs/technical-reference/clustering-in-depth
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from kgrank.profiling.headings import plain_letters

_TOKEN = re.compile(r"\d+(?:[.,/:-]\d+)*|[^\W\d_]+|[+#%&°*½]")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))

MOST = 400
"""Values of one attribute that are compared with each other for nearness."""

NEAR = 0.87
"""Likeness (Ratcliff/Obershelp) of two spellings from which one may be a slip of the other."""

_SHORTEST = 5
"""Letters of the shortest word in which a slip is looked for."""


@dataclass(frozen=True)
class Likeness:
    """Two values that may be one, and why; ``other`` is the rarer."""

    value: str
    other: str
    reason: str


def tokens(text: str) -> tuple[str, ...]:
    """The words, numbers and signs of a text, without case and accents."""
    return tuple(_TOKEN.findall(plain_letters(text.translate(_DASHES))))


def keys(text: str) -> frozenset[str]:
    """The keys of a text: its words in any order, and its letters without spaces.

    Case, accents and punctuation do not count; the order and marks of numbers do.
    """
    words = tokens(text)
    if not words:
        return frozenset({text})
    if any(w[0].isdigit() for w in words):
        return frozenset({"".join(f" {w}" if w[0].isdigit() else w for w in words)})
    return frozenset({" ".join(sorted(set(words))), "".join(words)})


def collisions(counts: Mapping[str, int]) -> dict[str, str]:
    """By each rarer spelling, the most frequent one with a key in common.

    Args:
        counts: How often each text occurs.
    """
    first: dict[str, str] = {}
    merged: dict[str, str] = {}
    for text in sorted(counts, key=lambda t: (-counts[t], t)):
        text_keys = sorted(keys(text))
        canonical = next((first[key] for key in text_keys if key in first), text)
        if canonical != text:
            merged[text] = canonical
        for key in text_keys:
            first.setdefault(key, canonical)
    return merged


def abbreviations(counts: Mapping[str, int], name: str) -> dict[str, str]:
    """By each text that only lacks words of the attribute's own name, the full one: dual, Dual boiler.

    Args:
        counts: How often each text occurs.
        name: The attribute's name.
    """
    named = set(tokens(name))
    bare: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for text in sorted(counts, key=lambda t: (-counts[t], t)):
        bare[tuple(w for w in tokens(text) if w not in named)].append(text)
    return {text: group[0] for words, group in bare.items() if words and len(group) > 1 for text in group[1:]}


def likenesses(counts: Mapping[str, int]) -> list[Likeness]:
    """Pairs of values of which one holds the other's words, or is one slip away; never merged by themselves."""
    texts = sorted(counts, key=lambda t: (-counts[t], t))[:MOST]
    words = {text: tokens(text) for text in texts}
    pairs = []
    for n, first in enumerate(texts):
        for second in texts[n + 1 :]:
            reason = _reason(words[first], words[second])
            if reason:
                pairs.append(Likeness(first, second, reason))
    return pairs


def _reason(first: tuple[str, ...], second: tuple[str, ...]) -> str:
    """Why two values may be one; empty where nothing says so."""
    numbers = [[w for w in words if w[0].isdigit()] for words in (first, second)]
    if numbers[0] != numbers[1] or not first or not second:
        return ""
    a, b = set(first), set(second)
    signs = {w for w in a ^ b if not w[0].isalnum()}
    if signs:
        return ""
    if a < b or b < a:
        return "one holds all words of the other"
    texts = " ".join(first), " ".join(second)
    if min(map(len, texts)) >= _SHORTEST:
        if texts[0] + "s" == texts[1] or texts[1] + "s" == texts[0]:
            return "one is the plural of the other"
        matcher = SequenceMatcher(None, *texts, autojunk=False)
        if matcher.quick_ratio() >= NEAR and matcher.ratio() >= NEAR:
            return "they differ in a letter or two"
    return ""
