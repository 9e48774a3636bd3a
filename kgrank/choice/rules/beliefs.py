"""The rules in the places where they speak: their switches, their authors, and the factor they make there.

A rule is one statement with one hidden switch. Each place's data give a Bayes factor for it, and a place is
re-weighted with what the other homes leave to believe of the switch, and of the author's reliability.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.design import Layout
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.bounds import Statements, Sums, prior_draws, prior_probabilities
from kgrank.choice.rules.statement import EXCEPTION, Statement, Switch, statement, switch
from kgrank.ontology.model import Ontology, Rule

CARELESS = (1 - EXCEPTION - 0.9) / (1 - EXCEPTION - 0.5)
RELIABILITY = np.array([0.0, 1 / (1 - CARELESS)])
RELIABILITY_PRIOR = np.array([CARELESS, 1 - CARELESS])
"""How far an author's confidences are to be believed: confidences p act as π + reliability · (p - π), which is
nothing for a careless author, or a little more than the author says; the mean is 1, so that a single rule acts
as it says. Learned from all of an author's rules at once, so that many wrong rules together have a bounded say;
without it, seven wrong rules at p = .9 would outweigh data of a million to one. One author in nine is careless:
doubt about a rule at .9 against an even chance is doubt about its author (docs/decisions/model.md)."""


AT_ONCE = 4_000_000
"""Numbers that are worked out at once, so that many authors need little memory."""


@dataclass(frozen=True)
class RulesInCategory:
    """The rules that speak in one place.

    Attributes:
        category: Of the place.
        posterior: Its posterior from the data alone.
        rules: (rules here,) their numbers.
        statements: What they say here.
        prob_prior: (rules here,) probability that each holds under the prior without rules.
        prob_data: (rules here,) the same under the data alone.
    """

    category: str
    posterior: CategoryPosterior
    rules: Ints
    statements: Statements
    prob_prior: Floats
    prob_data: Floats


def applicable_statements(
    ontology: Ontology, layouts: Mapping[str, Layout]
) -> dict[str, list[tuple[int, Statement]]]:
    """By category, the numbers of the rules that speak there, and what each says."""
    found: dict[str, list[tuple[int, Statement]]] = {}
    for number, rule in enumerate(ontology.rules.values()):
        for name in ontology.scope(rule):
            said = statement(rule, layouts[name]) if name in layouts else None
            if said is not None:
                found.setdefault(name, []).append((number, said))
    return found


def rules_in_category(
    name: str, place: CategoryPosterior, said: list[tuple[int, Statement]], free: Floats
) -> tuple[RulesInCategory, Ints]:
    """A place with its rules; and (quantities, draws) where the draws ``free`` of its data stand."""
    compiled = Statements(place.layout, tuple(s for _, s in said))
    pieces = compiled.pieces(free)
    return RulesInCategory(
        name,
        place,
        np.array([number for number, _ in said], np.int64),
        compiled,
        prior_probabilities(compiled, place.prior_mean, place.prior_deviation),
        compiled.share(pieces),
    ), pieces


@dataclass(frozen=True)
class RuleSet:
    """The rules, numbered, in all their places, before they act."""

    ontology: Ontology
    by_category: Mapping[str, RulesInCategory]

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """All rules of the ontology, in their order."""
        return tuple(self.ontology.rules.values())

    @cached_property
    def categories(self) -> tuple[tuple[str, ...], ...]:
        """(rules,) the places in which each speaks."""
        found: list[list[str]] = [[] for _ in self.rules]
        for name, one in self.by_category.items():
            for number in one.rules.tolist():
                found[number].append(name)
        return tuple(tuple(names) for names in found)

    @cached_property
    def switches(self) -> tuple[Switch | None, ...]:
        """(rules,) by the mean of a rule's chances; None for one that speaks nowhere."""
        total_, count = np.zeros(len(self.rules)), np.zeros(len(self.rules))
        for one in self.by_category.values():
            total_[one.rules] += one.prob_prior
            count[one.rules] += 1
        return tuple(
            switch(rule.sure, float(t / n)) if n else None
            for rule, t, n in zip(self.rules, total_, count, strict=True)
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
        """(rules,) of the switches."""
        return np.array([0.5 if s is None else s.prior for s in self.switches])

    @cached_property
    def on(self) -> Floats:
        """(rules,) probability that a rule holds in a place, its switch being on."""
        return np.array([0.5 if s is None else s.on for s in self.switches])

    def ratios(self, one: RulesInCategory) -> tuple[Floats, Floats]:
        """(rules here,) weight of part-worths under the switch on, against off: where a rule holds, and not."""
        on = self.on[one.rules]
        return on / one.prob_prior, (1 - on) / (1 - one.prob_prior)

    @cached_property
    def factors(self) -> Mapping[str, Floats]:
        """By place, (rules here,) log Bayes factor of each rule's switch, on against off, from its data."""
        found = {}
        for name, one in self.by_category.items():
            holds, fails = self.ratios(one)
            found[name] = np.log(one.prob_data * holds + (1 - one.prob_data) * fails)
        return found

    def added(self, names: Iterable[str]) -> Floats:
        """(rules,) the factors of some places, added up."""
        found = np.zeros(len(self.rules))
        for name in names:
            found[self.by_category[name].rules] += self.factors[name]
        return found

    @cached_property
    def counted(self) -> tuple[str, ...]:
        """The places whose choices count."""
        return tuple(name for name, one in self.by_category.items() if one.posterior.own_choices)

    @cached_property
    def _all_homes(self) -> Floats:
        return self.added(self.counted)

    def counted_below(self, name: str) -> list[str]:
        """The homes that are part of a place: itself, and those below it."""
        known = self.by_category
        return [c for c in self.ontology.subtree(name) if c in known and known[c].posterior.own_choices]

    def beliefs(self, factors: Floats) -> Beliefs:
        """What some places' data leave to believe, from the factors of all rules (rules,) there.

        Exact where the rules of an author hold independently of each other in each place.
        """
        share = shares(self.prior)
        with np.errstate(divide="ignore"):
            on, off = np.log(share) + factors, np.log1p(-share)
        both = np.logaddexp(on, off)
        authors = np.zeros((int(self.authors.max(initial=-1)) + 1, len(RELIABILITY))) + np.log(
            RELIABILITY_PRIOR
        )
        np.add.at(authors, self.authors[~self.hard], both.T[~self.hard])
        return Beliefs(authors - np.logaddexp.reduce(authors, axis=1)[:, None], np.exp(on - both))

    def beliefs_from_others(self, name: str) -> Beliefs:
        """What the homes leave to believe that are no part of a place."""
        return self.beliefs(self._all_homes - self.added(self.counted_below(name)))

    @cached_property
    def prob_rule_right(self) -> Floats:
        """(rules,) probability that each rule is right as a whole, from the data of all homes.

        For a rule without homes, from those of all its places.
        """
        factors = self._all_homes.copy()
        homeless = [k for k, names in enumerate(self.categories) if not set(names) & set(self.counted)]
        factors[homeless] = self.added(self.by_category)[homeless]
        found = self.beliefs(factors)
        return np.asarray(np.minimum((np.exp(found.authors)[self.authors] * found.on.T).sum(1), 1.0))


@dataclass(frozen=True)
class Beliefs:
    """What is believed of authors and of rules.

    Attributes:
        authors: (authors, reliabilities) log-probability of each author's reliability.
        on: (reliabilities, rules) probability that a rule is right, its author's reliability being so.
    """

    authors: Floats
    on: Floats


def shares(probability: Floats) -> Floats:
    """(reliabilities, rules) probability of switches under each reliability, with the given mean, none above 1.

    Up to the point where the highest reaches 1 they are in proportion to the reliability; a rule that is nearly
    certain leaves less and less room for doubt about its author.
    """
    slope = np.minimum(probability, (1 - probability) / (RELIABILITY[-1] - 1))
    return np.asarray(probability + slope * (RELIABILITY[:, None] - 1))


@dataclass(frozen=True)
class Factor:
    """The joint factor of a place's rules.

    Attributes:
        statements: What the rules say.
        authors: (authors, reliabilities) log-probabilities, of those with several soft rules here.
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
        step = max(AT_ONCE // len(self.sums.base), 1)
        chunks = range(0, len(part_worths), step)
        return np.concatenate([self._log(part_worths[k : k + step]) for k in chunks])

    def _log(self, part_worths: Floats) -> Floats:
        sums = self.sums.at(self.statements.pieces(part_worths))
        by_author = sums[:, :-2].reshape(len(sums), *self.authors.shape)
        found = np.logaddexp.reduce(by_author + self.authors, axis=2).sum(1) + sums[:, -2]
        return np.asarray(np.where(sums[:, -1] < 0.5, found, -np.inf))

    def violation(self, part_worths: Floats) -> Floats:
        """(draws,) how far the hard rules are from holding."""
        return self.statements.shortfall(self.statements.values(part_worths), self.hard)


def factor(rules: RuleSet, category_rules: RulesInCategory) -> Factor:
    """The factor of a place's rules, as they are believed from other homes."""
    believed = rules.beliefs_from_others(category_rules.category)
    on, author = believed.on[:, category_rules.rules], rules.authors[category_rules.rules]
    hard = rules.hard[category_rules.rules]
    count = np.bincount(author[~hard], minlength=len(believed.authors))
    several = np.flatnonzero(count > 1)
    place = np.searchsorted(several, author)
    shared, alone = np.flatnonzero(~hard & (count[author] > 1)), np.flatnonzero(~hard & (count[author] == 1))
    rows = []
    for ratio, breaks in zip(rules.ratios(category_rules), (0.0, 1.0), strict=True):
        logs = np.log(on * ratio + (1 - on))
        table = np.zeros((len(several), len(RELIABILITY), len(hard)))
        table[place[shared], :, shared] = logs[:, shared].T
        single = np.zeros(len(hard))
        single[alone] = np.logaddexp.reduce(logs[:, alone] + believed.authors[author[alone]].T, axis=0)
        rows.append(np.vstack([table.reshape(-1, len(hard)), single, breaks * hard]))
    sums = category_rules.statements.sums(*rows)
    found = believed.authors[several] - _redundancy(category_rules, rows, sums, len(several))
    return Factor(category_rules.statements, found, sums, np.flatnonzero(hard))


def _redundancy(one: RulesInCategory, rows: list[Floats], sums: Sums, authors: int) -> Floats:
    """(authors, reliabilities) by how much an author's rules repeat each other, as a logarithm.

    Rules that hold together more often by chance than if they had nothing to do with each other say in part the
    same. Without this correction an author who says one thing many times would be believed for saying it often.
    Rules that hold together less often are left as they are: too few of the draws may show them together.
    """
    size = authors * len(RELIABILITY)
    if not size:
        return np.zeros((0, len(RELIABILITY)))
    pieces = one.statements.pieces(
        prior_draws(one.posterior.layout, one.posterior.prior_mean, one.posterior.prior_deviation)
    )
    chance = one.statements.share(pieces)
    step = max(AT_ONCE // len(sums.base), 1)
    chunks = [pieces[:, k : k + step] for k in range(0, pieces.shape[1], step)]
    parts = [np.logaddexp.reduce(sums.at(c)[:, :size], axis=0) for c in chunks]
    together = np.logaddexp.reduce(parts, axis=0) - np.log(pieces.shape[1])
    held, failed = (np.exp(r[:size]) for r in rows)
    apart = np.log(chance * held + (1 - chance) * failed).sum(1)
    return np.asarray(np.maximum(together - apart, 0.0).reshape(authors, -1))
