"""Importance from choice data: against a reference, on held-out choices, between seeds, beside peers.

    python benchmarks/importance.py --data choice_camera
    python benchmarks/importance.py --data DIR --mapping FILE --seeds 3 --peers

The held-out choices are the last quarter (rounded down) of each person's choices in each category. Held-out
figures come from fits on the others; importances and the reference from fits on all choices. No rules act.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from scipy import optimize

from benchmarks.data_sets import data_folder
from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from kgrank.arrays import Floats, Truths
from kgrank.choice.importance import importance
from kgrank.choice.logit.categories import CategoryFits
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.logit.metrics import top1
from kgrank.choice.share_intervals import intervals
from kgrank.choice.tastes.mixed_logit import Panel, Tastes, draws
from kgrank.graph.build import build_graph
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.learning.configuration.config import DataConfig, RunConfig, ValidationConfig
from kgrank.learning.fit import ShopFit, fit_people, fit_shop
from kgrank.learning.prior_means import closed_form
from kgrank.learning.run import say
from kgrank.learning.training_data import people_panel, read_training_data
from kgrank.ontology.model import Ontology

MAPPINGS = Path(__file__).parent.parent / "configs" / "mappings"
HELD_OUT = 4
"""One in so many of each person's choices is held out."""


def read(data: Path, mapping: Path | None) -> tuple[KnowledgeGraph, Ontology]:
    """The data set as a user loads it, with rules left out."""
    known = MAPPINGS / f"{data.resolve().name}.yaml"
    chosen = mapping or (known if known.is_file() else None)
    clean = ingest(data, mapping=None if chosen is None else read_mapping(chosen))
    return build_graph(clean), replace(clean.ontology, rules={})


def held_out(some: CategoryChoices) -> Truths:
    """(choices,) the last quarter of each person's choices, rounded down."""
    person, time_ = some.choices.person, some.choices.time
    order = np.lexsort((some.number, time_, person))
    sizes = np.bincount(person)
    turn = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    last = turn >= sizes[person[order]] - sizes[person[order]] // HELD_OUT
    found = np.zeros(len(order), bool)
    found[order] = last
    return found


def config(seed: int) -> RunConfig:
    """The defaults that ship; validation by person, since a person's choices depend on each other."""
    return RunConfig(
        data=DataConfig(store="none"),
        out="none",
        validation=ValidationConfig(by="person"),
        seed=seed,
    )


def plain_logit(train: Choices, test: Choices) -> float:
    """Log-likelihood a choice of an independent plain logit: dense columns, BFGS, no prior."""
    x, z = (np.asarray(c.expanded @ c.centring) for c in (train, test))
    # Columns that add up to a constant carry no information twice: take them out by their null space.
    _, size, basis = np.linalg.svd(x.T @ x)
    basis = basis[size > 1e-9 * size[0]].T

    def loss(b: Floats) -> tuple[float, Floats]:
        utility = x @ (basis @ b)
        probability, _ = train.probabilities(utility)
        rows = train.gradient_rows(utility, probability)
        return -float(train.log_likelihood(utility).sum()), -(basis.T @ (x.T @ rows))

    found = optimize.minimize(loss, np.zeros(basis.shape[1]), jac=True, method="L-BFGS-B",
                              options={"maxiter": 5000, "ftol": 1e-14, "gtol": 1e-7})  # fmt: skip
    return float(test.log_likelihood(z @ (basis @ found.x)).mean())


def person_top1(test: Panel, tastes: Tastes) -> float:
    """Share of held-out choices in which the person's own mean tastes rank the chosen one first."""
    return float(top1(test.choices, test.utility(tastes.people)).mean())


def person_log_likelihood(train: Panel, test: Panel, tastes: Tastes) -> Floats:
    """(choices of ``test``,) log-probability of each, averaged over the person's posterior from ``train``.

    Both panels number the same people.
    """
    parts = [
        np.log(np.exp(test.log_likelihood(person, posterior.deviations)) @ posterior.weights)
        for person, posterior in enumerate(draws(train, tastes.mean, tastes.covariance))
    ]
    return np.concatenate(parts)


def evaluate(graph: KnowledgeGraph, ontology: Ontology, peers: bool) -> dict[str, Any]:
    """Held-out figures of one fit on the training choices."""
    shop = read_training_data(graph, ontology, 0)
    masks = {c: held_out(s) for c, s in shop.own_choices.items()}
    numbers = np.concatenate([s.number[masks[c]] for c, s in shop.own_choices.items()])
    began = time.perf_counter()
    train = replace(
        shop,
        own_choices={c: s.take(~masks[c]) for c, s in shop.own_choices.items()},
        sets={c: s.take(~np.isin(s.number, numbers)) for c, s in shop.sets.items()},
    )
    fitted = fit_shop(train, graph, ontology, replace(config(0), people=False), closed_form)
    fit_seconds = time.perf_counter() - began
    head = fitted.category_fits
    test = {c: s.take(masks[c]) for c, s in shop.own_choices.items()}
    began = time.perf_counter()
    tastes = fit_people(train.own_choices, head, 0).tastes
    persons = np.unique(np.concatenate([s.choices.person for s in train.own_choices.values()]))
    _, train_panel, _ = people_panel(train.own_choices, head, persons)
    _, test_panel, _ = people_panel(test, head, persons)
    person = person_log_likelihood(train_panel, test_panel, tastes)
    seconds = time.perf_counter() - began
    found: dict[str, Any] = {
        **population(test, head),
        "loglik_person": float(person.mean()),
        "top1_person": person_top1(test_panel, tastes) if tastes_cover(tastes, train_panel) else None,
        "person_seconds": round(seconds, 1),
        "fit_seconds": round(fit_seconds, 1),
        "held_out_choices": len(person),
        "people": len(persons),
    }
    found["plain_logit"] = plain(train.own_choices, test)
    if peers:
        found.update(mixed_logit(train.own_choices, test))
    return found


def tastes_cover(tastes: Tastes, panel: Panel) -> bool:
    """Whether everyone's own tastes were estimated, and not a sample's."""
    return len(tastes.people) == panel.people


def population(test: Mapping[str, CategoryChoices], head: CategoryFits) -> dict[str, float]:
    """Held-out figures of the pooled head."""
    loss, hits, count = 0.0, 0.0, 0
    for category, some in test.items():
        utility = some.choices.utility(head.fits[category].part_worths)
        loss += float(some.choices.log_likelihood(utility).sum())
        hits += float(top1(some.choices, utility).sum())
        count += len(some.choices)
    return {"loglik_population": loss / count, "top1_population": hits / count}


def plain(train: Mapping[str, CategoryChoices], test: Mapping[str, CategoryChoices]) -> float:
    """The independent plain logit, category by category."""
    total = sum(plain_logit(s.choices, test[c].choices) * len(test[c].choices) for c, s in train.items())
    return total / sum(len(s.choices) for s in test.values())


def mixed_logit(
    train: Mapping[str, CategoryChoices], test: Mapping[str, CategoryChoices]
) -> dict[str, float]:
    """xlogit's mixed logit, normal and diagonal, 100 draws; its prediction for people as if never seen."""
    from xlogit import MixedLogit

    loss, count = 0.0, 0
    began = time.perf_counter()
    for category, some in train.items():
        long = [_long(s.choices, some.design.layout.width) for s in (some, test[category])]
        names = [f"c{i}" for i in range(long[0][0].shape[1])]
        model = MixedLogit()
        (x, y, choice, alternative, person), (xt, yt, choice_t, alternative_t, person_t) = long
        model.fit(x, y, names, alternative, choice, randvars=dict.fromkeys(names, "n"), panels=person,
                  n_draws=100, verbose=0)  # fmt: skip
        _, probability = model.predict(xt, names, alternative_t, choice_t, panels=person_t, n_draws=100,
                                       return_proba=True, verbose=0)  # fmt: skip
        taken = yt.reshape(probability.shape) > 0
        loss += float(np.log(np.clip(probability[taken], 1e-300, None)).sum())
        count += len(probability)
    return {"xlogit": loss / count, "xlogit_seconds": round(time.perf_counter() - began, 1)}


def _long(choices: Choices, _: int) -> tuple[Any, ...]:
    """Rows of equal-sized choices, the outside option a row of zeros, columns of full rank."""
    x = np.asarray(choices.expanded @ choices.centring)
    keep: list[int] = []
    for column in range(x.shape[1]):
        if np.linalg.matrix_rank(x[:, [*keep, column]]) > len(keep):
            keep.append(column)
    sizes = np.diff(choices.start)
    alternatives = int(sizes[0])
    x = x[:, keep].reshape(len(sizes), alternatives, len(keep))
    y = choices.chosen.reshape(len(sizes), alternatives)
    if choices.outside.any():
        x = np.concatenate([x, np.zeros_like(x[:, :1])], 1)
        y = np.concatenate([y, choices.left[:, None]], 1)
    number = x.shape[1]
    return (
        x.reshape(-1, len(keep)),
        y.ravel(),
        np.repeat(np.arange(len(sizes)), number),
        np.tile(np.arange(number), len(sizes)),
        np.repeat(choices.person, number),
    )


def against_reference(data: Path, fitted: ShopFit) -> dict[str, float]:
    """L1 to each reference file's importance: pooled head, all choices, full range of the designed levels."""
    found = {}
    for path in sorted(data.glob("*reference*.json")):
        reference = json.loads(path.read_text(encoding="utf-8"))["importance"]
        for category in fitted.shop.own_choices:
            if set(fitted.shop.designs[category].layout.block) != set(reference):
                continue
            name = category.split(".")[-1].split("_")[-1]
            if len(fitted.shop.own_choices) > 1 and name not in path.stem:
                continue
            layout = fitted.shop.designs[category].layout
            share = importance(
                layout, fitted.category_fits.fits[category].part_worths[: layout.width], full=True
            )
            pairs = zip(layout.blocks, share, strict=True)
            found[category] = float(sum(abs(w - reference[b.attribute]) for b, w in pairs))
    return found


def main() -> None:
    """Runs everything and prints the line."""
    parser = script_parser(__doc__, data="choice_camera")
    parser.add_argument("--mapping", type=Path, help="mapping file, where the folder is not a known one")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of the whole fit (3)")
    parser.add_argument("--peers", action="store_true", help="run xlogit's mixed logit beside (minutes)")
    options = parser.parse_args()
    began = time.perf_counter()
    data = data_folder(options.data)
    graph, ontology = read(data, options.mapping)
    about = environment("torch", "torch-geometric", "scipy", "xlogit")
    print(json.dumps(about))
    fits = []
    for seed in range(options.seeds):
        say(f"all choices, seed {seed}")
        fits.append(
            fit_shop(read_training_data(graph, ontology, seed), graph, ontology, config(seed), closed_form)
        )
    shares = [
        np.concatenate([importance(d.layout, f.rule_posteriors.draws[c].mean(0)) for c, d in f.shop.designs.items()
                        if c in f.rule_posteriors.draws]) for f in fits
    ]  # fmt: skip
    fitted = fits[0]
    reference = against_reference(data, fitted)
    say("held-out choices")
    held = evaluate(graph, ontology, options.peers)
    line = {
        "data": data.name,
        "l1_reference": max(reference.values()) if reference else None,
        **held,
        "seed_spread": float(max(np.ptp(np.stack(shares), axis=0))) if len(fits) > 1 else None,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mb": peak_mb(),
    }
    rows = []
    for category in fitted.shop.own_choices:
        layout = fitted.shop.designs[category].layout
        draws = fitted.rule_posteriors.draws[category]
        low, high = intervals(layout, draws)
        mean = draws.mean(0)
        for i, block in enumerate(layout.blocks):
            rows.append(
                [category, block.attribute, float(importance(layout, mean)[i]), float(low[i]), float(high[i]),
                 float(importance(layout, mean, full=True)[i])]
            )  # fmt: skip
    show("importance", ["category", "attribute", "weight", "low", "high", "full range"], rows)
    show("figures", ["figure", "value"], [[k, v] for k, v in line.items()])
    finish(
        f"importance-{line['data']}",
        line,
        {"environment": about, "seeds": options.seeds, "reference": reference, "importance": rows},
    )


if __name__ == "__main__":
    command(main)
