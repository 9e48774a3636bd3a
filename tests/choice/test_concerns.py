"""Bad data: every cause is named with its category, attribute and value, and every fit stays finite."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from generated_shop import graph_of

from kgrank.choice.data import design as layout
from kgrank.choice.importance import importance
from kgrank.choice.logit.categories import category_posterior, fit_categories
from kgrank.choice.logit.diagnostics import concerns
from kgrank.choice.rules.weigh import weigh
from kgrank.choice.share_intervals import intervals
from kgrank.learning.training_data import TrainingData, read_training_data
from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology
from kgrank.weights.model import Cause, Concern

SIZES = ("s", "m", "l", "xl")
BRANDS = ("aurora", "trailo", "nordlys")
Item = dict[str, object]
Items = Sequence[Item]


def items(count: int = 48) -> list[Item]:
    """Items in which nothing is wrong: brand, size and price in no relation."""
    rng = np.random.default_rng(0)
    return [
        {"brand": BRANDS[k % 3], "size": SIZES[(k // 3) % 4], "price": int(rng.integers(20, 60))}
        for k in range(count)
    ]


def shop(
    folder: Path,
    item_rows: Items,
    *,
    people: int = 40,
    lists: int = 6,
    utility: Callable[[Item], float] = lambda i: 0.5 * (i["brand"] == "aurora"),
    shown: Callable[[np.random.Generator], Sequence[int]] | None = None,
    person: Callable[[int], int] = lambda n: n,
) -> TrainingData:
    """The items and choices by the multinomial logit, through files as a user's."""
    rng = np.random.default_rng(1)
    names = list(item_rows[0])
    with (folder / "items.csv").open("w", newline="") as file:
        rows = [(f"i{k}", "dresses", *i.values()) for k, i in enumerate(item_rows)]
        csv.writer(file).writerows([("id", "category", *names), *rows])
    events: list[tuple[object, ...]] = []
    for n in range(people * lists):
        at = shown(rng) if shown else rng.choice(len(item_rows), 4, replace=False)
        where = (f"2026-01-01T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z",
                 f"u{person(n // lists)}", f"l{n}")  # fmt: skip
        events += [(*where, "impression", f"i{k}") for k in at]
        best = max(at, key=lambda k: utility(item_rows[k]) + rng.gumbel())
        events.append((*where, "view", f"i{best}"))
    with (folder / "events.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("time", "user", "list", "kind", "item"), *events])
    graph, read_ontology = graph_of(folder, ontology(names))
    return read_training_data(graph, read_ontology, 0)


def ontology(names: Sequence[str]) -> Ontology:
    types: Mapping[str, Attribute] = {
        "brand": Attribute("brand", open=True),
        "size": Attribute("size", type=AttributeType.ORDERED, values=SIZES),
        "price": Attribute("price", type=AttributeType.NUMBER),
        "model": Attribute("model", open=True),
    }
    attributes = {n: types[n] for n in names}
    return Ontology(
        "1", {"dresses": Category("dresses", uses=dict.fromkeys(names, Need.ALLOWED))}, attributes
    )


def found(item_rows: TrainingData) -> list[Concern]:
    """The concerns, after a look at the fit: finite, weights within their intervals, intervals within 0 and 1."""
    head = fit_categories(item_rows.sets, {})
    posterior = category_posterior(
        item_rows.sets["dresses"], head.fits["dresses"], None, head.variances, own_choices=True
    )
    draws = weigh(Ontology("1", {}, {}), {"dresses": posterior}).draws["dresses"]
    low, high = intervals(posterior.layout, draws)
    weight = importance(posterior.layout, draws.mean(0))
    assert np.isfinite(draws).all()
    assert ((low >= 0) & (low <= weight) & (weight <= high) & (high <= 1)).all()
    return list(concerns(item_rows.own_choices))


def one(item_rows: TrainingData) -> Concern:
    """The only concern."""
    (only,) = found(item_rows)
    assert only.category == "dresses"
    return only


def test_the_page_about_bad_data_has_every_cause() -> None:
    page = (Path(__file__).parents[2] / "docs" / "data-problems.md").read_text()
    assert [c for c in Cause if f"| `{c}` |" not in page] == []


def test_data_with_nothing_wrong_raise_no_concern(tmp_path: Path) -> None:
    assert found(shop(tmp_path, items())) == []


@pytest.mark.parametrize(("sign", "word"), [(50.0, "always"), (-50.0, "never")])
def test_a_value_that_is_always_or_never_chosen_is_named(tmp_path: Path, sign: float, word: str) -> None:
    concern = one(shop(tmp_path, items(), utility=lambda i: sign * (i["brand"] == "aurora")))
    assert (concern.cause, concern.attribute) == (Cause.SEPARATION, "brand")
    assert f"aurora was {word} chosen" in concern.problem


def test_a_number_whose_smallest_is_always_chosen_is_named(tmp_path: Path) -> None:
    concern = one(shop(tmp_path, items(), utility=lambda i: -100.0 * float(i["price"])))  # type: ignore[arg-type]
    assert (concern.cause, concern.attribute) == (Cause.SEPARATION, "price")
    assert "smallest" in concern.problem


def test_an_attribute_that_never_differs_within_a_choice_is_named(tmp_path: Path) -> None:
    """Every list shows one brand alone."""

    def of_one_brand(rng: np.random.Generator) -> Sequence[int]:
        return [int(k) for k in rng.choice(16, 4, replace=False) * 3 + rng.integers(3)]

    concern = one(shop(tmp_path, items(), shown=of_one_brand, utility=lambda i: 0.0))
    assert (concern.cause, concern.attribute) == (Cause.CONSTANT, "brand")


def test_attributes_that_go_together_are_named_as_a_pair(tmp_path: Path) -> None:
    item_rows = items()
    for k, item in enumerate(item_rows):
        item["price"] = 20 + 15 * SIZES.index(str(item["size"])) + k % 2
    concern = one(shop(tmp_path, item_rows))
    assert (concern.cause, concern.attribute) == (Cause.COLLINEAR, "size")
    assert "with price" in concern.problem


def test_a_category_with_three_choices_is_named(tmp_path: Path) -> None:
    concern = one(shop(tmp_path, items(), people=3, lists=1))
    assert concern.cause is Cause.FEW_CHOICES
    assert concern.problem.startswith("3 choices for 6 part-worths")


@pytest.mark.parametrize("others", [0, 5])
def test_one_person_with_all_the_choices_is_named(tmp_path: Path, others: int) -> None:
    """A person with 60 lists, alone or beside a few others."""
    concern = one(shop(tmp_path, items(), people=60 + others, lists=1, person=lambda n: max(n - 59, 0)))
    assert concern.cause is Cause.ONE_PERSON
    assert concern.problem.startswith(f"60 of {60 + others} choices")


def test_an_attribute_of_very_many_values_is_named(tmp_path: Path) -> None:
    item_rows = [{**item, "model": f"m{k % 200:03d}"} for k, item in enumerate(items(600))]
    concern = one(shop(tmp_path, item_rows, people=200, utility=lambda i: 0.0))
    assert (concern.cause, concern.attribute) == (Cause.MANY_VALUES, "model")
    assert "200 values, none on 1%" in concern.problem


@pytest.mark.parametrize(("brand", "factor", "words"), [
    ("nordlys", 100.0, "times as large"),
    ("nordlys", 0.01, "as large for brand nordlys"),
])  # fmt: skip
def test_a_price_in_cents_for_one_brand_is_named(
    tmp_path: Path, brand: str, factor: float, words: str
) -> None:
    item_rows = items(24)[:12] + items(24)
    item_rows = [
        {**i, "price": float(i["price"]) * (factor if i["brand"] == brand else 1.0)} for i in item_rows
    ]  # type: ignore[arg-type]
    concern = [c for c in found(shop(tmp_path, item_rows)) if c.cause is Cause.MIXED_UNITS]
    assert [c.attribute for c in concern] == ["price"]
    assert words in concern[0].problem
    assert brand in concern[0].problem


@pytest.mark.parametrize("aurora", [(0.0, 0.0, 0.0, 0.0), (-1.0, -3.0, -2.0, 0.5)])
def test_a_number_that_is_0_or_below_has_no_ratio_to_others(tmp_path: Path, aurora: Sequence[float]) -> None:
    """Logarithms, and degrees of a scale that begins anywhere."""
    item_rows = [
        {**i, "price": aurora[k // 3 % 4] if i["brand"] == "aurora" else i["price"]}
        for k, i in enumerate(items())
    ]
    assert Cause.MIXED_UNITS not in {c.cause for c in found(shop(tmp_path, item_rows))}


def test_values_beyond_the_most_that_have_a_column_count_as_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models 0 to 49 are on three items each, the 150 others on two."""
    monkeypatch.setattr(layout, "MOST_VALUES", 50)
    item_rows = [
        {**item, "model": f"m{k % 200:03d}"} for k, item in enumerate([*items(400), *items(400)[:100]])
    ]
    item_rows = [i for k, i in enumerate(item_rows) if k < 400 or k % 200 < 50]
    read = shop(tmp_path, item_rows, people=200, utility=lambda i: 0.0)
    (concern,) = (c for c in found(read) if c.cause is Cause.MANY_VALUES)
    assert concern.problem.startswith("has 200 values")
    assert concern.problem.endswith("the 150 rarest count as unknown")
    design = read.designs["dresses"]
    block = design.layout.block["model"]
    assert block.nodes == tuple(f"model=m{k:03d}" for k in range(50))
    rare = [k for k, i in enumerate(design.items) if int(i[1:]) % 200 >= 50]
    assert (design.centred()[rare][:, block.columns] == 0).all()
