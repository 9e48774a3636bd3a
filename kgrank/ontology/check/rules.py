"""One rule at a time: its fields, its scope, the things that it names (codes R40 to R42, R44)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pyoxigraph import Literal, NamedNode

from kgrank.errors import did_you_mean
from kgrank.ontology.check.attributes import LISTED
from kgrank.ontology.check.conditions import read_condition
from kgrank.ontology.check.graph import Draft, Node, Object, shown
from kgrank.ontology.check.terms import boolean, list_members, number, one, refer
from kgrank.ontology.kinds.kind import FIELDS, RuleKind
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import Ontology, Rule
from kgrank.ontology.vocabulary import (
    CREATED,
    CREATOR,
    DIRECTIONS,
    KG,
    TYPE,
    XSD,
    Kind,
    article,
    class_kind,
    local,
)

_FIELDS = {KG + word for word in FIELDS}
_NAMES = {"R415", "R428"}
"""Codes of names that are unknown: the rule cannot be checked further."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_rules(draft: Draft, ontology: Ontology) -> dict[str, Rule]:
    """The rules in which nothing is wrong; the others are reported and left out of further checks."""
    rules = {}
    for node in draft.nodes[Kind.RULE].values():
        before = len(draft.report)
        rule = _read(draft, node, ontology)
        unclear = draft.report.codes(before) & _NAMES or _doubtful(draft, rule)
        if not unclear:
            _check_scope(draft, node, rule, ontology)
            _check_content(draft, node, rule, ontology)
            for problem in rule_kind(rule.kind).check(rule, ontology):
                draft.report.add(problem.code, node.location(KG + problem.word), problem.text, problem.advice)
        if not unclear and not draft.report.errors(before) and not draft.is_vague(Kind.RULE, node.id):
            rules[rule.id] = rule
    return rules


def _read(draft: Draft, node: Node, ontology: Ontology) -> Rule:
    types = (t.value for t in node.all(TYPE) if isinstance(t, NamedNode))
    kind = rule_kind(local(next(t for t in types if class_kind(t) is Kind.RULE)))
    _check_fields(draft, node, kind)
    in_, but_not, segment = (KG + w for w in ("in", "butNot", "forSegment"))
    category, unknown = "R415", "the category {} does not exist"
    if not node.all(in_):
        draft.report.add(
            "R414", node.location(), f"the rule {node.id} does not say where it holds", "Add kg:in"
        )
    creator, created = _author(draft, node)
    categories = _all(draft, node, in_, Kind.CATEGORY, category, unknown)
    return Rule(
        id=node.id,
        iri=node.iri,
        kind=kind.name,
        categories=categories,
        but_not=_all(draft, node, but_not, Kind.CATEGORY, category, unknown),
        segments=_all(draft, node, segment, Kind.SEGMENT, "R425", "the segment {} is not known"),
        sure=_sure(draft, node, kind),
        because=_reason(draft, node),
        creator=creator,
        created=created,
        **_content(draft, node, ontology, categories),
    )


def _all(draft: Draft, node: Node, word: str, kind: Kind, code: str, unknown: str) -> tuple[str, ...]:
    ids = (refer(draft, node, word, term, kind, code, unknown) for term in node.all(word))
    return tuple(dict.fromkeys(id_ for id_ in ids if id_ is not None))


def _check_fields(draft: Draft, node: Node, kind: RuleKind) -> None:
    for word in kind.needs:
        if not node.all(KG + word):
            text = f"the {kind.name} rule {node.id} has no kg:{word}"
            todo = f"Add kg:{word}; {article(kind.name)} rule needs it"
            draft.report.add("R401", node.location(), text, todo)
    for word in node.predicates:
        if word in _FIELDS and local(word) not in kind.fields:
            text = f"kg:{local(word)} has no place in the {kind.name} rule {node.id}"
            todo = f"Delete it; this kind has {', '.join(f'kg:{w}' for w in kind.fields)}"
            draft.report.add("R402", node.location(word), text, todo)


def _sure(draft: Draft, node: Node, kind: RuleKind) -> float:
    """The probability that the rule holds, 1.0 for a hard one."""
    sure_word, must_word = KG + "sure", KG + "must"
    sure_term, must_term = one(draft, node, sure_word), one(draft, node, must_word)
    must = boolean(must_term)
    if sure_term is not None and must_term is not None:
        todo = "Keep one: kg:sure makes it soft, kg:must hard"
        draft.report.add("R403", node.location(must_word), "both kg:sure and kg:must", todo)
        return 1.0
    if must:
        if not kind.may_be_hard:
            text = f"{article(kind.name)} rule cannot be hard"
            draft.report.add("R407", node.location(must_word), text, "Write kg:sure 0.95 instead")
        return 1.0
    if sure_term is None:
        text, todo = f"the rule {node.id} does not say how sure you are", "Add kg:sure 0.8, or kg:must true"
        if must_term is not None and must is None:
            text, todo = (
                f"kg:must {shown(must_term)} is neither true nor false",
                "Write kg:must true (no quotes)",
            )
        location = node.location(must_word) if must_term is not None else node.location()
        draft.report.add("R404", location, text, todo)
        return 1.0
    sure = number(sure_term)
    if sure is None or not 0 < sure < 1:
        text = f"kg:sure {shown(sure_term)} is not between 0 and 1"
        draft.report.add("R405", node.location(sure_word, sure_term), text, _sure_advice(sure_term))
        return 1.0
    if sure <= 0.5:
        text = f"at kg:sure {sure:g} the rule " + (
            "has no effect" if sure == 0.5 else "says its own opposite"
        )
        todo = "Above 0.5 it acts; below, write the opposite rule"
        draft.report.add("W406", node.location(sure_word, sure_term), text, todo)
    return sure


def _sure_advice(term: Object) -> str:
    text = term.value.strip().rstrip("%").strip().replace(",", ".") if isinstance(term, Literal) else ""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if value == 1:
        return "For certainty write kg:must true"
    if 0 < value <= 100:
        return f"Write {value / 100 if value > 1 else value:g}"
    return "Write a number above 0 and below 1, like 0.8"


def _author(draft: Draft, node: Node) -> tuple[str, str]:
    """Who and when."""
    if not node.all(CREATOR):
        text = f"the rule {node.id} does not say who wrote it"
        draft.report.add("R408", node.location(), text, "Add dcterms:creator")
    people = _all(draft, node, CREATOR, Kind.PERSON, "R409", "the person {} is not known")
    term = one(draft, node, CREATED)
    if term is None:
        text = f"the rule {node.id} does not say when it was written"
        draft.report.add("R410", node.location(), text, 'Add dcterms:created "2026-10-05"^^xsd:date')
        return people[0] if people else "", ""
    try:
        if (
            not isinstance(term, Literal)
            or term.datatype.value != XSD + "date"
            or not _DATE.fullmatch(term.value)
        ):
            raise ValueError
        date.fromisoformat(term.value)
    except ValueError:
        text = f"dcterms:created {shown(term)} is not a date"
        draft.report.add("R410", node.location(CREATED, term), text, 'Write "2026-10-05"^^xsd:date')
    return people[0] if people else "", term.value if isinstance(term, Literal) else ""


def _reason(draft: Draft, node: Node) -> dict[str, str]:
    reasons = node.all(KG + "because")
    if not any(isinstance(r, Literal) and r.value.strip() for r in reasons):
        text = f"the rule {node.id} gives no reason"
        draft.report.add("W411", node.location(), text, 'Add kg:because "…"@en')
    by_language: dict[str, str] = {}
    for reason in (r for r in reasons if isinstance(r, Literal)):
        language = reason.language or "en"
        if language in by_language:
            text = f"the rule {node.id} gives two reasons in {language}"
            draft.report.add("W411", node.location(KG + "because", reason), text, "Make them one")
        by_language.setdefault(language, reason.value)
    return by_language


def _content(draft: Draft, node: Node, ontology: Ontology, categories: tuple[str, ...]) -> dict[str, Any]:
    """The fields that only some kinds have."""
    attribute = _all(draft, node, KG + "attribute", Kind.ATTRIBUTE, "R428", "the attribute {} does not exist")
    one(draft, node, KG + "attribute")
    brand = _all(draft, node, KG + "brand", Kind.BRAND, "R424", "the brand {} is not known")
    when = [read_condition(draft, node, KG + "if", t, ontology, categories) for t in node.all(KG + "if")]
    then = [read_condition(draft, node, KG + "then", t, ontology, categories) for t in node.all(KG + "then")]
    one(draft, node, KG + "then")
    if None in (*when, *then):
        draft.vague[Kind.RULE].add(node.id)
    return {
        "attribute": attribute[0] if attribute else None,
        "order": _list(draft, node, "order", {Kind.ATTRIBUTE: "R428"}),
        "values": _list(draft, node, "values", {Kind.VALUE: "R421", Kind.BRAND: "R421"}),
        "members": _list(draft, node, "members", {Kind.ATTRIBUTE: "R413", Kind.VALUE: "R413"}),
        "when": tuple(c for c in when if c is not None),
        "then": then[0] if then else None,
        "better": _better(draft, node),
        "share": _share(draft, node, "share", closed=True),
        "within": _share(draft, node, "within", closed=False),
        "brand": brand[0] if brand else None,
        "top": _top(draft, node),
    }


def _list(draft: Draft, node: Node, word: str, kinds: Mapping[Kind, str]) -> tuple[str, ...]:
    """A list of two or more things of one of the kinds."""
    head = one(draft, node, KG + word)
    if head is None:
        return ()
    members = list_members(draft, node, KG + word, head, "R412")
    named = [
        draft.by_iri[m.value].kind for m in members if isinstance(m, NamedNode) and m.value in draft.by_iri
    ]
    kind = next((k for k in named if k in kinds), None) or _likely(draft, members, list(kinds))
    if word == "members" and len(set(named)) > 1:
        mixed = " and ".join(f"{k}s" for k in dict.fromkeys(named))
        draft.report.add("R413", node.location(KG + word), f"kg:members mixes {mixed}", "Keep one kind")
        return ()
    unknown = f"the {kind} {{}} does not exist"
    ids = [refer(draft, node, KG + word, m, kind, kinds[kind], unknown) for m in members]
    unique = tuple(dict.fromkeys(id_ for id_ in ids if id_ is not None))
    if draft.graph.members(head) is not None and len(draft.graph.members(head) or ()) < 2:
        text = f"kg:{word} of {node.id} lists fewer than two things"
        draft.report.add("R422", node.location(KG + word), text, "Add another, or delete the rule")
    return unique


def _likely(draft: Draft, members: Sequence[Object], kinds: Sequence[Kind]) -> Kind:
    """Of which kind unknown members are: the one whose names begin as theirs do, else one that has no things."""
    for member in members:
        if isinstance(member, NamedNode):
            space = member.value.removesuffix(local(member.value))
            for kind in kinds:
                if any(n.iri.startswith(space) for n in list(draft.nodes[kind].values())[:1]):
                    return kind
    return next((k for k in kinds if not draft.nodes[k]), kinds[0])


def _share(draft: Draft, node: Node, word: str, *, closed: bool) -> float | None:
    """A number from 0 to 1, the ends allowed where ``closed``."""
    term = one(draft, node, KG + word)
    if term is None:
        return None
    value = number(term)
    if value is not None and (0 <= value <= 1 if closed else 0 < value < 1):
        return value
    span = "from 0 to 1" if closed else "above 0 and below 1"
    todo = f"Write {value / 100:g}" if value is not None and 1 < value <= 100 else "Write 0.25 for a quarter"
    draft.report.add("R423", node.location(KG + word, term), f"kg:{word} {shown(term)} is not {span}", todo)
    return None


def _top(draft: Draft, node: Node) -> int | None:
    term = one(draft, node, KG + "top")
    if term is None:
        return None
    value = number(term)
    if value is None or "." in shown(term) or value != int(value) or value < 1:
        text = f"kg:top {shown(term)} is not a whole number from 1"
        draft.report.add("R445", node.location(KG + "top", term), text, "Write the number of places, like 10")
        return None
    return int(value)


def _better(draft: Draft, node: Node) -> str | None:
    term = one(draft, node, KG + "better")
    if term is None:
        return None
    direction = DIRECTIONS.get(term.value) if isinstance(term, NamedNode) else None
    if direction is None:
        text = f"kg:better {shown(term)} is neither kg:More nor kg:Less"
        draft.report.add("R446", node.location(KG + "better", term), text, "Write kg:More or kg:Less")
    return direction


def _doubtful(draft: Draft, rule: Rule) -> bool:
    """Whether the rule names something that is itself broken."""
    return any(draft.is_vague(Kind.CATEGORY, c) for c in (*rule.categories, *rule.but_not)) or any(
        draft.is_vague(Kind.ATTRIBUTE, a) for a in rule.attributes
    )


def _check_scope(draft: Draft, node: Node, rule: Rule, ontology: Ontology) -> None:
    """Whether there is a category where the rule holds."""
    for word, names in (("in", rule.categories), ("butNot", rule.but_not)):
        for name in names:
            category = ontology.categories[name]
            if category.deprecated:
                todo = f"Use {category.replaced_by}" if category.replaced_by else "Name a current category"
                location = node.location(KG + word, NamedNode(category.iri))
                draft.report.add("W416", location, f"the category {name} is deprecated", todo)
    inside = {c for top in rule.categories for c in ontology.subtree(top)}
    for name in rule.but_not:
        location = node.location(KG + "butNot", NamedNode(ontology.categories[name].iri))
        if name not in inside:
            text = f"{name} is not below {' or '.join(rule.categories)}"
            draft.report.add("R419", location, text, "Delete the kg:butNot")
        elif not ontology.scope(rule):
            text = "the rule is taken away everywhere it holds: a dead rule"
            draft.report.add("R420", location, text, "Delete the rule or the kg:butNot")


def _check_content(draft: Draft, node: Node, rule: Rule, ontology: Ontology) -> None:
    """Whether each category that the rule names has the attributes and values that it names."""
    missing = [a for a in rule.attributes if _is_missing(draft, node, rule, ontology, a)]
    if rule.attribute is not None and not missing:
        type_ = ontology.attributes[rule.attribute].type
        if rule.values and type_ not in LISTED:
            text = f"{rule.attribute} is {article(type_)}: it has no values to prefer"
            draft.report.add(
                "R421", node.location(KG + "attribute"), text, "Take an attribute that lists values"
            )
            return
        for value in rule.values:
            _check_value(draft, node, rule, ontology, rule.attribute, value)


def _is_missing(draft: Draft, node: Node, rule: Rule, ontology: Ontology, attribute: str) -> bool:
    """Whether the attribute is missing in a category of the rule; reports it."""
    for name in rule.categories:
        table = ontology.applicable(name)
        if attribute in table:
            continue
        category = ontology.categories[name]
        below = [c for c in ontology.subtree(name) if attribute in ontology.applicable(c)]
        has = ", ".join(sorted(table))
        todo = f"It has {has}"
        if below:
            todo = f"{ontology.categories[below[0]].name()} has it: move the rule there"
        text = f"{category.name()} does not have the attribute {attribute}"
        word = next(
            (KG + w for w in ("attribute", "order") if _names_attribute(draft, node, KG + w, attribute)),
            KG + "attribute",
        )
        term = NamedNode(draft.nodes[Kind.ATTRIBUTE][attribute].iri)
        draft.report.add("R418", node.location(word, term), text, todo)
        return True
    return False


def _names_attribute(draft: Draft, node: Node, word: str, attribute: str) -> bool:
    return any(
        isinstance(m, NamedNode) and local(m.value) == attribute
        for head in node.all(word)
        for m in draft.graph.members(head) or [head]
    )


def _check_value(
    draft: Draft, node: Node, rule: Rule, ontology: Ontology, attribute: str, value: str
) -> None:
    for name in rule.categories:
        known = ontology.applicable(name)[attribute].values
        if value not in known:
            target = draft.nodes[Kind.VALUE].get(value) or draft.nodes[Kind.BRAND][value]
            text = f"{value} is not one of the values of {attribute} in {ontology.categories[name].name()}"
            todo = f"Use one of {', '.join(known)}" if known else did_you_mean(value, known)
            draft.report.add("R421", node.location(KG + "values", NamedNode(target.iri)), text, todo)
            return
