"""Filters and targets as marks on the items of a shop."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from kgrank.errors import InputError, did_you_mean
from kgrank.graph.schema import NUMBER, split_value_id, value_id
from kgrank.ontology.model import AttributeType
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_name
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.page.query import Filter

Truths = npt.NDArray[np.bool_]

UNKNOWN = "unknown"
"""The value of a filter that keeps items without one."""


def holds(shop: Shop, one: Filter) -> Truths:
    """Whether a filter holds for each item of the shop (items,).

    Raises:
        InputError: An unknown attribute or value, bounds that are not in order or not numbers, values for a
            number or bounds for values.
    """
    _check(shop, one)
    kept = np.zeros(len(shop.items.ids), dtype=bool)
    number = shop.items.node.get(value_id(one.attribute, NUMBER))
    if number is not None and not one.values:
        rows = shop.items.rows_of(number)
        amount = shop.items.row_number[rows]
        low = -math.inf if one.minimum is None else one.minimum
        high = math.inf if one.maximum is None else one.maximum
        kept[shop.items.row_item[rows[(amount >= low) & (amount <= high)]]] = True
    for value in one.values:
        node = shop.items.node.get(value_id(one.attribute, value))
        if node is not None:
            kept[shop.items.having(node)] = True
        elif value == UNKNOWN:
            kept |= ~known(shop, one.attribute)
    return kept


def known(shop: Shop, attribute: str) -> Truths:
    """Whether each item of the shop has a value of an attribute (items,)."""
    found = np.zeros(len(shop.items.ids), dtype=bool)
    for place in shop.items.of_attribute.get(attribute, {}).values():
        found[shop.items.having(place)] = True
    return found


def targets(shop: Shop, target: str) -> Truths:
    """The items that a target names: an item's id, or all that have a value, ``brand=acme`` (items,).

    Raises:
        InputError: Neither.
    """
    found = np.zeros(len(shop.items.ids), dtype=bool)
    if target in shop.items.index:
        found[shop.items.index[target]] = True
    elif target in shop.items.node and split_value_id(target)[1] != NUMBER:
        found[shop.items.having(shop.items.node[target])] = True
    else:
        names = shop.items.nodes if "=" in target else shop.items.ids
        raise InputError(
            f"there is no item and no value {target!r}",
            expected="an item's id, or ATTRIBUTE=VALUE",
            todo=did_you_mean(target, names),
        )
    return found


def in_words(shop: Shop, one: Filter, language: str) -> str:
    """A filter for a reader: "Color: Red", "Price: 10 to 50 EUR"."""
    name = attribute_name(shop.ontology, one.attribute, language)
    if one.values:
        values = phrase("and", language).join(
            value_name(shop.ontology, one.attribute, v, language) for v in one.values
        )
        return phrase("has", language, name=name, value=values)
    attribute = shop.ontology.attributes.get(one.attribute)
    unit = f" {attribute.unit}" if attribute and attribute.unit else ""
    key = "from-to" if None not in (one.minimum, one.maximum) else "from" if one.maximum is None else "up-to"
    low, high = (f"{x:g}" if x is not None else "" for x in (one.minimum, one.maximum))
    return phrase("has", language, name=name, value=phrase(key, language, low=low, high=high, unit=unit))


def _check(shop: Shop, one: Filter) -> None:
    here, known_to = shop.items.of_attribute, shop.ontology.attributes
    if one.attribute not in here and one.attribute not in known_to:
        raise InputError(
            f"there is no attribute {one.attribute!r}", todo=did_you_mean(one.attribute, {*here, *known_to})
        )
    bounds = [b for b in (one.minimum, one.maximum) if b is not None]
    if any(math.isnan(b) for b in bounds) or (len(bounds) == 2 and bounds[0] > bounds[1]):
        raise InputError(
            f"the filter on {one.attribute!r} runs from {one.minimum} to {one.maximum}",
            expected="numbers, the smaller one first",
        )
    attribute = known_to.get(one.attribute)
    number = NUMBER in here.get(one.attribute, {}) or (
        attribute is not None and attribute.type is AttributeType.NUMBER
    )
    if bool(one.values) == bool(bounds) or number == bool(one.values):
        raise InputError(
            f"the filter on {one.attribute!r} has {len(one.values)} values and {len(bounds)} bounds",
            expected="bounds, since it is a number" if number else "values, since it is not a number",
        )
    values = {*here.get(one.attribute, {}), *(attribute.values if attribute else ()), UNKNOWN}
    for value in one.values:
        if value not in values:
            raise InputError(
                f"attribute {one.attribute!r} has no value {value!r}", todo=did_you_mean(value, values)
            )
