"""TF-IDF vectors of titles (Salton and Buckley 1988), and the similarity of items by their titles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.data.ragged import gather

TOKEN = re.compile(r"\w+")
COMMON = 0.5
"""Words in a larger share of the titles are left out."""


@dataclass(frozen=True)
class TitleVectors:
    """Titles as vectors of length 1: the entries of item i are ``start[i]:start[i + 1]``.

    Attributes:
        start: (items + 1,).
        word: (entries,) numbers of words.
        weight: (entries,) log((1 + titles) / (1 + titles with the word)), scaled.
        vocabulary: The words.
    """

    start: Ints
    word: Ints
    weight: Floats
    vocabulary: tuple[str, ...]

    @staticmethod
    def of(titles: Sequence[str]) -> TitleVectors | None:
        """TF-IDF of the words in two titles or more; None where no two titles share one."""
        words_by_title = [sorted(set(TOKEN.findall(title.lower()))) for title in titles]
        frequency = Counter(word for words in words_by_title for word in words)
        most = COMMON * len(titles)
        vocabulary = sorted(word for word, count in frequency.items() if 2 <= count <= most)
        if not vocabulary:
            return None
        number = {word: k for k, word in enumerate(vocabulary)}
        inverse_frequency = np.log(
            (1 + len(titles)) / (1 + np.array([frequency[w] for w in vocabulary], float))
        )
        rows = [[number[w] for w in words if w in number] for words in words_by_title]
        start = np.cumsum([0, *map(len, rows)]).astype(np.int64)
        word = np.array([n for row in rows for n in row], dtype=np.int64)
        owner = np.repeat(np.arange(len(rows)), np.diff(start))
        length = np.sqrt(np.bincount(owner, inverse_frequency[word] ** 2, minlength=len(rows)))
        return TitleVectors(start, word, inverse_frequency[word] / length[owner], tuple(vocabulary))

    def like(self, histories: EventSequences, decay: float) -> TitleLikeness:
        """Cosines of items with the items of each history, added up with their recency."""
        at, start = gather(self.start[histories.item], np.diff(self.start)[histories.item])
        weights = self.weight[at] * np.repeat(histories.recency(decay), np.diff(start))
        owner = np.repeat(histories.owner, np.diff(start))
        cell, which = np.unique(owner * len(self.vocabulary) + self.word[at], return_inverse=True)
        weight = np.bincount(which, weights, minlength=len(cell)).astype(float)
        return TitleLikeness(self, len(histories), cell, weight)

    def shared(self, first: int, second: int) -> tuple[str, ...]:
        """The words of both titles, the rarest first."""
        first_entries, second_entries = (slice(self.start[k], self.start[k + 1]) for k in (first, second))
        common = np.isin(self.word[first_entries], self.word[second_entries])
        order = np.argsort(-self.weight[first_entries][common], kind="stable")
        return tuple(self.vocabulary[w] for w in self.word[first_entries][common][order].tolist())


@dataclass(frozen=True)
class TitleLikeness:
    """How much of each history's titles is in the items' titles.

    Attributes:
        vectors: Of the items.
        histories: Their number.
        cell: (entries,) history · words + word, ascending.
        weight: (entries,) of the word in the history.
    """

    vectors: TitleVectors
    histories: int
    cell: Ints
    weight: Floats

    def of(self, rows: Ints, items: Ints) -> Floats:
        """(pairs,) the values of pairs of a history and an item."""
        vectors = self.vectors
        if not len(self.cell):
            return np.zeros(len(rows))
        at, start = gather(vectors.start[items], np.diff(vectors.start)[items])
        pair = np.repeat(np.arange(len(items)), np.diff(start))
        wanted = rows[pair] * len(vectors.vocabulary) + vectors.word[at]
        entry = np.minimum(np.searchsorted(self.cell, wanted), len(self.cell) - 1)
        weight = np.where(self.cell[entry] == wanted, self.weight[entry], 0.0)
        return np.bincount(pair, vectors.weight[at] * weight, minlength=len(items)).astype(float)

    def dense(self) -> Floats:
        """(histories, items)."""
        vectors, words = self.vectors, len(self.vectors.vocabulary)
        owner = np.repeat(np.arange(len(vectors.start) - 1), np.diff(vectors.start))
        cosines = np.zeros((self.histories, len(vectors.start) - 1))
        ends = np.searchsorted(self.cell, np.arange(self.histories + 1) * words)
        for row, first, last in zip(cosines, ends, ends[1:], strict=False):
            query = np.zeros(words)
            query[self.cell[first:last] % words] = self.weight[first:last]
            row[:] = np.bincount(owner, vectors.weight * query[vectors.word], minlength=len(row))
        return cosines
