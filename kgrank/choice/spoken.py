"""The rules in the places where they speak: their switches, their authors, and the factor they make there.

A rule is one statement with one hidden switch. Each place's data give a Bayes factor for it, and a place is
re-weighted with the probability of the switch given the other homes; so are the reliabilities of authors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from kgrank.choice.layout import Floats, Ints, Layout, Truths
from kgrank.choice.place import Place
from kgrank.choice.rules import CERTAIN, EXCEPTION, Statement, Switch, statement, switch
from kgrank.choice.statements import Statements, chances, total
from kgrank.ontology.model import Ontology, Rule

CARELESS = (1 - EXCEPTION - 0.9) / (1 - EXCEPTION - 0.5)
RELIABILITY = np.array([0.0, 1 / (1 - CARELESS)])
RELIABILITY_PRIOR = np.array([CARELESS, 1 - CARELESS])
"""How far an author's confidences are to be believed: confidences p act as π + reliability · (p - π), which is
nothing for a careless author, or a little more than the author says; the mean is 1, so that a single rule acts
as it says. Learned from all of an author's rules at once, so that many wrong rules together have a bounded say;
without it, seven wrong rules at p = .9 would outweigh data of a million to one. One author in nine is careless:
doubt about a rule at .9 against an even chance is doubt about its author (docs/decisions/model.md)."""


@dataclass(frozen=True)
class Here:
    """The rules that speak in one place.

    Attributes:
        name: Of the place.
        place: Its posterior from the data alone.
        rules: (rules here,) their numbers.
        said: What they say here.
        chance: (rules here,) probability that each holds under the prior without rules.
        data: (rules here,) the same under the data alone.
    """

    name: str
    place: Place
    rules: Ints
    said: Statements
    chance: Floats
    data: Floats


def speaking(ontology: Ontology, layouts: Mapping[str, Layout]) -> dict[str, list[tuple[int, Statement]]]:
    """By category, the numbers of the rules that speak there, and what each says."""
    found: dict[str, list[tuple[int, Statement]]] = {}
    for number, rule in enumerate(ontology.rules.values()):
        for name in ontology.scope(rule):
            said = statement(rule, layouts[name]) if name in layouts else None
            if said is not None:
                found.setdefault(name, []).append((number, said))
    return found


def here(name: str, place: Place, said: list[tuple[int, Statement]], free: Floats) -> tuple[Here, Ints]:
    """A place with its rules; and (quantities, draws) where the draws ``free`` of its data stand."""
    compiled = Statements(place.layout, tuple(s for _, s in said))
    pieces = compiled.pieces(free)
    return Here(
        name,
        place,
        np.array([number for number, _ in said], np.int64),
        compiled,
        chances(compiled, place.prior_mean, place.prior_deviation),
        compiled.share(pieces),
    ), pieces


@dataclass(frozen=True)
class Spoken:
    """The rules, numbered, in all their places, before they act."""

    ontology: Ontology
    here: Mapping[str, Here]

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """All rules of the ontology, in their order."""
        return tuple(self.ontology.rules.values())

    @cached_property
    def where(self) -> tuple[tuple[str, ...], ...]:
        """(rules,) the places in which each speaks."""
        found: list[list[str]] = [[] for _ in self.rules]
        for name, one in self.here.items():
            for number in one.rules.tolist():
                found[number].append(name)
        return tuple(tuple(names) for names in found)

    @cached_property
    def switches(self) -> tuple[Switch | None, ...]:
        """(rules,) by the mean of a rule's chances; None for one that speaks nowhere."""
        total_, count = np.zeros(len(self.rules)), np.zeros(len(self.rules))
        for one in self.here.values():
            total_[one.rules] += one.chance
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

    def ratios(self, one: Here) -> tuple[Floats, Floats]:
        """(rules here,) weight of part-worths under the switch on, against off: where a rule holds, and not."""
        on = self.on[one.rules]
        return on / one.chance, (1 - on) / (1 - one.chance)

    @cached_property
    def factors(self) -> Mapping[str, Floats]:
        """By place, (rules here,) log Bayes factor of each rule's switch, on against off, from its data."""
        found = {}
        for name, one in self.here.items():
            holds, fails = self.ratios(one)
            found[name] = np.log(one.data * holds + (1 - one.data) * fails)
        return found

    def added(self, names: Iterable[str]) -> Floats:
        """(rules,) the factors of some places, added up."""
        found = np.zeros(len(self.rules))
        for name in names:
            found[self.here[name].rules] += self.factors[name]
        return found

    @cached_property
    def homes(self) -> tuple[str, ...]:
        """The places whose choices count."""
        return tuple(name for name, one in self.here.items() if one.place.home)

    @cached_property
    def _all_homes(self) -> Floats:
        return self.added(self.homes)

    def part_of(self, name: str) -> list[str]:
        """The homes that are part of a place: itself, and those below it."""
        known = self.here
        return [c for c in self.ontology.subtree(name) if c in known and known[c].place.home]

    def right(self, factors: Floats, rules: Ints) -> Floats:
        """(some rules,) probability of their switches after some log-factors."""
        prior = self.prior[rules]
        odds = np.log(prior) - np.log1p(-np.minimum(prior, CERTAIN)) + factors
        return np.asarray(special.expit(odds))

    def elsewhere(self, one: Here) -> Floats:
        """(rules here,) probability of each rule's switch from its other homes."""
        others = self._all_homes - self.added(self.part_of(one.name))
        return self.right(others[one.rules], one.rules)


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
        said: What the rules say.
        authors: Numbers of the authors of soft rules.
        tables: By quantity, (pieces, authors · reliabilities + 1) log-factors; last, how many hard rules break.
        hard: The rules that must hold, as rows of ``said``.
    """

    said: Statements
    authors: Ints
    tables: list[Floats]
    hard: Ints

    def by_author(self, pieces: Ints) -> Floats:
        """(draws, authors, reliabilities) logarithm of the product of each author's soft factors."""
        return self._split(total(self.tables, pieces))[0]

    def _split(self, sums: Floats) -> tuple[Floats, Floats]:
        shape = len(sums), len(self.authors), len(RELIABILITY)
        return sums[:, :-1].reshape(shape), sums[:, -1]

    def log(self, part_worths: Floats, believed: Floats) -> Floats:
        """(draws,) its logarithm; -inf where a hard rule is broken.

        Args:
            part_worths: (draws, columns).
            believed: (authors, reliabilities) log-probabilities.
        """
        soft, broken = self._split(total(self.tables, self.said.pieces(part_worths)))
        found = np.logaddexp.reduce(soft + believed, axis=2).sum(1)
        return np.asarray(np.where(broken < 0.5, found, -np.inf))

    def violation(self, part_worths: Floats) -> Floats:
        """(draws,) how far the hard rules are from holding."""
        return self.said.failing(self.said.values(part_worths), self.hard)


def factor(spoken: Spoken, one: Here, on: Floats) -> Factor:
    """The factor of a place's rules with switches on with the probabilities ``on`` (rules here,)."""
    holds, fails = spoken.ratios(one)
    share = shares(on)
    soft = np.flatnonzero(~spoken.hard[one.rules])
    authors, number = np.unique(spoken.authors[one.rules[soft]], return_inverse=True)
    rows = np.zeros((2, len(authors), len(RELIABILITY), len(on)))
    for k, ratio in enumerate((holds, fails)):
        rows[k, number, :, soft] = np.log(share * ratio + (1 - share))[:, soft].T
    held, failed = rows.reshape(2, len(authors) * len(RELIABILITY), len(on))
    hard = spoken.hard[one.rules].astype(float)
    tables = one.said.tables(np.vstack([held, 0 * hard]), np.vstack([failed, hard]))
    return Factor(one.said, authors, tables, np.flatnonzero(hard))
