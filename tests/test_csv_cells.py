"""CSV that is safe in a spreadsheet, and comes back as it was."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrank.csv_cells import cell_text, safe_cell, write_csv
from kgrank.ingest.formats.csv_file import csv_table

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")) | st.text(
    "'=+-@\t\r\n 1.e%＝a", min_size=1
)


@given(TEXT)
def test_every_text_comes_back_from_its_cell(text: str) -> None:
    assert cell_text(safe_cell(text)) == text


@given(TEXT)
def test_no_cell_begins_as_a_formula_unless_it_is_a_number(text: str) -> None:
    cell = safe_cell(text)
    if cell.lstrip(" ").startswith(("=", "@", "\t", "\r")):
        raise AssertionError(cell)
    if cell.lstrip().startswith(("+", "-")):
        float(cell.strip().removesuffix("%").replace(",", ""))


@pytest.mark.parametrize("number", ["-5", "+3.25", "-1e-05", "-12 %", "1,5", "0"])
def test_numbers_stay_numbers(number: str) -> None:
    assert safe_cell(number) == number


@pytest.mark.parametrize(
    "formula", ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", " \r1", " =1", "'=1", "＝1+1", "-1+1"]
)
def test_formulas_are_behind_an_apostrophe(formula: str) -> None:
    assert safe_cell(formula) == f"'{formula}"


@given(texts=st.lists(TEXT, min_size=1, max_size=5))
def test_a_table_is_read_back_by_kgrank_as_it_was(
    texts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    write_csv(path, pl.DataFrame({"=id": range(len(texts)), "title": texts}))
    read = csv_table(path, path.read_bytes().decode(), None, ()).table
    assert [text or "" for text in read["title"]] == texts
    assert read.columns[0] == "=id"


def test_no_cell_of_a_written_file_is_a_formula(tmp_path: Path) -> None:
    table = pl.DataFrame({"@a": ["=cmd|' /C calc'!A0", "-2", None], "b": [-2.5, 1.0, None]})
    write_csv(tmp_path / "a.csv", table)
    rows = list(csv.reader(io.StringIO((tmp_path / "a.csv").read_text())))
    assert rows == [["'@a", "b"], ["'=cmd|' /C calc'!A0", "-2.5"], ["-2", "1.0"], ["", ""]]
