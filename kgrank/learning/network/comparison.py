"""Whether the network earns its place: held-out choices with it, without it, and with its edges shuffled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from kgrank.choice.logit.metrics import mean_and_error
from kgrank.learning.liking.enough import too_small
from kgrank.learning.liking.later_choices import LaterChoices
from kgrank.learning.liking.settings import LikingSettings
from kgrank.learning.network.device import device_of
from kgrank.learning.network.liking import Liking, train_liking, without_graph
from kgrank.learning.network.purchase_graph import PurchaseGraph

ERRORS = 2.0
"""Standard errors by which it must win."""


@dataclass(frozen=True)
class Comparison:
    """What held-out choices say of the network.

    Attributes:
        liking: The network; None where it was not trained.
        gain: Mean log-likelihood a choice over the same model without the network.
        error: Its standard error, clustered by person.
        shuffled: The gain of a network whose persons' histories are dealt out among them.
        serves: Whether the network wins over both, by two standard errors.
        sentence: What it brought, in one line.
    """

    liking: Liking | None
    gain: float
    error: float
    shuffled: float
    serves: bool
    sentence: str


def compare(
    graph: PurchaseGraph,
    weights: LaterChoices,
    held_out: LaterChoices,
    settings: LikingSettings,
    device: torch.device | None = None,
) -> Comparison:
    """Trains the network with and without its edges shuffled, and compares them on held-out choices.

    Args:
        graph: Purchases before the choices.
        weights: Choices that the weights are learned on.
        held_out: Choices after these.
        settings: Of the network; its seed also shuffles.
        device: Of every stage; by default the one that Lightning's accelerator names.
    """
    later = [len(np.unique(part.choices.person)) for part in (weights, held_out)]
    reason = too_small(graph.person, graph.item, graph.category, later)
    if reason is not None:
        return Comparison(None, 0.0, 0.0, 0.0, False, f"the network stays out: {reason}")
    without = without_graph(graph, weights, settings).log_likelihoods(graph, held_out)
    device = device or device_of(settings.accelerator)
    liking = train_liking(graph, weights, settings, device)
    dealt = _shuffled(graph, settings.seed)
    twin = train_liking(dealt, weights, settings, device).log_likelihoods(dealt, held_out)
    likelihood = liking.log_likelihoods(graph, held_out)
    if not np.isfinite(likelihood).all():
        return Comparison(None, 0.0, 0.0, 0.0, False, "the network stays out: its scores are not all numbers")
    gain, error = mean_and_error(likelihood - without, held_out.choices.person)
    over_twin, twin_error = mean_and_error(likelihood - twin, held_out.choices.person)
    serves = gain > ERRORS * error and over_twin > ERRORS * twin_error
    shuffled = float((twin - without).mean())
    figures = f"{gain:+.4f} ± {error:.4f} log-likelihood a choice ({shuffled:+.4f} with shuffled people)"
    state = "serves" if serves else "stays out"
    return Comparison(liking, gain, error, shuffled, serves, f"the network {state}: {figures}")


def _shuffled(graph: PurchaseGraph, seed: int) -> PurchaseGraph:
    """The graph with the histories dealt out among the persons."""
    person = np.random.default_rng(seed).permutation(graph.persons)[graph.person]
    order = np.argsort(person, kind="stable")
    return replace(graph, person=person[order], item=graph.item[order], count=graph.count[order])
