"""A few damaged rows, mixed in on purpose: what real files bring, for the cleaning report to find."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from kgrank.arrays import Ints

BOT = "shopper-bot"
UNKNOWN = "dresses-999"
_NIGHT = 1_783_306_800
"""6 July 2026, 03:00 UTC."""

DIRT: Mapping[str, int] = {
    "items that stand twice": 2,
    "a price below zero": 1,
    "heels in centimetres": 2,
    "colors by another name (Navy blue)": 3,
    "colors in capitals (RED)": 3,
    "leather that is said to be machine-washable": 2,
    "events that stand twice": 40,
    f"events of an item that is not in the catalogue ({UNKNOWN})": 12,
    "events with a time that cannot be read (30.02.2026)": 5,
    f"views by one bot within 20 minutes ({BOT})": 900,
}
"""What is damaged, and how many rows of each."""
_TWICE_ITEMS, _PRICE, _HEELS, _NAVY, _RED, _LEATHER, _TWICE, _UNKNOWN, _TIMELESS, _BOT = DIRT.values()


def soil_items(items: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The catalogue as a supplier might send it: all cells text, a few damaged, two rows twice."""

    def sample(test: pl.Expr, count: int) -> Ints:
        return rng.choice(
            np.flatnonzero(items.select(test.fill_null(False)).to_series()), count, replace=False
        )

    def at(rows: Ints) -> pl.Expr:
        return pl.int_range(pl.len()).is_in(rows.tolist())

    price = at(sample(pl.col("price") > 0, _PRICE))
    heels = at(sample(pl.col("heel") > 0, _HEELS))
    navy, red = at(sample(pl.col("color") == "navy", _NAVY)), at(sample(pl.col("color") == "red", _RED))
    leather = at(sample(pl.col("material") == "leather", _LEATHER))
    damaged = items.with_columns(
        price=pl.when(price).then(pl.lit("-1")).otherwise(pl.col("price").cast(pl.String)),
        heel=pl.when(heels)
        .then(pl.format("{} cm", pl.col("heel") / 10))
        .otherwise(pl.col("heel").cast(pl.String)),
        color=pl.when(navy)
        .then(pl.lit("Navy blue"))
        .when(red)
        .then(pl.lit("RED"))
        .otherwise(pl.col("color")),
        care=pl.when(leather).then(pl.lit("machine-wash")).otherwise(pl.col("care")),
    )
    again = rng.choice(len(items), _TWICE_ITEMS, replace=False)
    both: pl.DataFrame = pl.concat([damaged, damaged[again.tolist()]])
    return both


def soil_events(events: pl.DataFrame, items: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The log with duplicate rows, an unknown item, unreadable times and one bot's night."""
    views = np.flatnonzero((events["kind"] == "view").to_numpy())
    chosen = rng.choice(views, _TWICE + _UNKNOWN + _TIMELESS, replace=False).tolist()
    twice = events[chosen[:_TWICE]]
    unknown = events[chosen[_TWICE : _TWICE + _UNKNOWN]].with_columns(item=pl.lit(UNKNOWN))
    timeless = events[chosen[_TWICE + _UNKNOWN :]].with_columns(time=pl.lit("30.02.2026"))
    log: pl.DataFrame = pl.concat([events, twice, unknown, timeless, _bot(events, items, rng)])
    return log


def _bot(events: pl.DataFrame, items: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    table = pl.DataFrame(
        {
            "time": np.sort(_NIGHT + rng.choice(1200, _BOT, replace=False)),
            "item": rng.choice(items["id"].to_numpy(), _BOT).astype(str),
        }
    )
    columns = {
        "time": pl.from_epoch("time", time_unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "user": pl.lit(BOT),
        "session": pl.lit("s-bot"),
        "kind": pl.lit("view"),
        "item": pl.col("item"),
    }
    return table.select(
        columns.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in events.schema.items()
    )
