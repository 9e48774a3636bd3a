"""Free embeddings of items and their groups, trained to predict the next purchase (link prediction).

An item's vector is the sum of an embedding of its own and those of its groups (brand, category); a person's is the
sum of the vectors bought, weighted by recency, at length 1. The model is linear in the history up to that length,
and so its result is a ``GraphFilter``, which needs no torch and says what each bought item adds through each
relation of the target. Softmax over sampled negatives with the correction for their sampling (Bengio and Senécal
2008); the epoch is chosen by NDCG@10 of purchases that are held out.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch_geometric.data import HeteroData

from kgrank.arrays import Floats
from kgrank.files import scratch_folder
from kgrank.learning.network import ignore_library_warnings
from kgrank.learning.network.liking import StageRecord
from kgrank.learning.network.propagation import WeightedSum
from kgrank.learning.network.purchase_graph import ITEM_NODE, PERSON
from kgrank.learning.network.purchase_sequences import (
    HistoryBatch,
    NextItems,
    PairData,
    PurchaseSequences,
    sampling_logits,
)
from kgrank.learning.network.trainer import (
    EpochProgress,
    best_checkpoint,
    fit,
    lightning_trainer,
    training_logger,
)
from kgrank.learning.network.training import Patience
from kgrank.learning.prior_means import DivergedError
from kgrank.learning.reporting.progress import NO_PROGRESS, Progress
from kgrank.weights.graph_filter import ITEM, GraphFilter, Relation

START, TEMPERATURE = 0.05, 3.0
"""Standard deviation of the embeddings before training, and the logits of a person's vector of length 1."""

FIRST = 10
"""Places that count when the epoch is chosen."""


@dataclass(frozen=True, kw_only=True)
class EmbeddingSettings:
    """Size and training of the embeddings.

    Attributes:
        width: Of the embeddings.
        decay: Of a purchase's weight with each one after it.
        hidden: Share of items whose own embedding is left out of a step, so that groups speak for items that
            nobody bought yet.
        negatives: Items drawn for each batch.
        power: Negatives are drawn by purchases^power.
        batch_size: Pairs of a history and the next item in a batch.
        learning_rate: Of Adam.
        epochs: At most.
        patience: Epochs without gain before training stops.
        accelerator: Lightning's: auto, cpu, gpu ….
        logger: ``tensorboard``, ``wandb`` or ``none``.
        seed: Of the start, the order of the batches and the negatives.
    """

    width: int = 64
    decay: float = 0.5
    hidden: float = 0.1
    negatives: int = 1024
    power: float = 0.75
    batch_size: int = 1024
    learning_rate: float = 0.005
    epochs: int = 10
    patience: int = 2
    accelerator: str = "auto"
    logger: str = "none"
    seed: int = 0


@dataclass(frozen=True)
class Embeddings:
    """Trained embeddings, as they are served.

    Attributes:
        filter: Vectors of items as parts of a history, and of targets by relation.
        decay: Of a purchase's weight with each one after it: ``filter.person`` takes
            ``kgrank.weights.graph_filter.recency_counts``.
        loss: 1 − NDCG@10 of the purchases held out, at the epoch that is kept.
        epochs: That were trained.
        interrupted: Whether Ctrl-C ended the training.
        stage: What it took.
    """

    filter: GraphFilter
    decay: float
    loss: float
    epochs: int
    interrupted: bool
    stage: StageRecord


class LinkPrediction(lightning.LightningModule):
    """Sampled softmax of the next item given a history.

    Args:
        data: What ``PurchaseSequences.hetero`` gives; every node type but persons gets embeddings.
        draw: (items,) log-probabilities of the negatives.
        settings: Size and training.
    """

    draw: torch.Tensor
    label: torch.Tensor

    def __init__(self, data: HeteroData, draw: Floats, settings: EmbeddingSettings) -> None:
        super().__init__()
        self.settings = settings
        random = torch.Generator().manual_seed(settings.seed)
        size = {name: int(data[name].num_nodes) for name in data.node_types if name != PERSON}
        self.groups = tuple(name for name in size if name != ITEM_NODE)
        self.own = torch.nn.Parameter(START * torch.randn(size[ITEM_NODE], settings.width, generator=random))
        self.of_group = torch.nn.ParameterList(
            [START * torch.randn(size[name], settings.width, generator=random) for name in self.groups]
        )
        self.popularity = torch.nn.Parameter(torch.zeros(size[ITEM_NODE]))
        self.temperature = torch.nn.Parameter(torch.tensor(TEMPERATURE))
        self.sum = WeightedSum()
        self.register_buffer("draw", torch.from_numpy(draw).float(), persistent=False)
        label = (
            torch.stack([torch.full((size[ITEM_NODE],), size[name]) for name in self.groups])
            if self.groups
            else torch.zeros(0, size[ITEM_NODE])
        )
        for row, name in zip(label, self.groups, strict=True):
            item, group = data[ITEM_NODE, "in", name].edge_index
            row[item] = group
        self.register_buffer("label", label, persistent=False)

    def items(self, shown: torch.Tensor | None = None) -> torch.Tensor:
        """(items, width) own embeddings, of those that are shown (items, 1), and their groups' added up."""
        total = self.own if shown is None else self.own * shown
        for table, label in zip(self.of_group, self.label, strict=True):
            # Items without a group take the row of zeros at the end.
            total = total + torch.cat([table, table.new_zeros(1, table.shape[1])])[label]
        return total

    def persons(self, history: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """(histories, width) messages from the items bought, at the length of the temperature."""
        summed: torch.Tensor = self.sum(items, history)
        return torch.nn.functional.normalize(summed) * self.temperature

    def training_step(self, batch: HistoryBatch, _: int) -> torch.Tensor:
        """Mean loss a pair."""
        # Seeded by the step, so that a resumed run draws the same numbers as one that was never stopped.
        random = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.global_step)
        drawn = torch.multinomial(
            self.draw.exp().cpu(), self.settings.negatives, replacement=True, generator=random
        )
        negative = drawn.to(self.draw.device)
        shown = None
        if self.settings.hidden > 0:
            uniform = torch.rand(len(self.draw), 1, generator=random).to(self.draw.device)
            shown = (uniform >= self.settings.hidden).to(self.draw.dtype)
        items = self.items(shown)
        person = self.persons(batch.history, items)
        offset = self.popularity - self.draw
        taken = (person * items[batch.target]).sum(1) + offset[batch.target]
        others = person @ items[negative].T + offset[negative]
        others = others.masked_fill(negative == batch.target[:, None], -torch.inf)
        loss = (torch.logsumexp(torch.cat([taken[:, None], others], 1), 1) - taken).mean()
        self.log("train_loss", loss, on_epoch=True, on_step=False, batch_size=len(batch.target))
        return loss

    def validation_step(self, batch: HistoryBatch, _: int) -> None:
        """1 − NDCG@10 among items that were bought, as they are served: without popularity and the history."""
        items = self.items()
        logits = self.persons(batch.history, items) @ items.T
        logits = logits.masked_fill(torch.isinf(self.draw), -torch.inf)
        logits[batch.seen[0], batch.seen[1]] = -torch.inf
        own = logits.gather(1, batch.target[:, None])
        place = (logits >= own).sum(1)
        # A target that was never bought in training cannot be found by anyone.
        found = (place <= FIRST) & torch.isfinite(own[:, 0])
        loss = 1 - torch.where(found, 1 / torch.log2(place + 1.0), 0.0).mean()
        self.log("val_loss", loss, batch_size=len(place))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam at a constant rate: the epoch is chosen on held-out purchases."""
        return torch.optim.Adam(self.parameters(), lr=self.settings.learning_rate)


def train_embeddings(
    sequences: PurchaseSequences,
    held_out: NextItems,
    settings: EmbeddingSettings,
    *,
    out: Path | None = None,
    progress: Progress = NO_PROGRESS,
) -> Embeddings:
    """Trains embeddings with early stopping on purchases that are held out.

    Args:
        sequences: Purchases to train on, and the items' groups.
        held_out: What was bought next.
        settings: Size and training.
        out: Folder for the best checkpoint and the logs; None keeps none.
        progress: Receives each epoch, and a line of throughput.

    Raises:
        RunError: There is nothing to train on, nothing is held out, or Lightning refuses an option.
        DivergedError: An embedding is not finite.
    """
    ignore_library_warnings()
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    data = PairData(
        sequences, held_out, decay=settings.decay, batch_size=settings.batch_size, seed=settings.seed
    )
    module = LinkPrediction(sequences.hetero(), sampling_logits(sequences, settings.power), settings)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder()) if out is None else out / "checkpoints"
        best = best_checkpoint(folder, monitored=True)
        patience = Patience("val_loss", patience=settings.patience)
        callbacks: list[Callback] = [EpochProgress(progress, "embeddings"), patience, best]
        trainer = lightning_trainer(
            {"max_epochs": settings.epochs, "accelerator": settings.accelerator, "devices": 1},
            logger=False if out is None else training_logger(settings.logger, out),
            callbacks=callbacks,
            enable_checkpointing=True,
        )
        interrupted = fit(trainer, module, data, None)
        device = trainer.strategy.root_device
        if best.best_model_path:
            state = torch.load(best.best_model_path, map_location="cpu", weights_only=True)
            module.load_state_dict(state["state_dict"])
    loss = float("nan") if best.best_model_score is None else float(best.best_model_score)
    seconds = time.monotonic() - began
    pairs, epochs = len(sequences.pairs), trainer.current_epoch
    left_out = "".join(f"; no edges of {name}" for name in sequences.without_edges)
    about = (
        f"{epochs} epochs of {pairs:,} pairs, {pairs * epochs / max(seconds, 1e-9):,.0f} pairs a second"
        f"{left_out}, on {device}"
    )
    progress.note(f"embeddings: {about}")
    learned = served(module.cpu().eval(), sequences)
    record = StageRecord("embeddings", round(seconds, 2), about)
    return Embeddings(learned, settings.decay, loss, epochs, interrupted, record)


def served(module: LinkPrediction, sequences: PurchaseSequences) -> GraphFilter:
    """The trained embeddings as vectors and relations; an item that nobody bought has no embedding of its own.

    Raises:
        DivergedError: An embedding is not finite.
    """
    parts = [module.own, *module.of_group]
    tables = [part.detach().double().numpy() for part in parts]
    temperature = float(module.temperature.detach())
    if not all(np.isfinite(table).all() for table in (*tables, np.array(temperature))):
        raise DivergedError(
            "training diverged: an embedding is not finite",
            where="the learning rate of the embeddings",
            todo="Make it smaller.",
        )
    items = np.arange(sequences.events.item_count)
    people = sequences.people_of(items)
    tables[0] = np.where((people > 0)[:, None], tables[0], 0.0)
    names, groups = (ITEM, *module.groups), [items, *(sequences.groups[name] for name in module.groups)]
    relations = tuple(
        Relation(name, group, temperature * table, sequences.people_of(group))
        for name, group, table in zip(names, groups, tables, strict=True)
    )
    vectors = sum((relation.of(items) for relation in relations), np.zeros_like(tables[0])) / temperature
    known = (vectors != 0).any(1).astype(float)
    return GraphFilter(people, known, vectors, np.zeros(vectors.shape[1]), relations)
