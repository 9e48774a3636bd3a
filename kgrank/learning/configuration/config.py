"""A run as values: what ``--config FILE`` and options on the command line fill in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from kgrank.errors import RunError
from kgrank.learning.liking.settings import LikingSettings


def _check(option: str, value: float, fine: bool, expected: str) -> None:
    if not fine:
        raise RunError(f"{option} is {value}", expected=expected)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What is learned from.

    Attributes:
        folder: Catalogue and behaviour files; read, cleaned and loaded into the store first.
        store: Address of the graph store: a file, bolt://… or neo4j://….
        ontology: Folder of Turtle files; inferred from the mapping where there is none.
        mapping: Mapping file for other column names.
        until: Leave out events after this time (ISO 8601, or the order of a log without a clock).
        examination: Probability that each position of a list is looked at, from the first on, the last for all
            deeper ones; by default estimated from the log.
    """

    store: str
    folder: str | None = None
    ontology: str | None = None
    mapping: str | None = None
    until: str | None = None
    examination: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        wrong = next((p for p in self.examination or () if not 0 < p <= 1), None)
        if wrong is not None:
            raise RunError(f"data.examination holds {wrong}", expected="probabilities above 0, up to 1")


@dataclass(frozen=True)
class OptimizerConfig:
    """The network's optimiser.

    Attributes:
        name: adam, adamw or sgd.
        lr: Learning rate.
        weight_decay: L2 on the network's weights.
        schedule: cosine, down to a tenth of the rate, or constant.
    """

    name: Literal["adam", "adamw", "sgd"] = "adamw"
    lr: float = 0.02
    weight_decay: float = 0.1
    schedule: Literal["cosine", "constant"] = "cosine"

    def __post_init__(self) -> None:
        _check("network.prior_means.optimizer.lr", self.lr, 0 < self.lr < float("inf"), "above 0")
        _check(
            "network.prior_means.optimizer.weight_decay",
            self.weight_decay,
            self.weight_decay >= 0,
            "0 or more",
        )


@dataclass(frozen=True, kw_only=True)
class PriorMeansConfig:
    """The heterogeneous network that corrects the prior means of categories, and its training.

    Attributes:
        width: Width of the embeddings.
        layers: Rounds of message passing.
        dropout: Share of hidden units dropped in training.
        fanout: Neighbours sampled for each node and edge type in a training step, where the graph is large.
        sample_above: Edges, each direction counted, above which the graph is large; below, all are used.
        deviation_precision: Precision of a part-worth's free deviation in joint training.
        free_epochs: Epochs before rules act.
        folds: Folds of categories, siblings together, for prior means that saw none of a category's choices.
        patience: Epochs without gain on the held-out choices before training stops.
        batch_size: Choices in a batch.
        logger: tensorboard, wandb or none.
        resume: A checkpoint to resume from; ``last`` is the newest in ``out``.
        optimizer: Optimiser and schedule.
        trainer: Arguments of lightning.Trainer (accelerator, max_epochs, precision …).
    """

    width: int = 16
    layers: int = 2
    dropout: float = 0.3
    fanout: int = 25
    sample_above: int = 4_000_000
    deviation_precision: float = 4.0
    free_epochs: int = 5
    folds: int = 3
    patience: int = 5
    batch_size: int = 4096
    logger: Literal["tensorboard", "wandb", "none"] = "tensorboard"
    resume: str | None = None
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    trainer: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        precision = self.deviation_precision
        _check("network.prior_means.width", self.width, self.width >= 1, "1 or more")
        _check("network.prior_means.layers", self.layers, self.layers >= 0, "0 or more")
        _check("network.prior_means.fanout", self.fanout, self.fanout >= 1, "1 or more")
        _check("network.prior_means.dropout", self.dropout, 0 <= self.dropout < 1, "from 0 to below 1")
        _check("network.prior_means.deviation_precision", precision, precision > 0, "above 0")
        _check("network.prior_means.folds", self.folds, self.folds >= 1, "1 or more")
        _check("network.prior_means.batch_size", self.batch_size, self.batch_size >= 1, "1 or more")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The network of people and items, over the graph of purchases.

    Attributes:
        width: Singular vectors of the graph.
        layers: Rounds of messages that get a weight, the graph without a round counted.
        decoded: Coordinates of a person that a category's decoder reads; 0 for no decoders.
        ridge: Precision of the decoders' weights, for coordinates of variance 1.
        precision: Precision of the weights of layers and relations, for terms of variance 1.
        sample_above: Pairs of a person and an item that was bought above which people are drawn at random, so that
            about so many pairs are left; fewer are drawn where these do not fit into memory.
        accelerator: Lightning's accelerator: auto, cpu, gpu ….
        logger: What the stages' records are also written to, below ``out``: tensorboard, wandb or none.
        prior_means: The network that corrects the prior means of categories; off where none of its options is set.
    """

    width: int = LikingSettings.width
    layers: int = LikingSettings.layers
    decoded: int = LikingSettings.decoded
    ridge: float = LikingSettings.ridge
    precision: float = LikingSettings.precision
    sample_above: int = 20_000_000
    accelerator: str = LikingSettings.accelerator
    logger: Literal["tensorboard", "wandb", "none"] = "none"
    prior_means: PriorMeansConfig | None = None

    def __post_init__(self) -> None:
        _check("network.width", self.width, self.width >= 1, "1 or more")
        _check("network.layers", self.layers, self.layers >= 1, "1 or more")
        _check("network.decoded", self.decoded, self.decoded >= 0, "0 or more")
        _check("network.ridge", self.ridge, self.ridge > 0, "above 0")
        _check("network.precision", self.precision, self.precision > 0, "above 0")
        _check("network.sample_above", self.sample_above, self.sample_above >= 1, "1 or more")


@dataclass(frozen=True)
class ValidationConfig:
    """The choices held out for a run's own metrics, and for the network's early stopping.

    Attributes:
        share: Share of the choices (by time) or of the people.
        by: ``time`` (the last) or ``person``.
    """

    share: float = 0.1
    by: Literal["time", "person"] = "time"

    def __post_init__(self) -> None:
        _check("validation.share", self.share, 0 <= self.share < 1, "from 0 to below 1")


@dataclass(frozen=True)
class PrivacyConfig:
    """What is given out of counts of what few people did.

    Attributes:
        fewest_people: A co-occurrence (bought one after another, viewed together) that rests on fewer different
            people is never shown or given out; 1 shows all.
        few_in_scores: Whether such a co-occurrence counts in scores; false leaves it out of the weights too.
    """

    fewest_people: int = 3
    few_in_scores: bool = True

    def __post_init__(self) -> None:
        _check("privacy.fewest_people", self.fewest_people, self.fewest_people >= 1, "1 or more")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One training run.

    Attributes:
        data: What is learned from.
        out: Folder for weights, the resolved configuration, and the networks' vectors, checkpoints and logs.
        people: Whether people's own tastes are estimated.
        validation: What is held out.
        privacy: What is given out of counts of few people.
        network: The network of people and items, where there are enough people; None trains none.
        seed: Seed of everything that is drawn.
    """

    data: DataConfig
    out: str
    people: bool = True
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    network: NetworkConfig | None = field(default_factory=NetworkConfig)
    seed: int = 0

    @property
    def prior_means(self) -> PriorMeansConfig | None:
        """The network that corrects the prior means; None takes the closed form."""
        return None if self.network is None else self.network.prior_means

    def document(self) -> dict[str, Any]:
        """The configuration as plain values for YAML or JSON; reading it gives the same run."""
        values = asdict(self)
        if self.data.examination is not None:
            values["data"]["examination"] = list(self.data.examination)
        if self.network is None:
            return values | {"network": "off"}
        if self.network == NetworkConfig():
            return values | {"network": "auto"}
        if self.network.prior_means is None:
            values["network"]["prior_means"] = "off"
        return values
