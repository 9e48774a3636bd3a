"""The audit of one rule never contradicts itself: verdict, evidence, probabilities and bar point the same way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from statistics import NormalDist

import numpy as np
import pytest
from generated_shop import ontology
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrank.choice.data.design import Block, Layout
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.author_reliability import (
    RELIABILITY_PRIOR,
    RuleSet,
    RulesInCategory,
    priors_by_reliability,
)
from kgrank.choice.rules.bounds import Statements
from kgrank.choice.rules.findings import stored_finding
from kgrank.choice.rules.statement import statement
from kgrank.choice.rules.verdict import (
    evidence_of_several,
    log_bayes_factor,
    told_apart,
    verdict,
    within_draws,
)
from kgrank.choice.rules.weigh import RulePosteriors, weigh
from kgrank.ontology.model import AttributeType, Category, Ontology, Rule
from kgrank.weights.model import RuleFinding

FOR, AGAINST = ("supported", "leans for"), ("leans against", "contradicted")
COLOR = Block("color", AttributeType.CHOICE, 0, ("color=red", "color=green"), np.full(2, 0.5),
              np.full(2, 10), np.ones(2, bool))  # fmt: skip
PRICE = Block("price", AttributeType.NUMBER, 2, ("price=*",), np.zeros(1), np.array([30]), np.ones(1, bool),
              centre=35.0, scale=10.0, p05=20.0, p95=50.0, minimum=20.0, maximum=50.0)  # fmt: skip
NAMES = ("dresses", "shirts", "shoes", "c3", "c4", "c5")


def shop(rules: dict[str, Rule]) -> Ontology:
    known = ontology(rules)
    more = {c: Category(c, names={"en": c}) for c in NAMES if c not in known.categories}
    return replace(known, categories={**known.categories, **more})


@dataclass(frozen=True)
class Shop:
    """An ontology's rules, and what choices say in its categories."""

    rules: tuple[Rule, ...]
    posteriors: dict[str, CategoryPosterior]


slopes = st.floats(-3, 3) | st.sampled_from((-9.0, -4.0, 4.0, 9.0))
"""The last make rules certain, or all but impossible, by chance."""


@st.composite
def posteriors(draw: st.DrawFn, name: str) -> CategoryPosterior:
    """A prior, which makes rules probable or improbable by chance, and the choices, few or many, beside it."""
    prior = np.array([draw(slopes), 0.0, draw(slopes)])
    mean = np.array([draw(slopes), draw(slopes), draw(slopes)])
    deviation = draw(st.sampled_from((0.1, 0.5, 1.0)))
    return CategoryPosterior(
        layout=Layout(name, (COLOR, PRICE)),
        mean=mean,
        covariance=np.eye(3) * deviation**2,
        prior_mean=prior,
        prior_deviation=np.ones(3),
        choice_count=100,
        person_count=50,
        own_choices=draw(st.booleans()),
    )


@st.composite
def shops(draw: st.DrawFn) -> Shop:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    kinds = (
        {"kind": "Monotone", "attribute": "price", "better": "Less"},
        {"kind": "Prefers", "attribute": "color", "values": ("red", "green")},
        {"kind": "AtLeast", "attribute": "price", "share": 0.5},
        {"kind": "AtLeast", "attribute": "price", "share": 0.99},
        {"kind": "Irrelevant", "attribute": "color"},
    )
    rules = tuple(
        Rule(
            id=f"r{k}",
            categories=names[: draw(st.integers(1, len(names)))],
            sure=draw(st.floats(0.01, 0.99) | st.sampled_from((0.001, 0.999, 0.9999))),
            creator=draw(st.sampled_from(("ann", "bob"))),
            **draw(st.sampled_from(kinds)),
        )
        for k in range(draw(st.integers(1, 3)))
    )
    return Shop(rules, {name: draw(posteriors(name)) for name in names})


def audited(drawn: Shop) -> tuple[RulePosteriors, list[RuleFinding]]:
    known = shop({r.id: r for r in drawn.rules})
    weighed = weigh(known, drawn.posteriors)
    return weighed, [stored_finding(e, known, weighed) for e in weighed.rules]


@given(shops())
@settings(max_examples=80, deadline=None)
def test_every_number_of_a_rules_row_points_the_way_of_its_verdict(drawn: Shop) -> None:
    weighed, findings = audited(drawn)
    for evidence, finding in zip(weighed.rules, findings, strict=True):
        log_odds = finding.log_bayes_factor
        if finding.verdict == "silent":
            assert abs(log_odds) < np.log(3) + 1e-9
        else:
            assert finding.verdict in (FOR if log_odds > 0 else AGAINST)
        if abs(log_odds) > 1e-9:
            assert (finding.prob_data > finding.prob_prior) == (log_odds > 0)
            right, before = evidence.prob_rule_right, evidence.prob_rule_right_prior
            assert (right - before) * log_odds >= -1e-9
            if finding.prob_rule_right is not None and 1e-6 < before < 1 - 1e-6:
                assert right != before
        assert finding.has_effect == (finding.confidence > finding.prob_prior)


@given(shops())
@settings(max_examples=15, deadline=None)
def test_the_charts_bars_have_the_sign_and_the_colour_of_their_verdicts_the_strongest_first(
    drawn: Shop,
) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.colors import to_hex

    from kgrank.plots import DOWN, QUIET, RULE, UP, audit_plot

    _, findings = audited(drawn)
    (axes,) = audit_plot(findings).axes
    bars = {
        label.get_text(): container.patches[0]
        for label, container in zip(axes.get_yticklabels(), axes.containers, strict=True)
    }
    widths = [abs(container.patches[0].get_width()) for container in axes.containers]
    assert widths == sorted(widths, reverse=True)
    for finding in findings:
        bar = bars[finding.rule]
        assert bar.get_width() == pytest.approx(finding.log_bayes_factor)
        colour = {"silent": QUIET, "leans against": RULE, "contradicted": DOWN}.get(finding.verdict, UP)
        assert to_hex(bar.get_facecolor()) == colour


@pytest.mark.parametrize("sure", [0.6, 0.9, 0.99])
@pytest.mark.parametrize("creators", [("ann", "ann"), ("ann", "bob")])
def test_evidence_and_belief_of_rules_in_several_categories_are_those_of_enumeration(
    sure: float, creators: tuple[str, str]
) -> None:
    """Over every reliability, every switch and every set of categories in which a rule may hold."""
    chance = np.array([[0.5, 0.2, 0.97], [0.3, 0.3, 0.6]])
    data = np.array([[0.9, 0.05, 0.99], [0.6, 0.9, 0.2]])
    rules = rules_in(chance, data, (sure, 0.8), creators)
    before, after = rules.prob_rule_right
    factors = rules.summed_factors(rules.by_category)
    for k in (0, 1):
        assert factors[k] == pytest.approx(switch_factor(rules, chance[k], data[k], k))
        log_odds = np.log(after[k] / (1 - after[k])) - np.log(before[k] / (1 - before[k]))
        assert log_odds == pytest.approx(factors[k])
        assert after[k] == pytest.approx(belief(rules, chance, data, creators, k))


def rules_in(
    chance: np.ndarray, data: np.ndarray, sure: tuple[float, ...], creators: tuple[str, ...]
) -> RuleSet:
    """Rules that hold with given probabilities (rules, categories), by chance and by the data."""
    names = NAMES[: chance.shape[1]]
    known = [
        Rule(f"r{k}", "Monotone", names, s, attribute="price", better="Less", creator=c)
        for k, (s, c) in enumerate(zip(sure, creators, strict=True))
    ]
    by_category = {}
    for at, name in enumerate(names):
        layout = Layout(name, (COLOR, PRICE))
        stated = tuple(s for r in known if (s := statement(r, layout)) is not None)
        by_category[name] = RulesInCategory(
            category=name,
            posterior=CategoryPosterior(
                layout, np.zeros(3), np.eye(3), np.zeros(3), np.ones(3), 100, 50, own_choices=True
            ),
            rules=np.arange(len(known)),
            statements=Statements(layout, stated),
            prob_prior=chance[:, at],
            chance=chance[:, at],
            prob_data=data[:, at],
        )
    return RuleSet(shop({r.id: r for r in known}), by_category)


def likelihoods(rules: RuleSet, chance: np.ndarray, data: np.ndarray, k: int) -> tuple[float, float]:
    """Of one rule's data, its switch off and on: summed over every set of categories where it may hold."""
    off = on = 0.0
    for holds in product((False, True), repeat=len(chance)):
        exceptions = np.minimum(1 - rules.on[k], (1 - chance) / 2)
        of_data = np.prod(np.where(holds, data / chance, (1 - data) / (1 - chance)))
        off += of_data * np.prod(np.where(holds, chance, 1 - chance))
        on += of_data * np.prod(np.where(holds, 1 - exceptions, exceptions))
    return off, on


def switch_factor(rules: RuleSet, chance: np.ndarray, data: np.ndarray, k: int) -> float:
    off, on = likelihoods(rules, chance, data, k)
    return float(np.log(on / off))


def belief(
    rules: RuleSet, chance: np.ndarray, data: np.ndarray, creators: tuple[str, ...], wanted: int
) -> float:
    """P(a rule is right | all data), over all reliabilities of the authors and all switches."""
    prior, authors = priors_by_reliability(rules.prior), sorted(set(creators))
    right = total = 0.0
    for trust in product(range(len(RELIABILITY_PRIOR)), repeat=len(authors)):
        for switches in product((False, True), repeat=len(creators)):
            probability = float(np.prod(RELIABILITY_PRIOR[list(trust)]))
            for k, on in enumerate(switches):
                share = prior[trust[authors.index(creators[k])], k]
                probability *= share if on else 1 - share
                probability *= likelihoods(rules, chance[k], data[k], k)[int(on)]
            total += probability
            right += probability * switches[wanted]
    return right / total


@pytest.mark.parametrize("chance", [0.02, 0.5, 0.93, 0.97, 0.98])
@pytest.mark.parametrize("sure", [0.6, 0.9, 0.99])
def test_a_category_where_a_rule_rather_holds_than_by_chance_is_never_evidence_against_it(
    sure: float, chance: float
) -> None:
    """Also where chance makes it more probable than its author does."""
    for data in (chance / 2, (1 + chance) / 2):
        rules = rules_in(np.array([[0.1, chance]]), np.array([[0.5, data]]), (sure,), ("ann",))
        assert (rules.factors["shirts"][0] > 0) == (data > chance)


def test_evidence_on_several_categories_is_that_of_a_drawn_one_where_both_point_the_same_way() -> None:
    holds, evidence = evidence_of_several(0.999, 0.5, as_a_whole=2.5)
    assert (holds, evidence) == (0.999, log_bayes_factor(0.999, 0.5))
    assert verdict(holds, 0.5) == "supported"


def test_a_rule_that_holds_in_most_categories_and_fails_in_more_than_exceptions_is_not_supported() -> None:
    """It holds in 4 of 6, so in a drawn one rather than by chance; as one statement about all it is wrong."""
    data = np.array([[1.0] * 4 + [0.0] * 2])
    rules = rules_in(np.full((1, 6), 0.5), data, (0.9,), ("ann",))
    as_a_whole = float(rules.summed_factors(rules.by_category)[0])
    assert as_a_whole == pytest.approx(4 * np.log(0.95 / 0.5) + 2 * np.log(0.05 / 0.5))
    probability, evidence = evidence_of_several(float(data.mean()), 0.5, as_a_whole)
    assert evidence == as_a_whole < 0
    assert probability < 0.5
    assert verdict(probability, 0.5) == "leans against"


def test_a_rule_below_chance_that_holds_in_every_category_is_supported_with_evidence_for_it() -> None:
    """By chance a lower price is better nearly always; its author is 90 % sure, and the choices agree."""
    said = Rule("cheaper", "Monotone", NAMES, 0.9, attribute="price", better="Less")
    layout = Layout("", (COLOR, PRICE))
    prior, mean = np.array([0.0, 0.0, -2.2]), np.array([0.0, 0.0, -2.0])
    everywhere = {
        name: CategoryPosterior(
            replace(layout, category=name),
            mean,
            np.eye(3) * 0.01,
            prior,
            np.ones(3),
            100,
            50,
            own_choices=True,
        )
        for name in NAMES
    }
    weighed, (finding,) = audited(Shop((said,), everywhere))
    assert (finding.verdict, finding.has_effect) == ("supported", False)
    assert finding.log_bayes_factor > 3
    assert finding.prob_rule_right is None
    assert finding.instead.startswith("holds in 6 of 6 categories")
    assert weighed.notes[0].startswith("cheaper (kg:sure 0.9, by chance 0.986): no surer than chance")


def test_data_that_leave_a_rare_rule_as_rare_as_by_chance_do_not_contradict_it() -> None:
    assert verdict(0.02, 0.021) == "silent"
    assert verdict(0.979, 0.978) == "silent"


EXTREMES = [0.0, 1e-9, 1e-4, 0.001, 0.005, 0.015, 0.985, 0.995, 0.999, 0.9999, 1.0]


@pytest.mark.parametrize("chance", EXTREMES)
def test_choices_that_leave_a_probability_as_it_was_are_silent_however_extreme_it_is(chance: float) -> None:
    prior = within_draws(np.array([chance]))
    assert not told_apart(prior, prior).any()
    assert verdict(float(prior[0]), float(prior[0])) == "silent"


def test_what_neither_chance_nor_the_choices_show_is_not_decided_by_so_few_draws() -> None:
    """Colour counts little: that it is all of the decision holds in no draw, before or after."""
    said = Rule("color-all", "AtLeast", ("dresses",), 0.7, attribute="color", share=0.9995)
    at = np.array([0.2, -0.2, 4.0])
    alone = category(mean=at, deviation=0.05, prior=np.zeros(3), prior_deviation=4.0)
    _, (finding,) = audited(Shop((said,), {"dresses": alone}))
    assert finding.prob_prior < 0.001
    assert (finding.verdict, finding.log_bayes_factor) == ("silent", 0.0)
    assert finding.prob_data == finding.prob_prior


def test_what_other_categories_choices_have_decided_and_these_agree_to_is_not_silent() -> None:
    """Colour is 30 % of the decision by others' choices, 60 % by these: it does matter, in every draw."""
    said = Rule("colour-no", "Irrelevant", ("dresses",), 0.7, attribute="color")
    elsewhere = np.array([4.0, -4.0, 12.0])
    alone = category(mean=np.array([8.0, -8.0, 8.0]), deviation=0.1, prior=elsewhere, prior_deviation=0.2)
    _, (finding,) = audited(Shop((said,), {"dresses": alone}))
    assert finding.verdict == "contradicted"
    assert finding.log_bayes_factor < -3
    without = replace(alone, own_choices=False)
    _, (finding,) = audited(Shop((said,), {"dresses": without}))
    assert finding.verdict == "silent"


@pytest.mark.parametrize("chance", [0.001, 0.01, 0.3, 0.97, 0.999])
@pytest.mark.parametrize("data", [0.001, 0.01, 0.3, 0.97, 0.999])
@pytest.mark.parametrize("measured", ["a number's slope", "two values"])
def test_evidence_on_a_direction_or_on_two_values_is_that_of_the_normal_distribution(
    chance: float, data: float, measured: str
) -> None:
    """By its own quantiles, so that no number of draws limits it: also where it is rare by chance."""
    if measured == "two values":
        said = Rule("r", "Prefers", ("dresses",), 0.9, attribute="color", values=("red", "green"))
        towards = np.array([1.0, -1.0, 0.0]) / 2
        spread = np.sqrt(2)
    else:
        said = Rule("r", "Monotone", ("dresses",), 0.9, attribute="price", better="Less")
        towards, spread = np.array([0.0, 0.0, -1.0]), 1.0
    at = {p: towards * spread * NormalDist().inv_cdf(p) for p in (chance, data)}
    alone = category(mean=at[data], deviation=1.0, prior=at[chance], prior_deviation=1.0)
    _, (finding,) = audited(Shop((said,), {"dresses": alone}))
    assert finding.prob_prior == pytest.approx(chance)
    assert finding.prob_data == pytest.approx(data)
    log_odds = np.log(data / (1 - data)) - np.log(chance / (1 - chance))
    assert finding.log_bayes_factor == pytest.approx(log_odds, abs=1e-6)


def test_a_rule_is_as_rare_before_the_choices_as_it_is_and_not_as_rare_as_its_weight_is_bounded() -> None:
    """By chance it holds once in a thousand, by the choices once in a hundred: that is for it, not against it."""
    said = Rule("r", "Monotone", NAMES, 0.9, attribute="price", better="Less")
    at = {p: np.array([0.0, 0.0, -NormalDist().inv_cdf(p)]) for p in (0.001, 0.01)}
    everywhere = {
        name: category(mean=at[0.01], deviation=1.0, prior=at[0.001], prior_deviation=1.0, name=name)
        for name in NAMES
    }
    _, (finding,) = audited(Shop((said,), everywhere))
    assert finding.log_bayes_factor > 0
    assert finding.verdict in FOR


def category(
    mean: np.ndarray, deviation: float, prior: np.ndarray, prior_deviation: float, name: str = "dresses"
) -> CategoryPosterior:
    return CategoryPosterior(
        Layout(name, (COLOR, PRICE)),
        mean,
        np.eye(3) * deviation**2,
        prior,
        np.full(3, prior_deviation),
        100,
        50,
        own_choices=True,
    )
