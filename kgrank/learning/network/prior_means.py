"""Prior means corrected by the network, by cross-fitting: no category's own choices stand behind its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import lightning
import numpy as np
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import Logger

from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout
from kgrank.choice.hierarchy.prior_means import PriorEvidence, prior_means
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.errors import RunError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.config import RunConfig
from kgrank.learning.network.model import ChoiceModel, PartWorthNetwork
from kgrank.learning.network.penalties import inheritances, penalties
from kgrank.learning.network.sampling import edge_count
from kgrank.learning.network.tensors import ChoiceRows, cells, choice_rows, graph_tensors
from kgrank.learning.network.training import ChoiceData, ChoiceTraining, Patience
from kgrank.learning.validation import split
from kgrank.ontology.model import Ontology

EPOCHS = 40

PRECISIONS = ("32", "32-true", "16-mixed", "bf16-mixed", "16", "bf16")
"""Sparse products are in single precision, so weights must be."""


class DivergedError(RunError):
    """Training left the finite numbers."""


@dataclass(frozen=True)
class NetworkFit:
    """What a trained network says of each category's part-worths, and how its training went."""

    part_worths: Mapping[str, Floats]
    epochs: int
    loss: float | None
    interrupted: bool


@dataclass(frozen=True)
class NetworkData:
    """What every network of a run is trained on."""

    graph: KnowledgeGraph
    ontology: Ontology
    evidence: PriorEvidence
    own_choices: Mapping[str, CategoryChoices]
    config: RunConfig

    @property
    def layouts(self) -> list[Layout]:
        """The columns of every category."""
        return [d.layout for d in self.evidence.designs.values()]


def train(
    data: NetworkData,
    *,
    hidden: frozenset[str] = frozenset(),
    epochs: int | None = None,
    logger: Logger | bool = False,
    checkpoints: Path | None = None,
    resume: Path | None = None,
) -> NetworkFit:
    """Trains a network on the choices of the categories that are not hidden.

    Args:
        data: Graph, choices and configuration.
        hidden: Categories whose choices, interactions and rules are left out.
        epochs: Exactly so many epochs on all choices; by default early stopping on the held-out ones decides.
        logger: Where the curves go.
        checkpoints: Folder for checkpoints; None keeps none.
        resume: A checkpoint to go on from.

    Raises:
        DivergedError: A part-worth is not finite.
    """
    config = data.config
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    shown = {c: s for c, s in data.own_choices.items() if c not in hidden}
    model, rows = _model(data, hidden, list(shown.values()))
    network, where = model.network, model.where
    how = replace(config.validation, share=0.0) if epochs else config.validation
    held_out = split(rows, how, config.seed)
    choice_data = ChoiceData(rows, config.batch_size, held_out, config.seed)
    rules: list[Callable[[torch.Tensor], torch.Tensor]] = [
        *penalties(data.ontology, where, list(shown)),
        *inheritances(data.ontology, where, list(shown)),
    ]
    module = ChoiceTraining(
        model,
        rules,
        len(choice_data.training),
        config.model,
        config.optimizer,
        data.ontology.fingerprint,
        config.seed,
    )
    best = None if checkpoints is None else _best(checkpoints, monitored=bool(held_out.any()))
    callbacks: list[Callback] = [] if best is None else [best]
    if held_out.any():
        callbacks.append(Patience("val_loss", patience=config.validation.patience))
    options: dict[str, Any] = {"max_epochs": EPOCHS, "log_every_n_steps": 10, **config.trainer}
    if epochs is not None:
        options |= {"max_epochs": epochs, "enable_progress_bar": False}
    trainer = _trainer(
        options, logger=logger, callbacks=callbacks, enable_checkpointing=checkpoints is not None
    )
    interrupted = _fit(trainer, module, choice_data, resume)
    if best is not None and best.best_model_path:
        state = torch.load(best.best_model_path, map_location="cpu", weights_only=True)
        module.load_state_dict(state["state_dict"])
    module.cpu().eval()
    said = _part_worths(network)
    loss = None if best is None or best.best_model_score is None else float(best.best_model_score)
    return NetworkFit(
        {one.category: said[where.of(one.category)] for one in data.layouts},
        trainer.current_epoch,
        loss,
        interrupted,
    )


def _part_worths(network: PartWorthNetwork) -> Floats:
    """(cells,) what a trained network says of each part-worth; DivergedError where that is no number."""
    with torch.no_grad():
        said: Floats = network().double().numpy()
    if not np.isfinite(said).all():
        raise DivergedError(
            "training diverged: a part-worth is not finite", where="optimizer.lr", todo="Make it smaller."
        )
    return said


def _model(
    what: NetworkData, hidden: frozenset[str], shown: Sequence[CategoryChoices]
) -> tuple[ChoiceModel, ChoiceRows]:
    """The model before training, and the choices to train it on."""
    tensors = graph_tensors(what.graph, hidden)
    where = cells(what.layouts, tensors)
    rows = choice_rows(shown, where)
    said = prior_means(what.evidence, hidden)
    means = np.concatenate([said.get(one.category, np.zeros(one.width)) for one in where.layouts])
    size = what.config.model
    network = PartWorthNetwork(
        tensors,
        where,
        torch.from_numpy(means).float(),
        size.width,
        size.layers,
        size.dropout,
        size.fanout if edge_count(tensors) > size.sample_above else None,
    )
    return ChoiceModel(network, where, rows), rows


def _best(folder: Path, *, monitored: bool) -> ModelCheckpoint:
    """Keeps the best epoch where something is held out, else the newest; and the last, to go on from."""
    return ModelCheckpoint(
        folder,
        filename="best",
        monitor="val_loss" if monitored else None,
        save_last=True,
        enable_version_counter=False,
    )


def _trainer(options: dict[str, Any], **own: Any) -> lightning.Trainer:
    """Lightning's trainer with the run's own arguments and those of the configuration."""
    precision = options.get("precision")
    if precision is not None and str(precision) not in PRECISIONS:
        raise RunError(
            f"trainer.precision is {precision}", expected=" or ".join(PRECISIONS), todo="Use one of them."
        )
    try:
        return lightning.Trainer(
            **own, enable_model_summary=False, num_sanity_val_steps=0, **{"deterministic": "warn", **options}
        )
    except (ValueError, TypeError, MisconfigurationException) as error:
        raise RunError(str(error), where="trainer", todo="Change the trainer's options.") from None


def _fit(trainer: lightning.Trainer, module: ChoiceTraining, data: ChoiceData, resume: Path | None) -> bool:
    """Fits; True if the user stopped it (the best checkpoint so far stays)."""
    try:
        trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True if resume else None)
    except SystemExit:
        # Lightning turns Ctrl-C into an exit of the process after an orderly stop.
        if not trainer.interrupted:
            raise
        return True
    except (UnpicklingError, EOFError):
        raise RunError(
            "this is no checkpoint, or half of one", where=resume, todo="Train without --resume."
        ) from None
    except RuntimeError as error:
        if resume is not None and "state_dict" in str(error):
            raise RunError(
                "the checkpoint belongs to another model",
                where=resume,
                expected="a checkpoint of this graph, ontology and model configuration",
                todo="Train without --resume, or give the configuration it was made with.",
            ) from error
        raise
    return bool(trainer.interrupted)


def folds(ontology: Ontology, home: Sequence[str], count: int) -> list[frozenset[str]]:
    """Categories in folds, siblings together; where all are siblings, they are dealt out one by one."""
    families: dict[str, list[str]] = {}
    for category in home:
        families.setdefault(ontology.categories[category].parent or category, []).append(category)
    groups = list(families.values()) if len(families) > 1 else [[c] for c in home]
    parts: list[list[str]] = [[] for _ in range(min(count, len(groups)))]
    for group in sorted(groups, key=len, reverse=True):
        min(parts, key=len).extend(group)
    return [frozenset(p) for p in parts]


def cross_fitted(data: NetworkData, epochs: int, report: Callable[[str], None]) -> dict[str, Floats]:
    """Prior means of all categories that have one, fold after fold (see ``fold_by_fold``)."""
    return {c: mean for found in fold_by_fold(data, epochs, report) for c, mean in found.items()}


def fold_by_fold(
    data: NetworkData, epochs: int, report: Callable[[str], None]
) -> Iterator[dict[str, Floats]]:
    """Prior means of a fold's categories, from a network that saw none of their choices or rules, or from none.

    A category whose choices come from more than one fold (a high one) has no such network, and no prior mean;
    with a single category there is none at all.

    Raises:
        KeyboardInterrupt: The user stopped a fold: half a fold is no prior.
    """
    parts = folds(data.ontology, list(data.own_choices), data.config.model.folds)
    if len(parts) < 2:
        return
    means: Mapping[str, Floats] = {} if data.config.model.network else prior_means(data.evidence)
    for turn, hidden in enumerate(parts):
        names = ", ".join(sorted(hidden)[:5]) + (f" and {len(hidden) - 5} more" if len(hidden) > 5 else "")
        report(f"prior means, fold {turn + 1} of {len(parts)}: without {names}")
        if data.config.model.network:
            fit = train(data, hidden=hidden, epochs=epochs)
            if fit.interrupted:
                raise KeyboardInterrupt
            means = fit.part_worths
        yield {
            layout.category: np.asarray(means[layout.category])
            for layout in data.layouts
            if _only_below(data, layout.category, hidden)
        }


def _only_below(what: NetworkData, category: str, hidden: frozenset[str]) -> bool:
    """Whether all choices of a category come from the hidden ones."""
    below = {c for c in what.ontology.subtree(category) if c in what.own_choices}
    return bool(below) and below <= hidden
