"""``kgrank rank``, ``importance`` and ``explain``: what is learned, put to use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from kgrank.cli.common import Chart, err, out, print_json
from kgrank.cli.options import (
    After,
    Category,
    Json,
    Language,
    Store,
    User,
    opened,
    print_whose,
    table,
    whose_json,
)
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

if TYPE_CHECKING:
    from kgrank.ranking import (
        AttributeImportance,
        Contribution,
        Explanation,
        Importance,
        Query,
        RankedPage,
        Shop,
    )
    from kgrank.ranking.shopper.shifts import Shift


TOP_REASONS, TOP_SHIFTS = 3, 3
_BAR = 8
_CONCERNS = 10


def rank_command(
    category: Annotated[
        str | None, typer.Argument(metavar="CATEGORY", help="Id of the category; optional with --query.")
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
    from kgrank.ranking import answer

    asked = QueryOptions(
        category,
        text,
        filters or (),
        items or (),
        after or (),
        session,
        events or (),
        curation,
        exposure,
        diversity,
        page,
        limit,
        language,
    )
    with opened(store, user, history=asked.history) as (shop, own):
        query = asked.query(shop, own)
        found = answer(shop, query)
        name = shop.ontology.categories[found.category].name(language)
        moved = _moved(shop, query, found)
    if json:
        head = {"category": found.category, "items": found.item_count, "weights": found.version}
        notes = {"page": page, "notes": found.notes, "left_out": [asdict(x) for x in found.left_out]}
        shifts = {"session": [asdict(s) for s in moved]} if query.session else {}
        print_json({**head, **whose_json(user, own), **notes, **shifts, "ranking": _plain(found)})
        return
    _print_page(found, name, moved, reasons)
    # Of somebody whose tastes nothing tells, the page's own notes say so.
    if own and own.choices:
        print_whose(user, own)


def _print_page(found: RankedPage, name: str, moved: Sequence[Shift], reasons: bool) -> None:
    for note in found.notes:
        err.print(escape(note))
    if found.item_count and not found.ids:
        err.print(f"{escape(name)} has no page {found.page}: it has {found.item_count:,} items.")
    if not found.ids:
        return
    out.print(_ranking(found, reasons))
    out.print(
        f"{len(found.ids)} of {found.item_count:,} items in {escape(name)}, weights {escape(found.version)}."
    )
    for said in moved[:TOP_SHIFTS]:
        out.print(escape(said.sentence))
    for gone in found.left_out:
        out.print(escape(f"{gone.target}: {gone.reason} ({gone.item_count:,})"))


def _moved(shop: Shop, query: Query, found: RankedPage) -> tuple[Shift, ...]:
    """What the session moved by as much as is worth telling."""
    if query.session is None or not query.session.events:
        return ()
    from kgrank.ranking.shopper.shifts import SHOWN, shifts

    moved = shifts(shop, query.session, found.category, query.language)
    return tuple(s for s in moved if abs(s.share_after - s.share_before) >= SHOWN)


def importance_command(
    category: Category,
    store: Store = None,
    user: User = None,
    language: Language = "en",
    chart: Chart = None,
    json: Json = False,
) -> None:
    """Show how much each attribute matters in a category, beside what the rules say.

    Example: kgrank importance dresses --store demo-shop/graph.lb --chart importance.png
    """
    from kgrank.ranking import importance

    with opened(store, user, history=False) as (shop, own):
        found = importance(shop, category, language, person=own.deviations if own else None)
        if chart is not None:
            from kgrank.plots import importance_plot

            importance_plot(shop.weights, category, shop.ontology, language=language, path=chart)
    if json:
        print_json({**asdict(found), **whose_json(user, own)})
    else:
        _print_importance(found)
        print_whose(user, own)
        if chart is not None:
            out.print(f"Chart: {escape(str(chart))}")


def explain_command(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Id of the item.")],
    category: Annotated[str, typer.Option(metavar="CATEGORY", help="The category that is ranked.")],
    store: Store = None,
    over: Annotated[
        str | None, typer.Option(metavar="ITEM", help="Say why it stands above this one.")
    ] = None,
    into: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Say what would bring it into the first N.")
    ] = None,
    after: After = None,
    user: User = None,
    session: SessionFile = None,
    events: Events = None,
    language: Language = "en",
    json: Json = False,
) -> None:
    """Say why an item stands where it does in a category, above another, or not in the first places.

    Example: kgrank explain item-0042 --category dresses --store demo-shop/graph.lb

    Example: kgrank explain dresses-001 --category dresses --over dresses-002 --into 10
    """
    from kgrank.ranking import explain

    # Only comparisons need scipy.
    from kgrank.ranking.explain.compare import compare
    from kgrank.ranking.explain.counterfactuals import counterfactuals

    asked = QueryOptions(category, after=after or (), session=session, events=events or (), language=language)
    with opened(store, user, history=asked.history) as (shop, own):
        query = asked.query(shop, own)
        found = explain(
            shop,
            item,
            category,
            history=after or (),
            person=own.deviations if own else None,
            session=query.session,
            language=language,
        )
        against = compare(shop, query, item, over) if over is not None else None
        ways = counterfactuals(shop, query, item, into) if into is not None else None
    if json:
        more = {"over": against and asdict(against), "into": ways and asdict(ways)}
        print_json({**asdict(found), **whose_json(user, own), **more})
        return
    _print_explanation(found)
    if against is not None:
        out.print(escape(against.sentence))
        for part in against.parts:
            out.print(f"  {escape(part.sentence)}")
    if ways is not None:
        for said in [w.sentence for w in ways.counterfactuals] or [ways.sentence]:
            out.print(escape(said))
    print_whose(user, own)


def register(app: typer.Typer) -> None:
    """Adds the three commands."""
    app.command("rank")(rank_command)
    app.command("importance")(importance_command)
    app.command("explain")(explain_command)


def _plain(found: RankedPage) -> list[dict[str, object]]:
    first = (found.page - 1) * found.size + 1
    return [{"position": k, **asdict(r)} for k, r in enumerate(found.items, first)]


def _ranking(found: RankedPage, reasons: bool) -> Table:
    rows = table("#", "item", "title", "score", right={"#", "score"})
    curated = any(r.reasons for r in found.items)
    if reasons:
        rows.add_column("strongest reasons")
    if curated:
        rows.add_column("stands here because")
    for k, r in enumerate(found.items, (found.page - 1) * found.size + 1):
        cells = [str(k), escape(r.item), escape(r.title), f"{r.score:+.3f}"]
        cells += [_reasons(r.contributions)] * reasons + [escape("; ".join(r.reasons))] * curated
        rows.add_row(*cells)
    return rows


def _reasons(parts: tuple[Contribution, ...]) -> str:
    strongest = [c for c in parts if c.logits][:TOP_REASONS]
    return "; ".join(f"{escape(c.words)} {_signed(c.logits)}" for c in strongest)


def _print_importance(found: Importance) -> None:
    people = any(a.shoppers is not None for a in found.attributes)
    own = any(a.person is not None for a in found.attributes)
    # A line has room for two more shares: a person's own come before those without rules.
    free = any(a.without_rules is not None for a in found.attributes) and not (own and people)
    extra = ["own"] * own + ["shoppers'\naverage"] * people + ["without\nrules"] * free
    right = {"weight", "95% interval", *extra}
    rows = table("attribute", "weight", "", "95% interval", *extra, "rules say", right=right)
    rows.columns[2].min_width, rows.columns[3].min_width = _BAR, len("0.000–0.000")
    widest = max((a.share for a in found.attributes), default=1.0)
    for a in found.attributes:
        cells = [escape(a.name), f"{a.share:.3f}", "█" * round(_BAR * a.share / widest)]
        cells.append(f"{a.lower:.3f}–{a.upper:.3f}")
        cells += [_share(a.person)] * own + [_share(a.shoppers)] * people + [_share(a.without_rules)] * free
        rows.add_row(*cells, escape("; ".join(s.short for s in a.rules)))
    out.print(f"[bold]{escape(found.name)}[/]: what decides here")
    out.print(rows)
    whose = f"{found.choice_count:,} choices of {found.person_count:,} shoppers"
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
    rows = table(
        "attribute", "value", "adds", "better than", "weight", right={"adds", "better than", "weight"}
    )
    for reason in found.attributes:
        rows.add_row(
            escape(reason.name),
            escape(reason.words),
            _signed(reason.logits),
            f"{reason.better_than:.0%}",
            f"{reason.share:.3f}",
        )
    for term in found.terms:
        rows.add_row(escape(term.name), escape(term.words), _signed(term.logits), "", "")
    rows.add_section()
    rows.add_row("score", "", f"[bold]{_signed(found.score)}[/]", "", "")
    out.print(rows)
    for reason in found.attributes:
        out.print(escape(reason.sentence))


def _signed(amount: float) -> str:
    return f"{amount:+.3f}" if amount else "0"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
