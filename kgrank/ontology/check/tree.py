"""The category tree: parents, circles, twins (codes O30)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pyoxigraph import NamedNode

from kgrank.ontology.check.applicability import read_uses
from kgrank.ontology.check.graph import Draft, Node, shown
from kgrank.ontology.check.terms import Header, read_term, refer
from kgrank.ontology.model import Category
from kgrank.ontology.vocabulary import BROADER, KG, PREF_LABEL, Kind

_ALSO_UNDER = KG + "alsoUnder"


def read_categories(draft: Draft, header: Header) -> dict[str, Category]:
    """All categories with what is written on them; circles are cut, and all below is marked as vague."""
    categories = {node.id: _read(draft, node, header) for node in draft.nodes[Kind.CATEGORY].values()}
    categories = _cut_circles(draft, categories)
    _spread_vagueness(draft, categories)
    _twins(draft, categories)
    return categories


def _read(draft: Draft, node: Node, header: Header) -> Category:
    term = read_term(draft, node, header)
    return Category(
        **term, parent=_parent(draft, node), also_under=_also_under(draft, node), **read_uses(draft, node)
    )


def _parent(draft: Draft, node: Node) -> str | None:
    terms = node.all(BROADER)
    if not terms:
        return None
    if len(terms) > 1:
        named = ", ".join(shown(t) for t in terms)
        problem = f"{node.id} has {len(terms)} parents: {named}"
        if len(terms) == 2:
            problem = f"{node.id} has two parents: {named}"
        draft.report.add(
            "O301", node.location(BROADER, terms[1]), problem, "Keep one; write the other as kg:alsoUnder"
        )
    if isinstance(terms[0], NamedNode) and terms[0].value == node.iri:
        problem = f"{node.id} is its own parent"
        draft.report.add(
            "O303", node.location(BROADER, terms[0]), problem, "Name the category above, or delete the line"
        )
        draft.vague[Kind.CATEGORY].add(node.id)
        return None
    parent = refer(draft, node, BROADER, terms[0], Kind.CATEGORY, "O302", "the parent {} does not exist")
    if parent is None or parent == node.id:
        draft.vague[Kind.CATEGORY].add(node.id)
        return None
    return parent


def _also_under(draft: Draft, node: Node) -> tuple[str, ...]:
    text = "the category {} of kg:alsoUnder does not exist"
    categories = [
        refer(draft, node, _ALSO_UNDER, t, Kind.CATEGORY, "O306", text) for t in node.all(_ALSO_UNDER)
    ]
    if node.id in categories:
        draft.report.add("O306", node.location(_ALSO_UNDER), f"{node.id} is also under itself", "Delete it")
    return tuple(dict.fromkeys(c for c in categories if c is not None and c != node.id))


def _cut_circles(draft: Draft, categories: Mapping[str, Category]) -> dict[str, Category]:
    """Reports each circle once, whole, and cuts the link that closes it."""
    cut = dict(categories)
    safe: set[str] = set()
    for start in categories:
        path: list[str] = []
        here: str | None = start
        while here is not None and here not in safe and here not in path:
            path.append(here)
            here = cut[here].parent
        if here in path and here is not None:
            ring = path[path.index(here) :]
            first = min(ring, key=list(categories).index)
            ring = ring[ring.index(first) :] + ring[: ring.index(first)]
            last = draft.nodes[Kind.CATEGORY][ring[-1]]
            problem = "the parents go in a circle: " + " > ".join([*ring, first])
            draft.report.add(
                "O304", last.location(BROADER), problem, "Take one of these skos:broader lines out"
            )
            cut[ring[-1]] = replace(cut[ring[-1]], parent=None)
            draft.vague[Kind.CATEGORY].update(ring)
        safe.update(path)
    return cut


def _spread_vagueness(draft: Draft, categories: Mapping[str, Category]) -> None:
    """What is below a category whose place or attributes are in doubt is in doubt as well."""
    vague = draft.vague[Kind.CATEGORY]
    known: dict[str, bool] = {}

    def doubtful(category: str) -> bool:
        if category not in known:
            parent = categories[category].parent
            known[category] = category in vague or (parent is not None and doubtful(parent))
        return known[category]

    vague.update([c for c in categories if doubtful(c)])


def _twins(draft: Draft, categories: Mapping[str, Category]) -> None:
    """Two children of one category must not have the same name."""
    seen: dict[tuple[str | None, str, str], str] = {}
    for category in categories.values():
        if category.deprecated or draft.is_vague(Kind.CATEGORY, category.id):
            continue
        for language, name in category.names.items():
            first = seen.setdefault((category.parent, language, name.casefold()), category.id)
            if first != category.id:
                node = draft.nodes[Kind.CATEGORY][category.id]
                term = next(t for t in node.all(PREF_LABEL) if getattr(t, "value", "") == name)
                problem = f'{category.id} and {first} have the same parent and the same name "{name}"'
                draft.report.add(
                    "O305", node.location(PREF_LABEL, term), problem, "Merge them, or rename one"
                )
                break
