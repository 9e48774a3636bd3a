"""What the items of a category were offered with, and when: the rows of a design that are no items' own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from scipy import sparse

from kgrank.arrays import Ints, Truths
from kgrank.graph.tables import KnowledgeGraph


@dataclass(frozen=True)
class Offers:
    """Offers of a category's items, and the combinations of values that they were offered with.

    Attributes:
        table: One row an offer: offer (id), at (the item's row in the design), place, start, stop, observed, and
            row, that of its combination of values behind the items.
        raw: (combinations, columns) as ``Design.raw``: the item's values, those of the offer in their place.
    """

    table: pl.DataFrame
    raw: sparse.csr_matrix

    def rows(self, alternatives: pl.DataFrame) -> Ints:
        """The row of each alternative at the time of its choice: a combination's, or the item's own.

        The offer that the event names counts; else the one that holds then at the choice's place, else then
        everywhere, else the last before, else the item's own values.

        Args:
            alternatives: Columns at, offer (null where the event names none), place and time.
        """
        numbered = alternatives.select("at", "offer", "place", "time").with_row_index("number")
        named = numbered.join(
            self.table.select("offer", "row"), on="offer", how="left", maintain_order="left"
        )
        unnamed = named.filter(pl.col("row").is_null() & pl.col("time").is_not_null())
        row = named.select(pl.coalesce("row", "at").cast(pl.Int64)).to_series().to_numpy().copy()
        if len(unnamed):
            dated = self.table.filter(pl.col("start") < pl.col("stop")).sort("start")
            dated = dated.select("at", "place", "start", "stop", then="row")
            left = unnamed.drop("row", "offer").sort("time")
            here = _last_before(left, dated.filter(pl.col("place").is_not_null()), ["at", "place"])
            everywhere = _last_before(left, dated.filter(pl.col("place").is_null()).drop("place"), ["at"])
            # Of two that hold, that of the place; of two that are over, the later.
            best = pl.concat([everywhere, here]).drop_nulls("then")
            order = pl.when("holds").then(0).otherwise("start")
            best = best.sort("holds", order, maintain_order=True)
            best = best.unique("number", keep="last", maintain_order=True)
            row[best["number"].to_numpy()] = best["then"].to_numpy()
        return row.astype(np.int64)

    @cached_property
    def _from_files(self) -> pl.DataFrame:
        return self.table.filter(~pl.col("observed"))

    @property
    def limits(self) -> bool:
        """Whether items are on offer at some times and not at others."""
        return len(self._from_files) > 0

    def on_offer(self, choices: pl.DataFrame, items: int) -> Iterator[tuple[Ints, Truths]]:
        """The numbers of choices of one place and time between changes, and (items,) whether an item is on offer.

        An item that no file of offers names always is.

        Args:
            choices: Columns place and time.
            items: Number of items.
        """
        offers = self._from_files
        starts, stops = offers["start"].to_numpy(), offers["stop"].to_numpy()
        at = offers["at"].to_numpy()
        always = np.ones(items, bool)
        always[at] = False
        places = offers["place"]
        bounds = np.unique(np.concatenate([starts, stops]))
        span = np.searchsorted(bounds, choices["time"].to_numpy(), "right")
        groups = choices.select("place", "time", span=span).with_row_index("number")
        everywhere = places.is_null().to_numpy()
        by_place: dict[str | None, Truths] = {}
        for (place, _), group in groups.group_by("place", "span", maintain_order=True):
            if place not in by_place:
                here = (places == place).fill_null(False).to_numpy() if place is not None else False
                by_place[place] = everywhere | here
            time = group["time"][0]
            available = always.copy()
            available[at[by_place[place] & (starts <= time) & (time < stops)]] = True
            yield group["number"].to_numpy().astype(np.int64), available


def offered_values(graph: KnowledgeGraph, items: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The offers of some items, and the values of each distinct combination that an item was offered with.

    Args:
        graph: With its OFFERED edges.
        items: Columns item and row; combinations are numbered behind them.

    Returns:
        ``Offers.table``; and columns row, node, number.
    """
    edges = graph.edge("OFFERED").join(items.select(source="item", at="row"), on="source")
    # Equal sums of 64-bit hashes: the same values, but for one in billions of billions of pairs.
    offers = edges.group_by("id", maintain_order=True).agg(
        pl.col("at", "place", "start", "stop", "observed").first(),
        pl.struct("target", "number").hash().sum().alias("values"),
    )
    combinations = offers.unique(["at", "values"], keep="first", maintain_order=True)
    combinations = combinations.with_row_index("row", offset=len(items)).with_columns(
        pl.col("row").cast(pl.Int64)
    )
    table = offers.join(
        combinations.select("at", "values", "row"), on=["at", "values"], maintain_order="left"
    )
    values = edges.join(combinations.select("id", "row"), on="id").select("row", "number", node="target")
    return table.select("at", "place", "start", "stop", "observed", "row", offer="id"), values


def with_items_values(
    raw: sparse.csr_matrix, items: int, table: pl.DataFrame, has: Truths, attribute: Ints
) -> sparse.csr_matrix:
    """(combinations, columns) each item's values, but where a combination has a value of the attribute its own.

    Args:
        raw: (items + combinations, columns) with the combinations' own values alone.
        items: Number of items.
        table: Columns at and row of each offer.
        has: (combinations, attributes) whether a combination has a value of the attribute.
        attribute: (columns,) number of the attribute that a column belongs to.
    """
    item_of_row = table.unique("row").sort("row")["at"].to_numpy()
    base = raw[item_of_row].tocoo()
    keep = ~has[base.row, attribute[base.col]]
    kept = sparse.csr_matrix((base.data[keep], (base.row[keep], base.col[keep])), shape=base.shape)
    return sparse.csr_matrix(kept + raw[items:])


def _last_before(choices: pl.DataFrame, offers: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """The last offer that began at or before the time of each choice, and whether it still holds."""
    last = choices.join_asof(offers, left_on="time", right_on="start", by=by, check_sortedness=False)
    return last.select("number", "then", "start", holds=pl.col("time") < pl.col("stop"))
