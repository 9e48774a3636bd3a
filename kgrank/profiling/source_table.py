"""A file as a table whose columns nobody has named yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.cells.unknown import IN_NUMBERS
from kgrank.ingest.mapping import Source
from kgrank.ingest.read import read_table
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE
from kgrank.profiling.doubts import Doubt, Weight, first_few
from kgrank.profiling.file_format import sniff

_ONE_AND_LINE = 2
"""Columns of a table with one column and the numbers of its lines."""

NOT_KNOWN = (IN_NUMBERS - {"none", "nil"}) | {
    "n.a.",
    "n. a.",
    "k.a.",
    "k. a.",
    "keine angabe",
    "unbekannt",
    "unknown",
    "not available",
    "not specified",
    "non renseigné",
    "inconnu",
    "s/o",
    "sin datos",
    "desconocido",
    "未知",
    "暂无",
    "不详",
    "不明",
}
"""Words that mean in a column of words, too, that a value is not known; ``none`` can be a value there."""


@dataclass(frozen=True)
class SourceTable:
    """A file's rows as text, and how it was read."""

    folder: Path
    source: Source
    rows: pl.DataFrame

    @property
    def file(self) -> str:
        """The file, relative to the data folder."""
        return self.source.file

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / self.source.file

    @property
    def heads(self) -> list[str]:
        """The names of its columns."""
        return [c for c in self.rows.columns if c != LINE]

    def cells(self, head: str) -> pl.Series:
        """The known cells of a column."""
        return self.rows[head].drop_nulls()

    def filled(self, head: str) -> float:
        """Share of rows that have a cell in a column."""
        return self.rows[head].count() / len(self.rows)


def read_source(folder: Path, file: str) -> tuple[SourceTable, list[Doubt]]:
    """A file in its encoding and with its separator, without the words that mean: not known.

    Raises:
        InputError: The file cannot be read as a table.
    """
    source, doubts = sniff(folder, file)
    rejects = Rejects()
    rows = read_table(folder, source, rejects)
    unnamed = any("the head line has no name" in note for note in rejects.notes)
    if unnamed and len(rows.columns) == _ONE_AND_LINE:
        raise InputError(
            f"the first line names one column only, {rows.columns[0]!r}",
            where=folder / file,
            expected="a head line with a name for each column",
            todo="Delete the lines above the head line.",
        )
    missing, counts = [], 0
    for head in (c for c in rows.columns if c != LINE):
        cells = rows[head].drop_nulls()
        odd = cells.filter(cells.str.to_lowercase().is_in(sorted(NOT_KNOWN)))
        # A column of nothing else holds marks that mean something, or nothing to read.
        if len(odd) and len(odd) < len(cells):
            missing += odd.unique().to_list()
            counts += len(odd)
    if missing:
        words = tuple(sorted(set(missing)))
        source = replace(source, missing=words)
        shown = ", ".join(f"“{w}”" for w in words)
        doubts.append(
            Doubt(
                Weight.DETAIL,
                file,
                "",
                f"Cells that hold only {shown} are read as not known.",
                counts,
                first_few(words),
                "If one of them is a value, take it out of `missing` in mapping.yaml.",
            )
        )
        rows = rows.with_columns(
            pl.when(~pl.col(c).is_in(list(words))).then(pl.col(c)) for c in rows.columns if c != LINE
        )
    return SourceTable(folder, source, rows), doubts


def written_as(source: Source) -> dict[str, Any]:
    """How a file is written, as arguments of the source that reads it."""
    return {
        "file": source.file,
        "separator": source.separator,
        "encoding": source.encoding,
        "missing": source.missing,
    }
