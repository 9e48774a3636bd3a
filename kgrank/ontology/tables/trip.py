"""Export and import: what was edited in a sheet, and only that, goes into the Turtle files.

Every cell is compared with what the folder says now and with the mark of what it said at the export. A cell that
nobody edited leaves the folder as it is, also where the folder has changed since; a cell that was edited on both
sides is a conflict. What a sheet leaves out stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from kgrank.errors import InputError
from kgrank.files import make_folder, write_text
from kgrank.ontology.blocks import Block
from kgrank.ontology.check.folder import examine
from kgrank.ontology.check.pause import uncollected
from kgrank.ontology.tables.cell_hashes import cell_hash, hash_rows, same
from kgrank.ontology.tables.files import Grid, read_csv, read_workbook, write_csv, write_workbook
from kgrank.ontology.tables.folder import Source, open_source
from kgrank.ontology.tables.incoming import Incoming, IncomingRow, read_incoming
from kgrank.ontology.tables.names import Names
from kgrank.ontology.tables.pages import labels_of, pages, sentences_of
from kgrank.ontology.tables.placing import errors_brought_in, texts_with
from kgrank.ontology.tables.table import APPLIES, Builder, CellError, Key, Tables
from kgrank.ontology.turtle import tidy
from kgrank.ontology.vocabulary import Kind

Side = Literal["sheet", "folder"]
_KINDS: Mapping[str, tuple[Kind, ...]] = {
    "rules": (Kind.RULE,),
    "categories": (Kind.CATEGORY,),
    APPLIES: (Kind.CATEGORY, Kind.ATTRIBUTE),
    "attributes": (Kind.ATTRIBUTE,),
    "values": (Kind.VALUE,),
}


@dataclass(frozen=True)
class Conflict:
    """A cell that was edited in the sheet and, since the export, in the folder."""

    cell: str
    id: str
    column: str
    sheet: str
    folder: str

    def sentence(self) -> str:
        """The conflict in one line."""
        return (
            f"{self.cell}: {self.column} of {self.id} is {self.sheet or 'empty'!r} in the sheet "
            f"and has become {self.folder or 'empty'!r} in the folder"
        )


@dataclass(frozen=True)
class Outcome:
    """What an import found; ``texts`` are the files that would change."""

    texts: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    refused: tuple[str, ...] = ()
    """Mistakes that the edits would bring in, each with its cell."""


@uncollected()
def export(folder: Path, *, workbook: Path | None = None, csv_folder: Path | None = None) -> dict[str, int]:
    """Writes the sheets of a folder; answers with the number of rows of each.

    Raises:
        InputError: A file is no Turtle, or the sheets cannot be written.
    """
    source = open_source(folder)
    if not source.texts:
        examine(folder)
    names = source.names()
    tables = source.tables(names)
    says = sentences_of(examine(folder).ontology, names)
    shown = list(pages(tables, labels_of(source.blocks, names), says))
    marks = list(hash_rows(tables, source.files(tables, names), names.prefixes))
    if workbook is not None:
        write_workbook(workbook, shown, marks)
    if csv_folder is not None:
        write_csv(csv_folder, shown, marks)
    return {page.name: len(page.rows) for page in shown}


def read_sheets(*, workbook: Path | None = None, csv_folder: Path | None = None) -> Incoming:
    """The rows of a workbook or of a folder of CSV files.

    Raises:
        InputError: They cannot be read; the cell is named.
    """
    where: Path | None = workbook or csv_folder
    grids: dict[str, Grid] = {}
    if workbook is not None:
        grids = read_workbook(workbook)
    elif csv_folder is not None:
        grids = read_csv(csv_folder)
    return read_incoming(grids, where)


@uncollected()
def plan_import(incoming: Incoming, folder: Path, take: Side | None = None) -> Outcome:
    """What the files of a folder become; nothing is written.

    Args:
        incoming: The rows.
        folder: The ontology; may be empty or not there.
        take: Which side wins where both were edited; without it conflicts are only named.

    Raises:
        InputError: A cell cannot be read; the cell is named.
    """
    source = open_source(folder)
    names = source.names(incoming.marks.prefixes if incoming.marks else None)
    tables = source.tables(names, incoming.languages)
    incoming = replace(incoming, rows=tuple(_named(row, names) for row in incoming.rows))
    rows, conflicts = _edits(incoming, tables, take)
    if conflicts and take is None:
        return Outcome(conflicts=tuple(conflicts))
    locations = {(r.sheet, r.key): r for r in incoming.rows}
    built = _built(rows, tables, names, locations)
    changed = {i: b for i, b in built.items() if i in source.blocks and tidy(source.blocks[i]) != b}
    added = {i: b for i, b in built.items() if i not in source.blocks}
    texts = texts_with(source, names, changed, added, _homes(incoming, names))
    refused = _refused(source, texts, locations, names) if texts else ()
    return Outcome(
        texts, tuple(map(names.write, changed)), tuple(map(names.write, added)), (), tuple(refused)
    )


def write_outcome(outcome: Outcome, folder: Path) -> None:
    """Writes the files that change."""
    make_folder(folder)
    for name, text in outcome.texts.items():
        write_text(folder / name, text)


def _named(row: IncomingRow, names: Names) -> IncomingRow:
    """The row with its ids as the folder writes them: ``dresses`` becomes ``c:dresses``."""
    kinds = _KINDS.get(row.sheet, (None,))
    key = []
    for text, kind in zip(row.key, kinds, strict=True):
        try:
            key.append(names.write(names.read(text, kind).value))
        except InputError as error:
            raise InputError(error.problem, where=row.location("id"), expected=error.expected) from None
    return replace(row, key=tuple(key))


def _edits(incoming: Incoming, tables: Tables, take: Side | None) -> tuple[list[IncomingRow], list[Conflict]]:
    """Puts the edited cells into the tables; answers with the rows that have any, and with the conflicts."""
    edits: list[IncomingRow] = []
    conflicts: list[Conflict] = []
    empty = not any(tables.rows.values())
    # An empty folder has not changed since the export: all rows are new there.
    marks = incoming.marks.cells if incoming.marks and not empty else {}
    for row in incoming.rows:
        rows = tables.rows[row.sheet]
        now = rows.get(row.key)
        marked = marks.get((row.sheet, row.key))
        new = {}
        for column, text in row.cells.items():
            here = (now or {}).get(column, "")
            if same(text, here) or (marked and column in marked and cell_hash(text) == marked[column]):
                continue
            if marked and column in marked and cell_hash(here) != marked[column]:
                conflicts.append(Conflict(row.location(column), " ".join(row.key), column, text, here))
                if take != "sheet":
                    continue
            new[column] = text
        if new or (now is None and marked is None):
            rows[row.key] = {**(now or {}), **new}
            edits.append(row)
    return edits, conflicts


def _built(
    rows: Iterable[IncomingRow],
    tables: Tables,
    names: Names,
    locations: Mapping[tuple[str, Key], IncomingRow],
) -> dict[str, Block]:
    """The blocks of the edited rows by IRI."""
    builder = Builder(tables, names)
    by_name = {s.name: s for s in tables.sheets}
    wanted = dict.fromkeys(
        ("categories", r.key[:1]) if r.sheet == APPLIES else (r.sheet, r.key) for r in rows
    )
    blocks = {}
    for sheet, key in wanted:
        if key not in tables.rows[sheet]:
            where = next(r for r in rows if r.key[:1] == key).location("category")
            raise InputError(
                f"there is no category {key[0]}", where=where, todo="Add it to the sheet categories."
            )
        try:
            block = builder.block(by_name[sheet], key)
        except CellError as error:
            location = locations.get((error.sheet, error.key))
            where = location.location(error.column) if location else f"{error.sheet}, {' '.join(error.key)}"
            raise InputError(
                error.error.problem, where=where, expected=error.error.expected, todo=error.error.todo
            ) from None
        blocks[block.iri] = block
    return blocks


def _homes(incoming: Incoming, names: Names) -> dict[str, str]:
    """The files that things had at the export, by IRI."""
    files = incoming.marks.files if incoming.marks else {}
    return {names.read(key[0]).value: file for (_, key), file in files.items() if file}


def _refused(
    source: Source,
    texts: Mapping[str, str],
    locations: Mapping[tuple[str, Key], IncomingRow],
    names: Names,
) -> Iterator[str]:
    """The errors that the edits would bring in, at the rows that they are about."""
    by_key = {key: row for (sheet, key), row in locations.items() if sheet != APPLIES}
    for message, iri in errors_brought_in(source, texts):
        row = by_key.get((names.write(iri),))
        where = row.location("id") if row else f"{message.file}:{message.line}"
        yield f"{where}: {message.code} {message.text}. {message.advice}"
