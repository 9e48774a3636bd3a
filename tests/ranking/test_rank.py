from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import AFTER, TREE, Example, category_weights, example, links

from kgrank.errors import InputError, KgrankError, WeightsError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ranking import Shop, rank
from kgrank.weights.model import BehaviourTerm

seeds = st.integers(0, 10_000)


def shop_of(made: Example) -> Shop:
    return Shop.of(made.graph, made.ontology, made.weights, made.transitions)


def without(made: Example, edge: str, rows: pl.Expr) -> Example:
    kept = {**made.graph.edges, edge: made.graph.edge(edge).filter(~rows)}
    return replace(made, graph=KnowledgeGraph(made.graph.nodes, kept))


def slow_scores(made: Example, category: str, history: tuple[str, ...] = ()) -> list[tuple[str, float]]:
    """The ranking by its definition: one item, one value at a time."""
    learned = made.weights.categories[category]
    inside = set(made.ontology.subtree(category))
    placed = made.graph.edge("IN_CATEGORY").filter(pl.col("target").is_in(list(inside)))
    utilities = {u.node: u for u in learned.utilities}
    after = {(a, b): w for a, b, w in made.transitions.select("source", "target", "weight").rows()}
    scores = {}
    for item in set(placed["source"]):
        rows = made.graph.edge("HAS_VALUE").filter(pl.col("source") == item)
        total = sum(utilities[r["target"]].at(r["number"]) for r in rows.iter_rows(named=True))
        if history:
            total *= learned.terms["attributes"]
            places = dict.fromkeys(reversed(history))
            amount = sum(0.6**k * after.get((seen, item), 0.0) for k, seen in enumerate(places))
            total += learned.terms["goes-after"] * float(np.interp(amount, AFTER.knots[0], AFTER.values))
        scores[item] = round(total, 9)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


@settings(max_examples=40, deadline=None)
@given(seeds, st.booleans(), st.sampled_from(sorted(TREE)))
def test_the_ranking_is_the_sum_over_the_values_of_each_item(seed: int, ties: bool, category: str) -> None:
    made = example(seed, whole=ties)
    got = rank(shop_of(made), category, limit=100)
    want = slow_scores(made, category)
    assert [g.item for g in got] == [item for item, _ in want]
    np.testing.assert_allclose([g.score for g in got], [s for _, s in want], atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seeds, st.lists(st.integers(0, 11), max_size=5))
def test_a_history_adds_its_decayed_transitions(seed: int, looked: list[int]) -> None:
    made = example(seed)
    history = tuple(f"i{k}" for k in looked)
    got = rank(shop_of(made), "all", limit=100, history=history)
    want = slow_scores(made, "all", history)
    assert {g.item: g.score for g in got} == pytest.approx(dict(want), abs=2e-9)


@settings(max_examples=40, deadline=None)
@given(seeds, st.sampled_from(sorted(TREE)), st.sampled_from([(), ("i1",), ("i3", "i0", "i3")]))
def test_contributions_add_up_to_the_score(seed: int, category: str, history: tuple[str, ...]) -> None:
    for ranked in rank(shop_of(example(seed)), category, limit=100, history=history):
        assert sum(c.logits for c in ranked.contributions) == pytest.approx(ranked.score, abs=1e-9, rel=0)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_a_missing_value_contributes_exactly_nothing(seed: int) -> None:
    made = example(seed)
    for ranked in rank(shop_of(made), "all", limit=100):
        for part in ranked.contributions:
            rows = made.graph.edge("HAS_VALUE").filter(
                pl.col("source") == ranked.item, pl.col("target").str.starts_with(part.name)
            )
            assert (part.value is None) == rows.is_empty()
            assert part.logits == 0.0 or part.value is not None


def test_equal_scores_stand_in_the_order_of_their_ids() -> None:
    made = without(example(3), "HAS_VALUE", pl.lit(True))
    assert [(r.item, r.score) for r in rank(shop_of(made), "all", limit=100)] == [
        (item, 0.0) for item in sorted(made.graph.node("Item")["id"])
    ]


def test_an_empty_category_ranks_nothing() -> None:
    assert rank(shop_of(example(0)), "empty") == []


def test_a_category_of_one_item_ranks_it() -> None:
    made = example(0)
    one = without(made, "IN_CATEGORY", pl.col("source") != "i5")
    assert [r.item for r in rank(shop_of(one), "all")] == ["i5"]


def test_pages_join_to_the_whole_ranking_and_one_far_out_is_empty() -> None:
    shop = shop_of(example(1, items=30))
    whole = rank(shop, "all", limit=100)
    pages = [rank(shop, "all", limit=7, offset=k) for k in range(0, 35, 7)]
    assert [r for page in pages for r in page] == whole
    assert rank(shop, "all", offset=10**9) == []


def test_candidates_are_ranked_among_themselves_as_in_the_whole() -> None:
    shop = shop_of(example(1))
    whole = rank(shop, "all", limit=100)
    wanted = ["i7", "i2", "i9"]
    in_whole = [r for r in whole if r.item in wanted]
    want = [replace(r, position=k) for k, r in enumerate(in_whole, 1)]
    assert rank(shop, "all", candidates=wanted) == want
    assert rank(shop, "all", candidates=[]) == []


def test_a_subtree_is_ranked_by_the_weights_of_the_category_that_was_asked_for() -> None:
    made = example(2)
    flat = replace(made.weights.categories["clothes"], utilities=())
    weights = replace(made.weights, categories={**made.weights.categories, "clothes": flat})
    shop = shop_of(replace(made, weights=weights))
    assert {r.score for r in rank(shop, "clothes")} == {0.0}
    assert len({r.score for r in rank(shop, "dresses")}) > 1


def test_a_term_names_the_item_of_the_history_that_speaks_loudest() -> None:
    made = example(4)
    shop = shop_of(replace(made, transitions=links([("i0", "i2", 0.2), ("i1", "i2", 0.1)])))
    ranked = {r.item: r for r in rank(shop, "all", limit=99, history=["i0", "i1"])}
    term = next(c for c in ranked["i2"].contributions if c.kind == "term")
    words = "often chosen after Item i0: 5 people"
    assert (term.name, term.value, term.words) == ("goes-after", "i0", words)
    amount = (0.1 + 0.6 * 0.2) / 10**0.8
    assert term.logits == pytest.approx(0.7 * np.interp(amount, AFTER.knots[0], AFTER.values))


def test_values_are_told_in_english_and_chinese() -> None:
    made = example(5, items=60)
    words = {}
    for language in ("en", "zh"):
        for ranked in rank(shop_of(made), "all", limit=100, language=language):
            for part in ranked.contributions:
                words[language, part.name, part.value] = part.words
    assert words["en", "color", "red"] == "Color: Red"
    assert words["zh", "color", "red"] == "颜色：红色"
    assert words["en", "price", "35.0"] == "Price: 35 EUR"
    assert words["zh", "style", "loud|plain"] == "Style：花色、素色"
    assert words["en", "brand", None] == "Brand: unknown"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"category": "dreses"}, "no category 'dreses'. Did you mean dresses?"),
        ({"history": ["i99x"]}, "no item 'i99x'. Did you mean"),
        ({"candidates": ["j3"]}, "no item 'j3'. Known: i0, i1"),
        ({"limit": -1}, "limit -1"),
        ({"offset": -1}, "offset -1"),
        ({"language": "fr"}, "no language 'fr'; expected one of en, zh"),
    ],
)
def test_a_wrong_question_is_one_clear_error(wrong: dict[str, object], message: str) -> None:
    question: dict[str, object] = {"category": "all", **wrong}
    with pytest.raises(InputError) as caught:
        rank(shop_of(example(0)), **question)  # type: ignore[arg-type]
    assert message in caught.value.sentence()


def test_a_candidate_outside_the_category_is_named_with_its_place() -> None:
    made = example(0)
    outside = without(made, "IN_CATEGORY", (pl.col("source") == "i4") & (pl.col("target") != "shoes"))
    shoes = outside.graph.edge("IN_CATEGORY").filter(pl.col("source") == "i4")
    if shoes.is_empty():
        extra = pl.DataFrame({"source": ["i4"], "target": ["shoes"]})
        edges = {
            **outside.graph.edges,
            "IN_CATEGORY": pl.concat([outside.graph.edge("IN_CATEGORY"), extra]),
        }
        outside = replace(outside, graph=KnowledgeGraph(outside.graph.nodes, edges))
    with pytest.raises(InputError, match=r"'i4' does not stand in 'dresses' or below it.*stands in shoes"):
        rank(shop_of(outside), "dresses", candidates=["i4"])


def test_weights_of_another_ontology_are_refused_by_fingerprint() -> None:
    made = example(0)
    other = replace(made.weights, ontology="0123456789abcdef")
    with pytest.raises(
        WeightsError, match=f"0123456789abcdef; expected fingerprint {made.ontology.fingerprint}"
    ):
        Shop.of(made.graph, made.ontology, other)


def test_a_category_without_weights_is_an_error_and_not_a_ranking_by_nothing() -> None:
    made = example(0)
    fewer = {c: w for c, w in made.weights.categories.items() if c != "tops"}
    with pytest.raises(WeightsError, match="say nothing of category 'tops'"):
        rank(shop_of(replace(made, weights=replace(made.weights, categories=fewer))), "tops")


def test_a_history_needs_a_learned_term() -> None:
    made = example(0)
    left_out = BehaviourTerm("popular", "log(1 + events of the item); left out: it brings nothing")
    for terms in ((), (left_out,)):
        shop = shop_of(replace(made, weights=replace(made.weights, terms=terms)))
        with pytest.raises(WeightsError, match="have no behaviour term: a history says nothing"):
            rank(shop, "all", history=["i1"])
        assert rank(shop, "all")


def test_terms_without_the_counts_behind_them_are_refused() -> None:
    made = example(0)
    with pytest.raises(
        WeightsError, match="lack the transitions between items; expected a table with forward"
    ):
        shop_of(replace(made, transitions=made.transitions.drop("people")))


def test_an_edge_to_a_node_that_is_not_there_is_named() -> None:
    made = example(0)
    graph = KnowledgeGraph(
        {**made.graph.nodes, "Item": made.graph.node("Item").filter(pl.col("id") != "i3")}, made.graph.edges
    )
    with pytest.raises(KgrankError, match="names item 'i3', which has no node"):
        Shop.of(graph, made.ontology, made.weights)


def test_ranking_starts_with_few_modules_and_none_of_the_large_ones() -> None:
    script = (
        "import kgrank, kgrank.ranking, kgrank.graph.embedded.store\n"
        "import sys; print(len(sys.modules))\n"
        "print([m for m in ('torch', 'matplotlib', 'rdflib', 'networkx', 'scipy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    count, large = run.stdout.splitlines()
    assert large == "[]"
    # Python, numpy and polars are most of them, which take about half a second.
    assert int(count) < 800


def test_a_curve_counts_the_segment_that_holds_the_number() -> None:
    import random

    from kgrank.graph.schema import UNBOUNDED
    from kgrank.weights.model import Segment, Utility

    made = example(6)
    learned = category_weights(random.Random(0), "all")
    curve = (Segment(0.0, 50.0, 1.0, 0.0), Segment(50.0, UNBOUNDED, 2.0, 0.1))
    only = replace(learned, utilities=(Utility("price=*", curve, 0.1),))
    weights = replace(made.weights, categories={**made.weights.categories, "all": only})
    for ranked in rank(shop_of(replace(made, weights=weights)), "all", limit=100):
        price = next(c.value for c in ranked.contributions if c.name == "price")
        want = 0.0 if price is None else 1.0 if float(price) < 50 else 2.0 + 0.1 * float(price)
        assert ranked.score == pytest.approx(want, abs=1e-9)
