"""Brackets and sheets without end are one error with file and line, whatever command reads them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from kgrank.cli.main import main

EXAMPLE = Path(__file__).parent / "fashion_example"
DEEP = 3000

COMMANDS: dict[str, Callable[[Path, Path], list[str]]] = {
    "check": lambda o, to: ["check", str(o)],
    "check --shacl": lambda o, to: ["check", str(o), "--shacl"],
    "rules": lambda o, to: ["rules", str(o)],
    "graph": lambda o, to: ["graph", str(o), "--svg", str(to)],
    "fmt": lambda o, to: ["fmt", str(o)],
    "lint": lambda o, to: ["lint", str(o)],
    "merge": lambda o, to: ["merge", *[str(o / "values.ttl")] * 3],
    "diff": lambda o, to: ["diff", str(o), str(o)],
    "export --csv": lambda o, to: ["export", str(o), "--csv", str(to)],
    "export --rdf": lambda o, to: ["export", str(o), "--rdf", f"{to}.nt"],
}


@pytest.mark.parametrize("brackets", ["( ", "[ <urn:p> "], ids=["lists", "blanks"])
@pytest.mark.parametrize("command", COMMANDS)
def test_deep_brackets_are_one_error_with_their_line(
    tmp_path: Path, command: str, brackets: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(EXAMPLE, folder)
    text = (folder / "values.ttl").read_text()
    close = " )" if brackets == "( " else " ]"
    (folder / "values.ttl").write_text(f"{text}\n<urn:x> <urn:p> {brackets * DEEP}1{close * DEEP} .\n")
    line = text.count("\n") + 2
    with pytest.raises(SystemExit) as end:
        main(["ontology", *COMMANDS[command](folder, tmp_path / "to")])
    output, errors = capfd.readouterr()
    assert end.value.code in (1, 2)
    assert "Traceback" not in output + errors
    assert re.search(rf"(values\.ttl|base):{line}\b", output + errors), output + errors
    assert not (tmp_path / "to").exists()


def test_brackets_in_texts_do_not_count(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(EXAMPLE, folder)
    text = (folder / "values.ttl").read_text()
    (folder / "values.ttl").write_text(f'{text}\n# {"(" * 99}\n<urn:x> <urn:p> "{"[" * 99}" .\n')
    with pytest.raises(SystemExit) as end:
        main(["ontology", "check", str(folder)])
    assert end.value.code == 0, capfd.readouterr()


def test_a_sheet_with_a_stray_cell_far_outside_is_one_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(EXAMPLE, folder)
    with pytest.raises(SystemExit):
        main(["ontology", "export", str(folder), "--xlsx", str(tmp_path / "shop.xlsx")])
    book = openpyxl.load_workbook(tmp_path / "shop.xlsx")
    book["rules"]["XFD1048576"] = "stray"
    book.save(tmp_path / "shop.xlsx")
    capfd.readouterr()
    with pytest.raises(SystemExit) as end:
        main(["ontology", "import", str(folder), "--xlsx", str(tmp_path / "shop.xlsx")])
    _, errors = capfd.readouterr()
    assert end.value.code == 2
    assert "shop.xlsx: a sheet reaches to XFD1048576" in errors
    assert "Delete the stray cells" in errors
