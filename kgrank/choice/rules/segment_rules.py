"""Rules for segments of people: statements about the part-worths of a segment's mean tastes.

In category c these are β_c + F_c d, the category's part-worths and what the segment's departure d adds to them.
The departure is the same in all categories, so what these say of a rule is one piece of evidence, not one each: a
rule is weighed as the statement that it holds in a category of its scope, drawn at random. With h(d) the share of
the categories in which it holds, q the prior probability of its switch and π the mean chance, draws of d count by

    1 - q + q [h(d) on / π + (1 - h(d)) (1 - on) / (1 - π)],

which is the factor of a rule about one category where there is one (``kgrank.choice.rules.statement``), bounded
above and below, and 1 on average under the prior. All rules of an author share the author's reliability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.author_reliability import (
    RELIABILITY_PRIOR,
    RulesInCategory,
    priors_by_reliability,
    rules_in_category,
)
from kgrank.choice.rules.sampling import gaussian
from kgrank.choice.rules.statement import CERTAIN, EXCEPTION, Statement, holds_if_right, statement
from kgrank.choice.rules.verdict import log_bayes_factor, within_draws
from kgrank.choice.rules.weigh import FEW, RuleEvidence, RulePosteriors
from kgrank.choice.tastes.shared_columns import column_map
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import Ontology, Rule
from kgrank.weights.model import Population, SegmentTastes

Counts = Mapping[tuple[str, str], tuple[int, int]]
"""By segment and category, the number of choices and of people behind them."""


@dataclass(frozen=True)
class SegmentRuleEvidence:
    """A rule for segments against the data.

    Attributes:
        overall: The evidence over all its segments that have people.
        by_segment: That of each of these; none where no segment of it has people whose tastes are known.
    """

    overall: RuleEvidence
    by_segment: Mapping[str, RuleEvidence]


@dataclass(frozen=True)
class SegmentRules:
    """The means of segments under their rules, and the audit.

    Attributes:
        population: With the segments' means under the rules.
        rules: Each rule for segments that applies to a category with items.
        notes: What a reader must know of them.
    """

    population: Population
    rules: tuple[SegmentRuleEvidence, ...] = ()
    notes: tuple[str, ...] = ()


def departure(layout: Layout, population: Population, segment: str) -> Floats:
    """(columns,) what the mean tastes of a segment add to a category's part-worths."""
    to_layout = column_map(layout, (), population.columns, population.scales)
    return np.asarray(to_layout @ np.array(population.segments[segment].mean))


def segment_posterior(
    posterior: CategoryPosterior, population: Population, segment: str, counts: Counts
) -> CategoryPosterior:
    """What is known of a segment's mean part-worths in a category, before rules."""
    tastes, layout = population.segments[segment], posterior.layout
    to_layout = column_map(layout, (), population.columns, population.scales)
    between = population.between_segments * np.array(population.covariance)
    choices, people = counts.get((segment, layout.category), (0, 0))
    return replace(
        posterior,
        mean=posterior.mean + departure(layout, population, segment),
        covariance=posterior.covariance + to_layout @ np.array(tastes.covariance) @ to_layout.T,
        prior_deviation=np.sqrt(
            posterior.prior_deviation**2 + np.einsum("lc,cd,ld->l", to_layout, between, to_layout)
        ),
        choice_count=choices,
        person_count=people,
    )


def weigh_segments(
    ontology: Ontology,
    posteriors: Mapping[str, CategoryPosterior],
    ruled: RulePosteriors,
    population: Population,
    counts: Counts,
    seed: int = 0,
) -> SegmentRules:
    """Re-weights the mean tastes of segments by their rules, and weighs each of these against the data.

    Args:
        ontology: The rules.
        posteriors: Of the categories' part-worths, from the choices alone.
        ruled: Of the same under the rules for everybody.
        population: With the segments' means by the choices alone.
        counts: The choices behind these.
        seed: Of the draws.
    """
    stated = {
        rule.id: _statements(rule, ontology, posteriors) for rule in ontology.rules.values() if rule.segments
    }
    rules = {rule: places for rule, places in stated.items() if places}
    evidence_by_rule: dict[str, dict[str, RuleEvidence]] = {rule: {} for rule in rules}
    changed, notes = dict(population.segments), []
    for segment in population.segments:
        applicable = {r: places for r, places in rules.items() if segment in ontology.rules[r].segments}
        if not applicable:
            continue
        weighed = _in_segment(segment, applicable, ontology, posteriors, ruled, population, counts, seed)
        changed[segment] = weighed.tastes
        for rule, evidence in weighed.evidence.items():
            evidence_by_rule[rule][segment] = evidence
        notes += _notes(segment, weighed)
    without = [rule for rule, by_segment in evidence_by_rule.items() if not by_segment]
    if without:
        notes.append(
            f"{', '.join(without)}: nothing is known of the tastes of the segments that they are for; they say "
            "nothing until people.csv names their people and these choose."
        )
    audit = tuple(
        SegmentRuleEvidence(
            _mean_of(tuple(by.values()))
            if by
            else _unknown(ontology.rules[rule], rules[rule], posteriors, ruled),
            by,
        )
        for rule, by in evidence_by_rule.items()
    )
    return SegmentRules(replace(population, segments=changed), audit, tuple(notes))


def _statements(
    rule: Rule, ontology: Ontology, posteriors: Mapping[str, CategoryPosterior]
) -> dict[str, Statement]:
    """What a rule states, by category; of those with choices of their own, where there are any."""
    if rule_kind(rule.kind).measure is None:
        return {}
    inside = [c for c in ontology.scope(rule) if c in posteriors]
    stated = {c: s for c in inside if (s := statement(rule, posteriors[c].layout)) is not None}
    with_own_choices = {c: s for c, s in stated.items() if posteriors[c].own_choices}
    return with_own_choices or stated


@dataclass(frozen=True)
class _Weighed:
    """A segment under its rules: its tastes, the evidence on each rule, and what each draw counts."""

    tastes: SegmentTastes
    evidence: Mapping[str, RuleEvidence]
    weight: Floats

    @property
    def effective(self) -> float:
        return float(1 / (self.weight**2).sum())


def _notes(segment: str, weighed: _Weighed) -> list[str]:
    """Where rules leave little of what the choices say, and where these leave no room for a hard rule."""
    notes = [
        f"{segment}: the choices of this segment leave no room for the hard rule {rule}, which is not kept."
        for rule, evidence in weighed.evidence.items()
        if evidence.rule.hard and evidence.prob_posterior < 0.5
    ]
    if weighed.effective < FEW:
        notes.append(
            f"{segment}: its rules leave less than one draw in {len(weighed.weight) // FEW} of what its people's "
            "choices say. See kgrank audit."
        )
    return notes


def _in_segment(
    segment: str,
    rules: Mapping[str, Mapping[str, Statement]],
    ontology: Ontology,
    posteriors: Mapping[str, CategoryPosterior],
    ruled: RulePosteriors,
    population: Population,
    counts: Counts,
    seed: int,
) -> _Weighed:
    tastes = population.segments[segment]
    generator = np.random.default_rng([seed, crc32(segment.encode()), 2])
    drawn = gaussian(np.array(tastes.mean), np.array(tastes.covariance), generator)
    names = list(rules)
    places: list[list[tuple[RulesInCategory, int, Floats]]] = [[] for _ in names]
    for category in dict.fromkeys(c for by_category in rules.values() for c in by_category):
        numbered = [(k, rules[rule][category]) for k, rule in enumerate(names) if category in rules[rule]]
        before = segment_posterior(posteriors[category], population, segment, counts)
        added = drawn @ column_map(before.layout, (), population.columns, population.scales).T
        here, pieces = rules_in_category(category, before, numbered, ruled.draws.from_data(category) + added)
        if category in ruled.ruled:
            pieces = here.statements.pieces(ruled.draws[category] + added)
        holds = here.statements.holds(pieces, np.arange(len(numbered)))
        for row, number in enumerate(here.rules.tolist()):
            places[number].append((here, row, holds[row]))
    share = np.array([np.mean([holds for *_, holds in of_rule], axis=0) for of_rule in places])
    chance = np.array([np.mean([here.chance[row] for here, row, _ in of_rule]) for of_rule in places])
    weight = _weights([ontology.rules[rule] for rule in names], share, chance)
    mean = weight @ drawn
    spread = (drawn - mean).T @ ((drawn - mean) * weight[:, None])
    acting = any(ontology.rules[rule].sure > chance[k] for k, rule in enumerate(names))
    under = SegmentTastes(tuple(mean.tolist()), tuple(tuple(row) for row in spread.tolist()), tastes.people)
    evidence = {
        rule: _evidence(ontology.rules[rule], of_rule, weight)
        for rule, of_rule in zip(names, places, strict=True)
    }
    return _Weighed(under if acting else tastes, evidence, weight)


def _weights(rules: list[Rule], share: Floats, chance: Floats) -> Floats:
    """(draws,) what each counts, adding up to 1.

    Args:
        rules: The segment's rules.
        share: (rules, draws) of the rule's categories in which it holds.
        chance: (rules,) its mean under the prior.
    """
    sure = np.minimum([rule.sure for rule in rules], CERTAIN)
    on = holds_if_right(1 - np.minimum(EXCEPTION, (1 - sure) / 2), chance)
    prior = np.clip((sure - chance) / (on - chance), 0.0, 1.0)
    if_right = share * (on / chance)[:, None] + (1 - share) * ((1 - on) / (1 - chance))[:, None]
    by_reliability = priors_by_reliability(prior)
    logs = np.log1p(by_reliability[..., None] * (if_right - 1))
    total = np.zeros(share.shape[1])
    for author in dict.fromkeys(rule.creator for rule in rules):
        by_author = [k for k, rule in enumerate(rules) if rule.creator == author]
        of_author = logs[:, by_author].sum(1) + np.log(RELIABILITY_PRIOR)[:, None]
        total += np.logaddexp.reduce(of_author, axis=0)
    weight = np.exp(total - total.max())
    return np.asarray(weight / weight.sum())


def _evidence(rule: Rule, places: list[tuple[RulesInCategory, int, Floats]], weight: Floats) -> RuleEvidence:
    by_category = np.array(
        [[here.prob_prior[row], here.prob_data[row], weight @ holds] for here, row, holds in places]
    )
    categories = tuple(here.category for here, *_ in places)
    return _summary(
        rule,
        categories,
        by_category,
        sum(here.posterior.choice_count for here, *_ in places),
        max(here.posterior.person_count for here, *_ in places),
    )


def _summary(
    rule: Rule, categories: tuple[str, ...], by_category: Floats, choices: int, people: int
) -> RuleEvidence:
    prior, data, posterior = (float(x) for x in by_category.mean(0))
    return RuleEvidence(
        rule=rule,
        categories=categories,
        by_category=by_category,
        counted=categories,
        prob_prior=prior,
        prob_data=data,
        prob_posterior=posterior,
        prob_rule_right_prior=data,
        prob_rule_right=data,
        log_bayes_factor=log_bayes_factor(data, prior),
        has_effect=rule.hard or rule.sure > prior,
        fails_in=tuple(c for c, p in zip(categories, by_category[:, 1], strict=True) if p < 0.5),
        choice_count=choices,
        person_count=people,
    )


def _mean_of(of_segments: tuple[RuleEvidence, ...]) -> RuleEvidence:
    """The evidence on a rule over its segments: that it holds in one of them, drawn at random."""
    if len(of_segments) == 1:
        return of_segments[0]
    return _summary(
        of_segments[0].rule,
        of_segments[0].categories,
        np.mean([e.by_category for e in of_segments], axis=0),
        sum(e.choice_count for e in of_segments),
        sum(e.person_count for e in of_segments),
    )


def _unknown(
    rule: Rule,
    places: Mapping[str, Statement],
    posteriors: Mapping[str, CategoryPosterior],
    ruled: RulePosteriors,
) -> RuleEvidence:
    """A rule on whose segments there are no data: as probable after them as by chance."""
    chance = []
    for category, stated in places.items():
        here, _ = rules_in_category(
            category, posteriors[category], [(0, stated)], ruled.draws.from_data(category)
        )
        chance.append(here.prob_prior[0])
    prior = float(within_draws(np.mean(chance)))
    return _summary(rule, tuple(places), np.full((len(places), 3), prior), 0, 0)
