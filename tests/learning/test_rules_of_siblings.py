"""A rule about a category without choices moves the prior mean of its sibling, in a shop of many categories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, sparse, stats

from kgrank.arrays import Floats
from kgrank.choice.data.design import Block, Design, Layout
from kgrank.choice.hierarchy.partial_pooling import LikelihoodApproximation
from kgrank.choice.hierarchy.prior_means import PriorEvidence, PriorModel, prior_model
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.passed_on import under_rules
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.prior_means import PriorMeanData, PriorMeans, closed_form, given_rules
from kgrank.learning.reporting.progress import NO_PROGRESS
from kgrank.ontology.model import AttributeType, Category, Ontology, Rule

FAMILIES, UNSEEN = 60, 8
"""Families of two categories; the choices of the first families are unseen."""

INFORMATION = np.array([[40.0, 10.0], [10.0, 20.0]])


def layout(name: str) -> Layout:
    blocks = tuple(
        Block(
            attribute=f"n{k}",
            type=AttributeType.NUMBER,
            start=k,
            nodes=(f"n{k}=*",),
            share=np.zeros(1),
            item_count=np.ones(1, np.int64),
            reference=np.ones(1, bool),
        )
        for k in range(2)
    )
    return Layout(name, blocks)


@pytest.fixture(scope="module")
def shop() -> tuple[PriorEvidence, Ontology, dict[str, Floats]]:
    """Two categories a family, whose slopes of two numbers are nearly the same; the kernel knows the families."""
    rng = np.random.default_rng(3)
    designs, likelihoods, truths, categories = {}, {}, {}, {}
    raw = sparse.csr_matrix(np.column_stack([np.tile([-1.0, 1.0], 5), np.repeat([-1.0, 1.0], 5)]))
    for family in range(FAMILIES):
        common = rng.normal(size=2)
        for name in (f"a{family}", f"b{family}"):
            categories[name] = Category(name)
            designs[name] = Design(layout(name), tuple(f"{name}{i}" for i in range(10)), raw)
            truths[name] = common + 0.2 * rng.normal(size=2)
            if family >= UNSEEN:
                error = np.linalg.cholesky(np.linalg.inv(INFORMATION)) @ rng.normal(size=2)
                likelihoods[name] = LikelihoodApproximation(truths[name] + error, INFORMATION, 100)
    lineages = {name: (name,) for name in designs}
    kernels = np.kron(np.eye(FAMILIES), np.ones((2, 2)))[None]
    ontology = Ontology("1", categories, {})
    return PriorEvidence(lineages, designs, likelihoods, kernels), ontology, truths


@pytest.fixture(scope="module")
def model(shop: tuple[PriorEvidence, Ontology, dict[str, Floats]]) -> PriorModel:
    learned = prior_model(shop[0])
    assert learned is not None
    assert learned.process is not None
    return learned


def learned(evidence: PriorEvidence, ontology: Ontology, *rules: Rule) -> PriorMeans:
    known = replace(ontology, rules={rule.id: rule for rule in rules})
    return closed_form(PriorMeanData(KnowledgeGraph({}, {}), known, evidence, {}), NO_PROGRESS)


def monotone(category: str, sign: float, sure: float = 0.9) -> Rule:
    better = "More" if sign > 0 else "Less"
    return Rule("rule", "Monotone", (category,), sure, attribute="n0", better=better)


def test_a_right_rule_helps_its_sibling_and_a_wrong_one_costs_less_than_no_bound(
    shop: tuple[PriorEvidence, Ontology, dict[str, Floats]], model: PriorModel
) -> None:
    """Loss of log-likelihood a choice in the sibling that no rule names, over the families without choices."""
    _, ontology, truths = shop
    gains: dict[bool, list[float]] = {True: [], False: []}
    for family in range(UNSEEN):
        sibling = f"b{family}"
        truth = LikelihoodApproximation(truths[sibling], INFORMATION, 100)
        for right in (True, False):
            sign = np.sign(truths[f"a{family}"][0]) * (1 if right else -1)
            known = replace(ontology, rules={"rule": monotone(f"a{family}", sign)})
            lost = [truth.lost(m.priors.means[sibling]) for m in (model, given_rules(model, known))]
            gains[right].append(lost[0] - lost[1])
    assert np.mean(gains[True]) > 0
    assert -np.mean(gains[False]) < 5 * np.mean(gains[True])


def test_a_rule_moves_its_category_and_its_sibling_the_same_way_and_no_stranger(
    shop: tuple[PriorEvidence, Ontology, dict[str, Floats]],
) -> None:
    evidence, ontology, _ = shop
    before, after = (learned(evidence, ontology, *rules) for rules in ((), (monotone("a0", 1.0),)))
    moved = {c: after.without_choices[c][0] - before.without_choices[c][0] for c in evidence.designs}
    assert moved["a0"] > moved["b0"] > 0.1
    assert max(abs(moved[c]) for c in moved if c not in ("a0", "b0")) < 0.05 * moved["b0"]
    assert after.with_choices["a0"] == pytest.approx(before.with_choices["a0"], abs=1e-9)


def test_a_rule_about_several_categories_is_not_passed_on(
    shop: tuple[PriorEvidence, Ontology, dict[str, Floats]],
) -> None:
    evidence, ontology, _ = shop
    several = replace(monotone("a0", 1.0), categories=("a0", "a1"))
    before, after = (learned(evidence, ontology, *rules) for rules in ((), (several,)))
    assert after.without_choices["b0"] == pytest.approx(before.without_choices["b0"], abs=1e-12)
    assert after.without_choices["a0"][0] > before.without_choices["a0"][0]


def test_the_gaussian_of_a_rule_moves_its_category_as_the_rule_does() -> None:
    """Reference: the mean under a rule at .9 by quadrature, p/π above 0 and (1 - p)/(1 - π) below."""
    mean, variance = np.array([-0.3, 0.2]), np.diag([0.5, 0.4])
    posterior = CategoryPosterior(
        layout=layout("c"),
        mean=mean,
        covariance=variance,
        prior_mean=mean,
        prior_deviation=np.sqrt(np.diag(variance)),
        choice_count=0,
        person_count=0,
        own_choices=False,
    )
    known = Ontology("1", {"c": Category("c")}, {}, rules={"rule": monotone("c", 1.0)})
    value, covariance = under_rules(known, {"c": posterior}, single=True)["c"].evidence(np.arange(2))
    density = stats.norm(mean[0], variance[0, 0] ** 0.5)
    above = 1 - density.cdf(0.0)

    def weighted(x: float) -> float:
        return float(density.pdf(x) * (0.9 / above if x > 0 else 0.1 / (1 - above)))

    expected = integrate.quad(lambda x: x * weighted(x), -8, 8, points=[0.0])[0]
    posterior_mean = mean + variance @ np.linalg.solve(variance + covariance, value - mean)
    assert posterior_mean == pytest.approx([expected, mean[1]], abs=0.03)
