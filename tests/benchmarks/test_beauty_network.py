"""The benchmark of the network on Beauty: its weight against another optimiser, its scores against the served."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special

from benchmarks.beauty_network import Network, gain, likeliest_weight, without
from kgrank.arrays import Floats
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.weights.graph_filter import ITEM, GraphFilter, Relation, recency_counts


def test_the_weight_is_the_likeliest_one_in_units_of_the_model() -> None:
    random = np.random.default_rng(0)
    base, term = random.normal(size=(2, 400, 20))
    allowed = random.random((400, 20)) > 0.2
    utility = np.where(allowed, 0.5 * base + term + random.gumbel(size=base.shape), -np.inf)
    position = utility.argmax(1)

    def loss(weights: Floats) -> float:
        logits = np.where(allowed, weights[0] * base + weights[1] * term, -np.inf)
        return float((special.logsumexp(logits, 1) - logits[np.arange(400), position]).sum())

    best = optimize.minimize(loss, [1.0, 0.0]).x
    weight = likeliest_weight(base.astype(np.float32), term.astype(np.float32), allowed, position)
    assert weight == pytest.approx(best[1] / best[0], rel=0.02)
    assert weight == pytest.approx(2.0, abs=0.5)


def test_scores_of_many_people_are_those_that_are_served() -> None:
    random = np.random.default_rng(1)
    brand = np.array([0, 1, -1, 1])
    learned = GraphFilter(
        np.array([3, 2, 0, 1]),
        np.array([1.0, 1.0, 0.0, 1.0]),
        random.normal(size=(4, 3)),
        np.zeros(3),
        (
            Relation(ITEM, np.arange(4), random.normal(size=(4, 3)), np.array([3, 2, 0, 1])),
            Relation("brand", brand, random.normal(size=(2, 3)), np.array([3, 3])),
        ),
    )
    histories = EventSequences.of([np.array([0, 1, 3]), np.array([2]), np.array([1, 2, 1])], 4)
    scores = Network.of(learned, 0.6).scores(histories, np.array([1, 2, 3]))
    for row, history in enumerate([[0, 1, 3], [2], [1, 2, 1]]):
        person = learned.person(history, recency_counts(len(history), 0.6))
        assert scores[row] == pytest.approx(learned.scores(person, np.array([1, 2, 3])), abs=1e-12)


def test_hidden_items_leave_the_histories() -> None:
    events = EventSequences.of([np.array([0, 1, 2]), np.array([1]), np.array([2, 0])], 3)
    shown = without(events, np.array([False, True, False]))
    assert shown.item.tolist() == [0, 2, 2, 0]
    assert shown.start.tolist() == [0, 2, 2, 4]


def test_a_gain_is_a_mean_over_people_and_seeds_with_an_interval() -> None:
    places = {
        "without": np.array([1, 20, 20, 20]),
        "network 0": np.array([1, 1, 20, 20]),
        "network 1": np.array([1, 1, 1, 20]),
    }
    found = gain(places, "network", 2)
    assert found["network_adds_hr10"] == pytest.approx(3 / 8)
    people, seeds = np.std([0, 1, 0.5, 0], ddof=1) / 2, np.std([0.25, 0.5], ddof=1) / np.sqrt(2)
    assert found["network_adds_hr10_low"] == pytest.approx(3 / 8 - 1.96 * np.hypot(people, seeds))
    assert found["network_adds_hr10_seed_spread"] == pytest.approx(0.25)
