"""What would bring an item among the first of a ranking: the smallest sufficient change of its attributes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Ints
from kgrank.errors import InputError
from kgrank.graph.schema import NUMBER, split_value_id, value_id
from kgrank.ontology.kinds.kind import Measure
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import BRAND, AttributeType
from kgrank.ranking.answers import Change, Counterfactual, Counterfactuals
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_words
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.catalogue.top import DECIMALS, position, top_indices
from kgrank.ranking.page.answer import score_query, selection
from kgrank.ranking.page.query import Query
from kgrank.ranking.page.score import ScoredCategory, member_index, value_worths

ENOUGH = 2 * 10.0**-DECIMALS
"""In logits: by so much an item must pass another, so that ids do not decide."""

GRID = 200
"""Steps of a number between the smallest and the largest that occur."""


@dataclass(frozen=True)
class _Option:
    """A value or number that an attribute could have: what it adds, and how far away it is (0 to 1)."""

    attribute: str
    value: str | None
    number: float | None
    gain: float
    size: float


def counterfactuals(shop: Shop, query: Query, item: str, top: int = 10) -> Counterfactuals:
    """The smallest changes that bring an item among the first of a ranking.

    A change of a number is as large as its part of the range that occurs in the category, one of an ordered value
    as its steps, one to another value 1. The brand stays. All other items stay as they are.

    Args:
        shop: Where.
        query: The ranking: its category, filters, shopper, session and language.
        item: An item's id.
        top: Number of first positions.

    Raises:
        InputError: An unknown category or item, an item outside the category or left out by a filter.
        WeightsError: The weights say nothing of the category.
    """
    chosen = selection(shop, query)
    scored = score_query(shop, chosen.category, query)
    member = member_index(shop, chosen.category, item)
    members = np.arange(len(scored.scores)) if chosen.members is None else chosen.members
    if member not in members:
        raise InputError(f"item {item!r} is left out by a filter", expected="an item that is ranked")
    if top < 1:
        raise InputError(f"the first {top} places", expected="1 or more")
    now = position(scored.scores[members], int(np.searchsorted(members, member)))
    title = shop.items.titles[shop.items.index[item]] or item
    if now <= top:
        gap, sufficient = 0.0, tuple[Counterfactual, ...]()
        sentence = phrase("within-already", query.language, title=title, position=now)
    else:
        last = top_indices(scored.scores[members], top)[1][-1]
        gap = float(last - scored.scores[member]) + ENOUGH
        options = {a: list(_options(shop, scored, member, a)) for a in scored.table.attributes if a != BRAND}
        sufficient = _sufficient(shop, scored, members, member, options, gap, query.language)
        best = sum(max((o.gain for o in choices), default=0.0) for choices in options.values())
        none = phrase("no-way", query.language, title=title, first=top, gap=gap, best=best)
        sentence = sufficient[0].sentence if sufficient else none
    return Counterfactuals(
        version=shop.weights.version,
        category=chosen.category,
        item=item,
        position=now,
        top=top,
        gap=gap,
        counterfactuals=sufficient,
        sentence=sentence,
        notes=chosen.notes,
    )


def _sufficient(
    shop: Shop,
    scored: ScoredCategory,
    members: Ints,
    member: int,
    options: dict[str, list[_Option]],
    gap: float,
    language: str,
) -> tuple[Counterfactual, ...]:
    """The sufficient changes, in the order of ``Counterfactuals``."""
    combinations = _single(options, gap) or _several(options, gap)
    monotone = _monotone_attributes(shop, scored.category)
    combinations.sort(key=lambda c: (c[0].attribute not in monotone, sum(o.size for o in c), c[0].attribute))
    return tuple(_counterfactual(shop, scored, members, member, c, monotone, language) for c in combinations)


def _single(options: dict[str, list[_Option]], gap: float) -> list[list[_Option]]:
    """The smallest sufficient change of each attribute."""
    enough = ([o for o in choices if o.gain >= gap] for choices in options.values())
    return [[min(choices, key=lambda o: (o.size, o.gain))] for choices in enough if choices]


def _several(options: dict[str, list[_Option]], gap: float) -> list[list[_Option]]:
    """The fewest attributes that are enough together: those with most to gain, the last no more than needed."""
    best = [max(choices, key=lambda o: (o.gain, -o.size)) for choices in options.values() if choices]
    best = sorted((o for o in best if o.gain > 0), key=lambda o: -o.gain)
    chosen: list[_Option] = []
    for option in best:
        lacks = gap - sum(o.gain for o in chosen)
        if option.gain >= lacks:
            enough = [o for o in options[option.attribute] if o.gain >= lacks]
            return [[*chosen, min(enough, key=lambda o: (o.size, o.gain))]]
        chosen.append(option)
    return []


def _options(shop: Shop, scored: ScoredCategory, member: int, attribute: str) -> Iterator[_Option]:
    """What an attribute could be instead."""
    k = scored.table.attributes.index(attribute)
    current = float(scored.table.column(attribute, scored.worth, scored.units)[member])
    block = shop.design(scored.category).layout.block.get(attribute)
    if block is None:
        return
    if block.number:
        now = float(scored.table.number[member, scored.table.numbers.index(k)])
        width = (block.maximum - block.minimum) or 1.0
        for number in np.linspace(block.minimum, block.maximum, GRID + 1).tolist():
            rounded = float(f"{number:.4g}")
            size = abs(rounded - (block.centre if np.isnan(now) else now)) / width
            gain = scored.strength * (_number_worth(shop, scored, attribute, rounded) - current)
            yield _Option(attribute, None, rounded, gain, size)
        return
    items = dict(zip(block.nodes, block.item_count.tolist(), strict=True))
    has = [n for n, _ in shop.items.values_of(int(scored.table.rows[member]), attribute)]
    for node, worth in value_worths(shop, scored.category, attribute, scored.deviations).items():
        if node in items and node not in has:
            steps = 1.0
            if block.type is AttributeType.ORDERED and has and has[0] in items:
                gap = abs(block.nodes.index(node) - block.nodes.index(has[0]))
                steps = gap / max(len(block.nodes) - 1, 1)
            # Of values alike in size, the one that more items have is the smaller change.
            size = steps + 1e-6 / (1 + items[node])
            yield _Option(attribute, split_value_id(node)[1], None, scored.strength * (worth - current), size)


def _number_worth(shop: Shop, scored: ScoredCategory, attribute: str, number: float) -> float:
    """What a number adds for the query's shopper, in logits, before the strength of the attributes."""
    node = value_id(attribute, NUMBER)
    utilities = {u.node: u for u in shop.weights_of(scored.category).utilities}
    worth = utilities[node].at(number) if node in utilities else 0.0
    if scored.worth.slopes is not None and node in shop.column:
        m = scored.table.numbers.index(scored.table.attributes.index(attribute))
        block = shop.design(scored.category).layout.block[attribute]
        worth += float(scored.worth.slopes[m]) * (number - block.centre) / block.scale
    return worth


def _monotone_attributes(shop: Shop, category: str) -> set[str]:
    """Attributes of which a rule states what is better, more or less."""
    return {
        rule.attribute
        for rule in shop.ontology.rules.values()
        if rule_kind(rule.kind).measure is Measure.DIRECTION
        and rule.attribute
        and category in shop.ontology.scope(rule)
    }


def _counterfactual(
    shop: Shop,
    scored: ScoredCategory,
    members: Ints,
    member: int,
    options: list[_Option],
    monotone: set[str],
    language: str,
) -> Counterfactual:
    """Some changes together, and the position that they give the item."""
    changes = []
    row = int(scored.table.rows[member])
    for option in options:
        name = attribute_name(shop.ontology, option.attribute, language)
        old = value_words(shop.ontology, shop.items.values_of(row, option.attribute), language)
        node = value_id(option.attribute, NUMBER if option.value is None else option.value)
        new = value_words(shop.ontology, [(node, option.number or 0.0)], language)
        changes.append(
            Change(
                attribute=option.attribute,
                old=old,
                new=new,
                value=option.value,
                number=option.number,
                gain=option.gain,
                sentence=phrase("change", language, name=name, old=old, new=new, gain=option.gain),
            )
        )
    scores = scored.scores.copy()
    scores[member] += sum(o.gain for o in options)
    after = position(scores[members], int(np.searchsorted(members, member)))
    title = shop.items.titles[row] or shop.items.ids[row]
    sentence = phrase(
        "way",
        language,
        title=title,
        position=after,
        changes=phrase("and", language).join(c.sentence for c in changes),
    )
    return Counterfactual(tuple(changes), after, options[0].attribute in monotone, sentence)
