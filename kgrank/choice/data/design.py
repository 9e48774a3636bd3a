"""The columns of a category: one part-worth a value, one slope a number, measured from the average item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from scipy import sparse

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.offers import Offers, offered_values, with_items_values
from kgrank.graph.schema import NUMBER, UNBOUNDED, value_id
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import AttributeType, Ontology
from kgrank.weights.model import Segment

RARE_SHARE, RARE_ITEMS = 0.01, 3
"""A value counts for the range of its attribute from 1 % of the items, and 3 items, on."""

MOST_VALUES = 2_500
"""Values of an attribute that have a column in a category, the commonest ones: the covariance of their part-worths
is a dense matrix. The rest are on an item or two each, and count as unknown."""

LOW, HIGH = 5.0, 95.0
"""Percentiles of the items between which the range of a number or an ordered value is taken."""

REACH = 10.0
"""Ranges (5th to 95th percentile) beyond the range from which a number counts as unknown: see
docs/decisions/bounded-influence.md."""


@dataclass(frozen=True)
class Block:
    """The columns of one attribute in one category.

    Attributes:
        attribute: Its id.
        type: Its type.
        start: First column.
        nodes: AttributeValue ids, one a column; a number has one column.
        share: (columns,) share of the items with a known value that have this one; 0 for a number.
        item_count: (columns,) number of items.
        reference: (columns,) whether the value counts for the range.
        centre: Mean of a number over the items, of those within ``bounds``, in its unit; 0 for values.
        scale: Unit of a number's column, in its unit; 1 for values.
        p05: 5th percentile of a number over the items; ``p95`` the 95th.
        minimum: Smallest number that occurs; ``maximum`` the largest.
        left_out: Number of values that have no column.
    """

    attribute: str
    type: AttributeType
    start: int
    nodes: tuple[str, ...]
    share: Floats
    item_count: Ints
    reference: Truths
    centre: float = 0.0
    scale: float = 1.0
    p05: float = 0.0
    p95: float = 0.0
    minimum: float = 0.0
    maximum: float = 0.0
    left_out: int = 0

    @property
    def stop(self) -> int:
        """One past the last column."""
        return self.start + len(self.nodes)

    @property
    def columns(self) -> slice:
        """The block's columns."""
        return slice(self.start, self.stop)

    @property
    def number(self) -> bool:
        """Whether the attribute is a number."""
        return self.type is AttributeType.NUMBER

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest number that counts while weights are learned; others are as unknown."""
        reach = REACH * (self.p95 - self.p05)
        return (self.p05 - reach, self.p95 + reach) if reach else (self.minimum, self.maximum)

    def segments(self, part_worths: Floats) -> tuple[tuple[Segment, ...], ...]:
        """The contribution of each node, as stored: measured from the average item of the category."""
        block_part_worths = part_worths[self.columns]
        if self.number:
            slope = float(block_part_worths[0]) / self.scale
            return ((Segment(-UNBOUNDED, UNBOUNDED, -slope * self.centre, slope),),)
        utilities = block_part_worths - self.share @ block_part_worths
        if self.type is AttributeType.CHOICES:
            return tuple((Segment(-UNBOUNDED, UNBOUNDED, 0.0, float(u)),) for u in utilities)
        return tuple((Segment(-UNBOUNDED, UNBOUNDED, float(u), 0.0),) for u in utilities)


@dataclass(frozen=True)
class Layout:
    """The attributes' columns of one category, in the ontology's order."""

    category: str
    blocks: tuple[Block, ...]

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.blocks[-1].stop if self.blocks else 0

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The AttributeValue id of each column."""
        return tuple(node for block in self.blocks for node in block.nodes)

    @cached_property
    def column(self) -> dict[str, int]:
        """The column of each AttributeValue id."""
        return {node: i for i, node in enumerate(self.nodes)}

    @cached_property
    def block(self) -> dict[str, Block]:
        """The block of each attribute."""
        return {b.attribute: b for b in self.blocks}

    @cached_property
    def centring(self) -> Floats:
        """(raw columns + attributes, columns): takes raw columns and "known" marks to centred columns."""
        marks = np.zeros((len(self.blocks), self.width))
        for row, block in enumerate(self.blocks):
            marks[row, block.columns] = -block.share
        return np.vstack([np.eye(self.width), marks])


@dataclass(frozen=True)
class Design:
    """The items of a category and their columns.

    ``raw`` is (items, columns + attributes), sparse: values as shares (1, or 1/n for one of n), numbers centred
    and scaled, then a mark for each attribute whose value is known. ``raw @ layout.centring`` are the columns
    measured from the average item; a missing value is all zero. ``offers`` are what the items had at other times;
    None where nothing changes.
    """

    layout: Layout
    items: tuple[str, ...]
    raw: sparse.csr_matrix
    offers: Offers | None = None

    @cached_property
    def rows(self) -> sparse.csr_matrix:
        """``raw`` with the rows of the offers behind it."""
        if self.offers is None:
            return self.raw
        return sparse.csr_matrix(sparse.vstack([self.raw, self.offers.raw], "csr"))

    def centred(self) -> Floats:
        """(items, columns), dense."""
        return np.asarray(self.raw @ self.layout.centring)


def category_design(graph: KnowledgeGraph, ontology: Ontology, category: str) -> Design:
    """The columns of a category over the items of its subtree, in order of item id."""
    subtree = pl.Series(ontology.subtree(category))
    items = (
        graph.edge("IN_CATEGORY")
        .filter(pl.col("target").is_in(subtree.implode()))
        .select(item="source")
        .unique()
        .sort("item")
        .with_row_index("row")
        .with_columns(pl.col("row").cast(pl.Int64))
    )
    values = (
        graph.edge("HAS_VALUE").select(item="source", node="target", number="number").join(items, on="item")
    )
    values = values.select("row", "number", "node")
    offers, offered = offered_values(graph, items)
    combinations = offers["row"].n_unique()
    # What changes is described over the items and the combinations of values that they were offered with.
    values = pl.concat([values, offered]).with_columns(attribute=pl.col("node").str.split("=").list.first())
    by_attribute = {k[0]: t for k, t in values.partition_by("attribute", as_dict=True).items()}
    blocks: list[Block] = []
    entries: list[tuple[Ints, Ints, Floats]] = []
    start = 0
    for name in ontology.applicable(category):
        attribute_type = ontology.attributes[name].type
        rows = by_attribute.get(name)
        if attribute_type is AttributeType.TEXT or rows is None:
            continue
        if attribute_type is AttributeType.NUMBER:
            block, entry = _number_block(name, start, rows)
        else:
            block, entry = _value_block(name, attribute_type, start, ontology.attributes[name].values, rows)
        blocks.append(block)
        entries.append(entry)
        start = block.stop
    for mark, block in enumerate(blocks):
        if not block.number:
            valued_rows = np.unique(entries[mark][0])
            entries.append((valued_rows, np.full(len(valued_rows), start + mark), np.ones(len(valued_rows))))
    row_numbers, columns, data = (
        (np.concatenate(part) for part in zip(*entries, strict=True))
        if entries
        else (
            np.empty(0, np.int64),
            np.empty(0, np.int64),
            np.empty(0),
        )
    )
    shape = (len(items) + combinations, start + len(blocks))
    raw = sparse.csr_matrix((data, (row_numbers, columns)), shape=shape)
    design = Design(Layout(category, tuple(blocks)), tuple(items["item"]), raw[: len(items)])
    if not combinations:
        return design
    numbers = {block.attribute: number for number, block in enumerate(blocks)}
    own = values.filter((pl.col("row") >= len(items)) & pl.col("attribute").is_in(list(numbers)))
    has = np.zeros((combinations, len(blocks)), bool)
    has[own["row"].to_numpy() - len(items), [numbers[a] for a in own["attribute"]]] = True
    widths = [len(block.nodes) for block in blocks]
    attribute = np.concatenate([np.repeat(np.arange(len(blocks)), widths), np.arange(len(blocks))])
    return replace(design, offers=Offers(offers, with_items_values(raw, len(items), offers, has, attribute)))


def _number_block(name: str, start: int, rows: pl.DataFrame) -> tuple[Block, tuple[Ints, Ints, Floats]]:
    numbers = rows["number"].to_numpy().astype(float)
    p05, p95 = (float(q) for q in np.percentile(numbers, [LOW, HIGH]))
    # A tenth of the scale of a plain range keeps one outlier (a price of 0) from setting the unit.
    scale = (p95 - p05) / 3.29 or float(numbers.std()) or 1.0
    block = Block(
        attribute=name,
        type=AttributeType.NUMBER,
        start=start,
        nodes=(value_id(name, NUMBER),),
        share=np.zeros(1),
        item_count=np.array([len(numbers)]),
        reference=np.ones(1, bool),
        scale=scale,
        p05=p05,
        p95=p95,
        minimum=float(numbers.min()),
        maximum=float(numbers.max()),
    )
    least, most = block.bounds
    plausible = (numbers >= least) & (numbers <= most)
    centre = float(numbers[plausible].mean())
    item_rows = rows["row"].to_numpy().astype(np.int64)[plausible]
    entries = (item_rows, np.full(len(item_rows), start), (numbers[plausible] - centre) / scale)
    return replace(block, centre=centre), entries


def _value_block(
    name: str, attribute_type: AttributeType, start: int, listed_values: Sequence[str], rows: pl.DataFrame
) -> tuple[Block, tuple[Ints, Ints, Floats]]:
    counts = rows["node"].value_counts().sort("count", "node", descending=[True, False])
    left_out, valued = len(counts) - MOST_VALUES, rows["row"].n_unique()
    if left_out > 0:
        rows = rows.filter(pl.col("node").is_in(counts["node"].head(MOST_VALUES).implode()))
    occurring = set(rows["node"])
    order = [value_id(name, v) for v in listed_values]
    nodes = tuple(n for n in order if n in occurring) + tuple(sorted(occurring - set(order)))
    column_of = {n: i for i, n in enumerate(nodes)}
    column = np.fromiter((column_of[n] for n in rows["node"]), np.int64, len(rows))
    item_rows = rows["row"].to_numpy().astype(np.int64)
    share = 1.0 / np.bincount(item_rows)[item_rows]
    valued_items = len(np.unique(item_rows))
    items = np.bincount(column, minlength=len(nodes))
    mean = np.bincount(column, share, len(nodes)) / valued_items
    if attribute_type is AttributeType.ORDERED:
        cumulative = np.cumsum(mean)
        reference = (cumulative >= LOW / 100) & (cumulative - mean <= HIGH / 100)
    else:
        reference = (items >= RARE_ITEMS) & (items >= RARE_SHARE * valued)
    block = Block(
        attribute=name,
        type=attribute_type,
        start=start,
        nodes=nodes,
        share=mean,
        item_count=items.astype(np.int64),
        reference=reference,
        left_out=max(left_out, 0),
    )
    return block, (item_rows, start + column, share)
