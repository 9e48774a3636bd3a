"""``kgrank demo``: the groceries; a generated shop, and what was learned of it beside its truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from kgrank.cli.common import Chart, out, print_json, waiting
from kgrank.cli.learning.demo_groceries import groceries
from kgrank.cli.learning.demo_run import STORE, run

if TYPE_CHECKING:
    from kgrank.demo.report import CategoryReport, DemoReport
    from kgrank.weights.model import RuleFinding

app = typer.Typer(
    help="A supermarket's purchases, or a generated shop with a known truth: see what is learned of them.",
    no_args_is_help=True,
)

app.command()(groceries)
app.command()(run)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the demo shop.")]


@app.command()
def build(
    folder: Folder,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same shop.")] = 7,
) -> None:
    """Write the demo shop's files: items, events, and the truth they were generated from.

    Example: kgrank demo build demo-shop
    """
    from kgrank.demo.files import refuse_other_files, write
    from kgrank.demo.shop import generate

    refuse_other_files(folder)
    with waiting("generating the shop"):
        shop = generate(seed)
        write(shop, folder)
    people = shop.events["user"].n_unique()
    place = escape(str(folder))
    out.print(
        f"Generated shop in {place} (seed {seed}): "
        f"{len(shop.items):,} items, {people:,} shoppers, {len(shop.events):,} events."
    )
    out.print(f"Next: kgrank load {place} --ontology fashion --store {place}/graph.lb")


@app.command()
def report(
    folder: Folder,
    weights: Annotated[Path, typer.Option(metavar="FILE", help="The learned weights.")],
    ontology: Annotated[Path, typer.Option(metavar="DIR", help="The shop's ontology.")] = Path("fashion"),
    chart: Chart = None,
    category: Annotated[str, typer.Option(help="The category that the chart shows.")] = "dresses",
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Compare learned importance with the demo shop's truth, beside what the rules say.

    Example: kgrank demo report demo-shop --weights demo-shop/out/weights.json
    """
    from kgrank.demo.report import compare
    from kgrank.ontology.read import read_ontology
    from kgrank.weights.artefact import read_weights

    rules = read_ontology(ontology)
    learned = read_weights(weights)
    comparison = compare(folder, learned, rules)
    if chart is not None:
        from kgrank.plots import importance_plot

        truth = {
            x.learned.attribute: x.truth
            for c in comparison.categories
            if c.category == category
            for x in c.lines
        }
        importance_plot(learned, category, rules, truth, chart)
    if json:
        print_json(comparison.as_json())
        return
    for part in comparison.categories:
        _print_category(part)
    _print_summary(comparison)
    if comparison.findings:
        _print_findings(comparison.findings)
    if chart is not None:
        out.print(f"Chart of {escape(category)}: {escape(str(chart))}\n")
    _print_next(comparison, folder)


def _print_category(part: CategoryReport) -> None:
    people = part.l1_shoppers is not None
    columns = ["learned", "95% interval", "truth", *["shoppers'\naverage", "truth"] * people]
    table = _table(part.name, right=columns)
    table.columns[2].min_width = len("0.000–0.000")
    table.add_column("rules say")
    for line in part.lines:
        a = line.learned
        cells = [f"{a.share:.3f}", f"{a.lower:.3f}–{a.upper:.3f}", f"{line.truth:.3f}"]
        if a.shoppers is not None and people:
            cells += [f"{a.shoppers:.3f}", f"{line.shoppers_truth:.3f}"]
        table.add_row(escape(a.name), *cells, escape("; ".join(s.short for s in a.rules)))
    out.print(table)


def _print_summary(comparison: DemoReport) -> None:
    people = comparison.l1_shoppers is not None
    table = _table("L1, learned to truth", right=["average shopper", *["average of shoppers"] * people])
    for part in comparison.categories:
        table.add_row(escape(part.name), *_figures(part.l1, part.l1_shoppers))
    table.add_section()
    table.add_row("[bold]mean[/]", *_figures(comparison.l1, comparison.l1_shoppers))
    out.print(table)
    out.print(
        "The shop is generated, so the truth is known. L1 is the sum of the absolute differences of the "
        f"shares. {comparison.covered:.0%} of the 95% intervals hold the truth.\n"
    )


def _figures(average: float, shoppers: float | None) -> list[str]:
    return [f"{x:.3f}" for x in (average, shoppers) if x is not None]


def _print_findings(findings: tuple[RuleFinding, ...]) -> None:
    table = _table("verdict", right=[])
    table.add_column("rule, and what the data say")
    for name in ("before", "after"):
        table.add_column(name, justify="right", no_wrap=True)
    for f in findings:
        text = f"{escape(f.sentence)}\n[dim]{escape(f.instead)}[/]"
        table.add_row(
            escape(f.verdict), text, f"{f.confidence:.2f}", f"{f.prob_posterior:.2f}", end_section=True
        )
    out.print(table)
    out.print("Before and after the data: the probability that the rule holds.\n")


def _print_next(comparison: DemoReport, folder: Path) -> None:
    category = comparison.categories[0].category
    store = f"--store {escape(str(folder / STORE))}"
    out.print("[bold]Three things to try next[/]")
    out.print(f"1. Ask why: kgrank explain {category}-001 --category {category} {store}")
    out.print(f"2. Disagree: kgrank audit {store}, then kgrank help rules, to try a rule of your own")
    out.print("3. Bring your own shop: kgrank help file-schemas\n")


def _table(first: str, *, right: list[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right")
    return table
