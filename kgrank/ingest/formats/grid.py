"""Rows of cells under a head line, as a table of text: no cell is lost, no row has another width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.rows import LINE
from kgrank.ontology.characters import visible

UNNAMED = "\x00"
"""How the name of a column begins that has none in the head line; its number follows."""

_AT_ONCE = 100_000
"""Rows that are held as Python objects at a time."""


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Attributes:
        table: All rows as text, with their lines.
        notes: What is read otherwise than it is written, or not at all.
        parts: The columns that are parts of records, which are read where the mapping names them.
    """

    table: pl.DataFrame
    notes: list[str] = field(default_factory=list)
    parts: frozenset[str] = frozenset()


Row = tuple[int, Sequence[str | None]]
"""The line at which a row begins, and its cells."""


def head_names(cells: Sequence[str | None], where: str) -> list[str]:
    """The names in a head line, those without a letter numbered.

    Raises:
        InputError: A name stands twice.
    """
    names = [visible(cell or "") or f"{UNNAMED}{n}" for n, cell in enumerate(cells, 1)]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"the column {name!r} stands twice", where=where, expected="each column once")
        if name == LINE:
            raise InputError(f"a column is called {LINE}", where=where, expected="another name")
    return names


def grid_table(path: Path, names: Sequence[str], rows: Iterable[Row]) -> pl.DataFrame:
    """The rows as text, with their lines; cells that a row has too many or too few must be empty and unnamed.

    Raises:
        InputError: A row has more or fewer cells than the head line.
    """
    named = max((n for n, name in enumerate(names, 1) if not name.startswith(UNNAMED)), default=0)
    schema = {**dict.fromkeys(names, pl.String()), LINE: pl.Int64()}
    whole = (_whole(path, row, len(names), named) for row in rows)
    tables = [pl.DataFrame(schema=schema)]
    while chunk := list(islice(whole, _AT_ONCE)):
        tables.append(pl.DataFrame(list(zip(*chunk, strict=True)), schema=schema, orient="col"))
    return pl.concat(tables)


def _whole(path: Path, row: Row, width: int, named: int) -> tuple[str | int | None, ...]:
    """A row in the width of the head line, then its line."""
    line, cells = row
    if len(cells) == width:
        return (*cells, line)
    if len(cells) < named:
        raise InputError(
            f"{_count(len(cells))}, in the row {_shown(cells)}",
            where=f"{path}:{line}",
            expected=f"{width}, as in the head line",
            todo="Put cells that hold a line end in double quotes, and write empty cells too.",
        )
    if any((cell or "").strip() for cell in cells[width:]):
        raise InputError(
            _count(len(cells)),
            where=f"{path}:{line}",
            expected=f"{width}, as in the head line",
            todo="Put cells that hold the separator in double quotes.",
        )
    return (*cells[:width], *[None] * (width - len(cells)), line)


def _count(cells: int) -> str:
    return f"{cells} cell{'' if cells == 1 else 's'}"


def _shown(cells: Sequence[str | None]) -> str:
    text = " ".join(cell or "" for cell in cells)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
