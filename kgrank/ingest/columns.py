"""The columns of the clean tables, and the columns of the files that need no mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Column:
    """A column: its type and what it holds."""

    type: pl.DataType
    about: str


KINDS = ("search", "impression", "view", "cart", "purchase", "rank", "rating")
"""The kinds of events, in the order in which they happen."""

OTHER_KINDS: Mapping[str, str] = {
    "wishlist": "cart",
    "add_to_wishlist": "cart",
    "checkout": "cart",
    "begin_checkout": "cart",
}
"""Kinds of files that count as another: what was put aside, or taken to the till, is as good as in the cart."""

ITEMS: Mapping[str, Column] = {
    "id": Column(pl.String(), "The item's id."),
    "category": Column(pl.String(), "Id of its category."),
    "brand": Column(pl.String(), "Id of its brand; null where not known."),
    "title": Column(pl.String(), "Its title."),
    "description": Column(pl.String(), "Its description."),
}

VALUES: Mapping[str, Column] = {
    "item": Column(pl.String(), "Id of the item."),
    "attribute": Column(pl.String(), "Id of the attribute; the brand stands in the items."),
    "value": Column(pl.String(), "Id of the value; `true` or `false` for a Boolean; null for a Number."),
    "number": Column(pl.Float64(), "The number in the attribute's unit; null for other types."),
    "imputed": Column(pl.Boolean(), "Whether an Implies rule filled it in."),
}

EVENTS: Mapping[str, Column] = {
    "id": Column(pl.String(), "Made of the event's content, so that the same event has the same id."),
    "kind": Column(pl.String(), "search, impression, view, cart, purchase, rank or rating."),
    "user": Column(pl.String(), "Who."),
    "item": Column(pl.String(), "On which item; null for a search."),
    "category": Column(pl.String(), "The category that a search went to."),
    "time": Column(pl.Int64(), "Seconds since 1970, or the order of the log."),
    "session": Column(pl.String(), "The visit."),
    "list": Column(pl.String(), "What was shown, or ranked, together."),
    "position": Column(pl.Int64(), "The place in the list, from 1."),
    "value": Column(pl.Float64(), "A rating, a quantity, or a place in a ranking, 1 the best."),
    "query": Column(pl.String(), "The words searched for."),
    "place": Column(pl.String(), "Where it happened, such as a store; null where not known."),
    "offer": Column(pl.String(), "Id of the offer whose values the item had; null where the event has none."),
}

OFFERS: Mapping[str, Column] = {
    "id": Column(pl.String(), "A hash of the offer; several rows where it has several values."),
    "item": Column(pl.String(), "Id of the item."),
    "start": Column(pl.Int64(), "From when on it holds, in seconds since 1970."),
    "stop": Column(pl.Int64(), "When it no longer holds."),
    "place": Column(pl.String(), "Where it holds; null for everywhere."),
    "observed": Column(pl.Boolean(), "Whether it was read off events, which name it."),
    "attribute": Column(pl.String(), "Id of the attribute."),
    "value": Column(pl.String(), "Id of the value, as in the values."),
    "number": Column(pl.Float64(), "The number in the attribute's unit, as in the values."),
}

PEOPLE: Mapping[str, Column] = {
    "person": Column(pl.String(), "Who, as the events name them."),
    "segment": Column(pl.String(), "Id of their segment."),
}

STANDARD: Mapping[str, tuple[str, ...]] = {
    "items": ("id", "category", "brand", "title", "description"),
    "events": (
        "time",
        "user",
        "session",
        "kind",
        "item",
        "category",
        "position",
        "query",
        "list",
        "value",
        "place",
    ),
    "offers": ("item", "from", "to", "place"),
    "tasks": (
        "category",
        "person",
        "task",
        "alternative",
        "item",
        "chosen",
        "worst",
        "available",
        "units",
        "rank",
        "time",
    ),
    "pairs": ("person", "better", "worse", "time"),
    "people": ("person", "segment"),
}
"""Column names that need no mapping, by section; further columns of items, offers and tasks are attributes."""


def schema(columns: Mapping[str, Column]) -> dict[str, pl.DataType]:
    """Names and types, as polars takes them."""
    return {name: column.type for name, column in columns.items()}
