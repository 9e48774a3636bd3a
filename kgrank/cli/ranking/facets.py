"""``kgrank facets``: which filters to show, and in what order."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.markup import escape

from kgrank.cli.common import out, print_json
from kgrank.cli.options import Category, Json, Language, Store, User, opened, print_whose, table, whose_json
from kgrank.cli.query_options import Events, Filters, QueryOptions, SessionFile, Text

SHOWN = 6
"""Values that are shown of each filter."""


def facets_command(
    category: Category,
    store: Store = None,
    text: Text = None,
    filters: Filters = None,
    user: User = None,
    session: SessionFile = None,
    events: Events = None,
    language: Language = "en",
    json: Json = False,
) -> None:
    """Order the filters of a category, and the values in each, by what they decide here and now.

    Example: kgrank facets dresses --filter price=..60 --event view:dresses-001
    """
    from kgrank.ranking.page.facets import facets

    asked = QueryOptions(
        category, text, filters or (), session=session, events=events or (), language=language
    )
    with opened(store, user, history=asked.history) as (shop, own):
        found = facets(shop, asked.query(shop, own))
        name = shop.ontology.categories[category].name(language)
    if json:
        print_json({**asdict(found), **whose_json(user, own)})
        return
    rows = table("filter", "decides", "values", right={"decides"})
    for one in found.facets:
        values = ", ".join(f"{escape(v.name)} {v.share:.0%}" for v in one.values[:SHOWN])
        more = f", {len(one.values) - SHOWN} more" if len(one.values) > SHOWN else ""
        rows.add_row(escape(one.name), f"{one.decides:.3f}", values + more)
    out.print(f"[bold]{escape(name)}[/]: filters for {found.item_count:,} items")
    out.print(rows)
    for said in (*(f.reason for f in found.facets), *(f.reason for f in found.left_out), *found.notes):
        out.print(escape(said))
    print_whose(user, own)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("facets")(facets_command)
