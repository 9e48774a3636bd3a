"""Whether events are evidence of tastes: rankings that rank, ratings that vary, deeds on what was shown."""

from __future__ import annotations

import polars as pl

from kgrank.ingest.report import Rejects

_LIST = ["user", "list"]


def checked(events: pl.DataFrame, rejects: Rejects) -> pl.DataFrame:
    """The events without rankings that rank nothing.

    Ratings that never vary and deeds on what was not shown stay, since they did happen, and are counted: they
    are no evidence of tastes.
    """
    events = _rankings(events, rejects)
    rated = events.filter((pl.col("kind") == "rating") & pl.col("value").is_not_null())
    same = rated.filter(pl.col("value").n_unique().over("user") == 1).unique("user", maintain_order=True)
    rejects.keep(same, "one rating", id="user", cell=pl.col("value").cast(pl.String))
    shown = events.filter(pl.col("kind") == "impression").select(*_LIST, "item").unique()
    deeds = events.filter(pl.col("kind").is_in(["view", "cart", "purchase"]) & pl.col("list").is_not_null())
    if len(shown):
        stray = deeds.join(shown, on=[*_LIST, "item"], how="anti", maintain_order="left")
        rejects.keep(stray, "not shown", id="user", cell=pl.format("{} in {}", "item", "list"))
    return events


def _rankings(events: pl.DataFrame, rejects: Rejects) -> pl.DataFrame:
    """The events without places of rankings with ties, with one item, or with places that are none."""
    rank = pl.col("kind") == "rank"
    if not events.select(rank.any()).item():
        return events
    events = rejects.drop_each(
        events, rank & pl.col("list").is_null(), "no list", id="user", cell=pl.col("item")
    )
    ranks = events.filter(rank)
    odd = pl.col("value").is_not_null() & ~(pl.col("value") >= 1)
    tied = pl.col("value").is_not_null() & pl.struct(*_LIST, "value").is_duplicated()
    twice = pl.struct(*_LIST, "item").is_duplicated()
    name = pl.format("{} in {}", "item", "list")
    kept = rejects.drop_each(ranks, odd.any().over(_LIST), "not a place", id="user", cell=name)
    kept = rejects.drop_each(kept, (tied | twice).any().over(_LIST), "tied places", id="user", cell=name)
    one = (pl.len().over(_LIST) < 2) | pl.col("value").is_null().all().over(_LIST)
    kept = rejects.drop_each(kept, one, "one alternative", id="user", cell=name)
    return pl.concat([events.filter(~rank), kept])
