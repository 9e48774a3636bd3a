"""Files as tables of text, with the line of every row.

Everything is read as text: what a cell means is decided later, by the mapping and the ontology. An empty cell
is null. The column ``LINE`` holds the line in the file (CSV, JSON Lines) or the row, from 1 (Parquet).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.mapping import ENDINGS, Format, Source

LINE = "__line__"
"""The column with the line of each row in its file."""

FILE = "__file__"
"""The column that says which file a row is from, where rows of several files meet."""

LIST = "|"
"""What joins the members of a list in one cell of a Parquet or JSON file."""


def read_table(folder: Path, source: Source) -> pl.DataFrame:
    """All rows of a file that the source's ``where`` lets through, as text.

    Raises:
        InputError: The file is missing, empty, in another encoding or damaged.
    """
    path = find(folder, source.file)
    table = _READERS[_format(path, source)](path, source)
    if not len(table):
        raise InputError("the file has no rows", where=path, expected="a head line and at least one row")
    data = [c for c in table.columns if c != LINE]
    text = [pl.col(c).cast(pl.String).str.strip_chars() for c in data]
    table = table.with_columns(text)
    unknown = ["", *source.missing]
    table = table.with_columns(
        pl.when(pl.col(c).is_in(unknown)).then(None).otherwise(pl.col(c)).alias(c) for c in data
    )
    if source.where:
        table = table.filter(matches(table, source.where, path))
        if not len(table):
            rows = ", ".join(f"{c}: {' or '.join(words)}" for c, words in source.where.items())
            raise InputError(f"no row has {rows}", where=path, expected="some rows that `where` lets through")
    return table


def read_lines(folder: Path, source: Source) -> pl.DataFrame:
    """A file's lines that are not blank, in the columns ``text`` and ``LINE``."""
    path = find(folder, source.file)
    lines = _decode(path, _bytes(path), source.encoding).splitlines()
    table = pl.DataFrame(
        {"text": lines, LINE: range(1, len(lines) + 1)}, schema={"text": pl.String, LINE: pl.Int64}
    )
    table = table.with_columns(pl.col("text").str.strip_chars()).filter(pl.col("text") != "")
    if not len(table):
        raise InputError("the file has no rows", where=path, expected="one line a user: the user, then items")
    return table


def find(folder: Path, file: str) -> Path:
    """The path of a file in the data folder."""
    path = folder / file
    if not path.is_file():
        beside = sorted(f.name for f in folder.iterdir() if f.is_file()) if folder.is_dir() else []
        shown = ", ".join(beside[:12]) or "no file"
        raise InputError(f"there is no file {file}", where=folder, todo=f"The folder has {shown}.")
    return path


def matches(table: pl.DataFrame, rows: Any, path: Path) -> pl.Expr:
    """Whether a row has one of the given words in each of the given columns; numbers compare as numbers."""
    test = pl.lit(True)
    for column, words in rows.items():
        require(table, column, path)
        cell = pl.col(column)
        hit = cell.is_in(list(words))
        numbers = [n for n in map(_number, words) if n is not None]
        if numbers:
            hit = hit | cell.cast(pl.Float64, strict=False).is_in(numbers)
        test = test & hit.fill_null(False)
    return test


def require(table: pl.DataFrame, column: str, path: Path) -> str:
    """The column's name, if the table has it."""
    if column not in table.columns:
        columns = [c for c in table.columns if c != LINE]
        if len(columns) == 1:
            other = next((s for s in (";", "\t", "|", ",") if s in columns[0]), None)
            if other is not None:
                raise InputError(
                    f"the whole head line is one column, {columns[0]!r}",
                    where=path,
                    expected=f"a column {column!r}",
                    todo=f'Write `separator: "{other}"` in the mapping.'.replace("\t", "\\t"),
                )
        raise InputError(
            f"there is no column {column!r}",
            where=path,
            expected=f"one of {', '.join(columns)}",
            todo=f"Name the column in the mapping (kgrank help file-schemas). {_near(column, columns)}".strip(),
        )
    return column


def _near(column: str, columns: list[str]) -> str:
    same = [c for c in columns if c.casefold() == column.casefold()]
    return f"Did you mean {same[0]}?" if same else ""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _format(path: Path, source: Source) -> Format:
    if source.format is not None:
        return source.format
    suffixes = [s for s in path.suffixes if s != ".gz"]
    if not suffixes or suffixes[-1].lower() not in ENDINGS:
        raise InputError(
            f"the ending of {path.name} says no format",
            where=path,
            expected=" ".join(ENDINGS),
            todo="Write `format: csv`, parquet or jsonl in the mapping.",
        )
    return Format(ENDINGS[suffixes[-1].lower()])


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, ValueError) as error:
            raise InputError(f"not a whole gzip file: {error}", where=path) from None
    if not data.strip():
        raise InputError("the file is empty", where=path, expected="a head line and at least one row")
    return data


def _decode(path: Path, data: bytes, encoding: str) -> str:
    """The text of a file; says at which line another encoding shows."""
    try:
        return data.decode("utf-8-sig" if encoding.lower().replace("-", "") == "utf8" else encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"not {encoding}: byte 0x{data[error.start]:02x}",
            where=f"{path}:{line}",
            expected=f"{encoding} text",
            todo="Save the file as UTF-8, or write its `encoding` in the mapping (gb18030, cp1252, …).",
        ) from None
    except LookupError:
        raise InputError(
            f"unknown encoding {encoding!r}", where=path, expected="utf-8, gb18030, cp1252, …"
        ) from None


def _csv(path: Path, source: Source) -> pl.DataFrame:
    data, separator = _bytes(path), source.separator or ("\t" if ".tsv" in path.suffixes else ",")
    separator = separator.replace("\\t", "\t")
    if source.encoding.lower() not in ("utf-8", "utf8"):
        data = _decode(path, data, source.encoding).encode()
    if len(separator) > 1:
        data, separator = data.replace(separator.encode(), b"\x1f"), "\x1f"
    try:
        table = pl.read_csv(
            data,
            separator=separator,
            has_header=not source.header,
            new_columns=list(source.header) or None,
            infer_schema=False,
        )
    except (pl.exceptions.PolarsError, ValueError) as error:
        text = _decode(path, data, "utf-8")
        raise _damaged(path, text, separator, str(error)) from None
    if any("_duplicated_" in c for c in table.columns):
        twice = next(c for c in table.columns if "_duplicated_" in c).split("_duplicated_")[0]
        raise InputError(f"the column {twice!r} stands twice", where=f"{path}:1", expected="each column once")
    return table.with_columns(_lines(table, 1 if source.header else 2))


def _lines(table: pl.DataFrame, first: int) -> pl.Expr:
    """The line at which each row begins: line ends inside quoted cells count."""
    inside = pl.sum_horizontal(pl.col(c).str.count_matches("\n").fill_null(0) for c in table.columns)
    return (
        (pl.int_range(pl.len(), dtype=pl.Int64) + first + inside.cum_sum().shift(1, fill_value=0))
        .cast(pl.Int64)
        .alias(LINE)
    )


def _damaged(path: Path, text: str, separator: str, reason: str) -> InputError:
    """The error for a table that polars refuses, with the first row of another width."""
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    width = len(next(rows, []))
    for row in rows:
        if len(row) > width:
            return InputError(
                f"{len(row)} cells",
                where=f"{path}:{rows.line_num}",
                expected=f"{width}, as in the head line",
                todo="Put cells that hold the separator in double quotes.",
            )
    return InputError(f"the table cannot be read: {reason.splitlines()[0]}", where=path)


def _parquet(path: Path, source: Source) -> pl.DataFrame:
    try:
        table = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"not a whole Parquet file: {reason}", where=path) from None
    return _flat(table)


def _jsonl(path: Path, source: Source) -> pl.DataFrame:
    text = _decode(path, _bytes(path), source.encoding)
    try:
        table = pl.read_ndjson(io.StringIO(text), infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        for number, line in enumerate(text.splitlines(), 1):
            try:
                fine = isinstance(json.loads(line or "{}"), dict)
            except ValueError:
                fine = False
            if not fine:
                raise InputError(
                    f"not a JSON object: {line[:60]!r}",
                    where=f"{path}:{number}",
                    expected="one JSON object a line",
                ) from None
        raise InputError(f"the file cannot be read: {str(error).splitlines()[0]}", where=path) from None
    return _flat(table)


def _flat(table: pl.DataFrame) -> pl.DataFrame:
    """Every column as text: lists joined, times in UTC; records and bytes are left out, they are no text."""
    columns = []
    for name, kind in table.schema.items():
        cell = pl.col(name)
        if isinstance(kind, pl.List):
            while isinstance(kind.inner, pl.List):
                kind, cell = kind.inner, cell.list.eval(pl.element().explode())
            if not kind.inner.is_nested():
                columns.append(cell.cast(pl.List(pl.String)).list.join(LIST, ignore_nulls=True))
        elif isinstance(kind, pl.Datetime):
            zoned = cell if kind.time_zone else cell.dt.replace_time_zone("UTC")
            columns.append(zoned.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
        elif not kind.is_nested() and kind != pl.Binary:
            columns.append(cell.cast(pl.String))
    return table.select(*columns, pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(LINE))


_READERS = {Format.CSV: _csv, Format.PARQUET: _parquet, Format.JSONL: _jsonl}
