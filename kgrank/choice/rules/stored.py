"""Posteriors of categories as they are stored with the weights, and back."""

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
"""Significant digits of a stored number."""


def stored_posteriors(posteriors: Mapping[str, CategoryPosterior]) -> dict[str, StoredPosterior]:
    """The posteriors of categories with choices, in plain numbers."""
    return {category: _stored(posterior) for category, posterior in posteriors.items()}


def _stored(posterior: CategoryPosterior) -> StoredPosterior:
    lower = posterior.covariance[np.tril_indices(posterior.layout.width)]
    return StoredPosterior(
        attributes=tuple(_columns(block) for block in posterior.layout.blocks),
        mean=_numbers(posterior.mean),
        covariance=_numbers(lower),
        prior_mean=_numbers(posterior.prior_mean),
        prior_deviation=_numbers(posterior.prior_deviation),
        choice_count=posterior.choice_count,
        person_count=posterior.person_count,
        own_choices=posterior.own_choices,
    )


def _columns(block: Block) -> AttributeColumns:
    return AttributeColumns(**{f.name: _plain(getattr(block, f.name)) for f in fields(AttributeColumns)})


def _plain(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return _numbers(value) if value.dtype.kind == "f" else tuple(value.tolist())


def _numbers(values: Floats) -> tuple[float, ...]:
    return tuple(float(f"{x:.{DIGITS}g}") for x in values.tolist())


def category_posteriors(stored: Mapping[str, StoredPosterior]) -> dict[str, CategoryPosterior]:
    """The posteriors as arrays, with the layouts of their columns."""
    return {category: _posterior(category, numbers) for category, numbers in stored.items()}


def _posterior(category: str, stored: StoredPosterior) -> CategoryPosterior:
    width = len(stored.mean)
    lower = np.zeros((width, width))
    lower[np.tril_indices(width)] = stored.covariance
    return CategoryPosterior(
        layout=Layout(category, _blocks(stored)),
        mean=np.array(stored.mean),
        covariance=lower + np.tril(lower, -1).T,
        prior_mean=np.array(stored.prior_mean),
        prior_deviation=np.array(stored.prior_deviation),
        choice_count=stored.choice_count,
        person_count=stored.person_count,
        own_choices=stored.own_choices,
    )


def _blocks(stored: StoredPosterior) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for columns in stored.attributes:
        blocks.append(
            Block(
                attribute=columns.attribute,
                type=columns.type,
                start=blocks[-1].stop if blocks else 0,
                nodes=columns.nodes,
                share=np.array(columns.share),
                item_count=np.array(columns.item_count, np.int64),
                reference=np.array(columns.reference, bool),
                centre=columns.centre,
                scale=columns.scale,
                p05=columns.p05,
                p95=columns.p95,
                minimum=columns.minimum,
                maximum=columns.maximum,
            )
        )
    return tuple(blocks)
