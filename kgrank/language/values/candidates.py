"""Candidates for a missing value, and what speaks for each: known values, the tagger, shapes, agreement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats
from kgrank.language.values.known_values import KnownValues, Words, spans_by_words
from kgrank.language.values.tagger import Tagger
from kgrank.language.values.titles import LONGEST_VALUE, Example, Span, plain

BY_TAGGER = 4
"""Spans that the tagger may name for one attribute."""


@dataclass(frozen=True)
class Candidate:
    """A span of a text as the value of an attribute.

    Attributes:
        attribute: Of which.
        span: Where it stands.
        features: What speaks for it; the same numbers for all candidates.
    """

    attribute: str
    span: Span
    features: tuple[float, ...]


def candidates(
    example: Example, attributes: list[str], known: KnownValues, tagger: Tagger
) -> list[Candidate]:
    """All candidates of a text for some attributes, in their order."""
    table = tagger.probabilities(example)
    by_words = spans_by_words(example)
    outside = tagger.column(table, "O")
    scores = {
        a: _span_scores(tagger.column(table, f"B {a}"), tagger.column(table, f"I {a}")) for a in attributes
    }
    found: list[Candidate] = []
    for attribute in attributes:
        matches = {w: s for w, s in by_words.items() if known.count(example, attribute, w, own=False)}
        tagged = sorted(scores[attribute], key=scores[attribute].__getitem__, reverse=True)[:BY_TAGGER]
        spans = dict.fromkeys([*matches.values(), *tagged])
        others = [scores[a] for a in attributes if a != attribute]
        best = max(scores[attribute].values(), default=0.0)
        longest = max((len(w) for w in matches), default=0)
        votes = sum(scores[attribute].values())
        for span in spans:
            words = example.words[span[0] : span[1]]
            rows = (
                *_by_tagger(span, scores[attribute], others, best, votes, outside),
                *_by_known(example, attribute, words, known, longest, len(matches)),
                *_by_shape(example, span),
            )
            found.append(Candidate(attribute, span, rows))
    return found


def _span_scores(begins: Floats, inside: Floats) -> dict[Span, float]:
    """The probability of each span that is not quite impossible: begins, goes on, ends."""
    scores: dict[Span, float] = {}
    for start in np.flatnonzero(begins > 1e-3):
        run = float(begins[start])
        for end in range(int(start) + 1, min(int(start) + LONGEST_VALUE, len(begins)) + 1):
            ends = 1 - float(inside[end]) if end < len(begins) else 1.0
            scores[int(start), end] = run * ends
            if end < len(begins):
                run *= float(inside[end])
                if run < 1e-5:
                    break
    return scores


def _logit(p: float) -> float:
    bounded = min(max(p, 1e-5), 1 - 1e-5)
    return float(np.log(bounded / (1 - bounded)))


def _by_tagger(
    span: Span,
    own: dict[Span, float],
    others: list[dict[Span, float]],
    best: float,
    votes: float,
    outside: Floats,
) -> tuple[float, ...]:
    score = own.get(span, 0.0)
    second = max((s for other, s in own.items() if other != span), default=0.0)
    overlapping = max(
        (s for o in others for k, s in o.items() if k[0] < span[1] and span[0] < k[1]), default=0.0
    )
    return (
        _logit(score),
        float(score >= best),
        _logit(second),
        _logit(overlapping),
        score / votes if votes else 0.0,
        votes,
        float(outside[span[0] : span[1]].mean()),
    )


def _by_known(
    example: Example, attribute: str, words: Words, known: KnownValues, longest: int, matches: int
) -> tuple[float, ...]:
    key = example.category, attribute
    count = known.in_category[key][words] if key in known.in_category else 0
    anywhere = known.anywhere[attribute][words] if attribute in known.anywhere else 0
    as_other = known.of_category[example.category][words] - count
    inside = known.word.get(key)
    parts = [inside[w] if inside is not None else 0 for w in words]
    looked, stated = known.looked[key], known.stated[key]
    values = known.in_category.get(key)
    variety = len(values) / max(stated, 1) if values is not None else 1.0
    return (
        np.log1p(count),
        np.log1p(anywhere - count),
        np.log1p(as_other),
        _logit(known.precision(example, attribute, words, own=False)) if count else 0.0,
        np.log1p(known.matched[(*key, words)]),
        float(len(words) >= longest and count > 0),
        float(matches),
        float(np.mean(np.log1p(parts))),
        float(np.log1p(min(parts))),
        np.log1p(parts[-1]),
        _logit((stated + 1) / (looked + 2)),
        np.log1p(stated),
        variety,
    )


def _by_shape(example: Example, span: Span) -> tuple[float, ...]:
    text = example.said(span)
    size = max(len(example.words), 1)
    return (
        float(span[1] - span[0]),
        span[0] / size,
        float(span[0]),
        size,
        float(any(c.isdigit() for c in text)),
        float(text[:1].isdigit()),
        float(text[:1].isupper()),
        float(text.isupper()),
        float(len(text)),
        float(len(plain(text)) == 0),
        float(example.words[span[0] - 1 : span[0]] in ((",",), ("-",), ("(",), ())),
        float(example.words[span[1] : span[1] + 1] in ((",",), ("-",), (")",), ())),
    )
