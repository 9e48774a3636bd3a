"""What Turtle texts say, in a form that can be compared: brackets and lists are written out."""

from __future__ import annotations

from collections.abc import Iterable

from pyoxigraph import BlankNode, NamedNode, RdfFormat, parse

from kgrank.ontology.check.graph import Graph, Object
from kgrank.ontology.check.parse import BASE

Triple = tuple[str, str, str]


def comparable_triples(texts: Iterable[str]) -> frozenset[Triple]:
    """The statements (subject, word, object) of texts that parse; lists and brackets are written out."""
    graph = Graph()
    for text in texts:
        graph.add(parse(text.encode(), RdfFormat.TURTLE, base_iri=BASE, rename_blank_nodes=True))
    inner = {o for words in graph.nodes.values() for objects in words.values() for o in objects}
    return frozenset(
        (str(subject) if isinstance(subject, NamedNode) else "[]", word, _expanded(graph, term))
        for subject, words in graph.nodes.items()
        if isinstance(subject, NamedNode) or subject not in inner
        for word, objects in words.items()
        for term in objects
    )


def _expanded(graph: Graph, term: Object) -> str:
    if not isinstance(term, BlankNode):
        return str(term)
    members = graph.members(term)
    if members is not None:
        return f"( {' '.join(_expanded(graph, m) for m in members)} )"
    words = graph.nodes.get(term, {})
    inside = sorted(f"{w} {_expanded(graph, o)}" for w, objects in words.items() for o in objects)
    return f"[ {' ; '.join(inside)} ]"
