"""What a sheet was exported from: a mark of every cell, so that an edit can be distinguished from an old text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from kgrank.errors import InputError
from kgrank.ontology.tables.table import Key, Tables

FORMAT = "kgrank-tables/1"
SHEET = "kgrank"
"""The hidden sheet."""


@dataclass(frozen=True)
class CellHashes:
    """The marks of cells by sheet, key and column; the file of each thing; the short names."""

    cells: Mapping[tuple[str, Key], Mapping[str, str]] = field(default_factory=dict)
    files: Mapping[tuple[str, Key], str] = field(default_factory=dict)
    prefixes: Mapping[str, str] = field(default_factory=dict)


def cell_hash(text: str) -> str:
    """The mark of one text."""
    return f"{crc32(_plain(text).encode()):x}" if text else "-"


def same(first: str, second: str) -> bool:
    """Whether two texts of a cell mean the same; a spreadsheet writes 0.90 as 0.9."""
    return first == second or _plain(first) == _plain(second)


def hash_rows(
    tables: Tables, files: Mapping[tuple[str, Key], str], prefixes: Mapping[str, str]
) -> Iterator[list[str]]:
    """A hash of each exported cell, as the rows of the hidden sheet."""
    yield ["format", FORMAT, "", "", ""]
    for name, iri in prefixes.items():
        yield ["prefix", name, iri, "", ""]
    for sheet, rows in tables.rows.items():
        columns = tables.columns(sheet)
        yield ["columns", sheet, "|".join(columns), "", ""]
        for key, row in rows.items():
            cells = " ".join(cell_hash(row.get(c, "")) for c in columns)
            yield [sheet, key[0], key[1] if len(key) > 1 else "", files.get((sheet, key), ""), cells]


def read_hashes(rows: Sequence[Sequence[str]], where: object) -> CellHashes:
    """The hidden sheet as it was written.

    Raises:
        InputError: It is of another format.
    """
    if not rows or list(rows[0][:2]) != ["format", FORMAT]:
        raise InputError(f"the sheet {SHEET} is of another format", where=where, expected=FORMAT)
    cells: dict[tuple[str, Key], dict[str, str]] = {}
    files: dict[tuple[str, Key], str] = {}
    prefixes: dict[str, str] = {}
    columns: dict[str, list[str]] = {}
    for first, second, third, file, hashes in rows[1:]:
        if first == "prefix":
            prefixes[second] = third
        elif first == "columns":
            columns[second] = third.split("|")
        else:
            key = (second, third) if third else (second,)
            cells[first, key] = dict(zip(columns[first], hashes.split(" "), strict=False))
            files[first, key] = file
    return CellHashes(cells, files, prefixes)


def _plain(text: str) -> str:
    try:
        return f"{float(text):.15g}"
    except ValueError:
        return text
