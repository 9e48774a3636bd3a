"""JSON Lines: one object a line, its records as columns of their own, its lists in one cell."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from kgrank.documents import NestingError, load_json
from kgrank.errors import InputError
from kgrank.ingest.formats.grid import Content, head_names
from kgrank.ingest.rows import LINE, LIST
from kgrank.ontology.characters import visible

_RECORDS = "a list of records"
"""What stands for a cell that is one."""


class _RepeatedKeyError(ValueError):
    """A key that stands twice in one object."""


def json_table(path: Path, text: str) -> Content:
    """All rows as text, with their lines.

    The parts of a record ``{"price": {"value": 5}}`` are columns called ``price.value``.

    Raises:
        InputError: A line that is no JSON object, or a key that stands twice in one.
    """
    cells: dict[str, list[tuple[int, str]]] = {}
    lines: list[int] = []
    parts: dict[str, None] = {}
    left_out: dict[str, None] = {}
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if not line.strip():
            continue
        for name, cell in _cells(path, number, line, parts):
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
    return Content(table, records_left_out(path, list(left_out)), frozenset(map(visible, parts)))


def records_left_out(path: Path, names: list[str]) -> list[str]:
    """The note on columns whose cells are lists of records."""
    if not names:
        return []
    return [
        f"{path.name}: left out, since a list of records is no cell: {', '.join(names)}; "
        "to have them read, write each part as a column of its own"
    ]


def _cells(path: Path, number: int, line: str, parts: dict[str, None]) -> list[tuple[str, str | None]]:
    """The names and texts of the cells in a line."""
    try:
        cells = [(name, _text(value)) for name, value in _flat(_object(path, number, line), "", parts)]
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


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    """The object of a line; numbers stay as they are written, but 17.0 is 17, as in JSON itself."""
    try:
        value = load_json(
            line, parse_float=_without_zeros, parse_int=str, parse_constant=str, object_pairs_hook=_once
        )
    except _RepeatedKeyError as error:
        raise InputError(
            f"the key {error} stands twice", where=f"{path}:{number}", expected="each key once"
        ) from None
    except NestingError:
        raise RecursionError from None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InputError(
            f"not a JSON object: {line.strip()[:60]!r}",
            where=f"{path}:{number}",
            expected="one JSON object a line",
        )
    return value


def _without_zeros(number: str) -> str:
    return re.sub(r"^(-?\d+)\.0+$", r"\1", number)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _RepeatedKeyError(repr(next(key for key in keys if keys.count(key) > 1)))
    return members


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
