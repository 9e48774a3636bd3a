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

    def like(self, histories: EventSequences, decay: float) -> Floats:
        """(histories, items) cosines with the items of each history, added up with their recency."""
        owner = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        at, start = gather(self.start[histories.item], np.diff(self.start)[histories.item])
        weights = self.weight[at] * np.repeat(histories.recency(decay), np.diff(start))
        cosines = np.zeros((len(histories), len(self.start) - 1))
        for h, (first, last) in enumerate(zip(histories.start, histories.start[1:], strict=False)):
            entries = slice(start[first], start[last])
            query = np.bincount(self.word[at[entries]], weights[entries], minlength=len(self.vocabulary))
            cosines[h] = np.bincount(owner, self.weight * query[self.word], minlength=cosines.shape[1])
        return cosines

    def shared(self, first: int, second: int) -> tuple[str, ...]:
        """The words of both titles, the rarest first."""
        first_entries, second_entries = (slice(self.start[k], self.start[k + 1]) for k in (first, second))
        common = np.isin(self.word[first_entries], self.word[second_entries])
        order = np.argsort(-self.weight[first_entries][common], kind="stable")
        return tuple(self.vocabulary[w] for w in self.word[first_entries][common][order].tolist())
