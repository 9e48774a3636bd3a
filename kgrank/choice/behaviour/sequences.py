"""People's responses in order, from the graph's events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from kgrank.choice.data.ragged import Ints
from kgrank.choice.data.responses import RESPONSES
from kgrank.graph.tables import KnowledgeGraph


@dataclass(frozen=True)
class Sequences:
    """People's events in order.

    Attributes:
        items: Item ids.
        item: (events,) item numbers, person after person, by time.
        time: (events,) their times.
        start: (people + 1,) where each person's events start.
        users: User ids.
        dated: Whether times are seconds, so that those of two people can be compared.
    """

    items: tuple[str, ...]
    item: Ints
    time: Ints
    start: Ints
    users: tuple[str, ...]
    dated: bool = False


def sequences(graph: KnowledgeGraph) -> Sequences:
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
    again = (pl.col("item") == pl.col("item").shift()) & (pl.col("source") == pl.col("source").shift())
    events = events.filter(~again.fill_null(False))
    size = events.group_by("source", maintain_order=True).len()
    start = np.concatenate([[0], np.cumsum(size["len"].to_numpy())]).astype(np.int64)
    clock = graph.node("Log")["clock"].to_list()
    return Sequences(
        tuple(items),
        events["item"].to_numpy().astype(np.int64),
        events["time"].fill_null(0).to_numpy().astype(np.int64),
        start,
        tuple(size["source"].to_list()),
        clock == ["utc"] and not events["time"].has_nulls(),
    )
