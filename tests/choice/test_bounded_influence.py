"""One cell, one order or one person cannot decide the weights in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from generated_shop import graph_of

from kgrank.choice.importance import importance
from kgrank.choice.logit.categories import category_posterior, fit_categories
from kgrank.choice.logit.diagnostics import concerns
from kgrank.choice.rules.weigh import weigh
from kgrank.learning.training_data import TrainingData, read_training_data
from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology
from kgrank.weights.model import Cause

ONTOLOGY = Ontology(
    "1",
    {"mugs": Category("mugs", uses=dict.fromkeys(("color", "price"), Need.ALLOWED))},
    {"color": Attribute("color", open=True), "price": Attribute("price", type=AttributeType.NUMBER)},
)
COLORS = ("red", "blue", "green")


def shop(
    folder: Path, *, price: float | None = None, units: int = 1, busy: int = 0, lists: int = 200
) -> TrainingData:
    """Lists of four mugs with one purchase, by colour and price; with a slip in a price or a quantity.

    Args:
        folder: Where the files go.
        price: The price of the first mug, else as the others'.
        units: The quantity of the first purchase.
        busy: How many of the lists are one person's; every other list has a person of its own.
        lists: How many lists.
    """
    random = np.random.default_rng(3)
    prices = random.integers(5, 20, 30).astype(float)
    like = 1.0 * (np.arange(30) % 3 == 0) - 0.15 * prices
    if price is not None:
        prices[0] = price
    rows = [f"i{k},mugs,{COLORS[k % 3]},{prices[k]:.17g}" for k in range(30)]
    (folder / "items.csv").write_text("id,category,color,price\n" + "\n".join(rows) + "\n")
    log = []
    for n in range(lists):
        shown = random.choice(30, 4, replace=False)
        bought = max(shown, key=lambda k: like[k] + random.gumbel())
        who = f"{1_750_000_000 + 60 * n},u{0 if n < busy else n},l{n}"
        log += [f"{who},impression,i{k}," for k in shown]
        log.append(f"{who},purchase,i{bought},{units if n == 0 else 1}")
    (folder / "events.csv").write_text("time,user,list,kind,item,value\n" + "\n".join(log) + "\n")
    return read_training_data(*graph_of(folder, ONTOLOGY), 0)


def weights(data: TrainingData) -> np.ndarray:
    head = fit_categories(data.sets, {})
    posterior = category_posterior(
        data.sets["mugs"], head.fits["mugs"], None, head.variances, own_choices=True
    )
    draws = weigh(Ontology("1", {}, {}), {"mugs": posterior}).draws["mugs"]
    return importance(posterior.layout, draws.mean(0))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    data = shop(tmp_path_factory.mktemp("plain"))
    assert concerns(data.own_choices) == ()
    return weights(data)


@pytest.mark.parametrize("price", [1e12, -1e12, 1e6])
def test_one_price_that_is_a_slip_hardly_moves_the_weights_and_is_named(
    tmp_path: Path, plain: np.ndarray, price: float
) -> None:
    data = shop(tmp_path, price=price)
    (concern,) = concerns(data.own_choices)
    assert (concern.cause, concern.attribute) == (Cause.OUTLIER, "price")
    assert f"{price:,.10g}" in concern.problem
    assert weights(data) == pytest.approx(plain, abs=0.15)


def test_one_quantity_that_is_a_slip_hardly_moves_the_weights_and_is_named(
    tmp_path: Path, plain: np.ndarray
) -> None:
    data = shop(tmp_path, units=1_000_000)
    (concern,) = concerns(data.own_choices)
    assert (concern.cause, concern.attribute) == (Cause.OUTLIER, None)
    assert weights(data) == pytest.approx(plain, abs=0.15)


def test_a_quantity_that_is_large_but_usual_counts_whole(tmp_path: Path) -> None:
    data = shop(tmp_path, units=8)
    assert concerns(data.own_choices) == ()
    assert data.own_choices["mugs"].choices.total.max() == 8


def test_a_person_with_far_more_choices_than_the_others_is_named(tmp_path: Path) -> None:
    (concern,) = concerns(shop(tmp_path, busy=60).own_choices)
    assert concern.cause is Cause.ONE_PERSON
    assert concern.problem.startswith("60 of 200 choices")
