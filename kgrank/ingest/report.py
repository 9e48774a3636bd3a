"""What cleaning found: each row that was dropped or is doubtful, with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from kgrank.csv_cells import write_csv
from kgrank.errors import InputError
from kgrank.ingest.columns import STANDARD
from kgrank.ingest.rows import FILE, LINE
from kgrank.ingest.words import UnknownWord, UnknownWordsError
from kgrank.ontology.tables.files import write_sheet

REASONS: Mapping[str, str] = {
    "empty row": "row dropped: it has no cell that says anything",
    "duplicate row": "row dropped: the same row stands earlier in the file",
    "no id": "row dropped: it has no item, user, person or task where one is needed (visits of people who are not "
    "signed in have a user with `user: {column: …, otherwise: …}` in the mapping)",
    "no category": "item dropped: no category is given for it",
    "unknown item": "event or offer dropped: no catalogue row has its item",
    "bad time": "event or offer dropped: its time cannot be read, or is before 1990",
    "future time": "event dropped: its time is more than a day ahead of the clock",
    "ends before it begins": "offer dropped: it ends before it begins, or when it begins",
    "two offers at once": "offer dropped: another row has the same item, place and period, and other values",
    "no segment": "membership dropped: no segment is given for the person",
    "unknown segment": "membership dropped: the ontology has no such segment",
    "two segments": "memberships dropped: a person is in one segment at most; they count with everybody else",
    "taken back": "event dropped: a later return, refund or removal of its user takes it back",
    "return": "event dropped: it took back an earlier event of its user and item",
    "return of nothing": "event dropped: a return, refund or removal, and no earlier event that it takes back",
    "bot": "event dropped: its user acts like no person",
    "not a number": "event or value dropped: a number cannot be read",
    "not finite": "event or value dropped: NaN or infinite",
    "out of range": "value dropped: below the attribute's minimum or above its maximum",
    "does not apply": "value dropped: the attribute does not apply in the item's category",
    "outside the category": "value dropped: the category allows fewer values of the attribute",
    "no choice": "task dropped: nothing is chosen, and there is no outside option",
    "several choices": "task dropped: more than one alternative is chosen",
    "several worst": "task dropped: more than one alternative is the worst",
    "worst is best": "task dropped: one alternative is both the worst and the chosen one",
    "not on offer": "task dropped: what was chosen was not on offer",
    "one alternative": "task or ranking dropped: fewer than two alternatives, the outside option counted",
    "tied places": "ranking dropped: two items have the same place, or one stands twice",
    "not a place": "ranking dropped: a place that is no number from 1",
    "no list": "event dropped: a place in a ranking without the list that was ranked",
    "not shown": "kept, but no choice: the item was not shown in the list that the event names",
    "one rating": "kept, but says nothing of tastes: the ratings of its user are all the same",
    "contradiction": "kept: the item has what an Excludes rule forbids",
    "search without category": "kept, but not in the graph: a search needs the category it went to",
}
"""What becomes of a row, by reason."""

SCHEMA = {
    "reason": pl.String(),
    "file": pl.String(),
    "line": pl.Int64(),
    "id": pl.String(),
    "found": pl.String(),
}

KEPT = frozenset({"contradiction", "search without category", "not shown", "one rating"})
"""Reasons for which nothing is dropped."""

MOST = 0.5
"""A file that loses more than this share of its rows to one mistake has the wrong mapping: an error."""

_TIME = 'Write how times are written in the mapping: `time: {column: time, format: "%d.%m.%Y %H:%M"}`.'
_REMEDIES = {"bad time": _TIME, "future time": _TIME}
"""What to write in the mapping where most rows have a reason."""

_SHOWN = 12
"""Columns that a note names at most."""

_ORDINARY = KEPT | {
    "empty row",
    "duplicate row",
    "bot",
    "no segment",
    "does not apply",
    "taken back",
    "return",
    "return of nothing",
}


@dataclass(frozen=True)
class Report:
    """The rows that were dropped or are doubtful (columns of ``SCHEMA``), and the rows read, by file."""

    rows: pl.DataFrame
    read: Mapping[str, int]

    @property
    def counts(self) -> Mapping[str, int]:
        """Rows by reason, in the order of ``REASONS``."""
        by_reason = dict(self.rows.group_by("reason").len().iter_rows())
        return {reason: by_reason[reason] for reason in REASONS if reason in by_reason}

    def write(self, path: Path) -> None:
        """Writes the rows as a workbook where the name ends with .xlsx, else as CSV.

        Raises:
            InputError: The file cannot be written.
        """
        if path.suffix.lower() == ".xlsx":
            write_sheet(path, [self.rows.columns, *self.rows.iter_rows()])
        else:
            write_csv(path, self.rows)

    def refuse(self) -> None:
        """Makes the first row that was dropped an error.

        Raises:
            InputError: A row was dropped.
        """
        dropped = self.rows.filter(~pl.col("reason").is_in(list(KEPT)))
        if len(dropped):
            first = dropped.row(0, named=True)
            raise InputError(
                f"{first['reason']}: {first['found']!r} ({len(dropped):,} such rows in all)",
                where=f"{first['file']}:{first['line']}",
                expected="no row to drop",
            )


@dataclass
class Rejects:
    """Collects rows, and notes on what is read otherwise than it is written, while a folder is read."""

    frames: list[pl.DataFrame] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unread: dict[str, list[str]] = field(default_factory=dict)
    """Columns with cells that nothing reads, by file."""
    logs: set[str] = field(default_factory=set)
    """The files of events."""
    errors: list[InputError] = field(default_factory=list)
    """Unknown words and columns: an error for each column, raised together."""
    words: list[UnknownWord] = field(default_factory=list)
    columns: list[InputError] = field(default_factory=list)
    parts: dict[Path, frozenset[str]] = field(default_factory=dict)
    """Columns that are parts of records, by file; they are read only where the mapping names them."""

    def drop(
        self,
        table: pl.DataFrame,
        bad: pl.Expr,
        reason: str,
        path: Path,
        *,
        id: str,
        cell: pl.Expr,
        todo: str | None = None,
    ) -> pl.DataFrame:
        """The table, of one file, without the bad rows, which are kept here.

        Args:
            table: The rows.
            bad: Whether a row is dropped.
            reason: One of ``REASONS``.
            path: The file.
            id: The column of the id that a dropped row is listed with.
            cell: What was found in a dropped row.
            todo: The remedy where most rows are dropped; by default that of the reason.

        Raises:
            InputError: The mistake takes more than half the table.
        """
        named = table.with_columns(pl.lit(path.name).alias(FILE))
        return self.drop_each(named, bad, reason, id=id, cell=cell, todo=todo).select(table.columns)

    def drop_each(
        self,
        table: pl.DataFrame,
        bad: pl.Expr,
        reason: str,
        *,
        id: str,
        cell: pl.Expr,
        todo: str | None = None,
    ) -> pl.DataFrame:
        """As ``drop``, for rows of several files, which the column ``FILE`` names."""
        flagged = table.with_columns(bad.fill_null(False).alias("__bad__"))
        lost = flagged.filter("__bad__")
        if not len(lost):
            return table
        rows = self.keep(lost, reason, id=id, cell=cell)
        if reason not in _ORDINARY and len(lost) > MOST * len(table):
            first = rows.row(0, named=True)
            path = next((p for p in self.parts if p.name == first["file"]), first["file"])
            raise InputError(
                f"{len(lost):,} of {len(table):,} rows: {reason}; the first is {first['found']!r}",
                where=f"{path}:{first['line']}",
                expected="most rows in order",
                todo=todo or _REMEDIES.get(reason, "Check the columns and words in the mapping."),
            )
        return flagged.filter(~pl.col("__bad__")).drop("__bad__")

    def keep(self, rows: pl.DataFrame, reason: str, *, id: str, cell: pl.Expr) -> pl.DataFrame:
        """Notes rows without dropping them."""
        frame = rows.select(
            pl.lit(reason).alias("reason"),
            pl.col(FILE).alias("file"),
            pl.col(LINE).cast(pl.Int64).alias("line"),
            pl.col(id).cast(pl.String).alias("id"),
            cell.cast(pl.String).alias("found"),
        )
        self.frames.append(frame)
        return frame

    def unknown(self, error: InputError, words: Iterable[UnknownWord] = ()) -> None:
        """Notes words that mean nothing here; ``refuse_unknown`` raises all of them together."""
        before = len(self.words)
        self.words += words
        self.errors.append(error)
        if len(self.words) == before:
            self.columns.append(error)

    def refuse_unknown(self) -> None:
        """Raises what is unknown.

        Raises:
            UnknownWordsError: A word or a column is unknown.
        """
        if self.errors:
            by_rows = sorted(self.words, key=lambda w: -w.rows)
            raise UnknownWordsError(self.errors, by_rows, self.columns)

    def all_notes(self) -> list[str]:
        """The notes, each once, with one on the columns of each file that nothing reads."""
        unread = [_unread(file, names, file in self.logs) for file, names in self.unread.items() if names]
        return [*dict.fromkeys(self.notes), *unread]

    def report(self) -> Report:
        """All that was collected."""
        rows = pl.concat([pl.DataFrame(schema=SCHEMA), *self.frames])
        return Report(rows, dict(self.read))


def _unread(file: str, names: list[str], is_log: bool) -> str:
    """The note on columns that nothing reads."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    fields = [(name, name.rsplit(".", 1)[-1].lower()) for name in names]
    first = next(
        ((name, leaf) for name, leaf in fields if leaf in STANDARD["events"]), (names[0], "position")
    )
    example = (
        f"{first[1]}: {{column: {first[0]}}}"
        if is_log
        else f"attributes: {{{names[0].split('.')[0]}: {{column: {names[0]}}}}}"
    )
    if any(re.match("av(ail(able|ability)?)?[_.-]", name, re.IGNORECASE) for name in names):
        example += ', or, for what was on offer in a wide table, available: "av_{}"'
    return (
        f"{file}: columns that are not read: {', '.join(names[:_SHOWN])}{more}; "
        f"name in the mapping what matters, such as {example}"
    )
