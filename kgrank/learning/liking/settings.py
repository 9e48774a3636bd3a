"""Size of the network of people and items."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LikingSettings:
    """Size of the model.

    Attributes:
        width: Singular vectors.
        layers: Rounds of messages that get a weight, the graph without a round counted.
        decoded: Coordinates of a person that the decoders read; 0 for no decoders.
        ridge: Precision of the decoders' weights, for coordinates of variance 1.
        precision: Of the weights of the terms beside, for terms of variance 1.
        accelerator: Lightning's: auto, cpu, gpu ….
        seed: Of the start of the subspace iteration.
    """

    width: int = 32
    layers: int = 3
    decoded: int = 24
    ridge: float = 100.0
    precision: float = 0.1
    accelerator: str = "auto"
    seed: int = 0
