"""What a session moved, in words: shares before and after, and the events behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kgrank.choice.data.design import Block
from kgrank.choice.importance import importance
from kgrank.choice.tastes.person import part_worths
from kgrank.graph.schema import split_value_id, value_id
from kgrank.ontology.model import BRAND, AttributeType
from kgrank.ranking.catalogue.items import Integers, Reals
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_name
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.shopper.session import Session

SHOWN = 0.005
"""A share that moves by less is not told."""


@dataclass(frozen=True)
class Shift:
    """How a session moved one attribute in a category.

    Attributes:
        attribute: Its id.
        name: Its name.
        share_before: Its share before the session.
        share_after: Its share now.
        value: The value whose utility rose most against what events chose from; None for a number.
        utility: By how much that value, or a number at the upper end of its range against the lower, rose, in
            logits.
        taken: Events on items with the value.
        events: Events on items of the category with a known value.
        usual: Share of the category's items with a known value that have it; for a number, the average.
        average: For a number, the average over the events' items; else None.
        sentence: All of it in words.
    """

    attribute: str
    name: str
    share_before: float
    share_after: float
    value: str | None
    utility: float
    taken: int
    events: int
    usual: float
    average: float | None
    sentence: str


def shifts(shop: Shop, session: Session, category: str, language: str = "en") -> tuple[Shift, ...]:
    """What a session moved in a category, the largest change of a share first.

    Raises:
        InputError: An unknown category.
        WeightsError: The weights say nothing of it.
    """
    shop.weights_of(category)
    layout = shop.design(category).layout
    served = part_worths(layout, shop.weights_of(category))
    moved = _own(shop, layout.nodes, session.deviations) - _own(shop, layout.nodes, session.posterior.mean)
    start = served + _own(shop, layout.nodes, session.posterior.mean)
    before, after = importance(layout, start), importance(layout, start + moved)
    rows = np.array([shop.item(e.item) for e in session.events if e.item is not None], dtype=np.int64)
    rows = rows[np.isin(rows, shop.scores(category).members)]
    found = [
        _shift(shop, category, block, moved[block.columns], (float(a), float(b)), rows, language)
        for block, a, b in zip(layout.blocks, before, after, strict=True)
    ]
    return tuple(sorted(found, key=lambda s: (-abs(s.share_after - s.share_before), s.attribute)))


def _own(shop: Shop, nodes: tuple[str, ...], deviations: Reals) -> Reals:
    at = [shop.column.get(node, len(deviations)) for node in nodes]
    return np.append(deviations, 0.0)[at]


def _shift(
    shop: Shop,
    category: str,
    block: Block,
    moved: Reals,
    shares: tuple[float, float],
    rows: Integers,
    language: str,
) -> Shift:
    name = attribute_name(shop.ontology, block.attribute, language)
    parts: dict[str, object] = {
        "name": name,
        "before": f"{shares[0]:.2f}",
        "after": f"{shares[1]:.2f}",
        "category": _lower(shop.ontology.categories[category].name(language)),
    }
    values = [shop.items.values_of(row, block.attribute) for row in rows.tolist()]
    known = [dict(v) for v in values if v]
    if block.number:
        numbers = [next(iter(v.values())) for v in known]
        average = float(np.mean(numbers)) if numbers else None
        rise = float(moved[0]) * (block.p95 - block.p05) / block.scale
        sentence = _number_words(shop, block, average, parts, language)
        return Shift(
            block.attribute,
            name,
            *shares,
            None,
            rise,
            len(known),
            len(known),
            block.centre,
            average,
            sentence,
        )
    centred = moved - block.share @ moved
    best = int(np.argmax(centred))
    node = block.nodes[best]
    taken = sum(node in v for v in known)
    usual = float(block.item_count[best] / max(block.item_count.sum(), 1))
    if block.type is AttributeType.CHOICES:
        usual = _share_having(shop, category, block.attribute, node)
    word = value_name(shop.ontology, block.attribute, split_value_id(node)[1], language)
    parts |= {"value": word if block.attribute == BRAND else _lower(word)}
    parts |= {"taken": taken, "events": len(known), "usual": f"{usual:.0%}"}
    seen = "shift-one" if taken == 1 < len(known) else "shift-value"
    key = seen if taken and centred[best] > 0 else "shift-none"
    return Shift(
        block.attribute,
        name,
        *shares,
        node,
        float(centred[best]),
        taken,
        len(known),
        usual,
        None,
        phrase(key, language, **parts),
    )


def _number_words(
    shop: Shop, block: Block, average: float | None, parts: Mapping[str, object], language: str
) -> str:
    if average is None:
        return phrase("shift-none", language, **parts)
    known = shop.ontology.attributes.get(block.attribute)
    unit = f" {known.unit}" if known and known.unit else ""
    return phrase(
        "shift-number", language, **parts, average=f"{average:.4g}{unit}", usual=f"{block.centre:.4g}{unit}"
    )


def _share_having(shop: Shop, category: str, attribute: str, node: str) -> float:
    """Share of the items with a known value of an attribute that have one value."""
    members = shop.scores(category).members
    has = np.isin(members, shop.items.having(shop.items.node[node])).sum()
    some = np.zeros(len(shop.items.ids), dtype=bool)
    for value in shop.items.of_attribute[attribute]:
        some[shop.items.having(shop.items.node[value_id(attribute, value)])] = True
    return float(has / max(some[members].sum(), 1))


def _lower(name: str) -> str:
    """A name as it stands inside a sentence: "Red" is "red", "UV" stays."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]
