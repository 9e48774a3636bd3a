"""A ranking for one shopper: the same sums, moved by their own deviations, and only where a person is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import NODES_OF, TREE, Example, example, load

from kgrank.errors import InputError
from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore
from kgrank.ranking import Query, Shop, answer, explain, open_shop, rank
from kgrank.ranking.shopper.person import read_person, tastes_of

Run = Callable[..., Any]

NODES = [n for nodes in NODES_OF.values() for n in nodes]

persons = st.fixed_dictionaries({n: st.floats(-2, 2).filter(lambda x: abs(x) > 1e-3) for n in NODES})


def shop_of(made: Example) -> Shop:
    return Shop.of(made.graph, made.ontology, made.weights, made.transitions)


def own_part(made: Example, category: str, item: str, attribute: str, person: Mapping[str, float]) -> float:
    """A person's part by its definition: the item's value against the average item that has one."""
    inside = list(made.ontology.subtree(category))
    members = made.graph.edge("IN_CATEGORY").filter(pl.col("target").is_in(inside))["source"].unique()
    rows = made.graph.edge("HAS_VALUE").filter(
        pl.col("source").is_in(members.implode()), pl.col("target").is_in(NODES_OF[attribute])
    )
    has = rows.filter(pl.col("source") == item)
    if has.is_empty():
        return 0.0
    if attribute == "price":
        numbers = rows["number"].to_numpy()
        low, high = (float(pl.Series(numbers).quantile(q, "linear") or 0) for q in (0.05, 0.95))
        unit = (high - low) / 3.29 or float(numbers.std()) or 1.0
        return person["price=*"] * float(has["number"][0] - numbers.mean()) / unit
    shares = rows.with_columns(worth=pl.col("target").replace_strict(person) / pl.len().over("source"))
    average = float(shares["worth"].sum()) / shares["source"].n_unique()
    return float(shares.filter(pl.col("source") == item)["worth"].sum()) - average


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(TREE)), st.sampled_from([(), ("i3", "i0")]), persons)
def test_a_persons_contributions_are_the_averages_and_their_own_part_and_add_up(
    seed: int, category: str, history: tuple[str, ...], person: dict[str, float]
) -> None:
    made = example(seed)
    shop = shop_of(made)
    strength = 1.5 if history else 1.0
    plain = {r.item: r for r in rank(shop, category, limit=99, history=history)}
    own = rank(shop, category, limit=99, history=history, person=person)
    assert {r.item for r in own} == set(plain)
    assert [r.score for r in own] == sorted((r.score for r in own), reverse=True)
    for r in own:
        assert sum(c.logits for c in r.contributions) == pytest.approx(r.score, abs=1e-9, rel=0)
        before = {c.name: c.logits for c in plain[r.item].contributions}
        for c in r.contributions:
            part = own_part(made, category, r.item, c.name, person) if c.kind == "attribute" else 0.0
            assert c.logits - before[c.name] == pytest.approx(strength * part, abs=1e-9)
            assert c.kind == "term" or c.value is not None or c.logits == 0.0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), persons)
def test_an_explanation_for_a_person_agrees_with_their_ranking(seed: int, person: dict[str, float]) -> None:
    shop = shop_of(example(seed))
    for position, ranked in enumerate(rank(shop, "all", limit=99, person=person), 1):
        why = explain(shop, ranked.item, "all", person=person)
        assert (why.position, why.score) == (position, ranked.score)
        assert {a.attribute: a.logits for a in why.attributes} == {
            c.name: c.logits for c in ranked.contributions
        }


def test_a_color_that_a_person_loves_is_the_best_of_colors_for_them() -> None:
    shop = shop_of(example(5, items=40))
    for r in rank(shop, "all", limit=99):
        color = next(a for a in explain(shop, r.item, "all", person={"color=red": 9.0}).attributes
                     if a.attribute == "color")  # fmt: skip
        assert (color.value_rank == 1) == (color.value == "red")


def test_nobody_in_particular_is_ranked_as_before() -> None:
    shop = shop_of(example(4))
    assert rank(shop, "all", limit=99, person={}) == rank(shop, "all", limit=99)


def test_what_a_person_adds_is_told_where_it_is_the_larger_part() -> None:
    shop = shop_of(example(5, items=40))
    for language, words in (("en", ", for you "), ("zh", "，对您 ")):
        plain = {r.item: r for r in rank(shop, "all", limit=99, language=language)}
        for r in rank(shop, "all", limit=99, person={"color=red": 3.0}, language=language):
            before = {c.name: c.logits for c in plain[r.item].contributions}
            for c in r.contributions:
                own = c.logits - before[c.name]
                assert (words in c.words) == (abs(own) > max(abs(before[c.name]), 0.1))


def test_a_shoppers_tastes_are_the_same_from_either_store(store: GraphStore) -> None:
    made = example(7, items=25)
    load(store, made)
    shop = open_shop(store)
    ann = read_person(store, shop, "ann")
    assert ann.choices > 0
    assert set(ann.deviations) == set(NODES)
    events, searches = made.graph.edge("INTERACTED"), made.graph.edge("SEARCHED")
    assert ann == tastes_of(shop, events, searches)
    without = tastes_of(shop, events)
    assert ann.choices == without.choices + 1
    assert ann.deviations["color=red"] > without.deviations["color=red"]
    assert rank(shop, "all", limit=99, person=ann.deviations) != rank(shop, "all", limit=99)
    assert read_person(store, shop, "bob").choices == 0
    with pytest.raises(InputError, match=r"there is no user 'anne'. Did you mean ann?"):
        read_person(store, shop, "anne")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("shop") / "graph.lb")
    with open_store(path) as store:
        load(store, example(7, items=25))
    return path


def test_rank_and_importance_are_for_a_user_on_demand(kgrank: Run, address: str) -> None:
    run = kgrank("rank", "all", "--store", address, "--user", "ann", "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert (found["user"], found["user_choice_count"] > 0) == ("ann", True)
    assert found["items"] != json.loads(kgrank("rank", "all", "--store", address, "--json").stdout)["items"]
    run = kgrank("importance", "all", "--store", address, "--user", "ann")
    assert f"For ann, by {found['user_choice_count']} of their own choices." in run.stdout
    assert " own " in run.stdout


def test_a_user_without_choices_gets_the_average_and_a_note(kgrank: Run, address: str) -> None:
    run = kgrank("rank", "all", "--store", address, "--user", "bob")
    plain = kgrank("rank", "all", "--store", address).stdout
    assert run.stdout == plain
    assert run.stderr.startswith("Nothing tells this shopper's tastes: ranked by the average shopper's.")


@pytest.mark.parametrize(
    "words",
    [("rank", "all"), ("importance", "all"), ("explain", "i3", "--category", "all")],
    ids=lambda w: w[0],
)
def test_an_unknown_user_is_one_line_and_exit_code_2(
    kgrank: Run, address: str, words: tuple[str, ...]
) -> None:
    run = kgrank(*words, "--store", address, "--user", "anne")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "error: there is no user 'anne'. Did you mean ann?\n"


def departing(made: Example) -> Shop:
    """A shop whose people have tastes in all categories, and depart from them in each."""
    population = made.weights.population
    within = tuple(tuple(0.5 * x for x in row) for row in population.covariance)
    weights = replace(made.weights, population=replace(population, within=within))
    return Shop.of(made.graph, made.ontology, weights, made.transitions)


def test_a_category_new_to_a_shopper_is_ranked_by_their_tastes_in_the_others() -> None:
    made = example(7, items=40)
    shop = departing(made)
    takes = [i for i in shop.items.ids if shop.items.first_category[shop.item(i)] == "dresses"]
    green = next(
        i for i in takes if dict(shop.items.values_of(shop.item(i), "color")).keys() == {"color=green"}
    )
    events = made.graph.edge("INTERACTED").clear()
    rows = [
        {"source": "eve", "target": item, "kind": kind, "list": "l", "time": 1, "id": f"{item}{kind}"}
        for item in takes
        for kind in (("impression", "purchase") if item == green else ("impression",))
    ]
    tastes = tastes_of(shop, pl.DataFrame(rows, schema=events.schema))
    assert set(tastes.by_category) == {"dresses"}
    assert 0 < tastes.deviations["color=green"] < tastes.deviations_in("dresses")["color=green"]
    for category in ("shoes", "dresses"):
        page = answer(shop, Query(category, person=tastes))
        own = {r.item: r.score for r in rank(shop, category, person=tastes.deviations_in(category))}
        assert dict(zip(page.ids, page.scores, strict=True)) == own
    assert tastes.deviations_in("shoes") == tastes.deviations


def test_what_is_unsure_of_a_new_category_is_more_than_of_a_known_one() -> None:
    made = example(7, items=25)
    shop = departing(made)
    ann = tastes_of(shop, made.graph.edge("INTERACTED"))
    known = next(iter(ann.by_category))
    here, new = ann.posterior_in(known), ann.posterior_in("nowhere")
    assert here is not None
    assert new is not None
    within = np.array(shop.weights.population.within)
    assert np.trace(here.covariance) < np.trace(new.covariance + within)


def test_a_taste_counts_for_less_where_a_number_varies_less_than_usual() -> None:
    made = example(7, items=40)
    plain, person = shop_of(made), {"price=*": 1.0}
    population = made.weights.population
    usual = 2 * plain.design("all").layout.block["price"].scale
    scales = tuple(usual if c == "price=*" else 0.0 for c in population.columns)
    weights = replace(made.weights, population=replace(population, scales=scales))
    shop = Shop.of(made.graph, made.ontology, weights, made.transitions)

    def price(where: Shop, person: Mapping[str, float] | None) -> dict[str, float]:
        return {
            r.item: next(c.logits for c in r.contributions if c.name == "price")
            for r in rank(where, "all", limit=99, person=person)
        }

    average, full, half = price(plain, None), price(plain, person), price(shop, person)
    for item, logits in average.items():
        assert half[item] - logits == pytest.approx((full[item] - logits) / 2, abs=1e-9)
