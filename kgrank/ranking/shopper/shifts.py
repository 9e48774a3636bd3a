"""What a session moved, in words: shares before and after, and the events behind them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Block, Layout
from kgrank.choice.importance import importance
from kgrank.choice.tastes.person import deviation_columns, served_part_worths
from kgrank.graph.schema import split_value_id, value_id
from kgrank.ontology.model import BRAND, AttributeType
from kgrank.ontology.sentences import within_sentence
from kgrank.ranking.answers import SessionState, Shift
from kgrank.ranking.catalogue.items import Rows
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_name
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.shopper.session import Session

SHOWN = 0.005
"""A share that moves by less is not mentioned."""


def shifts(shop: Shop, session: Session, category: str, language: str = "en") -> tuple[Shift, ...]:
    """What a session moved in a category, the largest change of a share first.

    Raises:
        InputError: An unknown category.
        WeightsError: The weights say nothing of it.
    """
    shop.weights_of(category)
    layout = shop.design(category).layout
    served = served_part_worths(layout, shop.weights_of(category))
    prior = _by_node(shop, layout, session.posterior.mean)
    change = _by_node(shop, layout, session.deviations) - prior
    start = served + prior
    before, after = importance(layout, start), importance(layout, start + change)
    rows = np.array([shop.item(e.item) for e in session.events if e.item is not None], dtype=np.int64)
    rows = rows[np.isin(rows, shop.scores(category).rows)]
    changes = [
        _shift(shop, category, block, change[block.columns], (float(a), float(b)), rows, language)
        for block, a, b in zip(layout.blocks, before, after, strict=True)
    ]
    return tuple(sorted(changes, key=lambda s: (-abs(s.share_after - s.share_before), s.attribute)))


def noticeable_shifts(shop: Shop, session: Session, category: str, language: str = "en") -> tuple[Shift, ...]:
    """The attributes whose share a session shifted by ``SHOWN`` or more, as it is shown; none before an event."""
    if not session.events:
        return ()
    all_shifts = shifts(shop, session, category, language)
    return tuple(
        s
        for s in all_shifts
        if abs(s.share_after - s.share_before) >= SHOWN and f"{s.share_after:.2f}" != f"{s.share_before:.2f}"
    )


def session_state(shop: Shop, session: Session, name: str, language: str = "en") -> SessionState:
    """A session's events, and what they moved in the category of the last one."""
    rows = [shop.items.index[i] for i in session.items[-1:] if i in shop.items.index]
    last = session.events[-1] if session.events else None
    category = (last.category if last else None) or (shop.common_category(rows) if rows else None)
    if category not in shop.weights.categories:
        category = None
    return SessionState(
        version=shop.weights.version,
        session=name,
        event_count=session.count,
        category=category,
        shifts=() if category is None else shifts(shop, session, category, language),
    )


def _by_node(shop: Shop, layout: Layout, deviations: Floats) -> Floats:
    """(nodes,) deviations (population columns,) in the order of a layout's nodes, 0 where they have none."""
    by_name = dict(zip(shop.column, deviations.tolist(), strict=True))
    return deviation_columns(layout, by_name, shop.weights.population)


def _shift(
    shop: Shop,
    category: str,
    block: Block,
    change: Floats,
    shares: tuple[float, float],
    rows: Rows,
    language: str,
) -> Shift:
    name = attribute_name(shop.ontology, block.attribute, language)
    parts: dict[str, object] = {
        "name": name,
        "before": f"{shares[0]:.2f}",
        "after": f"{shares[1]:.2f}",
        "category": within_sentence(shop.ontology.categories[category].name(language)),
    }
    all_values = [shop.items.values_of(row, block.attribute) for row in rows.tolist()]
    values = [dict(v) for v in all_values if v]
    if block.number:
        numbers = [next(iter(v.values())) for v in values]
        average = float(np.mean(numbers)) if numbers else None
        return Shift(
            attribute=block.attribute,
            name=name,
            share_before=shares[0],
            share_after=shares[1],
            value=None,
            utility=float(change[0]) * (block.p95 - block.p05) / block.scale,
            taken_count=len(values),
            event_count=len(values),
            usual=block.centre,
            average=average,
            sentence=_number_words(shop, block, average, parts, language),
        )
    centred = change - block.share @ change
    best = int(np.argmax(centred))
    node = block.nodes[best]
    taken = sum(node in v for v in values)
    usual = float(block.item_count[best] / max(block.item_count.sum(), 1))
    if block.type is AttributeType.CHOICES:
        usual = _share_having(shop, category, block.attribute, node)
    word = value_name(shop.ontology, block.attribute, split_value_id(node)[1], language)
    parts |= {"value": word if block.attribute == BRAND else within_sentence(word)}
    parts |= {"taken": taken, "events": len(values), "usual": f"{usual:.0%}"}
    counted = "shift-value" if taken != 1 else "shift-one" if len(values) > 1 else "shift-only"
    key = counted if taken and centred[best] > 0 else "shift-none"
    return Shift(
        attribute=block.attribute,
        name=name,
        share_before=shares[0],
        share_after=shares[1],
        value=node,
        utility=float(centred[best]),
        taken_count=taken,
        event_count=len(values),
        usual=usual,
        average=None,
        sentence=phrase(key, language, **parts),
    )


def _number_words(
    shop: Shop, block: Block, average: float | None, parts: Mapping[str, object], language: str
) -> str:
    if average is None:
        return phrase("shift-none", language, **parts)
    attribute = shop.ontology.attributes.get(block.attribute)
    unit = f" {attribute.unit}" if attribute and attribute.unit else ""
    return phrase(
        "shift-number", language, **parts, average=f"{average:.4g}{unit}", usual=f"{block.centre:.4g}{unit}"
    )


def _share_having(shop: Shop, category: str, attribute: str, node: str) -> float:
    """Share of the items with a known value of an attribute that have one value."""
    rows = shop.scores(category).rows
    having = np.isin(rows, shop.items.having(shop.items.node[node])).sum()
    has_any = np.zeros(len(shop.items.ids), dtype=bool)
    for value in shop.items.of_attribute[attribute]:
        has_any[shop.items.having(shop.items.node[value_id(attribute, value)])] = True
    return float(having / max(has_any[rows].sum(), 1))
