"""The knowledge graph and its choices as tensors."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from scipy import sparse

from kgrank.choice.data.design import Layout
from kgrank.choice.data.ragged import gather
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.graph.schema import EDGES
from kgrank.graph.tables import KnowledgeGraph

MESSAGES = ("SUBCATEGORY_OF", "APPLIES", "OF", "IN_CATEGORY", "MADE_BY", "HAS_VALUE")
"""Edges that carry messages, both ways, beside the users' interactions."""

LABELS = ("Category", "Attribute", "AttributeValue", "Brand", "Item", "User")
EMBEDDED = ("Attribute", "AttributeValue", "Brand")
"""Labels with a learned embedding a node; categories, items and users are computed from their
neighbours, so that those never trained on are like the others."""


EdgeKind = tuple[str, str, str]


@dataclass(frozen=True)
class GraphTensors:
    """The graph for message passing.

    Attributes:
        size: Number of nodes by label.
        number: The number of each node by label and id.
        adjacency: (targets, sources) sparse, rows adding up to 1, by (source label, type, target label).
    """

    size: dict[str, int]
    number: dict[str, dict[str, int]]
    adjacency: dict[EdgeKind, torch.Tensor]


def graph_tensors(graph: KnowledgeGraph, hidden: Collection[str] = ()) -> GraphTensors:
    """The graph's edges both ways, without the interactions with items of the ``hidden`` categories."""
    ids = {label: graph.node(label)["id"].to_list() for label in LABELS}
    number = {label: {x: i for i, x in enumerate(names)} for label, names in ids.items()}
    acts = ~pl.col("kind").is_in(["impression", "rank"])
    interactions = graph.edge("INTERACTED").filter(acts).select("source", "target").unique()
    if hidden:
        unseen = graph.edge("IN_CATEGORY").filter(pl.col("target").is_in(list(hidden)))["source"]
        interactions = interactions.filter(~pl.col("target").is_in(unseen.implode()))
    adjacency: dict[EdgeKind, torch.Tensor] = {}
    for name in (*MESSAGES, "INTERACTED"):
        kind = EDGES[name]
        table = interactions if name == "INTERACTED" else graph.edge(name)
        source, target = (
            np.array([number[label][x] for x in table[side].to_list()], dtype=np.int64)
            for side, label in (("source", kind.source), ("target", kind.target))
        )
        sizes = len(ids[kind.source]), len(ids[kind.target])
        adjacency[kind.source, name, kind.target] = averaging(target, source, sizes[1], sizes[0])
        adjacency[kind.target, f"{name}_BACK", kind.source] = averaging(source, target, *sizes)
    return GraphTensors({label: len(names) for label, names in ids.items()}, number, adjacency)


def averaging(row: Any, column: Any, rows: int, columns: int) -> torch.Tensor:
    """The mean over neighbours as a sparse matrix."""
    counts = np.maximum(np.bincount(row, minlength=rows), 1)
    return csr_tensor(sparse.csr_matrix((1.0 / counts[row], (row, column)), shape=(rows, columns)))


def csr_tensor(matrix: sparse.csr_matrix) -> torch.Tensor:
    """A scipy matrix as a torch one."""
    return torch.sparse_csr_tensor(
        torch.from_numpy(matrix.indptr.astype(np.int64)),
        torch.from_numpy(matrix.indices.astype(np.int64)),
        torch.from_numpy(matrix.data).float(),
        matrix.shape,
        check_invariants=False,
    )


@dataclass(frozen=True)
class Cells:
    """The part-worths of all categories as one long vector of cells, and the nodes of each cell in the graph.

    Attributes:
        layouts: One a category.
        first: First cell of each category.
        category: (cells,) number of the category node.
        attribute: (cells,) number of the attribute node.
        value: (cells,) number of the AttributeValue node.
    """

    layouts: tuple[Layout, ...]
    first: tuple[int, ...]
    category: torch.Tensor
    attribute: torch.Tensor
    value: torch.Tensor

    @property
    def width(self) -> int:
        """Number of cells."""
        return len(self.category)

    def of(self, category: str) -> slice:
        """The cells of a category."""
        index = [layout.category for layout in self.layouts].index(category)
        return slice(self.first[index], self.first[index] + self.layouts[index].width)


def cells(layouts: Sequence[Layout], tensors: GraphTensors) -> Cells:
    """One cell a category and column."""
    first = np.concatenate([[0], np.cumsum([layout.width for layout in layouts])]).astype(int)
    rows = [
        (
            tensors.number["Category"][layout.category],
            tensors.number["Attribute"][block.attribute],
            tensors.number["AttributeValue"][node],
        )
        for layout in layouts
        for block in layout.blocks
        for node in block.nodes
    ]
    table = torch.tensor(rows, dtype=torch.long).reshape(-1, 3)
    return Cells(tuple(layouts), tuple(first[:-1].tolist()), *table.unbind(1))


@dataclass(frozen=True, kw_only=True)
class ChoiceRows:
    """The choices of several categories, rows in raw columns of one long vector.

    Raw columns are, category by category, its raw columns (see ``Design``), then its nuisance columns;
    Positions share parameters over categories.

    Attributes:
        raw: (rows, raw columns), sparse.
        centring: (raw columns, cells and nuisance parameters), sparse.
        nuisance: Number of nuisance parameters.
        start: (choices + 1,) first row of each choice.
        chosen: (rows,) how often the alternative was taken, or the rating.
        outside: (choices,) whether the choice had an outside option.
        left: (choices,) how often the outside option was taken.
        person: (choices,) number of the person.
        offset: (rows,) utility that is given.
        rated: (choices,) which are ratings.
        time: (choices,) time or order.
    """

    raw: sparse.csr_matrix
    centring: sparse.csr_matrix
    nuisance: int
    start: np.ndarray[Any, Any]
    chosen: np.ndarray[Any, Any]
    outside: np.ndarray[Any, Any]
    left: np.ndarray[Any, Any]
    person: np.ndarray[Any, Any]
    offset: np.ndarray[Any, Any]
    rated: np.ndarray[Any, Any]
    time: np.ndarray[Any, Any]

    def __len__(self) -> int:
        return len(self.start) - 1


def choice_rows(sets: Sequence[CategoryChoices], where: Cells) -> ChoiceRows:
    """Stacks the choices of categories that have cells."""
    names = [
        [n if n.startswith("position") else f"{s.design.layout.category} {n}" for n in s.nuisance]
        for s in sets
    ]
    shared = {n: i for i, n in enumerate(dict.fromkeys(n for nuisance in names for n in nuisance))}
    blocks, rows = [], []
    for s, nuisance in zip(sets, names, strict=True):
        cell = where.of(s.design.layout.category)
        centring = sparse.coo_matrix(s.choices.centring)
        column = np.concatenate(
            [np.arange(cell.start, cell.stop), where.width + np.array([shared[n] for n in nuisance], int)]
        )
        blocks.append((centring.row, column[centring.col], centring.data, s.choices.raw.shape[1]))
        rows.append(s.choices.expanded)
    offset = np.concatenate([[0], np.cumsum([b[3] for b in blocks])]).astype(int)
    index = (
        np.concatenate([b[0] + o for b, o in zip(blocks, offset[:-1], strict=True)]),
        np.concatenate([b[1] for b in blocks]),
    )
    shape = (int(offset[-1]), where.width + len(shared))
    centring_ = sparse.csr_matrix((np.concatenate([b[2] for b in blocks]), index), shape=shape)
    choices = [s.choices for s in sets]
    counts = np.concatenate([np.diff(c.start) for c in choices])

    def together(name: str) -> np.ndarray[Any, Any]:
        return np.concatenate([getattr(c, name) for c in choices])

    return ChoiceRows(
        raw=sparse.csr_matrix(sparse.block_diag(rows, "csr")),
        centring=centring_,
        nuisance=len(shared),
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        chosen=together("chosen"),
        outside=together("outside"),
        left=together("left"),
        person=together("person"),
        offset=together("offset"),
        rated=np.concatenate([np.zeros(len(c), bool) if c.rated is None else c.rated for c in choices]),
        time=together("time"),
    )


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Choices of one step: their rows as a sparse matrix and its transpose, and what was taken.

    Attributes:
        raw: (rows, raw columns), sparse.
        transposed: Its transpose.
        choice: (rows,) index of the row's choice in the batch.
        chosen: (rows,) how often the alternative was taken, or the rating.
        outside: (choices,) whether the choice had an outside option.
        left: (choices,) how often the outside option was taken.
        offset: (rows,) utility that is given.
        rated: (choices,) which are ratings.
    """

    raw: torch.Tensor
    transposed: torch.Tensor
    choice: torch.Tensor
    chosen: torch.Tensor
    outside: torch.Tensor
    left: torch.Tensor
    offset: torch.Tensor
    rated: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """On another device."""
        return Batch(**{name: getattr(self, name).to(device) for name in self.__dataclass_fields__})


def batch(rows: ChoiceRows, indices: np.ndarray[Any, Any]) -> Batch:
    """The choices of those indices, as tensors."""
    counts = np.diff(rows.start)[indices]
    of_choices, _ = gather(rows.start[:-1][indices], counts)
    raw = rows.raw[of_choices]
    return Batch(
        raw=csr_tensor(raw),
        transposed=csr_tensor(raw.T.tocsr()),
        choice=torch.from_numpy(np.repeat(np.arange(len(indices)), counts)),
        chosen=torch.from_numpy(rows.chosen[of_choices]).float(),
        outside=torch.from_numpy(rows.outside[indices]),
        left=torch.from_numpy(rows.left[indices]).float(),
        offset=torch.from_numpy(rows.offset[of_choices]).float(),
        rated=torch.from_numpy(rows.rated[indices]),
    )
