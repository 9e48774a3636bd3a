"""``kgrank rank``: one page of a ranking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kgrank.cli.common import err, out, print_answer
from kgrank.cli.options import After, Json, Language, Store, User, opened, print_shopper, table
from kgrank.cli.query_options import (
    CurationFile,
    Diversity,
    Events,
    Exposure,
    Filters,
    Items,
    QueryOptions,
    SessionFile,
    Text,
)
from kgrank.cli.ranking.numbers import signed

if TYPE_CHECKING:
    from kgrank.ranking.answers import Contribution, Ranking

TOP_REASONS, TOP_SHIFTS = 3, 3


def rank_command(
    category: Annotated[
        str | None,
        typer.Argument(metavar="CATEGORY", help="Id or name of the category; optional with --query."),
    ] = None,
    store: Store = None,
    text: Text = None,
    filters: Filters = None,
    items: Items = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many items.")] = 10,
    page: Annotated[int, typer.Option(min=1, help="The first, second, … so many items.")] = 1,
    after: After = None,
    user: User = None,
    session: SessionFile = None,
    events: Events = None,
    curation: CurationFile = None,
    exposure: Exposure = False,
    diversity: Diversity = 0.0,
    reasons: Annotated[bool, typer.Option("--explain", help="Add each item's strongest reasons.")] = False,
    language: Language = "en",
    json: Json = False,
) -> None:
    """Rank the items of a category and all below it, or those that words find.

    Example: kgrank rank dresses --store demo-shop/graph.lb --limit 5 --explain

    Example: kgrank rank --query "red linen" --event view:dresses-001 --filter price=..80
    """
    from kgrank.ranking.answers import for_user
    from kgrank.ranking.page.document import ranking

    options = QueryOptions(
        category=category,
        text=text,
        filters=filters or (),
        items=items or (),
        after=after or (),
        session=session,
        events=events or (),
        curation=curation,
        exposure=exposure,
        diversity=diversity,
        page=page,
        size=limit,
        language=language,
    )
    with opened(store, user, history=options.history) as (shop, tastes):
        answer = for_user(ranking(shop, options.query(shop, tastes), shifts=True), user, tastes)
        name = shop.ontology.categories[answer.category].name(language)
    if json:
        print_answer(answer)
        return
    _print(answer, name, reasons)
    # Of a shopper without choices, the page's own notes say so.
    if tastes and tastes.choices:
        print_shopper(user, tastes)


def _print(answer: Ranking, name: str, reasons: bool) -> None:
    for note in answer.notes:
        err.print(escape(note))
    if answer.item_count and not answer.items:
        err.print(f"{escape(name)} has no page {answer.page}: it has {answer.item_count:,} items.")
    if not answer.items:
        return
    out.print(_table(answer, reasons))
    out.print(
        f"{len(answer.items)} of {answer.item_count:,} items in {escape(name)}, "
        f"weights {escape(answer.version)}."
    )
    for shift in answer.shifts[:TOP_SHIFTS]:
        out.print(escape(shift.sentence))
    for left_out in answer.left_out:
        out.print(escape(f"{left_out.target}: {left_out.reason} ({left_out.item_count:,})"))


def _table(answer: Ranking, reasons: bool) -> Table:
    rows = table("#", "item", "title", "score", right={"#", "score"})
    curated = any(item.reasons for item in answer.items)
    if reasons:
        rows.add_column("strongest reasons")
    if curated:
        rows.add_column("stands here because")
    for item in answer.items:
        cells = [str(item.position), escape(item.item), escape(item.title), f"{item.score:+.3f}"]
        cells += [_strongest(item.contributions)] * reasons
        cells += [escape("; ".join(item.reasons))] * curated
        rows.add_row(*cells)
    return rows


def _strongest(parts: tuple[Contribution, ...]) -> str:
    strongest = [c for c in parts if c.logits][:TOP_REASONS]
    return "; ".join(f"{escape(c.words)} {signed(c.logits)}" for c in strongest)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("rank")(rank_command)
