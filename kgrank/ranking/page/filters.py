"""Filters and targets as marks on the items of a shop."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from kgrank.arrays import Truths
from kgrank.errors import InputError, did_you_mean
from kgrank.graph.schema import NUMBER, split_value_id, value_id
from kgrank.ingest.cells.normalise import ids_by_name, same
from kgrank.ontology.model import BRAND, AttributeType, Term
from kgrank.ontology.units import number_texts
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_name
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.page.query import Filter

UNKNOWN = "unknown"
"""The value of a filter that keeps items without one."""


def matches(shop: Shop, wanted: Filter) -> Truths:
    """Whether a filter holds for each item of the shop (items,).

    Raises:
        InputError: An unknown attribute or value, bounds that are not in order or not numbers, values for a
            number or bounds for values.
    """
    wanted = by_id(shop, wanted)
    _check(shop, wanted)
    matching = np.zeros(len(shop.items.ids), dtype=bool)
    number = shop.items.node.get(value_id(wanted.attribute, NUMBER))
    if number is not None and not wanted.values:
        rows = shop.items.rows_of(number)
        numbers = shop.items.row_number[rows]
        minimum = -math.inf if wanted.minimum is None else wanted.minimum
        maximum = math.inf if wanted.maximum is None else wanted.maximum
        matching[shop.items.row_item[rows[(numbers >= minimum) & (numbers <= maximum)]]] = True
    for value in wanted.values:
        node = shop.items.node.get(value_id(wanted.attribute, value))
        if node is not None:
            matching[shop.items.having(node)] = True
        elif value == UNKNOWN:
            matching |= ~has_value(shop, wanted.attribute)
    return matching


def by_id(shop: Shop, wanted: Filter) -> Filter:
    """The filter with ids for names: "Colour: RED" is color, red; what is no name stays as it is."""
    attributes, of_items = shop.ontology.attributes, shop.items.of_attribute
    attribute = wanted.attribute
    if attribute not in of_items and attribute not in attributes:
        attribute = ids_by_name(attributes.values()).get(same(attribute), attribute)
    known = attributes.get(attribute)
    ids = of_items.get(attribute, {})
    odd = [
        v for v in wanted.values if v not in ids and v != UNKNOWN and (known is None or v not in known.values)
    ]
    if not odd:
        return wanted if attribute == wanted.attribute else replace(wanted, attribute=attribute)
    terms = {**shop.ontology.values, **(shop.ontology.brands if attribute == BRAND else {})}
    listed = (*ids, *(known.values if known else ()))
    names = ids_by_name(terms.get(value, Term(value)) for value in listed)
    values = tuple(names.get(same(v), v) if v in odd else v for v in wanted.values)
    return replace(wanted, attribute=attribute, values=values)


def has_value(shop: Shop, attribute: str) -> Truths:
    """Whether each item of the shop has a value of an attribute (items,)."""
    having = np.zeros(len(shop.items.ids), dtype=bool)
    for node in shop.items.of_attribute.get(attribute, {}).values():
        having[shop.items.having(node)] = True
    return having


def targets(shop: Shop, target: str) -> Truths:
    """The items that a target names: an item's id, or all that have a value, ``brand=acme`` (items,).

    Raises:
        InputError: Neither.
    """
    targeted = np.zeros(len(shop.items.ids), dtype=bool)
    if target in shop.items.index:
        targeted[shop.items.index[target]] = True
    elif target in shop.items.node and split_value_id(target)[1] != NUMBER:
        targeted[shop.items.having(shop.items.node[target])] = True
    else:
        names = shop.items.nodes if "=" in target else shop.items.ids
        raise InputError(
            f"there is no item and no value {target!r}",
            expected="an item's id, or ATTRIBUTE=VALUE",
            todo=did_you_mean(target, names, ascending=True),
        )
    return targeted


def filter_words(shop: Shop, wanted: Filter, language: str) -> str:
    """A filter for a reader: "Color: Red", "Price: 10 to 50 EUR"."""
    wanted = by_id(shop, wanted)
    name = attribute_name(shop.ontology, wanted.attribute, language)
    if wanted.values:
        values = phrase("and", language).join(
            value_name(shop.ontology, wanted.attribute, v, language) for v in wanted.values
        )
        return phrase("has", language, name=name, value=values)
    attribute = shop.ontology.attributes.get(wanted.attribute)
    unit = f" {attribute.unit}" if attribute and attribute.unit else ""
    key = (
        "from-to"
        if None not in (wanted.minimum, wanted.maximum)
        else "from"
        if wanted.maximum is None
        else "up-to"
    )
    texts = [
        "" if x is None else number_texts((x,), attribute.unit if attribute else None)[0]
        for x in (wanted.minimum, wanted.maximum)
    ]
    low, high = texts
    return phrase("has", language, name=name, value=phrase(key, language, low=low, high=high, unit=unit))


def _example(shop: Shop, attribute: str, *, number: bool) -> str:
    """A filter on an attribute that leaves items of this shop."""
    if not number:
        of_items = shop.items.of_attribute.get(attribute, {})
        return f"{attribute}={','.join(sorted(of_items)[:2]) or UNKNOWN}"
    node = shop.items.node.get(value_id(attribute, NUMBER))
    if node is None:
        return f"{attribute}=10..50"
    numbers = shop.items.row_number[shop.items.rows_of(node)]
    low, high = (f"{n:g}" for n in np.quantile(numbers, (0.25, 0.75), method="nearest"))
    return f"{attribute}={low}..{high}"


def _check(shop: Shop, wanted: Filter) -> None:
    in_shop, in_ontology = shop.items.of_attribute, shop.ontology.attributes
    if wanted.attribute not in in_shop and wanted.attribute not in in_ontology:
        raise InputError(
            f"there is no attribute {wanted.attribute!r}",
            todo=did_you_mean(wanted.attribute, {*in_shop, *in_ontology}),
        )
    bounds = [b for b in (wanted.minimum, wanted.maximum) if b is not None]
    if any(math.isnan(b) for b in bounds) or (len(bounds) == 2 and bounds[0] > bounds[1]):
        raise InputError(
            f"the filter on {wanted.attribute!r} runs from {wanted.minimum} to {wanted.maximum}",
            expected="numbers, the smaller one first",
        )
    attribute = in_ontology.get(wanted.attribute)
    number = NUMBER in in_shop.get(wanted.attribute, {}) or (
        attribute is not None and attribute.type is AttributeType.NUMBER
    )
    if bool(wanted.values) == bool(bounds) or number == bool(wanted.values):
        raise InputError(
            f"the filter on {wanted.attribute!r} has {len(wanted.values)} values and {len(bounds)} bounds",
            expected="bounds, since it is a number" if number else "values, since it is not a number",
            todo=f"Write {_example(shop, wanted.attribute, number=number)}.",
        )
    of_items, of_attribute = in_shop.get(wanted.attribute, {}), attribute.values if attribute else ()
    for value in wanted.values:
        if value not in of_items and value not in of_attribute and value != UNKNOWN:
            values = {*of_items, *of_attribute, UNKNOWN}
            raise InputError(
                f"attribute {wanted.attribute!r} has no value {value!r}", todo=did_you_mean(value, values)
            )
