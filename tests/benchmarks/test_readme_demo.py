"""README's table of the generated demo shop."""

from __future__ import annotations

import pytest

from benchmarks.readme_demo import BEGIN, END, MODELS, ROWS, readme, table
from kgrank.errors import InputError

RESULT = {f"{row}_{model}": -1.25 for row in ROWS for model in MODELS}


def test_the_table_has_a_row_for_each_kind_of_choice_and_a_column_for_each_part_left_out() -> None:
    head, _, *rows = table({**RESULT, "cold_without_rules": -2.0}).splitlines()
    assert head.count("|") == len(MODELS) + 2
    assert rows[1] == "| items that nobody had taken before | -1.250 | -2.000 | -1.250 | -1.250 | -1.250 |"


def test_a_readme_without_marks_and_a_run_that_is_missing_are_refused() -> None:
    assert "| -1.250 |" in readme(f"{BEGIN} old {END}", {"ablations-demo": RESULT})
    with pytest.raises(InputError, match="marks of the demo are gone"):
        readme("x", {"ablations-demo": RESULT})
    with pytest.raises(InputError, match=r"no result of the demo.*ablations\.py"):
        readme(f"{BEGIN}{END}", {})
