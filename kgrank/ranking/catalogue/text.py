"""Items by words in any language, without a model.

Texts are folded (NFKC, case), accents dropped, and cut into words: runs of letters and digits, and each Chinese,
Japanese or Korean character by itself. An item's text is its title, the names and synonyms of its values, brand
and categories (with those above) in every language of the ontology, and the ids of values and categories. A word
of the query matches the words that begin with it, and, from four letters on, itself without its last one or
two letters, so that "dresses" finds "dress". Items that have all words of the query match; where none has, those
that have the most.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Ints, Truths
from kgrank.errors import InputError
from kgrank.graph.schema import split_value_id
from kgrank.ontology.model import BRAND, Ontology, Term
from kgrank.ranking.catalogue.items import Items

LONGEST = 500
"""Characters of a query."""

_CHARACTERS = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_CHARACTERS}]|[^\W_{_CHARACTERS}]+")
_STEM, _ENDING = 3, 2


def tokens(text: str) -> list[str]:
    """The folded words of a text."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    return _WORD.findall(unicodedata.normalize("NFC", plain))


@dataclass(frozen=True)
class TextMatches:
    """What words found.

    Attributes:
        rows: Row numbers of the items, ascending.
        tokens: Distinct words of the query.
        matched: How many of them every item found has.
        missing: Words that no item has.
    """

    rows: Ints
    tokens: tuple[str, ...]
    matched: int
    missing: tuple[str, ...]


@dataclass(frozen=True)
class TextIndex:
    """The words of all items.

    Attributes:
        vocabulary: Ascending.
        rows: Row numbers of the items that have each word.
        items: Number of items.
    """

    vocabulary: tuple[str, ...]
    rows: tuple[Ints, ...]
    items: int

    @staticmethod
    def of(items: Items, ontology: Ontology) -> TextIndex:
        """The index of a shop."""
        titles: dict[str, list[int]] = {}
        for row, title in enumerate(items.titles):
            for word in set(tokens(title)):
                titles.setdefault(word, []).append(row)
        by_word = {word: [np.array(rows, dtype=np.int64)] for word, rows in titles.items()}
        for text, rows in _labels(items, ontology):
            for word in set(tokens(text)):
                by_word.setdefault(word, []).append(rows)
        vocabulary = tuple(sorted(by_word))
        return TextIndex(
            vocabulary, tuple(np.unique(np.concatenate(by_word[w])) for w in vocabulary), len(items.ids)
        )

    def find(self, text: str) -> TextMatches:
        """The items that match a query.

        Raises:
            InputError: No word in it, or more than ``LONGEST`` characters.
        """
        if len(text) > LONGEST:
            raise InputError(f"a query of {len(text):,} characters", expected=f"at most {LONGEST}")
        words = tuple(dict.fromkeys(tokens(text)))
        if not words:
            raise InputError(f"there is no word in the query {text!r}", expected="letters or digits")
        counts = np.zeros(self.items, dtype=np.int64)
        missing = []
        for word in words:
            having = self._having(word)
            counts += having
            if not having.any():
                missing.append(word)
        most = int(counts.max(initial=0))
        return TextMatches(
            np.flatnonzero(counts == most) if most else np.empty(0, np.int64), words, most, tuple(missing)
        )

    def _having(self, word: str) -> Truths:
        """(items,) whether each item has a word."""
        having = np.zeros(self.items, dtype=bool)
        for k in self._matching_words(word):
            having[self.rows[k]] = True
        return having

    def _matching_words(self, word: str) -> Iterator[int]:
        index = bisect_left(self.vocabulary, word)
        while index < len(self.vocabulary) and self.vocabulary[index].startswith(word):
            yield index
            index += 1
        for length in range(max(_STEM, len(word) - _ENDING), len(word)):
            short = bisect_left(self.vocabulary, word[:length])
            if short < len(self.vocabulary) and self.vocabulary[short] == word[:length]:
                yield short


def _labels(items: Items, ontology: Ontology) -> Iterator[tuple[str, Ints]]:
    """The texts of values, brands and categories, each with the items that have it."""
    for index, node in enumerate(items.nodes):
        attribute, value = split_value_id(node)
        term = (ontology.brands if attribute == BRAND else ontology.values).get(value)
        rows = items.having(index)
        for text in _texts(value, term):
            yield text, rows
    for category, rows in items.category_rows.items():
        if category in ontology.categories:
            for above in ontology.lineage(category):
                for text in _texts(above, ontology.categories[above]):
                    yield text, rows


def _texts(name: str, term: Term | None) -> Iterable[str]:
    if term is None:
        return [name]
    synonyms: Mapping[str, tuple[str, ...]] = term.synonyms
    return [name, *term.names.values(), *(s for words in synonyms.values() for s in words)]
