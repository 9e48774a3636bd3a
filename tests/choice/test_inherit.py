"""Inherits rules draw a category's part-worths towards its parent's, by share and confidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from generated_shop import Generated

from kgrank.choice.importance import importance
from kgrank.choice.logit.categories import Variances, category_posterior, fit_categories
from kgrank.choice.rules.inherit import inherit, strength
from kgrank.learning.training_data import TrainingData, read_training_data
from kgrank.ontology.model import Ontology, Rule


@pytest.fixture(scope="module")
def shop(generated: Generated) -> tuple[TrainingData, Ontology]:
    graph, ontology, _ = generated
    return read_training_data(graph, ontology, 0), ontology


def distance(
    shop: TrainingData, ontology: Ontology, category: str, parent: str, share: float, sure: float
) -> float:
    """How far the category's price slope is from its parent's without it, under an Inherits rule."""
    rule = Rule("like", "Inherits", (category,), sure, attribute="price", share=share)
    known = replace(ontology, rules={"like": rule})
    sets = {c: shop.sets[c] for c in (category, parent)}
    head = fit_categories(sets, {})
    places = {
        c: category_posterior(s, head.fits[c], None, Variances(), own_choices=False) for c, s in sets.items()
    }
    found = inherit(known, sets, places, Variances())[category]
    others = sets[parent].take(~np.isin(sets[parent].number, sets[category].number))
    above = fit_categories({parent: others}, {}).fits[parent]
    own, up = found.layout.block["price"], places[parent].layout.block["price"]
    return abs(found.mean[own.start] / own.scale - above.part_worths[up.start] / up.scale)


def child_and_parent(shop: TrainingData, ontology: Ontology) -> tuple[str, str]:
    child = next(c for c in shop.own_choices if ontology.categories[c].parent in shop.sets)
    return child, str(ontology.categories[child].parent)


def test_the_stronger_the_rule_the_nearer_to_the_parent(shop: tuple[TrainingData, Ontology]) -> None:
    read, ontology = shop
    pair = child_and_parent(read, ontology)
    far, near, same = (distance(read, ontology, *pair, share, 0.9) for share in (0.1, 0.9, 1.0))
    assert far > near > same


def test_a_hard_rule_with_share_1_is_as_strong_as_it_gets() -> None:
    assert strength(Rule("r", "Inherits", (), 1.0, attribute="price", share=1.0)) == pytest.approx(0.999)


def test_a_share_of_0_changes_nothing(shop: tuple[TrainingData, Ontology]) -> None:
    read, ontology = shop
    category, parent = child_and_parent(read, ontology)
    rule = Rule("own", "Inherits", (category,), 0.9, attribute="price", share=0.0)
    sets = {c: read.sets[c] for c in (category, parent)}
    head = fit_categories(sets, {})
    places = {
        c: category_posterior(s, head.fits[c], None, Variances(), own_choices=False) for c, s in sets.items()
    }
    found = inherit(replace(ontology, rules={"own": rule}), sets, places, Variances())[category]
    assert importance(found.layout, found.mean) == pytest.approx(
        importance(found.layout, places[category].mean)
    )
