"""Training of the network by Lightning: mini-batches of choices, rules after the free fit has settled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch.utils.data import DataLoader, Sampler, SequentialSampler

from kgrank.errors import RunError
from kgrank.learning.configuration.config import PriorMeansConfig
from kgrank.learning.network.model import ChoiceModel
from kgrank.learning.network.tensors import Batch, ChoiceRows, batch

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
}


EPOCH = 40_000
"""Choices in an epoch at most, drawn anew for each: the network gives prior means, the optimum uses them all."""

DEVIATION_PACE = 0.05
"""Learning rate of the deviations, in that of the network: at the same pace they would take half of what all
categories share, and the network would learn only the other half."""


class ChoiceTraining(lightning.LightningModule):
    """Cross-entropy over choice sets, priors and rules in proportion to the data.

    Args:
        model: What is trained.
        penalties: Rules; they act from ``config.free_epochs`` on, when the free fit has settled (a rule that
            acts from a cold start can lock a part-worth in the wrong sign).
        choices: Number of training choices: priors weigh 1 against that many.
        config: Precision of the deviations, epochs without rules, optimiser and schedule.
        fingerprint: Of the ontology; a checkpoint of another one is refused.
        seed: Of dropout and of the noise around part-worths, anew in each step.
    """

    def __init__(
        self,
        model: ChoiceModel,
        penalties: Sequence[Callable[[torch.Tensor], torch.Tensor]],
        choices: int,
        config: PriorMeansConfig,
        fingerprint: str,
        seed: int,
    ) -> None:
        super().__init__()
        self.seed = seed
        self.fingerprint = fingerprint
        self.model = model
        self.penalties = penalties
        self.choices = choices
        self.config = config

    def training_step(self, choices: Batch, _: int) -> torch.Tensor:
        """Mean loss a choice."""
        # Seeded by the step, so that a resumed run draws the same numbers as one that was never stopped.
        torch.manual_seed(self.seed + self.global_step)
        part_worths, _prior = self.model.part_worths()
        fit = -self.model.log_likelihood(part_worths, choices).mean()
        loss = fit + self.model.penalty(self.config.deviation_precision) / self.choices
        if self.penalties and self.current_epoch >= self.config.free_epochs:
            with torch.autocast(part_worths.device.type, enabled=False):
                rules = torch.stack([p(part_worths.float()) for p in self.penalties])
            loss = loss + rules.sum() / self.choices
        self.log("train_loss", fit, prog_bar=True, on_epoch=True, on_step=False, batch_size=len(choices.left))
        return loss

    def validation_step(self, choices: Batch, _: int) -> None:
        """Mean negative log-likelihood a choice, without dropout, priors and rules."""
        part_worths, _prior = self.model.part_worths()
        loss = -self.model.log_likelihood(part_worths, choices).mean()
        self.log("val_loss", loss, prog_bar=True, batch_size=len(choices.left))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The chosen optimiser with a cosine schedule down to a tenth of the rate."""
        chosen = self.config.optimizer
        kind = OPTIMIZERS[chosen.name]
        groups = [
            {"params": list(self.model.network.parameters()), "weight_decay": chosen.weight_decay},
            {"params": [self.model.nuisance], "weight_decay": 0.0},
            {"params": [self.model.deviation], "weight_decay": 0.0, "lr": chosen.lr * DEVIATION_PACE},
        ]
        optimizer = kind(groups, lr=chosen.lr)  # type: ignore[call-arg]
        if chosen.schedule == "constant":
            return optimizer
        epochs = max(int(self.trainer.max_epochs or 1), 1)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs, eta_min=chosen.lr / 10)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "epoch"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds the fingerprint of the ontology."""
        checkpoint["ontology"] = self.fingerprint

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses a checkpoint of another ontology."""
        if checkpoint.get("ontology") != self.fingerprint:
            raise RunError(
                f"the checkpoint is of ontology {checkpoint.get('ontology')}",
                expected=f"ontology {self.fingerprint}",
                todo="Train without network.prior_means.resume.",
            )


class EpochSampler(Sampler[int]):
    """A random subset of the choices in an order that depends on the seed and the epoch only.

    Args:
        count: Number of choices.
        maximum: Choices drawn for an epoch at most.
        seed: Seed of all epochs; Lightning sets the epoch.
    """

    def __init__(self, count: int, maximum: int, seed: int) -> None:
        self.count, self.maximum, self.seed, self.epoch = count, maximum, seed, 0

    def __len__(self) -> int:
        return min(self.count, self.maximum)

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.count)
        return iter(order[: self.maximum].tolist())

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch


class Patience(EarlyStopping):
    """Early stopping that stays stopped when training resumes from a checkpoint where it had stopped."""

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Stops before another epoch where the patience was spent."""
        if self.wait_count >= self.patience:
            trainer.should_stop = True


class ChoiceData(lightning.LightningDataModule):
    """Batches of choices; some choices, by time or by person, are held out for early stopping.

    Args:
        rows: All training choices.
        batch_size: Choices a batch.
        validation: (choices,) which are held out.
        seed: Order of the batches.
    """

    def __init__(
        self, rows: ChoiceRows, batch_size: int, validation: np.ndarray[Any, Any], seed: int
    ) -> None:
        super().__init__()
        self.rows = rows
        self.batch_size = batch_size
        self.training = np.flatnonzero(~validation)
        self.held_out = np.flatnonzero(validation)
        self.seed = seed

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, _: int) -> Batch:
        """Batches are plain tensors in a frozen value."""
        return batch.to(device)

    def _loader(self, indices: np.ndarray[Any, Any], order: Sampler[int]) -> DataLoader[Any]:
        return DataLoader(
            indices.tolist(),
            batch_size=self.batch_size,
            sampler=order,
            collate_fn=lambda chosen: batch(self.rows, np.asarray(chosen)),
        )

    def train_dataloader(self) -> DataLoader[Any]:
        """Shuffled by the seed."""
        return self._loader(self.training, EpochSampler(len(self.training), EPOCH, self.seed))

    def val_dataloader(self) -> DataLoader[Any] | list[Any]:
        """In order; empty where nothing is held out."""
        order = SequentialSampler(range(len(self.held_out))[:EPOCH])
        return self._loader(self.held_out, order) if len(self.held_out) else []
