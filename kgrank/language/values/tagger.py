"""A word tagger: for each token of a text, whether a value of each attribute begins or goes on there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from kgrank.arrays import Floats
from kgrank.language.values.known_values import KnownValues
from kgrank.language.values.titles import LONGEST_VALUE, Example

OUTSIDE = "O"


class Tagger:
    """A multinomial logistic model over the tokens of one category's texts.

    Args:
        examples: Of one category.
        known: The values that are known, these examples among them.
    """

    def __init__(self, examples: Sequence[Example], known: KnownValues) -> None:
        from sklearn.feature_extraction import FeatureHasher
        from sklearn.linear_model import LogisticRegression

        self._known = known
        self._hasher = FeatureHasher(2**15, input_type="string", alternate_sign=False)
        rows, tags = [], []
        for example in examples:
            rows += list(_features(example, known, own=True))
            tags += _tags(example)
        self.classes: list[str] = sorted(set(tags))
        self._model = None
        if len(self.classes) > 1:
            self._model = LogisticRegression(C=6.0, max_iter=60, tol=1e-3)
            self._model.fit(self._hasher.transform(rows), tags)
            self.classes = [str(c) for c in self._model.classes_]
        self._column = {tag: i for i, tag in enumerate(self.classes)}

    def probabilities(self, example: Example) -> Floats:
        """(tokens, classes)."""
        rows = list(_features(example, self._known, own=False))
        if self._model is None or not rows:
            return np.zeros((len(rows), len(self.classes)))
        return np.asarray(self._model.predict_proba(self._hasher.transform(rows)))

    def column(self, table: Floats, tag: str) -> Floats:
        """The probabilities of one tag; 0 where nothing was learned of it."""
        at = self._column.get(tag)
        return np.zeros(len(table)) if at is None else table[:, at]


def _tags(example: Example) -> list[str]:
    tags = [OUTSIDE] * len(example.words)
    pairs = [(attribute, value) for attribute, values in example.values.items() for value in values]
    for attribute, value in sorted(pairs, key=lambda pair: len(pair[1])):
        for start, end in example.spans_of(value):
            tags[start:end] = [f"B {attribute}"] + [f"I {attribute}"] * (end - start - 1)
    return tags


def shape(word: str) -> str:
    """The kinds of characters of a word, each once: ``X`` large, ``x`` small, ``9`` a digit."""
    kinds = re.sub(r"[^\W\d_]", lambda m: "X" if m[0].isupper() else "x", word[:20])
    return re.sub(r"(.)\1+", r"\1", re.sub(r"\d", "9", kinds))


def _features(example: Example, known: KnownValues, *, own: bool) -> Iterator[list[str]]:
    words, tokens = example.words, [t[0] for t in example.tokens]
    size = len(words)
    marks = _marks(example, known, own)
    for i, word in enumerate(words):
        row = [f"w={word}", f"s={shape(tokens[i])}", f"p3={word[:3]}", f"e3={word[-3:]}", f"at={min(i, 5)}"]
        row.append(f"end={min(size - i, 4)}")
        row.append(f"glued={i > 0 and example.tokens[i - 1].end() == example.tokens[i].start()}")
        for step in (-3, -2, -1, 1, 2, 3):
            other = words[i + step] if 0 <= i + step < size else "|"
            row.append(f"{step}={other}")
            if abs(step) <= 2:
                row.append(f"s{step}={shape(tokens[i + step]) if other != '|' else '|'}")
                row.extend(f"k{step}={m}" for m in (marks[i + step] if other != "|" else ()))
        row.append(f"-1,0={words[i - 1] if i else '|'} {word}")
        row.append(f"0,1={word} {words[i + 1] if i + 1 < size else '|'}")
        row.extend(f"k={m}" for m in marks[i])
        yield row


def _marks(example: Example, known: KnownValues, own: bool) -> list[set[str]]:
    """For each token, the attributes of which known values stand there, and where in the value it is."""
    marks: list[set[str]] = [set() for _ in example.words]
    words = example.words
    for attribute in known.attributes[example.category]:
        end_before = 0
        for start in range(len(words)):
            for end in range(min(start + LONGEST_VALUE, len(words)), max(start, end_before), -1):
                if known.count(example, attribute, words[start:end], own=own) > 0:
                    marks[start].add(f"B {attribute}")
                    for i in range(start + 1, end):
                        marks[i].add(f"I {attribute}")
                    end_before = end
                    break
    return marks
