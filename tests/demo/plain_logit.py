"""An independent reference: one multinomial logit a category, on the files' own columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import minimize

from kgrank.demo.shop import DemoShop

NUMBERS = ("price", "heel")
PLACES = 11
"""At most ten items and, last, viewing nothing."""


def encode(items: pl.DataFrame) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Columns from their mean, a missing value at the mean; numbers over their 5th to 95th percentile."""
    columns, names = [], []
    for attribute in items.columns[2:-2]:
        given = items[attribute]
        if given.null_count() == len(items):
            continue
        if attribute in NUMBERS:
            x = given.to_numpy()
            columns.append(x / np.subtract(*np.nanpercentile(x, [95, 5])))
            names.append((attribute, "*"))
            continue
        for value in given.drop_nulls().unique().sort():
            columns.append(
                (given == value).cast(pl.Float64).fill_null(np.nan).to_numpy(allow_copy=True, writable=True)
            )
            names.append((attribute, value))
    X = np.stack(columns, axis=1)
    X = X - np.nanmean(X, axis=0)
    return np.nan_to_num(X), names


def choices(shop: DemoShop, category: str) -> list[tuple[list[str], int, int | None]]:
    """What was shown in order, the place viewed (10 for nothing), and a place that is out already."""
    searched = shop.events.filter((pl.col("kind") == "search") & (pl.col("category") == category))
    events = shop.events.join(searched.select("list"), on="list")
    shown = (
        events.filter(pl.col("kind") == "impression")
        .sort("position")
        .group_by("list", maintain_order=True)
        .agg("item")
    )
    viewed = events.filter(pl.col("kind") == "view").sort("time").group_by("list").agg(pl.col("position") - 1)
    places = dict(viewed.iter_rows())
    found: list[tuple[list[str], int, int | None]] = []
    for name, items in shown.iter_rows():
        first, *second = places.get(name, [PLACES - 1])
        found.append((items, first, None))
        found += [(items, place, first) for place in second]
    return found


def fit(shop: DemoShop, category: str) -> dict[str, float]:
    """Importance shares by maximum likelihood, positions and viewing nothing as nuisance."""
    items = shop.items.filter(pl.col("category") == category)
    X, names = encode(items)
    row = {item: k for k, item in enumerate(items["id"])}
    tasks = choices(shop, category)
    wide = np.zeros((len(tasks), PLACES, len(names) + PLACES))
    open_ = np.zeros((len(tasks), PLACES), dtype=bool)
    chosen = np.array([place for _, place, _ in tasks])
    for t, (shown, _, out) in enumerate(tasks):
        wide[t, : len(shown), : len(names)] = X[[row[i] for i in shown]]
        open_[t, : len(shown)] = True
        open_[t, -1] = out is None
        if out is not None:
            open_[t, out] = False
    wide[:, np.arange(PLACES), len(names) + np.arange(PLACES)] = 1.0

    def loss(b: np.ndarray) -> tuple[float, Any]:
        V = np.where(open_, wide @ b, -np.inf)
        V -= V.max(axis=1, keepdims=True)
        total = np.log(np.exp(V).sum(axis=1))
        miss = np.exp(V - total[:, None])
        miss[np.arange(len(tasks)), chosen] -= 1
        own = V[np.arange(len(tasks)), chosen] - total
        return -own.sum() + 0.05 * b @ b, np.einsum("tj,tjk->k", miss, wide) + 0.1 * b

    b = minimize(loss, np.zeros(wide.shape[2]), jac=True, method="L-BFGS-B").x
    ranges: dict[str, float] = {}
    for attribute in dict.fromkeys(a for a, _ in names):
        own = [x for x, (a, _) in zip(b, names, strict=False) if a == attribute]
        ranges[attribute] = abs(own[0]) if attribute in NUMBERS else max(own) - min(own)
    total = sum(ranges.values())
    return {a: r / total for a, r in ranges.items()}
