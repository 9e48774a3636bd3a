"""``kgrank load`` as a user types it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from small_shop import EVENTS, ITEMS, Shop

from kgrank.cli.main import main

ROOT = Path(__file__).parents[2]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["kgrank", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_load_prints_what_it_read_and_wrote(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    events = EVENTS + "2026-07-03T10:00:00Z,u1,s1,view,gone,,\n"
    folder = shop(items_csv=ITEMS, events_csv=events)
    store, rejects = tmp_path / "g.lb", tmp_path / "r.csv"
    assert run(monkeypatch, "load", folder, "--store", store, "--rejects", rejects) == 0
    text = capsys.readouterr()
    assert "3 rows of items.csv, 6 rows of events.csv" in text.out
    assert "unknown item" in text.out
    assert "3 items, 2 users, 0 rules, 5 events" in text.out
    assert "no ontology was given" in text.err
    assert rejects.read_text().endswith("unknown item,events.csv,7,u1,gone\n")


def test_json_is_one_document(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "load", shop(), "--store", tmp_path / "g.lb", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["graph"]["Item"] == 3
    assert found["rows"] == {"items.csv": 3, "events.csv": 5}
    assert found["rejects"] == {}
    assert found["log"] == {"clock": "utc", "outside": True, "impressions": True}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--strict"], "events.csv:7: unknown item"),
        (["--ontology", ROOT / "ontology" / "fashion"], "items.csv:2: unknown category 'frockz'"),
        (["--mapping", "nowhere.yaml"], "no file nowhere.yaml"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_no_store(
    shop: Shop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[object],
    words: str,
) -> None:
    items = ITEMS.replace("i1,dresses", "i1,frockz")
    folder = shop(items_csv=items, events_csv=EVENTS + "2026-07-03T10:00:00Z,u1,s1,view,gone,,\n")
    assert run(monkeypatch, "load", folder, "--store", tmp_path / "g.lb", *options) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert words in error
    assert not (tmp_path / "g.lb").exists()
