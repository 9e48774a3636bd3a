"""Whether rules about shares can hold together, exactly and without a solver."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from math import comb

from kgrank.ontology.kinds.table import share_bounds
from kgrank.ontology.model import Rule

_MOST_SETS = 1000
"""Sets of one size that are looked at for a smaller conflict."""

_SHORTEST = 2
"""Links of the shortest circle that there can be."""

_ROOM = 1e-9
"""Sums of decimal shares are no exact binary numbers."""


@dataclass
class Bounds:
    """Least and greatest shares by attribute, pushed along the orders."""

    lower: dict[str, float] = field(default_factory=dict)
    upper: dict[str, float] = field(default_factory=dict)

    @property
    def crossed(self) -> str | None:
        """An attribute whose least share is above its greatest."""
        return next((a for a in self.lower if self.lower[a] > self.upper[a] + _ROOM), None)

    @property
    def feasible(self) -> bool:
        """Whether shares that add up to 1 exist within the bounds.

        The least shares themselves obey bounds and orders, and so do the greatest; between the two lies a
        point that adds up to 1 exactly if the sums are on either side of 1.
        """
        if self.crossed is not None:
            return False
        return sum(self.lower.values()) <= 1 + _ROOM and sum(self.upper.values()) >= 1 - _ROOM


def bounds(rules: Iterable[Rule], attributes: Collection[str]) -> Bounds:
    """The bounds that rules set over the attributes that apply; others are left out of the orders."""
    limits = Bounds(dict.fromkeys(attributes, 0.0), dict.fromkeys(attributes, 1.0))
    pairs: list[tuple[str, str]] = []
    for rule in rules:
        pairs += [*pairwise(a for a in rule.order if a in limits.lower)]
        if rule.attribute in limits.lower:
            low, high = interval(rule)
            limits.lower[rule.attribute] = max(low, limits.lower[rule.attribute])
            limits.upper[rule.attribute] = min(high, limits.upper[rule.attribute])
    # Each round carries a bound one step further; circles settle on equal shares.
    for _ in range(len(limits.lower)):
        before = sum(limits.lower.values()), sum(limits.upper.values())
        for more, less in pairs:
            limits.lower[more] = max(limits.lower[more], limits.lower[less])
            limits.upper[less] = min(limits.upper[less], limits.upper[more])
        if before == (sum(limits.lower.values()), sum(limits.upper.values())):
            break
    return limits


def interval(rule: Rule) -> tuple[float, float]:
    """The least and the greatest share that a rule allows its attribute."""
    return share_bounds(rule) or (0.0, 1.0)


def binding(rules: Sequence[Rule]) -> list[Rule]:
    """The rules that can be part of a smallest conflict: of each share its greatest least and its least greatest
    bound, and of each order the first rule that states it.

    No set of the others conflicts with fewer rules. Of thousands of rules about ten attributes a few are left.
    """
    low: dict[str, Rule] = {}
    high: dict[str, Rule] = {}
    orders: dict[tuple[str, ...], Rule] = {}
    for rule in rules:
        if rule.order:
            orders.setdefault(rule.order, rule)
        elif rule.attribute is not None:
            least, greatest = interval(rule)
            if rule.attribute not in low or least > interval(low[rule.attribute])[0]:
                low[rule.attribute] = rule
            if rule.attribute not in high or greatest < interval(high[rule.attribute])[1]:
                high[rule.attribute] = rule
    kept = {r.id for part in (low, high, orders) for r in part.values()}
    return [rule for rule in rules if rule.id in kept]


def smallest_conflict(rules: Sequence[Rule], together: Callable[[Sequence[Rule]], bool]) -> list[Rule]:
    """A smallest part of the rules that cannot hold together: without any one of them it can.

    It is of the fewest rules there are, unless there are too many sets of fewer rules to look at.
    """
    kept = list(rules)
    for rule in rules:
        rest = [r for r in kept if r is not rule]
        if not together(rest):
            kept = rest
    for size in range(2, len(kept)):
        if comb(len(rules), size) > _MOST_SETS:
            break
        for subset in combinations(rules, size):
            if not together(subset):
                return list(subset)
    return kept


@dataclass(frozen=True)
class Link:
    """One step of an order, and the rule that states it."""

    more: str
    less: str
    rule: Rule


def circle(links: Sequence[Link]) -> list[Link]:
    """A shortest circle of links, beginning with the earliest rule's; empty where there is none."""
    first: dict[tuple[str, str], Link] = {}
    for link in links:
        first.setdefault((link.more, link.less), link)
    after: dict[str, list[Link]] = {}
    for link in first.values():
        after.setdefault(link.more, []).append(link)
    best: list[Link] = []
    for link in first.values():
        path = _path(link, after)
        if path and (not best or len(path) < len(best)):
            best = path
        if 0 < len(best) <= _SHORTEST:
            break
    return best


def _path(start: Link, after: Mapping[str, Sequence[Link]]) -> list[Link]:
    """The shortest way from a link back to its own beginning, breadth first."""
    paths = [[start]]
    seen = {start.less}
    for path in paths:
        if path[-1].less == start.more:
            return path
        for link in after.get(path[-1].less, ()):
            if link.less not in seen:
                seen.add(link.less)
                paths.append([*path, link])
    return []
