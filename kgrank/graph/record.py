"""What the last load wrote, as one hash for each source node, so that the next one finds what changed.

The record of a table is kept in the store, as the node (:Loaded). It is taken away before the table is written and
written again after it: a load that was killed leaves none, and the next one compares row by row.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce

import polars as pl

from kgrank.graph.store import GraphStore

ENGINE = f"polars {pl.__version__}, mixed"
"""Hashes of another engine mean something else, so a record of one counts as none."""

_ODD = pl.lit(0x9E3779B97F4A7C15, dtype=pl.UInt64)
_BUCKETS = pl.Schema({"bucket": pl.UInt32(), "hash": pl.UInt64()})


@dataclass(frozen=True)
class Record:
    """What the last load wrote of one table.

    Attributes:
        total: All rows as one number: most loads change few tables, and need no more to know.
        hashes: The buckets, as a Parquet file in base64.
    """

    total: int
    hashes: str

    def buckets(self) -> pl.DataFrame:
        """bucket, hash: as ``buckets`` gave them when the table was written."""
        return pl.read_parquet(io.BytesIO(base64.b64decode(self.hashes))).cast(_BUCKETS)


def total(table: pl.DataFrame) -> int:
    """All rows as one number, whatever their order."""
    return int(table.select(_rows(table).sum()).item())


def buckets(table: pl.DataFrame) -> pl.DataFrame:
    """bucket, hash: the rows of each source (or node) as one number, whatever their order.

    Sources are identified by 32 bits, so a few share a bucket, and are compared together.
    """
    key = table.columns[0]
    return (
        table.select(bucket_of(key), hash=_rows(table))
        .group_by("bucket")
        .agg(pl.col("hash").sum())
        .sort("bucket")
    )


def bucket_of(column: str) -> pl.Expr:
    """The bucket of a source's id."""
    return (pl.col(column).hash() & 0xFFFFFFFF).cast(pl.UInt32).alias("bucket")


def differing(hashed: pl.DataFrame, recorded: pl.DataFrame) -> pl.Series:
    """The buckets whose rows are not what was recorded, those that came or went among them."""
    both = hashed.join(recorded, on="bucket", how="full", coalesce=True, suffix="_recorded")
    return both.filter(pl.col("hash").ne_missing(pl.col("hash_recorded")))["bucket"]


def read_records(store: GraphStore) -> Mapping[str, Record]:
    """The records of all tables that have one, but for those of another engine."""
    rows = store.nodes("Loaded").filter(pl.col("engine") == ENGINE)
    records = {}
    for name, text in rows.select("id", "hashes").iter_rows():
        number, _, hashes = text.partition(" ")
        records[name] = Record(int(number), hashes)
    return records


def write_record(store: GraphStore, table: str, hashed: pl.DataFrame) -> None:
    """Records the hashes of a table, by bucket, once all of it is in the store."""
    file = io.BytesIO()
    hashed.write_parquet(file)
    hashes = base64.b64encode(file.getvalue()).decode("ascii")
    row = {
        "id": table,
        "engine": ENGINE,
        "written": datetime.now(UTC).isoformat(),
        "hashes": f"{hashed['hash'].sum()} {hashes}",
    }
    store.upsert_nodes("Loaded", pl.DataFrame([row]))


def forget_record(store: GraphStore, table: str) -> None:
    """Before a table is written: the contents of the store are not known until it is done."""
    store.delete_nodes("Loaded", pl.Series([table]))


def _rows(table: pl.DataFrame) -> pl.Expr:
    """A hash of each row, mixed from those of its columns: five times faster than the engine's own of a struct.

    Rows are summed up afterwards, so the mixing must not be a sum itself: two rows that swap a value would
    count as the same.
    """
    columns = (pl.col(c).hash(seed) for seed, c in enumerate(table.columns))
    return reduce(lambda row, column: (row * _ODD) ^ column, columns)
