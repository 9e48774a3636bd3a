"""Random damage of items, events and tasks, and independent readers that say what a damaged file still holds."""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from kgrank.errors import InputError
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import Items, read_mapping
from kgrank.ingest.read import read_table
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE
from kgrank.ontology.characters import visible

Rows = list[list[Any]]
Table = list[dict[str, str | None]]

ITEMS: Rows = [
    ["id", "category", "brand", "title", "price", "tags"],
    ["i1", "lamps", "Lux", 'Desk "S" lamp, small', 12.5, ["led", "warm"]],
    ["i2", "lamps", "Lux", "Café lamp\nwith two lines", 40, ["led"]],
    ["i3", "lamps > floor", "北光", "落地灯", None, []],
    ["i4", "rugs", None, 'Rug 27" wide', 1000, ["wool"]],
    ["i5", "rugs", "Ørsted", "Läufer", 7, ["wool", "red"]],
]
EVENTS: Rows = [
    ["time", "user", "session", "kind", "item", "position", "query"],
    ["2026-07-01T10:00:00Z", "u1", "s1", "impression", "i1", 1, None],
    ["2026-07-01T10:00:00Z", "u1", "s1", "impression", "i2", 2, None],
    ["2026-07-01T10:00:05Z", "u1", "s1", "view", "i2", None, None],
    ["2026-07-01T10:01:00Z", "u1", "s1", "purchase", "i2", None, None],
    ["2026-07-02T09:00:00Z", "u2", "s2", "view", "i3", None, "lamp, wide"],
]
TASKS: Rows = [
    ["person", "task", "alternative", "chosen", "maker", "price"],
    *[
        [person, task, k, int(k == (person + task) % 3), maker, 2.5 * k + task]
        for person in (1, 2, 3)
        for task in (1, 2)
        for k, maker in enumerate(("Lux", "Ørsted", None))
    ],
]
CONTENTS: Mapping[str, Rows] = {"items": ITEMS, "events": EVENTS, "tasks": TASKS}

MAPPING = (
    "tasks: [{{file: {file}, category: tea, person: person, task: task, alternative: alternative, chosen: chosen, "
    "attributes: {{maker: maker, price: price}}}}]"
)

ODD_BYTES = [
    *(
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\r\n",
        b"\x00",
        b"\xff",
        b"\xe2\x80\x8b",
        b"\xef\xbb\xbf",
        b";",
        b"NULL",
        b"-",
    ),
    *(
        b"NaN",
        b"{",
        b"}",
        b"[",
        b"\\",
        b":",
        b"null",
        b"1e400",
        b"\\ud800",
        b" ",
        b"\t",
        b"\xc2\xa0",
        b"=",
        b"'",
    ),
]
ODD_CELLS: Sequence[Any] = [
    *(
        None,
        "",
        " ",
        "-",
        "n/a",
        "NULL",
        "#N/A",
        "inf",
        "NaN",
        "0",
        "-1",
        "1,5",
        "1.234,5",
        "12 kg",
        "€ 5",
        "1e9",
    ),
    *(
        "yes",
        "TRUE",
        "İ",
        "ﬁ",
        "e\u0301",
        "\u200bx",
        "a|b",
        "a > b",
        "=1+1",
        "'",
        '"',
        "\\",
        "x" * 5000,
        "2026-07-01",
    ),
    *(
        "20260701",
        "1751364000",
        "01/02/2026",
        "i2",
        "lamps",
        "purchase",
        "refund",
        -3,
        0,
        2**53,
        1.5,
        1e300,
        True,
    ),
    *(
        datetime(2026, 7, 1, 10, tzinfo=UTC),
        date(2026, 7, 1),
        ["led", "a|b"],
        {"value": 5, "unit": "EUR"},
        [{"a": 1}],
    ),
]


def _cell_text(cell: Any) -> str:
    """A cell as people write it into a table of text."""
    if isinstance(cell, list):
        return "|".join(_cell_text(member) for member in cell)
    if isinstance(cell, dict):
        return json.dumps(cell, default=str)
    return "" if cell is None else str(cell)


def write_csv(rows: Rows) -> bytes:
    """The rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_cell_text(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def write_json(rows: Rows) -> bytes:
    """The rows below the head as JSON Lines."""
    head, *others = rows
    names = [_cell_text(name) for name in head]
    lines = (dict(zip(names, row, strict=False)) for row in others)
    return "".join(json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines).encode()


def write_json_list(rows: Rows) -> bytes:
    """The rows below the head as a list of objects, each over several lines."""
    records = [json.loads(line) for line in write_json(rows).splitlines()]
    return json.dumps(records, ensure_ascii=False, indent=1).encode()


def write_workbook(rows: Rows) -> bytes:
    """The rows as the first sheet of a workbook."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(
        data, {"in_memory": True, "remove_timezone": True, "default_date_format": "iso"}
    ) as book:
        sheet = book.add_worksheet()
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, datetime | date):
                    sheet.write_datetime(at, column, cell, moment)
                elif isinstance(cell, bool):
                    sheet.write_boolean(at, column, cell)
                elif isinstance(cell, int | float):
                    sheet.write_number(at, column, cell)
                elif text := _cell_text(cell):
                    sheet.write_string(at, column, text)
    return data.getvalue()


def write_parquet(rows: Rows) -> bytes:
    """The rows as Parquet, each column in the type that all its cells have, else as text."""
    head, *others = rows
    columns: dict[str, pa.Array] = {}
    for at, name in enumerate(head):
        cells = [row[at] if at < len(row) else None for row in others]
        try:
            columns[_cell_text(name) or f"c{at}"] = pa.array(cells)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            columns[_cell_text(name) or f"c{at}"] = pa.array(
                [None if c is None else _cell_text(c) for c in cells]
            )
    data = io.BytesIO()
    pq.write_table(pa.table(columns), data)
    return data.getvalue()


def read_csv(data: bytes) -> Table | None:
    """What the csv module reads; None where rows have other widths or quotes do not match."""
    try:
        text = data.decode("utf-8-sig")
        rows = [
            r
            for r in csv.reader(io.StringIO(text, newline=""), strict=True)
            if "".join(r).strip() or len(r) > 1
        ]
    except (UnicodeDecodeError, csv.Error):
        return None
    return _under_head(rows)


def read_json(data: bytes) -> Table | None:
    """What the json module reads; None where a line is no object, or lists hold records."""
    try:
        lines = io.StringIO(data.decode("utf-8-sig"), newline=None)
        rows = [json.loads(line, parse_float=str, parse_constant=str) for line in lines if line.strip()]
    except (UnicodeDecodeError, ValueError):
        return None
    if not all(isinstance(row, dict) for row in rows):
        return None
    return [dict(_flat(row)) for row in rows]


def read_json_list(data: bytes) -> Table | None:
    """What the json module reads of a list of objects, or of the only such list in an object."""
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_float=str, parse_constant=str)
    except (UnicodeDecodeError, ValueError):
        return None
    if not isinstance(document, list) or not all(isinstance(record, dict) for record in document):
        return None
    return [dict(_flat(record)) for record in document]


def read_workbook(data: bytes) -> Table | None:
    """What openpyxl reads of the first sheet."""
    try:
        sheet = openpyxl.load_workbook(io.BytesIO(data), data_only=True).worksheets[0]
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    except Exception:
        return None
    texts = [[plain_text(cell) or "" for cell in row] for row in rows]
    while texts and not any(texts[0]):
        texts.pop(0)
    return _under_head(texts)


def read_parquet(data: bytes) -> Table | None:
    """What polars' own reader reads."""
    try:
        rows = pl.read_parquet(io.BytesIO(data)).to_dicts()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError):
        return None
    return [dict(_flat(row)) for row in rows]


def _under_head(rows: list[list[str]]) -> Table | None:
    """Rows of text by the names in the head line; None where one lacks a named cell or has too many."""
    head = [visible(name) for name in rows[0]] if rows else []
    named = max((n for n, name in enumerate(head, 1) if name), default=0)
    if any(len(row) < named or "".join(row[len(head) :]).strip() for row in rows):
        return None
    return [{n: visible(c) or None for n, c in zip(head, row, strict=False) if n} for row in rows[1:]]


def _flat(record: Mapping[str, Any], above: str = "") -> list[tuple[str, str | None]]:
    cells: list[tuple[str, str | None]] = []
    for key, value in record.items():
        name = f"{above}{key}"
        if isinstance(value, dict):
            cells += _flat(value, f"{name}.")
        elif visible(name):
            cells.append((visible(name), plain_text(value)))
    return cells


def plain_text(value: Any) -> str | None:
    """A cell of any type as text; None where there is nothing to see."""
    if isinstance(value, list):
        return "|".join(text for part in value if (text := plain_text(part)) is not None) or None
    if isinstance(value, dict):
        return "a record"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return plain_text(value.total_seconds())
    if isinstance(value, bytes):
        return visible(value.decode("utf-8", "replace")) or None
    if isinstance(value, Decimal):
        return str(value)
    return None if value is None else visible(str(value)) or None


@dataclass(frozen=True)
class Format:
    """A kind of file: how it is written, and read by a program that is not kgrank."""

    write: Callable[[Rows], bytes]
    read: Callable[[bytes], Table | None]
    packed: bool = False


FORMATS: Mapping[str, Format] = {
    "csv": Format(write_csv, read_csv),
    "jsonl": Format(write_json, read_json),
    "json": Format(write_json_list, read_json_list),
    "xlsx": Format(write_workbook, read_workbook, packed=True),
    "parquet": Format(write_parquet, read_parquet, packed=True),
}
KINDS = ("bytes", "cells", "rows", "types")
"""What is damaged."""


def damaged_bytes(data: bytes, chance: random.Random) -> bytes:
    """The data with one to three bytes, pieces or lines changed."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        to = min(len(data), at + chance.randint(1, 12))
        lines = data.split(b"\n")
        line = chance.randrange(len(lines))
        data = chance.choice(
            [
                lambda d, a=at: d[:a] + chance.choice(ODD_BYTES) + d[a:],
                lambda d, a=at, t=to: d[:a] + chance.choice(ODD_BYTES) + d[t:],
                lambda d, a=at, t=to: d[:a] + d[t:],
                lambda d, a=at: d[:a] + bytes([chance.randrange(256)]) + d[a + 1 :],
                lambda d, x=lines, n=line: b"\n".join([*x[:n], *x[n + 1 :]]),
                lambda d, x=lines, n=line: b"\n".join([*x[:n], x[n], *x[n:]]),
            ]
        )(data)
    return data


def damaged_inside(data: bytes, chance: random.Random) -> bytes:
    """A workbook with damage in one of the files that it packs, packed again; checksums do not show it."""
    before, after = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    names = before.namelist()
    victim = chance.choice([n for n in names if "sheet1" in n or "sharedStrings" in n] or names)
    with zipfile.ZipFile(after, "w") as packed:
        for name in names:
            content = before.read(name)
            packed.writestr(name, damaged_bytes(content, chance) if name == victim else content)
    return after.getvalue()


def damaged_rows(rows: Rows, kind: str, chance: random.Random) -> Rows:
    """A table with one to three cells, rows or columns' types changed."""
    rows = [list(row) for row in rows]
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(1, len(rows))
        column = chance.randrange(len(rows[0]))
        if kind == "cells":
            where = at if chance.random() < 0.9 else 0
            row = rows[where]
            if row:
                row[column % len(row)] = chance.choice(ODD_CELLS)
        elif kind == "rows":
            _damage_row(rows, at, column, chance)
        else:
            how = chance.choice([str, float, bool, _as_list, _as_record, _as_moment, _as_bytes_text])
            for row in rows[1:]:
                if column < len(row):
                    row[column] = _converted(row[column], how)
        if len(rows) < 2:
            break
    return rows


def _damage_row(rows: Rows, at: int, column: int, chance: random.Random) -> None:
    other = chance.randrange(1, len(rows))
    how = chance.randrange(8)
    if how == 0:
        del rows[at]
    elif how == 1:
        rows.insert(at, list(rows[other]))
    elif how == 2:
        rows[at], rows[other] = rows[other], rows[at]
    elif how == 3:
        rows.insert(at, [None] * len(rows[0]))
    elif how == 4:
        rows[at] = rows[at][:column]
    elif how == 5:
        rows[at] = [*rows[at], chance.choice(ODD_CELLS)]
    elif how == 6:
        rows.insert(at, list(rows[0]))
    else:
        rows[at] = [*rows[at][column:], *rows[at][:column]]


def _as_list(cell: Any) -> Any:
    return [cell, "also"]


def _as_record(cell: Any) -> Any:
    return {"value": cell}


def _as_moment(cell: Any) -> Any:
    return datetime(2026, 7, 1, tzinfo=UTC) + timedelta(days=float(cell))


def _as_bytes_text(cell: Any) -> Any:
    return f"{cell}\ufeff"


def _converted(cell: Any, how: Callable[[Any], Any]) -> Any:
    try:
        return None if cell is None else how(cell)
    except (TypeError, ValueError, OverflowError):
        return cell


@dataclass(frozen=True)
class Case:
    """One damaged file: ``contents`` (items, events, tasks), ``format``, and what is damaged."""

    contents: str
    format: str
    kind: str
    seed: int

    @property
    def file(self) -> str:
        """Its name."""
        return f"{self.contents}.{self.format}"

    def data(self) -> bytes:
        """The damaged file."""
        chance = random.Random(f"{self.contents} {self.format} {self.kind} {self.seed}")
        form, rows = FORMATS[self.format], CONTENTS[self.contents]
        if self.kind != "bytes":
            return form.write(damaged_rows(rows, self.kind, chance))
        data = form.write(rows)
        if self.format == "xlsx" and chance.random() < 0.8:
            return damaged_inside(data, chance)
        return damaged_bytes(data, chance)


@dataclass(frozen=True)
class Outcome:
    """What became of a damaged file: refused with an error that names it, or read; and what is wrong with that.

    Attributes:
        refused: Whether it was refused.
        noted: Whether something of it was named in a note or in the report.
        compared: Whether the independent reader says what it holds. It may refuse a packed file for damage that
            need not matter, and readers place the cells of a workbook with broken XML differently.
        fault: A traceback, or a difference that is not named; empty where all is well.
    """

    refused: bool = False
    noted: bool = False
    compared: bool = True
    fault: str = ""


def outcome(case: Case, folder: Path) -> Outcome:
    """Reads a damaged file, alone and as part of a shop, and sets it against the independent reader.

    Args:
        case: The damage.
        folder: An empty folder.
    """
    data = case.data()
    (folder / case.file).write_bytes(data)
    if case.contents != "items":
        (folder / "items.csv").write_bytes(write_csv(ITEMS))
    try:
        return _outcome(case, data, folder)
    except Exception as error:
        return Outcome(fault=f"{type(error).__name__}: {error}")


def _outcome(case: Case, data: bytes, folder: Path) -> Outcome:
    rejects = Rejects()
    source = Items(file=case.file, rest=True)
    clean, problem = _of_user(lambda: _ingested(case, folder))
    table, unreadable = _of_user(lambda: read_table(folder, source, rejects))
    if table is None:
        fault = "" if case.file in unreadable else f"an error that does not name the file: {unreadable}"
        return Outcome(refused=True, fault=fault or ("a file that cannot be read is loaded" if clean else ""))
    expected = FORMATS[case.format].read(data)
    if expected is None and FORMATS[case.format].packed:
        return Outcome(compared=False)
    if expected is None:
        return Outcome(fault="damage that an independent reader refuses is read")
    expected = [row for row in expected if any(row.values())]
    fault = _difference(table, expected, " ".join(rejects.notes))
    if fault and case.format == "xlsx" and case.kind == "bytes":
        return Outcome(compared=False)
    if fault:
        return Outcome(fault=fault)
    if clean is None:
        named = case.file in problem or "items.csv" in problem or "m.yaml" in problem
        return Outcome(
            refused=True, fault="" if named else f"an error that does not name the file: {problem}"
        )
    lines = set(clean.report.rows.filter(pl.col("file") == case.file)["line"].to_list())
    noted = bool(lines) or len(clean.notes) > 1
    return Outcome(noted=noted, fault=_lost(case, clean, table, lines))


def _ingested(case: Case, folder: Path) -> Clean:
    if case.contents != "tasks":
        return ingest(folder)
    (folder / "m.yaml").write_text(MAPPING.format(file=case.file), encoding="utf-8")
    return ingest(folder, mapping=read_mapping(folder / "m.yaml"))


def _of_user(action: Callable[[], Any]) -> tuple[Any, str]:
    """What an action answers, or None and the error for the user."""
    try:
        return action(), ""
    except InputError as error:
        return None, str(error)


def _difference(table: pl.DataFrame, expected: Table, notes: str) -> str:
    """A cell that is neither read alike nor named in a note."""
    if len(table) != len(expected):
        return f"{len(table)} rows for {len(expected)}"
    for row, cells in zip(table.iter_rows(named=True), expected, strict=True):
        for name, cell in cells.items():
            here = row.get(name)
            named = f"not known: {cell}" in notes or f"{cell} in {name}" in notes or name in notes
            if not (is_alike(here, cell) or (here is None and named)):
                return f"line {row[LINE]}, {name}: {here!r} for {cell!r}"
    return ""


def is_alike(here: str | None, there: str | None) -> bool:
    """Whether two texts are the same, or the same number, or the same moment."""
    if here == there:
        return True
    if here is not None and there is not None and "|" in here:
        members = here.split("|"), there.split("|")
        return len(members[0]) == len(members[1]) and all(map(is_alike, *members))
    for read in (float, datetime.fromisoformat):
        try:
            first, second = read(here or ""), read(there or "")
        except ValueError:
            continue
        if isinstance(first, datetime) and isinstance(second, datetime):
            first, second = (m if m.tzinfo else m.replace(tzinfo=UTC) for m in (first, second))
        return bool(first == second)
    return (here or "").lower() == (there or "").lower()


def _lost(case: Case, clean: Clean, table: pl.DataFrame, lines: set[int]) -> str:
    """A row that is neither in the clean tables nor in the report with its line."""
    if case.contents == "items":
        ids, numbers = (
            set(clean.items["id"]),
            dict(clean.values.select("item", "number").drop_nulls().iter_rows()),
        )
        for row in table.iter_rows(named=True):
            if row[LINE] in lines or row.get("id") is None:
                continue
            if row["id"] not in ids:
                return f"line {row[LINE]}: the item {row['id']!r} is not there"
            price = row.get("price")
            if (
                price is not None
                and _is_number(price)
                and numbers.get(row["id"], float(price)) != float(price)
            ):
                return f"line {row[LINE]}: {price} is {numbers[row['id']]}"
        return ""
    if case.contents == "events":
        rows = clean.report.rows.filter(pl.col("file") == case.file)
        dropped = rows.filter(~pl.col("reason").is_in(["not shown", "search without category"]))
        dropped_lines = dropped["line"].n_unique()
        if len(clean.events) + dropped_lines < len(table):
            return f"{len(clean.events)} events and {dropped_lines} dropped lines of {len(table)} rows"
        return ""
    shown = len(clean.events.filter(pl.col("kind") == "impression"))
    not_offered = any("were not on offer" in note for note in clean.notes)
    if shown + len(lines) < len(table) and not (lines or not_offered):
        return f"{shown} alternatives of {len(table)} rows, and none is reported"
    return ""


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


def cases(count: int, seed: int = 0) -> list[Case]:
    """So many cases, equally of all contents, formats and kinds."""
    every = [(c, f, k) for c in CONTENTS for f in FORMATS for k in KINDS]
    return [Case(*every[n % len(every)], seed + n // len(every)) for n in range(count)]
