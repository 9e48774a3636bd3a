"""Segments of the groceries' households: who lives there, where the package says it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

PEOPLE = "people.parquet"

COMPOSITIONS: Mapping[str, tuple[str, str]] = {
    "1 Adult No Kids": ("one-adult", "One adult, no children"),
    "2 Adults No Kids": ("two-adults", "Two adults, no children"),
    "1 Adult Kids": ("one-adult-children", "One adult with children"),
    "2 Adults Kids": ("two-adults-children", "Two adults with children"),
}
"""Id and name of the segment by the package's word for a household's composition: of its tables the one without
gaps and with few, large groups. A household is in one segment, so that age and income are not segments too."""

MAPPING: Mapping[str, str] = {"file": PEOPLE, "person": "household", "segment": "composition"}
"""How kgrank reads the table of people."""


def segment_names() -> dict[str, str]:
    """Names of the segments by id."""
    return dict(COMPOSITIONS.values())


def people_table(demographics: pl.DataFrame, households: Collection[int]) -> pl.DataFrame:
    """The segment of each of some households, of which the package knows a third: household, composition."""
    ids = {word: id_ for word, (id_, _) in COMPOSITIONS.items()}
    known = demographics.filter(pl.col("household_id").is_in(list(households)))
    composition = (
        pl.col("household_comp").cast(pl.String).replace_strict(ids, default=None, return_dtype=pl.String)
    )
    table = known.select(household="household_id", composition=composition)
    return table.drop_nulls().unique("household").sort("household")
