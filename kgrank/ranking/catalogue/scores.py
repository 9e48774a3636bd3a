"""Attribute scores of one category: few distinct profiles, a table of what each is worth, and a sum of gathers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.graph.schema import NUMBER, split_value_id
from kgrank.ranking.catalogue.items import Items, Rows
from kgrank.weights.model import CategoryWeights, Utility

JOINT = 1024
"""Profiles of several attributes share one table of at most so many cells: one gather instead of several."""


@dataclass(frozen=True)
class Profiles:
    """What items can have of the attributes with values: each distinct set of values of an attribute is a profile.

    Profile ``first[k]`` is "no value" of attribute k; the others of k follow it.

    Attributes:
        attributes: Indices of the attributes in ``CategoryScores.attributes``.
        first: First profile of each attribute, and one past the last (attributes + 1,).
        item_profiles: Profile of each item in each attribute (items, attributes).
        part_profile: Profile of each of its values (parts,).
        part_node: Index of the value in ``Items.nodes`` (parts,).
        part_number: Number of its edge: a share for one of several values, else 0 (parts,).
        groups: Attributes that share a table.
        codes: Cell of each item in each group's table (items,).
    """

    attributes: tuple[int, ...]
    first: Ints
    item_profiles: Ints
    part_profile: Ints
    part_node: Ints
    part_number: Floats
    groups: tuple[tuple[int, ...], ...]
    codes: tuple[Ints, ...]

    def tables(self, worth: Floats) -> tuple[Floats, ...]:
        """The groups' tables: the sum of the worth of each combination of profiles."""
        tables = []
        for group in self.groups:
            table = worth[self.first[group[0]] : self.first[group[0] + 1]]
            for k in group[1:]:
                table = (table[:, None] + worth[self.first[k] : self.first[k + 1]]).reshape(-1)
            tables.append(table)
        return tuple(tables)


@dataclass(frozen=True)
class Worth:
    """What values and numbers are worth to somebody in a category.

    Attributes:
        profile: Of each profile, in logits (profiles,).
        tables: The same by groups (``Profiles.tables``).
        slopes: Beside what is served, per standard unit of each number (numbers,); None for the average shopper.
    """

    profile: Floats
    tables: tuple[Floats, ...]
    slopes: Floats | None = None

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        slopes = 0 if self.slopes is None else self.slopes.nbytes
        return self.profile.nbytes + sum(table.nbytes for table in self.tables) + slopes


@dataclass(frozen=True)
class CategoryScores:
    """What each attribute contributes to each item of a category's subtree.

    Attributes:
        rows: Row numbers of the items, in the order of their ids (items,).
        attributes: The attributes that contribute, most important first.
        profiles: Of the attributes with values.
        numbers: Indices of the number attributes in ``attributes``.
        number: Their numbers, NaN where missing (items, numbers).
        served: What they contribute by the served curves, 0 where missing (items, numbers).
        worth: What the profiles are worth to the average shopper.
    """

    rows: Rows
    attributes: tuple[str, ...]
    profiles: Profiles
    numbers: tuple[int, ...]
    number: Floats
    served: Floats
    worth: Worth

    @staticmethod
    def of(items: Items, weights: CategoryWeights, categories: Sequence[str]) -> CategoryScores:
        """The scores of the items in ``categories`` by one category's weights."""
        ranked = sorted(weights.attributes, key=lambda a: (-a.share, a.attribute))
        attributes = tuple(a.attribute for a in ranked)
        rows = items.within(categories)
        member_of_row = np.full(len(items.ids), -1)
        member_of_row[rows] = np.arange(len(rows))
        column_of_node, numeric = _columns(items.nodes, attributes)
        inside = (member_of_row[items.row_item] >= 0) & (column_of_node[items.row_node] >= 0)
        member, node, number = (
            member_of_row[items.row_item[inside]],
            items.row_node[inside],
            items.row_number[inside],
        )
        added = _added(items.nodes, weights.utilities, node, number)
        is_number = numeric[node]
        numbers = tuple(sorted(set(column_of_node[node[is_number]].tolist())))
        amounts, served = (
            np.full((len(rows), len(numbers)), np.nan),
            np.zeros((len(rows), len(numbers))),
        )
        cells = member[is_number], np.searchsorted(numbers, column_of_node[node[is_number]])
        amounts[cells], served[cells] = number[is_number], added[is_number]
        is_value = ~is_number
        profiles = _profiles(len(rows), column_of_node, member[is_value], node[is_value], number[is_value])
        parts = _added(items.nodes, weights.utilities, profiles.part_node, profiles.part_number)
        worth = np.bincount(profiles.part_profile, parts, int(profiles.first[-1])).astype(np.float64)
        return CategoryScores(
            rows=rows,
            attributes=attributes,
            profiles=profiles,
            numbers=numbers,
            number=np.asfortranarray(amounts),
            served=served,
            worth=Worth(worth, profiles.tables(worth)),
        )

    @cached_property
    def of_numbers(self) -> Floats:
        """What the number attributes contribute by the served curves (items,)."""
        total: Floats = self.served.sum(axis=1)
        return total

    def scores(self, worth: Worth, units: Floats | None = None) -> Floats:
        """The attribute score of each item (items,).

        Args:
            worth: Of values and numbers.
            units: The numbers in standard units, 0 where missing, for a worth with slopes (items, numbers).
        """
        total = self.of_numbers.copy()
        buffer = np.empty_like(total)
        for table, code in zip(worth.tables, self.profiles.codes, strict=True):
            # Codes are cells of the table by construction; "clip" spares numpy a copy.
            total += table.take(code, out=buffer, mode="clip")
        if worth.slopes is not None and units is not None:
            total += np.dot(units, worth.slopes, out=buffer)
        return total

    def contributions(self, members: Ints, worth: Worth, units: Floats | None = None) -> Floats:
        """What each attribute contributes to some items (members, attributes); 0 where it has no value."""
        logits = np.zeros((len(members), len(self.attributes)))
        if self.profiles.attributes:
            logits[:, self.profiles.attributes] = worth.profile[self.profiles.item_profiles[members]]
        if self.numbers:
            numbers = self.served[members]
            if worth.slopes is not None and units is not None:
                numbers = numbers + units[members] * worth.slopes
            logits[:, self.numbers] = numbers
        return logits

    def column(self, attribute: str, worth: Worth, units: Floats | None = None) -> Floats:
        """What one attribute contributes to every item (items,)."""
        k = self.attributes.index(attribute)
        if k in self.numbers:
            m = self.numbers.index(k)
            served = self.served[:, m]
            return served if worth.slopes is None or units is None else served + units[:, m] * worth.slopes[m]
        if k not in self.profiles.attributes:
            return np.zeros(len(self.rows))
        return worth.profile[self.profiles.item_profiles[:, self.profiles.attributes.index(k)]]


def _columns(
    nodes: Sequence[str], attributes: Sequence[str]
) -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Column of each node's attribute, -1 where it has none, and whether the node is a number's."""
    column = {attribute: k for k, attribute in enumerate(attributes)}
    split = [split_value_id(n) for n in nodes]
    return (
        np.array([column.get(attribute, -1) for attribute, _ in split], dtype=np.int64),
        np.array([value == NUMBER for _, value in split], dtype=bool),
    )


def _profiles(items: int, column: Ints, row: Ints, node: Ints, number: Floats) -> Profiles:
    """The profiles of the rows of values, which are sorted by item and node."""
    attributes = tuple(sorted(set(column[node].tolist())))
    item_profiles = np.zeros((items, len(attributes)), dtype=np.int64)
    first = [0]
    parts: list[tuple[Ints, Ints, Floats]] = []
    for k, attribute in enumerate(attributes):
        of_attribute = column[node] == attribute
        code, profile, part = _combinations(
            items, row[of_attribute], node[of_attribute], number[of_attribute]
        )
        item_profiles[:, k] = first[-1] + code
        parts.append((first[-1] + profile, node[of_attribute][part], number[of_attribute][part]))
        first.append(first[-1] + int(profile.max(initial=0)) + 1)
    starts = np.array(first, dtype=np.int64)
    groups = _groups(np.diff(starts))
    joined = [np.concatenate(p) if parts else np.empty(0, np.int64) for p in zip(*parts, strict=True)] or [
        np.empty(0, np.int64)
    ] * 3
    return Profiles(
        attributes=attributes,
        first=starts,
        item_profiles=item_profiles,
        part_profile=joined[0],
        part_node=joined[1],
        part_number=np.asarray(joined[2], dtype=np.float64),
        groups=groups,
        codes=tuple(_joint(item_profiles, starts, group) for group in groups),
    )


def _combinations(items: int, row: Ints, node: Ints, number: Floats) -> tuple[Ints, Ints, Ints]:
    """The distinct sets of (value, number) that items have.

    Returns:
        Code of each item, 0 without a value (items,); and of the sets from code 1 on, the code of each part and
        a row that has it.
    """
    # A set is named by its values one after another: the code so far and the next value give the next code.
    _, size = np.unique(number, return_inverse=True)
    _, atom = np.unique(node * (int(size.max(initial=0)) + 1) + size, return_inverse=True)
    turn = np.arange(len(row)) - np.searchsorted(row, row)
    code = np.zeros(items, dtype=np.int64)
    for k in range(int(turn.max(initial=-1)) + 1):
        at_turn = turn == k
        key = code[row[at_turn]] * (int(atom.max()) + 2) + atom[at_turn] + 1
        last = int(code.max())
        _, fresh = np.unique(key, return_inverse=True)
        code[row[at_turn]] = last + 1 + fresh
    _, code = np.unique(np.concatenate([[0], code]), return_inverse=True)
    code = code[1:].astype(np.int64)
    _, example = np.unique(code, return_index=True)
    part = np.flatnonzero(np.isin(row, example))
    return code, code[row[part]], part


def _groups(sizes: Ints) -> tuple[tuple[int, ...], ...]:
    """Attributes put together, in order, while their common table stays small."""
    groups: list[list[int]] = []
    cells = 0
    for k, size in enumerate(sizes.tolist()):
        if groups and cells * size <= JOINT:
            groups[-1].append(k)
            cells *= size
        else:
            groups.append([k])
            cells = size
    return tuple(tuple(g) for g in groups)


def _joint(item_profiles: Ints, first: Ints, group: Sequence[int]) -> Ints:
    """Cell of each item in a group's table."""
    code = np.zeros(len(item_profiles), dtype=np.int64)
    for k in group:
        code = code * (first[k + 1] - first[k]) + item_profiles[:, k] - first[k]
    return code


def _added(nodes: Sequence[str], utilities: Sequence[Utility], node: Ints, number: Floats) -> Floats:
    """What each row adds: intercept + slope · number on the segment that its number lies in."""
    index: Mapping[str, int] = {name: k for k, name in enumerate(nodes)}
    rounds = max((len(u.segments) for u in utilities), default=0)
    low, high, intercept, slope = np.zeros((4, rounds, len(nodes)))
    for utility in utilities:
        if utility.node in index:
            for k, s in enumerate(utility.segments):
                cell = k, index[utility.node]
                low[cell], high[cell], intercept[cell], slope[cell] = s.start, s.stop, s.intercept, s.slope
    added = np.zeros(len(node))
    for k in range(rounds):
        inside = (number >= low[k, node]) & (number < high[k, node])
        added += np.where(inside, intercept[k, node] + slope[k, node] * number, 0.0)
    return added
