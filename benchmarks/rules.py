"""What rules bring and cost with few people, and whether the audit tells right ones from wrong ones.

    python benchmarks/rules.py --data choice_camera
    python benchmarks/rules.py --data choice_camera --people 5 10 --draws 30

People are drawn at random; 12 choices of each are learned from, the rest of everyone else's are predicted. Every
rule has confidence .9. Sets: A, orders and monotone; B, A and loose bounds; C, A and coarse targets; C', targets
moved by .10 up or down at random; W, wrong orders, directions and bounds. The rules are about cameras, so the
data must have camera's attributes. L1 is to the importance of the fit on all choices.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.data_sets import data_folder
from benchmarks.importance import read
from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from kgrank.choice.importance import importance
from kgrank.choice.logit.categories import Variances, category_posterior, fit_categories
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.verdict import verdict
from kgrank.choice.rules.weigh import weigh
from kgrank.errors import InputError
from kgrank.learning.run import say
from kgrank.learning.training_data import read_training_data
from kgrank.ontology.model import Ontology, Rule

SURE = 0.9
LEARNED = 12
"""Choices a person that are learned from."""

ATTRIBUTES = ("brand", "pixels", "zoom", "video", "swivel", "wifi", "price")
YES_NO = ("pixels", "zoom", "video", "swivel", "wifi")

Rules = Sequence[Rule]


def rule(kind: str, **fields: Any) -> Rule:
    """A rule about the one category, with a name made of its fields."""
    name = "-".join([kind, *(str(v) for v in fields.values())])
    return Rule(name, kind, (), SURE, **fields)


def order(*attributes: str) -> Rule:
    """a matters more than b."""
    return rule("Order", order=attributes)


def direction(attribute: str, better: str, yes: str, no: str) -> Rule:
    """More (or less) is better; for yes and no, the one is preferred to the other."""
    if attribute == "price":
        return rule("Monotone", attribute=attribute, better=better)
    return rule("Prefers", attribute=attribute, values=(yes, no) if better == "More" else (no, yes))


def sets(yes: str, no: str, generator: np.random.Generator) -> dict[str, Rules]:
    """The rule sets by name; C' is drawn anew each time."""
    a = [
        *(order(*pair) for pair in (("price", "brand"), ("price", "zoom"), ("zoom", "swivel"))),
        direction("price", "Less", yes, no),
        *(direction(x, "More", yes, no) for x in YES_NO),
    ]
    bounds = [
        rule("AtLeast", attribute="price", share=0.25),
        rule("AtMost", attribute="brand", share=0.20),
        rule("AtMost", attribute="swivel", share=0.15),
    ]

    def targets(move: Callable[[], float]) -> list[Rule]:
        coarse = [("price", 0.4, 0.1), *((x, 0.1, 0.05) for x in ATTRIBUTES if x != "price")]
        return [
            rule("About", attribute=x, share=max(share + move(), 0.0), within=within)
            for x, share, within in coarse
        ]

    wrong = [
        *(order(*pair) for pair in (("brand", "price"), ("swivel", "zoom"), ("brand", "zoom"))),
        direction("price", "More", yes, no),
        direction("wifi", "Less", yes, no),
        rule("AtLeast", attribute="brand", share=0.30),
        rule("AtMost", attribute="price", share=0.15),
    ]
    return {
        "none": [],
        "A": a,
        "B": [*a, *bounds],
        "C": [*a, *targets(lambda: 0.0)],
        "C'": [*a, *targets(lambda: float(generator.choice([-0.1, 0.1])))],
        "W": wrong,
    }


def audited(yes: str, no: str) -> dict[str, Rules]:
    """Rules named right and wrong by the fit on all choices."""
    right = [
        rule("Prefers", attribute="brand", values=("Canon", "Panasonic")),
        rule("Prefers", attribute="brand", values=("Sony", "Panasonic")),
        direction("price", "Less", yes, no),
        *(direction(x, "More", yes, no) for x in ("swivel", "wifi", "zoom")),
        *(
            order(*p)
            for p in (("price", "brand"), ("price", "zoom"), ("zoom", "swivel"), ("pixels", "swivel"))
        ),
        rule("AtMost", attribute="brand", share=0.12),
        rule("AtMost", attribute="swivel", share=0.10),
        rule("AtLeast", attribute="price", share=0.35),
    ]
    wrong = [
        rule("Prefers", attribute="brand", values=("Panasonic", "Canon")),
        rule("Prefers", attribute="brand", values=("Panasonic", "Sony")),
        direction("price", "More", yes, no),
        *(direction(x, "Less", yes, no) for x in ("swivel", "wifi")),
        *(
            order(*p)
            for p in (("brand", "price"), ("swivel", "zoom"), ("swivel", "pixels"), ("wifi", "zoom"))
        ),
        *(rule("Irrelevant", attribute=x) for x in ("swivel", "wifi")),
        rule("AtMost", attribute="price", share=0.15),
        rule("AtLeast", attribute="brand", share=0.30),
        rule("AtLeast", attribute="swivel", share=0.15),
    ]
    return {"right": right, "wrong": wrong}


class Study:
    """The one category's choices, and the importance of the fit on all of them."""

    def __init__(self, some: CategoryChoices, ontology: Ontology) -> None:
        self.some, self.ontology = some, ontology
        self.layout = some.design.layout
        self.category = self.layout.category
        if set(self.layout.block) != set(ATTRIBUTES):
            raise InputError(
                f"the attributes are {', '.join(self.layout.block)}",
                where=self.category,
                expected=", ".join(ATTRIBUTES),
                todo="These rules are about the camera study; name its folder.",
            )
        nodes = self.layout.block["wifi"].nodes
        self.no, self.yes = (n.split("=", 1)[1] for n in nodes)
        person, time_ = some.choices.person, some.choices.time
        by_person = np.lexsort((time_, person))
        sizes = np.bincount(person)
        turn = np.empty(len(person), int)
        turn[by_person] = np.arange(len(person)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        self.early = turn < LEARNED
        self.people = np.unique(person)
        self.truth = self.shares(fit_categories({self.category: some}, {}).fits[self.category].part_worths)

    def shares(self, part_worths: Any) -> Any:
        """Importance of part-worths."""
        return importance(self.layout, part_worths[: self.layout.width])

    def known(self, rules: Rules) -> Ontology:
        """The ontology with some rules about the category."""
        placed = {r.id: replace(r, categories=(self.category,)) for r in rules}
        return replace(self.ontology, rules=placed)

    def place(self, which: Any) -> tuple[CategoryPosterior, Any]:
        """Posterior from some choices, and its nuisance parameters."""
        some = self.some.take(which)
        head = fit_categories({self.category: some}, {})
        found = head.fits[self.category]
        return (
            category_posterior(some, found, None, Variances(), own_choices=True),
            found.part_worths[self.layout.width :],
        )


def few(study: Study, people: int, draws: int, seed: int) -> dict[str, dict[str, float]]:
    """Mean L1 and held-out gain of every rule set over draws of people, with standard errors."""
    generator = np.random.default_rng(seed)
    found: dict[str, list[tuple[float, float]]] = {}
    choices = study.some.choices
    for turn in range(draws):
        inside = np.isin(choices.person, generator.choice(study.people, people, replace=False))
        test = choices.take(~inside & ~study.early)
        posterior, nuisance = study.place(inside & study.early)
        for name, rules in sets(study.yes, study.no, generator).items():
            said = weigh(study.known(rules), {study.category: posterior}, turn)
            part_worths = said.draws[study.category].mean(0)
            whole = np.concatenate([part_worths, nuisance])
            fit = float(test.log_likelihood(test.utility(whole)).mean())
            found.setdefault(name, []).append(
                (float(abs(study.shares(part_worths) - study.truth).sum()), fit)
            )
        say(f"{people} people, {turn + 1} of {draws}")
    base = np.array(found["none"])[:, 1]
    rows = {}
    for name, pairs in found.items():
        l1, fit_ = np.array(pairs).T
        gain = fit_ - base
        rows[name] = {
            "l1": float(l1.mean()),
            "gain": float(gain.mean()),
            "gain_error": float(gain.std(ddof=1) / np.sqrt(draws)) if draws > 1 else 0.0,
        }
    return rows


def without_data(study: Study, seed: int) -> dict[str, float]:
    """L1 of the rules alone: the prior, re-weighted by them."""
    n = study.layout.width
    prior = CategoryPosterior(
        layout=study.layout,
        mean=np.zeros(n),
        covariance=np.eye(n),
        prior_mean=np.zeros(n),
        prior_deviation=np.ones(n),
        choice_count=0,
        person_count=0,
        own_choices=True,
    )
    generator = np.random.default_rng(seed)
    found = {}
    for name, rules in sets(study.yes, study.no, generator).items():
        draws = weigh(study.known(rules), {study.category: prior}, seed).draws[study.category]
        found[name] = float(abs(study.shares(draws.mean(0)) - study.truth).sum())
    return found


def audit(study: Study, people: int, draws: int, seed: int) -> dict[str, float]:
    """Share of wrong and of right rules called contradicted, from some people's choices."""
    generator = np.random.default_rng(seed)
    counts = {"right": 0.0, "wrong": 0.0}
    for turn in range(draws):
        some = generator.choice(study.people, people, replace=False)
        posterior, _ = study.place(np.isin(study.some.choices.person, some))
        for name, rules in audited(study.yes, study.no).items():
            said = weigh(study.known(rules), {study.category: posterior}, turn)
            counts[name] += (
                float(np.mean([verdict(r.prob_data, r.prob_prior) == "contradicted" for r in said.rules]))
                / draws
            )
    return counts


def main() -> None:
    """Runs everything and prints the line."""
    parser = script_parser(__doc__, data="choice_camera")
    parser.add_argument("--mapping", type=Path, help="mapping file, where the folder is not a known one")
    parser.add_argument("--people", type=int, nargs="+", default=[5, 10, 30, 100], help="numbers of people")
    parser.add_argument("--draws", type=int, default=30, help="draws of people (30; 10 for 100 people)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.perf_counter()
    data = data_folder(options.data)
    graph, ontology = read(data, options.mapping)
    about = environment("scipy")
    print(json.dumps(about))
    shop = read_training_data(graph, ontology, options.seed)
    study = Study(next(iter(shop.own_choices.values())), ontology)
    line: dict[str, Any] = {"data": data.name}
    rows = []
    for people in options.people:
        draws = options.draws if people < 100 else max(options.draws // 3, 2)
        for name, found in few(study, people, draws, options.seed).items():
            rows.append([people, name, found["l1"], found["gain"], found["gain_error"]])
            line[f"l1_{people}_{name}"], line[f"gain_{people}_{name}"] = found["l1"], found["gain"]
    alone = without_data(study, options.seed)
    line |= {f"l1_rules_alone_{k}": v for k, v in alone.items() if k != "none"}
    audits = []
    for people in (30, 100, len(study.people)):
        found = audit(study, people, 1 if people == len(study.people) else options.draws, options.seed)
        audits.append([people, found["wrong"], found["right"]])
        line[f"audit_{people}_wrong"], line[f"audit_{people}_right"] = found["wrong"], found["right"]
    line |= {"seconds": round(time.perf_counter() - began, 1), "peak_mb": peak_mb()}
    show("rules at confidence .9", ["people", "rules", "L1", "gain", "error"], rows)
    show("rules without data", ["rules", "L1"], list(alone.items()))
    show("called contradicted", ["people", "wrong rules", "right rules"], audits)
    finish(
        f"rules-{line['data']}", line, {"environment": about, "draws": options.draws, "seed": options.seed}
    )


if __name__ == "__main__":
    command(main)
