"""New rules beside an ontology that is known as a value: read and checked as if they were in its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pyoxigraph import NamedNode

from kgrank.errors import InputError
from kgrank.ontology.check.conflicts import check_conflicts
from kgrank.ontology.check.graph import Draft, Node
from kgrank.ontology.check.messages import Message, Report
from kgrank.ontology.check.parse import parse_text
from kgrank.ontology.check.rules import read_rules
from kgrank.ontology.check.terms import sort_terms
from kgrank.ontology.imports.write import shop_prefixes
from kgrank.ontology.model import Ontology, Rule, Term
from kgrank.ontology.vocabulary import CREATOR, Kind, local, terms_by_kind

_SHORT = {
    "c": Kind.CATEGORY,
    "a": Kind.ATTRIBUTE,
    "v": Kind.VALUE,
    "b": Kind.BRAND,
    "s": Kind.SEGMENT,
    "p": Kind.PERSON,
    "r": Kind.RULE,
}


@dataclass(frozen=True)
class Snippet:
    """An ontology with new rules in it, their ids, and what the check warns of."""

    ontology: Ontology
    rules: tuple[str, ...]
    warnings: tuple[Message, ...]


def add_rules(ontology: Ontology, text: str, name: str = "rule") -> Snippet:
    """The ontology with the rules of a Turtle text.

    Prefixes that the text does not declare are those of the ontology: ``c:dresses``,
    ``a:price``, ``v:red``, ``p:mei``, ``r:new-rule``.

    Args:
        ontology: What the rules are about.
        text: One or more rules.
        name: What messages call the text.

    Raises:
        InputError: The check finds an error; the first one is named with its place. Or the text holds no rule,
            something else than rules, or one that the ontology has already.
    """
    known, declared = dict(_things(ontology)), {p for p, _, _ in parse_text(name, text).prefixes}
    head = " ".join(
        f"@prefix {short}: <{iri}> ." for short, iri in _prefixes(known).items() if short not in declared
    )
    # The names that the text takes for granted fill one line above it.
    whole = f"{head}\n{text}"
    parsed = parse_text(name, whole)
    draft = Draft(parsed.graph, Report())
    if not parsed.problems:
        sort_terms(draft)
    new = dict(draft.nodes[Kind.RULE])
    messages = [_placed(m) for m in (*parsed.problems, *draft.report.messages({name: whole}))]
    _refuse(name, messages)
    _refuse_others(name, ontology, draft)
    draft = _beside(draft, known, ontology)
    rules = read_rules(draft, ontology)
    extended = replace(ontology, rules={**ontology.rules, **rules})
    for (kind, id_), iri in known.items():
        if kind is Kind.RULE:
            draft.nodes[kind].setdefault(id_, Node(iri, kind, name, {}, id_))
    check_conflicts(draft, extended)
    before = Draft(draft.graph, Report(), draft.nodes, draft.by_iri)
    check_conflicts(before, ontology)
    old = {(m.code, m.text) for m in before.report.messages({})}
    said = [_placed(m) for m in draft.report.messages({name: whole}) if (m.code, m.text) not in old]
    _refuse(name, said)
    return Snippet(extended, tuple(new), tuple(m for m in said if m.severity == "warning"))


def _things(ontology: Ontology) -> Iterator[tuple[tuple[Kind, str], str]]:
    """Every thing of an ontology, by kind and id, with its IRI; a shop's own where it has none."""
    usual = {_SHORT[s]: iri for s, iri in shop_prefixes().items() if s in _SHORT}
    tables: Mapping[Kind, Mapping[str, Term | Rule]] = {**terms_by_kind(ontology), Kind.RULE: ontology.rules}
    # An ontology inferred from data lists values on their attributes alone.
    for attribute in ontology.attributes.values():
        for value in attribute.values:
            yield (Kind.VALUE, value), f"{usual[Kind.VALUE]}{value}"
    for kind, table in tables.items():
        for id_, thing in table.items():
            yield (kind, id_), thing.iri or f"{usual[kind]}{id_}"


def _prefixes(known: Mapping[tuple[Kind, str], str]) -> dict[str, str]:
    """The short names of the ontology's own things, as its first thing of each kind has it."""
    spaces = dict(shop_prefixes())
    for short, kind in _SHORT.items():
        first = next((iri for (k, _), iri in known.items() if k is kind), None)
        if first is not None:
            spaces[short] = first.removesuffix(local(first))
    return spaces


def _placed(message: Message) -> Message:
    """A message with its line in the text as it was given."""
    return replace(message, line=max(message.line - 1, 1))


def _refuse(name: str, messages: list[Message]) -> None:
    errors = [m for m in messages if m.severity == "error"]
    if errors:
        first, *more = errors
        count = f" (and {len(more)} more error{'s' if len(more) > 1 else ''})" if more else ""
        raise InputError(
            f"{first.code} {first.text}{count}",
            where=f"{name}:{first.line}:{first.column}",
            todo=first.advice if first.advice.endswith(("?", ".")) else f"{first.advice}.",
        )


def _refuse_others(name: str, ontology: Ontology, draft: Draft) -> None:
    other = next((n for k, nodes in draft.nodes.items() if k is not Kind.RULE for n in nodes.values()), None)
    if other is not None:
        raise InputError(
            f"{other.id} is no rule",
            where=name,
            expected="nothing but new rules",
            todo=f"Take out {other.id}.",
        )
    new = draft.nodes[Kind.RULE]
    if not new:
        raise InputError(
            "there is no rule in it",
            where=name,
            expected="a rule like `r:cheaper a kg:Monotone ; kg:in c:dresses ; …`",
            todo="See the twelve kinds: kgrank help ontology.",
        )
    twice = next((r for r in new if r in ontology.rules), None)
    if twice is not None:
        raise InputError(
            f"the rule {twice} is in the ontology already",
            where=name,
            expected="a new rule",
            todo="`kgrank audit` says what the data say of it; give a changed rule another id.",
        )


def _beside(draft: Draft, known: Mapping[tuple[Kind, str], str], ontology: Ontology) -> Draft:
    """A draft that knows the things of the ontology, as if they were described in the same folder."""
    nodes: dict[Kind, dict[str, Node]] = {kind: {} for kind in Kind}
    nodes[Kind.HEADER]["ontology"] = Node("", Kind.HEADER, "", {}, "ontology")
    for (kind, id_), iri in known.items():
        if kind is not Kind.RULE:
            nodes[kind][id_] = Node(iri, kind, "", {}, id_)
    nodes[Kind.RULE] = dict(draft.nodes[Kind.RULE])
    if not ontology.people:
        # An ontology inferred from data knows nobody: any author will do.
        authors = (t for n in nodes[Kind.RULE].values() for t in n.all(CREATOR) if isinstance(t, NamedNode))
        nodes[Kind.PERSON] = {
            local(t.value): Node(t.value, Kind.PERSON, "", {}, local(t.value)) for t in authors
        }
    by_iri = {node.iri: node for same_kind in nodes.values() for node in same_kind.values()}
    return Draft(draft.graph, Report(), nodes, by_iri)
