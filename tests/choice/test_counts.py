from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrank.choice.behaviour.counts import Counts, count_links, link_table
from kgrank.choice.behaviour.event_log import read_event_log
from kgrank.choice.behaviour.groupings import Grouping
from kgrank.choice.behaviour.neighbours import Neighbours
from kgrank.choice.behaviour.popularity import DAY, RecentAt, recent
from kgrank.choice.behaviour.sequences import RECENT, EventSequences
from kgrank.choice.behaviour.terms import BACK, SMOOTHING, term_values
from kgrank.choice.behaviour.title_tfidf import TitleVectors
from kgrank.graph.schema import EDGES
from kgrank.graph.tables import KnowledgeGraph

ITEMS = 6
logs = st.lists(st.lists(st.integers(0, ITEMS - 1), unique=True, max_size=ITEMS), min_size=1, max_size=6)
histories = st.lists(st.lists(st.integers(0, ITEMS - 1), unique=True, min_size=1), min_size=1, max_size=4)


def people_of(log: list[list[int]]) -> EventSequences:
    return EventSequences.of([np.array(person, dtype=np.int64) for person in log], ITEMS)


def after(log: list[list[int]], reach: int, gap: float) -> np.ndarray:
    """The matrix of ``goes-after``, pair by pair."""
    matrix = np.zeros((ITEMS, ITEMS))
    for person in log:
        for p in range(len(person)):
            for q in range(p + 1, min(p + reach, len(person) - 1) + 1):
                matrix[person[p], person[q]] += gap ** (q - p - 1)
                matrix[person[q], person[p]] += BACK * gap ** (q - p - 1)
    count = np.array([sum(person.count(i) for person in log) for i in range(ITEMS)]) + SMOOTHING
    return matrix * count[:, None] ** -0.5 * count[None] ** -0.3


@settings(max_examples=80, deadline=None)
@given(logs, st.integers(1, 5), st.floats(0.1, 1.0))
def test_links_are_the_decayed_pairs_of_every_person(log: list[list[int]], reach: int, gap: float) -> None:
    counts = Counts.of(people_of(log), reach=reach, gap=gap)
    np.testing.assert_allclose(
        counts.matrices["after"].toarray(), after(log, reach, gap), rtol=1e-5, atol=1e-9
    )
    table = link_table(counts, tuple("abcdef"), ITEMS)
    for source, target, people, together in table.select("source", "target", "people", "together").rows():
        i, j = "abcdef".index(source), "abcdef".index(target)
        both = [p for p in log if i in p and j in p and abs(p.index(i) - p.index(j)) <= reach]
        assert together == len(both)
        assert people == sum(p.index(i) < p.index(j) for p in both)


@settings(max_examples=50, deadline=None)
@given(logs, histories)
def test_a_history_calls_for_what_its_items_call_for_the_last_the_most(
    log: list[list[int]], asked: list[list[int]]
) -> None:
    matrix = after(log, 20, 0.85)
    want = [sum(0.6**k * matrix[item] for k, item in enumerate(reversed(history))) for history in asked]
    got = Counts.of(people_of(log)).after(people_of(asked).histories())
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-8)


@settings(max_examples=50, deadline=None)
@given(logs, st.integers(0, ITEMS - 1), st.data())
def test_one_event_more_changes_the_links_of_the_items_before_it_and_no_others(
    log: list[list[int]], item: int, data: st.DataObject
) -> None:
    person_number = data.draw(st.integers(0, len(log) - 1))
    if item in log[person_number]:
        return
    later = [[*person, item] if k == person_number else person for k, person in enumerate(log)]
    sequences_of_person = [log[person_number], later[person_number]]

    def dense(people: EventSequences) -> np.ndarray:
        links = count_links(people)
        row = np.repeat(np.arange(ITEMS), np.diff(links.start))
        arrays = np.zeros((5, ITEMS, ITEMS))
        for k, name in enumerate(("forward", "backward", "next", "people", "together")):
            arrays[k, row, links.target] = getattr(links, name)
        return arrays

    change = dense(people_of(later)) - dense(people_of(log))
    # What the person's own events changed is all that changed, and it stands in the item's row and column.
    np.testing.assert_allclose(
        change,
        dense(people_of([sequences_of_person[1]])) - dense(people_of([sequences_of_person[0]])),
        atol=1e-12,
    )
    elsewhere = np.arange(ITEMS) != item
    assert not change[:, elsewhere][:, :, elsewhere].any()


@settings(max_examples=50, deadline=None)
@given(logs, histories)
def test_people_like_you_count_by_the_square_of_what_they_share_with_you(
    log: list[list[int]], asked: list[list[int]]
) -> None:
    people, who = people_of(log), people_of(asked).histories()
    counts = Counts.of(people)
    rarity = (counts.statistics.count + SMOOTHING) ** -0.5
    want = np.zeros((len(asked), ITEMS))
    for h, history in enumerate(asked):
        for person in log:
            shared = sum(rarity[i] for i in person if i in history)
            want[h, person] += shared**2 / (1 + len(person))
    np.testing.assert_allclose(counts.similar_people(who).dense(), want, rtol=1e-5, atol=1e-9)
    neighbours = Neighbours.of(people.item, people.start, ITEMS)
    for h, history in enumerate(asked):
        similar = neighbours.similar_people(np.array(history), rarity)
        np.testing.assert_allclose(neighbours.taken(*similar), want[h], atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, ITEMS - 1), st.integers(0, 400)), min_size=2, max_size=30))
def test_what_is_popular_now_halves_with_every_half_life(events: list[tuple[int, int]]) -> None:
    item = np.array([i for i, _ in events])
    time = np.array([day * DAY for _, day in events])
    people = EventSequences(item=item, start=np.arange(len(events) + 1), item_count=ITEMS, time=time)
    popularity = recent(people)
    if np.ptp(time) < DAY:
        assert popularity is None
        return
    assert popularity is not None
    now = time.max() + 1
    want = np.bincount(item, 2.0 ** -((now - time) / popularity.half_life), minlength=ITEMS)
    np.testing.assert_allclose(popularity.now, want, atol=1e-9)
    # Later, all of it has faded alike; before the first event there is nothing.
    every = np.arange(ITEMS)
    later = popularity.at(np.full(ITEMS, now + round(popularity.half_life)), every)
    np.testing.assert_allclose(later, want / 2, rtol=1e-6)
    assert not popularity.at(np.full(ITEMS, time.min() - 1), every).any()
    # In between, an item has what happened before the last moment, faded to the time that is asked for.
    asked = time[len(time) // 2]
    moment = popularity.moment[np.searchsorted(popularity.moment, asked, side="right") - 1]
    faded = np.where(time < moment, 2.0 ** -((asked - time) / popularity.half_life), 0.0)
    want = np.bincount(item, faded, minlength=ITEMS)
    np.testing.assert_allclose(popularity.at(np.full(ITEMS, asked), every), want, atol=1e-9)
    np.testing.assert_allclose(RecentAt(popularity, np.array([asked])).dense()[0], np.log1p(want), atol=1e-9)


def test_a_shop_of_fads_is_read_with_a_short_half_life_and_a_steady_one_with_a_long_one() -> None:
    random = np.random.default_rng(0)
    day = np.sort(random.integers(0, 720, 6000))
    fad = (day // 10) % 40
    for item, want in ((np.where(random.random(6000) < 0.7, fad, random.integers(0, 40, 6000)), 7),
                       (random.choice(40, 6000, p=np.arange(1, 41) / 820), 365)):  # fmt: skip
        popularity = recent(EventSequences(item=item, start=np.arange(6001), item_count=40, time=day * DAY))
        assert popularity is not None
        assert popularity.half_life == want * DAY


def test_a_log_without_a_clock_says_nothing_of_now() -> None:
    assert Counts.of(people_of([[0, 1], [1, 2]])).statistics.recent is None


def test_each_item_keeps_its_strongest_and_the_table_names_them() -> None:
    table = link_table(Counts.of(people_of([[0, 1], [0, 1], [0, 2], [3, 0]])), tuple("abcdef"), 1)
    assert table.filter(pl.col("source") == "a")["target"].to_list() == ["b"]
    assert table.filter(pl.col("source") == "a")["people"].to_list() == [2.0]


def test_of_a_long_history_the_last_items_count() -> None:
    people = EventSequences.of([np.arange(2 * RECENT)], 2 * RECENT)
    assert people.histories().item.tolist() == list(range(RECENT, 2 * RECENT))


TITLES = ("red silk dress", "silk dress, long", "red leather boots", "", "blue boots")


def test_titles_are_alike_by_the_words_they_share_as_by_tf_idf() -> None:
    text = pytest.importorskip("sklearn.feature_extraction.text")
    words = TitleVectors.of(TITLES)
    assert words is not None
    # sklearn's idf has 1 added; its smooth form without it is ours.
    counts = text.CountVectorizer(binary=True, vocabulary=words.vocabulary, token_pattern=r"\w+").transform(
        TITLES
    )
    idf = np.log((1 + len(TITLES)) / (1 + np.asarray(counts.sum(0)).ravel()))
    vectors = counts.toarray() * idf
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    histories_ = EventSequences(item=np.array([0, 2, 4]), start=np.array([0, 2, 3]), item_count=len(TITLES))
    want = vectors @ vectors.T
    similarity = words.like(histories_, 0.9).dense()
    np.testing.assert_allclose(similarity, [0.9 * want[0] + want[2], want[4]], atol=1e-12)
    assert words.shared(0, 1) == ("dress", "silk")


def test_titles_without_a_common_word_give_no_term() -> None:
    assert TitleVectors.of(("one", "two")) is None
    assert TitleVectors.of(("", "")) is None
    # A word in most titles tells nothing.
    assert TitleVectors.of(("item red", "item blue", "item green")) is None


def graph_of(events: list[tuple[str, str, str, int]], clock: str = "order") -> KnowledgeGraph:
    """A graph of two items and events (user, item, kind, time)."""
    schema = {"source": pl.String(), "target": pl.String(), **EDGES["INTERACTED"].columns}
    rows = [
        {"source": u, "target": i, "kind": k, "time": t, "id": f"e{n}"}
        for n, (u, i, k, t) in enumerate(events)
    ]
    home = pl.DataFrame({"source": ["a", "b"], "target": ["all", "all"]})
    log = pl.DataFrame({"id": ["log"], "clock": [clock], "outside": [False], "impressions": [False]})
    return KnowledgeGraph(
        {"Log": log}, {"IN_CATEGORY": home, "INTERACTED": pl.DataFrame(rows, schema=schema)}
    )


def test_what_was_seen_is_no_step_and_an_item_viewed_and_bought_in_a_row_is_one() -> None:
    events = [
        ("u", "a", "view", 2),
        ("u", "a", "purchase", 3),
        ("u", "b", "impression", 4),
        ("u", "b", "view", 1),
        ("v", "b", "rating", 1),
    ]
    log = read_event_log(graph_of(events))
    assert (log.items, log.users, log.events.dated) == (("a", "b"), ("u",), False)
    assert log.events.item.tolist() == [1, 0]
    assert read_event_log(graph_of(events, "utc")).events.dated


def test_in_a_log_of_ratings_alone_a_rating_is_a_step() -> None:
    log = read_event_log(graph_of([("u", "b", "rating", 1), ("u", "a", "rating", 2)]))
    assert log.events.item.tolist() == [1, 0]


def test_people_keep_their_times_with_their_items() -> None:
    log = read_event_log(graph_of([("u", "b", "view", 5), ("u", "a", "view", 9), ("u", "b", "view", 11)]))
    people = log.events.once()
    assert (people.item.tolist(), people.time.tolist()) == ([1, 0], [5, 9])
    assert people.without_last(1).time.tolist() == [5]


@settings(max_examples=40, deadline=None)
@given(logs, histories)
def test_every_term_has_the_same_values_for_single_pairs_as_for_all_items(
    log: list[list[int]], asked: list[list[int]]
) -> None:
    people = people_of(log)
    days = DAY * np.arange(len(people.item)) * 3
    group = Grouping("brand", ("a", "b"), np.array([0, 0, 1, 1, 2, 0]))
    counts = Counts.of(replace(people, time=days), (group,), TitleVectors.of((*TITLES, "long dress")))
    who = people_of(asked).histories(days.max(initial=0) - DAY * np.arange(len(asked)))
    rows, items = (x.ravel() for x in np.indices((len(asked), ITEMS)))
    for name, values in term_values(counts, who).items():
        whole = np.broadcast_to(values.dense(), (len(asked), ITEMS))
        np.testing.assert_allclose(values.of(rows, items), whole.ravel(), rtol=1e-5, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("fewest", [1, 2])
def test_a_few_items_of_a_large_shop_have_the_same_values_as_among_all_its_items(fewest: int) -> None:
    random, items = np.random.default_rng(0), 900
    log = [random.permutation(items)[:60] for _ in range(80)]
    counts = Counts.of(EventSequences.of(log, items), fewest=fewest)
    values = term_values(counts, EventSequences.of([random.permutation(items)[:20] for _ in range(5)], items))
    rows, asked = np.repeat(np.arange(5), 4), np.tile([3, 7, 7, 800], 5)
    for name in ("three-steps", "people-like-you"):
        whole = values[name].dense()
        assert whole.any()
        np.testing.assert_allclose(values[name].of(rows, asked), whole[rows, asked], rtol=1e-5, atol=1e-9)
