"""The statements of a folder as Python values, and the things that they describe."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from kgrank.ontology.check.messages import Report, SourceLocation
from kgrank.ontology.check.positions import literal_key
from kgrank.ontology.vocabulary import FIRST, NIL, REST, Kind, local

_LONG = 80
"""Characters of a text that a message shows."""

Object = NamedNode | BlankNode | Literal | Triple
Predicates = dict[str, list[Object]]


@dataclass
class Graph:
    """Subjects with their words and objects in the order written, and the files that describe them."""

    nodes: dict[NamedNode | BlankNode, Predicates] = field(default_factory=dict)
    files: dict[NamedNode | BlankNode, list[str]] = field(default_factory=dict)

    def add(self, quads: Iterable[Quad]) -> None:
        """Adds statements; a repeated one counts once."""
        nodes = self.nodes
        for quad in quads:
            subject, word, term = quad.subject, quad.predicate.value, quad.object
            if isinstance(subject, Triple):
                continue
            words = nodes.get(subject)
            if words is None:
                words = nodes[subject] = {}
            objects = words.get(word)
            if objects is None:
                words[word] = [term]
            elif term not in objects:
                objects.append(term)

    def merge(self, other: Graph) -> None:
        """Adds the statements of another file."""
        for subject, words in other.nodes.items():
            self.files.setdefault(subject, []).extend(other.files[subject])
            if subject not in self.nodes:
                self.nodes[subject] = words
                continue
            mine = dict(self.nodes[subject])
            for word, objects in words.items():
                mine[word] = list(dict.fromkeys([*mine.get(word, ()), *objects]))
            self.nodes[subject] = mine

    def members(self, head: Object) -> list[Object] | None:
        """The members of a Turtle list ``( … )``; None where it is no list."""
        objects: list[Object] = []
        seen = set()
        while not (isinstance(head, NamedNode) and head.value == NIL):
            if not isinstance(head, BlankNode) or head in seen:
                return None
            seen.add(head)
            cell = self.nodes.get(head, {})
            if len(cell.get(FIRST, ())) != 1 or len(cell.get(REST, ())) != 1:
                return None
            objects.append(cell[FIRST][0])
            head = cell[REST][0]
        return objects


@dataclass(frozen=True)
class Node:
    """One thing that the files describe: its kind, the file, and its words."""

    iri: str
    kind: Kind
    file: str
    predicates: Predicates
    id: str
    """The last part of the IRI."""

    def all(self, word: str) -> list[Object]:
        """The objects of a word; empty where it is not written."""
        return self.predicates.get(word, [])

    def location(
        self, word: str | None = None, object_: Object | None = None, nth: int = 0
    ) -> SourceLocation:
        """The source location of the term, of one of its predicates, or of one object of that predicate."""
        return SourceLocation(self.file, self.iri, word, None if object_ is None else key(object_), nth)


@dataclass
class Draft:
    """What a check works on: statements, things by kind and id, findings, and what is known to be broken.

    ``vague`` holds the ids, by kind, of things whose description is broken in a way that would make every
    further finding about them a mere consequence.
    """

    graph: Graph
    report: Report
    nodes: Mapping[Kind, dict[str, Node]] = field(default_factory=lambda: {k: {} for k in Kind})
    by_iri: dict[str, Node] = field(default_factory=dict)
    only: Container[str] | None = None
    """The things that messages are wanted about; all where it is not given."""
    languages: Collection[str] | None = None
    """The languages in which anything has a name, where the statements are a part of more."""
    missing: dict[Kind, str] = field(default_factory=dict)
    """Kinds of which there is no thing although some are named, each with the code that says so."""
    vague: Mapping[Kind, set[str]] = field(default_factory=lambda: {k: set() for k in Kind})

    def is_vague(self, kind: Kind, id_: str | None) -> bool:
        """Whether findings about a thing are held back."""
        return id_ in self.vague[kind]


def key(term: Object) -> str:
    """How ``SourceLocation.object`` names a term."""
    if isinstance(term, Literal):
        return literal_key(term.value)
    return term.value if isinstance(term, NamedNode) else ""


def shown(term: Object) -> str:
    """A term as an editor knows it: the id of a thing, a text in quotes, a number as written."""
    if isinstance(term, NamedNode):
        return local(term.value)
    if isinstance(term, Literal):
        plain = term.datatype.value.rsplit("#", 1)[-1] in ("integer", "decimal", "double", "boolean")
        text = term.value if len(term.value) <= _LONG else f"{term.value[:_LONG]}…"
        return text if plain else f'"{text}"'
    return "[ … ]"
