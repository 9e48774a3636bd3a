"""Tables of what the data say of rules."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from kgrank.cli.audit.words import word
from kgrank.cli.common import err, out
from kgrank.weights.model import RuleConflict, RuleFinding

COLOURS = {
    "supported": "green",
    "leans for": "green",
    "silent": "dim",
    "leans against": "yellow",
    "contradicted": "red",
}
"""Colour of each verdict."""


def findings_table(findings: Sequence[RuleFinding], language: str = "en") -> Table:
    """What the data say of each rule."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(word("verdict", language), no_wrap=True)
    table.add_column(word("rule", language), overflow="fold")
    for name in ("sure", "data", "evidence", "right", "choices"):
        table.add_column(word(name, language), justify="right", no_wrap=True)
    for f in findings:
        cell = verdict_cell(f.verdict, language)
        if not f.has_effect:
            cell += f"\n[dim]{word('no surer', language)}[/]"
        said = word("in", language, name=f"[bold]{escape(f.rule)}[/]", text=escape(f.sentence))
        effect = "" if f.has_effect else "\n" + word("no effect", language, chance=f.prob_prior)
        table.add_row(
            cell,
            f"{said}\n[dim]{escape(f.instead)}[/]{effect}",
            f"{f.confidence:.2f}",
            f"{f.prob_data:.3f}",
            f"{f.log_bayes_factor:+.1f}",
            _before_and_after(f.prob_rule_right_prior, f.prob_rule_right),
            f"{f.choice_count:,}",
            end_section=True,
        )
    return table


def verdict_cell(verdict: str, language: str) -> str:
    """A verdict in its colour."""
    return f"[{COLOURS[verdict]}]{word(verdict, language)}[/]"


def _before_and_after(before: float | None, after: float | None) -> str:
    """Two probabilities; the first is missing in weights of earlier versions."""
    return "→".join(f"{p:.2f}" for p in (before, after) if p is not None)


def print_conflicts(conflicts: Sequence[RuleConflict], language: str = "en") -> None:
    """Sets of rules that cannot all be right, each in a line or two."""
    for c in conflicts:
        out.print(word("conflict", language, sentence=escape(c.sentence), instead=escape(c.instead)))


def print_warnings(lines: Sequence[str]) -> None:
    """Warnings on standard error."""
    for line in lines:
        err.print(f"warning: {line}", markup=False)
