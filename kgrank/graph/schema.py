"""Labels, relationship types and their columns: the one place that names what the graph holds.

Every node has ``id`` (a string, unique within its label). Every edge has ``source`` and ``target`` (ids) and,
where several edges may join the same two nodes, a ``key`` column that identifies each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

TEXT, REAL, WHOLE, TRUTH = pl.String(), pl.Float64(), pl.Int64(), pl.Boolean()

UNBOUNDED = 1e15
"""Stands for infinity in ``low`` and ``high``: no store parses 1e300, and no price reaches it."""


@dataclass(frozen=True)
class NodeType:
    """A label and its columns besides ``id``."""

    label: str
    columns: Mapping[str, pl.DataType]
    about: str


@dataclass(frozen=True)
class EdgeType:
    """A relationship type, the labels it joins, its columns, and the column that identifies parallel edges."""

    name: str
    source: str
    target: str
    columns: Mapping[str, pl.DataType] = field(default_factory=dict)
    key: str | None = None
    about: str = ""


NODES: Mapping[str, NodeType] = {
    n.label: n
    for n in (
        NodeType(
            "Category",
            {"iri": TEXT, "notation": TEXT, "name": TEXT, "names": TEXT, "deprecated": TRUTH, "depth": WHOLE},
            "A node of the category tree. `names` is a JSON object by language.",
        ),
        NodeType(
            "Attribute",
            {"iri": TEXT, "notation": TEXT, "name": TEXT, "names": TEXT, "type": TEXT, "unit": TEXT},
            "Something items have a value of; `brand` is one.",
        ),
        NodeType(
            "AttributeValue",
            {"value": TEXT, "name": TEXT, "names": TEXT, "iri": TEXT},
            "One value of one attribute, `color=red`; a number attribute has one node, `price=*`.",
        ),
        NodeType("Brand", {"name": TEXT, "names": TEXT, "iri": TEXT}, "A brand."),
        NodeType("Item", {"title": TEXT, "description": TEXT}, "Something that can be ranked."),
        NodeType("User", {}, "A shopper, or a respondent of a choice study."),
        NodeType(
            "Segment",
            {"iri": TEXT, "name": TEXT, "names": TEXT},
            "A group of shoppers, such as an age group.",
        ),
        NodeType(
            "Rule",
            {
                "iri": TEXT,
                "kind": TEXT,
                "sentence": TEXT,
                "sure": REAL,
                "hard": TRUTH,
                "creator": TEXT,
                "created": TEXT,
                "because": TEXT,
            },
            "A rule, with its sentence in English.",
        ),
        NodeType(
            "Weights",
            {
                "created": TEXT,
                "ontology": TEXT,
                "graph": TEXT,
                "code": TEXT,
                "document": TEXT,
                "posteriors": TEXT,
                "network": TEXT,
            },
            "One version of the learned weights; `document` is the whole artefact (JSON), `posteriors` what the "
            "choices alone say of every category (JSON), which no ranking reads, and `network` people's liking of "
            "items by the graph of purchases (JSON), null where none is served.",
        ),
        NodeType(
            "Ontology",
            {"version": TEXT, "fingerprint": TEXT, "document": TEXT},
            "One node, id `ontology`: what the graph was loaded with; `document` is the whole of it (JSON).",
        ),
        NodeType(
            "Log",
            {"clock": TEXT, "outside": TRUTH, "impressions": TRUTH},
            "One node, id `log`: whether times are seconds since 1970 (`utc`) or an `order`, whether people "
            "could choose nothing, and whether it is known what was shown.",
        ),
        NodeType(
            "Loaded",
            {"engine": TEXT, "written": TEXT, "hashes": TEXT},
            "What the last load wrote, one node a table: a hash for each source, so that the next writes only "
            "what changed.",
        ),
        NodeType(
            "Schema",
            {"version": WHOLE},
            "One node, id `schema`: the last file of graph/schema that was applied.",
        ),
        NodeType(
            "Forgotten",
            {"salt": TEXT, "hashes": TEXT},
            "One node, id `forgotten`: salted hashes of the users whom no load brings back, one a line.",
        ),
        NodeType("Served", {"version": TEXT}, "One node, id `weights`: which version is served."),
    )
}

EDGES: Mapping[str, EdgeType] = {
    e.name: e
    for e in (
        EdgeType("SUBCATEGORY_OF", "Category", "Category", about="To the parent."),
        EdgeType("ALSO_UNDER", "Category", "Category", about="A second place in the menu."),
        EdgeType(
            "APPLIES",
            "Category",
            "Attribute",
            {"need": TEXT, "origin": TEXT, "low": REAL, "high": REAL},
            about="The attribute applies there, inheritance unfolded; `origin` is the category that says so.",
        ),
        EdgeType("OF", "AttributeValue", "Attribute", {"position": WHOLE}, about="In order, from 0."),
        EdgeType("IN_CATEGORY", "Item", "Category"),
        EdgeType("MADE_BY", "Item", "Brand"),
        EdgeType(
            "HAS_VALUE",
            "Item",
            "AttributeValue",
            {"number": REAL, "imputed": TRUTH},
            about="`number` is the value of a number attribute in its unit, else 0.",
        ),
        EdgeType(
            "OFFERED",
            "Item",
            "AttributeValue",
            {"id": TEXT, "start": WHOLE, "stop": WHOLE, "place": TEXT, "number": REAL, "observed": TRUTH},
            key="id",
            about="A value that the item had from `start` until before `stop`, at a place or (null) everywhere; "
            "the edges of one offer have the same `id`. `observed` ones were read off events, which name them.",
        ),
        EdgeType(
            "INTERACTED",
            "User",
            "Item",
            {
                "id": TEXT,
                "kind": TEXT,
                "time": WHOLE,
                "session": TEXT,
                "list": TEXT,
                "position": WHOLE,
                "value": REAL,
                "query": TEXT,
                "place": TEXT,
                "offer": TEXT,
            },
            key="id",
            about="An event on an item: impression, view, cart, purchase, rank or rating. `list` is what was "
            "shown or ranked together; `value` is a rating, a quantity or a place in a ranking; `place` is where "
            "it happened, and `offer` the id of the OFFERED edges with the values that the item had.",
        ),
        EdgeType(
            "SEARCHED",
            "User",
            "Category",
            {"id": TEXT, "time": WHOLE, "session": TEXT, "list": TEXT, "query": TEXT},
            key="id",
            about="A search, and the category it went to.",
        ),
        EdgeType("IN_SEGMENT", "User", "Segment", about="Who is in which segment; a user is in one at most."),
        EdgeType("HOLDS_IN", "Rule", "Category", about="Each category in the rule's scope."),
        EdgeType("SPEAKS_OF", "Rule", "Attribute", {"position": WHOLE}),
        EdgeType(
            "IMPORTANCE",
            "Category",
            "Attribute",
            {
                "version": TEXT,
                "weight": REAL,
                "low": REAL,
                "high": REAL,
                "reference": TEXT,
                "shoppers": REAL,
                "strength": REAL,
            },
            key="version",
            about="Learned: the share of the decision and its 95 % interval; `shoppers` is the average "
            "of the shoppers' own importances; `strength` is the scale of the category's utilities.",
        ),
        EdgeType(
            "UTILITY",
            "Category",
            "AttributeValue",
            {"id": TEXT, "version": TEXT, "low": REAL, "high": REAL, "intercept": REAL, "slope": REAL},
            key="id",
            about="Learned: contribution = intercept + slope · number, where low ≤ number < high.",
        ),
        EdgeType(
            "GOES_AFTER",
            "Item",
            "Item",
            {
                "version": TEXT,
                "weight": REAL,
                "forward": REAL,
                "backward": REAL,
                "next": REAL,
                "previous": REAL,
                "people": REAL,
                "together": REAL,
            },
            key="version",
            about="Learned: how much more the target is chosen soon after the source. The counts behind it: "
            "decayed steps forward and backward, steps to the very next item and from the one before, how many "
            "people went on from the source to the target, and how many had both within reach.",
        ),
        EdgeType(
            "RANKED",
            "Category",
            "Item",
            {"version": TEXT, "position": WHOLE, "score": REAL, "contributions": TEXT},
            key="version",
            about="The first items of a category under one version of the weights, from position 0; "
            "`contributions` is a JSON object of what adds up to the score.",
        ),
    )
}

BOOKKEEPING = ("Weights", "Loaded", "Schema", "Served", "Forgotten")
"""Labels that say nothing about the shop."""

LEARNED_EDGES = ("IMPORTANCE", "UTILITY", "GOES_AFTER", "RANKED")
"""Edges that training writes; a load leaves them alone."""

NUMBER = "*"


def value_id(attribute: str, value: str) -> str:
    """The id of an AttributeValue node; ``value`` is ``*`` for a number attribute."""
    return f"{attribute}={value}"


def split_value_id(node: str) -> tuple[str, str]:
    """Attribute and value of an AttributeValue id."""
    attribute, _, value = node.partition("=")
    return attribute, value
