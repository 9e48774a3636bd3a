"""``kgrank facets``: which filters to show, and in what order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from kgrank.cli.common import out, print_answer
from kgrank.cli.options import Category, Json, Language, Store, User, opened, print_shopper, table
from kgrank.cli.query_options import Events, Filters, QueryOptions, SessionFile, Text
from kgrank.cli.ranking.words import word

if TYPE_CHECKING:
    from kgrank.ranking.answers import Facets

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
    """Order the filters of a category, and the values in each, by what they decide.

    Example: kgrank facets dresses --filter price=..60 --event view:dresses-001
    """
    from kgrank.ranking.answers import for_user
    from kgrank.ranking.page.facets import facets

    options = QueryOptions(
        category=category,
        text=text,
        filters=filters or (),
        session=session,
        events=events or (),
        language=language,
    )
    with opened(store, user, history=options.history) as (shop, tastes):
        answer = for_user(facets(shop, options.query(shop, tastes)), user, tastes)
        name = shop.ontology.categories[answer.category].name(language)
    if json:
        print_answer(answer)
        return
    _print(answer, name, language)
    print_shopper(user, tastes, language)


def _print(answer: Facets, name: str, language: str) -> None:
    decides = word("decides", language)
    rows = table(word("filter", language), decides, word("values", language), right={decides})
    for facet in answer.facets:
        values = ", ".join(f"{escape(v.name)} {v.share:.0%}" for v in facet.values[:SHOWN])
        others = len(facet.values) - SHOWN
        more = word("more", language, count=others) if others > 0 else ""
        rows.add_row(escape(facet.name), f"{facet.decides:.3f}", values + more)
    out.print(word("filters for", language, name=escape(name), items=answer.item_count))
    out.print(rows)
    for line in (
        *(f.reason for f in answer.facets),
        *(f.reason for f in answer.left_out),
        *answer.notes,
    ):
        out.print(escape(line))


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("facets")(facets_command)
