"""Posteriors of all categories without rules, stored with the weights, so that new rules can be evaluated.

Ranking never reads them. They are a JSON document of their own in the store, beside that of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kgrank.codec import DocumentError, decode, encode
from kgrank.errors import WeightsError
from kgrank.graph.store import GraphStore
from kgrank.ontology.model import AttributeType
from kgrank.resources import cypher
from kgrank.weights.artefact import open_sealed, seal
from kgrank.weights.model import LearnedWeights
from kgrank.weights.upgrade import posteriors_from_1

FORMAT = 2
"""Number of the document's format; it grows when a field changes its name or its meaning."""

_AGAIN = "Train again with `kgrank train`"


@dataclass(frozen=True)
class AttributeColumns:
    """The columns of one attribute, as ``kgrank.choice.data.design.Block`` has them."""

    attribute: str
    type: AttributeType
    nodes: tuple[str, ...]
    share: tuple[float, ...]
    item_count: tuple[int, ...]
    reference: tuple[bool, ...]
    centre: float
    scale: float
    p05: float
    p95: float
    minimum: float
    maximum: float


@dataclass(frozen=True)
class StoredPosterior:
    """The part-worths of one category from its choices alone, without its rules.

    Attributes:
        attributes: The columns, in their order.
        mean: Of the part-worths, one a column.
        covariance: Its lower triangle, row by row.
        prior_mean: Of the prior without rules, and its ``prior_deviation``.
        choice_count: Number of choices, and of ``person_count``.
        own_choices: Whether these choices count here and in no other category.
    """

    attributes: tuple[AttributeColumns, ...]
    mean: tuple[float, ...]
    covariance: tuple[float, ...]
    prior_mean: tuple[float, ...]
    prior_deviation: tuple[float, ...]
    choice_count: int
    person_count: int
    own_choices: bool


@dataclass(frozen=True)
class Posteriors:
    """The posteriors of all categories with choices, and which weights they belong to."""

    version: str
    ontology: str
    """Fingerprint of the ontology of these weights."""
    seed: int
    categories: Mapping[str, StoredPosterior]


def posteriors_document(posteriors: Posteriors) -> str:
    """The text that is kept with the weights.

    Raises:
        WeightsError: A number is NaN or infinite.
    """
    return seal(FORMAT, encode(posteriors), posteriors.version)


def posteriors_of(text: str, where: object = None) -> Posteriors:
    """The posteriors of a document.

    Raises:
        WeightsError: Not such a document, cut off, edited (the checksum differs) or of another format.
    """
    body = open_sealed(text, FORMAT, where, {1: posteriors_from_1})
    try:
        posteriors = decode(Posteriors, body)
    except DocumentError as error:
        location = f" at {error.path_text}" if error.path else ""
        raise WeightsError(f"{error.problem}{location}", where=where, todo=_AGAIN) from None
    for name, stored in posteriors.categories.items():
        width = sum(len(a.nodes) for a in stored.attributes)
        lengths = (
            len(stored.mean),
            len(stored.prior_mean),
            len(stored.prior_deviation),
            len(stored.covariance),
        )
        if lengths != (width, width, width, width * (width + 1) // 2):
            raise WeightsError(
                f"the posterior of {name} has {lengths} numbers",
                where=where,
                expected=f"{width} columns and half a square of them",
                todo=_AGAIN,
            )
    return posteriors


def served_posteriors(store: GraphStore, weights: LearnedWeights) -> Posteriors:
    """The posteriors behind the weights that a store serves.

    Raises:
        WeightsError: They were not kept, are damaged, or belong to other weights.
    """
    rows = store.query(cypher("rank/served_posteriors"))
    text = rows[0]["posteriors"] if rows else None
    where = f"{store.address}, weights {weights.version}"
    if not text:
        raise WeightsError(
            "these weights were written without the posteriors of their choices", where=where, todo=_AGAIN
        )
    posteriors = posteriors_of(text, where)
    if (posteriors.version, posteriors.ontology) != (weights.version, weights.ontology):
        raise WeightsError(
            f"the posteriors belong to weights {posteriors.version} with ontology {posteriors.ontology}",
            where=where,
            expected=f"those of {weights.version} with ontology {weights.ontology}",
            todo=_AGAIN,
        )
    return posteriors
