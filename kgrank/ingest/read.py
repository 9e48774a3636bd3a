"""Files as tables of text, with the line of every row.

Everything is read as text: what a cell means is decided later, by the mapping and the ontology. An empty cell
is null. The column ``LINE`` holds the line in the file (CSV, JSON) or the row, from 1 (Parquet, xlsx).
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.cells.unicode import visible_column
from kgrank.ingest.cells.unknown import not_known
from kgrank.ingest.formats.csv_file import csv_table
from kgrank.ingest.formats.grid import UNNAMED, Content
from kgrank.ingest.formats.json_lines import json_lines_table, json_table
from kgrank.ingest.formats.parquet_file import parquet_table
from kgrank.ingest.formats.workbook import workbook_table
from kgrank.ingest.mapping import ENDINGS, Events, Format, Source
from kgrank.ingest.named import named_columns, named_words, reads_all
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE
from kgrank.unpacked import unpack_gzip

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, with which no UTF-8 begins, and their encodings; Excel's "Unicode text" begins so."""


def read_table(folder: Path, source: Source, rejects: Rejects) -> pl.DataFrame:
    """All rows of a file that the source's ``where`` lets through, as text.

    Rows without any cell go to the rejects; what else is not read is noted there.

    Raises:
        InputError: The file is missing, empty, in another encoding or damaged.
    """
    path = find(folder, source.file)
    content = _read(path, source)
    table = content.table.drop(source.leave_out, strict=False)
    rejects.notes += content.notes
    rejects.parts[path] = content.parts
    if not len(table):
        raise InputError("the file has no rows", where=path, expected="a head line and at least one row")
    data = [c for c in table.columns if c != LINE]
    table = table.with_columns(visible_column(table[c]) for c in data)
    table = table.with_columns(
        pl.when(~pl.col(c).is_in(list(source.missing))).then(pl.col(c)) for c in data if source.missing
    )
    table, notes = not_known(table, path, named_words(source))
    rejects.notes += notes
    table = _named(table, path, rejects)
    empty = pl.all_horizontal(pl.col(c).is_null() for c in table.columns if c != LINE)
    table = rejects.drop(table, empty, "empty row", path, id=LINE, cell=pl.lit("no cell"))
    if not len(table):
        raise InputError("the file has no rows", where=path, expected="at least one row with a cell")
    if source.where:
        table = table.filter(matches(table, source.where, path))
        if not len(table):
            rows = ", ".join(f"{c}: {' or '.join(words)}" for c, words in source.where.items())
            raise InputError(f"no row has {rows}", where=path, expected="some rows that `where` lets through")
    _note_unread(table, source, path, rejects)
    return table


def _named(table: pl.DataFrame, path: Path, rejects: Rejects) -> pl.DataFrame:
    """The columns that have a name; one without a name that has cells is noted."""
    unnamed = [c for c in table.columns if c.startswith(UNNAMED)]
    full = [c.removeprefix(UNNAMED) for c in unnamed if table[c].is_not_null().any()]
    if full:
        rejects.notes.append(
            f"{path.name}: left out, since the head line has no name for it: column {', '.join(full)}; "
            "to have it read, write a name"
        )
    return table.drop(unnamed)


def _note_unread(table: pl.DataFrame, source: Source, path: Path, rejects: Rejects) -> None:
    """Notes the columns with cells that neither this source reads nor another one of the same file."""
    named, parts = named_columns(source), rejects.parts[path]
    free = [c for c in table.columns if c != LINE and (c in parts or not reads_all(source))]
    unread = [c for c in free if c not in named and table[c].is_not_null().any()]
    before = rejects.unread.get(source.file, unread)
    if isinstance(source, Events):
        rejects.logs.add(source.file)
    rejects.unread[source.file] = [c for c in before if c in unread]


def read_lines(folder: Path, source: Source) -> pl.DataFrame:
    """A file's lines that are not blank, in the columns ``text`` and ``LINE``."""
    path = find(folder, source.file)
    text = _decode(path, _bytes(path, source), source.encoding)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    table = pl.DataFrame(
        {"text": lines, LINE: range(1, len(lines) + 1)}, schema={"text": pl.String, LINE: pl.Int64}
    )
    table = table.with_columns(visible_column(table["text"])).drop_nulls("text")
    if not len(table):
        raise InputError("the file has no rows", where=path, expected="one line a user: the user, then items")
    return table


def find(folder: Path, file: str) -> Path:
    """The path of a file in the data folder, which it cannot leave: a mapping may come from somebody else.

    Raises:
        InputError: There is no such file, or it is outside the folder.
    """
    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"the file {file!r} is outside the data folder",
            where=folder,
            expected="a path within it; `..`, absolute paths and links that lead out are not followed",
            todo="Copy the file into the folder, or load the folder above, and name its files from there.",
        )
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
            todo="Write `format: csv`, parquet, json, jsonl or xlsx in the mapping.",
        )
    return Format(ENDINGS[suffixes[-1].lower()])


def _bytes(path: Path, source: Source) -> bytes:
    data = unpack_gzip(path, source.unpacked) if path.suffix == ".gz" else path.read_bytes()
    if not data.strip():
        raise InputError("the file is empty", where=path, expected="a head line and at least one row")
    return data


def _decode(path: Path, data: bytes, encoding: str) -> str:
    """The text of a file; says at which line another encoding shows."""
    utf8 = encoding.lower().replace("-", "").replace("_", "") in ("utf8", "utf8sig")
    if utf8:
        encoding = next((name for mark, name in _MARKS if data.startswith(mark)), encoding)
        utf8 = not encoding.startswith("utf-16") and not encoding.startswith("utf-32")
    try:
        text = data.decode("utf-8-sig" if utf8 else encoding)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = max(data.count(b"\n", 0, start), data.count(b"\r", 0, start)) + 1
        raise InputError(
            f"not {encoding}: byte 0x{data[start]:02x}",
            where=f"{path}:{line}",
            expected=f"{encoding} text",
            todo="Save the file as UTF-8, or write its `encoding` in the mapping (utf-16, gb18030, cp1252, …).",
        ) from None
    except LookupError:
        raise InputError(
            f"unknown encoding {encoding!r}", where=path, expected="utf-8, gb18030, cp1252, …"
        ) from None
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise InputError(
            "a character with the number 0",
            where=f"{path}:{line}",
            expected=f"{encoding} text",
            todo="Save the file as UTF-8; if it is UTF-16, write `encoding: utf-16` in the mapping.",
        )
    return text


def _read(path: Path, source: Source) -> Content:
    form = _format(path, source)
    if form is Format.PARQUET:
        return parquet_table(path, source.unpacked)
    if form is Format.XLSX:
        return workbook_table(path, source.sheet, source.header, source.unpacked)
    text = _decode(path, _bytes(path, source), source.encoding)
    if form is Format.JSONL:
        return json_lines_table(path, text)
    if form is Format.JSON:
        return json_table(path, text)
    return csv_table(path, text, source.separator, source.header)
