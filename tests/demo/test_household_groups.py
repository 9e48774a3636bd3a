"""Groups of households with similar tastes."""

from __future__ import annotations

import numpy as np
import pytest

from kgrank.demo.groceries.household_groups import FEWEST, household_groups
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.resources import ontology_folder

COLUMNS = ("price=*", "material=cotton", "inside")


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return read_ontology(ontology_folder("fashion"))


def households(*sizes: int) -> np.ndarray:
    """Tastes around one centre a group, far from each other."""
    random = np.random.default_rng(0)
    centres = np.array([[-1.0, 0.0, 9.0], [1.0, 1.0, -9.0], [0.0, -1.0, 0.0]])[: len(sizes)]
    return np.concatenate(
        [c + 0.05 * random.normal(size=(n, 3)) for c, n in zip(centres, sizes, strict=True)]
    )


def test_groups_that_are_there_are_found_and_said_in_words(ontology: Ontology) -> None:
    found = household_groups(households(40, 30, 20), COLUMNS, ontology)
    sizes = [g.households for g in found.groups]
    assert sum(sizes) == 90
    assert sizes == sorted(sizes, reverse=True)
    assert found.explained > 0.95
    first = next(g for g in found.groups if g.tastes[0].mean < -0.9)
    assert first.sentence == "like “higher Price” less than the average household"
    # The outside option is no taste for anything.
    assert [t.taste for t in first.tastes] == ["higher Price", "Material: Cotton"]


@pytest.mark.parametrize("sizes", [(200, 9), (200, 3, 1)])
def test_no_group_has_fewer_than_ten_households(ontology: Ontology, sizes: tuple[int, ...]) -> None:
    found = household_groups(households(*sizes), COLUMNS, ontology)
    assert all(g.households >= FEWEST for g in found.groups)
    assert sum(g.households for g in found.groups) in (0, sum(sizes))


@pytest.mark.parametrize("tastes", [households(12), np.zeros((50, 3)), np.zeros((0, 3)), households(10, 9)])
def test_too_few_households_or_all_alike_are_no_groups(ontology: Ontology, tastes: np.ndarray) -> None:
    assert household_groups(tastes, COLUMNS, ontology).groups == ()


def test_the_same_households_give_the_same_groups(ontology: Ontology) -> None:
    tastes = np.random.default_rng(1).normal(size=(120, 3))
    assert household_groups(tastes, COLUMNS, ontology) == household_groups(tastes, COLUMNS, ontology)
