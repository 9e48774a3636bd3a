"""Wherever a command reads or writes a table in CSV, it reads or writes a workbook too, with the same content."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.ontology.layout import sound_texts
from kgrank.ontology.tables.files import read_sheet, write_sheet
from kgrank.resources import folder

RUN = CliRunner()
FASHION = folder("ontology") / "fashion"
ITEMS = [
    ["id", "category", "price", "color"],
    ["i1", "Dresses", "20 EUR", "Red"],
    ["i2", "Dresses", "x", "RED"],
]
ITEMS += [["i3", "Dresses", "30 EUR", "Black"], ["i4", "Dresses", "31 EUR", "Black"]]
EVENTS = [["time", "user", "kind", "item"], ["2026-01-02 10:00", "u1", "view", "i1"]]
TASKS = [["person", "task", "alternative", "category", "chosen", "price"]]
TASKS += [["p1", "1", a, "Tea", str(int(a == "a")), p] for a, p in (("a", "3"), ("b", "4"))]
FAMILIES = [["code", "attributes", "label-en_US"], ["shoes", "color,size", "Shoes"]]


def write(path: Path, rows: list[list[str]]) -> None:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(path)


def run(*words: object) -> str:
    result = RUN.invoke(app, [str(w) for w in words])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def load_items(at: Path, ending: str) -> str:
    write(at / f"items{ending}", ITEMS)
    write(at / f"events{ending}", EVENTS)
    rejects = at / f"rejects{ending}"
    text = run("load", at, "--ontology", FASHION, "--store", at / "s.lb", "--rejects", rejects)
    rows = [[str(c) for c in row] for row in read_sheet(rejects)]
    assert rows[0] == ["reason", "file", "line", "id", "found"]
    assert (rows[1][0], rows[1][4]) == ("not a number", "x")
    return text.replace(ending, "").replace(str(at), "")


def load_tasks(at: Path, ending: str) -> str:
    write(at / f"tasks{ending}", TASKS)
    return run("load", at, "--store", at / "s.lb").replace(ending, "").replace(str(at), "")


def export_and_import(at: Path, ending: str) -> str:
    target = at / f"sheets{ending}" if ending == ".xlsx" else at / "sheets"
    option = "--xlsx" if ending == ".xlsx" else "--csv"
    run("ontology", "export", FASHION, option, target)
    run("ontology", "import", at / "back", option, target)
    return "".join(sorted("".join(sound_texts(at / "back").values())))


def bring_families(at: Path, ending: str) -> str:
    write(at / f"families{ending}", FAMILIES)
    run("ontology", "import", at / "shop", at, "--from", "akeneo")
    return "".join(sound_texts(at / "shop").values())


def bring_mapped(at: Path, ending: str) -> str:
    write(at / f"tree{ending}", [["code", "name"], ["shoes", "Shoes"]])
    (at / "map.yaml").write_text(
        f"categories: {{file: tree{ending}, id: code, name: name}}\n", encoding="utf-8"
    )
    run("ontology", "import", at / "shop", at / "map.yaml", "--from", "csv")
    return "".join(sound_texts(at / "shop").values())


@pytest.mark.parametrize("work", [load_items, load_tasks, export_and_import, bring_families, bring_mapped])
def test_a_workbook_says_what_the_csv_file_says(work: Callable[[Path, str], str], tmp_path: Path) -> None:
    texts = []
    for ending in (".csv", ".xlsx"):
        (tmp_path / ending[1:]).mkdir()
        texts.append(work(tmp_path / ending[1:], ending))
    assert texts[0] == texts[1]


def test_an_ontology_with_errors_in_it_is_exported_mended_and_brought_back(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    run("ontology", "copy", FASHION, shop)
    file = next(p for p in shop.iterdir() if "kg:type kg:Number" in p.read_text(encoding="utf-8"))
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("kg:type kg:Number", "kg:type kg:Nmber", 1), encoding="utf-8")
    run("ontology", "export", shop, "--xlsx", tmp_path / "s.xlsx")
    book = openpyxl.load_workbook(tmp_path / "s.xlsx")
    heads = [c.value for c in book["attributes"][1]]
    row = next(r for r in book["attributes"].iter_rows() if any("Nmber" in str(c.value) for c in r))
    row[heads.index("type")].value = "Number"
    row[heads.index("more")].value = None
    book.save(tmp_path / "s.xlsx")
    run("ontology", "import", shop, "--xlsx", tmp_path / "s.xlsx")
    run("ontology", "check", shop)


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
def test_a_sheet_holds_texts_and_never_a_formula(name: str, tmp_path: Path) -> None:
    rows = [["word", "rows"], ["=1+1", 3.0], ["@x", None], ["+49", 2.5], ["plain", 1.0]]
    write_sheet(tmp_path / name, rows)
    read = read_sheet(tmp_path / name)
    assert [row[0] for row in read] == ["word", "=1+1", "@x", "+49", "plain"]
    if name.endswith("xlsx"):
        cells = [c for r in openpyxl.load_workbook(tmp_path / name).active.iter_rows() for c in r]  # type: ignore[union-attr]
        assert all(c.data_type != "f" for c in cells)
    else:
        assert "'=1+1" in (tmp_path / name).read_text(encoding="utf-8-sig")
