from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrank.choice.amounts import Histories
from kgrank.choice.shopwide import Counts, People
from kgrank.choice.transitions import TransitionSettings, after, edges, sequences, strongest, transitions
from kgrank.graph.schema import EDGES
from kgrank.graph.tables import KnowledgeGraph

ITEMS = 6
logs = st.lists(st.lists(st.integers(0, ITEMS - 1), max_size=8), max_size=6)
ways = st.builds(
    TransitionSettings,
    reach=st.integers(1, 5),
    gap=st.floats(0.1, 1.0),
    back=st.floats(0.0, 1.0),
    smoothing=st.floats(0.5, 20.0),
)


def flat(log: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    start = np.cumsum([0, *map(len, log)])
    return np.array([i for person in log for i in person], dtype=np.int64), start


def by_definition(log: list[list[int]], how: TransitionSettings) -> np.ndarray:
    """The matrix of ``TransitionSettings``, pair by pair."""
    found = np.zeros((ITEMS, ITEMS))
    for person in log:
        for p in range(len(person)):
            for q in range(p + 1, min(p + how.reach, len(person) - 1) + 1):
                weight = how.gap ** (q - p - 1)
                found[person[p], person[q]] += weight
                found[person[q], person[p]] += how.back * weight
    count = np.array([sum(person.count(i) for person in log) for i in range(ITEMS)]) + how.smoothing
    found *= count[:, None] ** -how.from_power * count[None] ** -how.to_power
    np.fill_diagonal(found, 0.0)
    return found


@settings(max_examples=80, deadline=None)
@given(logs, ways)
def test_transitions_are_the_decayed_pairs_of_every_person(
    log: list[list[int]], how: TransitionSettings
) -> None:
    np.testing.assert_allclose(
        transitions(*flat(log), ITEMS, how).toarray(), by_definition(log, how), atol=1e-12
    )


@settings(max_examples=50, deadline=None)
@given(logs, st.lists(st.lists(st.integers(0, ITEMS - 1), min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_history_calls_for_what_its_items_call_for_the_last_the_most(
    log: list[list[int]], histories: list[list[int]]
) -> None:
    matrix = transitions(*flat(log), ITEMS)
    got = after(matrix, *flat(histories), decay=0.6).toarray()
    want = [
        sum(0.6**k * matrix.toarray()[item] for k, item in enumerate(reversed(history)))
        for history in histories
    ]
    np.testing.assert_allclose(got, want, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(logs)
def test_ranking_a_whole_shop_counts_the_same_transitions(log: list[list[int]]) -> None:
    people = People(*flat(log), ITEMS)
    counts = Counts.of(people, (), TransitionSettings())
    np.testing.assert_allclose(
        counts.matrices["after"].toarray(), transitions(*flat(log), ITEMS).toarray(), rtol=1e-5, atol=1e-9
    )
    history = Histories(np.array([1, 4]), np.array([0, 2]))
    want = after(transitions(*flat(log), ITEMS), history.item, history.start, 0.6).toarray()
    np.testing.assert_allclose(counts.after(history), want, rtol=1e-5, atol=1e-9)


def test_each_item_keeps_its_strongest_and_the_table_names_them() -> None:
    log = [[0, 1], [0, 1], [0, 2], [3, 0]]
    kept = strongest(transitions(*flat(log), ITEMS), 1)
    table = edges(kept, tuple("abcdef"))
    assert table.filter(pl.col("source") == "a")["target"].to_list() == ["b"]
    assert table["weight"].to_list() == pytest.approx(kept.tocoo().data.tolist())


def graph_of(events: list[tuple[str, str, str, int]]) -> KnowledgeGraph:
    """A graph of two items and events (user, item, kind, time)."""
    schema = {"source": pl.String(), "target": pl.String(), **EDGES["INTERACTED"].columns}
    rows = [
        {"source": u, "target": i, "kind": k, "time": t, "id": f"e{n}"}
        for n, (u, i, k, t) in enumerate(events)
    ]
    home = pl.DataFrame({"source": ["a", "b"], "target": ["all", "all"]})
    return KnowledgeGraph({}, {"IN_CATEGORY": home, "INTERACTED": pl.DataFrame(rows, schema=schema)})


def test_what_was_seen_is_no_step_and_an_item_viewed_and_bought_in_a_row_is_one() -> None:
    log = sequences(
        graph_of(
            [
                ("u", "a", "view", 2),
                ("u", "a", "purchase", 3),
                ("u", "b", "impression", 4),
                ("u", "b", "view", 1),
                ("v", "b", "rating", 1),
            ]
        )
    )
    assert (log.items, log.users) == (("a", "b"), ("u",))
    assert log.item.tolist() == [1, 0]


def test_in_a_log_of_ratings_alone_a_rating_is_a_step() -> None:
    log = sequences(graph_of([("u", "b", "rating", 1), ("u", "a", "rating", 2)]))
    assert log.item.tolist() == [1, 0]
