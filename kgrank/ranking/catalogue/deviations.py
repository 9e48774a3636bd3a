"""What a person's deviations from the average shopper do to scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.design import Layout
from kgrank.graph.schema import NUMBER, value_id
from kgrank.ranking.catalogue.scores import CategoryScores, Worth


@dataclass(frozen=True)
class DeviationEffects:
    """How a person's deviations act on the items of a category.

    Columns are those of the population.

    Attributes:
        profiles: What a deviation adds to each profile, measured from the average item (profiles, columns).
        units: The numbers in units of their columns, 0 where missing (items, numbers).
        number: Column of each number; one without a column has units of 0 (numbers,).
        values: What a deviation adds to each whole value, by AttributeValue id (columns,).
    """

    profiles: Floats
    units: Floats
    number: Ints
    values: Mapping[str, Floats]

    def worth(self, table: CategoryScores, deviations: Floats) -> Worth:
        """What values and numbers of the category are worth to a person with deviations (columns,)."""
        profile = table.worth.profile + self.profiles @ deviations
        return Worth(profile, table.profiles.tables(profile), deviations[self.number])

    def rows(self, table: CategoryScores, members: Ints) -> Floats:
        """(members, columns) of some items of the category."""
        columns = np.zeros((len(members), self.profiles.shape[1]))
        for profile in table.profiles.item_profiles[members].T:
            columns += self.profiles[profile]
        for m, column in enumerate(self.number.tolist()):
            columns[:, column] += self.units[members, m]
        return columns


def deviation_effects(
    table: CategoryScores,
    layout: Layout,
    served: AbstractSet[str],
    nodes: Sequence[str],
    columns: Mapping[str, int],
    factors: Floats,
) -> DeviationEffects:
    """How deviations act in a category; ``Shop.moves`` keeps it.

    Args:
        table: The category's scores.
        layout: Its columns.
        served: AttributeValue ids with a served utility there.
        nodes: The shop's AttributeValue ids, by their number.
        columns: Column of the population by its name.
        factors: By what each column counts there (columns,).
    """
    profiles = np.zeros((int(table.profiles.first[-1]), len(columns)))
    effects = _effects(layout, columns)
    for profile, node, share in zip(
        table.profiles.part_profile.tolist(),
        (nodes[n] for n in table.profiles.part_node.tolist()),
        table.profiles.part_number.tolist(),
        strict=True,
    ):
        # A value without a served utility adds nothing for anyone; one among several counts by its share.
        if node in served and node in effects:
            profiles[profile] += effects[node] * (share or 1.0)
    number = np.zeros(len(table.numbers), dtype=np.int64)
    units = np.zeros(table.number.shape, order="F")
    for m, k in enumerate(table.numbers):
        node = value_id(table.attributes[k], NUMBER)
        if node in columns and node in served:
            block = layout.block[table.attributes[k]]
            number[m] = columns[node]
            units[:, m] = factors[columns[node]] * np.nan_to_num(
                (table.number[:, m] - block.centre) / block.scale
            )
    return DeviationEffects(profiles, units, number, effects)


def _effects(layout: Layout, columns: Mapping[str, int]) -> dict[str, Floats]:
    """What one deviation after another adds to a whole value, against the average item that has one (columns,)."""
    effects = {}
    for block in layout.blocks:
        mean = np.zeros(len(columns))
        for node, share in zip(block.nodes, block.share.tolist(), strict=True):
            if node in columns:
                mean[columns[node]] = share
        for node in () if block.number else block.nodes:
            effects[node] = -mean
            if node in columns:
                effects[node] = effects[node].copy()
                effects[node][columns[node]] += 1.0
    return effects
