"""The words of the kgrank vocabulary: namespaces, classes, and which word belongs on which kind of thing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from kgrank.ontology.kinds.kind import FIELDS
from kgrank.ontology.kinds.table import rule_kinds
from kgrank.ontology.model import AttributeType, Ontology, Term

KG = "https://w3id.org/kgrank/ns#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
DCTERMS = "http://purl.org/dc/terms/"
OWL = "http://www.w3.org/2002/07/owl#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
DC = "http://purl.org/dc/elements/1.1/"
SKOSXL = "http://www.w3.org/2008/05/skos-xl#"
SCHEMA = "https://schema.org/"

PREFIXES: Mapping[str, str] = {
    "kg": KG,
    "skos": SKOS,
    "dcterms": DCTERMS,
    "owl": OWL,
    "rdf": RDF,
    "rdfs": RDFS,
    "xsd": XSD,
}
"""Prefixes that must have these namespaces and no others."""

TYPE, FIRST, REST, NIL = RDF + "type", RDF + "first", RDF + "rest", RDF + "nil"
NOTATION, PREF_LABEL, ALT_LABEL = SKOS + "notation", SKOS + "prefLabel", SKOS + "altLabel"
BROADER = SKOS + "broader"
DEPRECATED, REPLACED_BY = OWL + "deprecated", DCTERMS + "isReplacedBy"
CREATOR, CREATED, LANGUAGE, TITLE = (DCTERMS + w for w in ("creator", "created", "language", "title"))
VERSION = OWL + "versionInfo"


class Kind(StrEnum):
    """What a subject of the Turtle files can be."""

    CATEGORY = "category"
    ATTRIBUTE = "attribute"
    VALUE = "value"
    BRAND = "brand"
    SEGMENT = "segment"
    PERSON = "person"
    RULE = "rule"
    HEADER = "ontology"


_CLASSES: Mapping[str, Kind] = {
    **{
        KG + kind.value.capitalize(): kind
        for kind in (Kind.CATEGORY, Kind.ATTRIBUTE, Kind.VALUE, Kind.BRAND, Kind.SEGMENT, Kind.PERSON)
    },
    OWL + "Ontology": Kind.HEADER,
}

NEEDS: Mapping[str, str] = {"requires": "required", "recommends": "recommended", "allows": "allowed"}

_TERM = {NOTATION, PREF_LABEL, ALT_LABEL, DEPRECATED, REPLACED_BY}
_RULE = {KG + w for w in ("in", "butNot", "forSegment", "sure", "must", "because")} | {CREATOR, CREATED}


PREDICATES_OF: Mapping[Kind, frozenset[str]] = {
    Kind.CATEGORY: frozenset(
        _TERM
        | {BROADER}
        | {KG + w for w in ("alsoUnder", "requires", "recommends", "allows", "drops", "narrows")}
    ),
    Kind.ATTRIBUTE: frozenset(_TERM | {KG + w for w in ("type", "values", "valuesOf", "unit", "min", "max")}),
    Kind.VALUE: frozenset(_TERM),
    Kind.BRAND: frozenset(_TERM),
    Kind.SEGMENT: frozenset(_TERM),
    Kind.PERSON: frozenset(_TERM),
    Kind.RULE: frozenset(_RULE | {DEPRECATED} | {KG + w for w in FIELDS}),
    Kind.HEADER: frozenset({VERSION, LANGUAGE, TITLE}),
}

KNOWN_PREDICATES = frozenset(w for words in PREDICATES_OF.values() for w in words)
"""Every word that belongs on some kind of thing."""

KG_PREDICATES = frozenset(
    {w for words in PREDICATES_OF.values() for w in words if w.startswith(KG)} | {KG + "value", KG + "uses"}
)
"""Every predicate of the kgrank namespace."""

TYPES: Mapping[str, AttributeType] = {KG + t: t for t in AttributeType}
DIRECTIONS: Mapping[str, str] = {KG + "More": "More", KG + "Less": "Less"}

_SKOS_NOTES = (
    "definition note example editorialNote changeNote historyNote scopeNote hiddenLabel exactMatch "
    "closeMatch broadMatch narrowMatch relatedMatch related inScheme topConceptOf hasTopConcept narrower "
    "broaderTransitive narrowerTransitive"
)
_DCTERMS_NOTES = (
    "contributor created creator description identifier isReplacedBy issued language license modified "
    "publisher references relation replaces rights source subject title"
)
_OWL_NOTES = "imports priorVersion versionIRI versionInfo sameAs backwardCompatibleWith incompatibleWith"
NOTES = frozenset(
    [SKOS + w for w in _SKOS_NOTES.split()]
    + [DCTERMS + w for w in _DCTERMS_NOTES.split()]
    + [OWL + w for w in _OWL_NOTES.split()]
    + [RDFS + w for w in ("label", "comment", "seeAlso", "isDefinedBy")]
    + [TYPE, CREATED, CREATOR]
)
"""Predicates that any term may have and that kgrank does not read."""

CHECKED_NAMESPACES = (KG, SKOS, DCTERMS, OWL, RDFS)
"""A word of one of these that is not known is misspelt; words of other namespaces are the shop's own."""


def terms_by_kind(ontology: Ontology) -> Mapping[Kind, Mapping[str, Term]]:
    """The terms of an ontology by id, for each kind that has names."""
    return {
        Kind.CATEGORY: ontology.categories,
        Kind.ATTRIBUTE: ontology.attributes,
        Kind.VALUE: ontology.values,
        Kind.BRAND: ontology.brands,
        Kind.SEGMENT: ontology.segments,
        Kind.PERSON: ontology.people,
    }


def class_kind(iri: str) -> Kind | None:
    """What the instances of a class are, each kind of rule being a class; None for classes of others."""
    is_rule = iri.startswith(KG) and iri.removeprefix(KG) in rule_kinds()
    return Kind.RULE if is_rule else _CLASSES.get(iri)


def class_names() -> tuple[str, ...]:
    """The local names of the classes."""
    return (*map(local, _CLASSES), *rule_kinds())


def local(iri: str) -> str:
    """The last part of an IRI: the id of the thing."""
    return iri.rstrip("/#").rsplit("#", 1)[-1].rsplit("/", 1)[-1]


def article(word: str) -> str:
    """A word with its indefinite article: "a Choice", "an Ordered"."""
    return f"{'an' if word[:1].lower() in 'aeio' else 'a'} {word}"


def plural(count: int, noun: str) -> str:
    """A count with its noun: "1 rule", "2 categories"."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun.removesuffix('y')}ies" if noun.endswith("y") else f"{count:,} {noun}s"


def short(iri: str) -> str:
    """An IRI as it is written: ``kg:requires``; the last part where no known short name fits."""
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace):
            return f"{prefix}:{iri[len(namespace) :]}"
    return local(iri)
