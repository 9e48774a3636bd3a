"""Any question to any small shop gets a page, or one clear error."""

from __future__ import annotations

import warnings
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import TREE, example

from kgrank.errors import KgrankError
from kgrank.ranking import Boost, Bury, Cap, Exclude, Filter, Pin, Query, Shop, answer, explain
from kgrank.ranking.explain.compare import compare
from kgrank.ranking.explain.counterfactuals import counterfactuals
from kgrank.ranking.page.facets import facets
from kgrank.ranking.shopper.session import KINDS, SEARCH, Event, Session, observe, start
from kgrank.ranking.shopper.shifts import shifts

CATEGORIES = (None, *TREE)


def session_of(random: Random, shop: Shop, ids: list[str]) -> Session:
    session = start(shop)
    for _ in range(random.randint(0, 5)):
        kind, item = random.choice(KINDS), random.choice(ids)
        shown = tuple(random.sample(ids, random.randint(1, len(ids)))) if random.random() < 0.6 else ()
        event = Event(
            kind,
            None if kind == SEARCH else item,
            random.choice(["red", "zzz", "loud acme 红色"]) if kind == SEARCH else None,
            shown if item in shown and kind != SEARCH else (),
            random.choice(CATEGORIES),
        )
        session = observe(shop, session, event)
    return session


def query_of(random: Random, shop: Shop, ids: list[str]) -> Query:
    item = random.choice(ids)
    return Query(
        category=random.choice(CATEGORIES),
        text=random.choice([None, None, "red", "绿色 acme", "zz"]),
        candidates=random.choice([None, None, tuple(random.sample(ids, min(3, len(ids))))]),
        filters=random.choice([(), (Filter("color", ("red", "unknown")),), (Filter("price", minimum=30),)]),
        page=random.choice([1, 2, 10**9]),
        size=random.choice([0, 1, 5, 20]),
        pins=random.choice([(), (Pin(item, random.randint(1, 50)),)]),
        boosts=random.choice([(), (Boost("color=red", -1.0),)]),
        buries=random.choice([(), (Bury("color=blue"),)]),
        excludes=random.choice([(), (Exclude(random.choice(ids)),)]),
        caps=random.choice([(), (Cap("brand", 0.3, 10), Cap("color", 0.5, 4))]),
        diversity=random.choice([0, 0.5]),
        history=random.choice([(), (item,)]),
        session=random.choice([None, session_of(random, shop, ids)]),
        language=random.choice(["en", "zh"]),
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 12, 40]), st.booleans())
def test_any_question_gets_a_page_or_one_clear_error(seed: int, items: int, whole: bool) -> None:
    random, made = Random(seed), example(seed, items=items, whole=whole)
    shop = Shop.of(made.graph, made.ontology, made.weights, made.transitions)
    ids = list(shop.items.ids)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(5):
            query = query_of(random, shop, ids)
            try:
                page = answer(shop, query)
            except KgrankError:
                continue
            assert len(set(page.ids)) == len(page.ids) <= min(query.size, page.item_count)
            for item in page.items:
                assert sum(c.logits for c in item.contributions) == pytest.approx(item.score, abs=2e-9)
            facets(shop, query)
            if query.session is not None:
                shifts(shop, query.session, page.category)
            for item in page.ids[:2]:
                explain(shop, item, page.category, session=query.session)
                compare(shop, Query(page.category, session=query.session), item, page.ids[0])
                counterfactuals(shop, Query(page.category, session=query.session), item, 1)
