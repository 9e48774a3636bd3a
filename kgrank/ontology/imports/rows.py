"""Reading the files that other systems write."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from kgrank.errors import InputError, did_you_mean
from kgrank.ontology.tables.files import read_sheet
from kgrank.ontology.tables.incoming import cell_text


def read_text(path: Path) -> str:
    """The text of a UTF-8 file.

    Raises:
        InputError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=path) from None
    except UnicodeDecodeError:
        raise InputError("the file is not UTF-8", where=path, todo="Save it as UTF-8.") from None


def read_rows(path: Path, needed: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """The rows of a CSV file, or of a workbook's first sheet, by column, each with its place ``file:line``.

    The separator of CSV is the most frequent of comma, semicolon and tab in the first line.

    Raises:
        InputError: It cannot be read, or a needed column is missing.
    """
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return _workbook_rows(path, needed)
    text = read_text(path)
    first = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    heads = [h.strip() for h in reader.fieldnames or ()]
    _require(needed, heads, path)
    return [
        (
            f"{path}:{reader.line_num}",
            {k.strip(): (v or "").strip() for k, v in row.items() if isinstance(v, str | None) and k},
        )
        for row in reader
    ]


def _workbook_rows(path: Path, needed: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    grid = [[cell_text(c) for c in row] for row in read_sheet(path)]
    heads = grid[0] if grid else []
    _require(needed, heads, path)
    return [
        (f"{path}:{number}", {head: text for head, text in zip(heads, row, strict=False) if head})
        for number, row in enumerate(grid[1:], 2)
        if any(row)
    ]


def _require(needed: Sequence[str], heads: Sequence[str], path: Path) -> None:
    for column in needed:
        if column not in heads:
            raise InputError(
                f"there is no column {column}", where=f"{path}:1", todo=did_you_mean(column, heads)
            )
