"""People's responses in order, read from the graph's events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.data.responses import RESPONSES
from kgrank.graph.tables import KnowledgeGraph


@dataclass(frozen=True)
class EventLog:
    """The events of a shop, and whose and what their numbers are.

    Attributes:
        items: Item ids by number.
        users: User ids by number.
        events: Each user's items, by time.
    """

    items: tuple[str, ...]
    users: tuple[str, ...]
    events: EventSequences


def read_event_log(graph: KnowledgeGraph) -> EventLog:
    """The responses of every user by time; an item seen, carted and bought in a row counts once.

    In a log of ratings alone, rating an item is the response.
    """
    items = graph.edge("IN_CATEGORY")["source"].unique().sort()
    number = pl.DataFrame({"target": items, "item": np.arange(len(items))})
    logged = graph.edge("INTERACTED")
    responses = logged.filter(pl.col("kind").is_in(RESPONSES))
    events = (
        (responses if len(responses) else logged.filter(pl.col("kind") == "rating"))
        .select("source", "target", "time", "id")
        .join(number, on="target")
        .sort("source", "time", "id")
    )
    repeated = (pl.col("item") == pl.col("item").shift()) & (pl.col("source") == pl.col("source").shift())
    events = events.filter(~repeated.fill_null(False))
    size = events.group_by("source", maintain_order=True).len()
    start = np.concatenate([[0], np.cumsum(size["len"].to_numpy())]).astype(np.int64)
    clock = graph.node("Log")["clock"].to_list()
    return EventLog(
        tuple(items),
        tuple(size["source"].to_list()),
        EventSequences(
            item=events["item"].to_numpy().astype(np.int64),
            start=start,
            item_count=len(items),
            time=events["time"].fill_null(0).to_numpy().astype(np.int64),
            dated=clock == ["utc"] and not events["time"].has_nulls(),
        ),
    )
