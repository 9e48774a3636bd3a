"""Which labels are nearest in meaning to a query word, in whatever language either is."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from kgrank.arrays import Floats
from kgrank.language.direct import Encoder
from kgrank.language.similar_words_lexicon import Lexicon, meanings_of

_WORD = re.compile(r"\w+")
_SHARED = 3.0
"""What a meaning that has all of a label's words adds, in standard deviations of the cosines."""


def similar_words(
    query: str, labels: Sequence[str], encoder: Encoder, lexicon: Lexicon | None = None
) -> list[tuple[str, float]]:
    """The labels with their scores, the nearest first; equal ones in the order they came.

    Without a lexicon the score is the cosine of the two texts' vectors. With one it is a sum of standard scores
    over the labels: the query's cosine, the best cosine of its meanings, and the words that a meaning shares.

    Args:
        query: A word; an empty one is like nothing, and no label is returned.
        labels: Empty ones are left out.
        encoder: Reads the languages of both.
        lexicon: Meanings in the language of the labels, from ``read_lexicon``.
    """
    named = [label for label in labels if label.strip()]
    if not query.strip() or not named:
        return []
    scores = scores_of_labels(query, named, encoder, lexicon)
    return [(named[i], float(scores[i])) for i in np.argsort(-scores, kind="stable")]


def scores_of_labels(
    query: str, labels: Sequence[str], encoder: Encoder, lexicon: Lexicon | None = None
) -> Floats:
    """(labels,) the score of each."""
    label_vectors = encoder.encode(list(labels)).astype(float)
    alone: Floats = label_vectors @ encoder.encode([query])[0]
    if lexicon is None:
        return alone
    meanings = meanings_of(query, lexicon)
    if not meanings:
        standardised: Floats = _standard(alone[None])[0]
        return standardised
    cosines = _standard(encoder.encode(meanings).astype(float) @ label_vectors.T).max(0)
    total: Floats = _standard(alone[None])[0] + cosines + _SHARED * _shared_words(meanings, labels)
    return total


def _standard(scores: Floats) -> Floats:
    """Each row with mean 0 and standard deviation 1; 0 where all are equal."""
    centred = scores - scores.mean(1, keepdims=True)
    spread = centred.std(1, keepdims=True)
    result: Floats = np.where(spread > 1e-9, centred / np.maximum(spread, 1e-9), 0.0)
    return result


def _shared_words(meanings: Sequence[str], labels: Sequence[str]) -> Floats:
    """(labels,) the largest share of words in common (Jaccard 1901) with one meaning."""
    sets = [_stems(m) for m in meanings]
    named = [_stems(label) for label in labels]
    return np.array([max(len(m & n) / max(len(m | n), 1) for m in sets) for n in named])


def _stems(text: str) -> set[str]:
    """The words without the plural's ending."""
    return {_singular(word) for word in _WORD.findall(text.lower())}


def _singular(word: str) -> str:
    if word.endswith("es") and len(word) > 4:
        return word[:-2]
    return word[:-1] if word.endswith("s") and len(word) > 3 else word
