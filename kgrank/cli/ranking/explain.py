"""``kgrank explain``: why an item has its position, and what would change that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from kgrank.cli.common import out, print_answer
from kgrank.cli.options import After, Json, Language, Store, User, opened, print_shopper, table
from kgrank.cli.query_options import Events, QueryOptions, SessionFile
from kgrank.cli.ranking.numbers import signed
from kgrank.cli.ranking.words import word

if TYPE_CHECKING:
    from kgrank.ranking.answers import Explanation, LikingReason


def explain_command(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Id of the item.")],
    category: Annotated[
        str | None,
        typer.Option(metavar="CATEGORY", help="The category that is ranked; the item's own by default."),
    ] = None,
    store: Store = None,
    over: Annotated[str | None, typer.Option(metavar="ITEM", help="Say why it ranks above this one.")] = None,
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
    """Say why an item has its position in a category, is above another, or is not among the first.

    Example: kgrank explain dresses-001 --store demo-shop/graph.lb

    Example: kgrank explain dresses-001 --category dresses --over dresses-002 --into 10
    """
    from kgrank.ranking.answers import for_user
    from kgrank.ranking.catalogue.shop import own_category
    from kgrank.ranking.explain.item import explain_query

    history = bool(after or session or events)
    with opened(store, user, history=history) as (shop, tastes):
        options = QueryOptions(
            category=category or own_category(shop, item),
            after=after or (),
            session=session,
            events=events or (),
            language=language,
        )
        query = options.query(shop, tastes)
        answer = for_user(explain_query(shop, query, item, over=over, into=into), user, tastes)
    if json:
        print_answer(answer)
        return
    _print(answer, language)
    if answer.comparison is not None:
        out.print(escape(answer.comparison.sentence))
        for part in answer.comparison.parts:
            out.print(f"  {escape(part.sentence)}")
    if answer.counterfactuals is not None:
        sufficient = [c.sentence for c in answer.counterfactuals.counterfactuals]
        for sentence in sufficient or [answer.counterfactuals.sentence]:
            out.print(escape(sentence))
    print_shopper(user, tastes, language)


def _print(answer: Explanation, language: str) -> None:
    out.print(escape(answer.sentence))
    names = [word(key, language) for key in ("attribute", "value", "adds", "better than", "weight")]
    rows = table(*names, right=set(names[2:]))
    for reason in answer.attributes:
        rows.add_row(
            escape(reason.name),
            escape(reason.words),
            signed(reason.logits),
            f"{reason.better_than:.0%}",
            f"{reason.share:.3f}",
        )
    for term in answer.terms:
        rows.add_row(escape(term.name), escape(term.words), signed(term.logits), "", "")
    rows.add_section()
    rows.add_row(word("score", language), "", f"[bold]{signed(answer.score)}[/]", "", "")
    out.print(rows)
    for reason in answer.attributes:
        out.print(escape(reason.sentence))
    if answer.liking is not None:
        _print_liking(answer.liking, language)


def _print_liking(liking: LikingReason, language: str) -> None:
    """What each bought item adds to the term, a line each."""
    out.print(word("liking", language, logits=signed(liking.logits)))
    lines = [(bought.logits, bought.sentence) for bought in liking.bought]
    if liking.other_sentence is not None:
        lines.append((liking.other_logits, liking.other_sentence))
    for logits, sentence in (*lines, (liking.average_logits, liking.average_sentence)):
        out.print(f"  {signed(logits)} {escape(sentence)}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("explain")(explain_command)
