"""JSON: an object is a row, the records in it are columns of their own, its lists stand in one cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.formats.grid import Content, head_names
from kgrank.ingest.formats.json_records import Record, document_records, line_records
from kgrank.ingest.rows import LINE, LIST
from kgrank.ontology.characters import visible

_RECORDS = "a list of records"
"""What stands for a cell that is one."""


def json_lines_table(path: Path, text: str) -> Content:
    """All rows of a file with one object a line; a list of objects is read too.

    Raises:
        InputError: A line that is no JSON object, or a key that stands twice in one.
    """
    if text.lstrip().startswith("["):
        return json_table(path, text)
    return _table(path, line_records(path, text), [])


def json_table(path: Path, text: str) -> Content:
    """All rows of a file with a list of objects, or with an object that has one.

    Raises:
        InputError: It is no JSON, or has no such list or two of them, or a key stands twice in an object.
    """
    notes: list[str] = []
    return _table(path, document_records(path, text, notes), notes)


def _table(path: Path, records: Iterable[Record], notes: list[str]) -> Content:
    """All rows as text, with their lines.

    The parts of a record ``{"price": {"value": 5}}`` are columns called ``price.value``.
    """
    cells: dict[str, list[tuple[int, str]]] = {}
    lines: list[int] = []
    parts: dict[str, None] = {}
    left_out: dict[str, None] = {}
    for number, record in records:
        for name, cell in _cells(path, number, record, parts):
            column = cells.setdefault(name, [])
            if cell is _RECORDS:
                left_out[name] = None
            elif column and column[-1][0] == len(lines):
                raise InputError(
                    f"two cells for {name!r}", where=f"{path}:{number}", expected="each name once"
                )
            elif cell is not None:
                column.append((len(lines), cell))
        lines.append(number)
    names = head_names(list(cells), str(path))
    columns = [
        pl.Series(name, _column(pairs, len(lines)), pl.String)
        for name, (key, pairs) in zip(names, cells.items(), strict=True)
        if pairs or key not in left_out
    ]
    table = pl.DataFrame([*columns, pl.Series(LINE, lines, pl.Int64)])
    return Content(table, [*notes, *records_left_out(path, list(left_out))], frozenset(map(visible, parts)))


def records_left_out(path: Path, names: list[str]) -> list[str]:
    """The note on columns whose cells are lists of records."""
    if not names:
        return []
    return [
        f"{path.name}: left out, since a list of records is no cell: {', '.join(names)}; "
        "to have them read, write each part as a column of its own"
    ]


def _cells(
    path: Path, number: int, record: dict[str, Any], parts: dict[str, None]
) -> list[tuple[str, str | None]]:
    """The names and texts of the cells in a record."""
    try:
        cells = [(name, _text(value)) for name, value in _flat(record, "", parts)]
    except RecursionError:
        raise InputError(
            "an object with too many others inside each other",
            where=f"{path}:{number}",
            expected="a flat object",
        ) from None
    half = next((text for cell in cells for text in cell if text is not None and not _whole(text)), None)
    if half is not None:
        raise InputError(f"half a character in {half!r}", where=f"{path}:{number}", expected="Unicode text")
    return cells


def _flat(record: dict[str, Any], above: str, parts: dict[str, None]) -> Iterator[tuple[str, Any]]:
    """The cells of a record, those of records in it under the names of both."""
    for key, value in record.items():
        name = f"{above}{key}"
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.", parts)
        else:
            if above:
                parts[name] = None
            yield name, value


def _text(value: Any) -> str | None:
    """A cell as text; ``_RECORDS`` for a list with records in it."""
    if isinstance(value, list):
        members = list(_members(value))
        if any(isinstance(member, dict) for member in members):
            return _RECORDS
        return LIST.join(text for member in members if (text := visible(_text(member) or "")))
    if isinstance(value, bool):
        return "true" if value else "false"
    return value  # type: ignore[no-any-return]


def _members(values: list[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _members(value)
        else:
            yield value


def _column(pairs: list[tuple[int, str]], rows: int) -> list[str | None]:
    column: list[str | None] = [None] * rows
    for row, text in pairs:
        column[row] = text
    return column


def _whole(text: str) -> bool:
    """Whether a text has no half of a pair of surrogates."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
