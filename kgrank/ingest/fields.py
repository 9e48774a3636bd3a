"""What a field of the mapping says, as a column of text; times as whole seconds."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.dummies import spread_value
from kgrank.ingest.mapping import AttributeField, CategoryField, Field, TimeField
from kgrank.ingest.read import require


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
        return _scaled(text(table, field, name, path), field).alias(name)
    for column in field.one_hot:
        require(table, column, path)
    return pl.lit(spread_value(table, field, name, path)).alias(name)


def columns_of(field: Field) -> frozenset[str]:
    """The columns that a field reads."""
    spread = frozenset(field.one_hot) if isinstance(field, AttributeField) else frozenset()
    return spread | (frozenset({field.column}) if field.column is not None else frozenset())


def seconds(table: pl.DataFrame, field: TimeField, path: Path) -> pl.Series:
    """Seconds since 1970 on each row; null where the text is no time."""
    cell = table[require(table, field.column, path)]
    if field.format is not None:
        return _written(cell, field, path)
    number = cell.cast(pl.Float64, strict=False)
    size = number.abs()
    plain = pl.select(
        pl.when(size >= 1e14).then(number / 1e6).when(size >= 1e11).then(number / 1e3).otherwise(number)
    ).to_series()
    plain = pl.select(pl.when(plain.is_finite()).then(plain)).to_series()
    return plain.floor().cast(pl.Int64).zip_with(plain.is_not_null(), _iso(cell, field, path))


def _iso(cell: pl.Series, field: TimeField, path: Path) -> pl.Series:
    parts = cell.str.extract_groups(
        r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?)? ?(Z|[+-]\d{2}:?\d{2})?$"
    ).struct.unnest()
    day, clock, second, zone = (pl.col(c) for c in parts.columns)
    naive = pl.concat_str(day, pl.lit("T"), clock.fill_null("00:00"), second.fill_null(":00").str.slice(0, 3))
    frame = parts.select(naive.alias("text"), zone.alias("zone"))
    local = _zoned(frame["text"].str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False), field, path)
    stamped = (frame["text"] + frame["zone"].str.replace("Z", "+00:00")).str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%#z", strict=False, time_zone="UTC"
    )
    return stamped.dt.epoch("s").zip_with(frame["zone"].is_not_null(), local)


def _written(cell: pl.Series, field: TimeField, path: Path) -> pl.Series:
    form = field.format or ""
    clock = any(code in form for code in ("%H", "%I", "%T", "%R", "%X", "%c", "%s", "%p"))
    try:
        if clock and ("%z" in form or "%#z" in form or "%:z" in form):
            return cell.str.to_datetime(form, strict=False, time_zone="UTC").dt.epoch("s")
        naive = (
            cell.str.to_datetime(form, strict=False)
            if clock
            else cell.str.to_date(form, strict=False).cast(pl.Datetime)
        )
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"the time format {form!r} cannot be used: {reason}", where=path) from None
    return _zoned(naive, field, path)


def _zoned(naive: pl.Series, field: TimeField, path: Path) -> pl.Series:
    try:
        return naive.dt.replace_time_zone(field.zone, ambiguous="earliest", non_existent="null").dt.epoch("s")
    except pl.exceptions.PolarsError:
        raise InputError(
            f"unknown time zone {field.zone!r}", where=path, expected="a name such as Asia/Shanghai"
        ) from None


def _words(cell: pl.Expr, field: Field) -> pl.Expr:
    if field.missing:
        cell = pl.when(~cell.is_in(list(field.missing))).then(cell)
    if field.rename:
        cell = cell.replace(dict(field.rename))
    return pl.lit(field.prefix) + cell if field.prefix else cell


def _scaled(cell: pl.Expr, field: AttributeField) -> pl.Expr:
    """Plain numbers scaled and rounded, as text; other text as it is."""
    if field.scale == 1.0 and field.decimals is None:
        return cell
    number = cell.cast(pl.Float64, strict=False) * field.scale
    number = number.round(field.decimals) if field.decimals is not None else number.round_sig_figs(12)
    return pl.coalesce(number.cast(pl.String), cell)
