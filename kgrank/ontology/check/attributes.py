"""Attributes: type, values, unit, range (codes O2)."""

from __future__ import annotations

from typing import Any

from pyoxigraph import Literal, NamedNode

from kgrank.errors import did_you_mean
from kgrank.ontology.check.graph import Draft, Node, Predicates, shown
from kgrank.ontology.check.terms import (
    Header,
    leading_number,
    list_members,
    meant,
    number,
    one,
    plain_text,
    read_term,
    refer,
)
from kgrank.ontology.model import Attribute, AttributeType
from kgrank.ontology.units import known_units, suggest_unit
from kgrank.ontology.vocabulary import KG, TYPES, XSD, Kind, article, local

LISTED = frozenset({AttributeType.CHOICE, AttributeType.CHOICES, AttributeType.ORDERED})
"""Types whose values are listed."""

_TYPE, _VALUES, _VALUES_OF, _UNIT, _MIN, _MAX = (
    KG + w for w in ("type", "values", "valuesOf", "unit", "min", "max")
)
_BRANDS = KG + "Brand"


def read_attributes(draft: Draft, header: Header) -> dict[str, Attribute]:
    """All attributes, checked; those whose type or values are unclear are marked as vague."""
    attributes = {node.id: _read(draft, node, header) for node in draft.nodes[Kind.ATTRIBUTE].values()}
    return {a: _values_of(draft, a, attributes) for a in attributes}


def read_range(
    draft: Draft, node: Node, words: Predicates | None = None
) -> tuple[float | None, float | None]:
    """``kg:min`` and ``kg:max`` of an attribute, or of a bracket of a category or rule."""
    ends: list[float | None] = []
    for word in (_MIN, _MAX):
        term = one(draft, node, word, words)
        ends.append(None if term is None else number(term))
        if term is not None and ends[-1] is None:
            plain = leading_number(term.value) if isinstance(term, Literal) else None
            usable = plain is not None and len(plain) < 20
            todo = f"Write {plain}, not {shown(term)}" if usable else "Write a number, without a unit"
            draft.report.add("O208", node.location(word, term), "kg:min or kg:max is not a number", todo)
    low, high = ends
    if low is not None and high is not None and low > high:
        term = (node.predicates if words is None else words)[_MIN][0]
        problem = f"kg:min {low:g} is above kg:max {high:g}"
        draft.report.add("O207", node.location(_MIN, term), problem, "Swap them")
        return high, low
    return low, high


def _read(draft: Draft, node: Node, header: Header) -> Attribute:
    term = read_term(draft, node, header)
    type_ = _type(draft, node)
    if type_ is None:
        draft.vague[Kind.ATTRIBUTE].add(node.id)
        return Attribute(**term, type=AttributeType.TEXT)
    low, high = read_range(draft, node)
    if type_ is not AttributeType.NUMBER:
        for word in (_MIN, _MAX):
            if node.all(word):
                problem = f"{node.id} is {article(type_)} and has a kg:{local(word)}"
                draft.report.add("O214", node.location(word), problem, "Only a Number has a range")
    values: dict[str, Any] = _values(draft, node, type_)
    unit = _unit(draft, node, type_)
    return Attribute(**term, type=type_, unit=unit, minimum=low, maximum=high, **values)


def _type(draft: Draft, node: Node) -> AttributeType | None:
    term = one(draft, node, _TYPE)
    every = "Choice, Choices, Ordered, Number, Boolean or Text"
    if term is None:
        draft.report.add("O201", node.location(), f"{node.id} has no type", f"Add kg:type kg:{every}")
        return None
    known = TYPES.get(term.value) if isinstance(term, NamedNode) else None
    if known is not None:
        return known
    name = shown(term).strip('"')
    problem, todo = f"there is no type kg:{name}", f"Write {every}"
    if isinstance(term, Literal):
        problem, todo = f"the type {shown(term)} is a text", f"Write kg:{every}, without quotes"
    draft.report.add("O202", node.location(_TYPE, term), problem, todo)
    guess = meant(name, list(AttributeType))
    return AttributeType(guess) if guess else None


def _values(draft: Draft, node: Node, type_: AttributeType) -> dict[str, Any]:
    """The listed values, or that the attribute is open because its values are the brands."""
    head, source = one(draft, node, _VALUES), one(draft, node, _VALUES_OF)
    if type_ not in LISTED:
        for word in (_VALUES, _VALUES_OF):
            if node.all(word):
                problem = f"{node.id} is {article(type_)} and lists values"
                draft.report.add("O211", node.location(word), problem, "Delete them, or make it a Choice")
        return {}
    if head is not None and source is not None:
        problem = f"{node.id} has both kg:values and kg:valuesOf"
        draft.report.add("O211", node.location(_VALUES_OF), problem, "Keep one")
    if head is not None:
        return {"values": _listed_values(draft, node)}
    if source is None:
        problem = f"{node.id} is {article(type_)} without values"
        draft.report.add("O203", node.location(_TYPE), problem, "Add kg:values ( … )")
        draft.vague[Kind.ATTRIBUTE].add(node.id)
    elif source.value == _BRANDS if isinstance(source, NamedNode) else False:
        return {"values": tuple(draft.nodes[Kind.BRAND]), "open": True}
    return {}


def _listed_values(draft: Draft, node: Node) -> tuple[str, ...]:
    values = []
    if draft.graph.members(node.all(_VALUES)[0]) is None:
        draft.vague[Kind.ATTRIBUTE].add(node.id)
    for member in list_members(draft, node, _VALUES, node.all(_VALUES)[0], "O210"):
        value = refer(
            draft, node, _VALUES, member, Kind.VALUE, "O204", "the value {} is not described anywhere"
        )
        if value is None:
            draft.vague[Kind.ATTRIBUTE].add(node.id)
        else:
            values.append(value)
    if not values:
        if not draft.is_vague(Kind.ATTRIBUTE, node.id):
            problem = f"{node.id} has an empty list of values"
            draft.report.add("O203", node.location(_VALUES), problem, "Add values to kg:values ( … )")
        draft.vague[Kind.ATTRIBUTE].add(node.id)
    return tuple(dict.fromkeys(values))


def _values_of(draft: Draft, attribute: str, attributes: dict[str, Attribute]) -> Attribute:
    """The attribute with the values of the one that it points to, however long the chain."""
    here = attributes[attribute]
    seen = [attribute]
    while True:
        node = draft.nodes[Kind.ATTRIBUTE][seen[-1]]
        sources = [s for s in node.all(_VALUES_OF) if not (isinstance(s, NamedNode) and s.value == _BRANDS)]
        if not sources or node.all(_VALUES) or attributes[seen[-1]].type not in LISTED:
            lister = attributes[seen[-1]]
            return here if lister is here else _with_values(here, lister)
        if len(seen) == 1:
            text = "the attribute {} whose values are taken does not exist"
            target = refer(draft, node, _VALUES_OF, sources[0], Kind.ATTRIBUTE, "O213", text)
        else:
            source = draft.by_iri.get(sources[0].value) if isinstance(sources[0], NamedNode) else None
            target = source.id if source is not None and source.kind is Kind.ATTRIBUTE else None
        if target is None or target in seen:
            if target == attribute:
                circle = " > ".join([*seen, attribute])
                draft.report.add(
                    "O215",
                    node.location(_VALUES_OF),
                    f"kg:valuesOf goes in a circle: {circle}",
                    "Take one out",
                )
            draft.vague[Kind.ATTRIBUTE].add(attribute)
            return here
        if attributes[target].type not in LISTED and not draft.is_vague(Kind.ATTRIBUTE, target):
            found_text = f"{target} is {article(attributes[target].type)} and has no values to take"
            draft.report.add(
                "O213", node.location(_VALUES_OF), found_text, "Name an attribute that lists values"
            )
            draft.vague[Kind.ATTRIBUTE].add(attribute)
            return here
        seen.append(target)


def _with_values(here: Attribute, source: Attribute) -> Attribute:
    fields = {**here.__dict__, "values": source.values, "open": source.open}
    return Attribute(**fields)


def _unit(draft: Draft, node: Node, type_: AttributeType) -> str | None:
    term = one(draft, node, _UNIT)
    if type_ is not AttributeType.NUMBER:
        if term is not None:
            problem = f"{node.id} is {article(type_)} and has the unit {shown(term)}"
            draft.report.add("O206", node.location(_UNIT, term), problem, "Only a Number has a unit")
        return None
    if term is None:
        problem = f"{node.id} is a Number without a unit"
        draft.report.add("O209", node.location(_TYPE), problem, 'Add kg:unit "cm", "EUR", … or "1" for none')
        return None
    code = plain_text(term)
    if code is None or code not in known_units():
        guess = suggest_unit(term.value) if isinstance(term, Literal) else None
        todo = f'Did you mean "{guess}"?' if guess else did_you_mean(shown(term).strip('"'), known_units())
        if isinstance(term, Literal) and (term.language or term.datatype.value != XSD + "string"):
            todo = f'Write "{guess or term.value}", without a language or type'
        draft.report.add("O205", node.location(_UNIT, term), f"unknown unit {shown(term)}", todo)
        return guess
    return code
