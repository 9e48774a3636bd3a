"""Rules as evidence of bounded strength: when each kind holds, and what the data and the rules say together.

A rule with confidence p that holds with probability π under the prior without rules weights the part-worths
for which it holds by p/π and the others by (1 - p)/(1 - π). However far the data push, that is all it can say.
A rule that covers several categories is one statement with one hidden switch: see ``Switch``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kgrank.choice.importance import importance, spreads
from kgrank.choice.layout import Floats, Layout
from kgrank.errors import RunError
from kgrank.graph.schema import value_id
from kgrank.ontology.model import Ontology, Rule, RuleKind

NEGLIGIBLE = 0.02
"""An irrelevant attribute has at most this share."""

WITHIN = 0.05
"""Half-width of an About rule that names none."""

ALIKE = 0.1
"""Two values count as the same if their utilities differ by at most this share of their attribute's range."""

CHANCE_LOW, CHANCE_HIGH = 0.02, 0.98
EXCEPTION = 0.05
"""Probability that a right rule fails in one of its places."""

CERTAIN = 1 - 1e-9
"""The confidence of a hard rule, so that what it says elsewhere stays finite."""

FORBIDDEN = -1e6
"""Log-factor of part-worths that break a hard rule."""

DRAWS = 8000
ENOUGH = 1000
"""Effective draws below which re-weighted draws are moved by elliptical slice sampling."""

MOVES = 60

IN_PART_WORTHS = frozenset(
    {
        RuleKind.ORDER,
        RuleKind.AT_LEAST,
        RuleKind.AT_MOST,
        RuleKind.ABOUT,
        RuleKind.IRRELEVANT,
        RuleKind.MONOTONE,
        RuleKind.PREFERS,
        RuleKind.SAME_AS,
    }
)
"""Kinds that are statements about part-worths. Inherits acts on the prior, Implies and Excludes on items,
Exposure on ranked lists."""


def applies(rule: Rule, layout: Layout) -> bool:
    """Whether a rule says something about a category's part-worths."""
    if rule.kind not in IN_PART_WORTHS or rule.segments:
        return False
    if rule.kind in (RuleKind.PREFERS, RuleKind.SAME_AS):
        return len(_columns(rule, layout)) > 1
    if not all(a in layout.block for a in rule.attributes):
        return False
    return rule.kind is not RuleKind.MONOTONE or _steps(rule, layout) > 0


def _steps(rule: Rule, layout: Layout) -> int:
    block = layout.block[str(rule.attribute)]
    return 1 if block.number else len(block.nodes) - 1


def _columns(rule: Rule, layout: Layout) -> list[int]:
    """Columns of the values that a Prefers or SameAs rule names, those without items left out."""
    if rule.kind is RuleKind.PREFERS:
        nodes = [value_id(str(rule.attribute), v) for v in rule.values]
    else:
        nodes = [n for b in layout.blocks for v in rule.members if (n := value_id(b.attribute, v)) in b.nodes]
    return [layout.column[n] for n in nodes if n in layout.column]


def margin(rule: Rule, layout: Layout, part_worths: Any, xp: Any = np) -> Any:
    """How far a rule is from failing: it holds where this is at least 0.

    Args:
        rule: One that ``applies``.
        layout: The category's columns.
        part_worths: (…, columns), numpy or torch.
        xp: The array module.

    Returns:
        (…), a difference of shares, or of logits for Monotone, Prefers and SameAs.
    """
    if rule.kind is RuleKind.MONOTONE:
        block = layout.block[str(rule.attribute)]
        own = part_worths[..., block.columns]
        sign = 1.0 if rule.better == "More" else -1.0
        rise = own if block.number else own[..., 1:] - own[..., :-1]
        return xp.amin(sign * rise, -1)
    if rule.kind is RuleKind.PREFERS:
        own = part_worths[..., _columns(rule, layout)]
        return xp.amin(own[..., :-1] - own[..., 1:], -1)
    if rule.kind is RuleKind.SAME_AS:
        own = part_worths[..., _columns(rule, layout)]
        at = next(i for i, b in enumerate(layout.blocks) if b.start <= _columns(rule, layout)[0] < b.stop)
        room = ALIKE * spreads(layout, part_worths, full=True, xp=xp)[..., at]
        return room - (xp.amax(own, -1) - xp.amin(own, -1))
    place = {b.attribute: i for i, b in enumerate(layout.blocks)}
    weight = importance(layout, part_worths, xp=xp)
    if rule.kind is RuleKind.ORDER:
        ordered = weight[..., [place[a] for a in rule.order]]
        return xp.amin(ordered[..., :-1] - ordered[..., 1:], -1)
    own = weight[..., place[str(rule.attribute)]]
    if rule.kind is RuleKind.IRRELEVANT:
        return NEGLIGIBLE - own
    share = float(rule.share or 0.0)
    if rule.kind is RuleKind.AT_LEAST:
        return own - share
    if rule.kind is RuleKind.AT_MOST:
        return share - own
    return (WITHIN if rule.within is None else rule.within) - xp.abs(own - share)


@dataclass(frozen=True)
class Switch:
    """A rule's hidden switch "this rule is right".

    On, the rule holds in each place with probability ``on``, independently; off, it says nothing. The prior of
    the switch makes the probability in a single place the rule's confidence, whatever the place's chance is.
    """

    prior: float
    on: float

    def ratio(self, holds: Any, chance: float) -> Any:
        """Weight of part-worths under the switch on, against off."""
        return holds * (self.on / chance) + (1 - holds) * ((1 - self.on) / (1 - chance))


def switch(sure: float, chance: float) -> Switch:
    """The switch of a rule with confidence ``sure`` that holds by chance with probability ``chance``.

    A rule less likely than chance is a statement against itself: on, it holds rarely.
    """
    sure = min(sure, CERTAIN)
    if sure >= chance:
        on = 1 - min(EXCEPTION, (1 - sure) / 2)
        return Switch(min((sure - chance) / max(on - chance, 1e-12), 1.0), on)
    on = min(EXCEPTION, sure / 2)
    return Switch(min((chance - sure) / max(chance - on, 1e-12), 1.0), on)


def chance_of(rule: Rule, layout: Layout, mean: Floats, deviation: Floats, seed: int = 0) -> float:
    """Probability that a rule holds under the prior without rules, kept away from 0 and 1."""
    normal = np.random.default_rng(seed).standard_normal((DRAWS, layout.width))
    held = margin(rule, layout, mean + normal * deviation) >= 0
    return float(np.clip(held.mean(), CHANCE_LOW, CHANCE_HIGH))


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


def weigh(ontology: Ontology, places: dict[str, Place], seed: int = 0) -> Verdicts:
    """Re-weights every category's posterior by the rules, once, and says what the data say of each rule."""
    generator = np.random.default_rng(seed)
    free = {c: _draws(p, DRAWS, generator) for c, p in places.items()}
    spoken = {
        rule.id: [c for c in ontology.scope(rule) if c in places and applies(rule, places[c].layout)]
        for rule in ontology.rules.values()
    }
    chances = {
        (r, c): chance_of(
            ontology.rules[r], places[c].layout, places[c].prior_mean, places[c].prior_deviation
        )
        for r, where in spoken.items()
        for c in where
    }
    held = {
        (r, c): margin(ontology.rules[r], places[c].layout, free[c]) >= 0
        for r, where in spoken.items()
        for c in where
    }
    switches = {
        r: switch(ontology.rules[r].sure, float(np.mean([chances[r, c] for c in where])))
        for r, where in spoken.items()
        if where
    }
    factors = {
        (r, c): float(np.log(switches[r].ratio(held[r, c].mean(), chances[r, c])))
        for r, where in spoken.items()
        for c in where
    }

    def elsewhere(r: str, c: str) -> float:
        """Probability of a rule's switch from its other homes; those below a place are part of it."""
        own = set(ontology.subtree(c))
        rest = sum(factors[r, o] for o in spoken[r] if places[o].home and o not in own)
        odds = np.log(switches[r].prior) - np.log1p(-min(switches[r].prior, CERTAIN)) + rest
        return float(1 / (1 + np.exp(-np.clip(odds, -700, 700))))

    draws: dict[str, Floats] = {}
    for c, place in places.items():
        speaking = [ontology.rules[r] for r, where in spoken.items() if c in where]
        if not speaking:
            draws[c] = free[c]
            continue
        on = [elsewhere(r.id, c) for r in speaking]

        def log_factor(x: Floats, place: Place = place, speaking: list[Rule] = speaking,
                       on: list[float] = on, c: str = c) -> Floats:  # fmt: skip
            total = np.zeros(len(x))
            for rule, probability in zip(speaking, on, strict=True):
                holds = margin(rule, place.layout, x) >= 0
                ratio = switches[rule.id].ratio(holds, chances[rule.id, c])
                soft = np.log(probability * ratio + (1 - probability))
                total += np.where(holds, 0.0, FORBIDDEN) if rule.hard else soft
            return total

        draws[c] = _reweighted(place, free[c], log_factor, generator)
    audit = tuple(
        _evidence(ontology.rules[r], where, places, chances, held, draws, factors)
        for r, where in spoken.items()
        if where
    )
    return Verdicts({c: p.layout for c, p in places.items()}, draws, free, audit)


def _draws(place: Place, count: int, generator: np.random.Generator) -> Floats:
    spread = _normal(place.covariance, count, generator)
    # Without rules the mean of the draws is the optimum itself, whatever the seed.
    return np.asarray(place.mean + spread - spread.mean(0))


def _normal(covariance: Floats, count: int, generator: np.random.Generator) -> Floats:
    """Draws of N(0, covariance), also where it has directions of no width."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    return np.asarray(generator.standard_normal((count, len(values))) @ root.T)


def _reweighted(
    place: Place, free: Floats, log_factor: Callable[[Floats], Floats], generator: np.random.Generator
) -> Floats:
    """Equally weighted draws of the posterior with rules."""
    logs = log_factor(free)
    if logs.max() < FORBIDDEN / 2:
        # The data are far from all that the hard rules allow.
        return _slice(place, _allowed(place, log_factor, generator), log_factor, generator)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    effective = 1 / (weights**2).sum()
    picked: Floats = free[_systematic(weights, generator)]
    if effective >= ENOUGH:
        return picked
    return _slice(place, picked[generator.permutation(len(picked))[: DRAWS // 4]], log_factor, generator)


def _allowed(place: Place, log_factor: Callable[[Floats], Floats], generator: np.random.Generator) -> Floats:
    """Starts for the slice sampler within the hard rules: from ever wider draws, the first that keep them."""
    for scale in 2.0 ** np.arange(1, 12):
        wide = place.mean + scale * _normal(place.covariance, DRAWS, generator)
        kept = wide[log_factor(wide) > FORBIDDEN / 2]
        if len(kept):
            return np.asarray(kept[np.arange(DRAWS // 4) % len(kept)])
    raise RunError(
        f"no part-worths keep all hard rules in {place.layout.category}",
        todo="Give one of them kg:sure 0.95 instead of kg:must.",
    )


def _systematic(weights: Floats, generator: np.random.Generator) -> Any:
    """Indices drawn in proportion to weights, with the least noise."""
    marks = (np.arange(len(weights)) + generator.random()) / len(weights)
    return np.asarray(np.minimum(np.searchsorted(np.cumsum(weights), marks), len(weights) - 1))


def _slice(
    place: Place, x: Floats, log_factor: Callable[[Floats], Floats], generator: np.random.Generator
) -> Floats:
    """Elliptical slice sampling (Murray, Adams and MacKay 2010), many chains side by side."""
    now = log_factor(x)
    for _ in range(MOVES):
        other = _normal(place.covariance, len(x), generator)
        level = now + np.log(generator.random(len(x)))
        angle = generator.uniform(0, 2 * np.pi, len(x))
        low, high = angle - 2 * np.pi, angle.copy()
        waiting = np.arange(len(x))
        here = x - place.mean
        while len(waiting):
            a = angle[waiting, None]
            proposed = place.mean + here[waiting] * np.cos(a) + other[waiting] * np.sin(a)
            value = log_factor(proposed)
            fine = value >= level[waiting]
            x[waiting[fine]], now[waiting[fine]] = proposed[fine], value[fine]
            waiting = waiting[~fine]
            left = angle[waiting] < 0
            low[waiting[left]] = angle[waiting[left]]
            high[waiting[~left]] = angle[waiting[~left]]
            angle[waiting] = generator.uniform(low[waiting], high[waiting])
    return x


def _evidence(
    rule: Rule,
    where: Sequence[str],
    places: dict[str, Place],
    chances: dict[tuple[str, str], float],
    held: dict[tuple[str, str], Any],
    draws: dict[str, Floats],
    factors: dict[tuple[str, str], float],
) -> RuleEvidence:
    counted = [c for c in where if places[c].home] or list(where)
    data = [float(held[rule.id, c].mean()) for c in counted]
    chance = [chances[rule.id, c] for c in counted]
    posterior = [float((margin(rule, places[c].layout, draws[c]) >= 0).mean()) for c in counted]
    if len(counted) == 1:
        # Half a draw on either side keeps the Bayes factor finite.
        p = np.clip(data[0], 0.5 / DRAWS, 1 - 0.5 / DRAWS)
        evidence = float(np.log(p / chance[0]) - np.log((1 - p) / (1 - chance[0])))
    else:
        evidence = sum(factors[rule.id, c] for c in counted)
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
