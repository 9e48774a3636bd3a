"""Posteriors of categories as they are kept with the weights, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Block, Layout
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.weights.posteriors import AttributeColumns, StoredPosterior

DIGITS = 9
"""Significant digits of a number that is kept."""


def stored_posteriors(posteriors: Mapping[str, CategoryPosterior]) -> dict[str, StoredPosterior]:
    """The posteriors of categories with choices, in plain numbers."""
    return {name: _kept(place) for name, place in posteriors.items()}


def _kept(place: CategoryPosterior) -> StoredPosterior:
    lower = place.covariance[np.tril_indices(place.layout.width)]
    return StoredPosterior(
        tuple(_columns(block) for block in place.layout.blocks),
        _numbers(place.mean),
        _numbers(lower),
        _numbers(place.prior_mean),
        _numbers(place.prior_deviation),
        place.choice_count,
        place.person_count,
        place.own_choices,
    )


def _columns(block: Block) -> AttributeColumns:
    found = {f.name: getattr(block, f.name) for f in fields(AttributeColumns)}
    return AttributeColumns(**{k: _plain(v) for k, v in found.items()})


def _plain(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return _numbers(value) if value.dtype.kind == "f" else tuple(value.tolist())


def _numbers(values: Floats) -> tuple[float, ...]:
    return tuple(float(f"{x:.{DIGITS}g}") for x in values.tolist())


def category_posteriors(stored: Mapping[str, StoredPosterior]) -> dict[str, CategoryPosterior]:
    """The posteriors as rules meet them."""
    return {name: _place(name, one) for name, one in stored.items()}


def _place(name: str, one: StoredPosterior) -> CategoryPosterior:
    width = len(one.mean)
    lower = np.zeros((width, width))
    lower[np.tril_indices(width)] = one.covariance
    return CategoryPosterior(
        Layout(name, _blocks(one)),
        np.array(one.mean),
        lower + np.tril(lower, -1).T,
        np.array(one.prior_mean),
        np.array(one.prior_deviation),
        one.choice_count,
        one.person_count,
        one.own_choices,
    )


def _blocks(one: StoredPosterior) -> tuple[Block, ...]:
    found: list[Block] = []
    for a in one.attributes:
        found.append(
            Block(
                a.attribute,
                a.type,
                found[-1].stop if found else 0,
                a.nodes,
                np.array(a.share),
                np.array(a.item_count, np.int64),
                np.array(a.reference, bool),
                a.centre,
                a.scale,
                a.p05,
                a.p95,
                a.minimum,
                a.maximum,
            )
        )
    return tuple(found)
