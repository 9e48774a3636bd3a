"""Returns and cancellations: events that take back an earlier one of the same user and item."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE

RETURNS: Mapping[str, str] = {
    "return": "purchase",
    "refund": "purchase",
    "cancel": "purchase",
    "remove_from_cart": "cart",
    "remove_from_wishlist": "cart",
}
"""Kinds that only take back, and the kind of event that each takes back."""

TAKEN_BACK, RETURN, NOTHING_TO_RETURN = "taken back", "return", "return of nothing"
"""Reasons in the report."""


def without_returned(events: pl.DataFrame, path: Path, rejects: Rejects) -> pl.DataFrame:
    """The events without returns and without what they take back.

    A return is an event of a kind in ``RETURNS``, or a purchase or cart with a quantity below 0. It takes back
    the latest earlier events of its kind, user and item, as many units as it says; without a quantity, the
    latest event whole. An event part of which is taken back stays with the rest of its quantity.

    Args:
        events: Columns kind, user, item, time, value and LINE, among others.
        path: The file.
        rejects: Collects the returns and what they took back.
    """
    kind = pl.col("kind").replace(dict(RETURNS))
    negative = pl.col("kind").is_in(sorted(set(RETURNS.values()))) & (pl.col("value") < 0).fill_null(False)
    is_return = pl.col("kind").is_in(list(RETURNS)) | negative
    if not events.select(is_return.any()).item():
        return events
    numbered = events.with_row_index("row").with_columns(is_return.alias("is_return"), kind.alias("target"))
    who = ["user", "item", "target"]
    concerned = numbered.join(numbered.filter("is_return").select(who).unique(), on=who, how="semi")
    open_events: dict[tuple[str, ...], list[int]] = {}
    left: dict[int, float] = {}
    served: set[int] = set()
    columns = ("row", "user", "item", "target", "is_return", "value")
    # Of one time, what is returned came before its return.
    for row, user, item, target, returns, value in (
        concerned.sort("time", "is_return", LINE).select(columns).iter_rows()
    ):
        waiting = open_events.setdefault((user, item, target), [])
        if not returns:
            waiting.append(row)
            left[row] = 1.0 if value is None else value
            continue
        if waiting:
            served.add(row)
        units = left[waiting[-1]] if waiting and value is None else abs(value or 0.0)
        while waiting and units > 0:
            back = min(units, left[waiting[-1]])
            left[waiting[-1]] -= back
            units -= back
            if left[waiting[-1]] > 0:
                break
            waiting.pop()
    gone = pl.col("row").is_in([row for row, units in left.items() if units <= 0])
    name = pl.format("{} of {}", "kind", "item")
    rest = rejects.drop(numbered, gone, TAKEN_BACK, path, id="user", cell=name)
    reduced = pl.col("row").replace_strict(left, default=None, return_dtype=pl.Float64)
    value = pl.when(pl.col("value").is_not_null() & ~pl.col("is_return")).then(pl.coalesce(reduced, "value"))
    rest = rest.with_columns(pl.when("is_return").then("value").otherwise(value).alias("value"))
    matched = pl.col("row").is_in(sorted(served))
    rest = rejects.drop(rest, matched, RETURN, path, id="user", cell=name)
    rest = rejects.drop(rest, pl.col("is_return"), NOTHING_TO_RETURN, path, id="user", cell=name)
    return rest.select(events.columns)
