"""``kgrank audit``: which rules the data bear out, and which they contradict."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from kgrank.cli.common import out, print_json
from kgrank.cli.rank import Json, Store, default_store
from kgrank.graph.connect import open_store
from kgrank.weights.model import LearnedWeights, RuleFinding
from kgrank.weights.tables import served_weights

COLOURS = {
    "supported": "green",
    "leans for": "green",
    "silent": "dim",
    "leans against": "yellow",
    "contradicted": "red",
}
"""Verdicts from the best to the worst for a rule."""

CHANCE = 0.025
"""Share of true rules that a verdict `contradicted` misses by chance."""


def audit_command(
    store: Store = None,
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw it: a .png, .svg or .pdf file.")
    ] = None,
    json: Json = False,
) -> None:
    """Say of every rule what the data alone say; exit code 1 if they contradict one.

    Example: kgrank audit --store demo-shop/graph.lb --chart audit.png
    """
    with open_store(store or default_store()) as opened:
        weights = served_weights(opened)
    found = sorted(weights.findings, key=lambda f: (-list(COLOURS).index(f.verdict), f.evidence))
    if chart is not None:
        from kgrank.plots import audit_plot

        audit_plot(found, path=chart)
    if json:
        print_json({"weights": weights.version, "findings": [asdict(f) for f in found]})
    else:
        _print(found, weights)
        if chart is not None:
            out.print(f"Chart: {escape(str(chart))}")
    if any(f.verdict == "contradicted" for f in found):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("audit")(audit_command)


def _print(found: list[RuleFinding], weights: LearnedWeights) -> None:
    if not found:
        out.print("No rule speaks about part-worths in a category with items.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("rule, and what the data say", overflow="fold")
    for name in ("sure", "data", "evidence", "choices"):
        table.add_column(name, justify="right", no_wrap=True)
    for f in found:
        table.add_row(
            f"[{COLOURS[f.verdict]}]{f.verdict}[/]",
            f"[bold]{escape(f.rule)}[/]: {escape(f.sentence)}\n[dim]{escape(f.instead)}[/]",
            f"{f.sure:.2f}",
            f"{f.data:.3f}",
            f"{f.evidence:+.1f}",
            f"{f.choices:,}",
            end_section=True,
        )
    out.print(table)
    out.print(
        "data: probability that the rule holds, from the choices alone. "
        "evidence: logarithm of the Bayes factor for it."
    )
    out.print(
        f"{len(found)} rules, weights {escape(weights.version)}; "
        f"chance alone would contradict about {len(found) * CHANCE:.1f} that are right."
    )
