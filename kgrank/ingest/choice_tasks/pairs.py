"""Pairwise preferences: one row a pair of items, as a ranking of two."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from kgrank.ingest import fields
from kgrank.ingest.cells.times import seconds
from kgrank.ingest.mapping import Pairs, TimeField
from kgrank.ingest.raw import EVENT_COLUMNS, Raw, with_schema
from kgrank.ingest.read import read_table
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE


def read_pairs(folder: Path, source: Pairs, rejects: Rejects) -> Raw:
    """The pairs of a file as rankings; without a time, in the order of the rows.

    Raises:
        InputError: A column is missing.
    """
    path, table = folder / source.file, read_table(folder, source, rejects)
    rejects.read[source.file] = len(table)
    clock = source.time or (TimeField() if "time" in table.columns else None)
    row = pl.col(LINE).cast(pl.String)
    person = fields.text(table, source.person, "person", path)
    if not fields.given(table, source.person, "person"):
        person = (pl.lit(f"{path.stem}-") + row).alias("person")
    frame = table.select(
        person.alias("user"),
        *(fields.required(table, getattr(source, name), name, path) for name in ("better", "worse")),
        seconds(table, clock, path).alias("time")
        if clock is not None
        else pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("time"),
        pl.format("{}/{}", pl.lit(path.stem), LINE).alias("list"),
        LINE,
    )
    lacking = pl.any_horizontal(pl.col(c).is_null() for c in ("user", "better", "worse"))
    frame = rejects.drop(frame, lacking, "no id", path, id="user", cell=pl.lit("no person or no item"))
    frame = rejects.drop(frame, pl.col("time").is_null(), "bad time", path, id="user", cell=pl.lit("no time"))
    places = [
        frame.select("user", "time", "list", LINE, item=name, value=pl.lit(place), kind=pl.lit("rank"))
        for name, place in (("better", 1.0), ("worse", 2.0))
    ]
    return Raw(
        events=with_schema(pl.concat(places).sort(LINE, "value"), EVENT_COLUMNS, path),
        clock=clock is not None,
        tasks=True,
    )
