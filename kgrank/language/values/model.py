"""The model of missing values: candidates scored by trees and a logistic model, calibrated on held-out texts."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kgrank.arrays import Floats, Ints, Truths
from kgrank.errors import InputError
from kgrank.language.values.candidates import Candidate, candidates
from kgrank.language.values.known_values import KnownValues
from kgrank.language.values.tagger import Tagger
from kgrank.language.values.titles import Example, plain

FOLDS = 5
FEWEST = 20
"""Texts with known values below which nothing is learned."""


@dataclass(frozen=True)
class Proposal:
    """A value that a text most likely states.

    Attributes:
        attribute: Which attribute.
        value: As people write it.
        confidence: How often such a proposal was right in texts that were held out.
        words: The words of the text on which it rests.
    """

    attribute: str
    value: str
    confidence: float
    words: str


@dataclass(frozen=True)
class _Readers:
    """What is known of values, and a tagger for each category."""

    known: KnownValues
    taggers: dict[str, Tagger]

    def candidates(self, example: Example, attributes: list[str]) -> list[Candidate]:
        tagger = self.taggers.get(example.category)
        return [] if tagger is None else candidates(example, attributes, self.known, tagger)


class ValueModel:
    """Proposes values for what items do not have.

    Candidates of each fifth of the texts are scored by what the other four fifths say, so that the scores of
    training are those of texts never seen. An isotonic curve over scores of texts that the scorer did not see
    makes them a confidence.

    Args:
        examples: Texts with their values; an attribute without a value in it was looked at and is not stated.
        seed: Of the trees.

    Raises:
        InputError: Too few texts have values.
    """

    def __init__(self, examples: Sequence[Example], seed: int = 0) -> None:
        stated = sum(any(e.values.values()) for e in examples)
        if stated < FEWEST:
            raise InputError(f"{stated} texts with known values", expected=f"at least {FEWEST} to learn from")
        fold = np.array([zlib.crc32(e.text.encode("utf-8", "replace")) % FOLDS for e in examples])
        X, y, pair, group = _training_rows(examples, fold)
        if not y.any():
            raise InputError("none of the known values stands in its item's text", expected="some that do")
        scores = np.zeros(len(y))
        for held_out in range(FOLDS):
            rows = group == held_out
            if rows.any() and not rows.all():
                scores[rows] = _Scorer(X[~rows], y[~rows], seed).scores(X[rows])
        self._scorer = _Scorer(X, y, seed)
        self._calibration = _calibration(scores, y, pair)
        self._readers = _readers(examples)

    def propose(self, example: Example, attributes: Sequence[str]) -> list[Proposal]:
        """The best candidate of each attribute that has one."""
        found = self._readers.candidates(example, list(attributes))
        if not found:
            return []
        scores = self._scorer.scores(np.array([c.features for c in found]))
        best: dict[str, int] = {}
        for i, candidate in enumerate(found):
            if candidate.attribute not in best or scores[i] > scores[best[candidate.attribute]]:
                best[candidate.attribute] = i
        known = self._readers.known
        confidence = self._calibration.predict(scores)
        proposals = []
        for attribute, i in best.items():
            words = example.said(found[i].span)
            value = known.spelling(example.category, attribute, words)
            proposals.append(Proposal(attribute, value, float(confidence[i]), words))
        return proposals


class _Scorer:
    """The mean of the log-odds of boosted trees and of a logistic model."""

    def __init__(self, X: Floats, y: Truths, seed: int) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self._models: list[Any] = []
        if y.all() or not y.any():
            return  # nothing tells right from wrong
        self._models = [
            HistGradientBoostingClassifier(
                max_iter=150, learning_rate=0.06, max_leaf_nodes=15, min_samples_leaf=20, random_state=seed
            ),
            make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=300)),
        ]
        for model in self._models:
            model.fit(X, y)

    def scores(self, X: Floats) -> Floats:
        if not self._models:
            return np.zeros(len(X))
        return np.asarray(np.mean([model.decision_function(X) for model in self._models], axis=0))


def _readers(examples: Sequence[Example]) -> _Readers:
    known = KnownValues(examples)
    by_category: dict[str, list[Example]] = {}
    for example in examples:
        by_category.setdefault(example.category, []).append(example)
    return _Readers(known, {c: Tagger(some, known) for c, some in by_category.items()})


def _training_rows(examples: Sequence[Example], fold: Ints) -> tuple[Floats, Truths, Ints, Ints]:
    """Features, whether right, the number of the pair of text and attribute, and the fold."""
    rows: list[tuple[float, ...]] = []
    right: list[bool] = []
    pair: list[int] = []
    group: list[int] = []
    pairs = 0
    for held_out in range(FOLDS):
        readers = _readers([e for e, f in zip(examples, fold, strict=True) if f != held_out])
        for example in (e for e, f in zip(examples, fold, strict=True) if f == held_out):
            number = {attribute: pairs + i for i, attribute in enumerate(example.values)}
            pairs += len(number)
            truth = {a: {plain(v) for v in values} for a, values in example.values.items()}
            for candidate in readers.candidates(example, list(example.values)):
                rows.append(candidate.features)
                right.append(plain(example.said(candidate.span)) in truth[candidate.attribute])
                pair.append(number[candidate.attribute])
                group.append(held_out)
    X = np.array(rows, dtype=np.float64)
    return X, np.array(right, dtype=bool), np.array(pair, dtype=np.int64), np.array(group, dtype=np.int64)


def _calibration(scores: Floats, right: Truths, pair: Ints) -> Any:
    """The share of right ones among the best candidates of their pairs, by score."""
    from sklearn.isotonic import IsotonicRegression

    order = np.lexsort((scores, pair))
    last = np.append(pair[order][1:] != pair[order][:-1], True)
    best = order[last]
    curve = IsotonicRegression(y_min=0.01, y_max=0.99, out_of_bounds="clip")
    return curve.fit(scores[best], right[best])
