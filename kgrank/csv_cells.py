"""Cells of CSV files that a spreadsheet does not take for formulas, and their values again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from kgrank.files import write_file

if TYPE_CHECKING:
    import polars as pl

FORMULA = r"^'*(?: *[\t\r\n]|\s*[=+\-@＝＋－＠])"
"""How a text begins that a spreadsheet may run, perhaps behind apostrophes of its own."""

NUMBER = r"^'* *[+-]?(?:[0-9]+(?:[.,][0-9]+)*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s*%?$"
"""A number, which is one in a spreadsheet too."""

_FORMULA, _NUMBER = re.compile(FORMULA), re.compile(NUMBER)


def safe_cell(text: str) -> str:
    """A text as a cell: behind an apostrophe where a spreadsheet would take it for a formula."""
    return f"'{text}" if _is_formula(text) else text


def cell_text(cell: str) -> str:
    """The text of a cell that ``safe_cell`` has written; any other cell is its own text."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def write_csv(path: Path, table: pl.DataFrame) -> None:
    """Writes a table as CSV whose texts and column names are safe in a spreadsheet; numbers stay numbers.

    Raises:
        InputError: The file cannot be written.
    """
    import polars as pl

    text = pl.col(pl.String)
    risky = text.str.contains(FORMULA) & ~text.str.contains(NUMBER)
    table = table.with_columns(pl.when(risky).then(pl.lit("'") + text).otherwise(text).name.keep())
    table = table.rename({name: safe_cell(name) for name in table.columns})
    write_file(path, table.write_csv)


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.match(text) is None
