"""One wrong rule over 500 categories: what it costs in each, and whether it is found out.

    python benchmarks/rule_everywhere.py
    python benchmarks/rule_everywhere.py --categories 50

Every category has part-worths of its own, drawn at random, but in all of them one attribute matters more than
another, and the rule says the opposite at confidence .9. Choices among 5 items are generated for a few people.
Three fits are compared in each category: without the rule, with the rule in this category alone, and with the rule
over all categories as one statement. Cost is held-out log-likelihood a choice lost, and L1 of the importance to
the truth gained, against the fit without the rule. Beside it, the rule turned round, which is right everywhere.
At the end ten thousand rules, drawn at random and so at odds with each other, are weighed over 50 categories.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from scipy import sparse

from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from kgrank.arrays import Floats
from kgrank.choice.data.design import Block, Layout
from kgrank.choice.importance import importance
from kgrank.choice.logit.categories import FLAT
from kgrank.choice.logit.fit import fit
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.weigh import RuleEvidence, weigh
from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology, Rule

SURE = 0.9
ATTRIBUTES, VALUES, ITEMS, SHOWN = 6, 3, 60, 5
TEST = 400
"""Held-out choices of a category, of people that are not learned from."""

LEAST = 0.1
"""The first attribute's share of the decision is at least so much above the second's."""

NOTICED = 0.001
"""Log-likelihood a choice below which a cost is none: draws differ by as much."""


@dataclass(frozen=True)
class Shop:
    """One category: what is learned from, what is held out, and the truth."""

    place: CategoryPosterior
    test: Choices
    truth: Floats

    def fit(self, part_worths: Floats) -> tuple[float, float]:
        """Held-out log-likelihood a choice, and L1 of the importance to the truth."""
        layout = self.place.layout
        likelihood = float(self.test.log_likelihood(self.test.utility(part_worths)).mean())
        gap = abs(importance(layout, part_worths) - importance(layout, self.truth)).sum()
        return likelihood, float(gap)


def layout(category: str) -> Layout:
    """Some attributes with as many items of each value."""
    blocks = []
    for k in range(ATTRIBUTES):
        nodes = tuple(f"a{k}=v{v}" for v in range(VALUES))
        items = np.full(VALUES, ITEMS // VALUES)
        blocks.append(
            Block(
                f"a{k}", AttributeType.CHOICE, VALUES * k, nodes, items / ITEMS, items, np.ones(VALUES, bool)
            )
        )
    return Layout(category, tuple(blocks))


def choices(one: Layout, truth: Floats, people: int, each: int, generator: np.random.Generator) -> Choices:
    """Lists of 5 items, and which of each was taken."""
    count = people * each
    values = generator.integers(VALUES, size=(count * SHOWN, ATTRIBUTES))
    rows = np.repeat(np.arange(len(values)), ATTRIBUTES)
    columns = (values + VALUES * np.arange(ATTRIBUTES)).ravel()
    ones = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(values), one.width))
    raw = sparse.hstack([ones, np.ones((len(values), ATTRIBUTES))], format="csr")
    utility = np.asarray(raw @ (one.centring @ truth)) + generator.gumbel(size=len(values))
    chosen = np.zeros((count, SHOWN))
    chosen[np.arange(count), utility.reshape(count, SHOWN).argmax(1)] = 1.0
    return Choices(
        raw=raw,
        centring=one.centring,
        start=np.arange(count + 1) * SHOWN,
        chosen=chosen.ravel(),
        outside=np.zeros(count, bool),
        left=np.zeros(count),
        person=np.repeat(np.arange(people), each),
        time=np.tile(np.arange(each), people),
        offset=np.zeros(len(values)),
    )


def shop(category: str, people: int, each: int, seed: int) -> Shop:
    """A category in which the first attribute matters more than the second."""
    generator = np.random.default_rng([seed, int(category[1:])])
    one = layout(category)
    while True:
        truth = generator.normal(0, 0.7, one.width)
        shares = importance(one, truth)
        if shares[0] > shares[1] + LEAST:
            break
    some = choices(one, truth, people, each, generator)
    found = fit(some, np.zeros(one.width), np.full(one.width, FLAT))
    deviation = np.full(one.width, FLAT**-0.5)
    place = CategoryPosterior(
        layout=one,
        mean=found.part_worths,
        covariance=found.covariance,
        prior_mean=np.zeros(one.width),
        prior_deviation=deviation,
        choice_count=len(some),
        person_count=people,
        own_choices=True,
    )
    return Shop(place, choices(one, truth, TEST, 1, generator), truth)


def known(categories: list[str], rule: Rule) -> Ontology:
    """Siblings below one root."""
    attributes = {f"a{k}": Attribute(f"a{k}") for k in range(ATTRIBUTES)}
    tree = {"root": Category("root", uses=dict.fromkeys(attributes, Need.ALLOWED))}
    tree |= {c: Category(c, parent="root") for c in categories}
    return Ontology("1", tree, attributes, rules={rule.id: rule})


def costs(shops: Mapping[str, Shop], part_worths: Mapping[str, Floats]) -> Floats:
    """(categories, 2) log-likelihood lost and L1 gained against the fit without the rule."""
    found = []
    for name, one in shops.items():
        free, ruled = one.fit(one.place.mean), one.fit(part_worths[name])
        found.append([free[0] - ruled[0], ruled[1] - free[1]])
    return np.array(found)


def compare(shops: Mapping[str, Shop], order: tuple[str, str]) -> tuple[Floats, Floats, RuleEvidence, float]:
    """Costs of the rule everywhere and alone, what is said of it, and the seconds of weighing it everywhere."""
    rule = Rule("order", "Order", ("root",), SURE, order=order, creator="author")
    ontology = known(list(shops), rule)
    began = time.perf_counter()
    said = weigh(ontology, {c: s.place for c, s in shops.items()})
    seconds = time.perf_counter() - began
    everywhere = {c: said.draws[c].mean(0) for c in shops}
    alone = {}
    for name, one in shops.items():
        there = replace(ontology, rules={"order": replace(rule, categories=(name,))})
        alone[name] = weigh(there, {name: one.place}).draws[name].mean(0)
    return costs(shops, everywhere), costs(shops, alone), said.rules[0], seconds


def many(shops: Mapping[str, Shop], count: int, seed: int) -> dict[str, Any]:
    """Seconds in which many rules are weighed, and whether all that comes out is finite."""
    generator = np.random.default_rng(seed)
    names = list(shops)
    rules = {}
    for k in range(count):
        own = [f"a{i}" for i in generator.permutation(ATTRIBUTES)[: int(generator.integers(2, 4))]]
        share = float(generator.uniform(0.02, 0.4))
        said: dict[str, dict[str, Any]] = {
            "Order": {"order": tuple(own)},
            "AtLeast": {"attribute": own[0], "share": share},
            "AtMost": {"attribute": own[0], "share": share},
            "About": {"attribute": own[0], "share": share, "within": 0.05},
        }
        kind = list(said)[int(generator.integers(len(said)))]
        where = names[int(generator.integers(len(names)))]
        sure, author = float(generator.uniform(0.6, 0.95)), f"author-{generator.integers(5)}"
        rules[f"r{k}"] = Rule(f"r{k}", kind, (where,), sure, creator=author, **said[kind])
    began, processor = time.perf_counter(), time.process_time()
    ontology = replace(known(names, next(iter(rules.values()))), rules=rules)
    found = weigh(ontology, {c: s.place for c, s in shops.items()})
    return {
        "many_rules": len(found.rules),
        "many_rules_seconds": round(time.perf_counter() - began, 1),
        "many_rules_processor_seconds": round(time.process_time() - processor, 1),
        "many_rules_finite": int(all(np.isfinite(d).all() for d in found.draws.values())),
        "many_rules_conflicts": len(found.conflicts),
    }


def main() -> None:
    """Runs everything and prints the line."""
    parser = script_parser(__doc__)
    parser.add_argument("--categories", type=int, default=500)
    parser.add_argument("--people", type=int, default=8, help="people of a category that are learned from")
    parser.add_argument("--choices", type=int, default=8, help="choices of each")
    parser.add_argument("--rules", type=int, default=10_000, help="rules that are weighed at the end")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.perf_counter()
    about = environment("scipy")
    print(json.dumps(about))
    names = [f"c{k}" for k in range(options.categories)]
    shops = {c: shop(c, options.people, options.choices, options.seed) for c in names}
    line: dict[str, Any] = {"categories": len(names)}
    rows = []
    for word, order in (("wrong", ("a1", "a0")), ("right", ("a0", "a1"))):
        everywhere, alone, said, seconds = compare(shops, order)
        line |= {
            f"{word}_probability": said.prob_rule_right,
            f"{word}_cost_everywhere": float(everywhere[:, 0].mean()),
            f"{word}_cost_alone": float(alone[:, 0].mean()),
            f"{word}_l1_everywhere": float(everywhere[:, 1].mean()),
            f"{word}_l1_alone": float(alone[:, 1].mean()),
            f"{word}_worst_everywhere": float(everywhere[:, 0].max()),
            f"{word}_worst_alone": float(alone[:, 0].max()),
        }
        above = everywhere[:, 0] > np.maximum(alone[:, 0], 0.0) + NOTICED
        line[f"{word}_categories_above_alone"] = int(above.sum())
        line[f"{word}_weigh_seconds"] = round(seconds, 2)
        for where, cost in (("everywhere", everywhere), ("alone", alone)):
            rows.append([word, where, *cost.mean(0).tolist(), cost[:, 0].max()])
    line["wrong_excess_cost"] = line["wrong_cost_everywhere"] - line["wrong_cost_alone"]
    line["wrong_excess_l1"] = line["wrong_l1_everywhere"] - line["wrong_l1_alone"]
    line |= many(dict(list(shops.items())[:50]), options.rules, options.seed)
    line |= {"seconds": round(time.perf_counter() - began, 1), "peak_mb": peak_mb()}
    print(
        f"probability of the wrong rule {line['wrong_probability']:.1e}, of the right one "
        f"{line['right_probability']:.3f}"
    )
    show(
        f"one rule over {len(names)} categories, {options.people} people with {options.choices} choices in each",
        ["rule", "where", "log-likelihood lost", "L1 gained", "worst lost"],
        rows,
    )
    finish("rule-everywhere", line, {"environment": about, "seed": options.seed})


if __name__ == "__main__":
    command(main)
