"""Categories by what people call them: an id, a name or a synonym, in any language."""

from __future__ import annotations

import unicodedata

from kgrank.errors import InputError
from kgrank.ontology.model import Category, Ontology
from kgrank.ranking.catalogue.shop import check_category


def category_id(ontology: Ontology, text: str) -> str:
    """The id of the category that has this id, name or synonym, in any case and language.

    Raises:
        InputError: No category is called so, or several are.
    """
    if text in ontology.categories:
        return text
    called = {c.id: [_folded(name) for name in _names(c)] for c in ontology.categories.values()}
    matching = [id_ for id_, names in called.items() if _folded(text) in names]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise InputError(
            f"{len(matching)} categories are called {text!r}",
            expected=f"one of {', '.join(sorted(matching))}",
        )
    check_category(ontology, text)
    return text


def _names(category: Category) -> list[str]:
    return [category.id, *category.names.values(), *(s for many in category.synonyms.values() for s in many)]


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
