"""The clean tables as the knowledge graph."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import polars as pl

from kgrank.graph.schema import EDGES, NUMBER, UNBOUNDED, value_id
from kgrank.graph.tables import KnowledgeGraph, empty_edges, empty_nodes
from kgrank.ingest.clean import Clean
from kgrank.ontology import document
from kgrank.ontology.effect import speaks_of
from kgrank.ontology.model import BRAND, Attribute, AttributeType, Ontology, Term
from kgrank.ontology.sentences import sentence


def build_graph(clean: Clean) -> KnowledgeGraph:
    """The graph of a shop: its ontology, its items and what shoppers did."""
    ontology = clean.ontology
    values, offered = _item_values(clean), _offered_values(clean)
    targets = pl.concat([values.select("target"), offered.select("target")])
    brands = _brands(ontology, clean.items)
    nodes: dict[str, list[dict[str, object]]] = {
        "Ontology": [
            {
                "id": "ontology",
                "version": ontology.version,
                "fingerprint": ontology.fingerprint,
                "document": document.dump(ontology),
            }
        ],
        "Log": [
            {
                "id": "log",
                "clock": clean.log.clock,
                "outside": clean.log.outside,
                "impressions": clean.log.impressions,
            }
        ],
        "Category": _categories(ontology),
        "Attribute": [
            _term(a) | {"type": a.type.value, "unit": a.unit} for a in ontology.attributes.values()
        ],
        "Rule": _rules(ontology),
    }
    return KnowledgeGraph(
        {label: _nodes(label, rows) for label, rows in nodes.items()}
        | {
            "AttributeValue": _nodes("AttributeValue", _values(ontology, targets, brands)),
            "Brand": _nodes("Brand", [_term(b, notation=False) for b in brands.values()]),
            "Item": clean.items.select("id", "title", "description"),
            "User": _users(clean),
            "Segment": _nodes("Segment", [_term(s, notation=False) for s in ontology.segments.values()]),
        },
        {name: _edges(name, rows) for name, rows in _ontology_edges(ontology, targets, brands).items()}
        | {
            "IN_CATEGORY": clean.items.select(
                pl.col("id").alias("source"), pl.col("category").alias("target")
            ),
            "MADE_BY": clean.items.filter(pl.col("brand").is_not_null()).select(
                pl.col("id").alias("source"), pl.col("brand").alias("target")
            ),
            "HAS_VALUE": values,
            "OFFERED": offered,
            "INTERACTED": clean.events.filter(pl.col("kind") != "search").select(
                pl.col("user").alias("source"), pl.col("item").alias("target"), *EDGES["INTERACTED"].columns
            ),
            "SEARCHED": clean.events.filter(
                (pl.col("kind") == "search") & pl.col("category").is_not_null()
            ).select(
                pl.col("user").alias("source"), pl.col("category").alias("target"), *EDGES["SEARCHED"].columns
            ),
        }
        | _memberships(clean),
    )


def _users(clean: Clean) -> pl.DataFrame:
    """Everybody with an event or a segment."""
    users = clean.events.select(pl.col("user").alias("id"))
    if clean.people is not None:
        users = pl.concat([users, clean.people.select(pl.col("person").alias("id"))])
    return users.unique().sort("id")


def _memberships(clean: Clean) -> dict[str, pl.DataFrame]:
    """The edges IN_SEGMENT; no table where no file says who is in which segment, so that a load leaves them."""
    if clean.people is None:
        return {}
    return {"IN_SEGMENT": clean.people.select(source="person", target="segment")}


def _nodes(label: str, rows: Iterable[Mapping[str, object]]) -> pl.DataFrame:
    schema = empty_nodes(label).schema
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def _edges(name: str, rows: Iterable[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=empty_edges(name).schema, orient="row")


def _term(term: Term, *, notation: bool = True) -> dict[str, object]:
    names = dict(term.names) or {"en": term.id}
    columns: dict[str, object] = {
        "id": term.id,
        "iri": term.iri,
        "name": term.name(),
        "names": json.dumps(names, ensure_ascii=False),
    }
    return columns | {"notation": term.notation} if notation else columns


def _categories(ontology: Ontology) -> list[dict[str, object]]:
    return [
        _term(c) | {"deprecated": c.deprecated, "depth": len(ontology.ancestors(c.id))}
        for c in ontology.categories.values()
    ]


def _rules(ontology: Ontology) -> list[dict[str, object]]:
    return [
        {
            "id": r.id,
            "iri": r.iri,
            "kind": r.kind,
            "sentence": sentence(r, ontology),
            "sure": r.sure,
            "hard": r.hard,
            "creator": r.creator,
            "created": r.created,
            "because": json.dumps(dict(r.because), ensure_ascii=False),
        }
        for r in ontology.rules.values()
    ]


def _brands(ontology: Ontology, items: pl.DataFrame) -> dict[str, Term]:
    """The ontology's brands and those that items have, by id."""
    named = items["brand"].drop_nulls().unique().sort()
    return {b: ontology.brands.get(b, Term(b)) for b in sorted({*ontology.brands, *named})}


def _item_values(clean: Clean) -> pl.DataFrame:
    """HAS_VALUE edges: brands are values of the attribute brand; texts are no values."""
    texts = [a.id for a in clean.ontology.attributes.values() if a.type is AttributeType.TEXT]
    rows = clean.values.filter(~pl.col("attribute").is_in(texts)).select(
        pl.col("item").alias("source"),
        pl.concat_str("attribute", pl.lit("="), pl.col("value").fill_null(NUMBER)).alias("target"),
        pl.col("number").fill_null(0.0),
        "imputed",
    )
    brands = clean.items.filter(pl.col("brand").is_not_null()).select(
        pl.col("id").alias("source"),
        pl.concat_str(pl.lit(f"{BRAND}="), "brand").alias("target"),
        pl.lit(0.0).alias("number"),
        pl.lit(False).alias("imputed"),
    )
    return pl.concat([rows, brands]).sort("source", "target")


def _offered_values(clean: Clean) -> pl.DataFrame:
    """OFFERED edges: the values of each offer; texts are no values."""
    texts = [a.id for a in clean.ontology.attributes.values() if a.type is AttributeType.TEXT]
    return (
        clean.offers.filter(~pl.col("attribute").is_in(texts))
        .with_columns(pl.col("number").fill_null(0.0))
        .select(
            pl.col("item").alias("source"),
            pl.concat_str("attribute", pl.lit("="), pl.col("value").fill_null(NUMBER)).alias("target"),
            *EDGES["OFFERED"].columns,
        )
        .sort("source", "target", "id")
    )


def _attribute_values(
    ontology: Ontology,
    attribute: Attribute,
    brands: Mapping[str, Term],
    by_attribute: Mapping[str, list[str]],
) -> list[str]:
    """The values of an attribute in order: the ontology's, then those of open attributes that items have."""
    if attribute.type is AttributeType.NUMBER:
        return [NUMBER]
    if attribute.type is AttributeType.TEXT:
        return []
    known = ("false", "true") if attribute.type is AttributeType.BOOLEAN else attribute.values
    known = tuple(brands) if attribute.id == BRAND else known
    return list(dict.fromkeys([*known, *sorted(by_attribute.get(attribute.id, ()))]))


def _ordered(ontology: Ontology, values: pl.DataFrame, brands: Mapping[str, Term]) -> dict[str, list[str]]:
    split = (
        values.select(pl.col("target").unique())
        .select(
            pl.col("target").str.splitn("=", 2).struct.rename_fields(["attribute", "value"]).alias("both")
        )
        .unnest("both")
    )
    by_attribute = dict(split.group_by("attribute").agg("value").iter_rows())
    return {a.id: _attribute_values(ontology, a, brands, by_attribute) for a in ontology.attributes.values()}


def _values(ontology: Ontology, values: pl.DataFrame, brands: Mapping[str, Term]) -> list[dict[str, object]]:
    rows = []
    for attribute, members in _ordered(ontology, values, brands).items():
        terms = brands if attribute == BRAND else ontology.values
        for member in members:
            term = _term(terms.get(member, Term(member)), notation=False)
            rows.append(term | {"id": value_id(attribute, member), "value": member})
    return rows


def _ontology_edges(
    ontology: Ontology, values: pl.DataFrame, brands: Mapping[str, Term]
) -> dict[str, list[tuple[object, ...]]]:
    categories = ontology.categories.values()
    return {
        "SUBCATEGORY_OF": [(c.id, c.parent) for c in categories if c.parent is not None],
        "ALSO_UNDER": [(c.id, other) for c in categories for other in c.also_under],
        "APPLIES": [
            (
                c.id,
                a.attribute,
                a.need.value,
                a.origin,
                -UNBOUNDED if a.minimum is None else a.minimum,
                UNBOUNDED if a.maximum is None else a.maximum,
            )
            for c in categories
            for a in ontology.applicable(c.id).values()
        ],
        "OF": [
            (value_id(attribute, member), attribute, position)
            for attribute, members in _ordered(ontology, values, brands).items()
            for position, member in enumerate(members)
        ],
        "HOLDS_IN": [(r.id, c) for r in ontology.rules.values() for c in ontology.scope(r)],
        "SPEAKS_OF": [
            (r.id, a, position)
            for r in ontology.rules.values()
            for position, a in enumerate(speaks_of(r, ontology))
        ],
    }
