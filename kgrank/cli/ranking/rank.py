"""``kgrank rank``: one page of a ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kgrank.cli.common import err, out, print_answer
from kgrank.cli.options import After, Json, Language, Segment, Store, User, opened, print_shopper, table
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
from kgrank.cli.ranking.words import word

if TYPE_CHECKING:
    from kgrank.ranking.answers import Contribution, RankedItem, Ranking

TOP_REASONS, TOP_SHIFTS = 3, 3
LEAST = 0.005
"""Logits from which on a reason is shown."""


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
    segment: Segment = None,
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
    with opened(store, user, history=options.history, segment=segment) as (shop, tastes):
        answer = for_user(ranking(shop, options.query(shop, tastes), shifts=True), user, tastes)
        name = shop.ontology.categories[answer.category].name(language)
    if json:
        print_answer(answer)
        return
    _print(answer, name, reasons, language)
    # Of a shopper of whom nothing is known, the page's own notes say so.
    if tastes and tastes.is_known:
        print_shopper(user, tastes, language)


def _print(answer: Ranking, name: str, reasons: bool, language: str) -> None:
    for note in answer.notes:
        err.print(escape(note))
    if answer.item_count and not answer.items:
        parts = {"name": escape(name), "page": answer.page, "items": answer.item_count}
        err.print(word("no page", language, **parts))
    if not answer.items:
        return
    out.print(_table(answer, reasons, language))
    counts = {"shown": len(answer.items), "items": answer.item_count}
    out.print(word("page", language, **counts, name=escape(name), version=escape(answer.version)))
    for shift in answer.shifts[:TOP_SHIFTS]:
        out.print(escape(shift.sentence))
    for left_out in answer.left_out:
        out.print(escape(f"{left_out.target}: {left_out.reason} ({left_out.item_count:,})"))


def _table(answer: Ranking, reasons: bool, language: str) -> Table:
    score = word("score", language)
    rows = table("#", word("item", language), word("title", language), score, right={"#", score})
    curated = any(item.reasons for item in answer.items)
    if reasons:
        rows.add_column(word("reasons", language))
    if curated:
        rows.add_column(word("curated", language))
    usual = _means(answer.items)
    for item in answer.items:
        cells = [str(item.position), escape(item.item), escape(item.title), f"{item.score:+.3f}"]
        cells += [_strongest(item.contributions, usual)] * reasons
        cells += [escape("; ".join(item.reasons))] * curated
        rows.add_row(*cells)
    return rows


def _means(items: Sequence[RankedItem]) -> dict[str, float]:
    """By the name of each term of a history, the mean of what it adds to the items; none for a single item.

    Attributes are measured against the average item already.
    """
    added: dict[str, float] = {}
    for part in (c for item in items if len(items) > 1 for c in item.contributions if c.kind == "term"):
        added[part.name] = added.get(part.name, 0.0) + part.logits / len(items)
    return added


def _strongest(parts: Sequence[Contribution], usual: Mapping[str, float]) -> str:
    """The reasons that set an item apart from the others of the list: what all have alike is none."""
    differences = [(c.logits - usual.get(c.name, 0.0), c.words) for c in parts]
    reasons = [(x, words) for x, words in sorted(differences, key=lambda d: -abs(d[0])) if abs(x) >= LEAST]
    return "; ".join(f"{escape(words)} {signed(x)}" for x, words in reasons[:TOP_REASONS])


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("rank")(rank_command)
