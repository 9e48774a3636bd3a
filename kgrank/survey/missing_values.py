"""Values that items lack, by how much each may move the item's score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kgrank.arrays import Floats, Ints, Truths
from kgrank.ontology.tables.files import write_sheet
from kgrank.ranking.catalogue.phrases import attribute_name
from kgrank.ranking.catalogue.scores import CategoryScores
from kgrank.ranking.catalogue.shop import Shop

FEWEST = 3
"""Items with a known value from which a group says what the value of another item of it may be."""


@dataclass(frozen=True)
class MissingValue:
    """A value that an item lacks.

    Attributes:
        item: The item's id, and its ``title``.
        attribute: The attribute's id, and its ``name``.
        deviation: Standard deviation of what the value may add to the score, in logits: of what it adds to similar
            items, those that share the value of the attribute that tells most about it.
    """

    item: str
    title: str
    attribute: str
    name: str
    deviation: float


def missing_values(shop: Shop, category: str, language: str = "en") -> list[MissingValue]:
    """The values that a category's items lack, those first that may move a score most.

    Raises:
        InputError: An unknown category.
        WeightsError: A category without weights.
    """
    table = shop.scores(category)
    members = np.arange(len(table.rows))
    contributions, known = table.contributions(members, table.worth), _known(table)
    missing: list[MissingValue] = []
    for column, attribute in enumerate(table.attributes):
        has = known[:, column]
        if has.all() or has.sum() < FEWEST:
            continue
        deviations = _deviations(contributions[:, column], has, _groups(table, column))
        name = attribute_name(shop.ontology, attribute, language)
        missing += [
            MissingValue(
                shop.items.ids[table.rows[member]],
                shop.items.titles[table.rows[member]],
                attribute,
                name,
                float(deviations[member]),
            )
            for member in np.flatnonzero(~has).tolist()
        ]
    return sorted(missing, key=lambda one: (-one.deviation, one.item, one.attribute))


def write_missing_values(path: Path, missing: Sequence[MissingValue]) -> None:
    """Writes the missing values as a sheet, a row each, with an empty column for what the value is.

    Raises:
        InputError: The file cannot be written.
    """
    rows: list[list[str | float | None]] = [
        ["item", "title", "attribute", "name", "may move the score by", "value"]
    ]
    rows += [[m.item, m.title, m.attribute, m.name, round(m.deviation, 3), None] for m in missing]
    write_sheet(path, rows)


def _known(table: CategoryScores) -> Truths:
    """(items, attributes) whether the item has a value."""
    known = np.ones((len(table.rows), len(table.attributes)), bool)
    for number, column in enumerate(table.profiles.attributes):
        known[:, column] = table.profiles.item_profiles[:, number] != table.profiles.first[number]
    for number, column in enumerate(table.numbers):
        known[:, column] = ~np.isnan(table.number[:, number])
    return known


def _groups(table: CategoryScores, column: int) -> list[Ints]:
    """(items,) by another attribute with values, the item's profile in it."""
    return [
        table.profiles.item_profiles[:, number] - table.profiles.first[number]
        for number, other in enumerate(table.profiles.attributes)
        if other != column
    ]


def _deviations(added: Floats, has: Truths, groups: list[Ints]) -> Floats:
    """(items,) standard deviation of what the items with a value get from it, within the best grouping."""
    best = np.full(len(added), added[has].std(ddof=1))
    least = float(best[0] ** 2)
    for group in groups:
        count = np.bincount(group[has], minlength=int(group.max()) + 1)
        mean = np.bincount(group[has], added[has], len(count)) / np.maximum(count, 1)
        squares = np.bincount(group[has], (added[has] - mean[group[has]]) ** 2, len(count))
        large = count >= FEWEST
        freedom = int((count[large] - 1).sum())
        if freedom < FEWEST or squares[large].sum() / freedom >= least:
            continue
        least = float(squares[large].sum() / freedom)
        within = np.where(large, np.sqrt(squares / np.maximum(count - 1, 1)), added[has].std(ddof=1))
        best = within[group]
    return best
