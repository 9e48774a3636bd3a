"""The order of a page beyond the score: pins, buried items, caps and diversity, each with its reason.

Only a window of first places is arranged; behind it items stand by their scores, so that pages join.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kgrank.ranking.catalogue.items import Integers, Reals
from kgrank.ranking.catalogue.phrases import phrase
from kgrank.ranking.catalogue.scores import CategoryScores
from kgrank.ranking.catalogue.top import first

WINDOW = 100
"""First places that diversity arranges."""


@dataclass(frozen=True)
class Limit:
    """A cap on the items of a category: at most ``most`` with one value in the first ``top`` places.

    Attributes:
        values: The capped values of an item.
        most: Items with one of them.
        top: First places.
        reason: Shown with an item that stands lower by a value.
    """

    values: Callable[[int], tuple[str, ...]]
    most: int
    top: int
    reason: Callable[[str], str]


@dataclass(frozen=True)
class RerankRules:
    """What is wanted beyond the scores; items are places in the category.

    Attributes:
        pins: Item and reason by position, from 1.
        buried: Reason by item.
        limits: Caps.
        diversity: From 0 to below 1.
        language: Of the reasons.
    """

    pins: dict[int, tuple[int, str]] = field(default_factory=dict)
    buried: dict[int, str] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    diversity: float = 0.0
    language: str = "en"

    def __bool__(self) -> bool:
        return bool(self.pins or self.buried or self.limits or self.diversity)


@dataclass(frozen=True)
class Reranked:
    """Items in their order, why some stand where they stand, and the caps that could not be kept."""

    places: Integers
    reasons: dict[int, str]
    short: tuple[str, ...] = ()


def rerank(
    table: CategoryScores, weights: Reals, some: Integers, scores: Reals, wishes: RerankRules, count: int
) -> Reranked:
    """The first items as they are shown.

    Args:
        table: The category.
        weights: Importance of its attributes (attributes,).
        some: The items to be ranked, ascending (ranked,).
        scores: Theirs (ranked,).
        wishes: What is wanted.
        count: At most so many items.
    """
    order = _by_score(some, scores, wishes)
    pins = wishes.pins
    window = max([0, *pins, *(one.top for one in wishes.limits), WINDOW * bool(wishes.diversity)])
    window = min(window, len(some))
    pinned = np.array([item for item, _ in pins.values()], dtype=np.int64)
    size = max(count, 2 * window) + len(pinned)
    while True:
        reasons = dict(wishes.buried)
        queue = order(size)
        queue = queue[~np.isin(queue, pinned)]
        if wishes.diversity:
            queue = _diversified(table, weights, queue, scores[np.searchsorted(some, queue)], wishes, reasons)
        found = _fill(queue.tolist(), pins, window, wishes, reasons, last=size >= len(some))
        if found is not None:
            places, short = found
            return Reranked(np.array(places[:count], dtype=np.int64), reasons, short)
        size *= 2


def _diversified(
    table: CategoryScores,
    weights: Reals,
    queue: Integers,
    scores: Reals,
    wishes: RerankRules,
    reasons: dict[int, str],
) -> Integers:
    """The queue with its first items spread out."""
    head = queue[:WINDOW]
    chosen = diverse(table, weights, head, scores[:WINDOW], wishes.diversity)
    for now, before in enumerate(chosen.tolist()):
        if now < before:
            said = phrase("diverse", wishes.language, position=before + 1)
            reasons.setdefault(int(head[before]), said)
    return np.concatenate([head[chosen], queue[WINDOW:]])


def diverse(
    table: CategoryScores, weights: Reals, items: Integers, scores: Reals, diversity: float
) -> Integers:
    """Maximal marginal relevance (Carbonell and Goldstein 1998) over what the items have.

    One after another, the item with the highest (1 - d) · z - d · (greatest likeness to one placed before) is
    placed; z is its score on a scale from 0, the lowest of these items, to 1, the highest. The likeness of two
    items is the sum of the importance of the attributes in which they are alike: 1 for the same values, and for
    numbers 1 - |x - y| / (largest - smallest of these items); 0 where a value is missing. Ties go to the higher
    score, then to the lower id.

    Returns:
        Places in ``items``, in the order shown.
    """
    if not len(items):
        return np.empty(0, dtype=np.int64)
    width = float(np.ptp(scores))
    value = (scores - scores.min()) / width if width else np.ones(len(scores))
    nearest, left = np.zeros(len(items)), np.ones(len(items), dtype=bool)
    alike = _likeness(table, weights, items)
    chosen: list[int] = []
    for _ in items:
        gain = np.where(left, (1 - diversity) * value - diversity * nearest, -np.inf)
        best = int(np.argmax(gain))
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, alike[best])
    return np.array(chosen, dtype=np.int64)


def _likeness(table: CategoryScores, weights: Reals, items: Integers) -> Reals:
    """(items, items) how alike two items are, from 0 to 1."""
    found = np.zeros((len(items), len(items)))
    profiles = table.profiles
    for k, attribute in enumerate(profiles.attributes):
        own = profiles.own[items, k]
        known = own != profiles.first[k]
        found += weights[attribute] * ((own[:, None] == own) & known[:, None] & known)
    for m, attribute in enumerate(table.numbers):
        own = table.number[items, m]
        width = np.nanmax(own) - np.nanmin(own) if not np.isnan(own).all() else 0.0
        gap = np.abs(own[:, None] - own) / (width or 1.0)
        found += weights[attribute] * np.nan_to_num(1 - gap, nan=0.0)
    return found


def _by_score(some: Integers, scores: Reals, wishes: RerankRules) -> Callable[[int], Integers]:
    """So many first items by score, buried ones behind all others."""
    back = np.isin(some, np.array(list(wishes.buried), dtype=np.int64))
    ahead, ahead_scores, behind, behind_scores = some[~back], scores[~back], some[back], scores[back]

    def order(count: int) -> Integers:
        front = ahead[first(ahead_scores, count)[0]]
        return np.concatenate([front, behind[first(behind_scores, count - len(front))[0]]])

    return order


class _Caps:
    """How many items of each capped value stand in the first places so far."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._used = [(one, Counter[str]()) for one in limits]

    def count(self, item: int, position: int) -> None:
        """An item takes a position."""
        for one, counts in self._used:
            if position <= one.top:
                counts.update(one.values(item))

    def blocked(self, item: int, position: int) -> str | None:
        """Why an item may not take a position; None where it may."""
        for one, counts in self._used:
            for value in one.values(item) if position <= one.top else ():
                if counts[value] >= one.most:
                    return one.reason(value)
        return None


def _fill(
    queue: list[int],
    pins: Mapping[int, tuple[int, str]],
    window: int,
    wishes: RerankRules,
    reasons: dict[int, str],
    *,
    last: bool,
) -> tuple[list[int], tuple[str, ...]] | None:
    """The queue with the window filled position by position; None where more items are needed for that.

    Args:
        queue: Items in the order wanted, pinned ones left out.
        pins: Item and reason by position.
        window: Number of positions.
        wishes: With the limits.
        reasons: By item; those of pins and limits are added.
        last: Whether the queue holds all items: then a limit gives way where nothing else is left.
    """
    caps = _Caps(wishes.limits)
    filled, short = list[int](), dict[str, None]()
    for at, (pinned, reason) in pins.items():
        caps.count(pinned, at)
        reasons[pinned] = phrase("pinned", wishes.language, position=at, reason=reason).strip(" :：")
    for position in range(1, window + 1):
        if position in pins:
            filled.append(pins[position][0])
            continue
        passed = list[tuple[int, str]]()
        for item in queue:
            why = caps.blocked(item, position)
            if why is None:
                break
            passed.append((item, why))
        else:
            if not last:
                return None
            if not passed:
                # Only pins are left: they stand as near to their positions as there are items.
                continue
            (item, why), passed = passed[0], []
            short[why] = None
        for other, reason in passed:
            reasons.setdefault(other, reason)
        queue.remove(item)
        filled.append(item)
        caps.count(item, position)
    # A pin beyond the last item stands last.
    late = [item for at, (item, _) in sorted(pins.items()) if at > window]
    return [*filled, *queue, *late], tuple(short)
