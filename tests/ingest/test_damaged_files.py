"""Random damage: an error that names the file, or what an independent reader reads; nothing in between."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import polars as pl
import pytest
from small_shop import EVENTS

from kgrank.errors import InputError
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import Items
from kgrank.ingest.read import read_table
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE
from kgrank.ontology.characters import visible

ROWS = [
    ["id", "category", "brand", "title", "price", "tags"],
    ["i1", "lamps", "Lux", 'Desk "S" lamp, small', "12.5", "led|warm"],
    ["i2", "lamps", "Lux", "Café lamp\nwith two lines", "40", "led"],
    ["i3", "lamps > floor", "北光", "落地灯", "", ""],
    ["i4", "rugs", "", 'Rug 27" wide', "1e3", "wool"],
    ["i5", "rugs", "Ørsted", "Läufer", "7", "wool|red"],
]
ODD = [
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
]
ODD += [
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
]
SEEDS = [*range(150), 1245, 1400, 1478]

T = TypeVar("T")
Table = list[dict[str, str | None]]


def as_csv() -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(ROWS)
    return text.getvalue().encode()


def as_json() -> bytes:
    head, *rows = ROWS
    cells = [dict(zip(head, row, strict=True)) for row in rows]
    lines = [row | {"price": float(row["price"] or 0), "tags": row["tags"].split("|")} for row in cells]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def damaged(data: bytes, seed: int) -> bytes:
    """The data with one to three bytes, pieces or lines changed."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        to = min(len(data), at + chance.randint(1, 12))
        lines = data.split(b"\n")
        line = chance.randrange(len(lines))
        data = chance.choice(
            [
                lambda d, a=at: d[:a] + chance.choice(ODD) + d[a:],
                lambda d, a=at, t=to: d[:a] + chance.choice(ODD) + d[t:],
                lambda d, a=at, t=to: d[:a] + d[t:],
                lambda d, a=at: d[:a] + bytes([chance.randrange(256)]) + d[a + 1 :],
                lambda d, x=lines, n=line: b"\n".join([*x[:n], *x[n + 1 :]]),
                lambda d, x=lines, n=line: b"\n".join([*x[:n], x[n], *x[n:]]),
            ]
        )(data)
    return data


def by_csv(data: bytes) -> Table | None:
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
    head = [visible(name) for name in rows[0]] if rows else []
    if any(len(row) < len(head) or "".join(row[len(head) :]).strip() for row in rows):
        return None
    return [{n: visible(c) or None for n, c in zip(head, row, strict=False) if n} for row in rows[1:]]


def by_json(data: bytes) -> Table | None:
    """What the json module reads; None where a line is no object."""
    try:
        lines = io.StringIO(data.decode("utf-8-sig"), newline=None)
        rows = [json.loads(line, parse_float=str, parse_constant=str) for line in lines if line.strip()]
    except (UnicodeDecodeError, ValueError):
        return None
    if not all(isinstance(row, dict) for row in rows):
        return None
    return [{visible(key): _text(value) for key, value in row.items() if visible(key)} for row in rows]


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return "|".join(text for part in value if (text := _text(part)) is not None) or None
    return None if value is None else visible(str(value)) or None


def alike(here: str | None, there: str | None) -> bool:
    """Whether two texts are the same, or the same number."""
    try:
        return here == there or float(here or "") == float(there or "")
    except ValueError:
        return (here or "").lower() == (there or "").lower()


def refused(action: Callable[[], T]) -> tuple[T | None, str]:
    """What an action answers, or None and the error for the user; any other error is a failure of the test."""
    try:
        return action(), ""
    except InputError as error:
        return None, str(error)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("file", "write", "independent"),
    [("items.csv", as_csv, by_csv), ("items.jsonl", as_json, by_json)],
    ids=["csv", "jsonl"],
)
def test_a_damaged_file_is_refused_or_read_as_an_independent_reader_reads_it(
    tmp_path: Path,
    file: str,
    write: Callable[[], bytes],
    independent: Callable[[bytes], Table | None],
    seed: int,
) -> None:
    data = damaged(write(), seed)
    (tmp_path / file).write_bytes(data)
    (tmp_path / "events.csv").write_text(EVENTS)
    refused(lambda: ingest(tmp_path))
    rejects = Rejects()
    table, problem = refused(lambda: read_table(tmp_path, Items(file=file, rest=True), rejects))
    if table is None:
        assert file in problem
        return
    expected = independent(data)
    assert expected is not None, "damage that an independent reader refuses is read"
    notes = " ".join(rejects.notes)
    expected = [row for row in expected if any(row.values())]
    assert len(table) == len(expected)
    for row, cells in zip(table.drop(LINE).iter_rows(named=True), expected, strict=True):
        for name, cell in cells.items():
            here = row.get(name)
            left_out = f"not known: {cell}" in notes or f"{cell} in {name}" in notes or name in notes
            assert alike(here, cell) or (here is None and left_out), (name, here, cell)


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_log_is_refused_or_each_of_its_rows_is_an_event_or_counted(
    tmp_path: Path, seed: int
) -> None:
    items = "id,category,price\n" + "".join(f"i{n},lamps,{n}\n" for n in range(1, 4))
    (tmp_path / "items.csv").write_text(items)
    data = damaged(EVENTS.encode(), seed)
    (tmp_path / "events.csv").write_bytes(data)
    clean, problem = refused(lambda: ingest(tmp_path))
    if clean is None:
        assert "events.csv" in problem
        return
    rows = by_csv(data)
    assert rows is not None
    dropped = clean.report.rows.filter((pl.col("file") == "events.csv") & (pl.col("reason") != "not shown"))
    kept = dropped.filter(pl.col("reason") == "search without category")
    assert len(clean.events) + len(dropped) - len(kept) == len(rows)
