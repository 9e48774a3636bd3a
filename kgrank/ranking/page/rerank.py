"""The order of a page beyond the score: pins, buried items, caps and diversity, each with its reason.

Only a window of first positions is re-ranked; behind it items are in the order of their scores, so that pages
join.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.ranking.catalogue.items import Members
from kgrank.ranking.catalogue.phrases import phrase
from kgrank.ranking.catalogue.scores import CategoryScores
from kgrank.ranking.catalogue.top import top_indices

WINDOW = 100
"""First positions that diversity re-ranks."""


@dataclass(frozen=True)
class Limit:
    """A cap on the items of a category: at most ``maximum`` with one value in the first ``top`` positions.

    Attributes:
        values: The capped values of an item.
        maximum: Items with one of them.
        top: Number of first positions.
        reason: Shown with an item that is moved down by a value.
    """

    values: Callable[[int], tuple[str, ...]]
    maximum: int
    top: int
    reason: Callable[[str], str]


@dataclass(frozen=True)
class RerankRules:
    """What is wanted beyond the scores; items are indices among the category's.

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
    """Items in their order, why some are not where their scores put them, and the caps that could not be kept."""

    members: Members
    reasons: dict[int, str]
    short: tuple[str, ...] = ()


def rerank(
    table: CategoryScores, weights: Floats, members: Members, scores: Floats, rules: RerankRules, count: int
) -> Reranked:
    """The first items as they are shown.

    Args:
        table: The category.
        weights: Importance of its attributes (attributes,).
        members: The items to be ranked, ascending (ranked,).
        scores: Theirs (ranked,).
        rules: What is wanted.
        count: At most so many items.
    """
    order = _by_score(members, scores, rules)
    pins = rules.pins
    window = max([0, *pins, *(limit.top for limit in rules.limits), WINDOW * bool(rules.diversity)])
    window = min(window, len(members))
    pinned = np.array([item for item, _ in pins.values()], dtype=np.int64)
    size = max(count, 2 * window) + len(pinned)
    while True:
        reasons = dict(rules.buried)
        queue = order(size)
        queue = queue[~np.isin(queue, pinned)]
        if rules.diversity:
            queue = _diversified(
                table, weights, queue, scores[np.searchsorted(members, queue)], rules, reasons
            )
        filled = _fill(queue.tolist(), pins, window, rules, reasons, last=size >= len(members))
        if filled is not None:
            reranked, short = filled
            return Reranked(np.array(reranked[:count], dtype=np.int64), reasons, short)
        size *= 2


def _diversified(
    table: CategoryScores,
    weights: Floats,
    queue: Members,
    scores: Floats,
    rules: RerankRules,
    reasons: dict[int, str],
) -> Members:
    """The queue with its first items spread out."""
    head = queue[:WINDOW]
    chosen = diverse(table, weights, head, scores[:WINDOW], rules.diversity)
    for now, before in enumerate(chosen.tolist()):
        if now < before:
            reason = phrase("diverse", rules.language, position=before + 1)
            reasons.setdefault(int(head[before]), reason)
    return np.concatenate([head[chosen], queue[WINDOW:]])


def diverse(table: CategoryScores, weights: Floats, items: Members, scores: Floats, diversity: float) -> Ints:
    """Maximal marginal relevance (Carbonell and Goldstein 1998) over what the items have.

    One after another, the item with the highest (1 - d) · z - d · (greatest likeness to one placed before) is
    placed; z is its score on a scale from 0, the lowest of these items, to 1, the highest. The likeness of two
    items is the sum of the importance of the attributes in which they are alike: 1 for the same values, and for
    numbers 1 - |x - y| / (largest - smallest of these items); 0 where a value is missing. Ties go to the higher
    score, then to the lower id.

    Returns:
        Indices in ``items``, in the order shown.
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


def _likeness(table: CategoryScores, weights: Floats, items: Members) -> Floats:
    """(items, items) how alike two items are, from 0 to 1."""
    likeness = np.zeros((len(items), len(items)))
    profiles = table.profiles
    for k, attribute in enumerate(profiles.attributes):
        profile = profiles.item_profiles[items, k]
        has_value = profile != profiles.first[k]
        likeness += weights[attribute] * ((profile[:, None] == profile) & has_value[:, None] & has_value)
    for m, attribute in enumerate(table.numbers):
        number = table.number[items, m]
        width = np.nanmax(number) - np.nanmin(number) if not np.isnan(number).all() else 0.0
        gap = np.abs(number[:, None] - number) / (width or 1.0)
        likeness += weights[attribute] * np.nan_to_num(1 - gap, nan=0.0)
    return likeness


def _by_score(members: Members, scores: Floats, rules: RerankRules) -> Callable[[int], Members]:
    """So many first items by score, buried ones behind all others."""
    buried = np.isin(members, np.array(list(rules.buried), dtype=np.int64))
    ahead, ahead_scores = members[~buried], scores[~buried]
    behind, behind_scores = members[buried], scores[buried]

    def order(count: int) -> Members:
        front = ahead[top_indices(ahead_scores, count)[0]]
        return np.concatenate([front, behind[top_indices(behind_scores, count - len(front))[0]]])

    return order


class _Caps:
    """How many items of each capped value are among the first positions so far."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._used = [(limit, Counter[str]()) for limit in limits]

    def count(self, item: int, position: int) -> None:
        """An item takes a position."""
        for limit, counts in self._used:
            if position <= limit.top:
                counts.update(limit.values(item))

    def blocked(self, item: int, position: int) -> _Block | None:
        """Why an item may not take a position, and until which one that holds; None where it may."""
        reason, last = None, 0
        for limit, counts in self._used:
            if position > limit.top or limit.top <= last:
                # It has ended, or could not block for longer than another does.
                continue
            for value in limit.values(item):
                if counts[value] >= limit.maximum:
                    reason = reason or limit.reason(value)
                    last = limit.top
                    break
        return None if reason is None else _Block(reason, last)


@dataclass(frozen=True)
class _Block:
    """Why an item may not take a position, and the last position that it may not take for what it has."""

    reason: str
    last: int


class _Queue:
    """Items that wait for a position, first to last; one that a cap blocks is looked at again when that cap ends.

    So each item is looked at a few times, not once for each position.

    Args:
        items: In the order wanted.
        caps: What blocks them.
        reasons: By item; those of caps are added for items that others overtake.
    """

    def __init__(self, items: Sequence[int], caps: _Caps, reasons: dict[int, str]) -> None:
        self._items = items
        self._caps = caps
        self._reasons = reasons
        self._first_unseen = 0
        self._again: list[int] = []
        """Heap of indices that were blocked by caps that have ended."""
        self._blocked: dict[int, list[int]] = {}
        """Heaps of indices, by the last position for which they are blocked."""
        self._unexplained: list[int] = []
        """Heap of blocked indices that no other item has overtaken yet."""
        self._taken = np.zeros(len(items), dtype=bool)

    def take(self, position: int) -> int | None:
        """The first item that may have a position; None where all are blocked."""
        for last in [last for last in self._blocked if last < position]:
            for index in self._blocked.pop(last):
                heappush(self._again, index)
        while self._again or self._first_unseen < len(self._items):
            if self._again:
                index = heappop(self._again)
            else:
                index = self._first_unseen
                self._first_unseen += 1
            block = self._caps.blocked(self._items[index], position)
            if block is None:
                self._explain(index, position)
                return self._remove(index, position)
            heappush(self._blocked.setdefault(block.last, []), index)
            heappush(self._unexplained, index)
        return None

    def give_way(self, position: int) -> tuple[int, str] | None:
        """The first of the blocked items, and what blocks it; None where no item is left."""
        if not self._blocked:
            return None
        last = min(self._blocked, key=lambda last: self._blocked[last][0])
        index = heappop(self._blocked[last])
        if not self._blocked[last]:
            del self._blocked[last]
        block = self._caps.blocked(self._items[index], position)
        return self._remove(index, position), "" if block is None else block.reason

    def rest(self) -> list[int]:
        """The items that have got no position."""
        return [item for item, taken in zip(self._items, self._taken.tolist(), strict=True) if not taken]

    def _explain(self, index: int, position: int) -> None:
        """Says of all blocked items before one that takes a position why they have not got it."""
        while self._unexplained and self._unexplained[0] < index:
            overtaken = heappop(self._unexplained)
            item = self._items[overtaken]
            if not self._taken[overtaken] and item not in self._reasons:
                block = self._caps.blocked(item, position)
                if block is not None:
                    self._reasons[item] = block.reason

    def _remove(self, index: int, position: int) -> int:
        self._taken[index] = True
        self._caps.count(self._items[index], position)
        return self._items[index]


def _fill(
    items: Sequence[int],
    pins: Mapping[int, tuple[int, str]],
    window: int,
    rules: RerankRules,
    reasons: dict[int, str],
    *,
    last: bool,
) -> tuple[list[int], tuple[str, ...]] | None:
    """The items with the window filled position by position; None where more items are needed for that.

    Args:
        items: In the order wanted, pinned ones left out.
        pins: Item and reason by position.
        window: Number of positions.
        rules: With the limits.
        reasons: By item; those of pins and limits are added.
        last: Whether these are all items: then a limit gives way where nothing else is left.
    """
    caps = _Caps(rules.limits)
    filled, short = list[int](), dict[str, None]()
    for position, (pinned, reason) in pins.items():
        caps.count(pinned, position)
        reasons[pinned] = phrase("pinned", rules.language, position=position, reason=reason).strip(" :：")
    queue = _Queue(items, caps, reasons)
    for position in range(1, window + 1):
        if position in pins:
            filled.append(pins[position][0])
            continue
        item = queue.take(position)
        if item is None:
            if not last:
                return None
            first_blocked = queue.give_way(position)
            if first_blocked is None:
                # Only pins are left: they are as near to their positions as there are items.
                continue
            item, why = first_blocked
            short[why] = None
        filled.append(item)
    # A pin beyond the last item comes last.
    late = [item for position, (item, _) in sorted(pins.items()) if position > window]
    return [*filled, *queue.rest(), *late], tuple(short)
