"""README's table of the groceries, and what the benchmark takes from the demo's results."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.groceries_demo import learned
from benchmarks.readme_groceries import BEGIN, END, readme, table
from kgrank.errors import InputError


def category(name: str, choices: int, *shares: float) -> dict[str, Any]:
    attributes = [
        {"name": f"a{k}", "share": s, "lower": s - 0.05, "upper": s + 0.05} for k, s in enumerate(shares)
    ]
    return {
        "category": name.lower(),
        "name": name,
        "choice_count": choices,
        "person_count": 7,
        "attributes": attributes,
    }


RESULTS = {
    "departments": {"A": [category("Tea", 50, 0.2, 0.7, 0.1, 0.0)], "B": [category("Soup", 1500, 0.6, 0.4)]},
    "metrics": {"held_out_log_likelihood": -2.5},
    "tastes": [],
    "groups": {"groups": [{"households": 12, "sentence": "like tea more", "tastes": []}], "explained": 0.3},
    "notes": [],
}
STEPS = {
    f"{step}_{unit}": 61.26
    for step in ("folder", "load", "train")
    for unit in ("seconds", "processor_seconds")
}


def result() -> dict[str, Any]:
    return {**learned(RESULTS), **STEPS, "peak_gb": 4.0, "environment": {"cores": 2, "load": 0.5}}


def test_the_categories_with_most_choices_come_first_with_what_decides_most() -> None:
    first, second, *_ = table(result()).splitlines()[2:]
    assert first == "| Soup | 1,500 | a0 .60 (.55 to .65) | a1 .40 (.35 to .45) |"
    assert second.startswith("| Tea | 50 | a1 .70 (.65 to .75) | a0 .20 ")


def test_the_table_says_what_the_run_took_and_which_households_are_alike() -> None:
    text = table(result())
    assert "| all 2 categories, 1,550 choices |" in text
    assert "| seconds / of the processors | 61 / 61 | 61 / 61 | 61 / 61 | 4.0 GB | 0.5 |" in text
    assert "Households that are alike (30% of all differences lie between the groups):" in text
    assert text.endswith("\n- 12 households like tea more.")


def test_a_readme_without_marks_and_a_run_that_is_missing_are_refused() -> None:
    assert readme(f"x {BEGIN} old {END} y", {"groceries_demo": result()}).count("| Soup |") == 1
    with pytest.raises(InputError, match="marks of the groceries are gone"):
        readme("x", {"groceries_demo": result()})
    with pytest.raises(InputError, match=r"no result of the groceries.*groceries_demo\.py"):
        readme(f"{BEGIN}{END}", {})
