"""What the data and the rules say together: every category re-weighted by its rules, and the audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from kgrank.choice.layout import Floats, Layout, Truths
from kgrank.choice.posterior import DRAWS, FORBIDDEN, gaussian, reweighted
from kgrank.choice.rules import CERTAIN, Switch, applies, chance_of, margin, switch
from kgrank.errors import RunError
from kgrank.ontology.model import Ontology, Rule

RELIABILITY = (0.0, 1.12)
RELIABILITY_PRIOR = (1 - 1 / 1.12, 1 / 1.12)
"""How far an author's confidences are to be believed: confidences p act as π + reliability · (p - π), which is
nothing, for one author in nine, or a little more than the author says; the mean is 1. Learned from all of an
author's rules at once, so that many wrong rules together have a bounded say; without it, seven wrong rules at
p = .9 would outweigh data of a million to one."""


@dataclass(frozen=True)
class Place:
    """One category's posterior from its data alone, Gaussian, and the prior it came from.

    Attributes:
        layout: The category's columns.
        mean: (columns,) part-worths; ``covariance`` (columns, columns), clustered by person.
        prior_mean: (columns,) and ``prior_deviation`` (columns,) of the prior without rules.
        choices: Number of choices behind it, and ``people`` behind them.
        home: Whether these choices count here and in no other home, so that none counts twice.
    """

    layout: Layout
    mean: Floats
    covariance: Floats
    prior_mean: Floats
    prior_deviation: Floats
    choices: int
    people: int
    home: bool


@dataclass(frozen=True)
class RuleEvidence:
    """A rule against the data, over all its places."""

    rule: Rule
    places: tuple[str, ...]
    chance: float
    data: float
    posterior: float
    evidence: float
    fails_in: tuple[str, ...]
    choices: int
    people: int


@dataclass(frozen=True)
class Verdicts:
    """Draws of every category's part-worths with the rules (draws, columns), and without; and the audit."""

    layouts: dict[str, Layout]
    draws: dict[str, Floats]
    without: dict[str, Floats]
    rules: tuple[RuleEvidence, ...]


@dataclass(frozen=True)
class _Spoken:
    """The rules in the places where they speak, before they act.

    Attributes:
        where: The places of each rule; ``rules`` the rules of each place.
        chance: Probability that a rule holds in a place under the prior without rules.
        held: (draws,) whether it holds in each draw from the data alone.
        switches: One a rule.
    """

    ontology: Ontology
    places: Mapping[str, Place]
    where: Mapping[str, list[str]]
    rules: Mapping[str, list[str]]
    chance: Mapping[tuple[str, str], float]
    held: Mapping[tuple[str, str], Truths]
    switches: Mapping[str, Switch]

    def factor(self, rule: str, place: str) -> float:
        """Log Bayes factor of a rule's switch, on against off, from one place's data."""
        held = self.held[rule, place].mean()
        return float(np.log(self.switches[rule].ratio(held, self.chance[rule, place])))

    def on_elsewhere(self, rule: str, place: str) -> float:
        """Probability of a rule's switch from its other homes; those below a place are part of it."""
        own = set(self.ontology.subtree(place))
        rest = sum(self.factor(rule, o) for o in self.where[rule] if self.places[o].home and o not in own)
        prior = self.switches[rule].prior
        odds = np.log(prior) - np.log1p(-min(prior, CERTAIN)) + rest
        return float(special.expit(odds))

    def by_author(self, place: str, on: Mapping[str, float], held: Mapping[str, Truths]) -> dict[str, Floats]:
        """(reliabilities, draws) logarithm of the product of each author's soft factors in a place."""
        found: dict[str, Floats] = {}
        for name, probability in on.items():
            rule = self.ontology.rules[name]
            if rule.hard:
                continue
            ratio = self.switches[name].ratio(held[name], self.chance[name, place])
            share = _shares(probability)[:, None]
            found[rule.creator] = found.get(rule.creator, 0.0) + np.log(share * ratio + (1 - share))
        return found


def _shares(probability: float) -> Floats:
    """(reliabilities,) probability of a switch under each reliability, with the given mean, and none above 1.

    Up to the point where the highest reaches 1 they are in proportion to the reliability; a rule that is nearly
    certain leaves less and less room for doubt about its author.
    """
    grid = np.array(RELIABILITY)
    slope = min(probability, (1 - probability) / (grid[-1] - 1))
    return np.asarray(probability + slope * (grid - 1))


def weigh(ontology: Ontology, places: Mapping[str, Place], seed: int = 0) -> Verdicts:
    """Re-weights every category's posterior by the rules, once, and says what the data say of each rule.

    Raises:
        RunError: The hard rules of a category cannot hold together.
    """
    generator = np.random.default_rng(seed)
    free = {c: gaussian(p.mean, p.covariance, generator) for c, p in places.items()}
    spoken = _spoken(ontology, places, free)
    said = {c: _said(spoken, c) for c, place in places.items() if place.home and spoken.rules[c]}
    draws = {
        c: _with_rules(spoken, c, free[c], said, generator) if spoken.rules[c] else free[c] for c in places
    }
    audit = tuple(_evidence(spoken, rule, draws) for rule, where in spoken.where.items() if where)
    return Verdicts({c: p.layout for c, p in places.items()}, draws, free, audit)


def _spoken(ontology: Ontology, places: Mapping[str, Place], free: Mapping[str, Floats]) -> _Spoken:
    where = {
        rule.id: [c for c in ontology.scope(rule) if c in places and applies(rule, places[c].layout)]
        for rule in ontology.rules.values()
    }
    rules: dict[str, list[str]] = {c: [] for c in places}
    chance: dict[tuple[str, str], float] = {}
    held: dict[tuple[str, str], Truths] = {}
    switches: dict[str, Switch] = {}
    for name, inside in where.items():
        rule = ontology.rules[name]
        for c in inside:
            place = places[c]
            rules[c].append(name)
            chance[name, c] = chance_of(rule, place.layout, place.prior_mean, place.prior_deviation)
            held[name, c] = margin(rule, place.layout, free[c]) >= 0
        if inside:
            switches[name] = switch(rule.sure, float(np.mean([chance[name, c] for c in inside])))
    return _Spoken(ontology, places, where, rules, chance, held, switches)


def _said(spoken: _Spoken, place: str) -> dict[str, Floats]:
    """(reliabilities,) log-evidence of a home's data for each author's reliability."""
    on = {rule: spoken.switches[rule].prior for rule in spoken.rules[place]}
    held = {rule: spoken.held[rule, place] for rule in on}
    return {
        author: np.asarray(special.logsumexp(total, axis=1) - np.log(DRAWS))
        for author, total in spoken.by_author(place, on, held).items()
    }


def _believed(spoken: _Spoken, place: str, author: str, said: Mapping[str, Mapping[str, Floats]]) -> Floats:
    """(reliabilities,) log-probability of an author's reliability, from the other homes."""
    own = set(spoken.ontology.subtree(place))
    rest = sum(found[author] for o, found in said.items() if author in found and o not in own)
    logs = np.log(RELIABILITY_PRIOR) + rest
    return np.asarray(logs - special.logsumexp(logs))


def _with_rules(
    spoken: _Spoken,
    name: str,
    free: Floats,
    said: Mapping[str, Mapping[str, Floats]],
    generator: np.random.Generator,
) -> Floats:
    """Draws of one place's part-worths under its data and its rules."""
    place, rules = spoken.places[name], spoken.ontology.rules
    on = {rule: spoken.on_elsewhere(rule, name) for rule in spoken.rules[name]}
    authors = {rules[rule].creator for rule in on}
    weight = {author: _believed(spoken, name, author, said) for author in authors}

    def log_factor(x: Floats) -> Floats:
        held = {rule: margin(rules[rule], place.layout, x) >= 0 for rule in on}
        total = np.zeros(len(x))
        for author, logs in spoken.by_author(name, on, held).items():
            total += special.logsumexp(logs + weight[author][:, None], axis=0)
        for rule, holds in held.items():
            if rules[rule].hard:
                total += np.where(holds, 0.0, FORBIDDEN)
        return total

    try:
        return reweighted(place.mean, place.covariance, free, log_factor, generator)
    except RunError as error:
        hard = ", ".join(rule for rule in on if rules[rule].hard)
        raise RunError(error.found, where=f"{name}: {hard}", todo=error.todo) from None


def _evidence(spoken: _Spoken, name: str, draws: Mapping[str, Floats]) -> RuleEvidence:
    rule, places = spoken.ontology.rules[name], spoken.places
    where = spoken.where[name]
    counted = [c for c in where if places[c].home] or where
    data = [float(spoken.held[name, c].mean()) for c in counted]
    chance = [spoken.chance[name, c] for c in counted]
    posterior = [float((margin(rule, places[c].layout, draws[c]) >= 0).mean()) for c in counted]
    if len(counted) == 1:
        # Half a draw on either side keeps the Bayes factor finite.
        p = np.clip(data[0], 0.5 / DRAWS, 1 - 0.5 / DRAWS)
        evidence = float(special.logit(p) - special.logit(chance[0]))
    else:
        evidence = sum(spoken.factor(name, c) for c in counted)
    return RuleEvidence(
        rule,
        tuple(counted),
        float(np.mean(chance)),
        float(np.mean(data)),
        float(np.mean(posterior)),
        evidence,
        tuple(c for c, p in zip(counted, data, strict=True) if p < 0.5),
        sum(places[c].choices for c in counted),
        max(places[c].people for c in counted),
    )


def verdict(found: RuleEvidence) -> str:
    """What the data alone say of a rule, in one or two words."""
    if found.data < 0.025:
        return "contradicted"
    if found.data > 0.975 and found.data > found.chance:
        return "supported"
    low, high = 0.5 / DRAWS, 1 - 0.5 / DRAWS
    odds = np.log(np.clip(found.data, low, high)) - np.log1p(-np.clip(found.data, low, high))
    moved = odds - (np.log(found.chance) - np.log1p(-found.chance))
    if abs(moved) < np.log(3):
        return "silent"
    return "leans for" if moved > 0 else "leans against"
