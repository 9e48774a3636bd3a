"""The benchmark of the network on Beauty: its weight, and its scores against the served."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.beauty_network import Network, chosen_weight, gain, without
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.weights.graph_filter import ITEM, GraphFilter, Relation, recency_counts


def test_the_weight_is_the_best_of_some_and_small_for_noise() -> None:
    random = np.random.default_rng(0)
    base, term, noise = random.normal(size=(3, 2000, 100)).astype(np.float32)
    allowed = np.ones(base.shape, bool)
    position = (base + 0.5 * term + 0.3 * random.gumbel(size=base.shape)).argmax(1)
    assert 0.4 <= chosen_weight(base, term, allowed, position) <= 0.7
    assert chosen_weight(base, noise, allowed, position) <= 0.05


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
