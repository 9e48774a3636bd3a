"""Rules with their ids, authors and dates as blocks of Turtle, for the file in which the folder's rules are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from pyoxigraph import Literal, NamedNode

from kgrank.ontology.blocks import Block, Bracket, Members, Object, Statement
from kgrank.ontology.model import BRAND, Condition, Ontology, Rule, Term
from kgrank.ontology.vocabulary import CREATED, CREATOR, KG, PREF_LABEL, TYPE, XSD

_LONGEST = 60
"""Characters of an id."""


def rule_block(rule: Rule, ontology: Ontology) -> Block:
    """A rule as a block; its author is an id of ``ontology.people``, or an IRI."""
    return Block(NamedNode(rule.iri), tuple(_statements(rule, ontology)))


def person_block(iri: str, name: str, language: str) -> Block:
    """A person as a block."""
    label = Statement(PREF_LABEL, (Literal(name, language=language),))
    return Block(NamedNode(iri), (Statement(TYPE, (NamedNode(KG + "Person"),)), label))


def statement_of(rule: Rule) -> Rule:
    """What a rule states, without who states it, why and how surely: two rules may be the same statement."""
    return replace(rule, id="", iri="", sure=0.5, because={}, creator="", created="", within=rule.within)


def rule_id(rule: Rule, taken: Container[str]) -> str:
    """A readable id, the same for the same rule: where it holds, its kind, and what it is about."""
    attribute = rule.attribute or ""
    conditions = (*rule.when, *([rule.then] if rule.then else []))
    about = [
        attribute,
        *(v.removeprefix(f"{attribute}.") for v in (*rule.order, *rule.values, *rule.members)),
        *(part for c in conditions for part in (c.attribute, str(c.value or ""))),
        rule.brand or "",
        rule.better or "",
        "" if rule.share is None else f"{100 * rule.share:.4g}",
    ]
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", rule.kind)
    words = [*rule.segments[:1], *rule.categories[:1], kind, *about]
    name = _cut("-".join(w for w in map(identifier, words) if w))
    number, id_ = 1, name
    while id_ in taken:
        number += 1
        id_ = f"{name}-{number}"
    return id_


def identifier(text: str) -> str:
    """A text in small letters, digits and hyphens, as a part of an id; letters of every script stay."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", "-", plain).strip("-")


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST + 1].rpartition("-")[0] or name[:_LONGEST]


def _statements(rule: Rule, ontology: Ontology) -> Iterator[Statement]:
    def name(terms: Mapping[str, Term], id_: str) -> NamedNode:
        return NamedNode(terms[id_].iri)

    def values(attribute: str | None) -> Mapping[str, Term]:
        return ontology.brands if attribute == BRAND else ontology.values

    yield Statement(TYPE, (NamedNode(KG + rule.kind),))
    for word, ids, terms in (
        ("in", rule.categories, ontology.categories),
        ("butNot", rule.but_not, ontology.categories),
        ("forSegment", rule.segments, ontology.segments),
    ):
        if ids:
            yield Statement(KG + word, tuple(name(terms, i) for i in ids))
    if rule.attribute:
        yield Statement(KG + "attribute", (name(ontology.attributes, rule.attribute),))
    lists: Iterable[tuple[str, tuple[str, ...], Mapping[str, Term]]] = (
        ("order", rule.order, ontology.attributes),
        ("values", rule.values, values(rule.attribute)),
        ("members", rule.members, {**ontology.values, **ontology.attributes}),
    )
    for word, ids, terms in lists:
        if ids:
            yield Statement(KG + word, (Members(tuple(name(terms, i) for i in ids)),))
    if rule.when:
        yield Statement(KG + "if", tuple(_condition(c, ontology) for c in rule.when))
    if rule.then:
        yield Statement(KG + "then", (_condition(rule.then, ontology),))
    if rule.better:
        yield Statement(KG + "better", (NamedNode(KG + rule.better),))
    for word, number in (("share", rule.share), ("within", rule.within)):
        if number is not None:
            yield Statement(KG + word, (_decimal(number),))
    if rule.brand:
        yield Statement(KG + "brand", (name(ontology.brands, rule.brand),))
    if rule.top is not None:
        yield Statement(KG + "top", (Literal(str(rule.top), datatype=NamedNode(XSD + "integer")),))
    yield (
        Statement(KG + "must", (Literal("true", datatype=NamedNode(XSD + "boolean")),))
        if rule.hard
        else Statement(KG + "sure", (_decimal(rule.sure),))
    )
    if rule.because:
        yield Statement(KG + "because", tuple(Literal(t, language=x) for x, t in rule.because.items()))
    yield Statement(CREATOR, (NamedNode(rule.creator),))
    created = rule.created or date.today().isoformat()
    yield Statement(CREATED, (Literal(created, datatype=NamedNode(XSD + "date")),))


def _condition(test: Condition, ontology: Ontology) -> Bracket:
    attribute = ontology.attributes[test.attribute]
    statements = [Statement(KG + "attribute", (NamedNode(attribute.iri),))]
    if test.value is not None:
        statements.append(Statement(KG + "value", (_value(test, ontology),)))
    for word, number in (("min", test.minimum), ("max", test.maximum)):
        if number is not None:
            statements.append(Statement(KG + word, (_decimal(number),)))
    return Bracket(tuple(statements))


def _value(test: Condition, ontology: Ontology) -> Object:
    if isinstance(test.value, bool):
        return Literal("true" if test.value else "false", datatype=NamedNode(XSD + "boolean"))
    if isinstance(test.value, int | float):
        return _decimal(test.value)
    terms = ontology.brands if test.attribute == BRAND else ontology.values
    known = terms.get(str(test.value))
    return NamedNode(known.iri) if known is not None else Literal(str(test.value))


def _decimal(number: float) -> Literal:
    text = f"{number:.15g}"
    if "e" in text:
        return Literal(text, datatype=NamedNode(XSD + "double"))
    return Literal(text, datatype=NamedNode(XSD + ("decimal" if "." in text else "integer")))
