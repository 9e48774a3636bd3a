"""Forgetting people: out of the store, its records and the counts of the served weights, and not back again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from kgrank.errors import InputError, WeightsError
from kgrank.graph.forgotten import LABEL, OF_PEOPLE, read_forgotten, write_forgotten
from kgrank.graph.record import buckets, forget_record, write_record
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import EVENTS
from kgrank.ranking.catalogue.shop import stored_ontology
from kgrank.ranking.stored.recount import recount


@dataclass(frozen=True, kw_only=True)
class ForgetReport:
    """What was forgotten, and what still holds something of it.

    Attributes:
        forgotten: Users who were in the store.
        already: Users who had been forgotten before.
        events: Their events that were deleted, searches among them.
        counted: Whether the counts of the served weights changed.
        rewritten: Whether the store's file was written anew.
        served: The version of the weights that is served; None where there is none.
        others: Versions of the weights that are kept beside it.
        remains: What still holds counts of them, and how it goes, a sentence each.
    """

    forgotten: int
    already: int
    events: int
    counted: bool
    rewritten: bool
    served: str | None
    others: tuple[str, ...]
    remains: tuple[str, ...]


def forget(store: GraphStore, users: Sequence[str], *, dry_run: bool = False) -> ForgetReport:
    """Removes people from a store; all of them, or nobody where one is unknown.

    It can be repeated: what a forgetting that was cut short has left is taken away by the next.

    Args:
        store: Where.
        users: Their ids.
        dry_run: Only says what would be removed.

    Raises:
        InputError: A user whom the store neither has nor has forgotten.
        StoreError: The store holds no shop, or cannot be written.
    """
    # A store that does not exist must not be made by the preparation.
    stored_ontology(store)
    store.prepare()
    ids = pl.Series(list(dict.fromkeys(users)), dtype=pl.String)
    listed = read_forgotten(store)
    stored = store.nodes("User", ids)["id"]
    known = set(stored)
    _refuse_unknown([u for u in ids if u not in known and not listed.has(u)], store.address)
    events = sum(len(store.edges(name, stored)) for name in EVENTS)
    counted, rewritten, fits = False, False, True
    if not dry_run:
        write_forgotten(store, listed.with_people(ids))
        for table in ("User", *OF_PEOPLE):
            forget_record(store, table)
        store.delete_nodes("User", stored)
        try:
            counted = recount(store)
        except WeightsError:
            fits = False
        # A service sees by the record's time that there is something to read again.
        write_record(store, LABEL, buckets(store.nodes(LABEL)))
        rewritten = store.compact()
    served = next(iter(store.nodes("Served")["version"]), None)
    others = tuple(version for version in store.nodes("Weights")["id"] if version != served)
    return ForgetReport(
        forgotten=len(stored),
        already=len(ids) - len(stored),
        events=events,
        counted=counted,
        rewritten=rewritten,
        served=served,
        others=others,
        remains=_remains(served, others, fits=fits, kept_by_server=not (rewritten or dry_run)),
    )


def readmit(store: GraphStore, users: Sequence[str]) -> int:
    """Takes people off the list of the forgotten, so that a load may bring them back; how many there were.

    Raises:
        InputError: A user who is not on the list.
        StoreError: The store holds no shop, or cannot be written.
    """
    stored_ontology(store)
    store.prepare()
    listed = read_forgotten(store)
    others = [user for user in users if not listed.has(user)]
    if others:
        raise InputError(f"{_named(others)} not on the list of forgotten users", where=store.address)
    remaining = listed.without_people(users)
    write_forgotten(store, remaining)
    store.compact()
    return len(listed.hashes) - len(remaining.hashes)


def _refuse_unknown(unknown: Sequence[str], address: str) -> None:
    if unknown:
        # No name that is alike is suggested: it would be another person's.
        raise InputError(
            f"{_named(unknown)} no user of the store",
            where=address,
            expected="ids as the files of events have them",
            todo="Nobody was forgotten. Leave out ids that were never loaded.",
        )


def _named(users: Sequence[str]) -> str:
    more = f" (and {len(users) - 1:,} more)" if len(users) > 1 else ""
    return f"{users[0]!r}{more} {'are' if len(users) > 1 else 'is'}"


def _remains(
    served: str | None, others: tuple[str, ...], *, fits: bool, kept_by_server: bool
) -> tuple[str, ...]:
    lines = []
    if served is not None:
        lines.append(
            f"Weights {served}: part-worths, curves, posteriors, tastes of the population and a network's vectors "
            "were learned from their choices too. Train again: kgrank train."
        )
    if served is not None and not fits:
        lines.append(
            f"Weights {served} belong to another ontology, so that their counts could not be made anew. "
            "Train again: kgrank train."
        )
    if others:
        lines.append(
            f"{len(others):,} versions of weights that are not served hold counts of them. After the training: "
            "kgrank weights prune --keep 1."
        )
    if kept_by_server:
        lines.append(
            "The server's log of transactions and its backups hold what was deleted until they are rotated "
            "(db.tx_log.rotation.retention_policy)."
        )
    return tuple(lines)
