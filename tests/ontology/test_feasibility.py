"""The feasibility test agrees with linear programming, and a conflict named is a smallest one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.optimize import linprog

from kgrank.ontology.check.feasibility import bounds, interval, smallest_conflict
from kgrank.ontology.model import Rule

NAMES = tuple("abcdef")


def random_rules(rng: np.random.Generator) -> list[Rule]:
    rules = []
    for k in range(int(rng.integers(1, 9))):
        kind = str(rng.choice(["Order", "Order", "AtLeast", "AtMost", "About", "Irrelevant"]))
        if kind == "Order":
            order = tuple(map(str, rng.permutation(NAMES)[: int(rng.integers(2, 5))]))
            rules.append(Rule(f"r{k}", kind, ("c",), 0.9, order=order))
            continue
        high = 0.5 if kind == "AtLeast" else 1.0
        share, within = round(float(rng.uniform(0, high)), 2), round(float(rng.uniform(0.01, 0.2)), 2)
        attribute = str(rng.choice(NAMES))
        rules.append(Rule(f"r{k}", kind, ("c",), 0.9, attribute=attribute, share=share, within=within))
    return rules


def linear_program(rules: Sequence[Rule], attributes: Sequence[str]) -> bool:
    """Whether shares exist, by a general solver; the bounds are written out once more, from their meaning."""
    low, high = np.zeros(len(attributes)), np.ones(len(attributes))
    rows = []
    for rule in rules:
        order = [attributes.index(a) for a in rule.order if a in attributes]
        for more, less in pairwise(order):
            row = np.zeros(len(attributes))
            row[less], row[more] = 1, -1
            rows.append(row)
        if rule.attribute not in attributes:
            continue
        k, share = attributes.index(rule.attribute), rule.share or 0.0
        match rule.kind:
            case "AtLeast":
                low[k] = max(low[k], share)
            case "AtMost":
                high[k] = min(high[k], share)
            case "About":
                low[k] = max(low[k], share - (rule.within or 0))
                high[k] = min(high[k], share + (rule.within or 0))
            case "Irrelevant":
                high[k] = min(high[k], 0.02)
    if (low > high).any():
        return False
    result = linprog(
        np.zeros(len(attributes)),
        A_ub=np.array(rows) if rows else None,
        b_ub=np.zeros(len(rows)) if rows else None,
        A_eq=np.ones((1, len(attributes))),
        b_eq=[1.0],
        bounds=list(zip(low, high, strict=True)),
    )
    return bool(result.status == 0)


def test_it_agrees_with_linear_programming_on_500_random_sets() -> None:
    rng = np.random.default_rng(7)
    answers = []
    for _ in range(500):
        rules = random_rules(rng)
        attributes = NAMES[: int(rng.integers(3, 7))]
        answer = bounds(rules, attributes).feasible
        assert answer == linear_program(rules, attributes), rules
        answers.append(answer)
    assert 100 < sum(answers) < 400  # Both answers are well represented.


def test_an_order_lifts_the_least_share_of_what_stands_before() -> None:
    order = Rule("o", "Order", ("c",), 0.9, order=("size", "color", "neckline"))
    floor = Rule("f", "AtLeast", ("c",), 0.9, attribute="neckline", share=0.35)
    attributes = ("size", "color", "neckline", "price")
    assert sum(bounds([order, floor], attributes).lower.values()) == pytest.approx(1.05)
    assert not bounds([order, floor], attributes).feasible
    assert bounds([floor], attributes).feasible


def test_a_conflict_is_a_smallest_one() -> None:
    rng = np.random.default_rng(11)
    seen = 0
    for _ in range(300):
        rules = random_rules(rng)
        if bounds(rules, NAMES).feasible:
            continue
        seen += 1
        conflict = smallest_conflict(rules, lambda some: bounds(some, NAMES).feasible)
        assert not linear_program(conflict, NAMES)
        for rule in conflict:
            assert linear_program([r for r in conflict if r is not rule], NAMES)
    assert seen > 50


def test_a_rule_of_another_kind_bounds_nothing() -> None:
    assert interval(Rule("r", "Monotone", ("c",), 0.9, attribute="a")) == (0.0, 1.0)


def test_no_conflict_has_fewer_rules_than_the_one_named() -> None:
    """Against all sets of rules, in 100 random conflicts."""
    rng = np.random.default_rng(11)
    found = 0
    while found < 100:
        rules = random_rules(rng)

        def together(some: Sequence[Rule]) -> bool:
            return bounds(some, NAMES).feasible

        if together(rules):
            continue
        fewest = next(
            size
            for size in range(1, len(rules) + 1)
            if not all(together(some) for some in combinations(rules, size))
        )
        assert len(smallest_conflict(rules, together)) == fewest
        found += 1
