"""An ontology from the data, where none is given: categories from paths, attributes from columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.raw import STEP, RawColumn
from kgrank.ontology.model import BRAND, Attribute, AttributeType, Category, Need, Ontology, Term

TRUE = frozenset({"true", "yes", "y", "1", "1.0", "ja", "oui", "是", "有"})
FALSE = frozenset({"false", "no", "n", "0", "0.0", "nein", "non", "否", "无"})


def category_id(path: str) -> str:
    """The id of a category path: lower case, its steps joined by full stops."""
    return ".".join(_step_id(step) for step in path.split(STEP))


def _step_id(step: str) -> str:
    """A name in lower case with hyphens; letters, digits and marks of every script stay."""
    letters = (
        c if c.isalnum() or c in "._" or unicodedata.category(c)[0] == "M" else "-" for c in step.lower()
    )
    return re.sub("-+", "-", "".join(letters)).strip("-.") or "_"


def skeleton(items: pl.DataFrame, columns: Iterable[RawColumn]) -> Ontology:
    """Categories and attributes with their types; the attributes are open and have no values yet."""
    columns = list(columns)
    attributes = {
        name: _attribute(name, [c for c in columns if c.attribute == name]) for name in _names(columns)
    }
    brands = sorted(items["brand"].drop_nulls().unique())
    if brands:
        attributes[BRAND] = Attribute(BRAND, names={"en": "Brand"}, open=True)
    return Ontology(
        version="inferred",
        categories=_tree(items["category"].drop_nulls().unique().sort()),
        attributes=attributes,
        brands={b: Term(b, names={"en": b}) for b in brands},
        title={"en": "Inferred from the data"},
    )


def with_data_values(ontology: Ontology, items: pl.DataFrame, values: pl.DataFrame) -> Ontology:
    """The skeleton with the values of the data, and each attribute where the data have it.

    Args:
        ontology: What ``skeleton`` made.
        items: Columns id and category (ids).
        values: Columns item, attribute, value; the brand among them.
    """
    placed = values.join(items.select("id", "category"), left_on="item", right_on="id")
    seen = placed.group_by("attribute").agg(pl.col("value").drop_nulls().unique())
    values_of = {name: sorted(texts, key=_natural) for name, texts in seen.iter_rows()}
    attributes = {
        a.id: replace(a, values=tuple(values_of.get(a.id, ())))
        if a.id != BRAND and a.type in (AttributeType.CHOICE, AttributeType.CHOICES)
        else a
        for a in ontology.attributes.values()
    }
    used = dict(placed.group_by("category").agg(pl.col("attribute").unique()).iter_rows())
    return replace(ontology, categories=_uses(ontology, used), attributes=attributes)


def describe(ontology: Ontology) -> str:
    """The note that says what was inferred."""
    kinds = ", ".join(
        f"{a.id} ({a.type.value}{f', {len(a.values):,} values' if a.values else ''})"
        for a in ontology.attributes.values()
    )
    contents = kinds or "no attribute"
    return f"no ontology was given; one was inferred from the mapping and the data, with {contents}"


def _names(columns: list[RawColumn]) -> list[str]:
    return list(dict.fromkeys(c.attribute for c in columns))


def _attribute(name: str, columns: list[RawColumn]) -> Attribute:
    first = columns[0].field
    stated = next((c.field.type for c in columns if c.field.type is not None), None)
    kind = stated or _guess(pl.concat([c.texts["text"] for c in columns]).unique(), first.separator)
    ordered = kind is AttributeType.ORDERED
    return Attribute(
        name,
        names={"en": name},
        type=kind,
        values=first.values if ordered else (),
        open=not ordered,
        unit=next((c.field.unit for c in columns if c.field.unit is not None), None),
    )


def _guess(texts: pl.Series, separator: str) -> AttributeType:
    """Boolean where all texts are yes or no, Number where all are numbers, Choices where any is a list."""
    if texts.str.to_lowercase().is_in(sorted(TRUE | FALSE)).all():
        return AttributeType.BOOLEAN
    if texts.cast(pl.Float64, strict=False).is_not_null().all():
        return AttributeType.NUMBER
    listed = texts.str.contains(separator, literal=True).any()
    return AttributeType.CHOICES if listed else AttributeType.CHOICE


def _tree(paths: pl.Series) -> dict[str, Category]:
    categories: dict[str, Category] = {}
    texts: dict[str, str] = {}
    for path in paths:
        steps = path.split(STEP)
        for depth in range(1, len(steps) + 1):
            here = STEP.join(steps[:depth])
            id = category_id(here)
            if texts.setdefault(id, here) != here:
                both = " and ".join(repr(t.replace(STEP, " > ")) for t in (texts[id], here))
                raise InputError(
                    f"the categories {both} have the same id {id!r}", todo="Rename one in the mapping."
                )
            parent = category_id(STEP.join(steps[: depth - 1])) if depth > 1 else None
            categories.setdefault(id, Category(id, names={"en": steps[depth - 1]}, parent=parent))
    return categories


def _uses(ontology: Ontology, used: dict[str, list[str]]) -> dict[str, Category]:
    """Each attribute at the highest category in all of whose branches the data have it."""
    have: dict[str, set[str]] = {}
    for above in reversed([c for root in ontology.roots for c in ontology.subtree(root)]):
        below = [have[kid] for kid in ontology.children[above]]
        shared = set.intersection(*below) if below else set()
        have[above] = set(used.get(above, ())) | shared
    placed: dict[str, Category] = {}
    for id, category in ontology.categories.items():
        inherited = set().union(*(have[c] for c in ontology.ancestors(id)))
        here = [a for a in ontology.attributes if a in have[id] - inherited]
        placed[id] = replace(category, uses=dict.fromkeys(here, Need.ALLOWED))
    return placed


def _natural(text: str) -> tuple[float, str]:
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text
