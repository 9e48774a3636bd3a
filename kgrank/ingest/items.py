"""Catalogue files: one row an item."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest import fields
from kgrank.ingest.columns import STANDARD
from kgrank.ingest.mapping import AttributeField, Items
from kgrank.ingest.raw import ITEM_COLUMNS, STEP, Raw, RawColumn, attribute_fields, category_path, with_schema
from kgrank.ingest.read import read_table, require
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE

_CORE = STANDARD["items"]


def read_items(folder: Path, source: Items, rejects: Rejects) -> Raw:
    """The items of a file and the texts of their attributes.

    Raises:
        InputError: A column is missing, or one id has two rows that differ.
    """
    path, table = folder / source.file, read_table(folder, source, rejects)
    rejects.read[source.file] = len(table)
    if source.group is not None:
        table = filled_by_group(table, require(table, source.group, path))
    core = {name: getattr(source, name) for name in _CORE}
    used = frozenset().union(*(fields.columns_of(f) for f in core.values()))
    used |= frozenset(a.column or name for name, a in source.attributes.items())
    used |= frozenset(source.category.above)
    spare = frozenset(used)
    standard = frozenset(c for c in _CORE if c in table.columns)
    attributes = attribute_fields(
        table, source.attributes, source.rest, used | standard, source.decimal, path, rejects
    )
    fields.required(table, source.id, "id", path)
    frame = table.select(
        *(
            fields.text(table, core[name], name, path, spare - fields.columns_of(core[name]))
            for name in _CORE
        ),
        *(fields.attribute(table, a, name, path).alias(f"a:{name}") for name, a in attributes.items()),
        *(pl.col(require(table, c, path)).alias(f"above:{n}") for n, c in enumerate(source.category.above)),
        LINE,
    )
    frame = rejects.drop(frame, pl.col("id").is_null(), "no id", path, id="id", cell=pl.lit("no item id"))
    frame = _one_row_an_id(frame, source, path, rejects)
    frame = frame.with_columns(category_path(source.category))
    if source.category.above:
        steps = [*(f"above:{n}" for n in range(len(source.category.above))), "category"]
        path_text = pl.concat_str(steps, separator=STEP, ignore_nulls=True)
        frame = frame.with_columns(pl.when(path_text != "").then(path_text).alias("category"))
    return Raw(
        items=with_schema(frame, ITEM_COLUMNS, path),
        columns=tuple(raw_column(frame, name, a, path) for name, a in attributes.items()),
    )


def filled_by_group(table: pl.DataFrame, group: str | None) -> pl.DataFrame:
    """The rows, their empty cells filled with the first text of their group; without a group, as they are."""
    if group is None:
        return table
    cells = [c for c in table.columns if c not in (group, LINE)]
    first = (pl.col(c).fill_null(pl.col(c).drop_nulls().first().over(group)) for c in cells)
    return table.with_columns(
        pl.when(pl.col(group).is_not_null()).then(text).otherwise(pl.col(c)).alias(c)
        for c, text in zip(cells, first, strict=True)
    )


def raw_column(
    frame: pl.DataFrame, name: str, field: AttributeField, path: Path, id: str = "id"
) -> RawColumn:
    """The known texts of an attribute, from the column ``a:name``."""
    texts = frame.select(pl.col(id).alias("item"), pl.col(f"a:{name}").alias("text"), LINE)
    texts = texts.filter(pl.col("text").is_not_null())
    if not len(texts):
        raise InputError(
            f"every value of {name!r} is missing",
            where=path,
            expected="at least one value",
            todo="Leave the attribute out of the mapping, or the column out of the file.",
        )
    return RawColumn(name, field, path, texts)


def merge_items(tables: list[pl.DataFrame], folder: Path) -> pl.DataFrame:
    """The items of several files put together; two files may each say a part about one id.

    Raises:
        InputError: Two files say different things about one id.
    """
    if not tables:
        raise InputError(
            "the folder has no items", where=folder, expected="an items file, choice tasks or rated profiles"
        )
    table = pl.concat(tables)
    if not table["id"].is_duplicated().any():
        return table
    rest = [c for c in table.columns if c != "id"]
    for name in (c for c in _CORE if c != "id"):
        clash = table.group_by("id", maintain_order=True).agg(
            pl.col(name).drop_nulls().unique(maintain_order=True)
        )
        clash = clash.filter(pl.col(name).list.len() > 1)
        if len(clash):
            item, texts = clash.row(0)
            raise InputError(
                f"item {item!r} has two texts for {name}: {texts[0]!r} and {texts[1]!r}", expected="one"
            )
    return table.group_by("id", maintain_order=True).agg(pl.col(c).drop_nulls().first() for c in rest)


def _one_row_an_id(frame: pl.DataFrame, source: Items, path: Path, rejects: Rejects) -> pl.DataFrame:
    data = [c for c in frame.columns if c not in ("id", LINE)]
    if source.join_rows is not None:
        joined = [pl.col(c).drop_nulls().unique(maintain_order=True).str.join(source.join_rows) for c in data]
        frame = frame.group_by("id", maintain_order=True).agg(*joined, pl.col(LINE).first())
        return frame.with_columns(pl.when(pl.col(c) != "").then(pl.col(c)) for c in data)
    if source.from_log:
        ids = frame.group_by("id", maintain_order=True).agg(pl.col(LINE).first())
        for name in data:
            ids = ids.join(_most_frequent(frame, name), on="id", how="left", maintain_order="left")
        return ids
    again = pl.struct("id", *data).is_first_distinct().not_()
    frame = rejects.drop(frame, again, "duplicate row", path, id="id", cell=pl.lit("the same item again"))
    twice = frame.filter(pl.col("id").is_duplicated()).sort("id", LINE)
    if len(twice):
        first, second = twice.row(0, named=True), twice.row(1, named=True)
        differs = next(c for c in data if first[c] != second[c])
        raise InputError(
            f"item {first['id']!r} stands twice with different content: "
            f"{differs.removeprefix('a:')} is {first[differs]!r} in line {first[LINE]} "
            f"and {second[differs]!r} in line {second[LINE]}",
            where=f"{path}:{second[LINE]}",
            expected="one row an item",
            todo="Remove one of the rows; for a file with several rows an item see join_rows and from_log.",
        )
    return frame


def _most_frequent(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Each id's most frequent text of a column; of equals, the first in the file."""
    counted = frame.filter(pl.col(name).is_not_null()).group_by("id", name).agg(pl.len(), pl.col(LINE).min())
    return (
        counted.sort(pl.col("len"), LINE, descending=[True, False]).group_by("id").agg(pl.col(name).first())
    )
