"""Prior means from the graph: exact conditioning, no choice counted twice, and what tree and items bring."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from generated_shop import Generated
from scipy import sparse

from kgrank.arrays import Floats
from kgrank.choice.data.design import Block, Design, Layout
from kgrank.choice.hierarchy.partial_pooling import (
    LikelihoodApproximation,
    PooledEffects,
    likelihood_approximation,
    pool,
)
from kgrank.choice.hierarchy.prior_means import (
    PriorEvidence,
    effect_model,
    hierarchy_mean,
    prior_evidence,
    prior_means,
    with_item_signals,
)
from kgrank.choice.logit.categories import unpooled_fits
from kgrank.learning.training_data import TrainingData, read_training_data
from kgrank.ontology.model import AttributeType, Ontology

COLORS = ("red", "blue", "green", "black", "white")


def design(
    category: str, prices: Floats, colors: Floats, names: tuple[str, ...] = COLORS, level: float = 1.0
) -> Design:
    """Items with a price in standard deviations and one of some colours."""
    share = np.bincount(colors, minlength=len(names)) / len(colors)
    items = np.round(share * len(colors)).astype(np.int64)
    blocks = (
        Block(
            attribute="price",
            type=AttributeType.NUMBER,
            start=0,
            nodes=("price=*",),
            share=np.zeros(1),
            item_count=np.array([len(colors)]),
            reference=np.ones(1, bool),
            centre=level,
        ),
        Block(
            attribute="color",
            type=AttributeType.CHOICE,
            start=1,
            nodes=tuple(f"color={n}" for n in names),
            share=share,
            item_count=items,
            reference=items > 0,
        ),
    )
    raw = np.zeros((len(colors), 1 + len(names) + 2))
    raw[:, 0] = prices
    raw[np.arange(len(colors)), 1 + colors] = 1.0
    raw[:, -1] = 1.0
    ids = tuple(f"{category}{i}" for i in range(len(colors)))
    return Design(Layout(category, blocks), ids, sparse.csr_matrix(raw))


def told(truth: Floats, generator: np.random.Generator, choices: int = 400) -> LikelihoodApproximation:
    """Evidence of some choices on part-worths, each value known as well as the others."""
    spread = generator.normal(size=(len(truth), len(truth))) * 0.2
    information = choices * (0.1 * np.eye(len(truth)) + spread @ spread.T / len(truth))
    noise = np.linalg.cholesky(np.linalg.inv(information)) @ generator.normal(size=len(truth))
    return LikelihoodApproximation(truth + noise, information, choices)


@pytest.fixture(scope="module")
def shop(generated: Generated) -> tuple[TrainingData, Ontology]:
    graph, ontology, _ = generated
    return read_training_data(graph, ontology, 0), ontology


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def shop_of(
    truths: dict[str, Floats], lines: dict[str, tuple[str, ...]], rng: np.random.Generator
) -> PriorEvidence:
    """Categories with the same colours and prices that have nothing to do with them."""
    colors = np.repeat(np.arange(len(COLORS)), 40)
    designs = {c: design(c, np.tile([-1.0, 1.0], 100), colors) for c in lines}
    return PriorEvidence(lines, designs, {c: told(t, rng) for c, t in truths.items()})


def four(rng: np.random.Generator) -> PriorEvidence:
    truths = {c: rng.normal(size=6) for c in "abcd"}
    return shop_of(truths, {c: (c, "top") for c in "abcd"}, rng)


def test_prior_means_are_those_of_the_joint_gaussian_of_the_other_categories(
    rng: np.random.Generator,
) -> None:
    """Reference: the covariance of all part-worths written out, conditioned on the other categories' optima."""
    what = four(rng)
    pooled = pool(effect_model(what, what.likelihoods, tree=False), what.likelihoods)
    top, deviation_variance = pooled.variances[[1, 0, 0, 0, 0, 0]], pooled.variances[[5, 4, 4, 4, 4, 4]]
    others = ["b", "c", "d"]
    seen = np.kron(np.ones((3, 3)), np.diag(top)) + np.kron(np.eye(3), np.diag(deviation_variance))
    for i, c in enumerate(others):
        seen[6 * i : 6 * i + 6, 6 * i : 6 * i + 6] += np.linalg.inv(what.likelihoods[c].information)
    across = np.tile(np.diag(top), 3)
    expected = across @ np.linalg.solve(seen, np.concatenate([what.likelihoods[c].mean for c in others]))
    assert pooled.prior_mean("a") == pytest.approx(expected, abs=1e-9)


def test_leaving_out_in_closed_form_is_a_posterior_without_the_category(rng: np.random.Generator) -> None:
    what = four(rng)
    pooled = with_item_signals(what, pool(effect_model(what, what.likelihoods, tree=True), what.likelihoods))
    fewer = pool(pooled.model, {c: e for c, e in what.likelihoods.items() if c != "a"}, pooled.variances)
    assert pooled.prior_mean("a") == pytest.approx(fewer.prior_mean("a"), abs=1e-9)


def test_a_category_s_own_choices_do_not_move_its_prior_mean(rng: np.random.Generator) -> None:
    what = four(rng)
    moved = replace(what, likelihoods={**what.likelihoods, "a": told(np.full(6, 3.0), rng)})
    hidden = prior_means(what, {"a"})["a"]
    assert prior_means(moved, {"a"})["a"] == pytest.approx(hidden, abs=1e-12)
    same = pool(effect_model(what, what.likelihoods, tree=False), what.likelihoods).variances
    first, second = (
        pool(effect_model(w, w.likelihoods, tree=False), w.likelihoods, same) for w in (what, moved)
    )
    assert first.prior_mean("a") == pytest.approx(second.prior_mean("a"), abs=1e-9)


def test_a_category_above_all_choices_has_none_and_one_above_some_rests_on_the_rest(
    rng: np.random.Generator,
) -> None:
    lines = {"a": ("a", "x", "top"), "b": ("b", "x", "top"), "c": ("c", "y", "top"), "d": ("d", "y", "top")}
    lines |= {"x": ("x", "top"), "y": ("y", "top"), "top": ("top",)}
    what = shop_of({c: rng.normal(size=6) for c in "abcd"}, lines, rng)
    means = prior_means(what)
    assert set(means) == {"a", "b", "c", "d", "x", "y"}
    base = hierarchy_mean(what)
    fewer = pool(base.model, {c: what.likelihoods[c] for c in "cd"}, base.variances)
    assert means["x"] == pytest.approx(fewer.prior_mean("x"), abs=0.05)


def distance(pooled: PooledEffects, truths: dict[str, Floats]) -> float:
    return float(np.mean([np.square(pooled.prior_mean(c) - t).mean() for c, t in truths.items()]))


def test_the_tree_takes_part_where_siblings_are_alike(rng: np.random.Generator) -> None:
    lines = {f"{p}{i}": (f"{p}{i}", p, "top") for p in "xyz" for i in range(4)}
    family = {p: rng.normal(size=6) for p in "xyz"}
    truths = {c: family[line[1]] + 0.1 * rng.normal(size=6) for c, line in lines.items()}
    what = shop_of(truths, lines, rng)
    chosen = hierarchy_mean(what)
    flat = pool(effect_model(what, what.likelihoods, tree=False), what.likelihoods)
    assert distance(chosen, truths) < 0.5 * distance(flat, truths)


def test_the_tree_stays_out_where_siblings_are_no_more_alike_than_others(rng: np.random.Generator) -> None:
    lines = {f"{p}{i}": (f"{p}{i}", p, "top") for p in "xyz" for i in range(4)}
    shared = rng.normal(size=6)
    what = shop_of({c: shared + rng.normal(size=6) for c in lines}, lines, rng)
    flat = pool(effect_model(what, what.likelihoods, tree=False), what.likelihoods)
    assert hierarchy_mean(what).errors == pytest.approx(flat.errors)


def brands(rng: np.random.Generator, worth: float) -> tuple[PriorEvidence, dict[str, Floats]]:
    """Four categories with brands of their own, whose items cost differently; -1 is price's pull."""
    designs, truths = {}, {}
    for c in "abcd":
        names = tuple(f"{c}{i}" for i in range(5))
        dear = rng.normal(size=5)
        brand = np.repeat(np.arange(5), 60)
        designs[c] = design(c, dear[brand] + 0.5 * rng.normal(size=300), brand, names)
        truths[c] = np.concatenate([[-1.0], worth * (dear - dear.mean()) + 0.1 * rng.normal(size=5)])
    lines = {c: (c, "top") for c in designs}
    return PriorEvidence(lines, designs, {c: told(t, rng) for c, t in truths.items()}), truths


def test_dear_brands_are_liked_more_where_that_holds_elsewhere(rng: np.random.Generator) -> None:
    what, truths = brands(rng, worth=1.0)
    mean = prior_means(what, {"a"})["a"][1:]
    assert np.corrcoef(mean, truths["a"][1:])[0, 1] > 0.95
    assert np.ptp(mean) > 0.5 * np.ptp(truths["a"][1:])


def test_what_brands_cost_says_nothing_where_it_says_nothing_elsewhere(rng: np.random.Generator) -> None:
    what, _ = brands(rng, worth=0.0)
    assert np.abs(prior_means(what, {"a"})["a"][1:]).max() < 0.1


def test_a_number_pulls_less_in_a_dear_category_where_that_holds_elsewhere(rng: np.random.Generator) -> None:
    levels = np.exp(np.linspace(-1, 1, 9))
    colors = np.repeat(np.arange(len(COLORS)), 40)
    names = [f"c{i}" for i in range(9)]
    designs = {
        c: design(c, np.tile([-1.0, 1.0], 100), colors, level=x) for c, x in zip(names, levels, strict=True)
    }
    pull = -1.0 * (1 - 0.5 * np.log(levels))
    truths = {c: np.concatenate([[p], np.zeros(5)]) for c, p in zip(names, pull, strict=True)}
    what = PriorEvidence(
        {c: (c, "top") for c in names}, designs, {c: told(t, rng) for c, t in truths.items()}
    )
    for c, p in (("c0", pull[0]), ("c8", pull[8])):
        alone = hierarchy_mean(what, {c}).prior_mean(c)[0]
        assert abs(prior_means(what, {c})[c][0] - p) < 0.6 * abs(alone - p)


def test_evidence_leaves_nuisance_parameters_integrated_out(rng: np.random.Generator) -> None:
    """Reference: the covariance of a Gaussian's part is the part of its covariance."""
    root = rng.normal(size=(7, 7))
    likelihood, prior = root @ root.T + np.eye(7), np.full(7, 0.02)
    approximation = likelihood_approximation(5, np.arange(7.0), likelihood + np.diag(prior), prior, 10)
    assert np.linalg.inv(approximation.information) == pytest.approx(np.linalg.inv(likelihood)[:5, :5])


def test_one_category_with_choices_speaks_for_the_others(shop: tuple[TrainingData, Ontology]) -> None:
    read, ontology = shop
    first = next(iter(read.own_choices))
    home = {first: read.own_choices[first]}
    means = prior_means(prior_evidence(ontology, read.designs, home, unpooled_fits(home)))
    others = [c for c in read.designs if first not in ontology.subtree(c)]
    assert set(others) <= means.keys()
    assert first not in means
    assert all(np.isfinite(m).all() for m in means.values())
