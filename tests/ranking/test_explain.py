from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import TREE, Example, example

from kgrank.errors import InputError, WeightsError
from kgrank.ontology.model import Rule
from kgrank.ranking import Shop, explain, importance, rank
from kgrank.weights.model import RuleFinding

RULES = (
    Rule("cap", "AtMost", ("all",), 0.9, attribute="color", share=0.2),
    Rule("floor", "AtLeast", ("clothes",), 0.8, attribute="price", share=0.3, but_not=("tops",)),
    Rule("near", "About", ("all",), 0.8, attribute="price", share=0.4, within=0.1),
    Rule("order", "Order", ("dresses",), 0.9, order=("price", "color", "style")),
    Rule("cheap", "Monotone", ("all",), 0.9, attribute="price", better="Less"),
    Rule("reds", "Prefers", ("all",), 0.9, attribute="color", values=("red", "blue")),
    Rule("noise", "Irrelevant", ("shoes",), 0.7, attribute="style"),
)


def with_rules(made: Example) -> Shop:
    ontology = replace(made.ontology, rules={r.id: r for r in RULES})
    finding = RuleFinding("cap", "…", 0.9, 0.4, 0.01, 0.05, -4.0, "contradicted", "Color is 31%.", 90, 30)
    weights = replace(made.weights, ontology=ontology.fingerprint, findings=(finding,))
    return Shop.of(made.graph, ontology, weights, made.transitions)


def shop_of(made: Example) -> Shop:
    return Shop.of(made.graph, made.ontology, made.weights, made.transitions)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(TREE)), st.sampled_from([(), ("i3", "i0")]))
def test_an_explanation_agrees_with_the_ranking(seed: int, category: str, history: tuple[str, ...]) -> None:
    shop = shop_of(example(seed))
    for position, ranked in enumerate(rank(shop, category, limit=99, history=history), 1):
        why = explain(shop, ranked.item, category, history=history)
        assert (why.position, why.score) == (position, ranked.score)
        total = sum(a.logits for a in why.attributes) + sum(t.logits for t in why.terms)
        assert total == pytest.approx(why.score, abs=1e-9, rel=0)


def test_the_average_item_is_the_mean_over_the_category() -> None:
    made = example(2)
    shop = shop_of(made)
    whole = rank(shop, "clothes", limit=99)
    means = {
        name: sum(c.logits for r in whole for c in r.contributions if c.name == name) / len(whole)
        for name in ("color", "price", "style", "brand")
    }
    why = explain(shop, whole[0].item, "clothes")
    assert {a.attribute: a.average for a in why.attributes} == pytest.approx(means)


def test_a_value_has_its_place_among_the_values_of_the_attribute() -> None:
    made = example(11, items=40)
    shop = shop_of(made)
    colors = {u.node: u.at(0.0) for u in made.weights.categories["all"].utilities if "color" in u.node}
    best = max(colors, key=lambda n: colors[n])
    items = made.graph.edge("HAS_VALUE").filter(pl.col("target") == best)["source"]
    reason = next(a for a in explain(shop, items[0], "all").attributes if a.attribute == "color")
    assert (reason.value_rank, reason.value_count) == (1, 3)
    assert reason.sentence.startswith(f"Color is {best.partition('=')[2].title()}: the best of 3 values;")


def test_an_item_is_explained_in_chinese() -> None:
    why = explain(shop_of(example(3)), "i3", "all", language="zh")
    assert why.sentence.startswith("Item i3在“All”的 12 件商品中排第 ")
    assert {a.name for a in why.attributes} >= {"颜色", "价格"}
    assert all("平均商品" in a.sentence or "不加分" in a.sentence for a in why.attributes)


def test_a_missing_value_is_said_to_add_nothing() -> None:
    made = example(3)
    bare = replace(
        made,
        graph=type(made.graph)(
            made.graph.nodes, {**made.graph.edges, "HAS_VALUE": made.graph.edge("HAS_VALUE").clear()}
        ),
    )
    why = explain(shop_of(bare), "i1", "all")
    assert why.score == 0.0
    assert {(a.value, a.words, a.logits) for a in why.attributes} == {(None, "unknown", 0.0)}
    assert all("is not known: it adds nothing" in a.sentence for a in why.attributes)


def test_an_item_outside_the_category_is_said_to_stand_elsewhere() -> None:
    made = example(0)
    shop = shop_of(made)
    inside = {r.item for r in rank(shop, "shoes", limit=99)}
    outside = next(r.item for r in rank(shop, "all", limit=99) if r.item not in inside)
    with pytest.raises(InputError, match=f"'{outside}' does not stand in 'shoes' or below it"):
        explain(shop, outside, "shoes")
    with pytest.raises(InputError, match="there is no item 'i1x'"):
        explain(shop, "i1x", "shoes")


def test_importance_is_most_important_first_and_named() -> None:
    found = importance(shop_of(example(1)), "tops", language="zh")
    weights = [a.share for a in found.attributes]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) == pytest.approx(1)
    assert {a.name for a in found.attributes} == {"颜色", "价格", "Style", "Brand"}


def test_what_the_rules_say_stands_beside_each_attribute() -> None:
    shop = with_rules(example(1))

    def said(category: str, language: str = "en") -> dict[str, list[str]]:
        found = importance(shop, category, language)
        return {a.attribute: [s.short for s in a.rules] for a in found.attributes if a.rules}

    assert said("dresses") == {
        "color": ["≤ 20%", "< Price, > Style", "Red > Blue"],
        "price": ["≥ 30%", "40% ± 10%", "> Color", "less is better"],
        "style": ["< Color"],
    }
    assert said("tops") == {"color": ["≤ 20%", "Red > Blue"], "price": ["40% ± 10%", "less is better"]}
    assert said("shoes")["style"] == ["≈ 0%"]
    assert said("tops", "zh")["color"] == ["≤ 20%", "红色 > 蓝色"]


def test_rules_carry_their_bounds_and_what_the_data_say() -> None:
    found = importance(with_rules(example(1)), "dresses")
    statements = {s.rule: s for a in found.attributes for s in a.rules}
    bounds = {r: (s.lower, s.upper) for r, s in statements.items() if s.lower is not None}
    assert bounds == {
        "cap": (0.0, 0.2),
        "floor": (0.3, 1.0),
        "near": (pytest.approx(0.3), pytest.approx(0.5)),
    }
    assert statements["cap"].finding is not None
    assert statements["cap"].finding.verdict == "contradicted"
    assert statements["floor"].finding is None


def test_importance_of_nothing_is_an_error() -> None:
    made = example(1)
    with pytest.raises(InputError, match=r"no category 'topz'. Did you mean tops"):
        importance(shop_of(made), "topz")
    fewer = {c: w for c, w in made.weights.categories.items() if c != "tops"}
    with pytest.raises(WeightsError, match="say nothing of category 'tops'"):
        importance(shop_of(replace(made, weights=replace(made.weights, categories=fewer))), "tops")
