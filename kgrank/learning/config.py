"""A run as values: what ``--config FILE`` and overrides on the command line fill in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from kgrank.errors import RunError


def _check(option: str, value: float, fine: bool, expected: str) -> None:
    if not fine:
        raise RunError(f"{option} is {value}", expected=expected)


@dataclass(frozen=True)
class DataConfig:
    """What is learned from.

    Attributes:
        folder: Catalogue and behaviour files; read, cleaned and loaded into the store first.
        store: Address of the graph store: a file, bolt://… or neo4j://….
        ontology: Folder of Turtle files; inferred from the mapping where there is none.
        mapping: Mapping file for other column names.
        until: Leave out events after this time (ISO 8601, or the order of a log without a clock).
        examination: Probability that each place of a list is looked at, from the first on, the last for all
            deeper ones; by default estimated from the log.
    """

    store: str
    folder: str | None = None
    ontology: str | None = None
    mapping: str | None = None
    until: str | None = None
    examination: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        odd = next((p for p in self.examination or () if not 0 < p <= 1), None)
        if odd is not None:
            raise RunError(f"data.examination holds {odd}", expected="probabilities above 0, up to 1")


@dataclass(frozen=True)
class ModelConfig:
    """The network and the priors.

    Attributes:
        network: Whether a heterogeneous network corrects the prior means that the graph gives without one.
        width: Width of the embeddings.
        layers: Rounds of message passing.
        dropout: Share of hidden units dropped.
        fanout: Neighbours that a node hears from in a training step, by edge type, where the graph is large.
        sample_above: Edges, each way counted, above which it is large; below, all neighbours are heard.
        deviation_precision: Precision of a part-worth's free deviation in joint training.
        free_epochs: Epochs before rules act.
        folds: Folds of categories, siblings together, for prior means that saw none of a category's choices.
        people: Whether people's own tastes are estimated.
    """

    network: bool = False
    width: int = 16
    layers: int = 2
    dropout: float = 0.3
    fanout: int = 25
    sample_above: int = 4_000_000
    deviation_precision: float = 4.0
    free_epochs: int = 5
    folds: int = 3
    people: bool = True

    def __post_init__(self) -> None:
        _check("model.width", self.width, self.width >= 1, "1 or more")
        _check("model.fanout", self.fanout, self.fanout >= 1, "1 or more")
        _check("model.dropout", self.dropout, 0 <= self.dropout < 1, "from 0 to below 1")
        _check("model.deviation_precision", self.deviation_precision, self.deviation_precision > 0, "above 0")
        _check("model.folds", self.folds, self.folds >= 1, "1 or more")


@dataclass(frozen=True)
class OptimizerConfig:
    """The network's optimiser.

    Attributes:
        name: ``adam``, ``adamw`` or ``sgd``.
        lr: Learning rate.
        weight_decay: L2 on the network.
        schedule: ``cosine``, down to a tenth of the rate, or ``constant``.
    """

    name: Literal["adam", "adamw", "sgd"] = "adamw"
    lr: float = 0.02
    weight_decay: float = 0.1
    schedule: Literal["cosine", "constant"] = "cosine"

    def __post_init__(self) -> None:
        _check("optimizer.lr", self.lr, 0 < self.lr < float("inf"), "above 0")
        _check("optimizer.weight_decay", self.weight_decay, self.weight_decay >= 0, "0 or more")


@dataclass(frozen=True)
class ValidationConfig:
    """What is held out for early stopping and for the run's own metrics.

    Attributes:
        share: Share of the choices (by time) or of the people.
        by: ``time`` (the last) or ``person``.
        patience: Epochs without gain before training stops.
    """

    share: float = 0.1
    by: Literal["time", "person"] = "time"
    patience: int = 5

    def __post_init__(self) -> None:
        _check("validation.share", self.share, 0 <= self.share < 1, "from 0 to below 1")


@dataclass(frozen=True)
class RunConfig:
    """One training run.

    Attributes:
        data: What is learned from.
        out: Folder for weights, checkpoints, logs and the resolved configuration.
        model: Network and priors.
        optimizer: Optimiser and schedule.
        validation: What is held out.
        trainer: Arguments of lightning.Trainer (accelerator, max_epochs, logger, precision …).
        batch_size: Choices a batch.
        logger: tensorboard, wandb or none.
        resume: A checkpoint to go on from; ``last`` is the newest in ``out``.
        seed: Seed of everything.
    """

    data: DataConfig
    out: str
    model: ModelConfig = field(default_factory=ModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    trainer: dict[str, Any] = field(default_factory=dict)
    batch_size: int = 4096
    logger: Literal["tensorboard", "wandb", "none"] = "tensorboard"
    resume: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _check("batch_size", self.batch_size, self.batch_size >= 1, "1 or more")
