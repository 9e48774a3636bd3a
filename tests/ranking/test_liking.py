"""A person's liking of items by what they bought: a summand of every answer, exact for each bought item."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop_with_liking import (
    FEWEST,
    GONE,
    RARE,
    UNKNOWN,
    liked_shop,
    liking_of,
    person_who_bought,
    without_liking,
)
from shops import TREE, Example, example

from kgrank.arrays import Floats
from kgrank.choice.tastes.liking import PersonLiking
from kgrank.choice.tastes.person import PersonTastes
from kgrank.errors import InputError, WeightsError
from kgrank.ranking import Query, Shop, answer, rank
from kgrank.ranking.answers import Explanation
from kgrank.ranking.catalogue.liking import BUYERS, LIKING
from kgrank.ranking.explain.compare import compare
from kgrank.ranking.explain.counterfactuals import counterfactuals
from kgrank.ranking.explain.item import explain, explain_query
from kgrank.ranking.explain.liking import NAMED
from kgrank.ranking.page.answer import score_query
from kgrank.ranking.page.facets import facets
from kgrank.ranking.shopper.person import purchase_counts
from kgrank.ranking.shopper.session import REMEMBERED, Event, observe, start, undo
from kgrank.weights.graph_filter import ITEM, Relation
from kgrank.weights.liking import LikingWeights
from kgrank.weights.model import BehaviourTerm

BOUGHT = {"i0": 2, "i5": 1, "i7": 3}
POPULAR = BehaviourTerm("popular", "how often", curve=example(0).weights.terms[0].curve)
histories = st.dictionaries(
    st.sampled_from([*(f"i{k}" for k in range(12)), GONE]), st.integers(1, 4), min_size=1
)


@pytest.fixture(scope="module")
def made() -> Example:
    return example(3, items=40)


@pytest.fixture(scope="module")
def shop(made: Example) -> Shop:
    return liked_shop(made)


def plain_shop(made: Example) -> Shop:
    return Shop.of(made.graph, made.ontology, made.weights, made.transitions)


def dense(weights: LikingWeights, bought: Mapping[str, int]) -> tuple[Floats, Floats]:
    """(items,) the filter's scores of its items for a history, and their popularity, by dense matrices."""
    learned = weights.filter
    amount = np.array([np.log1p(bought.get(item, 0)) for item in weights.items]) / np.sqrt(learned.people)
    person = amount / np.sqrt((amount**2).sum()) @ learned.vectors - learned.mean
    person /= np.sqrt((person**2).sum())
    scores = np.zeros(len(weights.items))
    for relation in learned.relations:
        belongs = np.equal.outer(relation.group, np.arange(len(relation.vectors))).astype(float)
        padded = np.zeros((len(relation.vectors), len(person)))
        padded[:, : relation.vectors.shape[1]] = relation.vectors
        scores += belongs @ padded @ person
    few = (learned.people < 5).astype(float)
    return scores, weights.popularity * np.log(1 + learned.people) + weights.few_buyers * few


def parts_of(shop: Shop, query: Query) -> dict[str, dict[str, float]]:
    """By item, what each summand adds."""
    page = answer(shop, replace(query, size=99))
    return {
        i: dict(zip(page.names, row, strict=True))
        for i, row in zip(page.ids, page.logits.tolist(), strict=True)
    }


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(TREE)), histories)
def test_a_persons_scores_are_those_of_dense_matrices(
    seed: int, category: str, bought: dict[str, int]
) -> None:
    made = example(seed)
    shop = liked_shop(made, liking_of(made, seed))
    person = person_who_bought(shop, bought)
    assert shop.liking is not None
    assert person.liking is not None
    before = parts_of(shop, Query(category, person=replace(without_liking(person), liking=None)))
    known = {item: count for item, count in bought.items() if item != UNKNOWN}
    scores, buyers = dense(shop.liking.weights, known or {"": 1}) if known else (None, None)
    for item, parts in parts_of(shop, Query(category, person=person)).items():
        if scores is None or buyers is None:
            assert LIKING not in parts
            continue
        number = shop.liking.number.get(item)
        assert parts.pop(LIKING) == pytest.approx(0.0 if number is None else scores[number], abs=1e-9)
        assert parts.pop(BUYERS) == pytest.approx(-0.7 if number is None else buyers[number], abs=1e-9)
        before[item].pop(BUYERS)
        assert parts == before[item]


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10_000), st.sampled_from(sorted(TREE)), histories, st.sampled_from([(), ("i3", "i0")]),
    st.sampled_from(["en", "zh"]),
)  # fmt: skip
def test_every_answer_adds_up(
    seed: int, category: str, bought: dict[str, int], history: tuple[str, ...], language: str
) -> None:
    shop = liked_shop(example(seed))
    query = Query(
        category, person=person_who_bought(shop, bought), history=history, size=99, language=language
    )
    page = answer(shop, query)
    assert page.logits.sum(axis=1) == pytest.approx(page.scores, abs=1e-9)
    for item, score in zip(page.items, page.scores, strict=True):
        assert sum(c.logits for c in item.contributions) == pytest.approx(score, abs=1e-9)
        why = explain_query(shop, query, item.item)
        assert (why.position, why.score) == (item.position, item.score)
        assert sum(a.logits for a in why.attributes) + sum(t.logits for t in why.terms) == pytest.approx(
            score, abs=1e-9
        )
        assert adds_up(why)
    if len(page.ids) > 1:
        first, last = page.ids[0], page.ids[-1]
        difference = compare(shop, query, first, last)
        assert difference.difference == pytest.approx(page.scores[0] - page.scores[-1], abs=1e-9)
        assert sum(p.logits for p in difference.parts) == pytest.approx(difference.difference, abs=1e-8)
        assert counterfactuals(shop, query, last, 1).position == len(page.ids)
        assert facets(shop, query).item_count == len(page.ids)


def adds_up(why: Explanation) -> bool:
    """Whether the parts of the liking add up to its term, and those of a bought item to the item's."""
    if why.liking is None:
        return all(term.name != LIKING for term in why.terms)
    term = next(term for term in why.terms if term.name == LIKING)
    parts = [b.logits for b in why.liking.bought] + [why.liking.other_logits, why.liking.average_logits]
    relations = [sum(p.logits for p in b.parts) - b.logits for b in why.liking.bought]
    return abs(sum(parts) - term.logits) < 1e-9 and all(abs(gap) < 1e-9 for gap in relations)


def test_what_shoppers_do_decides_their_facets(shop: Shop) -> None:
    query = Query("all", person=person_who_bought(shop, BOUGHT))
    scores = score_query(shop, "all", query).scores
    mass = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    red = {i for i, _ in shop_values(shop, "color=red")}
    share = sum(m for k, m in enumerate(mass.tolist()) if shop.items.ids[shop.scores("all").rows[k]] in red)
    color = next(f for f in facets(shop, query).facets if f.attribute == "color")
    assert next(v for v in color.values if v.value == "red").share == pytest.approx(share, abs=1e-12)


def shop_values(shop: Shop, node: str) -> list[tuple[str, str]]:
    """The items that have a value."""
    return [(shop.items.ids[row], node) for row in shop.items.having(shop.items.node[node]).tolist()]


@pytest.mark.parametrize("history", [(), ("i3", "i0")])
def test_nobody_in_particular_is_ranked_to_the_bit_as_without_a_graph(
    made: Example, shop: Shop, history: tuple[str, ...]
) -> None:
    for category in TREE:
        ours, plain = (answer(s, Query(category, history=history, size=99)) for s in (shop, plain_shop(made)))
        assert (ours.ids, ours.names) == (plain.ids, plain.names)
        assert ours.scores.tobytes() == plain.scores.tobytes()
        assert ours.items == plain.items
        assert rank(shop, category, history=history) == rank(plain_shop(made), category, history=history)


def test_old_weights_without_a_graph_serve_persons_and_sessions_as_before(made: Example, shop: Shop) -> None:
    old = plain_shop(made)
    person = person_who_bought(old, BOUGHT)
    assert person.liking is None
    known = person_who_bought(shop, BOUGHT)
    assert (person.deviations, person.choices) == (known.deviations, known.choices)
    page = answer(old, Query("all", person=person))
    assert not {LIKING, BUYERS} & set(page.names)
    bought = observe(old, start(old, person), Event("purchase", "i4"))
    assert bought.liking is None
    assert explain(old, page.ids[0], "all", session=bought).liking is None


def test_somebody_who_bought_nothing_is_ranked_with_popularity_alone(shop: Shop) -> None:
    nobody = PersonTastes({}, {}, 0)
    page = answer(shop, Query("all", person=nobody, size=99))
    plain = parts_of(shop, Query("all"))
    for item, parts in parts_of(shop, Query("all", person=nobody)).items():
        assert LIKING not in parts
        parts.pop(BUYERS)
        assert parts == plain[item]
    assert page.notes == ("Nothing tells this shopper's tastes: ranked by the average shopper's.",)


def test_one_purchase_adds_the_liking_and_changes_nothing_else(shop: Shop) -> None:
    nobody = answer(shop, Query("all", person=PersonTastes({}, {}, 0), size=99))
    one = without_tastes(person_who_bought(shop, {"i5": 1}))
    parts = parts_of(shop, Query("all", person=one))
    for item, score in zip(nobody.ids, nobody.scores.tolist(), strict=True):
        assert sum(parts[item].values()) - parts[item][LIKING] == pytest.approx(score, abs=1e-9)


def without_tastes(person: PersonTastes) -> PersonTastes:
    return replace(person, deviations={}, posterior=None, by_category={})


def test_with_a_history_the_liking_has_its_own_weight(shop: Shop) -> None:
    """The terms of this shop know nothing of popularity, so that of the graph stays."""
    person = person_who_bought(shop, BOUGHT)
    alone = parts_of(shop, Query("all", person=person))
    beside = parts_of(shop, Query("all", person=person, history=("i3",)))
    for item, parts in beside.items():
        assert parts[LIKING] == pytest.approx(0.4 * alone[item][LIKING], abs=1e-12)
        assert parts[BUYERS] == alone[item][BUYERS]


def test_popularity_counts_once_where_the_terms_of_a_history_have_their_own(made: Example) -> None:
    counts = {f"i{k}": float(k) for k in range(40)}
    weights = replace(made.weights, terms=(*made.weights.terms, replace(POPULAR, counts=counts)))
    shop = liked_shop(replace(made, weights=weights))
    person = person_who_bought(shop, BOUGHT)
    names = answer(shop, Query("all", person=person, history=("i3",))).names
    assert {LIKING, "popular"} <= set(names)
    assert BUYERS not in names
    assert BUYERS in answer(shop, Query("all", person=person)).names


def test_an_item_that_the_graph_does_not_know_has_no_liking_and_no_buyers(shop: Shop) -> None:
    parts = parts_of(shop, Query("all", person=person_who_bought(shop, BOUGHT)))[UNKNOWN]
    assert (parts[LIKING], parts[BUYERS]) == (0.0, -0.7)
    why = explain_query(shop, Query("all", person=person_who_bought(shop, BOUGHT)), UNKNOWN)
    assert why.liking is not None
    assert (why.liking.bought, why.liking.average_logits, why.liking.other_count) == ((), 0.0, 0)
    assert (
        next(t for t in why.terms if t.name == LIKING).words == "nothing that you bought says anything of it"
    )


def test_what_was_bought_and_has_left_the_shop_still_counts_and_goes_by_its_id(shop: Shop) -> None:
    person = person_who_bought(shop, {GONE: 2, "i5": 1})
    assert shop.liking is not None
    scores, _ = dense(shop.liking.weights, {GONE: 2, "i5": 1})
    query = Query("all", person=person)
    assert parts_of(shop, query)["i7"][LIKING] == pytest.approx(scores[shop.liking.number["i7"]], abs=1e-9)
    why = explain_query(shop, query, "i7").liking
    assert why is not None
    assert {b.title for b in why.bought} <= {GONE, "Item i5", None}
    assert any(b.item == GONE for b in why.bought)


def test_a_purchase_of_an_item_that_nobody_knows_is_refused(shop: Shop) -> None:
    with pytest.raises(InputError, match="there is no item 'never'"):
        person_who_bought(shop, {"never": 1})


def test_the_liking_of_other_weights_is_refused(made: Example) -> None:
    with pytest.raises(WeightsError, match="belongs to weights v1"):
        liked_shop(made, replace(liking_of(made), version="v1"))


def test_what_came_back_was_not_bought_and_a_look_is_no_purchase() -> None:
    events = pl.DataFrame(
        [("i5", "purchase", None), ("i5", "purchase", 6.0), ("i7", "purchase", 0.0), ("i8", "purchase", -1.0),
         ("i9", "view", None), ("i3", "rating", 0.0)],
        schema={"target": pl.String(), "kind": pl.String(), "value": pl.Float64()}, orient="row",
    )  # fmt: skip
    assert purchase_counts(events, ("purchase",)) == {"i5": 2}
    assert purchase_counts(events, ("purchase", "view")) == {"i5": 2, "i9": 1}
    assert purchase_counts(events, ("rating",)) == {"i3": 1}


def test_a_relation_without_any_group_adds_nothing(made: Example, shop: Shop) -> None:
    liking = liking_of(made)
    empty = Relation("type", np.full(len(liking.items), -1), np.zeros((0, 2)), np.zeros(0, np.int64))
    relations = (*liking.filter.relations, empty)
    other = liked_shop(made, replace(liking, filter=replace(liking.filter, relations=relations)))
    query = Query("all", person=person_who_bought(shop, BOUGHT), size=99)
    ours, theirs = answer(other, query), answer(shop, query)
    assert ours.scores.tolist() == theirs.scores.tolist()
    assert [i.contributions for i in ours.items] == [i.contributions for i in theirs.items]
    for item in ours.ids[:5]:
        assert explain_query(other, query, item) == explain_query(shop, query, item)


def test_a_purchase_in_a_session_moves_the_person_in_every_category(shop: Shop) -> None:
    person = person_who_bought(shop, BOUGHT)
    session = observe(shop, start(shop, person), Event("purchase", "i4"))
    assert shop.liking is not None
    assert session.liking is not None
    scores, _ = dense(shop.liking.weights, {**BOUGHT, "i4": 1})
    for category in TREE:
        for item, parts in parts_of(shop, Query(category, session=session)).items():
            number = shop.liking.number.get(item)
            expected = 0.0 if number is None else 0.4 * scores[number]
            assert parts[LIKING] == pytest.approx(expected, abs=1e-9)


def test_a_look_moves_no_purchase_and_keeps_what_was_computed(shop: Shop) -> None:
    session = start(shop, person_who_bought(shop, BOUGHT))
    looked = observe(shop, session, Event("view", "i4"))
    assert looked.liking is session.liking


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from(["i4", "i5", "i6", UNKNOWN]), min_size=1, max_size=6), st.data(), st.booleans()
)
def test_a_purchase_undone_leaves_no_trace(items: list[str], data: st.DataObject, known: bool) -> None:
    shop = liked_shop(example(3, items=40))
    person = person_who_bought(shop, BOUGHT) if known else None
    which = data.draw(st.integers(0, len(items) - 1))
    session = begun = start(shop, person)
    for item in items:
        session = observe(shop, session, Event("purchase", item))
    never = begun
    for item in items[:which] + items[which + 1 :]:
        never = observe(shop, never, Event("purchase", item))
    undone = undo(shop, session, which)
    ours, theirs = (answer(shop, Query("all", session=s, size=99)) for s in (undone, never))
    assert (ours.ids, ours.names) == (theirs.ids, theirs.names)
    assert ours.logits.tobytes() == theirs.logits.tobytes()
    if len(items) == 1:
        assert undone.liking is begun.liking


def test_a_session_of_nobody_is_as_before_until_its_first_purchase(made: Example, shop: Shop) -> None:
    looked = observe(shop, start(shop), Event("view", "i4"))
    before = observe(plain_shop(made), start(plain_shop(made)), Event("view", "i4"))
    ours, plain = (
        answer(shop, Query("all", session=looked)),
        answer(plain_shop(made), Query("all", session=before)),
    )
    assert (ours.ids, ours.names) == (plain.ids, plain.names)
    assert ours.scores.tobytes() == plain.scores.tobytes()
    bought = observe(shop, looked, Event("purchase", "i4"))
    assert {LIKING, BUYERS} <= set(answer(shop, Query("all", session=bought)).names)


def test_what_was_bought_long_ago_in_a_session_stays_bought_when_another_event_is_undone(shop: Shop) -> None:
    session = observe(shop, start(shop), Event("purchase", "i4"))
    for _ in range(REMEMBERED + 3):
        session = observe(shop, session, Event("view", "i6"))
    assert session.forgotten > 0
    assert session.liking is not None
    undone = undo(shop, session)
    assert undone.liking is not None
    assert undone.liking.bought == session.liking.bought
    assert len(undone.liking.bought) == 1


def test_purchases_that_were_read_under_other_weights_count_by_their_ids(made: Example, shop: Shop) -> None:
    other = liking_of(made, seed=9)
    order = tuple(reversed(other.items))
    turned = liked_shop(made, replace(other, items=order))
    person = person_who_bought(turned, BOUGHT)
    assert person.liking is not None
    assert shop.liking is not None
    ours = shop.liking.of(person.liking)
    assert {shop.liking.weights.items[n]: count for n, count in ours.bought.items()} == BOUGHT


def test_each_bought_item_is_a_sentence_in_either_language(shop: Shop) -> None:
    person = person_who_bought(shop, {f"i{k}": 1 for k in (0, 3, 5, 7, 8, 9, 11)})
    sentences: dict[str, set[str]] = {}
    for language in ("en", "zh"):
        for item in answer(shop, Query("all", size=99)).ids:
            why = explain_query(shop, Query("all", person=person, language=language), item).liking
            assert why is not None
            if why.bought:
                assert len(why.bought) == NAMED
                assert why.other_count == 2
                sentences.setdefault(language, set()).update(b.sentence for b in why.bought)
                sentences[language] |= {str(why.other_sentence), why.average_sentence}
    assert {
        "because you bought Item i5",
        "although you bought Item i0, through its brand",
        "because you bought Item i7, through its brand and style",
        "because you bought Item i7, through its category",
        "2 more items that you bought",
        "what the average person's purchases add, taken off",
    } <= sentences["en"]
    assert {
        "因为您买过“Item i5”",
        "虽然您买过“Item i0”，通过它的brand",
        "因为您买过“Item i7”，通过它的类目",
        "您买过的其他 2 件商品",
        "扣除平均顾客的购买所加的部分",
    } <= sentences["zh"]


def test_a_line_of_the_ranking_names_the_bought_item_that_decides_most(shop: Shop) -> None:
    query = Query("all", person=person_who_bought(shop, BOUGHT), size=99)
    for item in answer(shop, query).items:
        line = next(c for c in item.contributions if c.name == LIKING)
        why = explain_query(shop, query, item.item).liking
        assert why is not None
        same = [b for b in why.bought if b.item is not None and b.logits * line.logits > 0]
        if same:
            assert (line.value, f"{'because' if line.logits > 0 else 'although'} {line.words}") == (
                same[0].item,
                same[0].sentence,
            )
        else:
            assert line.value is None
            assert line.words in {
                "nothing that you bought says anything of it",
                "what you bought, against what the average person buys",
            }


def test_what_few_people_bought_is_named_nowhere_and_still_counts(shop: Shop) -> None:
    person = person_who_bought(shop, {RARE: 3, "i5": 1})
    for language, words in (("en", "something that few people bought"), ("zh", "少数顾客购买的商品")):
        query = Query("all", person=person, size=99, language=language)
        for item in answer(shop, query).items:
            assert "Item i2" not in next(c for c in item.contributions if c.name == LIKING).words
            why = explain_query(shop, query, item.item).liking
            assert why is not None
            assert RARE not in [b.item for b in why.bought]
            for bought in (b for b in why.bought if b.item is None):
                assert words in bought.sentence
                assert [p.relation for p in bought.parts] == [None]
            for part in (p for b in why.bought for p in b.parts):
                assert part.relation in {ITEM, "brand", "brand and style", "category", None}


def test_a_line_of_the_ranking_names_nothing_that_few_people_bought(shop: Shop) -> None:
    query = Query("all", person=person_who_bought(shop, {RARE: 1}), size=99)
    lines = [c for item in answer(shop, query).items for c in item.contributions if c.name == LIKING]
    assert {c.value for c in lines} == {None}
    assert {c.words for c in lines} == {
        "you bought something that few people bought",
        "nothing that you bought says anything of it",
        "what you bought, against what the average person buys",
    }


def test_a_target_that_few_people_bought_is_read_through_its_brand_alone(shop: Shop) -> None:
    why = explain_query(shop, Query("all", person=person_who_bought(shop, BOUGHT)), RARE).liking
    assert why is not None
    told = {p.relation for b in why.bought for p in b.parts}
    assert ITEM not in told
    assert "category" not in told
    assert shop.liking is not None
    assert shop.liking.weights.filter.people[shop.liking.number[RARE]] < FEWEST


def test_scores_that_are_kept_are_bounded_and_equal(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop.liking is not None
    monkeypatch.setattr(shop.liking.kept, "room", 3 * 16 * 40)
    persons = [person_who_bought(shop, {f"i{k}": 1}) for k in (3, 4, 5, 6, 7)]
    pages = [answer(shop, Query("all", person=p, size=99)) for _ in range(2) for p in persons]
    for first, again in zip(pages[:5], pages[5:], strict=True):
        assert first.logits.tobytes() == again.logits.tobytes()
    assert len(shop.liking.kept) <= 3


def test_the_bytes_of_a_person_are_those_that_it_holds(shop: Shop) -> None:
    assert shop.liking is not None
    weights = shop.liking.weights
    counts = {number: 1 + number for number in range(len(weights.items))}
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        persons = [PersonLiking(weights, dict(counts)) for _ in range(200)]
        assert all(person.is_known for person in persons)
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    size = sum(person.size for person in persons)
    assert 0.5 * size < held < 1.1 * size
