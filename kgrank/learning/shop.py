"""A shop as learning sees it: columns and choice sets of every category, and its people in one panel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.design import Design, Layout, category_design
from kgrank.choice.data.responses import ResponseLog, read_log
from kgrank.choice.importance import spreads
from kgrank.choice.logit.categories import CategoryFits
from kgrank.choice.logit.choice_sets import INSIDE, CategoryChoices, category_choices
from kgrank.choice.logit.feedback_scales import feedback_scales, weighted
from kgrank.choice.tastes.mixed_logit import Panel, join_panels, panel
from kgrank.errors import InputError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Ontology
from kgrank.weights.model import Reliability

MANY_TASTES = 100
"""Values up to which people have tastes of each: nobody's choices tell of thousands."""

SMALLEST_TASTE = 1e-3
"""In logits: an attribute without any effect still gets a proper prior."""


@dataclass(frozen=True)
class TrainingData:
    """Designs and choices of every category that has items; each kind of feedback in its own scale."""

    designs: Mapping[str, Design]
    sets: Mapping[str, CategoryChoices]
    own_choices: Mapping[str, CategoryChoices]
    log: ResponseLog
    reliability: Reliability


def read_training_data(
    graph: KnowledgeGraph, ontology: Ontology, seed: int, examination: Sequence[float] = ()
) -> TrainingData:
    """Columns and choice sets of all categories.

    Args:
        graph: Items and events.
        ontology: The category tree.
        seed: Of what is drawn.
        examination: Probability that each place is looked at, from the first on; estimated if empty.

    Raises:
        InputError: No category has a choice between items that differ.
    """
    log = read_log(graph, ontology, examination)
    designs = {c: category_design(graph, ontology, c) for c in ontology.categories}
    designs = {c: d for c, d in designs.items() if d.layout.width and d.items}
    sets, home = {}, {}
    own = set(log.heads["category"].drop_nulls()) | set(log.searches["category"])
    for category, design in designs.items():
        some = category_choices(log, design, ontology, seed)
        if len(some.choices):
            sets[category] = some
        if category in own:
            home[category] = some if not set(ontology.subtree(category)) - {category} else _only(
                log, some, ontology, seed
            )  # fmt: skip
    home = {c: s for c, s in home.items() if len(s.choices)}
    if not sets:
        raise InputError(
            "there is not one choice to learn from",
            where="events",
            expected="impressions with a view, cart or purchase, or purchases, rankings, ratings",
            todo="Load behaviour (events or choice tasks) beside the items.",
        )
    how = feedback_scales({c: s for c, s in sets.items() if ontology.categories[c].parent is None}, log.entry)
    scaled = {c: weighted(s, how) for c, s in sets.items()}
    # A category with none below it has its own choices alone, which are kept, and fitted, once.
    home = {c: scaled[c] if s is sets.get(c) else weighted(s, how) for c, s in home.items()}
    return TrainingData(designs, scaled, home, log, how)


def _only(log: ResponseLog, some: CategoryChoices, ontology: Ontology, seed: int) -> CategoryChoices:
    """Of a category's choices those whose lowest common category it is: those below it have other homes."""
    here = pl.col("category") == some.design.layout.category
    own = replace(log, heads=log.heads.filter(here), searches=log.searches.filter(here))
    return category_choices(own, some.design, ontology, seed, nuisance=some.nuisance)


def people_panel(
    home: Mapping[str, CategoryChoices], head: CategoryFits, persons: Ints | None = None
) -> tuple[tuple[str, ...], Panel, Ints]:
    """The choices of everyone in shared columns: AttributeValue ids, and the outside option.

    Returns:
        The columns' names, the panel, and (people,) their numbers in the log.
    """
    names = tuple(
        dict.fromkeys(n for s in home.values() for n in (*_tasted(s.design.layout), *_person_nuisance(s)))
    )
    at = {n: i for i, n in enumerate(names)}
    parts = []
    for category, some in home.items():
        columns = np.zeros((some.choices.width, len(names)))
        own = [*some.design.layout.nodes, *some.nuisance]
        for i, name in enumerate(own):
            if name in at:
                columns[i, at[name]] = 1.0
        parts.append(panel(some.choices, head.fits[category].part_worths, columns))
    return names, *join_panels(parts, persons)


def taste_scale(home: Mapping[str, CategoryChoices], head: CategoryFits, columns: Sequence[str]) -> Floats:
    """(columns,) range of each column's attribute for the average shopper, averaged over the categories.

    A number's is the rise over one unit of its column; the outside option's is 1.
    """
    total, times = np.zeros(len(columns)), np.zeros(len(columns))
    at = {n: i for i, n in enumerate(columns)}
    for category, some in home.items():
        layout, own = some.design.layout, head.fits[category].part_worths
        ranges = spreads(layout, own[: layout.width])
        for block, width in zip(layout.blocks, ranges, strict=True):
            for node in block.nodes:
                if node in at:
                    total[at[node]] += abs(own[block.start]) if block.number else width
                    times[at[node]] += 1
    return np.where(times > 0, np.maximum(total / np.maximum(times, 1), SMALLEST_TASTE), 1.0)


def _tasted(layout: Layout) -> Iterator[str]:
    """The nodes that people have tastes of: all, and of an attribute with many values those that count."""
    for block in layout.blocks:
        every = len(block.nodes) <= MANY_TASTES
        yield from (n for n, counts in zip(block.nodes, block.reference, strict=True) if every or counts)


def _person_nuisance(some: CategoryChoices) -> tuple[str, ...]:
    return tuple(n for n in some.nuisance if n == INSIDE)
