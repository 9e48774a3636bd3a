"""Which attributes apply where: needed, dropped, narrowed (codes O31)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyoxigraph import BlankNode, NamedNode

from kgrank.ontology.check.attributes import LISTED, read_range
from kgrank.ontology.check.graph import Draft, Node, Object, Predicates
from kgrank.ontology.check.messages import SourceLocation
from kgrank.ontology.check.terms import list_members, one, refer
from kgrank.ontology.model import Applicability, Attribute, AttributeType, Category, Narrowing, Need, Ontology
from kgrank.ontology.vocabulary import KG, NEEDS, Kind, article

_DROPS, _NARROWS, _ATTRIBUTE, _VALUES, _MIN, _MAX = (
    KG + w for w in ("drops", "narrows", "attribute", "values", "min", "max")
)


def read_uses(draft: Draft, node: Node) -> dict[str, Any]:
    """``uses``, ``drops`` and ``narrows`` of one category, as written."""
    uses: dict[str, Need] = {}
    for word, named in NEEDS.items():
        need = Need(named)
        for term in node.all(KG + word):
            attribute = _attribute(draft, node, KG + word, term, word)
            if attribute is None:
                continue
            if attribute in uses:
                problem = f"{node.id} says twice how it needs {attribute}: {uses[attribute]} and {need}"
                draft.report.add("O311", node.location(KG + word, term), problem, "Keep one")
            uses.setdefault(attribute, need)
    drops = set()
    for term in node.all(_DROPS):
        attribute = _attribute(draft, node, _DROPS, term, "drops")
        if attribute in uses:
            problem = f"{node.id} both needs and drops {attribute}"
            draft.report.add("O311", node.location(_DROPS, term), problem, "Keep one")
        elif attribute is not None:
            drops.add(attribute)
    narrows: dict[str, Narrowing] = {}
    for narrowing in (_narrowing(draft, node, term) for term in node.all(_NARROWS)):
        if narrowing is not None and narrows.setdefault(narrowing.attribute, narrowing) is not narrowing:
            problem = f"{node.id} narrows {narrowing.attribute} twice"
            draft.report.add("O311", node.location(_NARROWS), problem, "Make them one")
    return {"uses": uses, "drops": frozenset(drops), "narrows": tuple(narrows.values())}


def check_applicability(draft: Draft, written: Ontology) -> Ontology:
    """The ontology without narrowings that have nothing to act on; nothing is said of categories in doubt."""
    categories = written.categories.values()
    bare = replace(written, categories={c.id: _with_narrows(c, ()) for c in categories})
    sound = {c.id: _with_narrows(c, _sound(draft, bare, c)) for c in categories}
    whole = replace(written, categories=sound)
    for category in sound.values():
        if not draft.is_vague(Kind.CATEGORY, category.id):
            _check_drops(draft, whole, category)
            _check_repeats(draft, whole, category)
            for narrow in category.narrows:
                _check_narrower(draft, whole, category, narrow)
    return whole


def _with_narrows(category: Category, narrows: tuple[Narrowing, ...]) -> Category:
    return category if category.narrows == narrows else replace(category, narrows=narrows)


def _attribute(draft: Draft, node: Node, word: str, term: Object, verb: str) -> str | None:
    text = f"{node.id} {verb} {{}}, which is not an attribute"
    attribute = refer(draft, node, word, term, Kind.ATTRIBUTE, "O310", text)
    if attribute is None:
        draft.vague[Kind.CATEGORY].add(node.id)
    return attribute


def _narrowing(draft: Draft, node: Node, term: Object) -> Narrowing | None:
    """One bracket of ``kg:narrows``."""
    words = draft.graph.nodes.get(term, {}) if isinstance(term, BlankNode) else {}
    named = one(draft, node, _ATTRIBUTE, words)
    if named is None or not ({_VALUES, _MIN, _MAX} & set(words)):
        problem = f"a kg:narrows of {node.id} lacks kg:attribute, or both kg:values and kg:min or kg:max"
        todo = "Write [ kg:attribute a:… ; kg:values ( … ) ] or [ kg:attribute a:… ; kg:min … ; kg:max … ]"
        draft.report.add("O314", node.location(_NARROWS), problem, todo)
        return None
    attribute = _attribute(draft, node, _ATTRIBUTE, named, "narrows")
    values = _narrowed_values(draft, node, words)
    low, high = read_range(draft, node, words)
    return None if attribute is None else Narrowing(attribute, values, low, high)


def _narrowed_values(draft: Draft, node: Node, words: Predicates) -> tuple[str, ...]:
    head = one(draft, node, _VALUES, words)
    if head is None:
        return ()
    values = []
    if draft.graph.members(head) == []:
        problem = f"a kg:narrows of {node.id} leaves no values"
        draft.report.add(
            "O314", node.location(_NARROWS), problem, "List those that are left, or use kg:drops"
        )
    for member in list_members(draft, node, _VALUES, head, "O210"):
        text = f"{node.id} narrows to {{}}, which is not a value"
        values.append(refer(draft, node, _VALUES, member, Kind.VALUE, "O316", text))
    return tuple(dict.fromkeys(v for v in values if v is not None))


def _sound(draft: Draft, bare: Ontology, category: Category) -> tuple[Narrowing, ...]:
    """The narrowings of attributes that the category has."""
    kept = []
    for narrow in category.narrows:
        if narrow.attribute in bare.applicable(category.id):
            kept.append(narrow)
        elif not draft.is_vague(Kind.CATEGORY, category.id):
            location = _place(draft, category, _ATTRIBUTE, Kind.ATTRIBUTE, narrow.attribute)
            problem = f"{category.id} narrows {narrow.attribute}, which it does not have"
            draft.report.add("O315", location, problem, "Add the attribute, or delete the narrowing")
    return tuple(kept)


def _check_drops(draft: Draft, ontology: Ontology, category: Category) -> None:
    for attribute in sorted(category.drops - set(_inherited(ontology, category.id))):
        location = _place(draft, category, _DROPS, Kind.ATTRIBUTE, attribute)
        problem = f"{category.id} drops {attribute}, which it does not inherit"
        draft.report.add("O313", location, problem, "Delete it here")


def _check_repeats(draft: Draft, ontology: Ontology, category: Category) -> None:
    above = _inherited(ontology, category.id)
    words = {need: word for word, need in NEEDS.items()}
    for attribute, need in category.uses.items():
        if attribute in above and above[attribute].need == need:
            word = words[need]
            location = _place(draft, category, KG + word, Kind.ATTRIBUTE, attribute)
            problem = f"{category.id} says again what it inherits: {word} {attribute}"
            draft.report.add("W312", location, problem, "Delete it here")


def _check_narrower(draft: Draft, ontology: Ontology, category: Category, narrow: Narrowing) -> None:
    """A narrowing takes values away; it never adds any."""
    attribute = ontology.attributes[narrow.attribute]
    if draft.is_vague(Kind.ATTRIBUTE, attribute.id):
        return
    wide = _inherited(ontology, category.id).get(narrow.attribute) or declared(attribute)
    if narrow.values and attribute.type not in LISTED:
        location = _place(draft, category, _ATTRIBUTE, Kind.ATTRIBUTE, attribute.id)
        problem = f"{attribute.id} is {article(attribute.type)} and has no list to narrow"
        draft.report.add("O316", location, problem, "Write kg:min and kg:max, or delete the narrowing")
        return
    known = ", ".join(wide.values)
    for value in narrow.values:
        if value not in wide.values:
            location = _place(draft, category, _VALUES, Kind.VALUE, value)
            problem = f"{value} is not one of the values of {attribute.id} here ({known})"
            draft.report.add("O316", location, problem, "A subcategory can only take values away")
    _check_range(draft, category, narrow, wide, attribute)


def _check_range(
    draft: Draft, category: Category, narrow: Narrowing, wide: Applicability, attribute: Attribute
) -> None:
    if narrow.minimum is None and narrow.maximum is None:
        return
    location = _place(draft, category, _ATTRIBUTE, Kind.ATTRIBUTE, attribute.id)
    if attribute.type is not AttributeType.NUMBER:
        problem = f"{attribute.id} is {article(attribute.type)} and has no range to narrow"
        draft.report.add("O317", location, problem, "Write kg:values, or delete the narrowing")
        return
    low = wide.minimum is not None and narrow.minimum is not None and narrow.minimum < wide.minimum
    high = wide.maximum is not None and narrow.maximum is not None and narrow.maximum > wide.maximum
    if low or high:
        inner, outer = span(narrow.minimum, narrow.maximum), span(wide.minimum, wide.maximum)
        problem = f"the range {inner} goes outside {outer} of {attribute.id}"
        draft.report.add("O317", location, problem, "A subcategory can only narrow")


def span(low: float | None, high: float | None) -> str:
    """A range as an editor reads it: ``50–3000``, ``from 50``, ``up to 3000``."""
    if low is not None and high is not None:
        return f"{low:g}–{high:g}"
    return f"from {low:g}" if low is not None else f"up to {high:g}"


def _inherited(ontology: Ontology, category: str) -> Mapping[str, Applicability]:
    parent = ontology.categories[category].parent
    return {} if parent is None else ontology.applicable(parent)


def declared(attribute: Attribute) -> Applicability:
    """The attribute without any narrowing."""
    return Applicability(
        attribute=attribute.id,
        need=Need.ALLOWED,
        origin="",
        values=attribute.values,
        minimum=attribute.minimum,
        maximum=attribute.maximum,
    )


def _place(draft: Draft, category: Category, word: str, kind: Kind, named: str) -> SourceLocation:
    """Where a category names a thing."""
    target = draft.nodes[kind].get(named)
    node = draft.nodes[Kind.CATEGORY][category.id]
    return node.location(word, NamedNode(target.iri) if target else None)
