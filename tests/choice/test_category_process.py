"""Gaussian processes over categories: exact conditioning, leaving out in closed form, and when they take part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse, stats

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.design import Block, Design, Layout
from kgrank.choice.hierarchy.category_kernels import (
    category_features,
    category_kernels,
    co_purchase_vectors,
    cosines,
    name_vectors,
)
from kgrank.choice.hierarchy.gaussian_process import (
    CONSTANT,
    Estimates,
    condition,
    fit_process,
    learned_variances,
)
from kgrank.choice.hierarchy.partial_pooling import LikelihoodApproximation
from kgrank.choice.hierarchy.prior_means import (
    PriorEvidence,
    better_process,
    category_priors,
    hierarchy_mean,
    leave_one_out_means,
    with_item_signals,
)
from kgrank.choice.hierarchy.process_means import marginal_estimate, shared_nodes
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.fit import design_effect
from kgrank.choice.logit.likelihood import Choices
from kgrank.ontology.model import AttributeType


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def kernel(vectors: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * ((vectors[:, None] - vectors[None]) ** 2).sum(-1)))


def small(rng: np.random.Generator) -> tuple[Floats, Estimates, Floats]:
    """Seven categories, two columns; the last category has no estimate, the first only one."""
    kernels = np.stack([kernel(rng.normal(size=(7, 2))) for _ in range(2)])
    category = np.array([0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    column = np.array([0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
    root = rng.normal(size=(11, 11)) * (category[:, None] == category)
    estimates = Estimates(category, column, rng.normal(size=11), root @ root.T + 0.1 * np.eye(11))
    return kernels, estimates, np.array([[0.5, 0.2, 0.1], [0.05, 0.7, 0.3]])


def test_the_mean_is_that_of_the_joint_gaussian_written_out(rng: np.random.Generator) -> None:
    """Reference: the covariance of all part-worths and estimates, entry by entry, and its conditional mean."""
    kernels, estimates, variances = small(rng)
    process = condition(kernels, estimates, variances)

    def prior(one: tuple[int, int], other: tuple[int, int]) -> float:
        if one[1] != other[1]:
            return 0.0
        of_column = variances[one[1]]
        shared = CONSTANT + sum(of_column[k] * kernels[k, one[0], other[0]] for k in range(2))
        return float(shared + of_column[-1] * (one[0] == other[0]))

    pairs = list(zip(estimates.category.tolist(), estimates.column.tolist(), strict=True))
    seen = np.array([[prior(a, b) for b in pairs] for a in pairs]) + estimates.covariance
    across = np.array([[prior((6, column), b) for b in pairs] for column in range(2)])
    expected = across @ np.linalg.solve(seen, estimates.value)
    assert process.mean(6, np.zeros(11, bool)) == pytest.approx(expected, abs=1e-9)


def test_the_variance_is_that_of_the_joint_gaussian_written_out(rng: np.random.Generator) -> None:
    """Reference: the conditional variance, for a category without estimates and for one left out of them."""
    kernels, estimates, variances = small(rng)
    process = condition(kernels, estimates, variances)
    for category, hidden in ((6, np.zeros(11, bool)), (1, np.isin(estimates.category, [1, 4]))):
        rows, columns = estimates.category[~hidden], estimates.column[~hidden]
        same = columns[:, None] == columns
        shared = CONSTANT + np.einsum("pk,kpq->pq", variances[columns, :-1], kernels[:, rows[:, None], rows])
        own = (rows[:, None] == rows) * variances[columns, -1]
        seen = same * (shared + own) + estimates.covariance[np.ix_(~hidden, ~hidden)]
        for column in range(2):
            prior = CONSTANT + variances[column] @ [*kernels[:, category, category], 1.0]
            across = CONSTANT + variances[column, :-1] @ kernels[:, category, rows]
            across = np.where(columns == column, across, 0.0)
            expected = prior - across @ np.linalg.solve(seen, across)
            assert process.variance(category, hidden)[column] == pytest.approx(expected, abs=1e-9)


def test_leaving_out_in_closed_form_is_a_process_without_those_categories(rng: np.random.Generator) -> None:
    kernels, estimates, variances = small(rng)
    process = condition(kernels, estimates, variances)
    hidden = np.isin(estimates.category, [1, 4])
    fewer = Estimates(
        estimates.category[~hidden],
        estimates.column[~hidden],
        estimates.value[~hidden],
        estimates.covariance[np.ix_(~hidden, ~hidden)],
    )
    without = condition(kernels, fewer, variances)
    assert process.mean(1, hidden) == pytest.approx(without.mean(1, np.zeros(7, bool)), abs=1e-9)


def test_estimates_that_are_given_later_count_as_if_they_had_been_there(rng: np.random.Generator) -> None:
    """Also a second estimate of a category's column, whose own deviation is the same one."""
    kernels, estimates, variances = small(rng)
    more = Estimates(np.array([5, 6, 6]), np.array([1, 0, 1]), rng.normal(size=3), np.diag([0.3, 0.2, 0.5]))
    together = condition(kernels, estimates.joined(more), variances)
    later = condition(kernels, estimates, variances).given(more)
    for category in range(7):
        hidden = later.estimates.category == category
        assert later.mean(category, hidden) == pytest.approx(together.mean(category, hidden), abs=1e-8)
        assert later.variance(category, hidden) == pytest.approx(
            together.variance(category, hidden), abs=1e-8
        )


def test_learned_variances_have_the_highest_marginal_likelihood_under_their_prior(
    rng: np.random.Generator,
) -> None:
    """Reference: scipy's multivariate normal; every step away from the optimum lowers it."""
    kernels = kernel(rng.normal(size=(60, 1)))[None]
    error = rng.uniform(0.01, 0.1, 60)
    truth = CONSTANT + 0.6 * kernels[0] + np.diag(0.1 + error)
    value = rng.multivariate_normal(np.zeros(60), truth)
    best = learned_variances(kernels, value, error)

    def log_posterior(variances: Floats) -> float:
        covariance = CONSTANT + variances[0] * kernels[0] + np.diag(variances[1] + error)
        pull = 0.5 * 0.01 * (np.log(variances / 0.05) ** 2).sum()
        return float(stats.multivariate_normal(np.zeros(60), covariance).logpdf(value) - pull)

    for factor in ([1.2, 1.0], [1.0, 1.2], [1 / 1.2, 1.0], [1.0, 1 / 1.2]):
        assert log_posterior(best) > log_posterior(best * np.array(factor))


def test_other_columns_are_integrated_out_under_their_prior(rng: np.random.Generator) -> None:
    """Reference: the mean and covariance of the part of the whole posterior, the shared columns' prior a ridge."""
    root = rng.normal(size=(4, 4))
    likelihood = LikelihoodApproximation(rng.normal(size=4), root @ root.T + np.eye(4), 50)
    mean, variance = rng.normal(size=4), np.array([1.0, 1.0, 0.4, 0.7])
    here, others = np.array([0, 1]), np.array([2, 3])
    estimate, covariance = marginal_estimate(likelihood, layout(4), here, mean, variance)
    whole = likelihood.information.copy()
    weighted = whole @ likelihood.mean
    whole[others, others] += 1 / variance[others]
    weighted[others] += mean[others] / variance[others]
    whole[here, here] += 1.0
    assert covariance == pytest.approx(np.linalg.inv(whole)[:2, :2])
    assert estimate == pytest.approx(np.linalg.solve(whole, weighted)[:2])


def layout(columns: int, name: str = "c") -> Layout:
    return Layout(name, tuple(number(f"n{k}", k) for k in range(columns)))


def number(attribute: str, start: int, centre: float = 0.0) -> Block:
    return Block(
        attribute=attribute,
        type=AttributeType.NUMBER,
        start=start,
        nodes=(f"{attribute}=*",),
        share=np.zeros(1),
        item_count=np.ones(1, np.int64),
        reference=np.ones(1, bool),
        centre=centre,
    )


def shop(rng: np.random.Generator, count: int, decides: bool) -> tuple[PriorEvidence, dict[str, Floats]]:
    """Categories whose slopes of two numbers follow the numbers' levels, or nothing that is known of them."""
    names = [f"c{i}" for i in range(count)]
    levels = rng.normal(size=(count, 2))
    slopes = np.tanh(levels) if decides else rng.normal(size=(count, 2))
    designs, likelihoods, truths = {}, {}, {}
    for name, level, slope in zip(names, levels, slopes, strict=True):
        blocks = tuple(number(f"n{k}", k, centre=level[k]) for k in range(2))
        raw = sparse.csr_matrix(np.column_stack([np.tile([-1.0, 1.0], 5), np.repeat([-1.0, 1.0], 5)]))
        designs[name] = Design(Layout(name, blocks), tuple(f"{name}{i}" for i in range(10)), raw)
        truths[name] = slope + np.array([1.0, -1.0])
        information = np.array([[40.0, 10.0], [10.0, 20.0]])
        error = np.linalg.cholesky(np.linalg.inv(information)) @ rng.normal(size=2)
        likelihoods[name] = LikelihoodApproximation(truths[name] + error, information, 100)
    lineages = {name: (name,) for name in names}
    kernels = category_kernels(lineages, designs, dict.fromkeys(names, ""), {})
    return PriorEvidence(lineages, designs, likelihoods, kernels), truths


def test_in_a_shop_of_many_categories_features_that_decide_halve_the_error(
    rng: np.random.Generator,
) -> None:
    evidence, truths = shop(rng, 120, decides=True)
    hidden = [f"c{i}" for i in range(10)]
    priors = category_priors(evidence, hidden)
    means = priors.means
    without = category_priors(replace(evidence, kernels=None), hidden).means
    errors = [float(np.mean([np.square(m[c] - truths[c]).mean() for c in hidden])) for m in (means, without)]
    assert errors[0] < 0.5 * errors[1]
    distances = [np.square(means[c] - truths[c]) / priors.variances[c] for c in truths]
    assert 0.8 < float(np.mean(distances)) < 1.25


def test_in_a_shop_of_many_categories_whose_features_say_nothing_the_hierarchy_is_chosen(
    rng: np.random.Generator,
) -> None:
    evidence, _ = shop(rng, 120, decides=False)
    pooled = with_item_signals(evidence, hierarchy_mean(evidence))
    assert better_process(evidence, pooled) is None
    means = leave_one_out_means(evidence, pooled)
    priors = category_priors(evidence)
    assert priors.means["c3"] == pytest.approx(means["c3"], abs=1e-12)
    assert priors.variances == {}


def test_a_category_s_own_choices_do_not_move_its_mean_by_the_process(rng: np.random.Generator) -> None:
    evidence, _ = shop(rng, 110, decides=True)
    pooled = hierarchy_mean(evidence)
    process = better_process(evidence, pooled)
    assert process is not None
    estimates = process.process.estimates
    other = replace(
        estimates, value=np.where(estimates.category == 4, estimates.value + 3.0, estimates.value)
    )
    moved = replace(process, process=condition(process.process.kernels, other, process.process.variances))
    rest = np.zeros(2)
    assert moved.mean("c4", rest, {"c4"}) == pytest.approx(process.mean("c4", rest, {"c4"}), abs=1e-9)
    assert np.abs(moved.mean("c5", rest, {"c5"}) - process.mean("c5", rest, {"c5"})).max() > 1e-6


def test_a_shop_of_one_category_has_no_prior_means(rng: np.random.Generator) -> None:
    evidence, _ = shop(rng, 1, decides=True)
    assert category_priors(evidence).means == {}


def test_with_few_categories_nothing_has_a_process(rng: np.random.Generator) -> None:
    evidence, _ = shop(rng, 60, decides=True)
    assert better_process(evidence, hierarchy_mean(evidence)) is None
    assert shared_nodes([d.layout for d in evidence.designs.values()]) == ()


def test_processes_are_learned_where_a_column_is_missing_in_some_categories(rng: np.random.Generator) -> None:
    kernels, estimates, _ = small(rng)
    process = fit_process(kernels, estimates)
    assert np.isfinite(process.mean(6, np.zeros(11, bool))).all()
    assert (process.variances > 0).all()


def test_names_are_compared_by_words_and_by_pieces_of_words() -> None:
    alike = cosines(name_vectors(["FROZEN PIZZA", "FRZN PIZZAS", "DOG FOOD", "CAT FOOD", "x"]))
    assert alike[0, 1] > 0.3
    assert alike[2, 3] > 0.1
    assert alike[0, 2] < 0.05
    assert alike[4, 4] == 0.0


def test_categories_bought_together_are_alike() -> None:
    """Two pairs of categories, each pair in the same baskets; one that nobody bought."""
    first = [bought(range(0, 100)), bought(range(0, 90))]
    second = [bought(range(100, 200)), bought(range(100, 190))]
    alike = cosines(co_purchase_vectors([*first, *second, None]))
    assert alike[0, 1] > 0.9
    assert alike[2, 3] > 0.9
    assert abs(alike[0, 2]) < 0.1
    assert np.abs(alike[4]).max() == 0.0


def bought(baskets: range) -> CategoryChoices:
    """Choices of one item each, by a person of each number."""
    count = len(baskets)
    design = Design(layout(1), ("item",), sparse.csr_matrix((1, 2)))
    person = np.array(baskets)
    choices = choices_of(np.zeros((2 * count, 1)), person)
    empty = np.zeros(count, np.int64)
    return CategoryChoices(design, choices, (), np.zeros(2 * count, np.int64), empty, empty, empty == 0)


def choices_of(columns: Floats, person: Ints) -> Choices:
    """Choices between two rows, of which the first is taken."""
    count = len(person)
    return Choices(
        raw=sparse.csr_matrix(columns),
        centring=np.eye(columns.shape[1]),
        start=2 * np.arange(count + 1),
        chosen=np.tile([1.0, 0.0], count),
        outside=np.zeros(count, bool),
        left=np.zeros(count),
        person=person,
        time=np.zeros(count, np.int64),
        offset=np.zeros(2 * count),
    )


def test_features_of_items_do_not_depend_on_the_units_of_their_columns(rng: np.random.Generator) -> None:
    """The same prices in columns of another centre and scale give the same features."""
    prices = [rng.normal(3.0, 1.0 + i, 30) for i in range(4)]
    plain = [priced(p, 0.0, 1.0) for p in prices]
    scaled = [priced(p, float(p.mean()), float(p.std())) for p in prices]
    assert category_features(plain, [None] * 4) == pytest.approx(category_features(scaled, [None] * 4))


def test_a_category_that_nobody_bought_is_average_in_what_is_bought() -> None:
    often, seldom = bought(range(100)), bought(range(10))
    designs = [own.design for own in (often, seldom, often)]
    features = category_features(designs, [often, seldom, None])
    assert features.shape == (3, 2)
    assert features[2] == pytest.approx(0.0)


def priced(prices: Floats, centre: float, scale: float) -> Design:
    block = replace(number("price", 0, centre), scale=scale)
    raw = sparse.csr_matrix(((prices - centre) / scale)[:, None])
    return Design(Layout("c", (block,)), tuple(map(str, range(len(prices)))), raw)


def test_people_who_choose_the_same_again_divide_the_evidence(rng: np.random.Generator) -> None:
    """Each choice made by one person four times says as much as it said once."""
    once = rng.normal(size=(200, 2))
    columns = np.repeat(once.reshape(100, 2, 2), 4, axis=0).reshape(800, 2)
    clumped = design_effect(choices_of(columns, np.repeat(np.arange(100), 4)), np.zeros(2))
    assert clumped == pytest.approx(4.0)
    assert design_effect(choices_of(once, np.arange(100)), np.zeros(2)) == 1.0
