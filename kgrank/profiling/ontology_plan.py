"""What was inferred from the data as a plan of Turtle files, with labels as people write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from kgrank.ingest.clean import Clean
from kgrank.ingest.mapping import AttributeField
from kgrank.ontology.imports.plan import Plan, PlannedAttribute, PlannedCategory
from kgrank.ontology.model import BRAND, Attribute, AttributeType, Need, Ontology
from kgrank.profiling.doubts import Doubt, Findings, Weight, first_few
from kgrank.profiling.items.attribute_fields import ProposedAttribute, slug, unused_id
from kgrank.profiling.key_collision import abbreviations, collisions, likenesses
from kgrank.profiling.propose import Proposal

_COMMON = 0.5
"""An attribute is recommended where at least this part of a category's items has it."""


_SHOWN = 8
"""Spellings that a doubt names."""


@dataclass(frozen=True)
class _Merged:
    """Texts of one attribute: those that stay, and the other spellings of each."""

    texts: tuple[str, ...]
    spellings: Mapping[str, tuple[str, ...]]


def plan_of(clean: Clean, proposal: Proposal, title: str) -> Plan:
    """The ontology of clean tables that were read without one.

    Args:
        clean: The tables, with the ontology that was inferred.
        proposal: What the files were taken as; its findings collect what is alike.
        title: The ontology's title.
    """
    ontology, language = clean.ontology, proposal.language
    names = _attribute_names(ontology, proposal)
    brands: dict[str, str] = {}
    brand_spellings: dict[str, tuple[str, ...]] = {}
    attributes = [
        _attribute(attribute, names[attribute.id], clean.values, proposal)
        for attribute in ontology.attributes.values()
        if attribute.id != BRAND
    ]
    if BRAND in ontology.attributes:
        head = proposal.brand_label or "Brand"
        counts = dict(clean.items["brand"].drop_nulls().value_counts().iter_rows())
        merged = _merge(counts, list(counts), head, head, proposal.findings)
        for text in sorted(merged.texts, key=str.casefold):
            id_ = unused_id(text, "brand", brands)
            brands[id_] = text
            brand_spellings[id_] = merged.spellings.get(text, ())
        others = () if head.casefold() == "brand" else ("Brand",)
        brand = PlannedAttribute(BRAND, {language: head}, AttributeType.CHOICE, brands=True, synonyms=others)
        attributes.append(brand)
    return Plan(
        _categories(clean, names, language),
        tuple(attributes),
        brands,
        languages=(language,),
        title=title,
        brand_synonyms=brand_spellings,
        segments={id_: segment.name() for id_, segment in ontology.segments.items()},
    )


def _attribute_names(ontology: Ontology, proposal: Proposal) -> dict[str, ProposedAttribute]:
    """The id and label of each attribute; a column that no mapping names gets an id made of its head."""
    proposed = {a.id: a for a in proposal.attributes}
    names: dict[str, ProposedAttribute] = {}
    for id_ in (a for a in ontology.attributes if a != BRAND):
        name = proposed.get(id_, ProposedAttribute(id_, AttributeField(), id_))
        names[id_] = name._replace(
            id=unused_id(name.id, "attribute", {BRAND, *(n.id for n in names.values())})
        )
    return names


def _categories(
    clean: Clean, names: Mapping[str, ProposedAttribute], language: str
) -> tuple[PlannedCategory, ...]:
    ontology = clean.ontology
    ids, uses = _category_ids(ontology), _uses(clean, ontology)
    return tuple(
        PlannedCategory(
            ids[c.id],
            {language: c.name()},
            ids[c.parent] if c.parent else None,
            {a if a == BRAND else names[a].id: need for a, need in uses[c.id].items()},
        )
        for c in ontology.categories.values()
    )


def _attribute(
    attribute: Attribute, label: ProposedAttribute, values: pl.DataFrame, proposal: Proposal
) -> PlannedAttribute:
    language = proposal.language
    unit = (attribute.unit or "1") if attribute.type is AttributeType.NUMBER else None
    planned: dict[str, Mapping[str, str]] = {}
    spellings: dict[str, tuple[str, ...]] = {}
    if attribute.values:
        cells = values.filter(pl.col("attribute") == attribute.id)["value"].drop_nulls()
        counts = dict(cells.value_counts().iter_rows())
        merged = _Merged(attribute.values, {})
        if attribute.type is not AttributeType.ORDERED:
            merged = _merge(
                counts, attribute.values, label.label, label.other_label or label.label, proposal.findings
            )
        for text in merged.texts:
            id_ = unused_id(text, "value", {v.removeprefix(f"{label.id}.") for v in planned})
            planned[f"{label.id}.{id_}"] = {language: text}
            spellings[f"{label.id}.{id_}"] = merged.spellings.get(text, ())
    others = (label.other_label,) if label.other_label else ()
    return PlannedAttribute(
        label.id,
        {language: label.label},
        attribute.type,
        planned,
        unit=unit,
        synonyms=others,
        value_synonyms=spellings,
    )


def _merge(
    counts: Mapping[str, int], order: Sequence[str], head: str, name: str, findings: Findings
) -> _Merged:
    """The texts of an attribute with equal ones put together; likely ones become doubts."""
    equal = collisions(counts)
    left = {text: count for text, count in counts.items() if text not in equal}
    short = abbreviations(left, name)
    merged = {**equal, **short}
    texts = tuple(t for t in order if t not in merged)
    spellings: dict[str, list[str]] = {}
    for other, text in merged.items():
        spellings.setdefault(merged.get(text, text), []).append(other)
    if merged:
        pairs = [f"{other} = {text}" for other, text in merged.items()][:_SHOWN]
        findings.doubts.append(
            Doubt(
                Weight.VALUE,
                "ontology",
                head,
                f"Spellings are taken as one value: {'; '.join(pairs)}.",
                len(merged),
                remedy="If two differ, take the skos:altLabel out of ontology/values.ttl, and add the value.",
            )
        )
    pairs_alike = likenesses({t: counts.get(t, 0) for t in texts})
    for pair in pairs_alike[:_SHOWN]:
        findings.doubts.append(
            Doubt(
                Weight.VALUE,
                "ontology",
                head,
                f"“{pair.other}” may be “{pair.value}”: {pair.reason}. They are two values.",
                counts.get(pair.other, 0),
                remedy=f"To make them one, write `rename: {{{pair.other}: {pair.value}}}` for {head} in "
                "mapping.yaml, and take the value out of the ontology.",
            )
        )
    if len(pairs_alike) > _SHOWN:
        others = [f"{pair.other} = {pair.value}" for pair in pairs_alike[_SHOWN:]]
        text = f"{len(others):,} more pairs of values may be one each; they are two values each."
        findings.doubts.append(Doubt(Weight.DETAIL, "ontology", head, text, len(others), first_few(others)))
    return _Merged(texts, {text: tuple(others) for text, others in spellings.items()})


def _category_ids(ontology: Ontology) -> dict[str, str]:
    """An id for each category: its name's slug, or that of its path where two have one name."""
    ids: dict[str, str] = {}
    names = Counter(slug(c.name()) for c in ontology.categories.values())
    for category in ontology.categories.values():
        path = [ontology.categories[c].name() for c in reversed(ontology.lineage(category.id))]
        alone = names[slug(category.name())] == 1
        text = category.name() if alone else " ".join(path)
        ids[category.id] = unused_id(text, "category", set(ids.values()))
    return ids


def _uses(clean: Clean, ontology: Ontology) -> dict[str, dict[str, Need]]:
    """The attributes of each category, by how many of the items in it and below have them."""
    items = clean.items.select("id", "category", "brand")
    held = clean.values.select("item", "attribute").unique().join(items, left_on="item", right_on="id")
    pairs = Counter(held.select("category", "attribute").iter_rows())
    pairs += Counter(
        {(c, BRAND): n for c, n in items.drop_nulls("brand")["category"].value_counts().iter_rows()}
    )
    totals = Counter(items["category"])
    uses = {}
    for category in ontology.categories:
        below = ontology.subtree(category)
        total = sum(totals[c] for c in below)
        uses[category] = {
            a: Need.RECOMMENDED if sum(pairs[c, a] for c in below) >= _COMMON * total else Need.ALLOWED
            for a in ontology.applicable(category)
        }
    return uses
