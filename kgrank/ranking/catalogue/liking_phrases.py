"""Why a person's liking counts for an item, in words: by what they bought, and through what."""

from __future__ import annotations

from kgrank.choice.tastes.liking import PersonLiking
from kgrank.ontology.model import Ontology
from kgrank.ontology.sentences import within_sentence
from kgrank.ranking.catalogue.items import Items
from kgrank.ranking.catalogue.liking import StrongestBought
from kgrank.ranking.catalogue.phrases import attribute_name, grouping_name, phrase
from kgrank.weights.graph_filter import ITEM

TOGETHER = " and "
"""Between the names of attributes that a relation goes through together."""


def relation_name(ontology: Ontology, relation: str, language: str) -> str:
    """What a target is read through, inside a sentence: an attribute, several together, or its category."""
    if relation in ontology.attributes:
        return within_sentence(attribute_name(ontology, relation, language))
    names = relation.split(TOGETHER)
    if len(names) > 1:
        return phrase("both", language).join(relation_name(ontology, name, language) for name in names)
    return grouping_name(relation, language)


def bought_title(items: Items, item: str) -> str:
    """The title of a bought item, its id where it has none or has left the shop."""
    row = items.index.get(item)
    return (items.titles[row] if row is not None else "") or item


def bought_words(ontology: Ontology, title: str | None, relation: str | None, language: str) -> str:
    """That something was bought: "you bought X, through its maker".

    Args:
        ontology: Names of relations.
        title: Of the bought item; None where too few people are behind it to name it.
        relation: Through which it counts most, of those with enough people behind them.
        language: Of the words.
    """
    if title is None or relation is None:
        return phrase("bought-few", language)
    if relation == ITEM:
        return phrase("bought", language, title=title)
    name = relation_name(ontology, relation, language)
    return phrase("bought-through", language, title=title, relation=name)


def liking_words(
    ontology: Ontology, items: Items, person: PersonLiking, strongest: StrongestBought, language: str
) -> list[tuple[str | None, str]]:
    """For each item, the bought item that is named beside it, None for none, and its liking in words."""
    words: list[tuple[str | None, str]] = []
    for number, relation, why in zip(
        strongest.item.tolist(), strongest.relation, strongest.unnamed, strict=True
    ):
        if why is not None:
            words.append((None, phrase(why, language)))
        else:
            item = person.weights.items[number]
            words.append((item, bought_words(ontology, bought_title(items, item), relation, language)))
    return words
