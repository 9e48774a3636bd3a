"""``kgrank rank``, ``importance`` and ``explain``: what is learned, put to use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from kgrank.cli.common import err, out, print_json
from kgrank.errors import InputError
from kgrank.graph.connect import open_store
from kgrank.ranking import (
    AttributeImportance,
    Contribution,
    Explanation,
    Importance,
    RankedItem,
    Shop,
    explain,
    importance,
    open_shop,
    rank,
)

if TYPE_CHECKING:
    from kgrank.choice.request import PersonTastes

STORE = "KGRANK_STORE"
DEMO = Path("demo-shop/graph.lb")

Category = Annotated[str, typer.Argument(metavar="CATEGORY", help="Id of the category.")]
Store = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        envvar=STORE,
        help=f"A file, or bolt://host:7687. Without it {DEMO}, if there is one.",
    ),
]
After = Annotated[
    list[str] | None,
    typer.Option(metavar="ITEM", help="An item looked at before; repeat it, the oldest first."),
]
User = Annotated[
    str | None,
    typer.Option(metavar="USER", help="For one shopper: their own weights, from their events in the store."),
]
Language = Annotated[str, typer.Option(help="Of names and sentences: en or zh.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]

TOP_REASONS = 3
_BAR = 8
_CONCERNS = 10


def rank_command(
    category: Category,
    store: Store = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many items.")] = 10,
    after: After = None,
    user: User = None,
    reasons: Annotated[bool, typer.Option("--explain", help="Add each item's strongest reasons.")] = False,
    language: Language = "en",
    json: Json = False,
) -> None:
    """Rank the items of a category and all below it.

    Example: kgrank rank dresses --store demo-shop/graph.lb --limit 5 --explain
    """
    with _shop(store, user) as (shop, own):
        person = own.deviations if own else None
        ranked = rank(shop, category, limit=limit, history=after or (), person=person, language=language)
        name = shop.ontology.categories[category].name(language)
        items, version = len(shop.scores(category).members), shop.weights.version
    if json:
        head = {"category": category, "items": items, "weights": version, **_whose_json(user, own)}
        print_json({**head, "ranking": _plain(ranked)})
    elif not ranked:
        err.print(f"{escape(name)} has no items.")
    else:
        out.print(_ranking(ranked, reasons))
        out.print(f"{len(ranked)} of {items:,} items in {escape(name)}, weights {escape(version)}.")
        _print_whose(user, own)


def importance_command(
    category: Category,
    store: Store = None,
    user: User = None,
    language: Language = "en",
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw it: a .png, .svg or .pdf file.")
    ] = None,
    json: Json = False,
) -> None:
    """Show how much each attribute matters in a category, beside what the rules say.

    Example: kgrank importance dresses --store demo-shop/graph.lb --chart importance.png
    """
    with _shop(store, user) as (shop, own):
        found = importance(shop, category, language, person=own.deviations if own else None)
        if chart is not None:
            from kgrank.plots import importance_plot

            importance_plot(shop.weights, category, shop.ontology, language=language, path=chart)
    if json:
        print_json({**asdict(found), **_whose_json(user, own)})
    else:
        _print_importance(found)
        _print_whose(user, own)
        if chart is not None:
            out.print(f"Chart: {escape(str(chart))}")


def explain_command(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Id of the item.")],
    category: Annotated[str, typer.Option(metavar="CATEGORY", help="The category that is ranked.")],
    store: Store = None,
    after: After = None,
    user: User = None,
    language: Language = "en",
    json: Json = False,
) -> None:
    """Say why an item stands where it does in a category.

    Example: kgrank explain item-0042 --category dresses --store demo-shop/graph.lb
    """
    with _shop(store, user) as (shop, own):
        person = own.deviations if own else None
        found = explain(shop, item, category, history=after or (), person=person, language=language)
    if json:
        print_json({**asdict(found), **_whose_json(user, own)})
    else:
        _print_explanation(found)
        _print_whose(user, own)


def register(app: typer.Typer) -> None:
    """Adds the three commands."""
    app.command("rank")(rank_command)
    app.command("importance")(importance_command)
    app.command("explain")(explain_command)


@contextmanager
def _shop(address: str | None, user: str | None = None) -> Iterator[tuple[Shop, PersonTastes | None]]:
    """The shop at an address, and a user's own tastes; its store is given back at once."""
    own = None
    with open_store(address or default_store()) as store:
        shop = open_shop(store)
        if user is not None:
            from kgrank.ranking.person import read_person

            own = read_person(store, shop, user)
    yield shop, own


def default_store() -> str:
    """The demo's store.

    Raises:
        InputError: There is none.
    """
    if DEMO.exists():
        return str(DEMO)
    raise InputError(
        "no store is named",
        expected=f"--store ADDRESS, the environment variable {STORE}, or {DEMO}",
        todo=f"Make the demo's with `kgrank demo build {DEMO.parent}`, then `kgrank load`",
    )


def _whose_json(user: str | None, own: PersonTastes | None) -> dict[str, object]:
    return {"user": user, "user_choices": own.choices} if own else {}


def _print_whose(user: str | None, own: PersonTastes | None) -> None:
    if own and own.choices:
        out.print(f"For {escape(user or '')}, by {own.choices:,} of their own choices.")
    elif own:
        out.print(f"Note: nothing tells the tastes of {escape(user or '')}: by the average shopper's.")


def _plain(ranked: list[RankedItem]) -> list[dict[str, object]]:
    return [{"position": k, **asdict(r)} for k, r in enumerate(ranked, 1)]


def _ranking(ranked: list[RankedItem], reasons: bool) -> Table:
    table = _table("#", "item", "title", "score", right={"#", "score"})
    if reasons:
        table.add_column("strongest reasons")
    for k, r in enumerate(ranked, 1):
        cells = [str(k), escape(r.item), escape(r.title), f"{r.score:+.3f}"]
        table.add_row(*cells, *([_reasons(r.contributions)] if reasons else []))
    return table


def _reasons(parts: tuple[Contribution, ...]) -> str:
    strongest = [c for c in parts if c.amount][:TOP_REASONS]
    return "; ".join(f"{escape(c.words)} {_signed(c.amount)}" for c in strongest)


def _print_importance(found: Importance) -> None:
    people = any(a.shoppers is not None for a in found.attributes)
    own = any(a.person is not None for a in found.attributes)
    # A line has room for two more shares: a person's own come before those without rules.
    free = any(a.without_rules is not None for a in found.attributes) and not (own and people)
    extra = ["own"] * own + ["shoppers'\naverage"] * people + ["without\nrules"] * free
    right = {"weight", "95% interval", *extra}
    table = _table("attribute", "weight", "", "95% interval", *extra, "rules say", right=right)
    table.columns[2].min_width, table.columns[3].min_width = _BAR, len("0.000–0.000")
    widest = max((a.weight for a in found.attributes), default=1.0)
    for a in found.attributes:
        cells = [escape(a.name), f"{a.weight:.3f}", "█" * round(_BAR * a.weight / widest)]
        cells.append(f"{a.low:.3f}–{a.high:.3f}")
        cells += [_share(a.person)] * own + [_share(a.shoppers)] * people + [_share(a.without_rules)] * free
        table.add_row(*cells, escape("; ".join(s.short for s in a.rules)))
    out.print(f"[bold]{escape(found.name)}[/]: what decides here")
    out.print(table)
    whose = f"{found.choices:,} choices of {found.people:,} shoppers"
    out.print(f"Learned from {whose}." if found.source == "choices" else "Learned from other categories.")
    _print_findings(found.attributes)
    for note in found.notes:
        out.print(f"Note: {escape(note)}")
    for concern in found.concerns[:_CONCERNS]:
        out.print(f"[bold]Warning[/]: {escape(concern.sentence)}")
    if len(found.concerns) > _CONCERNS:
        out.print(f"[bold]Warning[/]: {len(found.concerns) - _CONCERNS:,} more; --json shows all.")


def _print_findings(attributes: tuple[AttributeImportance, ...]) -> None:
    statements = {s.rule: s for a in attributes for s in a.rules}
    for said in statements.values():
        verdict = f" [bold]{escape(said.finding.verdict)}[/]:" if said.finding else ""
        instead = f" {escape(said.finding.instead)}" if said.finding and said.finding.instead else ""
        out.print(f"Rule {escape(said.rule)}:{verdict} {escape(said.sentence)}{instead}")


def _print_explanation(found: Explanation) -> None:
    out.print(escape(found.sentence))
    table = _table(
        "attribute", "value", "adds", "better than", "weight", right={"adds", "better than", "weight"}
    )
    for reason in found.attributes:
        table.add_row(
            escape(reason.name),
            escape(reason.words),
            _signed(reason.amount),
            f"{reason.better_than:.0%}",
            f"{reason.weight:.3f}",
        )
    for term in found.terms:
        table.add_row(escape(term.name), escape(term.words), _signed(term.amount), "", "")
    table.add_section()
    table.add_row("score", "", f"[bold]{_signed(found.score)}[/]", "", "")
    out.print(table)
    for reason in found.attributes:
        out.print(escape(reason.sentence))


def _table(*columns: str, right: set[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left")
    return table


def _signed(amount: float) -> str:
    return f"{amount:+.3f}" if amount else "0"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
