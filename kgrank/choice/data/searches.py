"""The values that the words of a search name."""

from __future__ import annotations

import re

import polars as pl

from kgrank.graph.schema import value_id
from kgrank.ingest.normalise import same, words
from kgrank.ontology.model import BRAND, Attribute, AttributeType, Ontology, Term

SCHEMA = {"category": pl.String(), "query": pl.String(), "attribute": pl.String(), "node": pl.String()}
LONGEST = 4
"""Words of the longest name that is looked for."""

SPACELESS = re.compile("[\u0e00-\u0eff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff]")
"""Letters of scripts that write no spaces between words."""


def named_values(ontology: Ontology, searches: pl.DataFrame) -> pl.DataFrame:
    """What each search names: one row an attribute of which it names exactly one value.

    A value is named by its id, a name or a synonym in any language, as whole words, the longest first; a yes/no
    attribute by its own name. Words that stand for values of two attributes, and those of the category itself,
    say nothing.

    Args:
        ontology: What is called how, and where it applies.
        searches: Columns category, query.

    Returns:
        Columns of ``SCHEMA``.
    """
    calls = {a.id: _calls(a, ontology) for a in ontology.attributes.values()}
    rows = []
    for (category,), some in searches.partition_by("category", as_dict=True).items():
        if category not in ontology.categories:
            continue
        known = _known(ontology, category, calls)
        rows += [(category, query, a, n) for query in some["query"] for a, n in named(query, known).items()]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def phrases(ontology: Ontology, category: str) -> dict[str, tuple[str, str]]:
    """Attribute and value by what names them in a category."""
    return _known(ontology, category, {a.id: _calls(a, ontology) for a in ontology.attributes.values()})


def named(query: str, known: dict[str, tuple[str, str]]) -> dict[str, str]:
    """The value that a search names, by attribute, where it names exactly one; ``known`` is of ``phrases``."""
    found: dict[str, set[str]] = {}
    for attribute, node in _named(same(query), known):
        found.setdefault(attribute, set()).add(node)
    return {attribute: next(iter(nodes)) for attribute, nodes in found.items() if len(nodes) == 1}


def _calls(attribute: Attribute, ontology: Ontology) -> dict[str, str]:
    """AttributeValue ids by what they are called."""
    if attribute.type is AttributeType.BOOLEAN:
        return dict.fromkeys(words([attribute]), value_id(attribute.id, "true"))
    if attribute.type in (AttributeType.NUMBER, AttributeType.TEXT):
        return {}
    terms = (ontology.values.get(v, Term(v)) for v in attribute.values)
    found = words(ontology.brands.values() if attribute.id == BRAND else terms)
    plain = {text.replace("-", " "): value for text, value in found.items()}
    return {text: value_id(attribute.id, value) for text, value in (plain | found).items()}


def _known(ontology: Ontology, category: str, calls: dict[str, dict[str, str]]) -> dict[str, tuple[str, str]]:
    """Attribute and value by phrase, for the attributes of a category."""
    found: dict[str, set[tuple[str, str]]] = {}
    for attribute in ontology.applicable(category):
        for text, node in calls[attribute].items():
            found.setdefault(text, set()).add((attribute, node))
    own = words(ontology.categories[c] for c in (category, *ontology.ancestors(category)))
    return {text: next(iter(all_)) for text, all_ in found.items() if len(all_) == 1 and text not in own}


def _named(query: str, known: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """What a query names; scripts without spaces between words are searched as a whole."""
    found = [pair for text, pair in known.items() if SPACELESS.search(text) and text in query]
    parts = re.findall(r"[\w'&.-]+", query)
    at = 0
    while at < len(parts):
        for size in range(min(LONGEST, len(parts) - at), 0, -1):
            text = " ".join(parts[at : at + size])
            if text in known and not SPACELESS.search(text):
                found.append(known[text])
                at += size
                break
        else:
            at += 1
    return found
