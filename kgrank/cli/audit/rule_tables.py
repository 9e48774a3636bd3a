"""Tables of what the data say of rules."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

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


LEGEND = (
    "data: probability that the rule holds, from the choices alone. evidence: logarithm of the Bayes factor for "
    "it.\nright: probability that a rule about several categories is right as a whole, exceptions allowed."
)


def findings_table(findings: Sequence[RuleFinding]) -> Table:
    """What the data say of each rule; ``LEGEND`` explains the columns."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("rule, and what the data say", overflow="fold")
    for name in ("sure", "data", "evidence", "right", "choices"):
        table.add_column(name, justify="right", no_wrap=True)
    for f in findings:
        table.add_row(
            f"[{COLOURS[f.verdict]}]{f.verdict}[/]",
            f"[bold]{escape(f.rule)}[/]: {escape(f.sentence)}\n[dim]{escape(f.instead)}[/]",
            f"{f.confidence:.2f}",
            f"{f.prob_data:.3f}",
            f"{f.log_bayes_factor:+.1f}",
            "" if f.prob_rule_right is None else f"{f.prob_rule_right:.2f}",
            f"{f.choice_count:,}",
            end_section=True,
        )
    return table


def print_conflicts(conflicts: Sequence[RuleConflict]) -> None:
    """Sets of rules that cannot all be right, each in a line or two."""
    for c in conflicts:
        out.print(f"[yellow]Conflict[/]: {escape(c.sentence)} [dim]{escape(c.instead)}[/]")


def print_warnings(lines: Sequence[str]) -> None:
    """Warnings on standard error."""
    for line in lines:
        err.print(f"warning: {line}", markup=False)
