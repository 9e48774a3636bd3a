"""A mapping that is there already as a proposal, so that what ``load`` infers by it is written out."""

from __future__ import annotations

from kgrank.ingest.mapping import AttributeField, Mapping
from kgrank.ingest.named import mapped_columns
from kgrank.profiling.doubts import ColumnRole, Findings
from kgrank.profiling.headings import language_of, unit_of_head
from kgrank.profiling.items.attribute_fields import ProposedAttribute
from kgrank.profiling.propose import Proposal


def proposal_of(mapping: Mapping) -> Proposal:
    """The proposal that a mapping is: its attributes are called like their columns."""
    heads = sorted(column for source in mapping.sources for column in mapped_columns(source))
    attributes: dict[str, ProposedAttribute] = {}
    tables = [s.attributes for s in mapping.items]
    tables += [s.attributes for s in mapping.offers]
    tables += [s.attributes for s in mapping.tasks]
    tables += [s.attributes for s in mapping.ratings]
    for id_, field in (pair for table in tables for pair in table.items()):
        attributes.setdefault(id_, _labelled(id_, field))
    brands = [source.brand.column for source in mapping.items if source.brand.column is not None]
    roles = [
        ColumnRole(source.file, column, "left out", "by the mapping")
        for source in mapping.sources
        for column in source.leave_out
    ]
    return Proposal(
        mapping, tuple(attributes.values()), next(iter(brands), None), language_of(heads), Findings(roles)
    )


def _labelled(name: str, field: AttributeField) -> ProposedAttribute:
    """An attribute under the name that the mapping gives it, with its column's head as its label."""
    label = field.column or name
    bare, _ = unit_of_head(label)
    return ProposedAttribute(name, field, label, bare if bare != label else None)
