"""Purchases in order as training pairs of a history and the item bought next, in batches of bipartite graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader
from torch_geometric.data import HeteroData

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.sequences import RECENT, EventSequences
from kgrank.choice.data.ragged import gather
from kgrank.errors import RunError
from kgrank.learning.network.purchase_graph import ITEM_NODE, PERSON
from kgrank.learning.network.training import EpochSampler

HELD_OUT = 5_000
"""Next items at most that the validation loss is computed on, drawn by the seed."""


@dataclass(frozen=True)
class NextItems:
    """Histories, and what was bought after each.

    Attributes:
        histories: Oldest first; nobody's may be empty.
        target: (histories,) item numbers.
    """

    histories: EventSequences
    target: Ints

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: Ints) -> NextItems:
        """Some of them."""
        return NextItems(self.histories.take(rows), self.target[rows])


@dataclass(frozen=True)
class PurchaseSequences:
    """Who bought what in which order, and the groups of the items.

    Attributes:
        events: Of all people.
        groups: By relation, (items,) the group of each item, -1 for none.
    """

    events: EventSequences
    groups: Mapping[str, Ints]

    @cached_property
    def pairs(self) -> Ints:
        """(pairs,) the events that have one before them: what is bought next."""
        return np.flatnonzero(np.arange(len(self.events.item)) > self.events.start[self.events.owner])

    @cached_property
    def without_edges(self) -> tuple[str, ...]:
        """The relations of which no group has an item that was bought: nothing is learned through them."""
        bought = np.unique(self.events.item)
        return tuple(name for name, group in self.groups.items() if not (group[bought] >= 0).any())

    def next_items(self, pairs: Ints) -> NextItems:
        """The last ``RECENT`` items before each of some pairs."""
        first = self.events.start[self.events.owner[pairs]]
        size = np.minimum(pairs - first, RECENT)
        which, start = gather(pairs - size, size)
        before = EventSequences(self.events.item[which], start, self.events.item_count)
        return NextItems(before, self.events.item[pairs])

    def people_of(self, group: Ints) -> Ints:
        """(groups,) how many different people bought an item of each group."""
        groups = int(group.max(initial=-1)) + 1
        inside = group[self.events.item] >= 0
        pairs = np.unique(self.events.owner[inside] * max(groups, 1) + group[self.events.item][inside])
        return np.bincount(pairs % max(groups, 1), minlength=groups)

    def dealt_out(self, seed: int) -> PurchaseSequences:
        """A twin without structure: the purchases dealt out among all people, each history as long as before."""
        order = np.random.default_rng(seed).permutation(len(self.events.item))
        dealt = EventSequences(self.events.item[order], self.events.start, self.events.item_count)
        return PurchaseSequences(dealt, self.groups)

    def hetero(self) -> HeteroData:
        """Nodes and edges for torch-geometric; a purchase's edge says how many came after it."""
        data = HeteroData()
        data[PERSON].num_nodes, data[ITEM_NODE].num_nodes = len(self.events), self.events.item_count
        bought = data[PERSON, "bought", ITEM_NODE]
        bought.edge_index = torch.from_numpy(np.stack([self.events.owner, self.events.item]))
        bought.edge_attr = torch.from_numpy(self.events.back)
        for name, group in self.groups.items():
            if name in self.without_edges:
                continue
            data[name].num_nodes = int(group.max()) + 1
            within = np.flatnonzero(group >= 0)
            data[ITEM_NODE, "in", name].edge_index = torch.from_numpy(np.stack([within, group[within]]))
        return data


@dataclass(frozen=True)
class HistoryBatch:
    """Histories as a bipartite graph, and their targets.

    Attributes:
        history: (histories, items) sparse, decay^(purchases since) for each purchase.
        target: (histories,) item numbers.
        seen: (2, purchases) rows and items of the histories.
    """

    history: torch.Tensor
    target: torch.Tensor
    seen: torch.Tensor

    @staticmethod
    def of(pairs: NextItems, decay: float) -> HistoryBatch:
        """Of some histories; an item that is in one twice weighs the sum."""
        events = pairs.histories
        index = torch.from_numpy(np.stack([events.owner, events.item]))
        weight = torch.from_numpy(events.recency(decay)).float()
        shape = (len(events), events.item_count)
        graph = torch.sparse_coo_tensor(index, weight, shape, check_invariants=False).coalesce()
        return HistoryBatch(graph, torch.from_numpy(pairs.target), index)

    def to(self, device: torch.device) -> HistoryBatch:
        """On a device."""
        return HistoryBatch(self.history.to(device), self.target.to(device), self.seen.to(device))


class PairData(lightning.LightningDataModule):
    """Batches of training pairs in an order drawn anew for each epoch, and of pairs that are held out.

    Args:
        sequences: Purchases to train on.
        held_out: What was bought next, none of it among ``sequences``; early stopping is decided on it.
        decay: Of a purchase's weight with each one after it.
        batch_size: Pairs a batch.
        seed: Order of the batches.

    Raises:
        RunError: Nobody bought two items, or nothing is held out.
    """

    def __init__(
        self, sequences: PurchaseSequences, held_out: NextItems, *, decay: float, batch_size: int, seed: int
    ) -> None:
        super().__init__()
        if not len(sequences.pairs):
            raise RunError(
                "nobody bought two items, and embeddings are learned from what is bought after what",
                expected="purchases of people who bought two items or more",
                todo="Set network: off, or give more purchases.",
            )
        some = np.flatnonzero(np.diff(held_out.histories.start) > 0)
        if not len(some):
            raise RunError(
                "no purchase is held out, and the epoch to stop at is chosen on these",
                expected="histories with one later purchase each, which is not trained on",
                todo="Set network: off, or give more purchases.",
            )
        drawn = np.random.default_rng(seed).permutation(some)[:HELD_OUT]
        self.sequences, self.held_out = sequences, held_out.take(np.sort(drawn))
        self.decay, self.batch_size, self.seed = decay, batch_size, seed

    def transfer_batch_to_device(self, batch: HistoryBatch, device: torch.device, _: int) -> HistoryBatch:
        """Batches are tensors in a frozen value."""
        return batch.to(device)

    def train_dataloader(self) -> DataLoader[Any]:
        """Shuffled by the seed."""
        count = len(self.sequences.pairs)
        return DataLoader(
            self.sequences.pairs.tolist(),
            batch_size=self.batch_size,
            sampler=EpochSampler(count, count, self.seed),
            collate_fn=lambda pairs: HistoryBatch.of(self.sequences.next_items(np.array(pairs)), self.decay),
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """In order."""
        return DataLoader(
            range(len(self.held_out)),  # type: ignore[arg-type]
            batch_size=self.batch_size,
            collate_fn=lambda rows: HistoryBatch.of(self.held_out.take(np.array(rows)), self.decay),
        )


def sampling_logits(sequences: PurchaseSequences, power: float) -> Floats:
    """(items,) log-probability of each as a negative, by purchases^power; -inf for one that nobody bought."""
    bought = np.bincount(sequences.events.item, minlength=sequences.events.item_count).astype(float)
    weight = np.where(bought > 0, bought**power, 0.0)
    with np.errstate(divide="ignore"):
        logits: Floats = np.log(weight / weight.sum())
    return logits
