"""Rated or ranked profiles: a table of profiles, and a matrix with one row a person and one column a profile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest import fields
from kgrank.ingest.choice_tasks.tasks import alternatives
from kgrank.ingest.items import raw_column
from kgrank.ingest.mapping import Marks, Ratings
from kgrank.ingest.raw import EVENT_COLUMNS, ITEM_COLUMNS, Raw, attribute_fields, category_path, with_schema
from kgrank.ingest.read import read_table
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE


def read_ratings(folder: Path, source: Ratings, rejects: Rejects) -> Raw:
    """The profiles as items, the ratings or places as events in the order of the columns.

    Raises:
        InputError: The profiles and the columns of ratings differ in number.
    """
    path, ratings = folder / source.file, read_table(folder, source, rejects)
    rejects.read[source.file] = len(ratings)
    profiles = read_table(folder, replace(source, file=source.profiles, where={}), rejects)
    columns = [c for c in ratings.columns if c != LINE and c not in fields.columns_of(source.person)]
    if len(columns) != len(profiles):
        raise InputError(
            f"{len(columns)} columns of ratings and {len(profiles)} profiles in {source.profiles}",
            where=path,
            expected="one column a profile, in the same order",
        )
    attributes = attribute_fields(
        profiles,
        source.attributes,
        source.rest,
        fields.columns_of(source.category),
        source.decimal,
        folder / source.profiles,
        rejects,
    )
    items = profiles.select(
        fields.required(profiles, source.category, "category", folder / source.profiles),
        *(
            fields.attribute(profiles, a, n, folder / source.profiles).alias(f"a:{n}")
            for n, a in attributes.items()
        ),
        LINE,
    ).with_columns(category_path(source.category))
    items = alternatives(items, attributes)
    person = fields.text(ratings, source.person, "person", path)
    if source.person.column is None:
        person = (pl.lit(f"{path.stem}-") + (pl.col(LINE) - pl.col(LINE).min() + 1).cast(pl.String)).alias(
            "person"
        )
    long = ratings.select(person.alias("user"), *columns, LINE).unpivot(
        columns, index=["user", LINE], value_name="value"
    )
    long = long.with_columns(fields.numbers(long, "value", source.decimal, path).alias("number"))
    number = pl.col("number")
    long = rejects.drop(long, number.is_null(), "not a number", path, id="user", cell=pl.col("value"))
    item = dict(zip(columns, items["id"], strict=True))
    place = {c: i for i, c in enumerate(columns, 1)}
    # Points count from the other end; the best has place 1.
    top = number.max().over("user") + 1
    ranked = source.marks is not Marks.RATINGS
    events = long.with_columns(
        (top - number if source.marks is Marks.POINTS else number).alias("value"),
        pl.lit("rank" if ranked else "rating").alias("kind"),
        (pl.lit(f"{path.stem}/") + pl.col("user") if ranked else pl.lit(None, pl.String)).alias("list"),
        pl.col("variable").replace_strict(item, return_dtype=pl.String).alias("item"),
        pl.col("variable").replace_strict(place, return_dtype=pl.Int64).alias("time"),
    )
    return Raw(
        items=with_schema(items, ITEM_COLUMNS, folder / source.profiles),
        columns=tuple(raw_column(items, n, a, folder / source.profiles) for n, a in attributes.items()),
        events=with_schema(events, EVENT_COLUMNS, path),
        clock=False,
        tasks=True,
    )
