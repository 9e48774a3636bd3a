"""The network of persons and items: propagation, decoders and weights against references, and its explanations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import optimize, sparse

from kgrank.arrays import Floats, Ints
from kgrank.choice.logit.fit import optimum as logit_optimum
from kgrank.choice.logit.likelihood import NO_COLUMNS, Choices
from kgrank.learning.liking.later_choices import LaterChoices
from kgrank.learning.liking.settings import LikingSettings
from kgrank.learning.network.comparison import compare
from kgrank.learning.network.decoders import train_decoders, unit
from kgrank.learning.network.liking import DECODED, Liking, train_liking, without_graph
from kgrank.learning.network.propagation import Propagation
from kgrank.learning.network.purchase_graph import PurchaseGraph
from kgrank.learning.network.term_weights import directions, fit_weights
from kgrank.weights.graph_filter import ITEM

PERSONS, CATEGORIES, EACH, MAKERS, ALTERNATIVES = 500, 8, 30, 6, 8
ITEMS = CATEGORIES * EACH
SETTINGS = LikingSettings(width=12, decoded=6, ridge=10.0, accelerator="cpu")


@dataclass(frozen=True)
class Shop:
    """A made-up shop whose persons have one taste in makers that holds in all categories."""

    graph: PurchaseGraph
    liking: Floats
    weights: LaterChoices
    scored: LaterChoices


def later_choices(liking: Floats, taken_in: Ints, random: np.random.Generator) -> LaterChoices:
    """Choices of each person in the category left out of the graph, by true likings."""
    item = taken_in[:, None] * EACH + np.argsort(random.random((PERSONS, EACH)), 1)[:, :ALTERNATIVES]
    noisy = liking[np.arange(PERSONS)[:, None], item] + random.gumbel(size=item.shape)
    chosen = (noisy == noisy.max(1, keepdims=True)).astype(float).ravel()
    rows = item.size
    choices = Choices(
        raw=NO_COLUMNS,
        centring=np.zeros((0, 0)),
        start=np.arange(0, rows + 1, ALTERNATIVES),
        chosen=chosen,
        outside=np.zeros(PERSONS, bool),
        left=np.zeros(PERSONS),
        person=np.arange(PERSONS),
        time=np.zeros(PERSONS, np.int64),
        offset=random.normal(scale=0.1, size=rows),
    )
    return LaterChoices(choices, item.ravel(), random.normal(size=(rows, 1)))


@pytest.fixture(scope="module")
def shop() -> Shop:
    random = np.random.default_rng(0)
    category, maker = np.arange(ITEMS) // EACH, random.integers(MAKERS, size=ITEMS)
    taste = random.normal(size=(PERSONS, MAKERS))
    liking = 1.5 * taste[:, maker] + random.normal(size=ITEMS)
    person = np.repeat(np.arange(PERSONS), 25)
    bought_in = random.integers(CATEGORIES - 2, size=len(person))
    # The two categories that are asked about later change from person to person.
    asked = (np.arange(PERSONS) % CATEGORIES, (np.arange(PERSONS) + 1) % CATEGORIES)
    bought_in = (bought_in + 2 + person) % CATEGORIES
    item = bought_in[:, None] * EACH + np.arange(EACH)
    noisy = liking[person[:, None], item] + random.gumbel(size=item.shape)
    bought = item[np.arange(len(item)), noisy.argmax(1)]
    graph = PurchaseGraph.of(person, bought, PERSONS, category, {"maker": maker})
    weights, scored = (later_choices(liking, one, random) for one in asked)
    return Shop(graph, liking, weights, scored)


@pytest.fixture(scope="module")
def propagation(shop: Shop) -> Propagation:
    return Propagation(shop.graph.hetero())


@pytest.fixture(scope="module")
def liking(shop: Shop) -> Liking:
    return train_liking(shop.graph, shop.weights, SETTINGS)


def dense(graph: PurchaseGraph) -> Floats:
    """(persons, items) the normalised graph."""
    matrix = np.zeros((graph.persons, graph.items))
    for person, item, count in zip(graph.person, graph.item, graph.count, strict=True):
        matrix[person, item] = np.log1p(count) / np.sqrt((graph.item == item).sum())
    return matrix / np.sqrt((matrix**2).sum(1, keepdims=True))


def history(graph: PurchaseGraph, person: int) -> tuple[Ints, Floats]:
    """What a person bought, and how often."""
    edges = graph.person == person
    return graph.item[edges], graph.count[edges]


def test_a_round_of_messages_is_the_product_with_the_dense_graph(
    shop: Shop, propagation: Propagation
) -> None:
    import torch

    matrix = dense(shop.graph)
    start = np.random.default_rng(1).normal(size=(ITEMS, 3))
    once = propagation.round(torch.from_numpy(start)).numpy()
    assert once == pytest.approx(matrix.T @ (matrix @ start), abs=1e-12)


def test_the_spectrum_is_that_of_the_dense_graph_and_its_bands_are_rounds_of_messages(
    shop: Shop, propagation: Propagation
) -> None:
    spectrum = propagation.spectrum(4)
    vectors = spectrum.items.numpy()
    values = np.linalg.svd(dense(shop.graph), compute_uv=False)
    assert spectrum.values.numpy() == pytest.approx(values[:4] / values[0], rel=1e-6)
    assert vectors.T @ vectors == pytest.approx(np.eye(4), abs=1e-9)
    twice = propagation.round(propagation.round(spectrum.items)).numpy() / values[0] ** 4
    bands = spectrum.bands(3).numpy()
    assert twice[:, 1:] == pytest.approx((vectors * bands[2])[:, 1:], abs=1e-5)
    assert bands[:, 0].tolist() == [0.0, 0.0, 0.0]


def test_a_group_has_the_mean_of_its_items_by_their_buyers(shop: Shop, propagation: Propagation) -> None:
    read = propagation(propagation.spectrum(4))
    group = shop.graph.groups["maker"]
    items = np.flatnonzero(group == group[7])
    expected = np.average(read[ITEM].numpy()[items], axis=0, weights=shop.graph.buyers[items])
    assert read["maker"].numpy()[group[7]] == pytest.approx(expected, abs=1e-12)


def test_decoders_are_at_the_optimum_of_a_softmax_that_never_reads_its_category(shop: Shop) -> None:
    graph, ridge, width = shop.graph, 3.0, 2
    vectors = np.random.default_rng(2).normal(size=(ITEMS, width))
    mean = np.zeros(width)
    decoders = train_decoders(graph, vectors, mean, width=width, ridge=ridge)
    inside = graph.category[graph.item] == 3
    amount = np.log1p(graph.count) * graph.strength[graph.item]
    person = np.zeros((PERSONS, width))
    np.add.at(person, graph.person[~inside], amount[~inside, None] * vectors[graph.item[~inside]])
    buyers = np.unique(graph.person[inside])
    x = unit(person)[buyers]
    scale = np.sqrt((x**2).mean(0))
    bought = np.zeros((len(buyers), EACH))
    bought[np.searchsorted(buyers, graph.person[inside]), graph.item[inside] - 3 * EACH] = 1.0
    sold = bought.sum(0) > 0
    bought, share = bought[:, sold], np.log(bought.sum(0)[sold] / bought.sum())

    def loss(flat: Floats) -> float:
        values = flat.reshape(-1, width + 1)
        logits = (x / scale) @ values[:, :-1].T + values[:, -1] + share
        total = np.log(np.exp(logits).sum(1)) @ bought.sum(1) - (bought * logits).sum()
        return float(total + 0.5 * ridge * (values**2).sum())

    items = 3 * EACH + np.flatnonzero(sold)
    best = optimize.minimize(loss, np.zeros(len(items) * (width + 1)), method="L-BFGS-B")
    expected = best.x.reshape(-1, width + 1)[:, :-1]
    assert decoders[items] * scale == pytest.approx(expected, abs=2e-2)


def test_the_weights_of_layers_and_relations_are_at_the_optimum_of_the_likelihood(shop: Shop) -> None:
    """By scipy, from the terms of ``item`` alone, computed with dense matrices."""
    settings = replace(SETTINGS, decoded=0, layers=2)
    graph = replace(shop.graph, groups={})
    trained = train_liking(graph, shop.weights, settings)
    later, terms = shop.weights, item_terms(graph, shop.weights, settings.width)
    scale = later.beside.std(0)
    centred = terms - terms.mean(0)
    variance = fit_weights(later.choices, later.beside, [terms], settings.precision).variances[0]
    persons = len(np.unique(later.choices.person))
    assert len(later.choices) == persons, "no design effect"

    def loss(weights: Floats) -> float:
        utility = later.choices.offset + later.beside @ (weights[:1] / scale) + terms @ weights[1:]
        spread = float(np.mean((centred @ weights[1:]) ** 2))
        penalty = 0.5 * settings.precision * weights[0] ** 2 + 0.5 * spread / variance
        return float(penalty - later.choices.log_likelihood(utility).sum())

    best = optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-6})
    learned = np.concatenate([trained.beside * scale, trained.weights[ITEM]])
    assert learned == pytest.approx(best.x, rel=1e-3, abs=1e-3)


def test_the_variance_of_a_relation_has_the_highest_marginal_likelihood(shop: Shop) -> None:
    """By Laplace's method, written out with scipy in directions of variance 1."""
    later, terms = shop.weights, item_terms(replace(shop.graph, groups={}), shop.weights, SETTINGS.width)
    learned = fit_weights(later.choices, later.beside, [terms], SETTINGS.precision).variances[0]
    scaled = np.hstack([later.beside / later.beside.std(0), terms @ directions(terms)])
    whole = replace(later.choices, raw=sparse.csr_matrix(scaled), centring=np.eye(4))

    def log_marginal(variance: float) -> float:
        prior = np.array([SETTINGS.precision, *np.full(3, 1 / variance)])
        best, hessian = logit_optimum(whole, np.zeros(4), prior)
        fit = float(whole.log_likelihood(whole.utility(best)).sum())
        return fit - 0.5 * prior @ best**2 + 0.5 * np.log(prior).sum() - 0.5 * np.linalg.slogdet(hessian)[1]

    assert log_marginal(learned) > max(log_marginal(1.25 * learned), log_marginal(learned / 1.25))


def test_relations_that_say_nothing_get_weights_of_0(shop: Shop) -> None:
    random = np.random.default_rng(5)
    noise = random.normal(size=(len(shop.weights.item), 20))
    learned = fit_weights(shop.weights.choices, shop.weights.beside, [noise], SETTINGS.precision)
    free = fit_weights(shop.weights.choices, np.hstack([shop.weights.beside, noise]), [], SETTINGS.precision)
    assert np.abs(learned.groups[0]).max() < 0.25 * np.abs(free.beside[1:]).max()


def item_terms(graph: PurchaseGraph, later: LaterChoices, width: int) -> Floats:
    """(rows, 3) the terms of two layers and of the stationary vector."""
    matrix = dense(graph)
    _, values, rotation = np.linalg.svd(matrix, full_matrices=False)
    vectors = rotation[:width].T
    own = unit(vectors)
    person = matrix @ vectors
    person = unit(person - person.mean(0))
    who = later.choices.person[later.choices.choice]
    band = (values[:width] / values[0]) ** 2
    product = person[who] * own[later.item]
    return np.column_stack([product[:, 1:].sum(1), product[:, 1:] @ band[1:], product[:, 0]])


def test_contributions_of_bought_items_by_relation_add_up_to_the_score(shop: Shop, liking: Liking) -> None:
    vector = liking.filter.person(*history(shop.graph, 5))
    for target in (0, 41, 200):
        parts = liking.filter.contributions(vector, target)
        score = liking.filter.scores(vector, np.array([target]))[0]
        assert parts.total == pytest.approx(score, abs=1e-9)
        assert parts.relations == (ITEM, "maker", DECODED)
        assert parts.logits.shape == (len(vector.bought), 3)


def test_a_score_is_what_the_weights_were_learned_with(shop: Shop, liking: Liking) -> None:
    mean = liking.log_likelihoods(shop.graph, shop.weights).mean()
    assert mean == pytest.approx(liking.log_likelihood, abs=1e-9)


def test_the_strongest_relation_of_a_bought_item_rests_on_enough_people(shop: Shop, liking: Liking) -> None:
    vector = liking.filter.person(*history(shop.graph, 5))
    parts = liking.filter.contributions(vector, 41)
    row = int(np.argmax(parts.logits.sum(1)))
    only_maker = replace(parts, logits=np.where(np.arange(3) == 1, parts.logits, 0.0))
    assert only_maker.relation(row, 3) == "maker"
    assert parts.relation(row, 3) == parts.relations[int(np.abs(parts.logits[row]).argmax())]
    assert replace(parts, people=np.full_like(parts.people, 2)).relation(row, 3) is None
    few_makers = replace(only_maker, people=np.where(np.arange(3) == 1, 2, parts.people))
    assert few_makers.relation(row, 3) is None


def test_the_people_behind_a_contribution_are_counted_once_each(shop: Shop, liking: Liking) -> None:
    graph, target = shop.graph, 41
    parts = liking.filter.contributions(liking.filter.person(*history(graph, 5)), target)
    of_maker = np.isin(graph.item, np.flatnonzero(graph.groups["maker"] == graph.groups["maker"][target]))
    behind_maker = len(np.unique(graph.person[of_maker]))
    for row, bought in enumerate(parts.bought):
        behind_item = int((graph.item == bought).sum())
        assert parts.people[row, 1] == min(behind_item, behind_maker)


def test_one_more_purchase_moves_the_person_at_once(shop: Shop, liking: Liking) -> None:
    bought, counts = history(shop.graph, 5)
    before = liking.filter.person(bought, counts)
    new = next(i for i in range(ITEMS) if i not in bought and shop.graph.buyers[i] > 0)
    after = liking.filter.person([*bought, new], [*counts, 1.0])
    assert np.abs(after.vector - before.vector).max() > 1e-3
    assert after.bought[-1] == new


def test_the_graph_foretells_choices_in_new_categories_and_shuffled_persons_do_not(
    shop: Shop, liking: Liking
) -> None:
    without = replace(shop.graph, groups={})
    nothing = without_graph(shop.graph, shop.weights, SETTINGS).log_likelihoods(shop.graph, shop.scored)
    gain = liking.log_likelihoods(shop.graph, shop.scored) - nothing
    plain = train_liking(without, shop.weights, replace(SETTINGS, decoded=0))
    layers = plain.log_likelihoods(without, shop.scored) - nothing
    assert layers.mean() > 0.03
    assert gain.mean() > layers.mean()
    order = np.random.default_rng(3).permutation(PERSONS)
    dealt_out = replace(shop.graph, **renumbered(shop.graph, order))
    shuffled = train_liking(dealt_out, shop.weights, SETTINGS)
    lost = shuffled.log_likelihoods(dealt_out, shop.scored) - nothing
    assert abs(lost.mean()) < 3 * lost.std() / np.sqrt(PERSONS) + 0.01


def test_an_item_that_nobody_bought_is_read_through_its_maker(shop: Shop) -> None:
    cold = int(shop.graph.item[0])
    edges = shop.graph.item != cold
    graph = replace(
        shop.graph,
        person=shop.graph.person[edges],
        item=shop.graph.item[edges],
        count=shop.graph.count[edges],
    )
    learned = train_liking(graph, shop.weights, SETTINGS).filter
    parts = learned.contributions(learned.person(*history(graph, 9)), cold)
    through = dict(zip(parts.relations, np.abs(parts.logits).sum(0), strict=True))
    assert through["maker"] > 0
    assert through[ITEM] == through[DECODED] == 0


def test_a_person_without_purchases_has_no_liking(shop: Shop, liking: Liking) -> None:
    edges = shop.graph.person != 5
    graph = replace(
        shop.graph,
        person=shop.graph.person[edges],
        item=shop.graph.item[edges],
        count=shop.graph.count[edges],
    )
    trained = train_liking(graph, shop.weights, SETTINGS)
    mean = trained.log_likelihoods(graph, shop.weights).mean()
    assert mean == pytest.approx(trained.log_likelihood, abs=1e-9)
    person = liking.filter.person(np.array([], np.int64))
    assert liking.filter.scores(person, np.arange(ITEMS)).tolist() == [0.0] * ITEMS
    assert liking.filter.contributions(person, 3).total == 0.0


def test_each_stage_says_what_it_took(liking: Liking) -> None:
    assert [record.stage for record in liking.stages] == ["propagation", "decoders", "weights"]
    assert all(record.seconds >= 0 and "cpu" in record.about for record in liking.stages)


def test_the_network_serves_where_it_beats_the_same_model_without_it(shop: Shop) -> None:
    comparison = compare(shop.graph, shop.weights, shop.scored, SETTINGS)
    assert comparison.serves
    assert comparison.gain > 2 * comparison.error
    assert comparison.sentence.startswith(
        f"the network serves: +{comparison.gain:.4f} ± {comparison.error:.4f}"
    )


def test_the_network_stays_out_where_it_brings_nothing(shop: Shop) -> None:
    order = np.random.default_rng(4).permutation(PERSONS)
    comparison = compare(
        replace(shop.graph, **renumbered(shop.graph, order)), shop.weights, shop.scored, SETTINGS
    )
    assert not comparison.serves
    assert "stays out" in comparison.sentence


def renumbered(graph: PurchaseGraph, order: Ints) -> dict[str, Ints | Floats]:
    """The edges with the persons' numbers dealt out."""
    sorted_ = np.argsort(order[graph.person], kind="stable")
    return {
        "person": order[graph.person][sorted_],
        "item": graph.item[sorted_],
        "count": graph.count[sorted_],
    }


@pytest.mark.parametrize(
    ("persons", "categories", "why"),
    [(10, 8, "10 people"), (1, 8, "1 person"), (PERSONS, 1, "1 category")],
)
def test_the_network_stays_out_of_a_shop_that_is_too_small_and_says_why(
    shop: Shop, persons: int, categories: int, why: str
) -> None:
    edges = shop.graph.person < persons
    small = replace(
        shop.graph,
        person=shop.graph.person[edges],
        item=shop.graph.item[edges],
        count=shop.graph.count[edges],
        category=np.minimum(shop.graph.category, categories - 1),
    )
    comparison = compare(small, shop.weights, shop.scored, SETTINGS)
    assert comparison.liking is None
    assert why in comparison.sentence


def test_a_relation_without_edges_is_left_out_and_named(shop: Shop) -> None:
    graph = replace(shop.graph, groups={**shop.graph.groups, "type": np.full(ITEMS, -1)})
    trained = train_liking(graph, shop.weights, replace(SETTINGS, decoded=0))
    assert set(trained.weights) == {ITEM, "maker"}
    assert "no edges of type" in trained.stages[0].about
