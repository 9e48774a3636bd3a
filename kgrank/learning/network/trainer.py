"""Lightning's trainer: its options, its logger, checkpoints to resume from, and a fit that Ctrl-C can stop."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import lightning
from jsonargparse import ArgumentError, ArgumentParser
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger

from kgrank import interrupts
from kgrank.errors import RunError, did_you_mean
from kgrank.learning.configuration.extras import require
from kgrank.learning.reporting.progress import Progress

EPOCHS = 40

SET_BY_THE_RUN = {
    "logger",
    "callbacks",
    "enable_checkpointing",
    "enable_model_summary",
    "enable_progress_bar",
    "num_sanity_val_steps",
}
"""Trainer arguments that the run sets itself."""

PRECISIONS = ("32", "32-true", "16-mixed", "bf16-mixed", "16", "bf16")
"""Sparse products are in single precision, so weights must be."""


def trainer_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of ``network.prior_means.trainer``, checked against the types of Lightning's arguments.

    Raises:
        RunError: No such option, a wrong type, or a value that Lightning refuses.
    """
    known = set(inspect.signature(lightning.Trainer).parameters) - SET_BY_THE_RUN
    for name in options:
        if name in SET_BY_THE_RUN:
            raise RunError(
                f"network.prior_means.trainer.{name} is set by the run itself",
                todo="Leave it out of the configuration.",
            )
        if name not in known:
            raise RunError(
                f"there is no option network.prior_means.trainer.{name}",
                todo=did_you_mean(
                    f"network.prior_means.trainer.{name}", [f"network.prior_means.trainer.{n}" for n in known]
                ),
            )
    precision = options.get("precision")
    if precision is not None and str(precision) not in PRECISIONS:
        raise RunError(
            f"network.prior_means.trainer.precision is {precision}",
            expected=" or ".join(PRECISIONS),
            todo="Use one of them.",
        )
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(lightning.Trainer, skip=SET_BY_THE_RUN, instantiate=False)
    try:
        parsed = parser.parse_object(dict(options))
    except ArgumentError as error:
        raise RunError(" ".join(str(error).split()), where="network.prior_means.trainer") from None
    typed = {name: parsed[name] for name in options}
    lightning_trainer(typed, logger=False, enable_checkpointing=False)
    return typed


def lightning_trainer(options: Mapping[str, Any], **set_by_the_run: Any) -> lightning.Trainer:
    """A trainer with the run's own arguments and those of the configuration.

    Raises:
        RunError: Lightning refuses an option.
    """
    defaults = {"max_epochs": EPOCHS, "log_every_n_steps": 10, "deterministic": "warn"}
    try:
        return lightning.Trainer(
            **set_by_the_run,
            enable_model_summary=False,
            enable_progress_bar=False,
            num_sanity_val_steps=0,
            **{**defaults, **options},
        )
    except (ValueError, TypeError, MisconfigurationException) as error:
        raise RunError(
            str(error), where="network.prior_means.trainer", todo="Change the trainer's options."
        ) from None


def training_logger(name: str, out: Path, option: str = "network.logger") -> Logger | bool:
    """The logger of that name, which writes below ``out``; False for none.

    Args:
        name: tensorboard, wandb or none.
        out: Folder of the run.
        option: The option that names it.

    Raises:
        RunError: Its package is not installed.
    """
    if name == "none":
        return False
    if name == "wandb":
        require("wandb", ("wandb",), f"{option}: wandb")
        return WandbLogger(project="kgrank", name=out.name, save_dir=str(out))
    require("network", ("tensorboard",), f"{option}: tensorboard")
    return TensorBoardLogger(out, name="logs")


def checkpoint_to_resume(resume: str | None, checkpoints: Path) -> Path | None:
    """The checkpoint that ``network.prior_means.resume`` names.

    Raises:
        RunError: There is no such file.
    """
    if resume is None:
        return None
    path = checkpoints / "last.ckpt" if resume == "last" else Path(resume)
    if not path.is_file():
        raise RunError(
            "there is no such checkpoint",
            where=path,
            todo="Train without network.prior_means.resume, or name a .ckpt file.",
        )
    return path


def best_checkpoint(folder: Path, *, monitored: bool) -> ModelCheckpoint:
    """Keeps the best epoch where choices are held out, else the newest; and the last one, to resume from."""
    return ModelCheckpoint(
        folder,
        filename="best",
        monitor="val_loss" if monitored else None,
        save_last=True,
        enable_version_counter=False,
    )


class EpochProgress(Callback):
    """Reports finished epochs as steps."""

    def __init__(self, progress: Progress, name: str) -> None:
        self.progress, self.name = progress, name

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """One step more, where the number of epochs is limited."""
        if trainer.max_epochs is not None and trainer.max_epochs > 0:
            self.progress.step(self.name, trainer.current_epoch + 1, trainer.max_epochs)


def fit(
    trainer: lightning.Trainer,
    module: lightning.LightningModule,
    data: lightning.LightningDataModule,
    resume: Path | None,
) -> bool:
    """Fits the module; True if the user stopped it, and then the best checkpoint so far stays.

    Raises:
        RunError: The checkpoint is damaged, or of another model.
    """
    try:
        trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True if resume else None)
    except SystemExit:
        # Lightning turns Ctrl-C into an exit of the process after an orderly stop.
        if not trainer.interrupted:
            raise
        interrupts.acknowledge()
        return True
    except (UnpicklingError, EOFError):
        raise RunError(
            "this is no checkpoint, or half of one",
            where=resume,
            todo="Train without network.prior_means.resume.",
        ) from None
    except RuntimeError as error:
        if resume is not None and "state_dict" in str(error):
            raise RunError(
                "the checkpoint belongs to another model",
                where=resume,
                expected="a checkpoint of this graph, ontology and network configuration",
                todo="Train without network.prior_means.resume, or give the configuration it was made with.",
            ) from error
        raise
    return bool(trainer.interrupted)
