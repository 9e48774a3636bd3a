"""``kgrank audit``: which rules the data bear out, and what a new rule would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from kgrank.cli.audit.rule_tables import findings_table, print_conflicts
from kgrank.cli.audit.words import word
from kgrank.cli.common import Chart, out, print_answer
from kgrank.cli.options import Json, Language, Store, default_store
from kgrank.graph.connect import open_store
from kgrank.weights.tables import served_weights

if TYPE_CHECKING:
    from kgrank.ranking.answers import Audit

CHANCE = 0.025
"""Share of true rules that a verdict `contradicted` misses by chance."""


def audit_command(
    store: Store = None,
    what_if: Annotated[
        str | None,
        typer.Option(
            "--what-if",
            metavar="RULE",
            help="Show what a new rule would change, instead: a .ttl file with one or more rules, or the Turtle.",
        ),
    ] = None,
    chart: Chart = None,
    language: Language = "en",
    json: Json = False,
) -> None:
    """Say of every rule what the data alone say; exit code 1 if they contradict one.

    Example: kgrank audit --store demo-shop/graph.lb --chart audit.png
    """
    if what_if is not None:
        from kgrank.cli.audit.what_if import show

        contradicted = show(store or default_store(), what_if, chart, language, json=json)
    else:
        contradicted = _show(store or default_store(), chart, language, json=json)
    if contradicted:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("audit")(audit_command)


def _show(store: str, chart: Path | None, language: str, *, json: bool) -> bool:
    """Shows the findings; whether the data contradict one."""
    from kgrank.ranking.explain.audit import audit

    with open_store(store) as opened:
        answer = audit(served_weights(opened), language)
    if chart is not None:
        from kgrank.plots import audit_plot

        audit_plot(answer.findings, path=chart, language=language)
    if json:
        print_answer(answer)
    else:
        _print(answer, language)
        if chart is not None:
            out.print(word("chart", language, path=escape(str(chart))))
    return any(f.verdict == "contradicted" for f in answer.findings)


def _print(answer: Audit, language: str) -> None:
    count = len(answer.findings)
    if not count:
        out.print(word("none", language))
        return
    out.print(findings_table(answer.findings, language))
    out.print(word("legend", language))
    print_conflicts(answer.conflicts, language)
    for note in answer.notes:
        out.print(word("note", language, text=escape(note)))
    version = escape(answer.version)
    out.print(word("count", language, count=count, version=version, wrong=count * CHANCE))
