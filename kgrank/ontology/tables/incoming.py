"""The rows of sheets that somebody edited, each cell with its address."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from kgrank.errors import InputError, did_you_mean
from kgrank.ontology.tables.cell_hashes import SHEET, CellHashes, read_hashes
from kgrank.ontology.tables.columns import LABEL, SAYS
from kgrank.ontology.tables.files import Cell, Grid
from kgrank.ontology.tables.pages import cell_name
from kgrank.ontology.tables.table import APPLIES, APPLIES_COLUMNS, Key, Tables

_SPOKEN = re.compile(r"(?:name|synonyms|because|title)\.([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)")
_DATES = frozenset({"on", "modified"})
_NAMES = ("rules", "categories", APPLIES, "attributes", "values", "others", "ontology")


@dataclass(frozen=True)
class IncomingRow:
    """One row: its sheet, its key, the texts of the columns that the sheet has, and their locations."""

    sheet: str
    key: Key
    cells: Mapping[str, str]
    locations: Mapping[str, str]

    def location(self, column: str) -> str:
        """The address of a cell, ``rules!K12``; of the row's first cell where the column is not there."""
        return self.locations.get(column) or next(iter(self.locations.values()))


@dataclass(frozen=True)
class Incoming:
    """All rows, the marks of the export, and the languages of the columns."""

    rows: tuple[IncomingRow, ...]
    marks: CellHashes | None
    languages: tuple[str, ...]


def read_incoming(grids: Mapping[str, Grid], where: object) -> Incoming:
    """The rows of the sheets that are there; every sheet and every column may be missing.

    Raises:
        InputError: A sheet or column is not known, a cell holds a date where none belongs, an id is missing or
            occurs twice.
    """
    hidden = grids.get(SHEET)
    marks = None
    if hidden is not None:
        marks = read_hashes([[cell_text(c) for c in row] for row in hidden], where)
    languages: dict[str, None] = {}
    rows: list[IncomingRow] = []
    for name, grid in grids.items():
        if name == SHEET or not grid:
            continue
        if name not in _NAMES:
            raise InputError(f"there is no sheet called {name}", where=where, todo=did_you_mean(name, _NAMES))
        heads = [cell_text(c) for c in grid[0]]
        languages.update({m.group(1): None for h in heads if (m := _SPOKEN.fullmatch(h))})
        rows += _rows(name, heads, grid, where)
    return Incoming(tuple(rows), marks, tuple(languages))


def cell_text(cell: Cell) -> str:
    """What a cell shows."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.15g}"
    if isinstance(cell, datetime.datetime | datetime.date):
        return cell.isoformat()[:10]
    return str(cell).strip()


def _rows(name: str, heads: list[str], grid: Grid, where: object) -> list[IncomingRow]:
    keys = ("category", "attribute") if name == APPLIES else ("id",)
    columns = _columns(name, heads, keys, where)
    seen: dict[Key, str] = {}
    rows = []
    for number, row in enumerate(grid[1:], 1):
        cells, locations = {}, {}
        for column, head in columns:
            location = f"{name}!{cell_name(column, number)}"
            cells[head] = _checked(row[column], head, location)
            locations[head] = location
        if not any(cells.values()):
            continue
        key = tuple(cells.pop(k) for k in keys)
        if not all(key):
            raise InputError(f"this row has no {keys[key.index('')]}", where=locations[keys[key.index("")]])
        if key in seen:
            raise InputError(
                f"{' '.join(key)} stands in two rows, first in {seen[key]}", where=locations[keys[0]]
            )
        seen[key] = locations[keys[0]]
        rows.append(IncomingRow(name, key, cells, locations))
    return rows


def _columns(name: str, heads: list[str], keys: tuple[str, ...], where: object) -> list[tuple[int, str]]:
    """The columns to read, those of the key first; grey ones are left out."""
    languages = tuple({m.group(1) for h in heads if (m := _SPOKEN.fullmatch(h))})
    known = APPLIES_COLUMNS if name == APPLIES else Tables(languages).columns(name)
    columns = []
    for index, head in enumerate(heads):
        if not head or head == SAYS or head.endswith(LABEL):
            continue
        if head not in known and head not in keys:
            raise InputError(
                f"there is no column called {head}",
                where=f"{name}!{cell_name(index, 0)}",
                todo=did_you_mean(head, [*known, *keys]),
            )
        columns.append((index, head))
    for key in keys:
        if key not in heads:
            raise InputError(f"the sheet {name} has no column {key}", where=where)
    first: Callable[[tuple[int, str]], bool] = lambda c: c[1] not in keys  # noqa: E731
    return sorted(columns, key=first)


def _checked(cell: Cell, head: str, location: str) -> str:
    if isinstance(cell, datetime.time | datetime.timedelta) or (
        isinstance(cell, datetime.date) and head not in _DATES
    ):
        raise InputError(
            f"the spreadsheet made a date of this cell ({cell_text(cast(Cell, cell))})",
            where=location,
            todo="Format the column as text and type the code again.",
        )
    return cell_text(cell)
