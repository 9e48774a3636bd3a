"""What the last load wrote, as one hash for each source node, so that the next one finds what changed.

The record of a table stands in the store, as the node (:Loaded). It is taken away before the table is written and
written again after it: a load that was killed leaves none, and the next one compares row by row.
"""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime

import polars as pl

from kgrank.graph.store import GraphStore

ENGINE = f"polars {pl.__version__}"
"""Hashes of another engine mean something else, so a record of one counts as none."""

_BUCKETS = pl.Schema({"bucket": pl.UInt32(), "hash": pl.UInt64()})


def buckets(table: pl.DataFrame) -> pl.DataFrame:
    """bucket, hash: the rows of each source (or node) as one number, whatever their order.

    Sources are told apart by 32 bits, so a few share a bucket, and are looked at together.
    """
    key = table.columns[0]
    return (
        table.select(bucket_of(key), hash=pl.struct(pl.all()).hash())
        .group_by("bucket")
        .agg(pl.col("hash").sum())
        .sort("bucket")
    )


def bucket_of(column: str) -> pl.Expr:
    """The bucket of a source's id."""
    return (pl.col(column).hash() & 0xFFFFFFFF).cast(pl.UInt32).alias("bucket")


def differing(found: pl.DataFrame, recorded: pl.DataFrame) -> pl.Series:
    """The buckets whose rows are not what was recorded, those that came or went among them."""
    both = found.join(recorded, on="bucket", how="full", coalesce=True, suffix="_recorded")
    return both.filter(pl.col("hash").ne_missing(pl.col("hash_recorded")))["bucket"]


def read_record(store: GraphStore, table: str) -> pl.DataFrame | None:
    """The record of a table; None where there is none, or one of another engine."""
    rows = store.nodes("Loaded", pl.Series([table])).rows(named=True)
    if not rows or rows[0]["engine"] != ENGINE:
        return None
    return pl.read_parquet(io.BytesIO(base64.b64decode(rows[0]["hashes"]))).cast(_BUCKETS)


def write_record(store: GraphStore, table: str, found: pl.DataFrame) -> None:
    """Notes that a table stands in the store as it is."""
    file = io.BytesIO()
    found.write_parquet(file)
    hashes = base64.b64encode(file.getvalue()).decode("ascii")
    row = {"id": table, "engine": ENGINE, "written": datetime.now(UTC).isoformat(), "hashes": hashes}
    store.upsert_nodes("Loaded", pl.DataFrame([row]))


def forget_record(store: GraphStore, table: str) -> None:
    """Before a table is written: what stands in the store is not known until it is done."""
    store.delete_nodes("Loaded", pl.Series([table]))
