"""Sheets as an Excel workbook or as CSV files, written and read."""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kgrank.csv_cells import cell_text, safe_cell
from kgrank.errors import InputError
from kgrank.files import make_folder, write_bytes
from kgrank.ontology.tables.cell_hashes import SHEET
from kgrank.ontology.tables.pages import Page, cell_name, column_letters
from kgrank.unpacked import check_workbook

Cell = (
    str | float | int | bool | datetime.date | datetime.datetime | datetime.time | datetime.timedelta | None
)
Grid = list[list[Cell]]
_LONGEST = 32_767
"""Characters that Excel keeps in a cell."""

_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d*[1-9])?")
_SPARE_ROWS = 500
"""Rows below the last one that have drop-downs too, for what is added."""


def write_workbook(path: Path, pages: Sequence[Page], marks: Iterable[Sequence[str]]) -> None:
    """Writes one workbook with a hidden sheet of marks.

    Raises:
        InputError: A text is too long for a cell, the file cannot be written.
    """
    import xlsxwriter

    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, {"strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bottom": 1, "locked": False})
    grey = book.add_format({"font_color": "#808080", "italic": True})
    by_name = {p.name: p for p in pages}
    for page in pages:
        sheet = book.add_worksheet(page.name)
        _write_page(sheet, page, head, grey)
        _drop_downs(sheet, page, by_name)
    hidden = book.add_worksheet(SHEET)
    hidden.very_hidden()
    for number, row in enumerate(marks):
        hidden.write_row(number, 0, row)
    book.close()
    write_bytes(path, data.getvalue())


def _write_page(sheet: Any, page: Page, head: Any, grey: Any) -> None:
    for column, title in enumerate(page.heads):
        sheet.write_string(0, column, title.name, grey if title.grey else head)
        sheet.set_column(column, column, _width(page, column), grey if title.grey else None)
    sheet.freeze_panes(1, 1)
    for number, row in enumerate(page.rows, 1):
        for column, text in enumerate(row):
            if not text:
                continue
            _refuse_long(text, f"{page.name}!{cell_name(column, number)}")
            if page.heads[column].number and _PLAIN_NUMBER.fullmatch(text):
                sheet.write_number(number, column, float(text))
            else:
                sheet.write_string(number, column, text, grey if page.heads[column].grey else None)


def _refuse_long(text: str, where: str) -> None:
    if len(text) > _LONGEST:
        raise InputError(
            f"{len(text)} characters do not fit into a cell of Excel", where=where, todo="Export as CSV."
        )


def _width(page: Page, column: int) -> int:
    longest = max((len(r[column]) for r in page.rows[:200]), default=0)
    return max(len(page.heads[column].name) + 2, min(longest + 2, 40))


def _drop_downs(sheet: Any, page: Page, by_name: Mapping[str, Page]) -> None:
    last = len(page.rows) + _SPARE_ROWS
    for column, head in enumerate(page.heads):
        source: Any = list(head.choices)
        if head.of is not None:
            other = by_name[head.of]
            letters = column_letters(other.heads, "id")
            source = f"={head.of}!${letters}$2:${letters}${len(other.rows) + _SPARE_ROWS}"
        if source:
            # A cell with several names, or a new one, is no mistake: the list helps and never refuses.
            rule = {"validate": "list", "source": source, "show_error": False, "ignore_blank": True}
            sheet.data_validation(1, column, last, column, rule)


def read_workbook(path: Path) -> dict[str, Grid]:
    """The cells of all sheets.

    Raises:
        InputError: The file is no workbook, or too large.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    if not path.is_file():
        raise InputError("no such file", where=path)
    check_workbook(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        return {
            n: _square(book.get_sheet_by_name(n).to_python(skip_empty_area=False)) for n in book.sheet_names
        }
    except (CalamineError, OSError, ValueError) as error:
        raise InputError(f"this is not a workbook ({error})", where=path) from None


def write_sheet(path: Path, rows: Sequence[Sequence[str | float | None]]) -> None:
    """Writes rows, the heads first, as a workbook where the name ends with .xlsx, else as CSV.

    Texts that a spreadsheet would take for formulas stay texts.

    Raises:
        InputError: The file cannot be written, or a text is too long for a cell.
    """
    if path.suffix.lower() != ".xlsx":
        texts = [
            ["" if c is None else safe_cell(c) if isinstance(c, str) else f"{c:.15g}" for c in r]
            for r in rows
        ]
        _write_rows(path, texts)
        return
    import xlsxwriter

    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                _refuse_long(cell, cell_name(column, number))
                sheet.write_string(number, column, cell)
            elif cell is not None:
                sheet.write_number(number, column, cell)
    sheet.freeze_panes(1, 0)
    sheet.autofit()
    book.close()
    write_bytes(path, data.getvalue())


def read_sheet(path: Path) -> Grid:
    """The rows of a CSV file, or of the first sheet of a workbook.

    Raises:
        InputError: The file cannot be read.
    """
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return read_csv_file(path)
    return next(iter(read_workbook(path).values()), [])


def write_csv(folder: Path, pages: Iterable[Page], marks: Iterable[Sequence[str]]) -> None:
    """Writes one CSV file a sheet, in UTF-8 with the mark that Excel wants.

    Raises:
        InputError: A file cannot be written.
    """
    make_folder(folder)
    for page in pages:
        heads = [h.name for h in page.heads]
        _write_rows(
            folder / f"{page.name}.csv",
            [heads, *([safe_cell(text) for text in row] for row in page.rows)],
        )
    _write_rows(folder / f"{SHEET}.csv", marks)


def _write_rows(path: Path, rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    write_bytes(path, text.getvalue().encode("utf-8-sig"))


def read_csv(folder: Path) -> dict[str, Grid]:
    """The cells of all CSV files of a folder; commas, semicolons and tabs separate.

    Raises:
        InputError: There is no such folder, no CSV file, or one that is not UTF-8.
    """
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise InputError("no CSV file in this folder", where=folder, expected="rules.csv, categories.csv, …")
    return {path.stem: read_csv_file(path) for path in paths}


def read_csv_file(path: Path) -> Grid:
    """The cells of a CSV file; commas, semicolons and tabs separate.

    Raises:
        InputError: It cannot be read, or is not UTF-8.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from None
    except UnicodeDecodeError:
        raise InputError("the file is not UTF-8", where=path, todo="Save it as CSV UTF-8.") from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    csv.field_size_limit(10_000_000)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return _square([[cell_text(t) for t in row] for row in rows])


def _square(rows: Sequence[Sequence[Cell]]) -> Grid:
    width = max((len(r) for r in rows), default=0)
    return [[*r, *([None] * (width - len(r)))] for r in rows]
