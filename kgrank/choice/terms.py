"""The ranking layer on logs with impressions: how much attributes and behaviour terms weigh, by category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy import sparse

from kgrank.choice.layout import Floats, Ints
from kgrank.choice.logit import Choices, optimum
from kgrank.choice.sets import CategoryChoices
from kgrank.choice.transitions import Sequences, TransitionSettings, transitions

HISTORY = 10
"""Events of a person before a choice that speak for what goes after them."""

EARLY = 0.7
"""Transitions are counted on this share of the log, and weighed on the rest, so that none explains itself."""

SPREAD = 0.5
"""Prior standard deviation of a category's weights around those of the whole shop."""


@dataclass(frozen=True)
class TermWeights:
    """Weights of the attribute score and of ``goes-after`` by category, and the unit of the latter.

    The term is log(1 + amount / unit), where amount is the history's score of ``TransitionSettings``.
    """

    weights: Mapping[str, tuple[float, float]]
    unit: float


def weigh_terms(
    home: Mapping[str, CategoryChoices],
    part_worths: Mapping[str, Floats],
    log: Sequences,
    users: tuple[str, ...],
    settings: TransitionSettings,
) -> TermWeights:
    """Fits the two weights of each category by maximum likelihood, pooled over the shop.

    Args:
        home: Choices by category, each choice once.
        part_worths: By category, nuisance included.
        log: Everyone's events in order.
        users: User ids by the person numbers of the choices.
        settings: How transitions are counted.
    """
    times = log.time
    cut = np.quantile(times, EARLY) if len(times) else 0
    early = times <= cut
    owner = np.repeat(np.arange(len(log.users)), np.diff(log.start))
    start = np.concatenate([[0], np.cumsum(np.bincount(owner[early], minlength=len(log.users)))])
    matrix = transitions(log.item[early], start.astype(np.int64), len(log.items), settings)
    person_of = {u: i for i, u in enumerate(log.users)}
    person = np.array([person_of.get(u, -1) for u in users])
    found: dict[str, tuple[Choices, Floats, Floats]] = {}
    for category, some in home.items():
        late = np.flatnonzero(some.choices.time > cut)
        if len(late):
            found[category] = _late(some, part_worths[category], late, matrix, log, person, settings)
    amounts = np.concatenate([a for _, _, a in found.values()]) if found else np.empty(0)
    positive = amounts[amounts > 0]
    unit = float(np.median(positive)) if len(positive) else 1.0
    data = {
        c: _two_columns(choices, attributes, np.log1p(amount / unit))
        for c, (choices, attributes, amount) in found.items()
    }
    shop = np.array([1.0, 0.0])
    if data:
        whole = _stack(list(data.values()))
        shop, _ = optimum(whole, np.array([1.0, 0.0]), np.array([1.0, 1.0]))
    weights = {}
    for category in home:
        own = shop
        if category in data:
            own, _ = optimum(data[category], shop, np.full(2, SPREAD**-2))
        weights[category] = (float(own[0]), float(max(own[1], 0.0)))
    weights[""] = (float(shop[0]), float(max(shop[1], 0.0)))
    return TermWeights(weights, unit)


def _late(
    some: CategoryChoices,
    part_worths: Floats,
    late: Ints,
    matrix: sparse.csr_matrix,
    log: Sequences,
    person: Ints,
    settings: TransitionSettings,
) -> tuple[Choices, Floats, Floats]:
    """The late choices with nuisance as offset, their attribute scores, and their amounts of goes-after."""
    width = some.design.layout.width
    choices = some.choices.take(late)
    nuisance_only = np.concatenate([np.zeros(width), part_worths[width:]])
    offset = choices.utility(nuisance_only)
    attributes = choices.utility(part_worths) - offset
    rows = np.repeat(np.arange(len(some.choices)), np.diff(some.choices.start))
    kept = np.isin(rows, late)
    number = pl.Series(log.items)
    at = pl.DataFrame({"item": number}).with_row_index("n")
    item = (
        pl.DataFrame({"item": np.array(some.design.items, dtype=object)[some.item_row[kept]].astype(str)})
        .join(at, on="item", how="left")["n"]
        .to_numpy()
    )
    amount = np.zeros(len(item))
    who = person[choices.person]
    # The events of a person before the choice are a run in the log that ends at the choice's time.
    owner = np.repeat(np.arange(len(log.users)), np.diff(log.start))
    ends = _key(who, choices.time, log.time)
    end = np.searchsorted(_key(owner, log.time, log.time), ends, side="left")
    first = np.where(who >= 0, log.start[np.maximum(who, 0)], 0)
    for back in range(HISTORY):
        place = end - 1 - back
        valid = (who >= 0) & (place >= first)
        rows_valid = valid[choices.choice]
        if not rows_valid.any():
            break
        source = log.item[np.where(valid, place, 0)][choices.choice][rows_valid]
        amount[rows_valid] += settings.decay**back * np.asarray(matrix[source, item[rows_valid]]).ravel()

    return replace(choices, offset=offset), attributes, amount


def _key(who: Ints, time: Ints, times: Ints) -> Floats:
    """Persons and times as one ascending number."""
    low = times.min(initial=0)
    span = float(times.max(initial=0) - low + 2)
    return np.asarray(who * span + np.clip(time - low, 0, span - 1))


def _two_columns(choices: Choices, attributes: Floats, after: Floats) -> Choices:

    raw = sparse.csr_matrix(np.column_stack([attributes, after]))
    return replace(choices, raw=raw, centring=np.eye(2))


def _stack(parts: list[Choices]) -> Choices:
    counts = np.concatenate([np.diff(p.start) for p in parts])
    return Choices(
        sparse.csr_matrix(sparse.vstack([p.raw for p in parts])),
        np.eye(2),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        *(np.concatenate([getattr(p, n) for p in parts])
          for n in ("chosen", "outside", "left", "person", "time", "offset")),
    )  # fmt: skip
