"""A shop whose log is given, one list of items a person, with all terms over links and counts of that log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl
from shops import AFTER, Example, example

from kgrank.choice.behaviour.counts import LINKS_PER_ITEM, Counts, link_table
from kgrank.choice.behaviour.event_log import read_event_log
from kgrank.choice.behaviour.terms import ALIKE, LINKED, POPULAR
from kgrank.graph.schema import EDGES, NODES
from kgrank.graph.tables import KnowledgeGraph
from kgrank.weights.model import BehaviourTerm, Privacy

DAY = 86_400
Log = Mapping[str, Sequence[str]]


def logged_shop(log: Log, privacy: Privacy | None = None, *, items: int = 8) -> Example:
    """A shop with a log of purchases, by person in the order of time."""
    made = example(3, items=items)
    privacy = privacy or Privacy()
    graph = with_log(made.graph, log)
    events = read_event_log(graph)
    counts = Counts.of(events.events.once(), fewest=privacy.fewest_in_scores)
    popular = dict(zip(events.items, counts.statistics.count.tolist(), strict=True))
    terms = (
        *(BehaviourTerm(name, name, curve=AFTER) for name in (*LINKED, ALIKE)),
        BehaviourTerm(POPULAR, POPULAR, curve=AFTER, counts=popular),
    )
    families = {"attributes": 1.0, "goes-after": 0.7, ALIKE: 0.5, POPULAR: 0.2}
    weights = replace(
        made.weights,
        terms=terms,
        privacy=privacy,
        categories={c: replace(w, terms=families) for c, w in made.weights.categories.items()},
    )
    return Example(graph, made.ontology, weights, link_table(counts, events.items, LINKS_PER_ITEM))


def with_log(graph: KnowledgeGraph, log: Log) -> KnowledgeGraph:
    """The graph with other people and events; everybody has searched once, too."""
    events = [
        {"source": user, "target": item, "id": f"e{k}-{turn}", "kind": "purchase", "time": turn * DAY,
         "session": f"session of {user}"}
        for k, (user, items) in enumerate(log.items())
        for turn, item in enumerate(items)
    ]  # fmt: skip
    searches = [
        {"source": user, "target": "clothes", "id": f"s{k}", "time": 1, "query": f"red for {user}"}
        for k, user in enumerate(log)
    ]
    users = pl.DataFrame({"id": list(log)}, schema={"id": pl.String()})
    clock = pl.DataFrame(
        [{"id": "log", "clock": "utc", "outside": False, "impressions": False}],
        schema={"id": pl.String(), **NODES["Log"].columns},
    )
    return KnowledgeGraph(
        {**graph.nodes, "User": users, "Log": clock},
        {**graph.edges, "INTERACTED": _edges("INTERACTED", events), "SEARCHED": _edges("SEARCHED", searches)},
    )


def _edges(name: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"source": pl.String(), "target": pl.String(), **EDGES[name].columns})
