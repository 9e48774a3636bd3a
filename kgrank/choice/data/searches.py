"""The values that the words of a search name."""

from __future__ import annotations

import re

import polars as pl

from kgrank.graph.schema import value_id
from kgrank.ingest.cells.normalise import ids_by_name, same
from kgrank.ontology.model import BRAND, Attribute, AttributeType, Ontology, Term

SCHEMA = {"category": pl.String(), "query": pl.String(), "attribute": pl.String(), "node": pl.String()}
LONGEST = 4
"""Words of the longest name that is looked for."""

SPACELESS = re.compile("[\u0e00-\u0eff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff]")
"""Letters of scripts that write no spaces between words."""


def named_values(ontology: Ontology, searches: pl.DataFrame) -> pl.DataFrame:
    """What each search names: one row an attribute of which it names exactly one value.

    A value is named by its id, a name or a synonym in any language, as whole words, the longest first; a yes/no
    attribute by its name. Words that name values of two attributes, and those of the category itself,
    are passed over.

    Args:
        ontology: What is called how, and where it applies.
        searches: Columns category, query.

    Returns:
        Columns of ``SCHEMA``.
    """
    value_names = {a.id: _value_names(a, ontology) for a in ontology.attributes.values()}
    rows = []
    for (category,), category_searches in searches.partition_by("category", as_dict=True).items():
        if category not in ontology.categories:
            continue
        values_by_phrase = _values_by_phrase(ontology, category, value_names)
        rows += [
            (category, query, a, n)
            for query in category_searches["query"]
            for a, n in values_in_query(query, values_by_phrase).items()
        ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def values_by_phrase(ontology: Ontology, category: str) -> dict[str, tuple[str, str]]:
    """Attribute and value by each phrase that names them in a category, in any language."""
    return _values_by_phrase(
        ontology, category, {a.id: _value_names(a, ontology) for a in ontology.attributes.values()}
    )


def values_in_query(query: str, values_by_phrase: dict[str, tuple[str, str]]) -> dict[str, str]:
    """By attribute, the value that a search names, if exactly one; ``values_by_phrase`` comes from ``phrases``."""
    nodes_by_attribute: dict[str, set[str]] = {}
    for attribute, node in _named_pairs(same(query), values_by_phrase):
        nodes_by_attribute.setdefault(attribute, set()).add(node)
    return {
        attribute: next(iter(nodes)) for attribute, nodes in nodes_by_attribute.items() if len(nodes) == 1
    }


def _value_names(attribute: Attribute, ontology: Ontology) -> dict[str, str]:
    """AttributeValue ids by what they are called."""
    if attribute.type is AttributeType.BOOLEAN:
        return dict.fromkeys(ids_by_name([attribute]), value_id(attribute.id, "true"))
    if attribute.type in (AttributeType.NUMBER, AttributeType.TEXT):
        return {}
    terms = (ontology.values.get(v, Term(v)) for v in attribute.values)
    values_by_name = ids_by_name(ontology.brands.values() if attribute.id == BRAND else terms)
    without_hyphens = {text.replace("-", " "): value for text, value in values_by_name.items()}
    return {text: value_id(attribute.id, value) for text, value in (without_hyphens | values_by_name).items()}


def _values_by_phrase(
    ontology: Ontology, category: str, value_names: dict[str, dict[str, str]]
) -> dict[str, tuple[str, str]]:
    """Attribute and value by phrase, for the attributes of a category."""
    meanings: dict[str, set[tuple[str, str]]] = {}
    for attribute in ontology.applicable(category):
        for text, node in value_names[attribute].items():
            meanings.setdefault(text, set()).add((attribute, node))
    category_words = ids_by_name(ontology.categories[c] for c in ontology.lineage(category))
    return {
        text: next(iter(all_))
        for text, all_ in meanings.items()
        if len(all_) == 1 and text not in category_words
    }


def _named_pairs(query: str, values_by_phrase: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """What a query names; scripts without spaces between words are searched as a whole."""
    pairs = [pair for text, pair in values_by_phrase.items() if SPACELESS.search(text) and text in query]
    tokens = re.findall(r"[\w'&.-]+", query)
    position = 0
    while position < len(tokens):
        for size in range(min(LONGEST, len(tokens) - position), 0, -1):
            text = " ".join(tokens[position : position + size])
            if text in values_by_phrase and not SPACELESS.search(text):
                pairs.append(values_by_phrase[text])
                position += size
                break
        else:
            position += 1
    return pairs
