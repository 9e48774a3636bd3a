"""Memory of training on a wide, sparse shop: it grows with the events, not with people x items or columns."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse
from wide_shop import wide_shop

from kgrank.choice.behaviour.counts import Counts
from kgrank.choice.behaviour.event_log import read_event_log
from kgrank.choice.behaviour.groupings import groupings, titles
from kgrank.choice.behaviour.terms import term_values
from kgrank.choice.behaviour.title_tfidf import TitleVectors
from kgrank.choice.logit import categories
from kgrank.choice.logit.fit import fit
from kgrank.choice.logit.likelihood import Choices
from kgrank.learning.training_data import read_training_data

SMALL, TWICE = 4_000, 8_000
NEAR_LINEAR = 2.4
"""Growth of what is linear when all doubles, with what else is in memory; a dense product would grow fourfold."""


def peak(work: Callable[[], object]) -> int:
    """Bytes that are allocated at the same time, at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def behaviour(size: int, *, impressions: bool) -> Callable[[], object]:
    """Counts of a shop, and the values of all terms for people beside the items of a list each."""
    graph, ontology = wide_shop(size, impressions=impressions)
    log = read_event_log(graph)
    groups = groupings(graph, ontology, log.items)
    vectors = TitleVectors.of(titles(graph, log.items))

    def work() -> None:
        counts = Counts.of(log.events.once(), groups, vectors)
        people = np.arange(len(log.users))
        asked = np.full(len(people), int(log.events.time.max()))  # type: ignore[union-attr]
        histories = log.events.once().histories(asked)
        rows = np.repeat(people, 5)
        items = np.random.default_rng(0).integers(0, size, len(rows))
        for name, values in term_values(counts, histories).items():
            # Steps along links are dense, for the histories of one batch.
            if name not in ("two-steps", "three-steps"):
                assert np.isfinite(values.of(rows, items)).all()

    return work


@pytest.mark.parametrize("impressions", [True, False])
def test_memory_of_behaviour_terms_grows_with_the_events(impressions: bool) -> None:
    small, twice = (peak(behaviour(size, impressions=impressions)) for size in (SMALL, TWICE))
    assert twice < NEAR_LINEAR * small
    assert twice < 0.2 * TWICE * TWICE * 8, "one dense array of people x items would be more"


@pytest.mark.parametrize("impressions", [True, False])
def test_memory_of_choice_sets_grows_with_the_events(impressions: bool) -> None:
    def work(size: int) -> Callable[[], object]:
        graph, ontology = wide_shop(size, impressions=impressions)
        return lambda: read_training_data(graph, ontology, 0)

    small, twice = (peak(work(size)) for size in (SMALL, TWICE))
    assert twice < NEAR_LINEAR * small


def test_memory_of_clustered_errors_does_not_grow_with_persons_times_columns() -> None:
    """Each person once, in columns of which each alternative has two."""

    def one(persons: int, columns: int) -> Callable[[], object]:
        random = np.random.default_rng(0)
        rows = 3 * persons
        place = random.integers(0, columns, (rows, 2)).ravel()
        raw = sparse.csr_matrix((np.ones(2 * rows), place, np.arange(0, 2 * rows + 1, 2)), (rows, columns))
        chosen = np.zeros(rows)
        chosen[::3] = 1.0
        choices = Choices(
            raw=raw,
            centring=np.eye(columns),
            start=np.arange(0, rows + 1, 3),
            chosen=chosen,
            outside=np.zeros(persons, bool),
            left=np.zeros(persons),
            person=np.arange(persons),
            time=np.arange(persons),
            offset=np.zeros(rows),
        )
        return lambda: fit(choices, np.zeros(columns), np.ones(columns))

    assert peak(one(40_000, 200)) < 40_000 * 200 * 8


def test_a_search_that_starts_at_the_odds_of_the_values_ends_at_the_same_optimum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph, ontology = wide_shop(600, categories=2, events=2, impressions=True)
    own_choices = read_training_data(graph, ontology, 0).own_choices
    monkeypatch.setattr(categories, "WIDE", 10)
    from_odds = categories.unpooled_fits(own_choices)
    started = {c: categories._odds(s) for c, s in own_choices.items()}
    assert all(np.ptp(start) > 1 for start in started.values() if start is not None)
    monkeypatch.setattr(categories, "WIDE", 1_000)
    assert all(categories._odds(s) is None for s in own_choices.values())
    for category, fit_ in categories.unpooled_fits(own_choices).items():
        np.testing.assert_allclose(from_odds[category].part_worths, fit_.part_worths, atol=1e-4)
        assert from_odds[category].log_likelihood == pytest.approx(fit_.log_likelihood, abs=1e-4)
