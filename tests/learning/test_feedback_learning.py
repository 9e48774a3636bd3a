"""Learning from mixed feedback, and what is kept of it for a request."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from generated_shop import ontology

from kgrank.errors import RunError
from kgrank.graph.build import build_graph
from kgrank.ingest.clean import ingest
from kgrank.learning.configuration.config import DataConfig, RunConfig
from kgrank.learning.configuration.options import parse
from kgrank.learning.learn import learn
from kgrank.learning.prior_means import closed_form
from kgrank.weights.model import LearnedWeights

Configure = Callable[..., RunConfig]

COLORS = {"red": 1.2, "blue": 0.0, "green": -1.2}
SIZES = ("s", "m", "l")
HEAD = ("time", "user", "kind", "item", "list", "position", "value", "query", "category")


def write(folder: Path, people: int, kinds: tuple[str, ...], seed: int = 0) -> Path:
    """Dresses of which only the color matters; each person gives some feedback of each kind."""
    rng = np.random.default_rng(seed)
    names = list(COLORS)
    with (folder / "items.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("id", "category", "color", "size"),
             *((f"d{k}", "dresses", names[k % 3], SIZES[(k // 3) % 3]) for k in range(18))]
        )  # fmt: skip
    worth = np.array([COLORS[names[k % 3]] for k in range(18)])
    rows: list[tuple[object, ...]] = []

    def add(user: str, kind: str, item: object = "", **more: object) -> None:
        rows.append((1_767_225_600 + len(rows), user, kind, item, *(more.get(k, "") for k in HEAD[4:])))

    for person in range(people):
        user = f"u{person}"
        for kind in kinds:
            some = rng.choice(18, 5, replace=False)
            noisy = worth[some] + rng.gumbel(size=5)
            name = f"{user}-{kind}"
            if kind == "rating":
                for k in some:
                    add(user, kind, f"d{k}", value=round(float(worth[k] + rng.normal()), 2))
            elif kind == "rank":
                for place, k in enumerate(some[np.argsort(-noisy)], 1):
                    add(user, kind, f"d{k}", list=name, value=place)
            elif kind == "search":
                color = names[int((np.array(list(COLORS.values())) + rng.gumbel(size=3)).argmax())]
                add(user, kind, query=f"{color} dress", category="dresses")
            else:
                for place, k in enumerate(some, 1):
                    add(user, "impression", f"d{k}", list=name, position=place)
                add(user, kind, f"d{some[noisy.argmax()]}", list=name)
    with (folder / "events.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return folder


def learned(folder: Path, config: RunConfig) -> LearnedWeights:
    clean = ingest(folder, ontology=replace(ontology(), rules={}))
    return learn(build_graph(clean), clean.ontology, config, closed_form).weights


def colors(weights: LearnedWeights) -> dict[str, float]:
    return {
        u.node.partition("=")[2]: u.at(0.0)
        for u in weights.categories["dresses"].utilities
        if u.node.startswith("color")
    }


@pytest.mark.parametrize(
    "kinds",
    [
        ("view", "purchase", "rank", "rating", "search"),
        ("rank",),
        ("rating", "purchase"),
        ("search", "view"),
    ],
)
def test_every_mixture_of_feedback_finds_what_matters(
    tmp_path: Path, configure: Configure, kinds: tuple[str, ...]
) -> None:
    weights = learned(write(tmp_path, 250, kinds), configure())
    shares = {a.attribute: a.share for a in weights.categories["dresses"].attributes}
    assert shares["color"] > 0.75
    found = colors(weights)
    assert found["red"] > found["blue"] > found["green"]
    assert set(weights.reliability.scale) == set(kinds)
    assert all(s > 0.3 for s in weights.reliability.scale.values())
    assert any("How closely" in note for note in weights.notes) == (len(kinds) > 1)


def test_people_differ_by_rankings_alone(tmp_path: Path, configure: Configure) -> None:
    weights = learned(write(tmp_path, 40, ("rank",)), configure(people=True))
    assert "color=red" in weights.population.columns


def test_a_given_examination_curve_is_served_with_the_weights(tmp_path: Path, configure: Configure) -> None:
    curve = (1.0, 0.5, 0.25)
    config = configure(data=DataConfig(store="none", examination=curve))
    nuisance = learned(write(tmp_path, 40, ("view",)), config).categories["dresses"].nuisance
    places = {k: v for k, v in nuisance.items() if k.startswith("position")}
    assert places == pytest.approx({"position 2": np.log(0.5), "position 3+": np.log(0.25)})


def test_a_probability_above_one_is_refused() -> None:
    with pytest.raises(RunError, match=r"data.examination holds 1.5"):
        DataConfig(store="none", examination=(1.0, 1.5))


def test_an_examination_curve_comes_from_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("data: {store: shop.lb, examination: [1, 0.6, 0.4]}\nout: out\n")
    assert parse(["--config", str(path)], "train.py").data.examination == (1, 0.6, 0.4)
