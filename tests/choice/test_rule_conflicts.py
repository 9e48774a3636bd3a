"""Rules that fight: smallest sets against brute force, through the data and among hard rules."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from generated_shop import ontology
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrank.choice.data.design import Block, Layout
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules import conflicts
from kgrank.choice.rules.conflicts import RARER, smallest_sets
from kgrank.choice.rules.findings import stored_conflict
from kgrank.choice.rules.weigh import UNLIKELY, weigh
from kgrank.errors import RunError
from kgrank.ontology.model import AttributeType, Rule

VALUES = {"color": ("red", "blue"), "size": ("s", "m"), "features": ("pockets", "belt")}


def layout(name: str = "dresses") -> Layout:
    blocks = []
    for k, (attribute, values) in enumerate(VALUES.items()):
        nodes = tuple(f"{attribute}={v}" for v in values)
        items = np.full(2, 10)
        blocks.append(
            Block(attribute, AttributeType.CHOICE, 2 * k, nodes, items / 20, items, np.ones(2, bool))
        )
    return Layout(name, tuple(blocks))


def place(mean: np.ndarray, deviation: float = 0.4, name: str = "dresses") -> CategoryPosterior:
    return CategoryPosterior(
        layout(name), mean, np.eye(6) * deviation**2, np.zeros(6), np.ones(6), 200, 40, True
    )


EVEN = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0])
"""Each attribute decides a third."""


def at_least(attribute: str, share: float, sure: float = 0.9, where: str = "dresses") -> Rule:
    return Rule(attribute, "AtLeast", (where,), sure, attribute=attribute, share=share)


def known(*rules: Rule) -> dict[str, Rule]:
    return {r.id: r for r in rules}


@st.composite
def draws_of_rules(draw: st.DrawFn) -> tuple[np.ndarray, float, list[float]]:
    """Rules that hold where some of a few common causes say so, so that some of them fight."""
    rules, size = draw(st.integers(2, 7)), 256
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    causes = random.normal(size=(3, size))
    held = (random.normal(size=(rules, 3)) @ causes + 0.4 * random.normal(size=(rules, size))) > -0.3
    return held, draw(st.sampled_from([1, 6, 20])), random.choice([0.6, 0.8, 0.9], rules).tolist()


def brute_force(held: np.ndarray, least: float, among: list[int]) -> list[tuple[int, ...]]:
    """All smallest sets that fight: too rare, no part too rare, and rarer than by chance."""

    def count(some: tuple[int, ...]) -> int:
        return int(held[list(some)].all(0).sum())

    return [
        some
        for size in range(2, len(among) + 1)
        for some in combinations(among, size)
        if count(some) < least
        and all(count(part) >= least for n in range(1, size) for part in combinations(some, n))
        and RARER * count(some) / held.shape[1] < held[list(some)].mean(1).prod()
    ]


@settings(max_examples=60, deadline=None)
@given(draws_of_rules())
def test_every_set_found_is_smallest_and_after_their_yielding_none_is_left(
    drawn: tuple[np.ndarray, float, list[float]],
) -> None:
    held, least, sure = drawn
    found = smallest_sets(held, least, sure)
    everything = brute_force(held, least, list(range(len(held))))
    assert set(found) <= set(everything)
    if everything:
        assert len(found[0]) == min(map(len, everything)), "the first set is of the fewest rules"
    yielded = {min(reversed(some), key=lambda r: sure[r]) for some in found}
    assert brute_force(held, least, [r for r in range(len(held)) if r not in yielded]) == []


def test_among_too_many_rules_to_try_all_sets_one_is_put_together_that_no_rule_can_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conflicts, "CANDIDATES", 10)
    random = np.random.default_rng(0)
    third = random.integers(3, size=4000)
    fight = np.array([third != k for k in range(3)])
    held = np.vstack([random.random((60, 4000)) < 0.999, fight])
    (some,) = smallest_sets(held, 50, [0.9] * 63)
    assert some == (60, 61, 62)


def test_three_rules_of_which_any_two_can_hold_are_named_together() -> None:
    rules = known(*(at_least(a, 0.35) for a in VALUES))
    found = weigh(ontology(rules), {"dresses": place(EVEN)})
    (fight,) = found.conflicts
    assert {r.id for r in fight.rules} == set(VALUES)
    assert fight.together == 0.0
    assert all(p > UNLIKELY for p in fight.alone)
    assert fight.categories == ("dresses",)
    told = stored_conflict(fight, ontology(rules), found)
    assert told.sentence.startswith("color, size and features cannot all be right in Dresses")
    assert "Color 33%" in told.instead


def test_rules_that_have_nothing_to_do_with_each_other_do_not_fight_however_doubtful_each_is() -> None:
    """Four directions that each hold with probability .3: all four with less than .01."""
    rules = {}
    for k, (attribute, (one, other)) in enumerate(list(VALUES.items())[:3]):
        rules[f"r{k}"] = Rule(f"r{k}", "Prefers", ("dresses",), 0.9, attribute=attribute,
                              values=(one, other))  # fmt: skip
    mean = np.array([-0.35, 0.0] * 3)
    found = weigh(ontology(rules), {"dresses": place(mean)})
    assert np.prod([r.prob_data for r in found.rules]) < UNLIKELY
    assert found.conflicts == ()


def test_a_rule_that_the_data_contradict_by_itself_is_in_no_conflict() -> None:
    rules = known(at_least("color", 0.9), at_least("size", 0.2))
    found = weigh(ontology(rules), {"dresses": place(EVEN, 0.1)})
    assert found.rules[0].prob_data < UNLIKELY
    assert found.conflicts == ()


def test_the_same_conflict_in_several_categories_is_named_once() -> None:
    rules = known(*(replace(at_least(a, 0.35), categories=("dresses", "shoes")) for a in VALUES))
    found = weigh(ontology(rules), {c: place(EVEN, name=c) for c in ("dresses", "shoes")})
    (fight,) = found.conflicts
    assert fight.categories == ("dresses", "shoes")


HARD = [
    at_least("color", 0.5, 1.0),
    Rule("low", "AtMost", ("dresses",), 1.0, attribute="size", share=0.3),
    Rule("order", "Order", ("dresses",), 1.0, order=("size", "color")),
    at_least("features", 0.1, 1.0),
    Rule("cap", "AtMost", ("dresses",), 1.0, attribute="features", share=0.6),
]


def test_of_hard_rules_that_exclude_each_other_the_smallest_set_is_named_and_no_other() -> None:
    """Color at least half and size before color leave nothing for features; the other rules may stand."""
    for out in (None, "low", "features", "cap"):
        some = [r for r in HARD if r.id != out]
        with pytest.raises(
            RunError, match="dresses: no part-worths keep the hard rules color and order together"
        ):
            weigh(ontology(known(*some)), {"dresses": place(EVEN)})
    for out in ("color", "order"):
        some = [r for r in HARD if r.id != out]
        found = weigh(ontology(known(*some)), {"dresses": place(EVEN)})
        assert all(r.prob_posterior == 1.0 for r in found.rules)


def test_three_hard_rules_of_which_any_two_can_hold_are_named_together() -> None:
    rules = [at_least(a, 0.35, 1.0) for a in VALUES]
    with pytest.raises(RunError, match="the hard rules color and size and features together"):
        weigh(ontology(known(*rules, HARD[4])), {"dresses": place(EVEN)})
    for two in combinations(rules, 2):
        weigh(ontology(known(*two, HARD[4])), {"dresses": place(EVEN)})


def test_a_hard_rule_that_nothing_keeps_is_named_alone() -> None:
    rules = known(at_least("color", 1.0, 1.0), at_least("size", 0.1, 0.9))
    with pytest.raises(RunError, match="no part-worths keep the hard rule color;"):
        weigh(ontology(rules), {"dresses": place(EVEN)})


def test_hard_rules_that_leave_a_narrow_place_are_kept_not_refused() -> None:
    """Shares of .48 to .52, .28 to .32 and the rest: a thousandth of the simplex, far from the data."""
    rules = [
        at_least("color", 0.48, 1.0),
        Rule("color-cap", "AtMost", ("dresses",), 1.0, attribute="color", share=0.5),
        Rule("size-cap", "AtMost", ("dresses",), 1.0, attribute="size", share=0.06),
        at_least("size", 0.05, 1.0),
    ]
    found = weigh(ontology(known(*rules)), {"dresses": place(EVEN, 0.1)})
    drawn = found.draws["dresses"]
    assert all(r.prob_posterior == 1.0 for r in found.rules)
    assert np.isfinite(drawn).all()
    assert len(found.notes) == 1
    assert "dresses" in found.notes[0]
