from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.data_sets import data_folder
from benchmarks.recommend import far, figures, ranks_of, read, split
from benchmarks.recommenders import als, ease, item_knn, lambdarank, popularity
from kgrank.choice.behaviour.event_log import EventLog
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.errors import InputError

ITEMS = 8
logs = st.lists(st.lists(st.integers(0, ITEMS - 1), max_size=7), min_size=1, max_size=8)


def log_of(people: list[list[int]], items: int = ITEMS) -> EventLog:
    item = np.array([i for p in people for i in p], dtype=np.int64)
    start = np.cumsum([0, *map(len, people)])
    users = tuple(f"u{k}" for k in range(len(people)))
    events = EventSequences(item=item, start=start, item_count=items, time=item, dated=False)
    return EventLog(tuple(f"i{k}" for k in range(items)), users, events)


@settings(max_examples=60, deadline=None)
@given(logs, st.sampled_from(["published", "refit"]))
def test_nothing_that_is_tested_is_fitted_on(people: list[list[int]], protocol: str) -> None:
    once = [list(dict.fromkeys(p)) for p in people]
    tested = [p for p in once if len(p) >= 3]
    if not tested:
        with pytest.raises(InputError, match="nobody has three items"):
            split(log_of(people), (), np.arange(ITEMS), protocol)
        return
    parts = split(log_of(people), (), np.arange(ITEMS), protocol)
    assert parts.target.tolist() == [p[-1] for p in tested]
    last = 2 if protocol == "published" else 1
    fitted = [p[:-last] if len(p) >= 3 else p for p in once]
    assert parts.train.item.tolist() == [i for p in fitted for i in p]
    before = [
        parts.before.item[a:b].tolist()
        for a, b in zip(parts.before.start, parts.before.start[1:], strict=False)
    ]
    assert before == [p[:-1] for p in tested]
    assert parts.validation_target.tolist() == [p[-2] for p in tested]


def test_a_target_is_far_if_nothing_in_the_history_came_up_beside_it_in_the_file() -> None:
    parts = split(log_of([[0, 5, 7], [0, 1, 4], [6, 2, 3]]), (), np.arange(ITEMS), "published")
    assert far(parts).tolist() == [False, True, False]


def test_the_history_is_never_ranked_and_a_tie_is_lost() -> None:
    parts = split(log_of([[0, 1, 2], [3, 4, 5]]), (), np.arange(ITEMS), "published")
    best = np.array([9, 8, 3, 7, 6, 1, 1, 0.0])
    rank = ranks_of(lambda people: np.tile(best, (len(people), 1)), parts)
    # After 0 and 1: 3 and 4 are ahead of 2. After 3 and 4: 0, 1, 2 ahead of 5, and 6 ties with it.
    assert rank.tolist() == [3, 5]
    measured = figures(rank, parts)
    assert measured["hr10"] == 1.0
    assert measured["ndcg10"] == pytest.approx((1 / 2 + 1 / np.log2(6)) / 2, abs=1e-5)


def test_peers_prefer_what_goes_together() -> None:
    random = np.random.default_rng(0)
    people = [random.permutation(np.arange(10) + 10 * (k % 2))[:6].tolist() for k in range(60)]
    parts = split(log_of(people, 20), (), np.arange(20), "published")
    peers = {
        "item_knn": item_knn(parts.train),
        "ease": ease(parts.train, 5.0),
        "als": als(parts.train, 0),
        "lambdarank": lambdarank(parts.train, parts.validation, parts.validation_target, (), 0),
    }
    common = figures(ranks_of(popularity(parts.train), parts), parts)["hr10"]
    for name, score in peers.items():
        measured = figures(ranks_of(score, parts), parts)["hr10"]
        assert measured is not None
        assert common is not None
        assert measured > common + 0.15, name


@pytest.mark.data("amazon_beauty")
def test_a_known_folder_needs_no_mapping_and_appears_in_the_order_of_its_file() -> None:
    _, log, groups, appearance = read(data_folder("amazon_beauty"), None)
    # The file's own ids are numbers by first appearance.
    assert appearance.tolist() == [int(item) - 1 for item in log.items]
    assert [g.name for g in groups] == ["category", "aisle", "brand"]
