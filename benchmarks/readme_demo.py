"""README's table of the generated demo shop, from the result file of ``ablations.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.readme_marks import between_marks
from kgrank.errors import InputError

RESULT = "ablations-demo"
BEGIN = "<!-- demo: written by `python benchmarks/tables.py` from benchmarks/results/ablations-demo.json -->"
END = "<!-- end of the demo -->"

ROWS = {
    "all": "all choices",
    "cold": "items that nobody had taken before",
    "thin": "categories of 50 lists",
}
MODELS = {
    "whole": "kgrank",
    "without_rules": "without rules",
    "without_behaviour_terms": "without behaviour",
    "without_attributes": "without attributes",
    "by_chance": "by chance",
}


def readme(text: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """README with the table of the demo shop written anew.

    Raises:
        InputError: There is no result, or README has no place for it.
    """
    if RESULT not in results:
        raise InputError(
            "there is no result of the demo", where=RESULT, todo="Run python benchmarks/ablations.py"
        )
    return between_marks(text, BEGIN, END, table(results[RESULT]), "demo")


def table(result: Mapping[str, Any]) -> str:
    """Log-likelihood of a held-out choice: a row a kind of choice, a column a model."""
    lines = [
        f"| log-likelihood of a held-out choice | {' | '.join(MODELS.values())} |",
        f"|---{'|---' * len(MODELS)}|",
    ]
    for kind, words in ROWS.items():
        figures = (f"{result[f'{kind}_{model}']:.3f}" for model in MODELS)
        lines.append(f"| {words} | {' | '.join(figures)} |")
    return "\n".join(lines)
