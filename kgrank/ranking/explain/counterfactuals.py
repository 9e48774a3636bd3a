"""What would bring an item into the first places: the smallest change of its attributes that is enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kgrank.errors import InputError
from kgrank.graph.schema import NUMBER, split_value_id, value_id
from kgrank.ontology.kinds.kind import Measure
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import BRAND, AttributeType
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_words
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.catalogue.top import DECIMALS, first, position
from kgrank.ranking.page.answer import score_query, selection
from kgrank.ranking.page.query import Query
from kgrank.ranking.page.score import ScoredCategory, member_index, value_worths

ENOUGH = 2 * 10.0**-DECIMALS
"""In logits: by so much an item must pass another, so that ids decide nothing."""

GRID = 200
"""Steps of a number between the smallest and the largest that occur."""


@dataclass(frozen=True)
class Change:
    """Another value or number of one attribute, and what it adds."""

    attribute: str
    old: str
    new: str
    value: str | None
    number: float | None
    gain: float
    sentence: str


@dataclass(frozen=True)
class Counterfactual:
    """Changes that together bring the item to a position.

    ``limited_by_rules`` says whether a rule names the better direction of the first.
    """

    changes: tuple[Change, ...]
    position: int
    limited_by_rules: bool
    sentence: str


@dataclass(frozen=True)
class Counterfactuals:
    """What would bring an item into the first places.

    Attributes:
        item: Its id.
        position: Where it stands.
        first: The places that are wanted.
        gap: What it lacks, in logits; 0 where it stands there.
        counterfactuals: Each enough by itself: single changes first, numbers with a Monotone rule (such as the
            price) before all others, then by the size of the change.
        sentence: The first way in words, or that there is none.
    """

    item: str
    position: int
    first: int
    gap: float
    counterfactuals: tuple[Counterfactual, ...]
    sentence: str


@dataclass(frozen=True)
class _Option:
    """A value or number that an attribute could have: what it adds, and how far away it is (0 to 1)."""

    attribute: str
    value: str | None
    number: float | None
    gain: float
    size: float


def counterfactuals(shop: Shop, query: Query, item: str, wanted: int = 10) -> Counterfactuals:
    """The smallest changes that bring an item into the first places of a ranking.

    A change of a number is as large as its part of the range that occurs in the category, one of an ordered value
    as its steps, one to another value 1. The brand stays. All other items stay as they are.

    Args:
        shop: Where.
        query: The ranking: its category, filters, shopper, session and language.
        item: An item's id.
        wanted: Number of first places.

    Raises:
        InputError: An unknown category or item, an item outside the category or left out by a filter.
        WeightsError: The weights say nothing of the category.
    """
    asked = selection(shop, query)
    scored = score_query(shop, asked.category, query)
    place = member_index(shop, asked.category, item)
    some = np.arange(len(scored.scores)) if asked.some is None else asked.some
    if place not in some:
        raise InputError(f"item {item!r} is left out by a filter", expected="an item that is ranked")
    if wanted < 1:
        raise InputError(f"the first {wanted} places", expected="1 or more")
    at = int(np.searchsorted(some, place))
    now = position(scored.scores[some], at)
    title = shop.items.titles[shop.items.index[item]] or item
    if now <= wanted:
        said = phrase("within-already", query.language, title=title, position=now)
        return Counterfactuals(item, now, wanted, 0.0, (), said)
    last = first(scored.scores[some], wanted)[1][-1]
    gap = float(last - scored.scores[place]) + ENOUGH
    options = {a: list(_options(shop, scored, place, a)) for a in scored.table.attributes if a != BRAND}
    found = _single(options, gap) or _several(options, gap)
    ruled = _ruled(shop, asked.category)
    found.sort(key=lambda way: (way[0].attribute not in ruled, sum(o.size for o in way), way[0].attribute))
    ways = tuple(_way(shop, scored, some, place, way, ruled, query.language) for way in found)
    if ways:
        return Counterfactuals(item, now, wanted, gap, ways, ways[0].sentence)
    best = sum(max((o.gain for o in some_), default=0.0) for some_ in options.values())
    said = phrase("no-way", query.language, title=title, first=wanted, gap=gap, best=best)
    return Counterfactuals(item, now, wanted, gap, (), said)


def _single(options: dict[str, list[_Option]], gap: float) -> list[list[_Option]]:
    """The smallest sufficient change of each attribute."""
    enough = ([o for o in some if o.gain >= gap] for some in options.values())
    return [[min(some, key=lambda o: (o.size, o.gain))] for some in enough if some]


def _several(options: dict[str, list[_Option]], gap: float) -> list[list[_Option]]:
    """The fewest attributes that are enough together: those with most to gain, the last no more than needed."""
    best = [max(some, key=lambda o: (o.gain, -o.size)) for some in options.values() if some]
    best = sorted((o for o in best if o.gain > 0), key=lambda o: -o.gain)
    chosen: list[_Option] = []
    for option in best:
        lacks = gap - sum(o.gain for o in chosen)
        if option.gain >= lacks:
            enough = [o for o in options[option.attribute] if o.gain >= lacks]
            return [[*chosen, min(enough, key=lambda o: (o.size, o.gain))]]
        chosen.append(option)
    return []


def _options(shop: Shop, scored: ScoredCategory, place: int, attribute: str) -> Iterator[_Option]:
    """What an attribute could be instead."""
    k = scored.table.attributes.index(attribute)
    own = float(scored.table.column(attribute, scored.worth, scored.units)[place])
    block = shop.design(scored.category).layout.block.get(attribute)
    if block is None:
        return
    if block.number:
        now = float(scored.table.number[place, scored.table.numbers.index(k)])
        width = (block.maximum - block.minimum) or 1.0
        for number in np.linspace(block.minimum, block.maximum, GRID + 1).tolist():
            rounded = float(f"{number:.4g}")
            size = abs(rounded - (block.centre if np.isnan(now) else now)) / width
            gain = scored.strength * (_number_worth(shop, scored, attribute, rounded) - own)
            yield _Option(attribute, None, rounded, gain, size)
        return
    items = dict(zip(block.nodes, block.item_count.tolist(), strict=True))
    has = [n for n, _ in shop.items.values_of(int(scored.table.members[place]), attribute)]
    for node, worth in value_worths(shop, scored.category, attribute, scored.deviations).items():
        if node in items and node not in has:
            steps = 1.0
            if block.type is AttributeType.ORDERED and has and has[0] in items:
                gap = abs(block.nodes.index(node) - block.nodes.index(has[0]))
                steps = gap / max(len(block.nodes) - 1, 1)
            # Of values alike in size, the one that more items have is the smaller change.
            size = steps + 1e-6 / (1 + items[node])
            yield _Option(attribute, split_value_id(node)[1], None, scored.strength * (worth - own), size)


def _number_worth(shop: Shop, scored: ScoredCategory, attribute: str, number: float) -> float:
    """What a number adds for the shopper at hand."""
    node = value_id(attribute, NUMBER)
    known = {u.node: u for u in shop.weights_of(scored.category).utilities}
    worth = known[node].at(number) if node in known else 0.0
    if scored.worth.slopes is not None and node in shop.column:
        m = scored.table.numbers.index(scored.table.attributes.index(attribute))
        block = shop.design(scored.category).layout.block[attribute]
        worth += float(scored.worth.slopes[m]) * (number - block.centre) / block.scale
    return worth


def _ruled(shop: Shop, category: str) -> set[str]:
    """Attributes of which a rule states what is better, more or less."""
    return {
        rule.attribute
        for rule in shop.ontology.rules.values()
        if rule_kind(rule.kind).measure is Measure.DIRECTION
        and rule.attribute
        and category in shop.ontology.scope(rule)
    }


def _way(
    shop: Shop,
    scored: ScoredCategory,
    some: np.ndarray[tuple[int], np.dtype[np.int64]],
    place: int,
    options: list[_Option],
    ruled: set[str],
    language: str,
) -> Counterfactual:
    changes = []
    row = int(scored.table.members[place])
    for option in options:
        name = attribute_name(shop.ontology, option.attribute, language)
        old = value_words(shop.ontology, shop.items.values_of(row, option.attribute), language)
        node = value_id(option.attribute, NUMBER if option.value is None else option.value)
        new = value_words(shop.ontology, [(node, option.number or 0.0)], language)
        said = phrase("change", language, name=name, old=old, new=new, gain=option.gain)
        changes.append(Change(option.attribute, old, new, option.value, option.number, option.gain, said))
    after = scored.scores.copy()
    after[place] += sum(o.gain for o in options)
    stands = position(after[some], int(np.searchsorted(some, place)))
    title = shop.items.titles[row] or shop.items.ids[row]
    said = phrase(
        "way",
        language,
        title=title,
        position=stands,
        changes=phrase("and", language).join(c.sentence for c in changes),
    )
    return Counterfactual(tuple(changes), stands, options[0].attribute in ruled, said)
