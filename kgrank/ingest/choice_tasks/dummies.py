"""Marks of yes and no, and values that are spread over columns of them: dummies and effects coding."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.infer import FALSE, TRUE
from kgrank.ingest.mapping import AttributeField
from kgrank.ingest.rows import LINE

_ON = sorted(TRUE | {"t", "x", "on", "wahr", "vrai", "✓", "✔"})
_OFF = sorted(FALSE | {"f", "off", "falsch", "faux"})
_MISSING = sorted({"na", "n/a", "nan", "null", "none", "."})


def marks(cells: pl.Series) -> pl.Series:
    """1 for yes, 0 for no, other numbers as they are; null where a cell says nothing or another word."""
    word = pl.col("cell").str.to_lowercase()
    number = (
        pl.when(word.is_in(_ON))
        .then(1.0)
        .when(word.is_in(_OFF))
        .then(0.0)
        .otherwise(pl.col("cell").cast(pl.Float64, strict=False))
    )
    return pl.DataFrame([cells.alias("cell")]).select(number).to_series()


def dummies(table: pl.DataFrame, field: AttributeField, name: str, path: Path) -> dict[str, pl.Series]:
    """The cells of the columns over which an attribute is spread: 1, 0, -1, or null where not known.

    Where no cell of all columns says no, an empty one does: only what holds is marked.

    Raises:
        InputError: A cell is something else.
    """
    read: dict[str, pl.Series] = {}
    for column in field.one_hot:
        cells = table[column]
        known = ~cells.str.to_lowercase().is_in([*_MISSING, *(w.lower() for w in field.missing)])
        cells = pl.select(pl.when(known).then(cells)).to_series()
        number = marks(cells)
        odd = cells.is_not_null() & ~number.is_in([1.0, 0.0, -1.0]).fill_null(False)
        if odd.any():
            row = int(odd.arg_max() or 0)
            raise InputError(
                f"{cells[row]!r} in {column}",
                where=f"{path}:{table[LINE][row]}",
                expected=f"0 or 1 in the columns of {name}, or 1, 0 and -1 (effects coding)",
                todo=f"If {column} is no dummy of {name}, take it out of one_hot.",
            )
        read[column] = number
    if all((number.is_null() | (number == 1.0)).all() for number in read.values()):
        return {column: number.fill_null(0.0) for column, number in read.items()}
    return read


def spread_value(table: pl.DataFrame, field: AttributeField, name: str, path: Path) -> pl.Series:
    """The value of an attribute that is spread over columns, on each row.

    All zero is the base, or not known where no base is named. In effects coding, where some cell is -1,
    the base is -1 in all columns, and all zero is not known. Where a cell is empty and no other says yes,
    the value is not known.

    Raises:
        InputError: A cell is no mark, a row has two values, or -1 without a base.
    """
    cells = dummies(table, field, name, path)
    frame = pl.DataFrame([cells[c].alias(f"{n}") for n, c in enumerate(cells)])
    columns = list(cells)
    every = [pl.col(c) for c in frame.columns]
    on = frame.select(pl.sum_horizontal((e == 1.0).fill_null(False) for e in every)).to_series()
    minus = frame.select(pl.sum_horizontal((e == -1.0).fill_null(False) for e in every)).to_series()
    effects = bool((minus > 0).any())

    def refuse(odd: pl.Series, mark: float, expected: str, todo: str | None = None) -> None:
        if not odd.any():
            return
        row = int(odd.arg_max() or 0)
        which = [c for c in columns if cells[c][row] == mark]
        said = f"{' and '.join(which)} are both set" if mark == 1.0 else f"-1 in {' and '.join(which)}"
        raise InputError(said, where=f"{path}:{table[LINE][row]}", expected=expected, todo=todo)

    refuse(on > 1, 1.0, f"at most one of the columns of {name}")
    if effects and field.one_hot_base is None:
        todo = f"For effects coding, name the value of the rows with -1: one_hot_base of {name}."
        refuse(minus > 0, -1.0, f"0 or 1 in the columns of {name}", todo)
    known = frame.select(pl.sum_horizontal(e.is_not_null() for e in every)).to_series()
    refuse((minus > 0) & (minus < known), -1.0, f"-1 in all columns of {name}, or in none")
    base = minus == len(columns) if effects else (on == 0) & (known == len(columns))
    value = pl.when(pl.lit(base)).then(pl.lit(field.one_hot_base, dtype=pl.String))
    for number, column in enumerate(columns):
        value = pl.when(pl.col(f"{number}") == 1.0).then(pl.lit(field.one_hot[column])).otherwise(value)  # type: ignore[assignment]
    return frame.select(value.alias(name)).to_series()
