"""The tests in ``kg:if`` and ``kg:then`` (codes R44)."""

from __future__ import annotations

from pyoxigraph import BlankNode, Literal, NamedNode

from kgrank.errors import did_you_mean
from kgrank.ontology.check.applicability import declared, span
from kgrank.ontology.check.attributes import LISTED, read_range
from kgrank.ontology.check.graph import Draft, Node, Object, shown
from kgrank.ontology.check.messages import SourceLocation
from kgrank.ontology.check.terms import boolean, leading_number, number, one, refer
from kgrank.ontology.model import Applicability, Attribute, AttributeType, Condition, Ontology
from kgrank.ontology.vocabulary import KG, Kind, article

_ATTRIBUTE, _VALUE, _MIN, _MAX = (KG + w for w in ("attribute", "value", "min", "max"))


def read_condition(
    draft: Draft, node: Node, word: str, term: Object, ontology: Ontology, categories: tuple[str, ...]
) -> Condition | None:
    """One bracket ``[ kg:attribute … ; kg:value … ]`` of a rule; None where it is broken."""
    words = draft.graph.nodes.get(term, {}) if isinstance(term, BlankNode) else {}
    named = one(draft, node, _ATTRIBUTE, words)
    if named is None or not {_VALUE, _MIN, _MAX} & set(words):
        problem = (
            f"kg:{word.removeprefix(KG)} of {node.id} lacks kg:attribute, or one of kg:value, kg:min, kg:max"
        )
        draft.report.add("R444", node.location(word), problem, "Write [ kg:attribute a:… ; kg:value … ]")
        return None
    name = refer(draft, node, _ATTRIBUTE, named, Kind.ATTRIBUTE, "R428", "the attribute {} does not exist")
    low, high = read_range(draft, node, words)
    if name is None or draft.is_vague(Kind.ATTRIBUTE, name):
        return None
    attribute = ontology.attributes[name]
    if (low is not None or high is not None) and attribute.type is not AttributeType.NUMBER:
        problem = f"{name} is {article(attribute.type)} and has no range"
        draft.report.add("R442", node.location(_MIN if low is not None else _MAX), problem, "Write kg:value")
        return None
    here = _narrowest(draft, attribute, ontology, categories)
    value_term = one(draft, node, _VALUE, words)
    if value_term is None:
        for word_, end in ((_MIN, low), (_MAX, high)):
            if end is not None:
                _check_in_range(draft, node, node.location(word_, words[word_][0]), end, attribute, here)
        return Condition(name, None, low, high)
    value = _value(draft, node, attribute, here, value_term)
    return None if value is None else Condition(name, value, low, high)


def _narrowest(
    draft: Draft, attribute: Attribute, ontology: Ontology, categories: tuple[str, ...]
) -> Applicability:
    """What the attribute may be in the rule's first category that has it, else anywhere."""
    for category in categories:
        if not draft.is_vague(Kind.CATEGORY, category):
            table = ontology.applicable(category)
            if attribute.id in table:
                return table[attribute.id]
    return declared(attribute)


def _value(
    draft: Draft, node: Node, attribute: Attribute, here: Applicability, term: Object
) -> str | bool | float | None:
    """The value of a test, in the type of its attribute."""
    location = node.location(_VALUE, term)
    if attribute.type in LISTED:
        return _choice(draft, node, attribute, here, term)
    if attribute.type is AttributeType.BOOLEAN:
        truth = boolean(term)
        if truth is None:
            problem = f"{attribute.id} is yes or no; {shown(term)} is neither"
            draft.report.add("R441", location, problem, "Write true or false (no quotes)")
        return truth
    if attribute.type is AttributeType.TEXT:
        return term.value if isinstance(term, Literal) else shown(term)
    value = number(term)
    if value is None:
        plain = leading_number(term.value) if isinstance(term, Literal) else None
        problem = f"{shown(term)} is not a number for {attribute.id}"
        todo = f"Write {plain or 'a number'}; the unit is {attribute.unit}"
        draft.report.add("R442", location, problem, todo)
        return None
    _check_in_range(draft, node, location, value, attribute, here)
    return value


def _check_in_range(
    draft: Draft,
    node: Node,
    location: SourceLocation,
    value: float,
    attribute: Attribute,
    here: Applicability,
) -> None:
    low = here.minimum is not None and value < here.minimum
    high = here.maximum is not None and value > here.maximum
    if low or high:
        problem = (
            f"{value:g} is outside {span(here.minimum, here.maximum)} {attribute.unit} of {attribute.id}"
        )
        draft.report.add("R443", location, problem, "Check the unit")


def _choice(draft: Draft, node: Node, attribute: Attribute, here: Applicability, term: Object) -> str | None:
    name = shown(term)
    known = isinstance(term, NamedNode) and term.value in draft.by_iri
    if known and name in here.values:
        return name
    problem = f"{name} is not one of the values of {attribute.id}"
    todo = f"Use one of {', '.join(here.values)}"
    if not known:
        todo = f"{todo}. {did_you_mean(name, here.values)}"
    draft.report.add("R440", node.location(_VALUE, term), problem, todo)
    return None
