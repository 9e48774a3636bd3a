"""CSV as spreadsheets and shops write it: quotes, line ends of every system, and Excel's line ``sep=;``."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from kgrank.csv_cells import cell_text
from kgrank.errors import InputError
from kgrank.ingest.formats.grid import Content, Row, grid_table, head_names

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
    rows = _rows(path, text, separator, skipped)
    if header:
        return Content(grid_table(path, head_names(header, str(path)), rows))
    line, head = next(rows, (1, []))
    return Content(grid_table(path, head_names(head, f"{path}:{line}"), rows))


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
