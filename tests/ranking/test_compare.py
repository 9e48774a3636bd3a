"""Why one item stands above another, and what would bring an item into the first places."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import Example, example

from kgrank.errors import InputError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Rule
from kgrank.ranking import Filter, Query, Shop, answer, explain
from kgrank.ranking.explain.compare import compare
from kgrank.ranking.explain.counterfactuals import Change, counterfactuals
from kgrank.ranking.shopper.session import Event, observe, start


def shop_of(made: Example) -> Shop:
    return Shop.of(made.graph, made.ontology, made.weights, made.transitions)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([(), ("i3", "i0")]))
def test_a_comparison_adds_up_to_the_difference_of_the_scores(seed: int, history: tuple[str, ...]) -> None:
    shop = shop_of(example(seed, items=20))
    query = Query("all", history=history, size=50)
    page = answer(shop, query)
    score = dict(zip(page.ids, page.scores.tolist(), strict=True))
    for above, below in pairwise(page.ids):
        for first, second in ((above, below), (below, above)):
            found = compare(shop, query, first, second)
            assert found.difference == pytest.approx(score[first] - score[second], abs=1e-12)
            assert sum(p.logits for p in found.parts) == pytest.approx(found.difference, abs=2e-9)
            assert ("does not stand above" in found.sentence) == (first == below)
            assert found.lower <= found.difference <= found.upper


def test_a_difference_is_as_sure_as_the_values_that_differ() -> None:
    made = example(5, items=40)
    shop = shop_of(made)
    page = answer(shop, Query("all", size=40))
    for first, second in pairwise(page.ids):
        one, other = (dict(shop.items.values(shop.items.index[i])) for i in (first, second))
        found = compare(shop, Query("all"), first, second)
        for part in found.parts:
            if part.name == "color":
                # Errors are .1 a value; what both have says nothing of the difference.
                nodes = {n for n in (*one, *other) if n.startswith("color")}
                differ = sum((n in one) != (n in other) for n in nodes)
                assert part.upper - part.logits == pytest.approx(1.96 * 0.1 * math.sqrt(differ))
        total = math.sqrt(sum((p.upper - p.logits) ** 2 for p in found.parts))
        assert found.upper - found.difference == pytest.approx(total)


def test_a_sessions_uncertainty_widens_the_interval_and_events_narrow_it() -> None:
    made = example(5, items=60)
    shop = shop_of(replace(made, weights=replace(made.weights, terms=())))
    first, second = answer(shop, Query("all", size=2)).ids
    session = start(shop)
    widths = [(c := compare(shop, Query("all"), first, second)).upper - c.lower]
    for k in range(12):
        if k in (0, 11):
            found = compare(shop, Query("all", session=session), first, second)
            widths.append(found.upper - found.lower)
        session = observe(shop, session, Event("view", shop.items.ids[k * 5]))
    assert widths[0] < widths[2] < widths[1]


def changed(made: Example, item: str, changes: tuple[Change, ...]) -> Shop:
    """The shop with the changes made to the item."""
    names = [c.attribute for c in changes]
    values = made.graph.edge("HAS_VALUE")
    kept = values.filter(
        ~((pl.col("source") == item) & pl.col("target").str.split("=").list.first().is_in(names))
    )
    rows = [
        {
            "source": item,
            "target": f"{c.attribute}={c.value or '*'}",
            "number": c.number if c.value is None else 1.0 if c.attribute == "style" else 0.0,
            "imputed": False,
        }
        for c in changes
    ]
    edges = {**made.graph.edges, "HAS_VALUE": pl.concat([kept, pl.DataFrame(rows, schema=values.schema)])}
    return shop_of(replace(made, graph=KnowledgeGraph(made.graph.nodes, edges)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.data())
def test_every_way_brings_the_item_where_it_says(seed: int, wanted: int, data: st.DataObject) -> None:
    made = example(seed, items=25)
    shop = shop_of(made)
    ids = answer(shop, Query("all", size=50)).ids
    item = data.draw(st.sampled_from(ids[wanted:]))
    found = counterfactuals(shop, Query("all"), item, wanted)
    assert (found.position, found.gap > 0) == (ids.index(item) + 1, True)
    for way in found.counterfactuals:
        after = answer(changed(made, item, way.changes), Query("all", size=50)).ids
        assert after.index(item) + 1 == way.position <= wanted
        assert all(c.attribute != "brand" for c in way.changes)
    if not found.counterfactuals:
        assert found.sentence.startswith("No change of its attributes")
    else:
        assert found.sentence == found.counterfactuals[0].sentence


def test_an_item_that_stands_there_needs_nothing() -> None:
    shop = shop_of(example(3, items=20))
    first = answer(shop, Query("all")).ids[0]
    found = counterfactuals(shop, Query("all"), first, 3)
    assert (found.counterfactuals, found.sentence) == ((), f"Item {first} is number 1 already.")


def test_a_number_of_which_a_rule_says_what_is_better_comes_first() -> None:
    made = example(0, items=40)
    rule = Rule("cheap", "Monotone", ("all",), 0.9, attribute="price", better="Less")
    ontology = replace(made.ontology, rules={"cheap": rule})
    ruled = shop_of(
        replace(made, ontology=ontology, weights=replace(made.weights, ontology=ontology.fingerprint))
    )
    several = 0
    for item in answer(ruled, Query("all", size=40)).ids[10:]:
        ways = counterfactuals(ruled, Query("all"), item, 10).counterfactuals
        single = [w for w in ways if len(w.changes) == 1]
        if any(w.changes[0].attribute == "price" for w in single):
            assert ways[0].changes[0].attribute == "price"
            assert [w.limited_by_rules for w in ways] == [w.changes[0].attribute == "price" for w in ways]
            several += len(ways) > 1
    assert several


def test_a_price_moves_no_further_than_it_must() -> None:
    made = example(12, items=40)
    shop = shop_of(made)
    for item in answer(shop, Query("all", size=40)).ids[10:]:
        found = counterfactuals(shop, Query("all"), item, 10)
        for way in found.counterfactuals:
            change = way.changes[-1]
            if len(way.changes) == 1 and change.number is not None:
                rows = shop.items.values_of(shop.items.index[item], "price")
                now = rows[0][1] if rows else None
                if now is None:
                    continue
                # Two steps of the grid back towards the present price are not enough.
                step = 95 / 200
                back = change.number + (2 * step if change.number < now else -2 * step)
                if (back - now) * (change.number - now) > 0:
                    nearer = replace(change, number=back)
                    after = answer(changed(made, item, (nearer,)), Query("all", size=50)).ids
                    assert after.index(item) + 1 > 10


def test_a_filtered_ranking_is_the_one_that_is_entered() -> None:
    shop = shop_of(example(3, items=40))
    query = Query("all", filters=(Filter("color", ("red", "blue")),), size=40)
    ids = answer(shop, query).ids
    assert counterfactuals(shop, query, ids[6], 3).position == 7
    other = next(i for i in shop.items.ids if i not in ids)
    with pytest.raises(InputError, match="left out by a filter"):
        counterfactuals(shop, query, other, 3)
    with pytest.raises(InputError, match="expected 1 or more"):
        counterfactuals(shop, query, ids[6], 0)


def test_an_explanation_says_how_sure_each_amount_is() -> None:
    shop = shop_of(example(5, items=40))
    numbers = [x for k in range(40) for _, x in shop.items.values_of(k, "price")]
    low, high = (float(pl.Series(numbers).quantile(q, "linear") or 0) for q in (0.05, 0.95))
    mean = sum(numbers) / len(numbers)
    for item in shop.items.ids:
        has = dict(shop.items.values(shop.items.index[item]))
        for reason in explain(shop, item, "all").attributes:
            width = reason.upper - reason.logits
            assert width == pytest.approx(reason.logits - reason.lower)
            if reason.attribute == "price":
                off = abs(has["price=*"] - mean) / (high - low) if "price=*" in has else 0.0
                assert width == pytest.approx(1.96 * 0.1 * off)
            if reason.attribute == "color":
                assert width == pytest.approx(1.96 * 0.1 if reason.value else 0.0)
