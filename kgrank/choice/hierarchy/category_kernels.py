"""Kernels over categories: how alike they are by tree, items, names, shared values and common purchases.

Each is positive semi-definite with a diagonal near 1. None uses what people chose within a category.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from scipy import sparse

from kgrank.arrays import Floats
from kgrank.choice.data.design import Block, Design
from kgrank.choice.logit.choice_sets import CategoryChoices

COMMON = 0.5
"""A feature is one that this share of the categories has."""

FARTHEST = 3.0
"""Standard deviations beyond which a feature counts as that far."""

WIDTH = 0.7
"""Of the radial kernel, in median distances between categories."""

CHANCE = 5.0
"""Baskets added to those observed and those expected by chance: few baskets say little."""

WORD = re.compile(r"\w+")
PIECES = (3, 4, 5)
"""Lengths of the pieces of words that names are compared by: a shop's names are abbreviated and spelled freely."""


def category_kernels(
    lineages: Mapping[str, tuple[str, ...]],
    designs: Mapping[str, Design],
    names: Mapping[str, str],
    own_choices: Mapping[str, CategoryChoices],
) -> Floats:
    """(kernels, categories, categories) in the order of ``designs``.

    Args:
        lineages: Each category with its ancestors.
        designs: Items and columns.
        names: Of the categories.
        own_choices: Who bought when: how much is bought, and what together.
    """
    categories = list(designs)
    choices = [own_choices.get(c) for c in categories]
    return np.stack(
        [
            cosines(_indicators([lineages[c] for c in categories])),
            radial(category_features(list(designs.values()), choices)),
            cosines(name_vectors([names[c] for c in categories])),
            cosines(_shared_values(list(designs.values()))),
            cosines(co_purchase_vectors(choices)),
        ]
    )


def cosines(vectors: Floats) -> Floats:
    """(rows, rows) cosines; 0 for a row of zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return np.asarray(unit @ unit.T)


def radial(vectors: Floats) -> Floats:
    """(rows, rows) squared-exponential kernel, its width relative to the median distance."""
    norm = (vectors**2).sum(1)
    square = np.maximum(norm[:, None] + norm - 2 * vectors @ vectors.T, 0.0)
    apart = square[square > 1e-9]
    median = float(np.median(apart)) if len(apart) else 1.0
    return np.asarray(np.exp(-square / (2 * WIDTH**2 * median)))


def category_features(designs: Sequence[Design], choices: Sequence[CategoryChoices | None]) -> Floats:
    """(categories, features): what is sold and how much of it, standardised; what is not known is the average.

    Numbers of items and values, means and spreads of columns; numbers of choices and persons.
    """
    rows = [
        dict(_features(design)) | dict(_volume(own)) for design, own in zip(designs, choices, strict=True)
    ]
    count = Counter(name for row in rows for name in row)
    names = sorted(name for name, n in count.items() if n >= COMMON * len(rows))
    raw = np.array([[row.get(name, np.nan) for name in names] for row in rows]).reshape(len(rows), len(names))
    mean, spread = np.nanmean(raw, axis=0), np.nanstd(raw, axis=0)
    varies = spread > 1e-9
    scaled = (raw[:, varies] - mean[varies]) / spread[varies]
    return np.asarray(np.clip(np.nan_to_num(scaled), -FARTHEST, FARTHEST))


def _volume(own: CategoryChoices | None) -> Iterator[tuple[str, float]]:
    if own is not None and len(own.choices):
        choices, persons = len(own.choices), len(np.unique(own.choices.person))
        yield "choices", float(np.log(choices))
        yield "persons", float(np.log(persons))
        yield "choices of a person", float(np.log(choices / persons))


def _features(design: Design) -> Iterator[tuple[str, float]]:
    items = max(len(design.items), 1)
    yield "items", float(np.log(items))
    raw = design.raw.tocsc()
    for block in design.layout.blocks:
        part = raw[:, block.columns]
        mean = np.asarray(part.mean(0)).ravel()
        spread = np.sqrt(np.maximum(np.asarray(part.multiply(part).mean(0)).ravel() - mean**2, 0.0))
        yield from _of_block(block, mean, spread)


def _of_block(block: Block, mean: Floats, spread: Floats) -> Iterator[tuple[str, float]]:
    if block.number:
        # Prices and sizes span decades, shares do not: the inverse hyperbolic sine serves both.
        yield f"mean {block.attribute}", float(np.arcsinh(block.centre + block.scale * mean[0]))
        yield f"spread {block.attribute}", float(np.arcsinh(block.scale * spread[0]))
        return
    known = mean.sum()
    yield f"values {block.attribute}", float(np.log1p(len(block.nodes)))
    yield f"known {block.attribute}", float(known)
    yield f"concentration {block.attribute}", float((mean**2).sum() / max(known**2, 1e-9))
    for node, share in zip(block.nodes, mean, strict=True):
        yield f"share {node}", float(share)


def name_vectors(names: Sequence[str]) -> Floats:
    """(names, words and their pieces) TF-IDF (Salton and Buckley 1988) of those in two names or more."""
    counts = [Counter(_pieces(name)) for name in names]
    frequency = Counter(piece for count in counts for piece in count)
    vocabulary = {p: k for k, p in enumerate(sorted(p for p, n in frequency.items() if n > 1))}
    vectors = np.zeros((len(names), len(vocabulary)))
    for row, count in enumerate(counts):
        for piece, n in count.items():
            if piece in vocabulary:
                rarity = np.log((1 + len(names)) / (1 + frequency[piece]))
                vectors[row, vocabulary[piece]] = (1 + np.log(n)) * rarity
    return vectors


def _pieces(name: str) -> Iterator[str]:
    for word in WORD.findall(name.lower()):
        yield word
        marked = f"<{word}>"
        for length in PIECES:
            yield from (f"{marked[i : i + length]}~" for i in range(len(marked) - length + 1))


def co_purchase_vectors(choices: Sequence[CategoryChoices | None]) -> Floats:
    """(categories, categories) how much more often than by chance two are bought at one time.

    The positive part of the logarithm of observed over expected baskets (Church and Hanks 1990), so that two
    categories are alike that are bought with the same others.
    """
    keys, rows = [], []
    for row, own in enumerate(choices):
        if own is not None:
            basket = np.unique(np.column_stack([own.choices.person, own.choices.time]), axis=0)
            keys.append(basket)
            rows.append(np.full(len(basket), row))
    if not keys:
        return np.zeros((len(choices), len(choices)))
    baskets, number = np.unique(np.concatenate(keys), axis=0, return_inverse=True)
    shape = (len(baskets), len(choices))
    bought = sparse.csr_matrix((np.ones(number.size), (number.ravel(), np.concatenate(rows))), shape=shape)
    together = (bought.T @ bought).toarray()
    alone = np.diag(together).copy()
    lift = np.log((together + CHANCE) / (np.outer(alone, alone) / len(baskets) + CHANCE))
    return np.where(alone > 0, np.maximum(lift, 0.0), 0.0)


def _indicators(lists: Sequence[Sequence[str]]) -> Floats:
    """(lists, names) which names each list holds."""
    return _vectors([dict.fromkeys(names, 1.0) for names in lists], lambda count: True)


def _shared_values(designs: Sequence[Design]) -> Floats:
    """(categories, values) shares of the items with each value that two categories have."""
    shares = [
        {
            node: share
            for block in design.layout.blocks
            if not block.number
            for node, share in zip(
                block.nodes, np.asarray(design.raw[:, block.columns].mean(0)).ravel().tolist(), strict=True
            )
        }
        for design in designs
    ]
    return _vectors(shares, lambda count: 1 < count < COMMON * len(designs))


def _vectors(rows: Sequence[Mapping[str, float]], counts: Callable[[int], bool]) -> Floats:
    frequency = Counter(name for row in rows for name in row)
    number = {name: k for k, name in enumerate(sorted(n for n, c in frequency.items() if counts(c)))}
    vectors = np.zeros((len(rows), len(number)))
    for row, entries in enumerate(rows):
        for name, value in entries.items():
            if name in number:
                vectors[row, number[name]] = value
    return vectors
