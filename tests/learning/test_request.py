"""A shopper's own weights at request time, against the batch, the truth, and the population."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from generated_shop import TRUTH, graph_of, without_rules, write_files

from kgrank.arrays import Floats
from kgrank.choice.data.design import category_design
from kgrank.choice.data.responses import read_log
from kgrank.choice.importance import importance as shares_of
from kgrank.choice.importance import spreads
from kgrank.choice.logit.categories import CategoryFits, fit_categories
from kgrank.choice.logit.choice_sets import INSIDE, category_choices
from kgrank.choice.tastes.mixed_logit import join_panels, posteriors
from kgrank.choice.tastes.person import PersonTastes, person_panel
from kgrank.graph.connect import open_store
from kgrank.graph.schema import EDGES
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.configuration.config import RunConfig
from kgrank.learning.learn import learn
from kgrank.learning.prior_means import closed_form
from kgrank.learning.training_data import TrainingData as Learning
from kgrank.learning.training_data import people_panel, read_training_data
from kgrank.ontology.model import Ontology
from kgrank.ranking import Shop, importance, rank
from kgrank.ranking.shopper import person as person_module
from kgrank.ranking.shopper.person import everyones_tastes, read_person, tastes_of
from kgrank.weights.model import AttributeWeight, CategoryWeights, LearnedWeights, Population, Utility
from kgrank.weights.tables import weights_to_tables

PEOPLE, LISTS, HELD_OUT = 60, 16, 12
EVENT = {"source": pl.String(), "target": pl.String(), **EDGES["INTERACTED"].columns}


@dataclass(frozen=True)
class Differing:
    """A shop whose people differ by a known population."""

    graph: KnowledgeGraph
    ontology: Ontology
    deviations: Mapping[str, Floats]
    """(nodes,) of each person."""
    nodes: tuple[str, ...]

    @cached_property
    def learning(self) -> Learning:
        return read_training_data(self.graph, self.ontology, 0)

    @cached_property
    def head(self) -> CategoryFits:
        return fit_categories(self.learning.sets, {})

    @cached_property
    def served(self) -> Shop:
        covariance = np.diag([_deviation(n) ** 2 + 0.01 for n in (*self.nodes, INSIDE)])
        population = Population(
            (*self.nodes, INSIDE),
            tuple(map(tuple, covariance.tolist())),
            (*np.linspace(-0.1, 0.1, len(self.nodes)).tolist(), 0.05),
        )
        weights = LearnedWeights(
            "v1", "2026-01-01T00:00:00Z", "test", self.ontology.fingerprint, "test",
            {c: self._category(c) for c in self.learning.sets}, population=population,
        )  # fmt: skip
        return Shop.of(self.graph, self.ontology, weights)

    def _category(self, category: str) -> CategoryWeights:
        some, own = self.learning.sets[category], self.head.fits[category].part_worths
        layout = some.design.layout
        share, spread = shares_of(layout, own[: layout.width]), spreads(layout, own[: layout.width])
        return CategoryWeights(
            category,
            tuple(
                AttributeWeight(b.attribute, float(share[k]), 0.0, 1.0, float(spread[k]), "test", 0.0)
                for k, b in enumerate(layout.blocks)
            ),
            tuple(
                Utility(node, segments, 0.1)
                for b in layout.blocks
                for node, segments in zip(b.nodes, b.segments(own), strict=True)
            ),
            float(spread.sum()), 1, 1, "choices",
            nuisance=dict(zip(some.nuisance, own[layout.width :].tolist(), strict=True)),
        )  # fmt: skip

    def events(self, user: str) -> pl.DataFrame:
        return self.graph.edge("INTERACTED").filter(pl.col("source") == user)


def _deviation(node: str) -> float:
    """How much people differ in a column, in logits."""
    return {"color": 1.5, "price": 1.0}.get(node.split("=")[0], 0.0)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Differing:
    """Lists of 5 from one category, and now and then 3 dresses and shirts, of which one is always taken."""
    graph, ontology = graph_of(write_files(tmp_path_factory.mktemp("differing"), people=1), without_rules())
    designs = {c: category_design(graph, ontology, c) for c in TRUTH}
    nodes = tuple(dict.fromkeys(n for d in designs.values() for n in d.layout.nodes))
    rng = np.random.default_rng(5)
    scale = np.array([_deviation(n) for n in nodes])
    people = {f"p{u}": scale * rng.normal(size=len(nodes)) for u in range(PEOPLE)}
    utility = {}
    for category, design in designs.items():
        layout = design.layout
        own = np.array([TRUTH[category].get(n.split("=")[1], 0.0) for n in layout.nodes])
        own[layout.block["price"].start] = TRUTH[category]["price"] * layout.block["price"].scale / 30
        at = [nodes.index(n) for n in layout.nodes]
        for user, taste in people.items():
            for item, worth in zip(design.items, design.centred() @ (own + taste[at]), strict=True):
                utility[user, item] = float(worth)
    events: list[dict[str, object]] = []
    for user in people:
        for turn in range(LISTS):
            mixed = turn % 5 == 2
            inside = ("dresses", "shirts") if mixed else (list(TRUTH)[int(rng.integers(3))],)
            items = [
                i for c in inside for i in rng.choice(designs[c].items, 2 if mixed else 5, replace=False)
            ]
            worth = np.array([-np.inf if mixed else 0.0, *(0.5 + utility[user, i] for i in items)])
            taken = int((worth + rng.gumbel(size=len(worth))).argmax())
            about = {"source": user, "time": turn, "list": f"{user}-{turn}"}
            events += [
                {**about, "target": i, "id": f"{user}-{turn}-{p}", "kind": "impression", "position": p}
                for p, i in enumerate(items, 1)
            ]
            if taken:
                events.append(
                    {**about, "target": items[taken - 1], "id": f"{user}-{turn}-view", "kind": "view"}
                )
    return Differing(
        KnowledgeGraph(
            {**graph.nodes, "User": pl.DataFrame({"id": [*people, "nobody"]})},
            {**graph.edges, "INTERACTED": pl.DataFrame(events, schema=EVENT)},
        ),
        ontology,
        people,
        nodes,
    )


def log_likelihood(shop: Differing, events: pl.DataFrame, deviations: Mapping[str, float]) -> float:
    """Per choice, of what a person with these deviations did."""
    log = read_log(KnowledgeGraph({}, {**shop.graph.edges, "INTERACTED": events}), shop.ontology)
    parts = []
    for category in log.heads["category"].unique():
        learned = shop.served.weights.categories[category]
        own = replace(log, heads=log.heads.filter(pl.col("category") == category))
        design = shop.served.design(category)
        some = category_choices(own, design, shop.ontology, nuisance=tuple(learned.nuisance))
        parts.append(person_panel(some, learned, shop.nodes))
    data, _ = join_panels(parts)
    taste = np.array([deviations.get(n, 0.0) for n in shop.nodes])
    return float(data.choices.log_likelihood(data.choices.offset + data.x @ taste).mean())


def test_a_request_finds_the_posterior_that_the_batch_finds(shop: Differing) -> None:
    columns, data, numbers = people_panel(shop.learning.own_choices, shop.head)
    population = shop.served.weights.population
    at = [population.columns.index(c) for c in columns]
    mean = np.array(population.mean)[at]
    covariance = np.array(population.covariance)[np.ix_(at, at)]
    modes, spread, _ = posteriors(data, mean, covariance, tolerance=1e-14)
    assert len(numbers) == PEOPLE
    for k, number in enumerate(numbers):
        found = tastes_of(shop.served, shop.events(shop.learning.log.users[number]))
        assert found.choices == (data.choices.person == k).sum()
        for c, name in enumerate(columns):
            if name != INSIDE:
                assert found.deviations[name] == pytest.approx(modes[k, c], abs=1e-6)
                assert found.errors[name] == pytest.approx(spread[k, c, c] ** 0.5, abs=1e-6)


def test_own_tastes_predict_held_out_choices_better_than_the_population(shop: Differing) -> None:
    gains, found, truth = [], [], []
    for user, taste in shop.deviations.items():
        events = shop.events(user)
        own = tastes_of(shop.served, events.filter(pl.col("time") < HELD_OUT)).deviations
        later = events.filter(pl.col("time") >= HELD_OUT)
        gains.append(log_likelihood(shop, later, own) - log_likelihood(shop, later, {}))
        found.append([own[n] for n in shop.nodes])
        truth.append(taste)
    assert np.mean(gains) > 0.15
    assert np.mean(gains) > 3 * np.std(gains) / len(gains) ** 0.5
    differ = [k for k, n in enumerate(shop.nodes) if _deviation(n)]
    for k in differ:
        assert np.corrcoef(np.array(found)[:, k], np.array(truth)[:, k])[0, 1] > 0.5, shop.nodes[k]


def takes(shop: Differing, color: str, *, shown: bool, times: int = 12) -> pl.DataFrame:
    """Somebody who takes one dress of a color each time, whatever it costs."""
    dresses = shop.served.design("dresses")
    column = dresses.layout.column[f"color={color}"]
    own = [i for i, x in zip(dresses.items, dresses.raw[:, column].toarray()[:, 0], strict=True) if x]
    others = [i for i in dresses.items if i not in own]
    rows = []
    for turn in range(times):
        about = {"source": "new", "time": turn, "list": f"l{turn}" if shown else None}
        items = [own[turn % len(own)], *(others[(turn + k) % len(others)] for k in range(4))]
        rows += [
            {**about, "target": i, "id": f"{turn}-{p}", "kind": "impression", "position": p}
            for p, i in enumerate(items, 1)
            if shown
        ]
        rows.append({**about, "target": items[0], "id": f"{turn}-buy", "kind": "purchase"})
    return pl.DataFrame(rows, schema=EVENT)


def average_place(shop: Differing, color: str, person: PersonTastes | None) -> float:
    ranked = rank(shop.served, "dresses", limit=99, person=person.deviations if person else None)
    places = [
        k for k, r in enumerate(ranked) for c in r.contributions if (c.name, c.value) == ("color", color)
    ]
    return float(np.mean(places))


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("color", ["red", "green"])
def test_who_always_takes_a_color_sees_it_first(shop: Differing, color: str, shown: bool) -> None:
    person = tastes_of(shop.served, takes(shop, color, shown=shown))
    assert person.choices == 12
    assert average_place(shop, color, person) < min(average_place(shop, color, None), 6)
    best = rank(shop.served, "dresses", limit=1, person=person.deviations)[0]
    assert f"Color: {color}, for you +" in next(c.words for c in best.contributions if c.name == "color")


def test_a_few_events_move_a_person_less_than_many(shop: Differing) -> None:
    few, many = (tastes_of(shop.served, takes(shop, "green", shown=True, times=n)) for n in (1, 12))
    assert 0 < few.deviations["color=green"] < many.deviations["color=green"]
    assert few.errors["color=green"] > many.errors["color=green"]


def test_a_persons_own_shares_stand_beside_the_averages(shop: Differing) -> None:
    plain = importance(shop.served, "dresses")
    assert {a.person for a in plain.attributes} == {None}
    average = importance(shop.served, "dresses", person={"color=red": 0.0})
    assert [a.person for a in average.attributes] == pytest.approx([a.share for a in plain.attributes])
    devoted = importance(
        shop.served, "dresses", person=tastes_of(shop.served, takes(shop, "green", shown=True)).deviations
    )
    own = {a.attribute: a.person for a in devoted.attributes}
    assert sum(s or 0.0 for s in own.values()) == pytest.approx(1.0)
    assert own["color"] != pytest.approx(next(a.share for a in plain.attributes if a.attribute == "color"))


def test_a_user_is_read_from_the_store(shop: Differing, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "shop.lb")) as store:
        load(store, shop.graph)
        store.replace_version("v1", *weights_to_tables(shop.served.weights))
        stored = read_person(store, shop.served, "p3")
        nobody = read_person(store, shop.served, "nobody")
    assert stored == tastes_of(shop.served, shop.events("p3"))
    assert nobody == PersonTastes({}, {}, 0)


def test_taking_nothing_tells_nothing_where_training_never_saw_it(shop: Differing) -> None:
    views = shop.graph.edge("INTERACTED").filter(pl.col("kind") == "view")["source"].value_counts()
    events = shop.events(views.sort("count")["source"][0])
    taken = events.filter(pl.col("kind") == "view")["list"]
    closed = {c: replace(w, nuisance={}) for c, w in shop.served.weights.categories.items()}
    served = Shop.of(shop.graph, shop.ontology, replace(shop.served.weights, categories=closed))
    assert 0 < taken.n_unique() < events["list"].n_unique()
    found = tastes_of(served, events)
    assert found == tastes_of(served, events.filter(pl.col("list").is_in(taken.implode())))
    assert found.choices == taken.n_unique()


def test_learned_weights_hold_all_that_a_request_needs(
    shop: Differing, configure: Callable[..., RunConfig]
) -> None:
    run = learn(shop.graph, shop.ontology, configure(people=True), closed_form)
    learned = run.weights
    assert {INSIDE, "position 2"} <= set(learned.categories["dresses"].nuisance)
    assert len(learned.population.mean) == len(learned.population.columns)
    served = Shop.of(shop.graph, shop.ontology, learned, run.transitions)
    for color in ("red", "green"):
        person = tastes_of(served, takes(shop, color, shown=True))
        best = rank(served, "dresses", limit=3, person=person.deviations)
        assert {c.value for r in best for c in r.contributions if c.name == "color"} == {color}


def test_weights_without_a_population_know_no_persons(shop: Differing) -> None:
    plain = replace(shop.served.weights, population=Population())
    served = Shop.of(shop.graph, shop.ontology, plain)
    assert tastes_of(served, shop.events("p3")) == PersonTastes({}, {}, 0)


@pytest.mark.parametrize("departures", [False, True])
def test_the_tastes_of_everyone_at_once_are_those_of_each_alone(
    shop: Differing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, departures: bool
) -> None:
    weights, graph = shop.served.weights, shop.graph
    if departures:
        population = replace(weights.population, within=weights.population.covariance, mean=())
        weights = replace(weights, population=population)
    served = Shop.of(graph, shop.ontology, weights)
    monkeypatch.setattr(person_module, "AT_ONCE", 7)
    users = [f"p{n}" for n in range(12)]
    events = graph.edge("INTERACTED").filter(pl.col("source").is_in(users))
    some = pl.DataFrame({"id": [*users, "nobody"]})
    with open_store(str(tmp_path / "shop.lb")) as store:
        load(
            store,
            replace(graph, nodes={**graph.nodes, "User": some}, edges={**graph.edges, "INTERACTED": events}),
        )
        parts = list(everyones_tastes(store, served))
        single = [read_person(store, served, user).posterior for user in sorted(users)]
    assert [done for done, _ in parts] == [7, 13]
    # Nobody's tastes are the population's, and left out.
    together = np.concatenate([tastes for _, tastes in parts])
    np.testing.assert_allclose(together, [p.mean for p in single if p is not None], atol=1e-6)
