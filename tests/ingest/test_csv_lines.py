"""A text without quotes is read a column at a time, and gives what the reader of quoted cells gives."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kgrank.errors import InputError
from kgrank.ingest.formats.csv_file import csv_table, table_by_lines, table_by_rows

PATH = Path("items.csv")
CELLS = st.text(st.sampled_from("ab é\t'=\x1f\x00\x85\u2028"), max_size=3)
ENDS = st.sampled_from(("\n", "\r\n", "\r", "\n\n", " \n", "\r\r\n"))
HEADERS = st.sampled_from(((), ("x",), ("x", "y"), ("x", "x")))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Lines of mostly equal width, with blank ones, of every system's line ends, and now and then a quote."""
    width = draw(st.integers(1, 3))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=5))
    text = "".join(draw(ENDS).join([",".join(row), ""]) for row in rows)
    return text + draw(st.sampled_from(("", "a", "a,b", ",", ',"a"\n', " ", "a,b,c\r")))


def read(reader: object, text: str, skipped: int, header: tuple[str, ...]) -> pl.DataFrame | str | None:
    """The table, or the sentence of the error."""
    try:
        return reader(PATH, text, ",", skipped, header)  # type: ignore[operator, no-any-return]
    except InputError as error:
        return error.sentence()


@given(texts(), st.integers(0, 1), HEADERS)
@example("a,b\n1,2\n\n3,'=4\r\n", 1, ())
@example("", 0, ())
@example("", 0, ("x",))
@example("a\n\x1f\n\x85\nb", 0, ())
def test_both_ways_of_reading_agree_on_cells_lines_and_errors(
    text: str, skipped: int, header: tuple[str, ...]
) -> None:
    by_lines, by_rows = (read(r, text, skipped, header) for r in (table_by_lines, table_by_rows))
    if isinstance(by_lines, pl.DataFrame):
        assert isinstance(by_rows, pl.DataFrame)
        assert_frame_equal(by_lines, by_rows)
    elif by_lines is not None:
        assert by_lines == by_rows


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_text_without_quotes_whose_rows_are_lines_is_read_by_lines(end: str) -> None:
    numbers = random.Random(0)
    rows = [f"i{n},{numbers.choice(('shoes', '', 'hats'))},{numbers.random()}" for n in range(50)]
    text = end.join(["id,category,price", *rows, "", ""])
    assert table_by_lines(PATH, text, ",", 0, ()) is not None


def test_a_line_longer_than_any_cell_may_be_is_read_by_rows() -> None:
    text = "id\n" + "x" * 10_000_001
    assert table_by_lines(PATH, text, ",", 0, ()) is None
    with pytest.raises(InputError, match=r"items\.csv:2"):
        csv_table(PATH, text, None, ())
