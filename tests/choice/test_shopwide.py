from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from benchmarks.metrics import hit_rate, ranks
from kgrank.choice.behaviour.additive import BehaviourModel, behaviour_terms, category_terms
from kgrank.choice.behaviour.counts import LINKS_PER_ITEM, Counts, link_table
from kgrank.choice.behaviour.curves import curve, evaluate_curve, hats, knots, outer, pair_hats, surface
from kgrank.choice.behaviour.event_log import read_event_log
from kgrank.choice.behaviour.examples_from_catalogue import learn_from_catalogue
from kgrank.choice.behaviour.groupings import Grouping, groupings, members
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.behaviour.terms import ALIKE, ATTRIBUTES, LINKED
from kgrank.choice.behaviour.terms import term_values as term_amounts
from kgrank.graph.build import build_graph
from kgrank.graph.connect import open_store
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.ontology.model import Ontology
from kgrank.ranking import Shop, open_shop, rank
from kgrank.ranking.stored.recount import recount
from kgrank.weights.artefact import document, read_transitions, weights_of, write_transitions
from kgrank.weights.model import CategoryWeights, LearnedWeights, Privacy
from kgrank.weights.tables import served_transitions, served_weights, weights_to_tables

ITEMS, PEOPLE = 120, 300
MAPPING = """
items:
  - {file: items.csv, id: id, title: title, category: {column: category, path: ">"}, brand: brand}
events:
  - {file: events.csv, user: user, item: item, kind: {column: kind}, time: time}
"""


@dataclass(frozen=True)
class Learned:
    graph: KnowledgeGraph
    ontology: Ontology
    items: tuple[str, ...]
    people: EventSequences
    groups: tuple[Grouping, ...]
    wide: BehaviourModel


def write_shop(folder: Path) -> None:
    """People mostly stay with a brand, and go from each category to the next."""
    random = np.random.default_rng(3)
    brand, category = np.arange(ITEMS) % 6, np.arange(ITEMS) // 30
    names = [f"i{k:03d}" for k in range(ITEMS)]
    pl.DataFrame(
        {
            "id": names,
            "category": [f"shop>c{k}" for k in category],
            "brand": [f"b{k}" if k else None for k in brand],
            "title": [f"Item {k}" for k in range(ITEMS)],
        }
    ).write_csv(folder / "items.csv")
    rows = []
    for person in range(PEOPLE):
        item = int(random.integers(ITEMS))
        for step in range(int(random.integers(2, 8))):
            rows.append((1_700_000_000 + 100 * person + step, f"u{person}", names[item], "purchase"))
            same = (brand == brand[item]) & (category == (category[item] + 1) % 4)
            pool = np.flatnonzero(same) if random.random() < 0.7 else np.arange(ITEMS)
            item = int(random.choice(pool))
    (folder / "mapping.yaml").write_text(MAPPING)
    pl.DataFrame(rows, schema=["time", "user", "item", "kind"], orient="row").write_csv(folder / "events.csv")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder)
    clean = ingest(folder, mapping=read_mapping(folder / "mapping.yaml"))
    graph = build_graph(clean)
    log = read_event_log(graph)
    people = log.events.once()
    groups = groupings(graph, clean.ontology, log.items)
    inside = members(graph, clean.ontology, log.items)
    wide = learn_from_catalogue(people, groups, inside=inside)
    return Learned(
        graph=graph, ontology=clean.ontology, items=log.items, people=people, groups=groups, wide=wide
    )


def left_out(people: EventSequences) -> tuple[EventSequences, EventSequences, np.ndarray]:
    """The learning part, and histories and targets of those with three items or more."""
    once = people.once()
    tested = once.take(np.flatnonzero(np.diff(once.start) >= 3))
    before = tested.without_last(1)
    return once.without_last(1), before, tested.item[tested.start[1:] - 1]


def shop_of(made: Learned, weights: LearnedWeights, transitions: pl.DataFrame) -> Shop:
    return Shop.of(made.graph, made.ontology, weights, transitions)


def weights(made: Learned) -> LearnedWeights:
    empty = {
        c: CategoryWeights(
            category=c,
            attributes=(),
            utilities=(),
            strength=0.0,
            choice_count=0,
            person_count=0,
            source="choices",
            terms=category_terms(made.wide, c),
        )
        for c in made.ontology.categories
    }
    return LearnedWeights(
        version="v1",
        created="now",
        code="test",
        ontology=made.ontology.fingerprint,
        graph="",
        categories=empty,
        metrics={},
        terms=behaviour_terms(made.wide, made.items),
    )


def root(made: Learned) -> str:
    return next(c.id for c in made.ontology.categories.values() if c.parent is None)


def test_a_shop_is_grouped_by_category_and_brand_and_unknown_brands_are_alike_to_none(
    learned: Learned,
) -> None:
    groups = {g.name: g for g in learned.groups}
    assert {"category", "brand"} <= set(groups)
    assert len(groups["brand"].labels) == 5
    unknown = [k for k, item in enumerate(learned.items) if int(item[1:]) % 6 == 0]
    assert set(groups["brand"].label[unknown]) == {5}


def test_learning_beats_transitions_alone_on_items_that_it_has_not_seen(learned: Learned) -> None:
    train, before, target = left_out(learned.people)
    wide = learn_from_catalogue(train, learned.groups)
    counts = Counts.of(train)
    seen = before.seen().toarray() > 0
    ours = ranks(np.where(seen, -1e9, wide.score(before.histories())), target)
    theirs = ranks(np.where(seen, -1e9, counts.after(before.histories())), target)
    assert hit_rate(ours, 10) > 1.3 * hit_rate(theirs, 10)


def test_the_ranking_says_what_was_learned_and_every_score_is_the_sum_of_its_terms(
    learned: Learned,
) -> None:
    shop = shop_of(learned, weights(learned), link_table(learned.wide.counts, learned.items, ITEMS))
    for history in (["i004"], ["i001", "i037", "i070"]):
        rows = [learned.items.index(item) for item in history]
        people = EventSequences.of([np.array(rows)], ITEMS)
        want = dict(zip(learned.items, learned.wide.score(people.histories())[0], strict=True))
        got = rank(shop, root(learned), limit=ITEMS, history=history)
        assert {r.item: r.score for r in got} == pytest.approx(want, abs=1e-4)
        for ranked in got:
            assert sum(c.logits for c in ranked.contributions) == pytest.approx(ranked.score, abs=1e-9)
            assert all(c.words and c.kind == "term" for c in ranked.contributions)
        names = [c.name for c in got[0].contributions]
        assert len(set(names)) == len(names) == len(learned.wide.curves) + len(learned.wide.pairs)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_term_names_the_item_of_the_history_that_it_comes_from_and_how_many_people(
    learned: Learned, language: str
) -> None:
    names_all = replace(weights(learned), privacy=Privacy(fewest_people=1))
    shop = shop_of(learned, names_all, link_table(learned.wide.counts, learned.items, ITEMS))
    best = rank(shop, root(learned), limit=1, history=["i004"], language=language)[0]
    parts = {c.name: c for c in best.contributions}
    linked = next(parts[name] for name in LINKED if name in parts)
    people = sum(
        list(p).index(4) < list(p).index(learned.items.index(best.item))
        for p in np.split(learned.people.item, learned.people.start[1:-1])
        if 4 in p and learned.items.index(best.item) in p
    )
    assert linked.value == "i004"
    assert "Item 4" in linked.words
    assert ("one person" if people == 1 and language == "en" else str(people)) in linked.words
    assert any("Item 4" in c.words for name, c in parts.items() if name.startswith("same-"))


def test_without_a_history_only_attributes_rank(learned: Learned) -> None:
    shop = shop_of(learned, weights(learned), link_table(learned.wide.counts, learned.items, ITEMS))
    for ranked in rank(shop, root(learned), limit=3):
        assert (ranked.score, ranked.contributions) == (0.0, ())


def test_terms_and_counts_come_back_from_their_files(learned: Learned, tmp_path: Path) -> None:
    made = weights(learned)
    assert weights_of(document(made)) == made
    links = link_table(learned.wide.counts, learned.items, ITEMS)
    write_transitions(tmp_path / "weights.json", links)
    assert read_transitions(tmp_path / "weights.json").equals(links)


def test_later_events_are_counted_as_if_they_had_always_been_there(learned: Learned, tmp_path: Path) -> None:
    early = learned.graph.until(1_700_000_000 + 100 * (PEOPLE // 2))
    log = read_event_log(early)
    wide = learn_from_catalogue(log.events.once(), groupings(early, learned.ontology, log.items))
    before = replace(weights(learned), terms=behaviour_terms(wide, log.items))
    with open_store(str(tmp_path / "shop.lb")) as store:
        load(store, early)
        assert not recount(store)
        links = link_table(wide.counts, log.items, LINKS_PER_ITEM)
        store.replace_version("v1", *weights_to_tables(before, links, "{}"))
        assert not recount(store)
        load(store, learned.graph)
        assert recount(store)
        assert not recount(store)
        after, served = served_weights(store), served_transitions(store, "v1")
        shop = open_shop(store)
        assert store.nodes("Weights")["posteriors"].to_list() == ["{}"]
    keys = ["source", "target"]
    assert_frame_equal(
        served.sort(keys), link_table(learned.wide.counts, learned.items, LINKS_PER_ITEM).sort(keys)
    )
    whole = {t.name: t for t in behaviour_terms(learned.wide, learned.items)}
    assert {t.name: (t.curve, t.of) for t in after.terms} == {t.name: (t.curve, t.of) for t in before.terms}
    assert {t.name: t for t in after.terms}["popular"].counts == whole["popular"].counts
    assert shop.behaviour is not None
    assert shop.behaviour.statistics.count.sum() == len(learned.people.item)


def unique_pairs(people: int) -> Iterator[np.ndarray]:
    for k in range(people):
        yield np.array([2 * k, 2 * k + 1])


def test_no_term_sees_its_own_target() -> None:
    """Each person's pair of items is nobody else's: what one goes on to can be known from that one alone."""
    people = EventSequences.of(list(unique_pairs(100)), 200)
    groups = (Grouping("category", tuple(f"c{k}" for k in range(100)), np.arange(200) // 2),)
    wide = learn_from_catalogue(people, groups)
    for name in (*LINKED, "two-steps", ALIKE, "popular"):
        assert name not in wide.curves or max(wide.curves[name].values) <= 1e-9, name
    # The same pairs from two people each are known from the other one.
    doubled = EventSequences.of([*unique_pairs(100), *unique_pairs(100)], 200)
    history = EventSequences.of([np.array([6])], 200).histories()
    assert int(np.argmax(learn_from_catalogue(doubled, groups).score(history)[0])) == 7


def test_a_term_that_does_not_help_is_left_out_and_says_so(learned: Learned) -> None:
    terms = {t.name: t for t in behaviour_terms(learned.wide, learned.items)}
    out = [t for t in terms.values() if t.curve is None and not t.of]
    assert out
    for term in out:
        assert term.about.endswith("left out: it brings nothing")
        assert term.settings["gain"] <= 0
    for name in (*learned.wide.curves, *(" × ".join(p) for p in learned.wide.pairs)):
        assert learned.wide.gains[name] > 0
    # What people do here is to stay with a brand and to go on to the next category.
    assert {"same-brand", "brand-in-history", "brand-flow"} & set(learned.wide.curves)


def test_a_category_has_weights_of_its_own_where_its_people_choose_by_other_things() -> None:
    """In the first half of the shop people take what others took after, in the second what is popular."""
    random = np.random.default_rng(1)
    half, taste = 40, np.exp(random.normal(size=40))
    rows = []
    for _ in range(1200):
        first = random.integers(half)
        rows.append([first, (first + 1) % half, (first + 2) % half])
        rows.append(half + random.choice(half, 3, replace=False, p=taste / taste.sum()))
    inside = {"all": np.arange(2 * half), "order": np.arange(half), "taste": np.arange(half, 2 * half)}
    wide = learn_from_catalogue(EventSequences.of([np.array(r) for r in rows], 2 * half), inside=inside)
    assert set(wide.weights) == {"order", "taste"}
    ordered, tasted = category_terms(wide, "order"), category_terms(wide, "taste")
    assert ordered["goes-after"] > tasted["goes-after"]
    assert category_terms(wide, "all")["goes-after"] == 1.0


def test_two_seeds_rank_alike(learned: Learned) -> None:
    histories = left_out(learned.people)[1].histories()
    first_model, two = (
        learn_from_catalogue(learned.people, learned.groups, seed=s).score(histories) for s in (0, 1)
    )
    together = [np.corrcoef(a, b)[0, 1] for a, b in zip(first_model, two, strict=True)]
    assert np.mean(together) > 0.97
    np.testing.assert_array_equal(first_model, learned.wide.score(histories))


def test_the_weight_of_the_attribute_score_is_learned_beside(learned: Learned) -> None:
    random = np.random.default_rng(0)
    taste = random.normal(size=ITEMS)
    draws = [
        random.choice(ITEMS, 4, replace=False, p=np.exp(taste) / np.exp(taste).sum()) for _ in range(800)
    ]
    people = EventSequences.of(draws, ITEMS)
    # Popularity says the same as taste, so the two share the work: together they order the items.
    wide = learn_from_catalogue(people, (), utility=taste)
    assert 0 < wide.strength < 1.5
    assert wide.gains[ATTRIBUTES] > 0
    assert learn_from_catalogue(people, (), utility=-taste).strength == 0.0
    score = wide.score(EventSequences.of([np.array([0])], ITEMS).histories())[0]
    assert np.corrcoef(score, taste)[0, 1] > 0.9


def test_a_log_of_single_items_leaves_counts_alone() -> None:
    wide = learn_from_catalogue(EventSequences.of([np.array([0]), np.array([1])], 3), ())
    assert (wide.curves, wide.pairs) == ({}, {})


def test_items_taken_again_count_once_at_their_first_time() -> None:
    people = EventSequences.of(
        [np.array([2, 0, 2, 1, 0]), np.array([], np.int64), np.array([1, 1])], 3
    ).once()
    assert people.item.tolist() == [2, 0, 1, 1]
    assert people.start.tolist() == [0, 3, 3, 4]


amounts = st.lists(st.floats(0, 100) | st.just(0.0), min_size=1, max_size=40).map(np.array)


@settings(max_examples=80, deadline=None)
@given(amounts, st.integers(0, 1000), st.integers(2, 8))
def test_a_learned_curve_says_what_its_columns_said(x: np.ndarray, seed: int, most: int) -> None:
    at = knots(x, most)
    assert list(at) == sorted(set(at))
    values = np.random.default_rng(seed).normal(size=len(at) - 1)
    np.testing.assert_allclose(evaluate_curve(curve(at, values), x), hats(x, at) @ values, atol=1e-9)
    assert evaluate_curve(curve(at, values), np.array([at[0]]))[0] == 0.0


@settings(max_examples=60, deadline=None)
@given(amounts, amounts, st.integers(0, 1000))
def test_a_learned_surface_says_what_its_columns_said(x: np.ndarray, y: np.ndarray, seed: int) -> None:
    size = min(len(x), len(y))
    x, y = x[:size], y[:size]
    a, b = knots(x, 4), knots(y, 3)
    columns = pair_hats(hats(x, a), hats(y, b))
    values = np.random.default_rng(seed).normal(size=columns.shape[1])
    np.testing.assert_allclose(evaluate_curve(surface(a, b, values), x, y), columns @ values, atol=1e-9)
    every = evaluate_curve(surface(a, b, values), *np.meshgrid(x, y))
    np.testing.assert_allclose(outer(surface(a, b, values), x, y), every, atol=1e-9)


def test_a_layer_without_a_term_scores_the_rest(learned: Learned) -> None:
    histories = EventSequences.of([np.array([3, 50])], ITEMS).histories()
    name = next(iter(learned.wide.curves))
    whole = learned.wide.score(histories)
    less = replace(learned.wide, curves={n: c for n, c in learned.wide.curves.items() if n != name})
    term_score = evaluate_curve(
        learned.wide.curves[name], term_amounts(learned.wide.counts, histories)[name].dense()
    )
    np.testing.assert_allclose(whole - less.score(histories), term_score, atol=1e-9)
