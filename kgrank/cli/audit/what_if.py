"""``kgrank audit --what-if``: what adding a rule would change, before anyone commits it."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.markup import escape
from rich.table import Table

from kgrank.choice.rules.what_if import CategoryChange, Share
from kgrank.cli.audit.rule_tables import findings_table, print_conflicts, print_warnings, verdict_cell
from kgrank.cli.audit.words import word
from kgrank.cli.common import out, print_answer
from kgrank.errors import InputError
from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore
from kgrank.ontology.check.snippet import Snippet, add_rules
from kgrank.ontology.document import load
from kgrank.ontology.kinds.table import rule_kind, rule_kinds
from kgrank.ontology.model import Ontology
from kgrank.ranking.explain.what_if import WhatIfAudit, what_if_audit
from kgrank.weights.posteriors import Posteriors, served_posteriors
from kgrank.weights.tables import check_fits, served_weights

CATEGORIES, ATTRIBUTES = 10, 5
"""The table shows so many categories and attributes of each: those that change most."""

MOVES = 0.002
"""Sum of the changes of a category's shares from which on they are shown."""


def show(store: str, rule: str, chart: Path | None, language: str, *, json: bool) -> bool:
    """Shows what new rules would change; whether the choices contradict one of them.

    Raises:
        InputError: The rule cannot be read, the check finds an error in it, or it is of a kind that does not act
            on part-worths.
        WeightsError: The store's weights are stored without the posteriors of their choices.
    """
    text, name = _text(rule)
    with open_store(store) as opened:
        before, posteriors = _read(opened)
    snippet = add_rules(before, text, name)
    _refuse_others(snippet, name)
    print_warnings([m.line_text() for m in snippet.warnings])
    answer = what_if_audit(before, snippet.ontology, snippet.rules, posteriors, language)
    if chart is not None:
        from kgrank.plots import what_if_plot

        what_if_plot(answer.categories, snippet.ontology, path=chart, language=language)
    if json:
        print_answer(answer)
    else:
        _print(answer, snippet, language)
        if chart is not None:
            out.print(word("chart", language, path=escape(str(chart))))
    return any(f.verdict == "contradicted" for f in answer.findings)


def _text(rule: str) -> tuple[str, str]:
    """The Turtle of new rules, and what to call it."""
    if any(mark in rule for mark in ("\n", ";", " ")) and Path(rule).suffix != ".ttl":
        return rule, "--what-if"
    try:
        return Path(rule).read_text(encoding="utf-8-sig"), rule
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise InputError(
            f"cannot be read ({reason})",
            where=rule,
            expected="a .ttl file with new rules, or a rule in Turtle",
            todo="Write it in quotes: --what-if 'r:cheaper a kg:Monotone ; kg:in c:dresses ; …'",
        ) from None


def _read(store: GraphStore) -> tuple[Ontology, Posteriors]:
    weights = served_weights(store)
    ontology = load(store.nodes("Ontology")["document"][0])
    check_fits(weights, ontology)
    return ontology, served_posteriors(store, weights)


def _refuse_others(snippet: Snippet, name: str) -> None:
    kinds = ", ".join(sorted(kind.name for kind in rule_kinds().values() if kind.measure is not None))
    for rule in (snippet.ontology.rules[r] for r in snippet.rules):
        if rule_kind(rule.kind).measure is None or rule.segments:
            what = "a rule for some segments" if rule.segments else f"a rule of kind {rule.kind}"
            raise InputError(
                f"{rule.id} is {what}, which does not act on the part-worths of a category",
                where=name,
                expected=f"a rule for everybody of kind {kinds}",
                todo="What it changes shows only after training with it."
                if not rule.segments
                else "A rule for a segment acts on its mean tastes, in training: add it to the ontology, load, "
                "train, and see kgrank audit.",
            )


def _print(answer: WhatIfAudit, snippet: Snippet, language: str) -> None:
    ontology = snippet.ontology
    if not answer.findings:
        out.print(word("nothing", language, rules=", ".join(snippet.rules)))
        return
    out.print(findings_table(answer.findings, language))
    out.print(word("legend", language))
    out.print(_rules_table(answer, ontology, language))
    moving = [c for c in answer.categories if c.total_change >= MOVES]
    if still := len(answer.categories) - len(moving):
        out.print(word("still", language, still=still, count=len(answer.categories), least=MOVES / 2))
    for change in moving[:CATEGORIES]:
        name = escape(ontology.categories[change.category].name(language))
        choices, people = change.choice_count, change.person_count
        out.print(word("shares", language, name=name, choices=choices, people=people))
        out.print(_shares_table(change, ontology, language))
    if len(moving) > CATEGORIES:
        out.print(word("more categories", language, count=len(moving) - CATEGORIES))
    for shift in answer.other_rules:
        key = "more probable" if shift.after > shift.before else "less probable"
        out.print(word(key, language, rule=escape(shift.rule), before=shift.before, after=shift.after))
    print_conflicts(answer.conflicts, language)


def _rules_table(answer: WhatIfAudit, ontology: Ontology, language: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(word("verdict", language), no_wrap=True)
    table.add_column(word("category", language), overflow="fold")
    table.add_column(word("the rule", language), overflow="fold")
    for name in ("chance", "data", "with rules", "evidence", "choices", "people"):
        table.add_column(word(name, language), justify="right", no_wrap=True)
    shown = {c.category for c in answer.categories[:CATEGORIES]}
    for r in answer.by_category:
        if r.category in shown:
            table.add_row(
                verdict_cell(r.verdict, language),
                escape(ontology.categories[r.category].name(language)),
                escape(r.rule),
                f"{r.prob_prior:.3f}",
                f"{r.prob_data:.3f}",
                f"{r.prob_posterior:.3f}",
                f"{r.log_bayes_factor:+.1f}",
                f"{r.choice_count:,}",
                f"{r.person_count:,}",
            )
    return table


def _shares_table(change: CategoryChange, ontology: Ontology, language: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(word("attribute", language))
    for name in ("before", "after", "change"):
        table.add_column(word(name, language), justify="right", no_wrap=True)
    for a in change.attributes[:ATTRIBUTES]:
        name = escape(ontology.attributes[a.attribute].name(language))
        table.add_row(name, _share(a.before), _share(a.after), f"{a.change:+.3f}")
    return table


def _share(share: Share) -> str:
    ends = (
        "" if share.lower is None or share.upper is None else f" ({abs(share.lower):.3f}–{share.upper:.3f})"
    )
    return f"{abs(share.share):.3f}{ends}"
