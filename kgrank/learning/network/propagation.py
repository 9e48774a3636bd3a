"""Linear propagation over the graph of purchases (LightGCN, He et al. 2020), in coordinates of its spectrum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch_geometric.data import HeteroData
from torch_geometric.nn import MessagePassing

from kgrank.learning.network.purchase_graph import ITEM_NODE, PERSON
from kgrank.weights.graph_filter import ITEM

OVERSAMPLING, BLOCKS = 8, 8
"""Extra vectors of a block of the Krylov space, and the number of blocks: rounds of messages and one."""

SMALL = 1e-12
"""Length from which a vector has a direction."""


class WeightedSum(MessagePassing):  # type: ignore[misc]
    """Messages along weighted edges, added up; nothing is learned in it."""

    def __init__(self) -> None:
        super().__init__(aggr="sum")

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        """(targets, width) from (sources, width), by an adjacency (targets, sources)."""
        summed: torch.Tensor = self.propagate(adjacency, x=x)
        return summed

    def message_and_aggregate(self, edge_index: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """One sparse product, so that no message of an edge is ever stored."""
        return edge_index @ x


@dataclass(frozen=True)
class Spectrum:
    """The largest singular values of the normalised graph and the items' singular vectors.

    Attributes:
        values: (width,) descending, in units of the largest.
        items: (items, width) orthonormal columns; the first is the stationary vector, with a positive sum.
    """

    values: torch.Tensor
    items: torch.Tensor

    def bands(self, layers: int) -> torch.Tensor:
        """(layers, width) what each layer multiplies the coordinates by, the stationary one apart.

        A round of messages multiplies the coordinates of the spectrum by the squared singular values.
        """
        bands = torch.stack([self.values ** (2 * layer) for layer in range(layers)])
        bands[:, 0] = 0.0
        return bands


class Propagation(torch.nn.Module):
    """Messages from items to persons and back, and from items to their groups.

    Args:
        data: What ``PurchaseGraph.hetero`` gives.
    """

    def __init__(self, data: HeteroData) -> None:
        super().__init__()
        self.sum = WeightedSum()
        self.groups = [name for name in data.node_types if name not in (PERSON, ITEM_NODE)]
        self.size = {name: int(data[name].num_nodes) for name in data.node_types}
        self.to_items = _adjacency(data, (PERSON, "bought", ITEM_NODE))
        self.to_persons = _adjacency(data, (ITEM_NODE, "bought by", PERSON))
        self.to_group = {name: _adjacency(data, (ITEM_NODE, "in", name)) for name in self.groups}

    def round(self, items: torch.Tensor) -> torch.Tensor:
        """(items, width) after one message from items to persons and one back."""
        back: torch.Tensor = self.sum(self.sum(items, self.to_persons), self.to_items)
        return back

    def spectrum(self, width: int, seed: int = 0) -> Spectrum:
        """The largest singular vectors, by a randomised block Krylov space (Musco and Musco 2015)."""
        smallest = min(self.size[ITEM_NODE], self.size[PERSON])
        random = torch.Generator().manual_seed(seed)
        columns = min(width + OVERSAMPLING, smallest)
        start = torch.randn(self.size[ITEM_NODE], columns, generator=random, dtype=torch.float64)
        # A round first: what has no edges stays out of the basis.
        blocks = [torch.linalg.qr(self.round(start.to(self.to_items.device))).Q]
        for _ in range(BLOCKS - 1):
            blocks.append(torch.linalg.qr(self.round(blocks[-1])).Q)
        basis = torch.linalg.qr(torch.cat(blocks, 1)).Q
        _, values, rotation = torch.linalg.svd(self.sum(basis, self.to_persons), full_matrices=False)
        width = min(width, smallest)
        vectors = basis @ rotation[:width].T
        # The sign of a singular vector is arbitrary: a positive sum makes it the same on every machine.
        vectors = vectors * torch.where(vectors.sum(0) < 0, -1.0, 1.0)
        return Spectrum(values[:width] / values[0].clamp(min=SMALL), vectors)

    def forward(self, spectrum: Spectrum) -> Mapping[str, torch.Tensor]:
        """By relation, (groups, width) vectors of the targets: an item's at length 1, a group's mean by buyers."""
        length = spectrum.items.norm(dim=1, keepdim=True)
        item_vectors = torch.where(length > SMALL, spectrum.items / length.clamp(min=SMALL), 0.0)
        return {ITEM: item_vectors} | {
            name: self.sum(item_vectors, adjacency) for name, adjacency in self.to_group.items()
        }


def _adjacency(data: HeteroData, kind: tuple[str, str, str]) -> torch.Tensor:
    """(targets, sources) as a sparse matrix."""
    source, _, target = kind
    edges = data[kind]
    size = (int(data[target].num_nodes), int(data[source].num_nodes))
    return (
        torch.sparse_coo_tensor(edges.edge_index.flip(0), edges.edge_weight, size, check_invariants=False)
        .coalesce()
        .to_sparse_csr()
    )
