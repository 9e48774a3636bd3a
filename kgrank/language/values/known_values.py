"""What other items say: which values an attribute has, here and elsewhere, and how often that was right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from kgrank.language.values.titles import LONGEST_VALUE, Example, Span, plain, words_of

Words = tuple[str, ...]


class KnownValues:
    """Counts over examples; all questions may leave out one example, so that it is no evidence of itself.

    Args:
        examples: What people stated.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self.in_category: dict[tuple[str, str], Counter[Words]] = defaultdict(Counter)
        self.anywhere: dict[str, Counter[Words]] = defaultdict(Counter)
        self.of_category: dict[str, Counter[Words]] = defaultdict(Counter)
        self.word: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.looked: Counter[tuple[str, str]] = Counter()
        self.stated: Counter[tuple[str, str]] = Counter()
        self.written: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
        self.attributes: dict[str, set[str]] = defaultdict(set)
        for example in examples:
            self._count(example)
        self.right: Counter[tuple[str, str, Words]] = Counter()
        self.matched: Counter[tuple[str, str, Words]] = Counter()
        for example in examples:
            self._look_back(example)

    def _count(self, example: Example) -> None:
        for attribute, values in example.values.items():
            key = example.category, attribute
            self.attributes[example.category].add(attribute)
            self.looked[key] += 1
            self.stated[key] += bool(values)
            for value in values:
                words = words_of(value)
                self.in_category[key][words] += 1
                self.anywhere[attribute][words] += 1
                self.of_category[example.category][words] += 1
                self.word[key].update(set(words))
                self.written[(*key, plain(value))][value] += 1

    def _look_back(self, example: Example) -> None:
        """Counts how often a known value that stands in a text was the item's value, itself left out."""
        present = spans_by_words(example)
        for attribute, values in example.values.items():
            right = {plain(v) for v in values}
            for words in present:
                if self.count(example, attribute, words, own=True) > 0:
                    key = example.category, attribute, words
                    self.matched[key] += 1
                    self.right[key] += plain(" ".join(words)) in right

    def count(self, example: Example, attribute: str, words: Words, *, own: bool) -> int:
        """How many items of the category have a value; without the example itself where it is one of them."""
        known = self.in_category.get((example.category, attribute))
        found = 0 if known is None else known[words]
        return found - (_says(example, attribute, words) if own else 0)

    def precision(self, example: Example, attribute: str, words: Words, *, own: bool) -> float:
        """How often the value was right where it stood in a text, with one right and one wrong before."""
        key = example.category, attribute, words
        right, matched = self.right[key], self.matched[key]
        if own and self.count(example, attribute, words, own=True) > 0:
            says = _says(example, attribute, words)
            right, matched = right - min(says, 1), matched - 1
        return (right + 1) / (matched + 2)

    def spelling(self, category: str, attribute: str, said: str) -> str:
        """How people write a value most often; as the text has it where nobody did."""
        written = self.written.get((category, attribute, plain(said)))
        return said if written is None else written.most_common(1)[0][0]


def spans_by_words(example: Example) -> dict[Words, Span]:
    """All spans of a text by their words, the first of the same."""
    words = example.words
    found: dict[Words, Span] = {}
    for start in range(len(words)):
        for end in range(start + 1, min(start + LONGEST_VALUE, len(words)) + 1):
            found.setdefault(words[start:end], (start, end))
    return found


def _says(example: Example, attribute: str, words: Words) -> int:
    return sum(words_of(v) == words for v in example.values.get(attribute, ()))


def longest(matches: Iterable[Words]) -> Words | None:
    """The longest of the values that stand in a text."""
    return max(matches, key=lambda w: (len(w), sum(map(len, w))), default=None)
