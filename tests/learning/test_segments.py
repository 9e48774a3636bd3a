"""Segments in a shop whose truth is known: their mean tastes, where people start, and what their rules do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from generated_shop import Shop as Files
from generated_shop import graph_of, ontology, write_files

from kgrank.choice.logit.categories import fit_categories
from kgrank.choice.tastes.person import prior_of, segment_tastes
from kgrank.errors import InputError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning import fit
from kgrank.learning.configuration.config import DataConfig, RunConfig
from kgrank.learning.learn import Learned, learn
from kgrank.learning.prior_means import closed_form
from kgrank.learning.training_data import read_training_data
from kgrank.ontology.model import Ontology, Rule, Term
from kgrank.ranking import Shop, importance, rank
from kgrank.ranking.shopper.person import tastes_of
from kgrank.ranking.shopper.session import start
from kgrank.weights.artefact import document, weights_of
from kgrank.weights.model import LearnedWeights, RuleFinding

SEGMENTS: Mapping[str, Mapping[str, float]] = {
    "thrifty": {"price": -2.0},
    "fond": {"red": 1.0, "green": -1.0},
    "plain": {"price": 1.0},
}
CONFIG = RunConfig(data=DataConfig(store="none"), out="none")


def rule(id_: str, segment: str, better: str, **fields: object) -> Rule:
    """A rule of an author of its own that more, or less, of the price is better for a segment."""
    scope = fields.pop("categories", ("clothing", "shoes"))
    known = {"creator": id_, "sure": 0.9, **fields}
    return Rule(id_, "Monotone", scope, segments=(segment,), attribute="price", better=better, **known)  # type: ignore[arg-type]


def with_rules(known: Ontology, *rules: Rule) -> Ontology:
    return replace(known, rules={r.id: r for r in rules})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = write_files(tmp_path_factory.mktemp("segments"), people=600, lists=8, segments=SEGMENTS)
    terms = {s: Term(s, names={"en": s.title()}) for s in (*SEGMENTS, "absent")}
    return graph_of(folder, replace(ontology({}), segments=terms))


@pytest.fixture(scope="module")
def learned(files: Files) -> Learned:
    return learn(*files, CONFIG, closed_form)


@pytest.fixture(scope="module")
def across(files: Files) -> Learned:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "MOST_JOINT", 0)
        return learn(*files, CONFIG, closed_form)


@pytest.fixture(params=["mixed logit", "across categories"])
def weights(request: pytest.FixtureRequest, learned: Learned, across: Learned) -> LearnedWeights:
    """Of each of the two models of tastes."""
    return replace((learned if request.param == "mixed logit" else across).weights, terms=())


def mean(weights: LearnedWeights, segment: str, node: str) -> float:
    population = weights.population
    return population.segments[segment].mean[population.columns.index(node)]


def finding(files: Files, *rules: Rule) -> tuple[Learned, RuleFinding]:
    """What is learned with some rules, and the finding on the first."""
    graph, known = files
    again = learn(graph, with_rules(known, *rules), CONFIG, closed_form)
    return again, next(f for f in again.weights.findings if f.rule == rules[0].id)


def test_segments_depart_in_what_they_differ_in_and_in_nothing_else(weights: LearnedWeights) -> None:
    assert mean(weights, "thrifty", "price=*") < -0.25
    assert mean(weights, "plain", "price=*") > 0.15
    assert mean(weights, "fond", "color=green") < -0.5
    assert abs(mean(weights, "fond", "price=*")) < 0.15
    assert abs(mean(weights, "thrifty", "features=belt")) < 0.25
    assert 0 < weights.population.between_segments < 1
    assert {s.people for s in weights.population.segments.values()} == {150}


def test_a_plain_fit_of_each_segments_own_choices_says_the_same(
    files: Files, weights: LearnedWeights
) -> None:
    shop = read_training_data(*files, 0)
    pooled = fit_categories(shop.sets, {}).fits
    for segment in SEGMENTS:
        number = shop.memberships.segments.index(segment)
        inside = {
            c: s.take(shop.memberships.of_person[s.choices.person] == number) for c, s in shop.sets.items()
        }
        own = fit_categories(inside, {}).fits
        gaps = []
        for category in ("dresses", "shirts", "shoes"):
            price = shop.designs[category].layout.block["price"].start
            gaps.append(own[category].part_worths[price] - pooled[category].part_worths[price])
        assert mean(weights, segment, "price=*") == pytest.approx(float(np.mean(gaps)), abs=0.15)


def test_a_person_without_choices_has_the_mean_tastes_of_their_segment(
    files: Files, weights: LearnedWeights
) -> None:
    graph, known = files
    shop = Shop.of(graph, known, weights)
    nothing = graph.edge("INTERACTED").clear()
    nobody, thrifty = tastes_of(shop, nothing), tastes_of(shop, nothing, segment="thrifty")
    assert (nobody.deviations, nobody.segment) == ({}, None)
    assert thrifty.deviations == segment_tastes(weights.population, "thrifty").deviations
    assert (thrifty.choices, thrifty.segment) == (0, "thrifty")
    cheap = [item.item for item in rank(shop, "dresses", person=thrifty.deviations)]
    average = [item.item for item in rank(shop, "dresses")]
    assert cheap != average
    session = start(shop, thrifty)
    assert session.deviations == pytest.approx(prior_of(weights.population, "thrifty").mean)


def test_own_choices_move_a_person_from_their_segments_mean(files: Files, weights: LearnedWeights) -> None:
    graph, known = files
    shop = Shop.of(graph, known, weights)
    # u3 is in no segment, by the files; here they are taken as one of the thrifty.
    events = graph.edge("INTERACTED").filter(pl.col("source") == "u3")
    alone, inside = tastes_of(shop, events), tastes_of(shop, events, segment="thrifty")
    prior = prior_of(weights.population, "thrifty").mean[weights.population.columns.index("price=*")]
    assert alone.choices == inside.choices > 0
    assert inside.deviations["price=*"] < alone.deviations["price=*"]
    assert inside.deviations["price=*"] != pytest.approx(prior, abs=1e-4)
    assert tastes_of(shop, events, segment="absent").deviations == alone.deviations


def test_segment_means_predict_what_people_new_to_the_shop_choose(
    files: Files, learned: Learned, tmp_path: Path
) -> None:
    new, _ = graph_of(write_files(tmp_path, people=200, seed=1, segments=SEGMENTS), files[1])
    shop = Shop.of(new, files[1], replace(learned.weights, terms=()))
    members = dict(new.edge("IN_SEGMENT").iter_rows())
    gains = []
    for user, events in new.edge("INTERACTED").group_by("source"):
        if (segment := members.get(str(user[0]))) is None:
            continue
        deviations = tastes_of(shop, events.clear(), segment=segment).deviations
        for _, shown in events.group_by("list"):
            taken = shown.filter(pl.col("kind") == "view")["target"].to_list()
            if not taken:
                continue
            category = str(taken[0]).split("-")[0]
            items = shown["target"].unique().to_list()
            logs = []
            for person in (deviations, None):
                scores = {r.item: r.score for r in rank(shop, category, candidates=items, person=person)}
                logs.append(scores[taken[0]] - np.logaddexp.reduce(list(scores.values())))
            gains.append(logs[0] - logs[1])
    assert np.mean(gains) > 2 * np.std(gains) / np.sqrt(len(gains)) > 0


def test_importance_is_that_of_the_segments_mean_tastes(files: Files, weights: LearnedWeights) -> None:
    shop = Shop.of(*files, weights)
    thrifty = {a.attribute: a for a in importance(shop, "dresses", segment="Thrifty").attributes}
    fond = {a.attribute: a for a in importance(shop, "dresses", segment="fond").attributes}
    price, color = thrifty["price"], fond["color"]
    assert (price.segment or 0) > price.share + 0.05
    assert (color.segment or 0) > color.share + 0.05
    for a in (*thrifty.values(), *fond.values()):
        assert 0 <= (a.segment_lower or 0) <= (a.segment or 0) <= (a.segment_upper or 0) <= 1
    assert sum(a.segment or 0 for a in thrifty.values()) == pytest.approx(1)


def test_a_segment_that_nobody_knows_is_refused(files: Files, learned: Learned) -> None:
    shop = Shop.of(*files, replace(learned.weights, terms=()))
    with pytest.raises(InputError, match=r"no segment 'thrift'.*[Dd]id you mean thrifty"):
        importance(shop, "dresses", segment="thrift")
    with pytest.raises(
        InputError, match=r"nothing is known of the tastes of the segment 'absent'.*people\.csv"
    ):
        importance(shop, "dresses", segment="absent")


def test_a_segment_of_fewer_people_than_are_named_has_no_mean(files: Files) -> None:
    graph, known = files
    two = graph.edge("IN_SEGMENT").filter(
        (pl.col("target") != "plain") | pl.col("source").is_in(["u2", "u6"])
    )
    few = learn(KnowledgeGraph(graph.nodes, {**graph.edges, "IN_SEGMENT": two}), known, CONFIG, closed_form)
    assert set(few.weights.population.segments) == {"thrifty", "fond"}


def test_without_memberships_nothing_changes(files: Files, learned: Learned) -> None:
    graph, known = files
    without = {name: table for name, table in graph.edges.items() if name != "IN_SEGMENT"}
    plain = learn(KnowledgeGraph(graph.nodes, without), known, CONFIG, closed_form).weights
    assert plain.categories == learned.weights.categories
    assert plain.population.covariance == learned.weights.population.covariance
    assert plain.population.mean == learned.weights.population.mean
    assert plain.population.segments == {}


def test_weights_with_segments_come_back_from_their_document(weights: LearnedWeights) -> None:
    assert weights_of(document(weights)) == weights


def test_a_right_rule_is_supported_and_a_wrong_one_contradicted(files: Files) -> None:
    right, wrong = rule("right", "thrifty", "Less"), rule("wrong", "thrifty", "More")
    again, of_right = finding(files, right, wrong)
    of_wrong = next(f for f in again.weights.findings if f.rule == "wrong")
    assert (of_right.verdict, of_wrong.verdict) == ("supported", "contradicted")
    assert of_right.instead.startswith("Thrifty: holds in 3 of 3 categories")
    assert of_right.log_bayes_factor > 3 > -3 > of_wrong.log_bayes_factor
    assert 0 < of_right.person_count <= 150


def test_a_wrong_rule_costs_little_and_a_right_one_helps_where_data_are_thin(files: Files) -> None:
    graph, known = files
    thin = graph.edge("IN_SEGMENT").filter(
        (pl.col("target") != "plain") | (pl.col("source").str.slice(1).cast(pl.Int64) < 40)
    )
    few: Files = (KnowledgeGraph(graph.nodes, {**graph.edges, "IN_SEGMENT": thin}), known)
    alone = mean(learn(*few, CONFIG, closed_form).weights, "plain", "price=*")
    more, less = (finding(few, rule("r", "plain", b, categories=("shoes",)))[0] for b in ("More", "Less"))
    moved = mean(more.weights, "plain", "price=*") - alone
    assert moved > 0.01
    # That less is better holds of nearly all draws before, so that saying it is worth nothing.
    assert -2 * moved < mean(less.weights, "plain", "price=*") - alone <= 0.0
    assert mean(more.weights, "thrifty", "price=*") == pytest.approx(
        mean(learn(*few, CONFIG, closed_form).weights, "thrifty", "price=*"), abs=1e-9
    )


def test_a_rule_for_a_segment_leaves_everybody_elses_weights_alone(files: Files, learned: Learned) -> None:
    again, _ = finding(files, rule("r", "plain", "More"))
    assert again.weights.categories == learned.weights.categories


@pytest.mark.parametrize("people", [True, False])
def test_a_rule_for_a_segment_without_people_is_silent_and_says_so(files: Files, *, people: bool) -> None:
    graph, known = files
    silent = rule("silent", "absent", "More")
    config = replace(CONFIG, people=people)
    weights = learn(graph, with_rules(known, silent), config, closed_form).weights
    (found,) = weights.findings
    assert (found.verdict, found.log_bayes_factor, found.person_count) == ("silent", 0.0, 0)
    assert "nothing is known of its people's tastes" in found.instead
    assert any("silent: nothing is known" in note for note in weights.notes)


def test_a_hard_rule_against_the_choices_is_not_kept_and_a_note_says_so(files: Files) -> None:
    hard = Rule("hard", "AtLeast", ("shoes",), 1.0, segments=("fond",), attribute="price", share=0.9)
    again, found = finding(files, hard)
    assert found.prob_posterior < 0.01
    assert any("leave no room for the hard rule hard" in note for note in again.weights.notes)
