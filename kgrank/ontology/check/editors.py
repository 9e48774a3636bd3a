"""What SKOS and OWL editors write and kgrank does not read, where nothing else says the same (W124 to W128)."""

from __future__ import annotations

import re

from pyoxigraph import Literal, NamedNode

from kgrank.ontology.check.graph import Draft, Node, Object, shown
from kgrank.ontology.check.messages import SourceLocation
from kgrank.ontology.check.terms import ELSEWHERE, first_iri
from kgrank.ontology.vocabulary import (
    BROADER,
    DCTERMS,
    DEPRECATED,
    KNOWN_PREDICATES,
    NOTATION,
    NOTES,
    OWL,
    PREF_LABEL,
    RDFS,
    REPLACED_BY,
    SKOS,
    SKOSXL,
    TYPE,
    Kind,
    class_kind,
    local,
    short,
)

_INVERSES = {
    SKOS + "narrower": (BROADER, "O307"),
    SKOS + "narrowerTransitive": (BROADER, "O307"),
    DCTERMS + "replaces": (REPLACED_BY, "W125"),
}
"""Words in the direction that is not read, the words that are, and the code where only the former is written."""

_STATE = re.compile(
    "status$|^state$|deprecat|obsolete|^(is)?active$|^retired$|^withdrawn$|^(is)?published$", re.IGNORECASE
)
"""Last parts of words by which other vocabularies say whether a thing is in use."""

_ENDED = (OWL + "DeprecatedClass", OWL + "DeprecatedProperty")

_THINGS = {
    SKOS + "Concept": "Write a kg:Category, a kg:Attribute or a kg:Value beside it",
    OWL + "Class": "Write a kg:Category beside it, and skos:broader for rdfs:subClassOf",
    RDFS + "Class": "Write a kg:Category beside it, and skos:broader for rdfs:subClassOf",
    OWL + "NamedIndividual": "Write a kg:Category, a kg:Attribute or a kg:Value beside it",
    OWL + "ObjectProperty": "Write a kg:Attribute beside it",
    OWL + "DatatypeProperty": "Write a kg:Attribute beside it",
    SKOS + "Collection": "For values of an attribute write a kg:Attribute with kg:values ( … )",
    SKOS + "OrderedCollection": "For values in an order write an Ordered kg:Attribute with kg:values ( … )",
}
"""Kinds of things that editors write, and what to write for kgrank."""

_LABELS = (PREF_LABEL, RDFS + "label", SKOSXL + "prefLabel", SKOS + "member", SKOS + "memberList")


def check_editors_words(draft: Draft) -> None:
    """Names what editors write in other words or in the other direction, where only these say it."""
    _check_inverses(draft)
    for node in draft.by_iri.values():
        _check_states(draft, node)
        _check_elsewhere(draft, node)
        _check_top(draft, node)
    _check_things(draft)


def _check_inverses(draft: Draft) -> None:
    for inverse, (word, code) in _INVERSES.items():
        for node in (n for n in draft.by_iri.values() if inverse in n.predicates):
            for term in node.all(inverse):
                other = draft.by_iri.get(term.value) if isinstance(term, NamedNode) else None
                written = other is not None and (
                    any(first_iri([t]) == node.iri for t in other.all(word))
                    or (inverse.endswith("Transitive") and bool(other.all(word)))
                )
                partly = draft.only is not None and (other is None or other.iri not in draft.only)
                if not written and not partly:
                    problem = f"{node.id} says {short(inverse)} {shown(term)}, which does not say the reverse"
                    todo = f"Write it on {shown(term)}: {short(word)} {node.id}"
                    draft.report.add(code, node.location(inverse, term), problem, todo)


def _check_states(draft: Draft, node: Node) -> None:
    """A state in the words of other vocabularies changes nothing here."""
    todo = "Write owl:deprecated true where the thing is out of use, or delete it"
    for word in node.predicates:
        known = word in KNOWN_PREDICATES or word in NOTES or word in ELSEWHERE
        if word != DEPRECATED and not known and _STATE.search(local(word)):
            draft.report.add("W124", node.location(word), f"{local(word)} of {node.id} is not read", todo)
    for term in node.all(TYPE):
        if first_iri([term]) in _ENDED and not node.all(DEPRECATED):
            problem = f"{node.id} is a {short(first_iri([term]))}, which is not read"
            draft.report.add("W124", node.location(TYPE, term), problem, todo)


def _check_elsewhere(draft: Draft, node: Node) -> None:
    """A word of another vocabulary that nothing says in the word that is read."""
    for word, ours in ELSEWHERE.items():
        if word not in node.predicates or _says(node, word, ours):
            continue
        problem = f"{_shown_word(word)} of {node.id} is not read"
        draft.report.add("W126", node.location(word), problem, f"Write {short(ours)}")


def _says(node: Node, word: str, ours: str) -> bool:
    """Whether the word that is read says something too: for texts in the same languages."""
    if node.kind is Kind.HEADER or (ours == NOTATION and node.all(NOTATION)):
        return True
    languages = {t.language for t in node.all(word) if isinstance(t, Literal)}
    if languages:
        return languages - {None} <= {t.language for t in node.all(ours) if isinstance(t, Literal)} and bool(
            node.all(ours)
        )
    return bool(node.all(ours)) and not word.startswith(SKOSXL + "alt")


def _check_top(draft: Draft, node: Node) -> None:
    """A category at the top that has another one above it."""
    above: list[Object] = node.all(BROADER)
    if above and node.all(SKOS + "topConceptOf"):
        problem = f"{node.id} is a top concept, and below {shown(above[0])}"
        todo = f"It counts as below {shown(above[0])}; delete one of the two"
        draft.report.add("W127", node.location(SKOS + "topConceptOf"), problem, todo)


def _check_things(draft: Draft) -> None:
    """Things with names that are of no kind of kgrank's: nothing reads them."""
    for subject, words in draft.graph.nodes.items():
        types = [first_iri([t]) for t in words.get(TYPE, ())]
        kind = next((t for t in types if t in _THINGS), None)
        named = any(w in words for w in _LABELS)
        if kind is None or not named or not isinstance(subject, NamedNode) or any(map(class_kind, types)):
            continue
        if draft.only is not None and subject.value not in draft.only:
            continue
        location = SourceLocation(draft.graph.files[subject][0], subject.value, TYPE, kind)
        problem = f"{local(subject.value)} is a {short(kind)}, and of no kind that kgrank reads"
        draft.report.add("W128", location, problem, _THINGS[kind])


def _shown_word(word: str) -> str:
    prefixes = {SKOSXL: "skosxl:", "http://purl.org/dc/elements/1.1/": "dc:"}
    space = word.removesuffix(local(word))
    return prefixes.get(space, "") + local(word) if space in prefixes else short(word)
