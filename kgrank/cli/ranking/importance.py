"""``kgrank importance``: how much each attribute matters in a category."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from kgrank.cli.audit.words import word as audit_word
from kgrank.cli.common import Chart, out, print_answer
from kgrank.cli.options import Category, Json, Language, Segment, Store, User, opened, print_shopper, table
from kgrank.cli.ranking.words import word
from kgrank.weights.concerns import HEADS, by_kind, in_full_and_counted

if TYPE_CHECKING:
    from kgrank.ranking.answers import AttributeImportance, Importance
    from kgrank.weights.model import Concern

_BAR = 8
_CONCERNS = 10


def importance_command(
    category: Category,
    store: Store = None,
    user: User = None,
    segment: Segment = None,
    language: Language = "en",
    chart: Chart = None,
    json: Json = False,
) -> None:
    """Show how much each attribute matters in a category, beside what the rules say.

    Example: kgrank importance dresses --store demo-shop/graph.lb --chart importance.png
    """
    from kgrank.ranking.answers import for_user
    from kgrank.ranking.catalogue.category_names import category_id
    from kgrank.ranking.explain.importance import importance
    from kgrank.ranking.page.answer import segment_note

    with opened(store, user, history=False, purchases=False) as (shop, tastes):
        category = category_id(shop.ontology, category)
        person = tastes.deviations_in(category) if tastes else None
        average = importance(shop, category, language, person=person, segment=segment)
        named = average.segment or (tastes.segment if tastes and not tastes.choices else None)
        whose = segment_note(shop, named, language) if named else None
        answer = for_user(average, user, tastes)
        if chart is not None:
            from kgrank.plots import importance_plot

            importance_plot(shop.weights, category, shop.ontology, language=language, path=chart)
    if json:
        print_answer(answer)
        return
    _print(answer, language)
    print_shopper(user, tastes, language)
    if whose is not None:
        out.print(escape(whose))
    if chart is not None:
        out.print(word("chart", language, path=escape(str(chart))))


def _print(answer: Importance, language: str) -> None:
    shoppers = any(a.shoppers is not None for a in answer.attributes)
    person = any(a.person is not None for a in answer.attributes)
    segment = answer.segment is not None
    # A line has room for two more shares: a person's own come before those without rules.
    shoppers = shoppers and not (segment and person)
    free = any(a.without_rules is not None for a in answer.attributes) and person + shoppers + 2 * segment < 2
    keys = ["segment", "interval"] * segment + ["own"] * person
    keys += ["average"] * shoppers + ["without rules"] * free
    extra = [word(key, language) for key in keys]
    weight, interval = word("weight", language), word("interval", language)
    heads = [word("attribute", language), weight, "", interval, *extra, word("rules say", language)]
    rows = table(*heads, right={weight, interval, *extra})
    rows.columns[2].min_width, rows.columns[3].min_width = _BAR, len("0.000–0.000")
    widest = max((a.share for a in answer.attributes), default=1.0)
    for a in answer.attributes:
        cells = [escape(a.name), f"{a.share:.3f}", "█" * round(_BAR * a.share / widest)]
        cells.append(f"{a.lower:.3f}–{a.upper:.3f}")
        cells += [_share(a.segment), _interval(a.segment_lower, a.segment_upper)] * segment
        cells += [_share(a.person)] * person + [_share(a.shoppers)] * shoppers
        cells += [_share(a.without_rules)] * free
        rows.add_row(*cells, escape("; ".join(s.short for s in a.rules)))
    out.print(word("what decides", language, name=escape(answer.name)))
    out.print(rows)
    key = "learned" if answer.source == "choices" else "from others"
    out.print(word(key, language, choices=answer.choice_count, people=answer.person_count))
    _print_rules(answer.attributes, language)
    for note in answer.notes:
        out.print(word("note", language, text=escape(note)))
    _print_concerns(answer.concerns, language)


def _print_concerns(concerns: tuple[Concern, ...], language: str) -> None:
    """Each concern; of many, those of one kind in a table that counts them."""
    in_full, counted = in_full_and_counted(concerns, _CONCERNS)
    for concern in in_full:
        out.print(word("warning", language, text=escape(concern.sentence)))
    if counted:
        out.print(word("warning", language, text=word("many warnings", language, count=len(counted))))
        heads = [word(head, language) for head in HEADS]
        rows = table(*heads, right={heads[2]})
        for kind in by_kind(counted):
            rows.add_row(*map(escape, kind.cells))
        out.print(rows)


def _print_rules(attributes: tuple[AttributeImportance, ...], language: str) -> None:
    """Each rule once, with what the data say of it."""
    statements = {s.rule: s for a in attributes for s in a.rules}
    for statement in statements.values():
        finding = statement.finding
        verdict = instead = ""
        if finding is not None:
            verdict = f" [bold]{audit_word(finding.verdict, language)}[/]:"
            in_language = finding.translations.get(language)
            instead = finding.instead if in_language is None else in_language.instead
        sentence = escape(statement.sentence)
        parts = {"rule": escape(statement.rule), "verdict": verdict, "sentence": sentence}
        out.print(word("rule", language, **parts, instead=escape(instead)).rstrip())


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _interval(lower: float | None, upper: float | None) -> str:
    return "" if lower is None or upper is None else f"{lower:.3f}–{upper:.3f}"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("importance")(importance_command)
