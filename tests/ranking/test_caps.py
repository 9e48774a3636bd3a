"""Caps place items as position after position would, without looking at every item for every position."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest
from shops import example

from kgrank.errors import did_you_mean
from kgrank.ranking import Shop
from kgrank.ranking.page.answer import answer
from kgrank.ranking.page.query import Boost, Query
from kgrank.ranking.page.rerank import Limit, RerankRules, _fill

Placed = tuple[list[int], dict[int, str], list[str]]


def by_positions(
    items: list[int], pins: dict[int, tuple[int, str]], window: int, limits: tuple[Limit, ...]
) -> Placed:
    """The definition: each position takes the first item that no cap blocks, else the first of all."""
    used = [Counter[str]() for _ in limits]
    reasons: dict[int, str] = {}
    filled: list[int] = []
    short: dict[str, None] = {}
    waiting = list(items)

    def count(item: int, position: int) -> None:
        for limit, counts in zip(limits, used, strict=True):
            if position <= limit.top:
                counts.update(limit.values(item))

    def blocked(item: int, position: int) -> str | None:
        for limit, counts in zip(limits, used, strict=True):
            for value in limit.values(item) if position <= limit.top else ():
                if counts[value] >= limit.maximum:
                    return limit.reason(value)
        return None

    for position, (pinned, reason) in pins.items():
        count(pinned, position)
        reasons[pinned] = f"at position {position} by the shop: {reason}"
    for position in range(1, window + 1):
        if position in pins:
            filled.append(pins[position][0])
            continue
        if not waiting:
            continue
        free = next((k for k, item in enumerate(waiting) if blocked(item, position) is None), None)
        if free is None:
            short[str(blocked(waiting[0], position))] = None
        for item in waiting[: free or 0]:
            reasons.setdefault(item, str(blocked(item, position)))
        filled.append(waiting.pop(free or 0))
        count(filled[-1], position)
    late = [item for position, (item, _) in sorted(pins.items()) if position > window]
    return [*filled, *waiting, *late], reasons, list(short)


@pytest.mark.parametrize("seed", range(200))
def test_caps_place_items_as_position_after_position_would(seed: int) -> None:
    random = Random(seed)
    values = {
        item: tuple(random.sample("abcd", random.randrange(3))) for item in range(random.randrange(1, 14))
    }
    limits = tuple(
        Limit(
            lambda item, only=only: tuple(v for v in values[item] if v in only),  # type: ignore[misc]
            random.randrange(4),
            random.randrange(1, 16),
            lambda value, k=k: f"cap {k} of {value}",  # type: ignore[misc]
        )
        for k, only in enumerate(random.choices(["a", "ab", "abcd"], k=random.randrange(1, 5)))
    )
    window = min(max(limit.top for limit in limits), len(values))
    order = random.sample(sorted(values), len(values))
    pins = {p: (order.pop(), "") for p in random.sample(range(1, 17), random.randrange(3)) if order}
    want, why, short = by_positions(order, pins, window, limits)
    reasons: dict[int, str] = {}
    placed = _fill(order, pins, window, RerankRules(pins=pins, limits=limits), reasons, last=True)
    assert placed is not None
    assert placed[0] == want
    assert {i: r for i, r in reasons.items() if r.startswith("cap")} == {
        i: r for i, r in why.items() if r.startswith("cap")
    }
    assert list(placed[1]) == short


def test_a_cap_that_nothing_passes_looks_at_each_item_a_few_times() -> None:
    looks = Counter[int]()

    def values(item: int) -> tuple[str, ...]:
        looks[item] += 1
        return ("acme",)

    limit = Limit(values, 0, 1000, lambda value: value)
    _fill(range(1000), {}, 1000, RerankRules(limits=(limit,)), {}, last=True)
    assert max(looks.values()) <= 4


def test_an_item_of_many_boosts_names_so_many_reasons_as_a_reader_can_read() -> None:
    made = example(3, items=30)
    shop = Shop.of(made.graph, made.ontology, made.weights, made.transitions)
    item = answer(shop, Query("clothes")).ids[0]
    boosts = tuple(Boost(item, 0.1, f"reason {k} " + "x" * 150) for k in range(100))
    page = answer(shop, Query("clothes", boosts=boosts, size=30))
    (boosted,) = (i for i in page.items if i.item == item)
    part = next(c for c in boosted.contributions if c.name == "boost")
    assert part.logits == pytest.approx(10.0)
    assert max(len(r) for r in boosted.reasons) <= 1000
    assert "reason 0 " in boosted.reasons[0]


def test_a_misspelt_id_of_a_million_is_found_near_those_that_begin_alike() -> None:
    ids = tuple(f"item-{k:07d}" for k in range(1_000_000))
    assert did_you_mean("item-0012345x", ids, ascending=True).startswith("Did you mean item-0012345 or")
    assert "Known: item-0000000" in did_you_mean("z" * 1_000_000, ids, ascending=True)


def test_the_lowest_category_of_candidates_is_the_same_for_one_and_for_all_of_its_items() -> None:
    made = example(3, items=30)
    shop = Shop.of(made.graph, made.ontology, made.weights, made.transitions)
    for category in shop.ontology.categories:
        rows = shop.items.within(shop.subtree(category))
        if not len(rows):
            continue
        named = tuple(shop.items.ids[k] for k in np.atleast_1d(rows))
        within = answer(shop, Query(candidates=named)).category
        assert category in (within, *shop.ontology.ancestors(within))
