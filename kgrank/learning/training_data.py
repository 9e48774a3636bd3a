"""Training data of a shop: columns and choice sets of every category, and its people in one panel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.by_category import TablesByCategory
from kgrank.choice.data.design import Design, Layout, category_design
from kgrank.choice.data.memberships import Memberships, memberships
from kgrank.choice.data.responses import ResponseLog, read_log
from kgrank.choice.importance import spreads
from kgrank.choice.logit.categories import CategoryFits
from kgrank.choice.logit.choice_sets import ENOUGH, INSIDE, SAMPLED, CategoryChoices, category_choices
from kgrank.choice.logit.feedback_scales import feedback_scales, weighted
from kgrank.choice.rules.author_reliability import applicable_statements
from kgrank.choice.steps import Steps, told, untold
from kgrank.choice.tastes.mixed_logit import Panel, join_panels, panel_by_person
from kgrank.choice.tastes.shared_columns import column_map
from kgrank.errors import InputError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.memory import TrainingSize, available_memory, require_memory
from kgrank.ontology.model import Ontology
from kgrank.weights.model import Reliability

MANY_TASTES = 100
"""Values of an attribute up to which each has a taste of its own: no person's choices determine thousands."""

SMALLEST_TASTE = 1e-3
"""In logits: an attribute without any effect still gets a proper prior."""


@dataclass(frozen=True)
class TrainingData:
    """Designs and choices of every category that has items.

    Attributes:
        designs: Columns of every category with items.
        sets: Choices among the items of a category and all below it, weighted by the scale of their feedback.
        own_choices: Of those the choices whose lowest common category it is.
        log: The responses that they are from, without their alternatives.
        reliability: The scale of each kind of feedback.
        memberships: Who of its people is in which segment.
    """

    designs: Mapping[str, Design]
    sets: Mapping[str, CategoryChoices]
    own_choices: Mapping[str, CategoryChoices]
    log: ResponseLog
    reliability: Reliability
    memberships: Memberships


def read_training_data(
    graph: KnowledgeGraph,
    ontology: Ontology,
    seed: int,
    examination: Sequence[float] = (),
    steps: Steps = untold,
) -> TrainingData:
    """Columns and choice sets of all categories.

    Args:
        graph: Items and events.
        ontology: The category tree.
        seed: Seed of the sampled alternatives.
        examination: Probability that each position is looked at, from the first on; estimated if empty.
        steps: Told of each category.

    Raises:
        InputError: No category has a choice between items that differ.
        RunError: The training does not fit into memory.
    """
    log = read_log(graph, ontology, examination)
    tables = TablesByCategory.of(graph, log, ontology)
    designs = {c: category_design(tables.graph_of(c), ontology, c) for c in ontology.categories}
    designs = {c: d for c, d in designs.items() if d.layout.width and d.items}
    require_memory(_size(tables, designs), available_memory())
    sets, own_choices = {}, {}
    with_own = set(log.heads["category"].drop_nulls()) | set(log.searches["category"])
    for category, design in told(designs.items(), steps):
        choices = category_choices(tables.log_of(category), design, ontology, seed)
        if len(choices.choices):
            sets[category] = choices
        if category in with_own:
            leaf = set(ontology.subtree(category)) == {category}
            own_choices[category] = choices if leaf else _own_choices(tables, choices, ontology, seed)
    own_choices = {c: s for c, s in own_choices.items() if len(s.choices)}
    if not sets:
        raise InputError(
            "there is not one choice to learn from",
            where="events",
            expected="impressions with a view, cart or purchase, or purchases, rankings, ratings",
            todo="Load behaviour (events or choice tasks) beside the items.",
        )
    top = {c: s for c, s in sets.items() if ontology.categories[c].parent is None}
    reliability = feedback_scales(top, log.entry)
    scaled = {c: weighted(s, reliability) for c, s in sets.items()}
    # A category with none below it has only its own choices; they are stored, and fitted, once.
    own_choices = {
        c: scaled[c] if s is sets.get(c) else weighted(s, reliability) for c, s in own_choices.items()
    }
    # The choice sets have the alternatives now: a second table of millions of them is of no use.
    heads = replace(log, rows=log.rows.clear())
    return TrainingData(designs, scaled, own_choices, heads, reliability, memberships(graph, log.users))


def _size(tables: TablesByCategory, designs: Mapping[str, Design]) -> TrainingSize:
    """What is known of the memory of a training before its choice sets are built."""
    ontology, log = tables.ontology, tables.log
    alternatives = sum(tables.alternatives(c, SAMPLED, ENOUGH) for c in designs)
    ruled = applicable_statements(ontology, {c: d.layout for c, d in designs.items()})
    return TrainingSize(
        choices=len(log.heads),
        alternatives=alternatives,
        columns={c: d.layout.width for c, d in designs.items()},
        ruled=frozenset(ruled),
    )


def _own_choices(
    tables: TablesByCategory, choices: CategoryChoices, ontology: Ontology, seed: int
) -> CategoryChoices:
    """Of a category's choices those whose lowest common category it is."""
    category = choices.design.layout.category
    in_category, log = pl.col("category") == category, tables.log_of(category)
    own_log = replace(log, heads=log.heads.filter(in_category), searches=log.searches.filter(in_category))
    return category_choices(own_log, choices.design, ontology, seed, nuisance=choices.nuisance)


def people_panel(
    own_choices: Mapping[str, CategoryChoices], category_fits: CategoryFits, persons: Ints | None = None
) -> tuple[tuple[str, ...], Panel, Ints]:
    """The choices of everyone in shared columns: AttributeValue ids, and the outside option.

    Returns:
        The columns' names, the panel, and (people,) their numbers in the log.
    """
    names = _taste_columns(own_choices)
    panels = []
    for category, choices in own_choices.items():
        columns = column_map(choices.design.layout, choices.nuisance, names)
        panels.append(panel_by_person(choices.choices, category_fits.fits[category].part_worths, columns))
    return names, *join_panels(panels, persons)


def taste_count(own_choices: Mapping[str, CategoryChoices]) -> int:
    """Number of columns in which everyone's tastes would be estimated together."""
    return len(_taste_columns(own_choices))


def _taste_columns(own_choices: Mapping[str, CategoryChoices]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            name
            for choices in own_choices.values()
            for name in (*_taste_nodes(choices.design.layout), *_person_nuisance(choices))
        )
    )


def taste_scale(
    own_choices: Mapping[str, CategoryChoices], category_fits: CategoryFits, columns: Sequence[str]
) -> Floats:
    """(columns,) range of each column's attribute for the average shopper, averaged over the categories.

    A number's is the rise over one unit of its column; the outside option's is 1.
    """
    total, count = np.zeros(len(columns)), np.zeros(len(columns))
    index_of = {name: index for index, name in enumerate(columns)}
    for category, choices in own_choices.items():
        layout, part_worths = choices.design.layout, category_fits.fits[category].part_worths
        ranges = spreads(layout, part_worths[: layout.width])
        for block, range_ in zip(layout.blocks, ranges, strict=True):
            for node in block.nodes:
                if node in index_of:
                    total[index_of[node]] += abs(part_worths[block.start]) if block.number else range_
                    count[index_of[node]] += 1
    return np.where(count > 0, np.maximum(total / np.maximum(count, 1), SMALLEST_TASTE), 1.0)


def _taste_nodes(layout: Layout) -> Iterator[str]:
    """The nodes that people have tastes of: all, and of an attribute with many values its reference values."""
    for block in layout.blocks:
        every = len(block.nodes) <= MANY_TASTES
        yield from (n for n, counts in zip(block.nodes, block.reference, strict=True) if every or counts)


def _person_nuisance(choices: CategoryChoices) -> tuple[str, ...]:
    return tuple(name for name in choices.nuisance if name == INSIDE)
