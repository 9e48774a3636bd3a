"""What is learned from a graph: a shop's truth, the same whatever the seed, and nothing of the future."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from generated_shop import TRUTH, Generated, Shop, graph_of, ontology, without_rules, write_files

from kgrank.choice.data.design import category_design
from kgrank.choice.importance import importance
from kgrank.choice.logit.choice_sets import INSIDE
from kgrank.errors import InputError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning import fit
from kgrank.learning.configuration.config import (
    NetworkConfig,
    OptimizerConfig,
    PriorMeansConfig,
    RunConfig,
    ValidationConfig,
)
from kgrank.learning.learn import Learned
from kgrank.learning.learn import learn as learn_with
from kgrank.learning.reporting.progress import NO_PROGRESS, NoProgress, Progress
from kgrank.learning.run import prior_mean_source
from kgrank.ontology.model import Ontology, Rule
from kgrank.ranking.explain.importance import read_importance
from kgrank.weights.model import CategoryWeights, Cause, LearnedWeights

Configure = Callable[..., RunConfig]


NETWORK = PriorMeansConfig(width=8, logger="none", trainer={"max_epochs": 3, "accelerator": "cpu"})


def learn(
    graph: KnowledgeGraph, known: Ontology, config: RunConfig, progress: Progress = NO_PROGRESS
) -> Learned:
    """Learning with the source of prior means that the configuration names."""
    return learn_with(graph, known, config, prior_mean_source(config), progress)


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Enough people to find the truth."""
    return graph_of(write_files(tmp_path_factory.mktemp("larger"), people=600, lists=6))


def shares(category: CategoryWeights) -> dict[str, float]:
    return {a.attribute: a.share for a in category.attributes}


def true_shares(shop: Shop, category: str) -> dict[str, float]:
    layout = category_design(*shop, category).layout
    own = np.array([TRUTH[category].get(n.split("=")[1], 0.0) for n in layout.nodes])
    price = layout.block["price"]
    own[price.start] = TRUTH[category]["price"] * price.scale / 30
    return dict(zip(layout.block, importance(layout, own), strict=True))


@pytest.mark.parametrize("category", list(TRUTH))
def test_the_shares_that_generated_the_shop_are_found(
    larger: Shop, configure: Configure, category: str
) -> None:
    weights = learn(*larger, configure()).weights.categories[category]
    truth = true_shares(larger, category)
    assert sum(abs(w - truth[a]) for a, w in shares(weights).items()) < 0.2
    assert sum(shares(weights).values()) == pytest.approx(1.0)
    inside = [a.lower - 0.02 <= truth[a.attribute] <= a.upper + 0.02 for a in weights.attributes]
    assert sum(inside) >= 3


def test_attributes_that_no_one_looks_at_weigh_least(larger: Shop, configure: Configure) -> None:
    weights = learn(*larger, configure()).weights
    for category in TRUTH:
        found = shares(weights.categories[category])
        assert min(found, key=found.__getitem__) == "features"


def test_a_single_category_has_the_same_weights_from_every_seed(tmp_path: Path, configure: Configure) -> None:
    shop = graph_of(write_files(tmp_path / "one", categories=("dresses",)), without_rules())
    first, second = (learn(*shop, configure(seed=s)).weights.categories["dresses"] for s in (0, 1))
    assert shares(first) == pytest.approx(shares(second), abs=1e-6)
    for one, other in zip(first.utilities, second.utilities, strict=True):
        assert one.at(30.0) == pytest.approx(other.at(30.0), abs=1e-6)


def test_several_categories_differ_between_seeds_by_less_than_a_quarter_of_the_error(
    larger: Shop, configure: Configure
) -> None:
    first, second = (learn(*larger, configure(seed=s)).weights for s in (0, 1))
    for category, weights in first.categories.items():
        other = shares(second.categories[category])
        for a in weights.attributes:
            assert abs(a.share - other[a.attribute]) < 0.25 * (a.upper - a.lower) / 3.92, (
                category,
                a.attribute,
            )


def test_the_same_seed_gives_the_same_weights_to_the_last_digit(larger: Shop, configure: Configure) -> None:
    first, second = (learn(*larger, configure()).weights for _ in range(2))
    assert first.categories == second.categories
    assert first.metrics == second.metrics


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_every_optimiser_and_schedule_learns(
    generated: Generated, configure: Configure, name: str, schedule: str
) -> None:
    chosen = OptimizerConfig(name=name, schedule=schedule, lr=0.05)  # type: ignore[arg-type]
    found = learn(
        *generated[:2], configure(network=NetworkConfig(prior_means=replace(NETWORK, optimizer=chosen)))
    ).weights
    assert all(np.isfinite(list(found.metrics.values())))


@pytest.mark.parametrize("by", ["time", "person"])
def test_training_stops_early_on_choices_held_out(
    generated: Generated, configure: Configure, by: str, tmp_path: Path
) -> None:
    """A rate far too high makes the held-out loss rise; without early stopping it would run 60 epochs."""
    chosen = configure(
        validation=ValidationConfig(share=0.25, by=by),  # type: ignore[arg-type]
        network=NetworkConfig(
            prior_means=replace(
                NETWORK,
                patience=2,
                optimizer=OptimizerConfig(lr=1.0, schedule="constant"),
                trainer={"max_epochs": 60, "accelerator": "cpu"},
            )
        ),
    )
    learn(*generated[:2], chosen)
    checkpoints = tmp_path / "out" / "checkpoints"
    state = torch.load(checkpoints / "last.ckpt", weights_only=True)
    assert state["epoch"] < 50
    assert (checkpoints / "best.ckpt").is_file()


def test_peoples_own_tastes_give_a_second_kind_of_importance(
    generated: Generated, configure: Configure
) -> None:
    found = learn(*generated[:2], configure(people=True)).weights
    for category in TRUTH:
        own = [a.shoppers for a in found.categories[category].attributes]
        assert None not in own
        assert sum(own) == pytest.approx(1.0)  # type: ignore[arg-type]
    assert found.population.columns


def test_people_of_a_wide_shop_differ_in_what_its_categories_share(
    generated: Generated, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "MOST_JOINT", 10)
    wide = learn(*generated[:2], configure(people=True)).weights
    columns, width = wide.population.columns, len(wide.population.columns)
    # One value of each attribute is what the others are measured from.
    counts = [sum(c.startswith(f"{a}=") for c in columns) for a in ("color", "size", "price", "features")]
    assert counts == [2, 2, 1, 2]
    assert INSIDE in columns
    for covariance in (wide.population.covariance, wide.population.within):
        assert np.linalg.eigvalsh(np.array(covariance).reshape(width, width)).min() > 0
    for category in TRUTH:
        own = [a.shoppers for a in wide.categories[category].attributes]
        assert sum(x or 0.0 for x in own) == pytest.approx(1.0)


def test_a_category_without_choices_gets_its_weights_from_the_graph(
    generated: Generated, configure: Configure
) -> None:
    graph, known = generated[:2]
    shoes = set(graph.edge("IN_CATEGORY").filter(pl.col("target") == "shoes")["source"])
    quiet = replace(
        graph,
        edges={
            **graph.edges,
            "INTERACTED": graph.edge("INTERACTED").filter(~pl.col("target").is_in(list(shoes))),
        },
    )
    found = learn(quiet, known, configure()).weights.categories
    assert found["dresses"].source == "choices"
    assert (found["shoes"].source, found["shoes"].choice_count) == ("graph", 0)
    assert sum(shares(found["shoes"]).values()) == pytest.approx(1.0)
    width = {c: sum(a.upper - a.lower for a in found[c].attributes) for c in ("dresses", "shoes")}
    assert width["shoes"] > width["dresses"]


def test_a_category_with_one_item_is_learned_around(tmp_path: Path, configure: Configure) -> None:
    folder = write_files(tmp_path / "shop", categories=("dresses",))
    with (folder / "items.csv").open("a") as file:
        file.write("lone,shoes,red,m,30,belt\n")
    found = learn(*graph_of(folder), configure()).weights.categories
    assert {a.share for a in found["shoes"].attributes} == {0.0} or sum(
        shares(found["shoes"]).values()
    ) == pytest.approx(1.0)
    assert found["dresses"].source == "choices"


def test_an_attribute_with_one_value_has_no_share(tmp_path: Path, configure: Configure) -> None:
    folder = write_files(tmp_path / "shop", categories=("dresses",))
    text = (folder / "items.csv").read_text()
    for color in ("blue", "green"):
        text = text.replace(f",{color},", ",red,")
    (folder / "items.csv").write_text(text)
    found = learn(*graph_of(folder), configure()).weights.categories["dresses"]
    assert shares(found)["color"] == 0.0
    assert sum(shares(found).values()) == pytest.approx(1.0)
    assert all(np.isfinite([a.lower, a.upper, a.spread]).all() for a in found.attributes)


def test_an_attribute_without_any_value_in_a_category_is_left_out_there(
    tmp_path: Path, configure: Configure
) -> None:
    folder = write_files(tmp_path / "shop", categories=("dresses", "shirts"))
    lines = [
        ",".join(["" if k == 3 and line.startswith("dresses") else cell for k, cell in enumerate(line.split(","))])
        for line in (folder / "items.csv").read_text().splitlines()
    ]  # fmt: skip
    (folder / "items.csv").write_text("\n".join(lines) + "\n")
    found = learn(*graph_of(folder), configure()).weights.categories
    assert "size" not in shares(found["dresses"])
    assert "size" in shares(found["shirts"])


def test_a_log_without_a_choice_is_refused(generated: Generated, configure: Configure) -> None:
    graph, known = generated[:2]
    shown = graph.edge("INTERACTED").head(0)
    with pytest.raises(InputError, match="not one choice"):
        learn(replace(graph, edges={**graph.edges, "INTERACTED": shown}), known, configure())


def test_a_wrong_rule_is_overruled_and_named(larger: Shop, configure: Configure) -> None:
    graph, _ = larger
    wrong = Rule("wrong", "Monotone", ("shirts",), 0.9, attribute="price", better="More")
    found = learn(graph, ontology({"wrong": wrong}), configure()).weights
    (finding,) = found.findings
    assert (finding.rule, finding.verdict) == ("wrong", "contradicted")
    without = learn(graph, without_rules(), configure()).weights.categories["shirts"]
    assert shares(found.categories["shirts"]) == pytest.approx(shares(without), abs=0.02)


def test_a_right_rule_narrows_what_few_choices_leave_open(tmp_path: Path, configure: Configure) -> None:
    shop = write_files(tmp_path / "few", people=15, lists=2, categories=("shoes",))
    graph, known = graph_of(shop)
    cheaper = {"r": Rule("r", "AtLeast", ("shoes",), 0.95, attribute="size", share=0.4)}
    free = learn(graph, without_rules(), configure()).weights.categories["shoes"]
    ruled = learn(graph, replace(known, rules=cheaper), configure()).weights.categories["shoes"]
    assert shares(ruled)["size"] > shares(free)["size"]
    assert ruled.attributes[1].without_rules is not None
    assert ruled.attributes[1].without_rules == pytest.approx(shares(free)["size"], abs=0.05)


def poisoned(folder: Path) -> Path:
    """After June everyone buys the dearest green thing, again and again."""
    items = [line.split(",") for line in (folder / "items.csv").read_text().splitlines()[1:]]
    rows = []
    for person in range(100):
        for item in items:
            moment = f"2026-07-{1 + person % 28:02d}T12:00:00Z,u{person},poison{person}{item[1]}"
            rows.append(f"{moment},impression,{item[0]},")
        dear = max((i for i in items if i[2] == "green"), key=lambda i: int(i[4]))
        rows.append(
            f"2026-07-{1 + person % 28:02d}T12:00:09Z,u{person},poison{person}{dear[1]},view,{dear[0]},"
        )
    with (folder / "events.csv").open("a") as file:
        file.write("\n".join(rows) + "\n")
    return folder


def test_events_after_the_split_change_nothing(tmp_path: Path, configure: Configure) -> None:
    """The poison changes the weights where it is read; cut at the end of June, nothing changes at all."""
    split = 1782864000  # 2026-07-01
    clean = graph_of(write_files(tmp_path / "clean"))
    spoilt = graph_of(poisoned(write_files(tmp_path / "spoilt")))

    def weights(shop: Shop, until: int | None) -> tuple[LearnedWeights, list[tuple[object, ...]]]:
        graph = shop[0] if until is None else shop[0].until(until)
        found = learn(graph, shop[1], configure(people=True))
        return found.weights, found.transitions.sort("source", "target").rows()

    before, transitions = weights(clean, split)
    cut, same = weights(spoilt, split)
    assert weights(spoilt, None)[0].categories != before.categories, "the poison must show"
    assert cut.categories == before.categories
    assert cut.metrics == before.metrics
    assert same == transitions


class Warnings(NoProgress):
    """Collects warnings."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def warning(self, text: str) -> None:
        self.texts.append(text)


def test_what_is_wrong_with_the_data_is_said_and_kept_with_the_weights(
    tmp_path: Path, configure: Configure
) -> None:
    """Dresses with a price in cents for all that are red."""
    folder = write_files(tmp_path / "cents", people=60)
    items = pl.read_csv(folder / "items.csv")
    cents = (pl.col("category") == "dresses") & (pl.col("color") == "red")
    items.with_columns(price=pl.when(cents).then(pl.col("price") * 100).otherwise("price")).write_csv(
        folder / "items.csv"
    )
    progress = Warnings()
    weights = learn(*graph_of(folder, without_rules()), configure(), progress).weights
    kept = [c for c in weights.concerns if c.cause is Cause.MIXED_UNITS]
    assert [(c.category, c.attribute) for c in kept] == [("dresses", "price")]
    assert kept[0].sentence in progress.texts
    shown = read_importance(weights, without_rules(), "clothing").concerns
    assert kept[0] in shown
    assert kept[0] not in read_importance(weights, without_rules(), "shoes").concerns
