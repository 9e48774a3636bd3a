"""Facets by their stated formula, against a slow computation of it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import Example, example

from kgrank.errors import InputError
from kgrank.ranking import Filter, Query, Shop, answer, importance
from kgrank.ranking.page.facets import COVERAGE, facets
from kgrank.ranking.shopper.session import Event, observe, start


def shop_of(made: Example) -> Shop:
    return Shop.of(made.graph, made.ontology, made.weights, made.transitions)


def choice_mass(shop: Shop, query: Query) -> dict[str, float]:
    page = answer(shop, replace(query, size=1000))
    odds = {i: math.exp(s) for i, s in zip(page.ids, page.scores.tolist(), strict=True)}
    return {i: x / sum(odds.values()) for i, x in odds.items()}


def values(shop: Shop, item: str, attribute: str) -> dict[str, float]:
    return dict(shop.items.values_of(shop.items.index[item], attribute))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["all", "clothes", "dresses"]), st.booleans())
def test_a_filter_decides_importance_times_division_times_coverage(
    seed: int, category: str, some: bool
) -> None:
    shop = shop_of(example(seed, items=40))
    query = Query(category, filters=(Filter("price", minimum=20),) if some else ())
    mass = choice_mass(shop, query)
    weight = {a.attribute: a.share for a in importance(shop, category).attributes}
    found = facets(shop, query)
    assert found.item_count == len(mass)
    assert {f.attribute for f in found.facets} | {f.attribute for f in found.left_out} == set(weight)
    for facet in found.facets:
        has = {i: values(shop, i, facet.attribute) for i in mass}
        coverage = sum(p for i, p in mass.items() if has[i])
        if facet.attribute == "price":
            parts = [
                sum(p for i, p in mass.items() if has[i] and v.minimum <= has[i]["price=*"] <= v.maximum)
                for v in facet.values
            ]
            assert sum(v.item_count for v in facet.values) == sum(bool(h) for h in has.values())
        else:
            parts = [
                sum(p for i, p in mass.items() if f"{facet.attribute}={v.value}" in has[i])
                for v in facet.values
            ]
            assert [v.share for v in facet.values] == sorted((v.share for v in facet.values), reverse=True)
        assert [v.share for v in facet.values] == pytest.approx(parts, abs=1e-6)
        divides = 1 - sum((q / sum(parts)) ** 2 for q in parts)
        assert facet.decides == pytest.approx(weight[facet.attribute] * divides * coverage, abs=1e-6)
    assert [f.decides for f in found.facets] == sorted((f.decides for f in found.facets), reverse=True)


def test_a_filter_with_one_value_or_few_known_values_is_left_out_and_says_so() -> None:
    shop = shop_of(example(3, items=40))
    gone = {n.attribute: n.reason for n in facets(shop, Query("all")).left_out}
    assert gone["brand"] == "Brand is left out: 1 value among these items divides nothing."
    known = sum(bool(values(shop, i, "style")) for i in shop.items.ids)
    unknown = [i for i in shop.items.ids if not values(shop, i, "style")]
    few = tuple(unknown + [i for i in shop.items.ids if i not in unknown][: len(unknown) - 1])
    assert known > len(unknown) > 3
    gone = {n.attribute: n.reason for n in facets(shop, Query("all", candidates=few)).left_out}
    share = (len(unknown) - 1) / len(few)
    assert share < COVERAGE
    assert (
        gone["style"] == f"Style is left out: only {share:.0%} of these items have a value, fewer than 50%."
    )


def test_facets_follow_the_session() -> None:
    shop = shop_of(example(3, items=80))
    greens = [shop.items.ids[k] for k in shop.items.having(shop.items.node["color=green"])]
    session = start(shop)
    for item in greens[:6]:
        session = observe(shop, session, Event("view", item))
    before, after = facets(shop, Query("all")), facets(shop, Query("all", session=session))

    def green(found: object) -> float:
        color = next(f for f in found.facets if f.attribute == "color")  # type: ignore[attr-defined]
        return next(v.share for v in color.values if v.value == "green")

    assert green(after) > green(before)


def test_no_items_have_no_facets() -> None:
    shop = shop_of(example(3))
    found = facets(shop, Query("empty"))
    assert (found.item_count, found.facets, found.notes) == (0, (), ("Empty has no items.",))
    with pytest.raises(InputError, match="Did you mean dresses"):
        facets(shop, Query("dreses"))


def test_reasons_are_chinese_on_demand() -> None:
    shop = shop_of(example(3, items=40))
    color = next(f for f in facets(shop, Query("all", language="zh")).facets if f.attribute == "color")
    assert color.reason.startswith("颜色占决定的")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_a_range_of_one_number_is_called_by_that_number(seed: int, items: int) -> None:
    shop = shop_of(example(seed, items=items))
    for facet in facets(shop, Query("all")).facets:
        for value in facet.values:
            if value.minimum is not None:
                assert (" to " in value.name) == (value.minimum != value.maximum)
