"""README's table of the groceries, from the result file of ``groceries_demo.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.readme_marks import between_marks
from benchmarks.result_files import load_of
from kgrank.errors import InputError

RESULT = "groceries_demo"
BEGIN = (
    "<!-- groceries: written by `python benchmarks/tables.py` from benchmarks/results/groceries_demo.json -->"
)
END = "<!-- end of the groceries -->"


def readme(text: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """README with the table of the groceries written anew.

    Raises:
        InputError: There is no result, or README has no place for it.
    """
    if RESULT not in results:
        raise InputError(
            "there is no result of the groceries",
            where=RESULT,
            todo="Run python benchmarks/groceries_demo.py",
        )
    return between_marks(text, BEGIN, END, table(results[RESULT]), "groceries")


def table(result: Mapping[str, Any]) -> str:
    """Categories with what decides in them, then what the run took."""
    lines = ["| category | choices | what decides most, with 95 % intervals | | |", "|---|---|---|---|---|"]
    for category in result["most_bought"]:
        attributes = (_share(a) for a in category["attributes"])
        lines.append(f"| {category['name']} | {category['choices']:,} | {' | '.join(attributes)} |")
    groups = [f"- {g['households']:,} households {g['sentence']}." for g in result["groups"]]
    if groups:
        between = f"{result['groups_explain']:.0%} of all differences lie between the groups"
        groups = ["", f"Households that are alike ({between}):", "", *groups]
    return "\n".join([*lines, "", *_took(result), *groups])


def _share(attribute: Mapping[str, Any]) -> str:
    share, lower, upper = (f"{attribute[k]:.2f}".lstrip("0") for k in ("share", "lower", "upper"))
    return f"{attribute['name']} {share} ({lower} to {upper})"


def _took(result: Mapping[str, Any]) -> list[str]:
    load = load_of(result)
    busy = "" if load is None else f"{load.start} {load.mark}".strip()
    whole = (
        f"{result[f'{step}_seconds']:,.0f} / {result[f'{step}_processor_seconds']:,.0f}" for step in STEPS
    )
    return [
        f"| all {result['categories']} categories, {result['choices']:,} choices | "
        f"{' | '.join(STEPS.values())} | memory | load |",
        "|---|---|---|---|---|---|",
        f"| seconds / of the processors | {' | '.join(whole)} | {result['peak_gb']:.1f} GB | {busy} |",
    ]


STEPS = {"folder": "making the folder", "load": "loading", "train": "training"}
"""The steps that README shows, and what they are called."""
