"""Walks through the category tree."""

from __future__ import annotations

import pytest

from kgrank.ontology.model import Category, Ontology

PARENTS = {
    "all": None,
    "clothes": "all",
    "dresses": "clothes",
    "tops": "clothes",
    "shoes": "all",
    "books": None,
}
TREE = Ontology(
    "1", categories={c: Category(c, parent=parent) for c, parent in PARENTS.items()}, attributes={}
)


@pytest.mark.parametrize(
    ("categories", "lowest"),
    [
        (["dresses"], "dresses"),
        (["dresses", "dresses"], "dresses"),
        (["dresses", "tops"], "clothes"),
        (["tops", "clothes"], "clothes"),
        (["dresses", "tops", "shoes"], "all"),
        (["dresses", "books"], None),
        ([], None),
    ],
)
def test_the_lowest_common_category_contains_or_is_all_of_them(
    categories: list[str], lowest: str | None
) -> None:
    assert TREE.lowest_common(categories) == lowest
