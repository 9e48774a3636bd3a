"""The rules in the categories where they apply: their switches, their authors, and their joint factor there.

A rule is one statement with one hidden switch. Each category's data give a Bayes factor for it, and a category is
re-weighted with the posterior of the switch, and of the author's reliability, that the other categories' own
choices leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.design import Layout
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.bounds import Statements, Sums, prior_draws
from kgrank.choice.rules.sampling import DRAWS
from kgrank.choice.rules.statement import (
    CHANCE_HIGH,
    CHANCE_LOW,
    EXCEPTION,
    Statement,
    Switch,
    holds_if_right,
    statement,
    switch,
)
from kgrank.choice.rules.verdict import CERTAIN, FEWEST_DRAWS, told_apart, within_draws
from kgrank.ontology.model import Ontology, Rule

CARELESS = (1 - EXCEPTION - 0.9) / (1 - EXCEPTION - 0.5)
RELIABILITY = np.array([0.0, 1 / (1 - CARELESS)])
RELIABILITY_PRIOR = np.array([CARELESS, 1 - CARELESS])
"""How far an author's confidences are to be believed: confidences p act as π + reliability · (p - π), which is
nothing for a careless author, or a little more than the author states; the mean is 1, so that a single rule acts
as stated. Learned from all of an author's rules at once, so that many wrong rules together have a bounded effect;
without it, seven wrong rules at p = .9 would outweigh data of a million to one. One author in nine is careless:
doubt about a rule at .9 against an even chance is doubt about its author (docs/decisions/model.md)."""


CHUNK = 4_000_000
"""Numbers that are computed at once, so that many authors need little memory."""


@dataclass(frozen=True)
class RulesInCategory:
    """The rules that apply to one category.

    Attributes:
        category: Its id.
        posterior: Its posterior from the data alone.
        rules: (category's rules,) their numbers.
        statements: What they state there.
        prob_prior: (category's rules,) probability that each holds under the prior without rules; not 0 or 1.
            Where the choices of other categories have decided already, before all choices.
        chance: (category's rules,) share of the prior's draws in which each holds, kept from .02 to .98: what its
            weight on part-worths is divided by, so that it averages to 1 over these draws and is bounded.
        prob_data: (category's rules,) as ``prob_prior``, under the data alone; equal to it where the draws are too
            few to tell the two apart.
    """

    category: str
    posterior: CategoryPosterior
    rules: Ints
    statements: Statements
    prob_prior: Floats
    chance: Floats
    prob_data: Floats


def applicable_statements(
    ontology: Ontology, layouts: Mapping[str, Layout]
) -> dict[str, list[tuple[int, Statement]]]:
    """By category, the numbers of the rules for everybody that apply to it, and what each states there."""
    by_category: dict[str, list[tuple[int, Statement]]] = {}
    for number, rule in enumerate(ontology.rules.values()):
        for category in () if rule.segments else ontology.scope(rule):
            stated = statement(rule, layouts[category]) if category in layouts else None
            if stated is not None:
                by_category.setdefault(category, []).append((number, stated))
    return by_category


def rules_in_category(
    category: str, posterior: CategoryPosterior, numbered: list[tuple[int, Statement]], draws: Floats
) -> tuple[RulesInCategory, Ints]:
    """A category with its rules; and (quantities, draws) the pieces on which the draws from its data lie."""
    statements = Statements(posterior.layout, tuple(stated for _, stated in numbered))
    pieces = statements.pieces(draws)
    mean, deviation = posterior.prior_mean, posterior.prior_deviation
    of_prior = statements.pieces(prior_draws(posterior.layout, mean, deviation))
    prior = statements.probabilities(mean, np.diag(deviation**2), of_prior)
    data = statements.probabilities(posterior.mean, posterior.covariance, pieces)
    before, after = _before_and_after(statements, posterior, prior, data)
    return RulesInCategory(
        category=category,
        posterior=posterior,
        rules=np.array([number for number, _ in numbered], np.int64),
        statements=statements,
        prob_prior=before,
        chance=np.clip(statements.share(of_prior), CHANCE_LOW, CHANCE_HIGH),
        prob_data=after,
    ), pieces


def _before_and_after(
    statements: Statements, posterior: CategoryPosterior, prior: Floats, data: Floats
) -> tuple[Floats, Floats]:
    """(rules,) probability that each holds, before the choices and after them, strictly between 0 and 1.

    Before are the choices of this category; those of others are in its prior. Where these alone have decided so
    much that prior and posterior cannot be told apart, all choices count: before them, the prior's mean is part of
    its spread.
    """
    exact = statements.exact
    nearest = np.where(exact, CERTAIN, 0.5 / DRAWS)
    before, after = (np.clip(p, nearest, 1 - nearest) for p in (prior, data))
    at_an_end = (
        np.maximum(np.minimum(before, 1 - before), np.minimum(after, 1 - after)) < 2 * FEWEST_DRAWS * nearest
    )
    undecided = ~told_apart(after, before) & ~exact
    decided = at_an_end & (undecided | exact) & ((before < 0.5) == (after < 0.5))
    if posterior.own_choices and decided.any():
        spread = np.hypot(posterior.prior_deviation, posterior.prior_mean)
        nowhere = statements.pieces(prior_draws(posterior.layout, np.zeros_like(spread), spread))
        chance = within_draws(statements.probabilities(np.zeros_like(spread), np.diag(spread**2), nowhere))
        decided &= told_apart(within_draws(before), chance)
        before = np.where(decided, chance, before)
        undecided &= ~decided
    return before, np.where(undecided, before, after)


@dataclass(frozen=True)
class RuleSet:
    """The rules, numbered, in all their categories, before they act."""

    ontology: Ontology
    by_category: Mapping[str, RulesInCategory]

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """All rules of the ontology, in their order."""
        return tuple(self.ontology.rules.values())

    @cached_property
    def categories(self) -> tuple[tuple[str, ...], ...]:
        """(rules,) the categories to which each applies."""
        by_rule: list[list[str]] = [[] for _ in self.rules]
        for category, applicable in self.by_category.items():
            for number in applicable.rules.tolist():
                by_rule[number].append(category)
        return tuple(tuple(categories) for categories in by_rule)

    @cached_property
    def chance(self) -> Floats:
        """(rules,) mean of a rule's prior probabilities over the categories whose data count for it.

        These are the ones with choices of their own, else all; NaN for a rule that applies nowhere.
        """
        total, count = np.zeros((2, len(self.rules))), np.zeros((2, len(self.rules)))
        for applicable in self.by_category.values():
            row = int(applicable.posterior.own_choices)
            total[row, applicable.rules] += applicable.prob_prior
            count[row, applicable.rules] += 1
        counted = (count[1] > 0).astype(np.int64), np.arange(len(self.rules))
        with np.errstate(invalid="ignore"):
            return np.asarray(total[counted] / count[counted])

    @cached_property
    def switches(self) -> tuple[Switch | None, ...]:
        """(rules,) by their chance; None for one that applies nowhere."""
        return tuple(
            None if np.isnan(chance) else switch(rule.sure, chance)
            for rule, chance in zip(self.rules, self.chance.tolist(), strict=True)
        )

    @cached_property
    def authors(self) -> Ints:
        """(rules,) number of each rule's author."""
        number: dict[str, int] = {}
        return np.array([number.setdefault(r.creator, len(number)) for r in self.rules], np.int64)

    @cached_property
    def hard(self) -> Truths:
        """(rules,) whether each must hold."""
        return np.array([r.hard for r in self.rules], bool)

    @cached_property
    def prior(self) -> Floats:
        """(rules,) probability that each switch is on, before the data."""
        return np.array([0.5 if s is None else s.prior for s in self.switches])

    @cached_property
    def on(self) -> Floats:
        """(rules,) probability that a rule holds in a category, its switch being on."""
        return np.array([0.5 if s is None else s.on for s in self.switches])

    @cached_property
    def has_effect(self) -> Truths:
        """(rules,) whether each acts: soft rules that are no surer than chance do not."""
        return np.asarray(self.hard | (self.prior > 0))

    def ratios(self, applicable: RulesInCategory) -> tuple[Floats, Floats]:
        """(its rules,) weight of part-worths under the switch on, against off: where a rule holds, and not."""
        on = holds_if_right(self.on[applicable.rules], applicable.chance)
        return on / applicable.chance, (1 - on) / (1 - applicable.chance)

    @cached_property
    def factors(self) -> Mapping[str, Floats]:
        """By category, (its rules,) log Bayes factor of each rule's switch, on against off, from its data."""
        by_category = {}
        for category, applicable in self.by_category.items():
            chance, data = applicable.prob_prior, applicable.prob_data
            on = holds_if_right(self.on[applicable.rules], chance)
            by_category[category] = np.log(data * on / chance + (1 - data) * (1 - on) / (1 - chance))
        return by_category

    def summed_factors(self, categories: Iterable[str]) -> Floats:
        """(rules,) log Bayes factors of the switches, added up over some categories."""
        total = np.zeros(len(self.rules))
        for category in categories:
            total[self.by_category[category].rules] += self.factors[category]
        return total

    @cached_property
    def with_own_choices(self) -> tuple[str, ...]:
        """The categories that have choices of their own, not only those of categories below them."""
        return tuple(c for c, applicable in self.by_category.items() if applicable.posterior.own_choices)

    @cached_property
    def _all_factors(self) -> Floats:
        return self.summed_factors(self.with_own_choices)

    def with_own_choices_below(self, category: str) -> list[str]:
        """Of a category and those below it, the ones that have choices of their own."""
        known = self.by_category
        return [c for c in self.ontology.subtree(category) if c in known and known[c].posterior.own_choices]

    def beliefs(self, factors: Floats) -> Beliefs:
        """The posterior of authors and switches given log Bayes factors (rules,).

        Exact where the rules of an author hold independently of each other in each category.
        """
        prior = priors_by_reliability(self.prior)
        with np.errstate(divide="ignore"):
            on, off = np.log(prior) + factors, np.log1p(-prior)
        both = np.logaddexp(on, off)
        authors = np.zeros((int(self.authors.max(initial=-1)) + 1, len(RELIABILITY))) + np.log(
            RELIABILITY_PRIOR
        )
        np.add.at(authors, self.authors[~self.hard], both.T[~self.hard])
        return Beliefs(authors - np.logaddexp.reduce(authors, axis=1)[:, None], np.exp(on - both))

    def beliefs_from_others(self, category: str) -> Beliefs:
        """The posterior of authors and switches from the choices outside a category."""
        return self.beliefs(self._all_factors - self.summed_factors(self.with_own_choices_below(category)))

    @cached_property
    def prob_rule_right(self) -> tuple[Floats, Floats]:
        """(rules,) probability that each rule is right as a whole, before and after the data about it.

        Both with the data about its author's other rules; so they differ by the rule's own log Bayes factor. Of
        all categories with choices of their own; for a rule that applies to none of these, of all its categories.
        """
        factors = self._all_factors.copy()
        counting = set(self.with_own_choices)
        without = [k for k, categories in enumerate(self.categories) if not set(categories) & counting]
        factors[without] = self.summed_factors(self.by_category)[without]
        beliefs, prior = self.beliefs(factors), priors_by_reliability(self.prior)
        author = beliefs.authors[self.authors].T
        with np.errstate(divide="ignore"):
            both = np.logaddexp(np.log(prior) + factors, np.log1p(-prior))
        others = author - np.where(self.hard, 0.0, both)
        others -= np.logaddexp.reduce(others, axis=0)
        before, after = (np.exp(others) * prior).sum(0), (np.exp(author) * beliefs.on).sum(0)
        return np.minimum(before, 1.0), np.minimum(after, 1.0)


@dataclass(frozen=True)
class Beliefs:
    """The posterior of authors and of rules.

    Attributes:
        authors: (authors, reliabilities) log-probability of each author's reliability.
        on: (reliabilities, rules) probability that a rule is right, its author's reliability being so.
    """

    authors: Floats
    on: Floats


def priors_by_reliability(probability: Floats) -> Floats:
    """(reliabilities, rules) probability of switches under each reliability, with the given mean, none above 1.

    Up to the point where the highest reaches 1 they are in proportion to the reliability; a rule that is nearly
    certain leaves less and less room for doubt about its author.
    """
    slope = np.minimum(probability, (1 - probability) / (RELIABILITY[-1] - 1))
    return np.asarray(probability + slope * (RELIABILITY[:, None] - 1))


@dataclass(frozen=True)
class Factor:
    """The joint factor of a category's rules.

    Attributes:
        statements: What the rules state.
        authors: (authors, reliabilities) log-probabilities, of those with several soft rules there.
        sums: (authors · reliabilities + 2) log-factors; the last two are that of all authors with one rule, and
            how many hard rules break.
        hard: The rules that must hold, as rows of ``statements``.
    """

    statements: Statements
    authors: Floats
    sums: Sums
    hard: Ints

    def log(self, part_worths: Floats) -> Floats:
        """(draws,) its logarithm at part-worths (draws, columns); -inf where a hard rule is broken."""
        step = max(CHUNK // len(self.sums.base), 1)
        chunks = range(0, len(part_worths), step)
        return np.concatenate([self._log(part_worths[k : k + step]) for k in chunks])

    def _log(self, part_worths: Floats) -> Floats:
        sums = self.sums.at(self.statements.pieces(part_worths))
        by_author = sums[:, :-2].reshape(len(sums), *self.authors.shape)
        log_factor = np.logaddexp.reduce(by_author + self.authors, axis=2).sum(1) + sums[:, -2]
        return np.asarray(np.where(sums[:, -1] < 0.5, log_factor, -np.inf))

    def violation(self, part_worths: Floats) -> Floats:
        """(draws,) how far the hard rules are from holding."""
        return self.statements.shortfall(self.statements.values(part_worths), self.hard)


def factor(rules: RuleSet, applicable: RulesInCategory) -> Factor:
    """The joint factor of a category's rules, with their posterior from the other categories."""
    beliefs = rules.beliefs_from_others(applicable.category)
    on, author = beliefs.on[:, applicable.rules], rules.authors[applicable.rules]
    hard = rules.hard[applicable.rules]
    count = np.bincount(author[~hard], minlength=len(beliefs.authors))
    several = np.flatnonzero(count > 1)
    row = np.searchsorted(several, author)
    shared, alone = np.flatnonzero(~hard & (count[author] > 1)), np.flatnonzero(~hard & (count[author] == 1))
    rows = []
    for ratio, breaks in zip(rules.ratios(applicable), (0.0, 1.0), strict=True):
        logs = np.log(on * ratio + (1 - on))
        table = np.zeros((len(several), len(RELIABILITY), len(hard)))
        table[row[shared], :, shared] = logs[:, shared].T
        single = np.zeros(len(hard))
        single[alone] = np.logaddexp.reduce(logs[:, alone] + beliefs.authors[author[alone]].T, axis=0)
        rows.append(np.vstack([table.reshape(-1, len(hard)), single, breaks * hard]))
    sums = applicable.statements.sums(*rows)
    authors = beliefs.authors[several] - _redundancy(applicable, rows, sums, len(several))
    return Factor(applicable.statements, authors, sums, np.flatnonzero(hard))


def _redundancy(applicable: RulesInCategory, rows: list[Floats], sums: Sums, authors: int) -> Floats:
    """(authors, reliabilities) by how much an author's rules repeat each other, as a logarithm.

    Rules that hold together more often under the prior than independent ones state in part the same. Without this
    correction an author who states one thing many times would be believed for the repetition. Rules that hold
    together less often are left as they are: too few of the draws may show them together.
    """
    size = authors * len(RELIABILITY)
    if not size:
        return np.zeros((0, len(RELIABILITY)))
    statements, posterior = applicable.statements, applicable.posterior
    pieces = statements.pieces(prior_draws(posterior.layout, posterior.prior_mean, posterior.prior_deviation))
    prob_prior = statements.share(pieces)
    step = max(CHUNK // len(sums.base), 1)
    chunks = [pieces[:, k : k + step] for k in range(0, pieces.shape[1], step)]
    parts = [np.logaddexp.reduce(sums.at(c)[:, :size], axis=0) for c in chunks]
    together = np.logaddexp.reduce(parts, axis=0) - np.log(pieces.shape[1])
    holds, fails = (np.exp(r[:size]) for r in rows)
    independent = np.log(prob_prior * holds + (1 - prob_prior) * fails).sum(1)
    return np.asarray(np.maximum(together - independent, 0.0).reshape(authors, -1))
