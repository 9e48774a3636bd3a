"""What a field of the mapping says, as a column of text or numbers."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.cells.numbers import read_numbers, refuse_two_readings
from kgrank.ingest.choice_tasks.dummies import spread_value
from kgrank.ingest.mapping import AttributeField, CategoryField, Field
from kgrank.ingest.read import require
from kgrank.ingest.rows import LINE
from kgrank.ontology.units import find_unit


def given(table: pl.DataFrame, field: Field, name: str, used: frozenset[str] = frozenset()) -> bool:
    """Whether a field says anything: it is mapped, or the file has the column of that name to spare."""
    mapped = field.column is not None or field.constant is not None
    return mapped or (name in table.columns and name not in used)


def text(
    table: pl.DataFrame, field: Field, name: str, path: Path, used: frozenset[str] = frozenset()
) -> pl.Expr:
    """The field's text on each row, named ``name``; null on every row where the field says nothing.

    Raises:
        InputError: The mapped column is not in the file.
    """
    if field.constant is not None:
        if isinstance(field, CategoryField) and field.constant in table.columns:
            raise InputError(
                f"the category {field.constant!r} is called like a column",
                where=path,
                expected=f"for the column, category: {{column: {field.constant}}}",
                todo="If you mean one category for all rows, call it otherwise.",
            )
        return pl.lit(field.prefix + field.constant).alias(name)
    if not given(table, field, name, used):
        return pl.lit(None, dtype=pl.String).alias(name)
    cell = pl.col(require(table, field.column or name, path))
    return _words(cell, field).alias(name)


def required(
    table: pl.DataFrame, field: Field, name: str, path: Path, used: frozenset[str] = frozenset()
) -> pl.Expr:
    """As ``text``; a field that says nothing is an InputError that names the standard column."""
    if not given(table, field, name, used):
        require(table, name, path)
    return text(table, field, name, path, used)


def attribute(table: pl.DataFrame, field: AttributeField, name: str, path: Path) -> pl.Expr:
    """The text of an attribute on each row: one-hot columns folded, plain numbers scaled and rounded.

    Raises:
        InputError: A mapped column is not in the file, or a row has two one-hot columns set.
    """
    if not field.one_hot:
        cell = _without_units(table, text(table, field, name, path), field, name)
        return _scaled(table, cell, field, name, path).alias(name)
    for column in field.one_hot:
        require(table, column, path)
    return pl.lit(spread_value(table, field, name, path)).alias(name)


def columns_of(field: Field) -> frozenset[str]:
    """The columns that a field reads."""
    spread = frozenset(field.one_hot) if isinstance(field, AttributeField) else frozenset()
    return spread | (frozenset({field.column}) if field.column is not None else frozenset())


def _words(cell: pl.Expr, field: Field) -> pl.Expr:
    if field.missing:
        cell = pl.when(~cell.is_in(list(field.missing))).then(cell)
    if field.rename:
        cell = cell.replace(dict(field.rename))
    return pl.lit(field.prefix) + cell if field.prefix else cell


def numbers(table: pl.DataFrame, name: str, decimal: str | None, path: Path) -> pl.Series:
    """The numbers of a column without units; null where a text is no number.

    Raises:
        InputError: The column can be read in two ways.
    """
    texts = table.select(pl.col(name).alias("text"), LINE)
    read = read_numbers(texts["text"].drop_nulls(), decimal)
    refuse_two_readings(read, texts, name, path)
    read = read.filter(pl.col("unit") == "")
    return texts["text"].replace_strict(read["text"], read["number"], default=None, return_dtype=pl.Float64)


def _without_units(table: pl.DataFrame, cell: pl.Expr, field: AttributeField, name: str) -> pl.Expr:
    """The texts that are no quantities in the units that mean: not known."""
    if not field.missing_units:
        return cell
    dimensions = {known.dimension for word in field.missing_units if (known := find_unit(word))}
    read = read_numbers(table.select(cell.alias(name))[name].drop_nulls(), field.decimal)
    words = [
        word
        for word in read["unit"].drop_nulls().unique()
        if (known := find_unit(word)) and known.dimension in dimensions
    ]
    return pl.when(~cell.is_in(read.filter(pl.col("unit").is_in(words))["text"].implode())).then(cell)


def _scaled(table: pl.DataFrame, cell: pl.Expr, field: AttributeField, name: str, path: Path) -> pl.Expr:
    """Plain numbers scaled and rounded, as text; other text as it is."""
    if field.scale == 1.0 and field.decimals is None:
        return cell
    named = table.select(cell.alias(name), LINE)
    number = pl.lit(numbers(named, name, field.decimal, path)) * field.scale
    number = number.round(field.decimals) if field.decimals is not None else number.round_sig_figs(12)
    texts = (
        named.select(number.cast(pl.String).alias("scaled"), pl.col(name).alias("text")).drop_nulls().unique()
    )
    return cell.replace(texts["text"], texts["scaled"])
