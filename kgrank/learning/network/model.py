"""The heterogeneous network: a prior mean of each part-worth from the graph, and a free deviation from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch_geometric.nn import HeteroConv, SAGEConv

from kgrank.choice.importance import importance
from kgrank.learning.network.sampling import Sample, sample
from kgrank.learning.network.tensors import (
    EMBEDDED,
    LABELS,
    Batch,
    Cells,
    ChoiceRows,
    GraphTensors,
    csr_tensor,
)

NUISANCE_PENALTY = 1e-4


class _Product(torch.autograd.Function):
    """matrix @ x for a sparse constant matrix; its transpose is given, so that the gradient needs no sorting."""

    @staticmethod
    def forward(ctx: Any, matrix: torch.Tensor, transposed: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        ctx.transposed = transposed
        return matrix @ x

    @staticmethod
    def backward(ctx: Any, *gradient: torch.Tensor) -> tuple[None, None, torch.Tensor]:
        return None, None, ctx.transposed @ gradient[0]


class FullSAGEConv(SAGEConv):  # type: ignore[misc]
    """SAGEConv whose sparse products stay in single precision, as torch has none in half precision."""

    def message_and_aggregate(
        self, edge_index: torch.Tensor, x: tuple[torch.Tensor, torch.Tensor | None]
    ) -> torch.Tensor:
        """(targets, width) the mean over neighbours."""
        with torch.autocast(edge_index.device.type, enabled=False):
            mean: torch.Tensor = super().message_and_aggregate(edge_index, (x[0].float(), x[1]))
        return mean


class PartWorthNetwork(nn.Module):
    """Embeds the graph and reads a part-worth off every (category, attribute, value).

    The part-worth is the prior mean that the graph gives without a network, plus a correction of the value, shared
    by all categories, and what a small perceptron makes of the three nodes' embeddings after message passing.
    Corrections and perceptron start at zero, so training starts from those prior means.

    Args:
        tensors: The graph.
        where: The cells to give part-worths.
        means: (cells,) the prior means to correct.
        width: Width of the embeddings.
        layers: Rounds of message passing.
        dropout: Share of hidden units dropped in training.
        fanout: Neighbours sampled for each node and edge type in a training step; None takes the whole graph.
    """

    def __init__(
        self,
        tensors: GraphTensors,
        where: Cells,
        means: torch.Tensor,
        width: int,
        layers: int,
        dropout: float,
        fanout: int | None = None,
    ) -> None:
        super().__init__()
        self.fanout = fanout
        self.whole = tensors
        self.register_buffer("means", means, persistent=False)
        self.size = tensors.size
        self.kinds = list(tensors.adjacency)
        for i, matrix in enumerate(tensors.adjacency.values()):
            # Constants that follow the module to its device and stay out of checkpoints.
            self.register_buffer(f"adjacency{i}", matrix, persistent=False)
        rows = {label: max(tensors.size[label], 1) if label in EMBEDDED else 1 for label in LABELS}
        self.embedding = nn.ParameterDict(
            {label: nn.Parameter(0.1 * torch.randn(count, width)) for label, count in rows.items()}
        )
        self.layers = nn.ModuleList(
            HeteroConv(
                {kind: FullSAGEConv((width, width), width, aggr="sum") for kind in self.kinds}, aggr="sum"
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.liking = nn.Parameter(torch.zeros(rows["AttributeValue"]))
        last = nn.Linear(width, 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.read = nn.Sequential(nn.Linear(4 * width, width), nn.ReLU(), last)
        self.cells = (where.category, where.attribute, where.value)

    def nodes(self, part: Sample | None = None) -> dict[str, torch.Tensor]:
        """Embeddings of all nodes, or of a part of them, after message passing, by label."""
        if part is None:
            x = {label: table.expand(self.size[label], -1) for label, table in self.embedding.items()}
            edges = {kind: self.get_buffer(f"adjacency{i}") for i, kind in enumerate(self.kinds)}
        else:
            device = self.liking.device
            x = {
                label: table[torch.from_numpy(part.nodes[label]).to(device)]
                if label in EMBEDDED
                else table.expand(part.tensors.size[label], -1)
                for label, table in self.embedding.items()
            }
            edges = {kind: matrix.to(device) for kind, matrix in part.tensors.adjacency.items()}
        for convolution in self.layers:
            messages = convolution(x, edges)
            x = {
                label: self.dropout(functional.relu(self.norm(h + messages[label])))
                if label in messages
                else h
                for label, h in x.items()
            }
        return x

    def forward(self) -> torch.Tensor:
        """(cells,) the part-worth that the graph predicts; in training by a sample where there is a fan-out."""
        category, attribute, value = self._of_cells()
        read: torch.Tensor = self.read(torch.cat([category, attribute, value, category * value], 1))
        liking = self.liking[self.cells[2].to(self.liking.device)]
        return self.get_buffer("means") + liking + read.squeeze(1)

    def _of_cells(self) -> list[torch.Tensor]:
        """Embeddings of each cell's category, attribute and value."""
        index = dict(zip(("Category", "Attribute", "AttributeValue"), self.cells, strict=True))
        part = None
        if self.fanout is not None and self.training:
            seeds, inverse = {}, {}
            for label, cell in index.items():
                seeds[label], inverse[label] = np.unique(cell.numpy(), return_inverse=True)
            index = {label: torch.from_numpy(rows) for label, rows in inverse.items()}
            random = np.random.default_rng(int(torch.randint(2**31, ())))
            part = sample(self.whole, seeds, self.fanout, len(self.layers), random)
        x = self.nodes(part)
        return [x[label][cell.to(self.liking.device)] for label, cell in index.items()]


class ChoiceModel(nn.Module):
    """The network, free deviations from it, and nuisance parameters; gives log-likelihoods of the rows."""

    def __init__(self, network: PartWorthNetwork, where: Cells, rows: ChoiceRows) -> None:
        super().__init__()
        self.network = network
        self.where = where
        self.deviation = nn.Parameter(torch.zeros(where.width))
        self.nuisance = nn.Parameter(torch.zeros(rows.nuisance))
        self.register_buffer("centring", csr_tensor(rows.centring), persistent=False)
        self.register_buffer("centring_transposed", csr_tensor(rows.centring.T.tocsr()), persistent=False)

    def part_worths(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(cells,) part-worths, and (cells,) the network's part of them."""
        prior = self.network()
        return prior + self.deviation, prior

    def importance(self, category: str) -> torch.Tensor:
        """(attributes,) the category's weights, on the simplex over the attributes that apply."""
        cell = self.where.of(category)
        layout = next(one for one in self.where.layouts if one.category == category)
        return importance(layout, self.part_worths()[0][cell], xp=torch)  # type: ignore[no-any-return]

    def log_likelihood(self, part_worths: torch.Tensor, choices: Batch) -> torch.Tensor:
        """(choices,) minus the cross-entropy of each choice, or minus half the squared error of a rating.

        In single precision whatever the training's is: sums over many rows lose too much in half of it.
        """
        with torch.autocast(part_worths.device.type, enabled=False):
            return self._log_likelihood(part_worths.float(), choices)

    def _log_likelihood(self, part_worths: torch.Tensor, choices: Batch) -> torch.Tensor:
        parameters = torch.cat([part_worths, self.nuisance])[:, None]
        raw = _Product.apply(self.centring, self.centring_transposed, parameters)
        utility: torch.Tensor = (
            _Product.apply(choices.raw, choices.transposed, raw).squeeze(1) + choices.offset
        )
        count = len(choices.left)
        top = torch.full((count,), -torch.inf, device=utility.device)
        top = top.scatter_reduce(0, choices.choice, utility.detach(), "amax")
        top = torch.where(choices.outside, top.clamp(min=0.0), top)
        odds = torch.zeros_like(top).index_add(0, choices.choice, torch.exp(utility - top[choices.choice]))
        odds = odds + torch.where(choices.outside, torch.exp(-top), torch.zeros_like(top))
        units = torch.zeros_like(top).index_add(0, choices.choice, choices.chosen)
        taken = torch.zeros_like(top).index_add(0, choices.choice, choices.chosen * utility)
        error = torch.zeros_like(top).index_add(0, choices.choice, (utility - choices.chosen).square())
        return torch.where(choices.rated, -0.5 * error, taken - (units + choices.left) * (odds.log() + top))

    def penalty(self, precision: float) -> torch.Tensor:
        """Negative log-prior of the deviations and, barely, of the nuisance parameters."""
        return (
            0.5 * precision * self.deviation.square().sum() + NUISANCE_PENALTY * self.nuisance.square().sum()
        )
