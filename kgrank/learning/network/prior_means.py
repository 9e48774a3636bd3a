"""Prior means corrected by the network, cross-fitted: a category's prior mean never uses its own choices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger

from kgrank import interrupts
from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout
from kgrank.choice.hierarchy.prior_means import prior_means
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.learning.configuration.config import PriorMeansConfig, RunConfig, ValidationConfig
from kgrank.learning.folds import means_by_fold
from kgrank.learning.network import ignore_library_warnings
from kgrank.learning.network.model import ChoiceModel, PartWorthNetwork
from kgrank.learning.network.penalties import inheritances, penalties
from kgrank.learning.network.sampling import edge_count
from kgrank.learning.network.tensors import ChoiceRows, cells, choice_rows, graph_tensors
from kgrank.learning.network.trainer import (
    EpochProgress,
    best_checkpoint,
    checkpoint_to_resume,
    fit,
    lightning_trainer,
    trainer_options,
    training_logger,
)
from kgrank.learning.network.training import ChoiceData, ChoiceTraining, Patience
from kgrank.learning.prior_means import DivergedError, PriorMeanData, PriorMeans
from kgrank.learning.reporting.progress import NO_PROGRESS, Progress
from kgrank.learning.validation import split


@dataclass(frozen=True)
class NetworkSettings:
    """How every network of a run is trained.

    Attributes:
        config: The network's block of the configuration.
        validation: What is held out for early stopping.
        seed: Seed of the initial weights, the batches and dropout.
    """

    config: PriorMeansConfig = field(default_factory=PriorMeansConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    seed: int = 0


@dataclass(frozen=True)
class NetworkFit:
    """A trained network.

    Attributes:
        part_worths: (columns,) its part-worths of each category.
        epochs: Epochs it was trained for.
        loss: Its best validation loss, where choices were held out and checkpoints were kept.
        interrupted: Whether Ctrl-C ended the training.
    """

    part_worths: Mapping[str, Floats]
    epochs: int
    loss: float | None
    interrupted: bool


@dataclass(frozen=True)
class NetworkPriorMeans:
    """Prior means by a network: a source in the sense of ``kgrank.learning.prior_means``.

    Attributes:
        settings: How networks are trained.
        logger: Lightning's logger; False for none.
        checkpoints: Folder for checkpoints.
        resume: A checkpoint to resume from.
    """

    settings: NetworkSettings
    logger: Logger | bool
    checkpoints: Path
    resume: Path | None

    @classmethod
    def of(cls, config: RunConfig) -> NetworkPriorMeans:
        """The source that a run's configuration describes; checks all that can be checked before any work.

        Raises:
            RunError: A trainer's option is wrong, a package is missing, or there is no such checkpoint.
        """
        out = Path(config.out)
        settings = network_settings(config)
        checkpoints = out / "checkpoints"
        resume = checkpoint_to_resume(settings.config.resume, checkpoints)
        logger = training_logger(settings.config.logger, out, "network.prior_means.logger")
        return cls(settings, logger, checkpoints, resume)

    def __call__(self, data: PriorMeanData, progress: Progress) -> PriorMeans:
        """Trains on all choices with early stopping, then for each fold of categories without their choices."""
        network = train(
            data,
            self.settings,
            logger=self.logger,
            checkpoints=self.checkpoints,
            resume=self.resume,
            progress=progress,
        )
        interrupted = network.interrupted
        with_choices: dict[str, Floats] = {}
        try:
            if not interrupted:
                for fold in train_by_fold(data, self.settings, max(network.epochs, 1), progress):
                    with_choices |= fold
        except KeyboardInterrupt:
            interrupts.acknowledge()
            interrupted, with_choices = True, {}
        return PriorMeans(
            network.part_worths, with_choices, validation_loss=network.loss, interrupted=interrupted
        )


def network_settings(config: RunConfig) -> NetworkSettings:
    """The settings of a run's network, the trainer's options checked; the defaults where it has none.

    Raises:
        RunError: A trainer's option is wrong.
    """
    ignore_library_warnings()
    network = config.prior_means or PriorMeansConfig()
    checked = replace(network, trainer=trainer_options(network.trainer))
    return NetworkSettings(checked, config.validation, config.seed)


def train(
    data: PriorMeanData,
    settings: NetworkSettings,
    *,
    hidden: frozenset[str] = frozenset(),
    epochs: int | None = None,
    logger: Logger | bool = False,
    checkpoints: Path | None = None,
    resume: Path | None = None,
    progress: Progress = NO_PROGRESS,
) -> NetworkFit:
    """Trains a network on the choices of the categories that are not hidden.

    Args:
        data: Graph and choices.
        settings: Size of the network, its training and what is held out.
        hidden: Categories whose choices, interactions and rules are left out.
        epochs: Exactly so many epochs on all choices; by default early stopping on the held-out ones decides.
        logger: Where the loss curves are written.
        checkpoints: Folder for checkpoints; None keeps none.
        resume: A checkpoint to resume from.
        progress: Receives each epoch.

    Raises:
        DivergedError: A part-worth is not finite.
    """
    config, seed = settings.config, settings.seed
    lightning.seed_everything(seed, workers=True, verbose=False)
    shown = {c: s for c, s in data.own_choices.items() if c not in hidden}
    model, rows = _model(data, config, hidden, list(shown.values()))
    validation = replace(settings.validation, share=0.0) if epochs else settings.validation
    held_out = split(rows, validation, seed)
    choice_data = ChoiceData(rows, config.batch_size, held_out, seed)
    rules: list[Callable[[torch.Tensor], torch.Tensor]] = [
        *penalties(data.ontology, model.where, list(shown)),
        *inheritances(data.ontology, model.where, list(shown)),
    ]
    module = ChoiceTraining(
        model, rules, len(choice_data.training), config, data.ontology.fingerprint, seed
    )  # fmt: skip
    best = None if checkpoints is None else best_checkpoint(checkpoints, monitored=bool(held_out.any()))
    label = f"epochs without {min(hidden)} …" if hidden else "epochs"
    callbacks: list[Callback] = [EpochProgress(progress, label), *([] if best is None else [best])]
    if held_out.any():
        callbacks.append(Patience("val_loss", patience=config.patience))
    options: dict[str, Any] = dict(config.trainer) | ({} if epochs is None else {"max_epochs": epochs})
    trainer = lightning_trainer(
        options, logger=logger, callbacks=callbacks, enable_checkpointing=checkpoints is not None
    )
    interrupted = fit(trainer, module, choice_data, resume)
    if best is not None and best.best_model_path:
        state = torch.load(best.best_model_path, map_location="cpu", weights_only=True)
        module.load_state_dict(state["state_dict"])
    module.cpu().eval()
    part_worths = _part_worths(model.network)
    loss = None if best is None or best.best_model_score is None else float(best.best_model_score)
    by_category = {x.category: part_worths[model.where.of(x.category)] for x in _layouts(data)}
    return NetworkFit(by_category, trainer.current_epoch, loss, interrupted)


def train_by_fold(
    data: PriorMeanData, settings: NetworkSettings, epochs: int, progress: Progress
) -> Iterator[dict[str, Floats]]:
    """Prior means of each fold's categories, from a network that saw none of their choices or rules.

    Raises:
        KeyboardInterrupt: The user stopped a fold: half a fold is no prior.
    """

    def without(hidden: frozenset[str]) -> Mapping[str, Floats]:
        network = train(data, settings, hidden=hidden, epochs=epochs, progress=progress)
        if network.interrupted:
            raise KeyboardInterrupt
        return network.part_worths

    return means_by_fold(data, settings.config.folds, without, progress)


def _part_worths(network: PartWorthNetwork) -> Floats:
    """(cells,) a trained network's part-worths; DivergedError where one is not finite."""
    with torch.no_grad():
        part_worths: Floats = network().double().numpy()
    if not np.isfinite(part_worths).all():
        raise DivergedError(
            "training diverged: a part-worth is not finite",
            where="network.prior_means.optimizer.lr",
            todo="Make it smaller.",
        )
    return part_worths


def _layouts(data: PriorMeanData) -> list[Layout]:
    """The columns of every category."""
    return [design.layout for design in data.evidence.designs.values()]


def _model(
    data: PriorMeanData, config: PriorMeansConfig, hidden: frozenset[str], shown: Sequence[CategoryChoices]
) -> tuple[ChoiceModel, ChoiceRows]:
    """The model before training, and the choices to train it on."""
    tensors = graph_tensors(data.graph, hidden)
    where = cells(_layouts(data), tensors)
    rows = choice_rows(shown, where)
    by_category = prior_means(data.evidence, hidden)
    means = np.concatenate([by_category.get(x.category, np.zeros(x.width)) for x in where.layouts])
    network = PartWorthNetwork(
        tensors,
        where,
        torch.from_numpy(means).float(),
        width=config.width,
        layers=config.layers,
        dropout=config.dropout,
        fanout=config.fanout if edge_count(tensors) > config.sample_above else None,
    )
    return ChoiceModel(network, where, rows), rows
