"""CSV as spreadsheets and shops write it: quotes, line ends of every system, and Excel's line ``sep=;``."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from kgrank.csv_cells import cell_text
from kgrank.errors import InputError
from kgrank.ingest.formats.grid import Content, Row, grid_table, head_names
from kgrank.ingest.rows import LINE

_HINT = re.compile(r'"?sep=(.|\\t)"?[;,\t]*\r?(?:\n|\r|$)', re.IGNORECASE)
"""The line in which Excel names the separator, before the head line."""

_ONE = "\x1f"
"""What stands for a separator of several characters while a row is read."""

_LONGEST = 10_000_000
"""Characters of the longest cell; a longer one is a quote that is opened and never closed."""


def csv_table(path: Path, text: str, separator: str | None, header: tuple[str, ...]) -> Content:
    """All rows as text, with the line at which each begins.

    Args:
        path: The file, for its messages.
        text: What it holds.
        separator: What the mapping says parts the cells.
        header: The columns' names where the file has no head line.

    Raises:
        InputError: A quote that is not closed, or a row of another width than the head line.
    """
    hint = _HINT.match(text)
    skipped = 0
    if hint:
        separator, skipped, text = separator or hint.group(1), 1, text[hint.end() :]
    separator = (separator or _usual(path)).replace("\\t", "\t")
    if len(separator) > 1:
        text, separator = text.replace(separator, _ONE), _ONE
    table = table_by_lines(path, text, separator, skipped, header)
    return Content(table_by_rows(path, text, separator, skipped, header) if table is None else table)


def table_by_lines(
    path: Path, text: str, separator: str, skipped: int, header: tuple[str, ...]
) -> pl.DataFrame | None:
    """What ``table_by_rows`` reads, in half the time; None unless each line is a row as wide as the head line.

    Raises:
        InputError: As of ``head_names``.
    """
    if '"' in text or separator in '"\r\n':
        return None
    lines = _filled_lines(text, separator, skipped)
    if header:
        names = head_names(header, str(path))
    elif lines.is_empty():
        return None
    else:
        head = lines.row(0, named=True)
        cells = [cell_text(cell) for cell in head["text"].split(separator)]
        names, lines = head_names(cells, f"{path}:{head[LINE]}"), lines[1:]
    if (lines["separators"] != len(names) - 1).any() or (lines["text"].str.len_chars() > _LONGEST).any():
        return None
    columns = lines["text"].str.split_exact(separator, len(names) - 1).struct.unnest()
    columns.columns = names
    return columns.with_columns(*map(_cell_texts, columns), lines[LINE])


def _filled_lines(text: str, separator: str, skipped: int) -> pl.DataFrame:
    """The lines of a text but blank ones, with their numbers and how many separators each has."""
    column = pl.Series("text", [text.replace("\r\n", "\n").replace("\r", "\n")], dtype=pl.String())
    lines = pl.DataFrame(column.str.split("\n").explode()).select(
        pl.int_range(skipped + 1, pl.len() + skipped + 1, dtype=pl.Int64).alias(LINE),
        "text",
        separators=pl.col("text").str.count_matches(separator, literal=True),
    )
    # What is white space is for Python to say, as where rows are read one by one.
    bare = lines.filter(pl.col("separators") == 0)
    blank = [line for line, cell in bare.select(LINE, "text").iter_rows() if not cell.strip()]
    return lines.filter(~pl.col(LINE).is_in(blank))


def _cell_texts(column: pl.Series) -> pl.Series:
    """The cells as ``cell_text`` has them."""
    if not column.str.starts_with("'").any():
        return column
    return pl.Series(column.name, map(cell_text, column), dtype=pl.String())


def table_by_rows(
    path: Path, text: str, separator: str, skipped: int, header: tuple[str, ...]
) -> pl.DataFrame:
    """All rows of a text with quotes as cells may have them.

    Raises:
        InputError: A quote that is not closed, or a row of another width than the head line.
    """
    rows = _rows(path, text, separator, skipped)
    if header:
        return grid_table(path, head_names(header, str(path)), rows)
    line, head = next(rows, (1, []))
    return grid_table(path, head_names(head, f"{path}:{line}"), rows)


def _usual(path: Path) -> str:
    return "\t" if ".tsv" in (suffix.lower() for suffix in path.suffixes) else ","


def _rows(path: Path, text: str, separator: str, skipped: int) -> Iterator[Row]:
    """The rows that are not blank lines, each with its first line."""
    csv.field_size_limit(_LONGEST)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        first = reader.line_num + skipped + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _damaged(path, first, str(error)) from None
        if cells is None:
            return
        if len(cells) > 1 or any(cell.strip() for cell in cells):
            yield first, [cell_text(cell) if cell.startswith("'") else cell for cell in cells]


def _damaged(path: Path, line: int, reason: str) -> InputError:
    """The error for a row whose quotes do not match."""
    if "unexpected end" in reason or "field larger" in reason:
        problem = "a double quote is opened in this row and never closed"
    else:
        problem = "a quoted cell goes on after its closing double quote"
    return InputError(
        problem,
        where=f"{path}:{line}",
        expected='quotes around a whole cell, and "" for each quote inside it',
        todo='Write "12"" pan" for 12" pan, or leave the quotes around the cell out.',
    )
