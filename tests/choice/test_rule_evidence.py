"""Rules as evidence: when each kind holds, and how far a rule can move what the data say."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from generated_shop import ontology
from scipy import stats

from kgrank.choice.data.design import Block, Layout
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.author_reliability import (
    RELIABILITY,
    RELIABILITY_PRIOR,
    RuleSet,
    RulesInCategory,
    priors_by_reliability,
)
from kgrank.choice.rules.bounds import Statements, prior_probabilities
from kgrank.choice.rules.statement import CHANCE_HIGH, CHANCE_LOW, Switch, quantity_value, statement, switch
from kgrank.choice.rules.verdict import verdict
from kgrank.choice.rules.weigh import weigh
from kgrank.errors import RunError
from kgrank.ontology.model import AttributeType, Rule


def block(name: str, start: int, values: tuple[str, ...], kind: AttributeType) -> Block:
    count = np.full(len(values), 10)
    nodes = tuple(f"{name}={v}" for v in values)
    return Block(name, kind, start, nodes, count / count.sum(), count, np.ones(len(values), bool))


PRICE = Block("price", AttributeType.NUMBER, 6, ("price=*",), np.zeros(1), np.array([30]), np.ones(1, bool),
              centre=35.0, scale=10.0, p05=20.0, p95=50.0, minimum=20.0, maximum=50.0)  # fmt: skip
LAYOUT = Layout(
    "dresses",
    (
        block("color", 0, ("red", "blue", "green"), AttributeType.CHOICE),
        block("size", 3, ("s", "m", "l"), AttributeType.ORDERED),
        PRICE,
    ),
)
AT = np.array([1.0, 0.0, -1.0, 0.0, 0.5, 1.0, -1 / 3])
"""Ranges: colour 2, size 1, price 1; shares .5, .25, .25."""


def rule(kind: str, **said: object) -> Rule:
    return Rule("r", kind, ("dresses",), 0.9, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (rule("AtLeast", attribute="color", share=0.4), 0.1),
        (rule("AtLeast", attribute="size", share=0.4), -0.15),
        (rule("AtMost", attribute="size", share=0.4), 0.15),
        (rule("AtMost", attribute="color", share=0.4), -0.1),
        (rule("About", attribute="color", share=0.45, within=0.1), 0.05),
        (rule("About", attribute="color", share=0.3, within=0.1), -0.1),
        (rule("About", attribute="color", share=0.48), 0.03),
        (rule("Irrelevant", attribute="color"), 0.02 - 0.5),
        (rule("Order", order=("color", "size")), 0.25),
        (rule("Order", order=("size", "color", "price")), -0.25),
        (rule("Monotone", attribute="price", better="Less"), 1 / 3),
        (rule("Monotone", attribute="price", better="More"), -1 / 3),
        (rule("Monotone", attribute="size", better="More"), 0.5),
        (rule("Monotone", attribute="size", better="Less"), -0.5),
        (rule("Prefers", attribute="color", values=("red", "green")), 2.0),
        (rule("Prefers", attribute="color", values=("red", "green", "blue")), -1.0),
        (rule("SameAs", members=("red", "blue")), 0.1 * 2 - 1.0),
        (rule("SameAs", members=("m", "l")), 0.1 * 1 - 0.5),
    ],
    ids=lambda x: f"{x.kind} {x.attribute or ''}" if isinstance(x, Rule) else "",
)
def test_each_kind_bounds_its_quantity_and_is_so_far_from_failing(said: Rule, expected: float) -> None:
    stated = statement(said, LAYOUT)
    assert stated is not None

    def value(part_worths: Any, xp: Any = np) -> Any:
        return quantity_value(stated.quantity, LAYOUT, part_worths, xp=xp)

    single = float(value(AT))
    assert min(single - stated.lower, stated.upper - single) == pytest.approx(expected)
    assert value(torch.from_numpy(AT), xp=torch).item() == pytest.approx(single)
    assert value(np.tile(AT, (3, 1))) == pytest.approx([single] * 3)


@pytest.mark.parametrize(
    "said",
    [
        rule("AtLeast", attribute="brand", share=0.4),
        rule("Prefers", attribute="color", values=("red", "pink")),
        rule("Inherits"),
        rule("Exposure", brand="aurora", share=0.2),
    ],
    ids=lambda x: str(x.kind),
)
def test_a_rule_that_says_nothing_of_the_part_worths_does_not_act(said: Rule) -> None:
    assert statement(said, LAYOUT) is None


def place(mean: np.ndarray, deviation: float, name: str = "dresses", home: bool = True) -> CategoryPosterior:
    width = LAYOUT.width
    return CategoryPosterior(
        replace(LAYOUT, category=name),
        mean,
        np.eye(width) * deviation**2,
        np.zeros(width),
        np.ones(width),
        100,
        50,
        home,
    )


def without_rules(mean: np.ndarray, deviation: float) -> np.ndarray:
    """Draws of the price's slope from the data alone."""
    return weigh(ontology({}), {"dresses": place(mean, deviation)}).draws["dresses"][:, 6]


CHEAPER = rule("Monotone", attribute="price", better="Less")


def slope(mean: float) -> np.ndarray:
    return np.array([0.0] * 6 + [mean])


@pytest.mark.parametrize("sure", [0.6, 0.9, 0.99])
@pytest.mark.parametrize("mean", [-0.5, 0.0, 0.5, 3.0])
def test_in_one_place_the_rule_weighs_draws_by_its_confidence_over_chance(sure: float, mean: float) -> None:
    """p/π where it holds, (1 - p)/(1 - π) where not, counted over the same draws."""
    said = replace(CHEAPER, sure=sure)
    found = weigh(ontology({"r": said}), {"dresses": place(slope(mean), 0.5)})
    free, drawn = without_rules(slope(mean), 0.5), found.draws["dresses"][:, 6]
    (chance,) = prior_probabilities(Statements(LAYOUT, (statement(said, LAYOUT),)), np.zeros(7), np.ones(7))
    assert chance == pytest.approx(0.5, abs=0.03)
    holds = (free <= 0).mean()
    on, off = holds * sure / chance, (1 - holds) * (1 - sure) / (1 - chance)
    assert (drawn <= 0).mean() == pytest.approx(on / (on + off), abs=0.02)


def test_a_single_places_switch_is_worth_the_confidence_and_below_chance_nothing() -> None:
    for sure in (0.05, 0.3, 0.6, 0.9, 0.99):
        for chance in (CHANCE_LOW, 0.2, 0.5, 0.8, CHANCE_HIGH):
            rules = in_one_category(replace(CHEAPER, sure=sure), chance)
            (prior,) = rules.prior
            assert 0 <= prior <= 1
            (holds,), (fails,) = rules.ratios(rules.by_category["dresses"])
            if prior < 1:
                acts = max(sure, chance)
                assert prior * holds + 1 - prior == pytest.approx(acts / chance)
                assert prior * fails + 1 - prior == pytest.approx((1 - acts) / (1 - chance))


@pytest.mark.parametrize("mean", [-1.0, 0.3, 3.0])
def test_a_rule_below_chance_leaves_every_draw_and_its_authors_other_rules_as_they_are(mean: float) -> None:
    """A confidence of .3 in what holds every second time is no rule for the opposite."""
    unsure = replace(CHEAPER, id="u", sure=0.3)
    other = rule("Prefers", attribute="color", values=("red", "green"))
    with_it = weigh(ontology({"u": unsure, "r": other}), {"dresses": place(slope(mean), 0.5)})
    without = weigh(ontology({"r": other}), {"dresses": place(slope(mean), 0.5)})
    assert (with_it.draws["dresses"] == without.draws["dresses"]).all()
    assert not with_it.rules[0].has_effect
    assert with_it.rules[1].has_effect
    assert any(note.startswith("u (kg:sure 0.3, by chance 0.5") for note in with_it.notes)


def in_one_category(said: Rule, chance: float) -> RuleSet:
    """A rule that holds by chance with a given probability, in one category."""
    stated = statement(said, LAYOUT)
    assert stated is not None
    alone = RulesInCategory(
        category="dresses",
        posterior=place(np.zeros(LAYOUT.width), 1.0),
        rules=np.array([0]),
        statements=Statements(LAYOUT, (stated,)),
        prob_prior=np.array([chance]),
        chance=np.array([chance]),
        prob_data=np.array([0.5]),
    )
    return RuleSet(ontology({"r": said}), {"dresses": alone})


def weight(how: Switch, holds: Any, chance: float) -> Any:
    """Of part-worths under the switch on, against off: written out once more, from its meaning."""
    return holds * how.on / chance + (1 - holds) * (1 - how.on) / (1 - chance)


def test_no_soft_rule_moves_the_odds_by_more_than_its_own() -> None:
    """However far the data are on the other side, the log-odds move by a constant."""
    said = replace(CHEAPER, sure=0.99)
    far = weigh(ontology({"r": said}), {"dresses": place(slope(5.0), 0.5)})
    assert far.draws["dresses"][:, 6].mean() == pytest.approx(5.0, abs=0.05)
    near = weigh(ontology({"r": said}), {"dresses": place(slope(0.8), 0.5)})
    slopes = without_rules(slope(0.8), 0.5), near.draws["dresses"][:, 6]
    before, after = ((x <= 0).mean() for x in slopes)
    odds = np.log(after / (1 - after)) - np.log(before / (1 - before))
    assert odds <= np.log(99) + 0.3


@pytest.mark.parametrize("mean", [-1.0, 0.5, 1.0])
def test_a_hard_rule_holds_in_every_draw(mean: float) -> None:
    found = weigh(ontology({"r": replace(CHEAPER, sure=1.0)}), {"dresses": place(slope(mean), 0.5)})
    assert (found.draws["dresses"][:, 6] <= 0).all()


def test_a_hard_rule_that_the_data_do_not_know_still_holds_in_every_draw() -> None:
    """The data are ten standard deviations away; a normal that far out falls by e in a tenth of one."""
    found = weigh(ontology({"r": replace(CHEAPER, sure=1.0)}), {"dresses": place(slope(5.0), 0.5)})
    drawn = found.draws["dresses"][:, 6]
    assert (drawn <= 0).all()
    assert drawn.mean() == pytest.approx(-0.05, abs=0.02)
    assert verdict(found.rules[0].prob_data, found.rules[0].prob_prior) == "contradicted"


def test_hard_rules_that_exclude_each_other_are_an_error_that_names_the_category() -> None:
    more = replace(CHEAPER, id="s", better="More", sure=1.0)
    known = ontology({"r": replace(CHEAPER, sure=1.0), "s": more})
    with pytest.raises(RunError, match="dresses: no part-worths keep the hard rules r and s together"):
        weigh(known, {"dresses": place(slope(0.5), 0.5)})


def test_a_rule_leaves_other_categories_alone() -> None:
    places = {"dresses": place(slope(0.2), 0.5), "shoes": place(slope(0.2), 0.5, "shoes")}
    found = weigh(ontology({"r": CHEAPER}), places)
    alone = weigh(ontology({}), places)
    assert (found.draws["shoes"] == alone.draws["shoes"]).all()
    assert found.ruled == {"dresses"}


def test_a_rule_that_holds_in_one_category_is_believed_more_in_another() -> None:
    said = replace(CHEAPER, categories=("dresses", "shoes"), sure=0.7)
    unsure = place(slope(0.0), 1.0)

    def holds(elsewhere: float) -> float:
        other = place(slope(elsewhere), 0.2, "shoes")
        found = weigh(ontology({"r": said}), {"dresses": unsure, "shoes": other})
        return float((found.draws["dresses"][:, 6] <= 0).mean())

    assert holds(-1.0) > 0.75 > holds(1.0)
    assert holds(1.0) > 0.49, "a rule found wrong elsewhere falls silent, it does not turn round"


def test_choices_that_count_elsewhere_are_not_counted_twice() -> None:
    said = replace(CHEAPER, categories=("dresses", "shoes"))
    unsure, other = place(slope(0.0), 1.0), place(slope(-1.0), 0.2, "shoes", home=False)
    known = ontology({"r": said})
    alone = weigh(known, {"dresses": unsure}).draws["dresses"][:, 6]
    beside = weigh(known, {"dresses": unsure, "shoes": other}).draws["dresses"][:, 6]
    assert (alone <= 0).mean() == pytest.approx((beside <= 0).mean(), abs=0.05)


@pytest.mark.parametrize(
    ("mean", "deviation", "word"),
    [(-2.0, 0.3, "supported"), (2.0, 0.3, "contradicted"), (0.0, 1.0, "silent"), (-1.0, 0.7, "leans for"),
     (1.0, 0.7, "leans against")],
)  # fmt: skip
def test_the_audit_says_what_the_data_alone_say(mean: float, deviation: float, word: str) -> None:
    found = weigh(ontology({"r": CHEAPER}), {"dresses": place(slope(mean), deviation)})
    (evidence,) = found.rules
    assert verdict(evidence.prob_data, evidence.prob_prior) == word
    assert np.isfinite(evidence.log_bayes_factor)
    assert (evidence.choice_count, evidence.person_count) == (100, 50)


def test_the_same_seed_gives_the_same_draws() -> None:
    places = {"dresses": place(slope(1.0), 0.5)}
    known = ontology({"r": replace(CHEAPER, sure=0.99)})
    first, second = (weigh(known, places, seed=3).draws["dresses"] for _ in range(2))
    assert (first == second).all()


RIGHT_THERE = {"dresses": (-0.4, 0.2), "shirts": (0.5, -1.0), "shoes": (-0.1, 0.9)}
"""Means of the price's slope and of what red is liked more than green, over a deviation of 1."""


def by_enumeration(rules: list[Rule], homes: list[str]) -> dict[tuple[str, str], float]:
    """P(a rule holds in a place | data, rules), over all reliabilities, switches and places.

    Every rule bounds part-worths of its own, so whether it holds is a coin of its own in each place.
    """
    chance = 0.5
    data = {
        (r.id, c): stats.norm.cdf(RIGHT_THERE[c][k] * (-1 if k == 0 else 1 / np.sqrt(2)))
        for k, r in enumerate(rules)
        for c in homes
    }
    switches = {r.id: switch(r.sure, chance) for r in rules}
    authors = sorted({r.creator for r in rules})
    prior = np.array([s.prior for s in switches.values()])
    held: dict[tuple[str, str], float] = dict.fromkeys(data, 0.0)
    total = 0.0
    for trust in product(range(len(RELIABILITY)), repeat=len(authors)):
        share = {
            r.id: priors_by_reliability(prior)[trust[authors.index(r.creator)], k]
            for k, r in enumerate(rules)
        }
        for on in product((False, True), repeat=len(rules)):
            probability = float(np.prod([RELIABILITY_PRIOR[t] for t in trust]))
            given = {}
            for r, right in zip(rules, on, strict=True):
                probability *= share[r.id] if right else 1 - share[r.id]
                for c in homes:
                    p = data[r.id, c]
                    ratios = (weight(switches[r.id], x, chance) if right else 1.0 for x in (1.0, 0.0))
                    yes, no = (x * ratio for x, ratio in zip((p, 1 - p), ratios, strict=True))
                    probability *= yes + no
                    given[r.id, c] = yes / (yes + no)
            total += probability
            for key, p in given.items():
                held[key] += probability * p
    return {key: p / total for key, p in held.items()}


@pytest.mark.parametrize("authors", [("ann", "ann"), ("ann", "bob")])
@pytest.mark.parametrize("sure", [(0.7, 0.9), (0.9, 0.6)])
def test_several_rules_in_several_places_weigh_as_enumeration_says(
    authors: tuple[str, str], sure: tuple[float, float]
) -> None:
    homes = list(RIGHT_THERE)
    red = rule("Prefers", attribute="color", values=("red", "green"))
    rules = [
        replace(said, id=f"r{k}", categories=tuple(homes), sure=sure[k], creator=authors[k])
        for k, said in enumerate((CHEAPER, red))
    ]
    places = {}
    for name, (slope_, likes) in RIGHT_THERE.items():
        mean = np.zeros(LAYOUT.width)
        mean[6], mean[0] = slope_, likes
        places[name] = place(mean, 1.0, name)
    found = weigh(ontology({r.id: r for r in rules}), places)
    expected = by_enumeration(rules, homes)
    for evidence in found.rules:
        for name, held in zip(evidence.categories, evidence.by_category[:, 2], strict=True):
            assert held == pytest.approx(expected[evidence.rule.id, name], abs=0.03)


def test_one_rule_in_several_places_weighs_as_quadrature_says() -> None:
    """The mean of the slope under its posterior, integrated over the line."""
    means = {"dresses": -0.6, "shirts": 0.3, "shoes": 0.2}
    said = replace(CHEAPER, categories=tuple(means), sure=0.8)
    found = weigh(ontology({"r": said}), {c: place(slope(m), 0.7, c) for c, m in means.items()})
    how = switch(0.8, 0.5)
    line = np.linspace(-6, 6, 20_001)
    density = {c: stats.norm.pdf(line, m, 0.7) for c, m in means.items()}
    ratio = weight(how, (line <= 0).astype(float), 0.5)
    for c in means:
        others = [np.sum(density[o] * ratio) / np.sum(density[o]) for o in means if o != c]
        odds = how.prior / (1 - how.prior) * np.prod(others)
        on = odds / (1 + odds)
        weighted = density[c] * (on * ratio + 1 - on)
        expected = np.sum(line * weighted) / np.sum(weighted)
        assert found.draws[c][:, 6].mean() == pytest.approx(expected, abs=0.02)


def test_a_rule_that_is_wrong_in_500_places_is_disbelieved_and_costs_nothing_there() -> None:
    names = ["dresses", *(f"c{k}" for k in range(499))]
    known = ontology({"r": replace(CHEAPER, categories=tuple(names))})
    tree = {c: replace(known.categories["shoes"], id=c) for c in names if c not in known.categories}
    known = replace(known, categories={**known.categories, **tree})
    everywhere = weigh(known, {c: place(slope(0.4), 0.5, c) for c in names})
    alone = weigh(ontology({"r": CHEAPER}), {"dresses": place(slope(0.4), 0.5)})
    assert everywhere.rules[0].prob_rule_right < 0.01
    without = without_rules(slope(0.4), 0.5).mean()
    cost = [abs(v.draws["dresses"][:, 6].mean() - without) for v in (everywhere, alone)]
    assert cost[0] < 0.005 < 0.1 < cost[1]


def test_an_author_is_not_disbelieved_more_because_one_wrong_rule_covers_more_places() -> None:
    """A rule is one statement: wrong in 3 places or in 30, it leaves its author's other rule as strong."""

    def other_holds(places: int) -> float:
        names = [f"c{k}" for k in range(places)]
        known = ontology({})
        tree = {c: replace(known.categories["shoes"], id=c) for c in names}
        wrong = replace(CHEAPER, id="wrong", categories=tuple(names), sure=0.7)
        known = replace(
            known,
            categories={**known.categories, **tree},
            rules={"r": replace(CHEAPER, sure=0.7), "wrong": wrong},
        )
        at = {c: place(slope(3.0), 0.3, c) for c in names}
        found = weigh(known, {"dresses": place(slope(0.0), 1.0), **at})
        return float((found.draws["dresses"][:, 6] <= 0).mean())

    assert other_holds(30) == pytest.approx(other_holds(3), abs=0.02)
    assert other_holds(3) > 0.55


@pytest.mark.parametrize("sure", [1e-12, 1 - 1e-12])
def test_the_surest_rule_and_the_least_sure_leave_finite_part_worths(sure: float) -> None:
    found = weigh(ontology({"r": replace(CHEAPER, sure=sure)}), {"dresses": place(slope(0.2), 0.5)})
    assert np.isfinite(found.draws["dresses"]).all()
    assert np.isfinite([found.rules[0].log_bayes_factor, found.rules[0].prob_rule_right]).all()


@pytest.mark.parametrize(("mean", "holds"), [(0.8, True), (5.0, False)])
def test_ten_thousand_authors_that_agree_outweigh_the_data_unless_no_draw_of_these_agrees(
    mean: float, holds: bool
) -> None:
    """Soft rules re-weight draws: what not one in 8,000 shows is overruled, however many say it."""
    rules = {f"r{k}": replace(CHEAPER, id=f"r{k}", creator=f"p{k}") for k in range(10_000)}
    found = weigh(ontology(rules), {"dresses": place(slope(mean), 0.5)})
    drawn = found.draws["dresses"][:, 6]
    assert np.isfinite(drawn).all()
    assert ((drawn <= 0) == holds).all()


def test_ten_thousand_rules_of_one_author_have_a_bounded_say() -> None:
    rules = {f"r{k}": replace(CHEAPER, id=f"r{k}", creator="ann") for k in range(10_000)}
    found = weigh(ontology(rules), {"dresses": place(slope(1.6), 0.5)})
    drawn = found.draws["dresses"][:, 6]
    assert np.isfinite(drawn).all()
    assert (drawn <= 0).mean() < 0.05, "one author in nine is careless, and the data say that it is this one"


def test_a_rule_no_surer_than_chance_is_noted_with_its_chance() -> None:
    found = weigh(ontology({"r": replace(CHEAPER, sure=0.5)}), {"dresses": place(slope(0.2), 0.5)})
    assert any(note.startswith("r (kg:sure 0.5, by chance 0.5") for note in found.notes)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_posterior_that_is_not_finite_is_an_error_that_names_the_category_and_the_value(bad: float) -> None:
    with pytest.raises(RunError, match=r"dresses: the part-worths of price=\* have no finite posterior"):
        weigh(ontology({"r": CHEAPER}), {"dresses": place(slope(bad), 0.5)})


def test_a_posterior_without_width_stays_finite_and_keeps_to_itself_under_soft_rules() -> None:
    found = weigh(ontology({"r": CHEAPER}), {"dresses": place(slope(0.5), 0.0)})
    assert found.draws["dresses"][:, 6] == pytest.approx(0.5)
    assert np.isfinite([found.rules[0].log_bayes_factor, found.rules[0].prob_posterior]).all()


def test_a_hard_rule_that_a_posterior_without_width_breaks_is_refused_by_name() -> None:
    hard = replace(CHEAPER, sure=1.0)
    with pytest.raises(RunError, match="no part-worths keep the hard rule r;"):
        weigh(ontology({"r": hard}), {"dresses": place(slope(0.5), 0.0)})


def test_other_categories_do_not_move_what_is_drawn_in_one() -> None:
    """So a training and a look at one rule more compare like with like."""
    known = ontology({"r": CHEAPER})
    alone = weigh(known, {"dresses": place(slope(0.2), 0.5)})
    beside = weigh(known, {"shoes": place(slope(1.0), 0.5, "shoes"), "dresses": place(slope(0.2), 0.5)})
    assert (alone.draws["dresses"] == beside.draws["dresses"]).all()
