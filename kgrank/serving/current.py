"""What is served: one shop under one version of the weights, replaced whole when another is written."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from kgrank.choice.request import PersonTastes
from kgrank.errors import InputError, KgrankError, StoreError, WeightsError
from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore
from kgrank.ranking.person import read_person, tastes_of
from kgrank.ranking.shop import Shop, open_shop
from kgrank.weights.tables import stored_weights

ANSWERS, PERSONS = 4096, 10_000
"""Answers and persons that are kept at most."""

LARGEST_QUESTION, LARGEST_ANSWER = 2048, 65_536
"""Bytes of a question and of an answer that are kept at most."""

STATE = """
MATCH (s:Served {id: 'weights'}) OPTIONAL MATCH (l:Loaded)
RETURN s.version AS version, max(l.written) AS loaded
"""
"""What tells that something was written: another version is served, or another load has ended."""


@dataclass
class Served:
    """One shop under one version, and what was computed for it; a request uses one from its start to its end.

    Attributes:
        shop: The shop.
        loaded: When its catalogue was loaded, as the store says.
        events: The log, where the store is not kept open (the embedded one).
        answers: Bodies by path and question.
        persons: Tastes by user.
    """

    shop: Shop
    loaded: str
    events: pl.DataFrame | None = None
    answers: OrderedDict[tuple[str, bytes], bytes] = field(default_factory=OrderedDict)
    persons: OrderedDict[str, PersonTastes] = field(default_factory=OrderedDict)

    @property
    def version(self) -> str:
        """Of the weights."""
        return self.shop.weights.version

    def remember(self, path: str, question: bytes, answer: bytes) -> None:
        """Keeps an answer that depends on nothing but its question."""
        if len(question) <= LARGEST_QUESTION and len(answer) <= LARGEST_ANSWER:
            self.answers[path, question] = answer
            if len(self.answers) > ANSWERS:
                self.answers.popitem(last=False)


class Current:
    """Reads a store, and reads it again when something has been written.

    An embedded store is opened for as long as it takes to read it, so that training can write to it; Neo4j stays
    connected.

    Args:
        address: Of the store.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.served: Served | None = None
        self.trouble: str | None = None
        self._embedded = "://" not in address
        self._store: GraphStore | None = None
        self._stamp: tuple[int, ...] | None = None
        self._lock = threading.Lock()

    def refresh(self) -> bool:
        """Reads what is served now, if it is not what was read; whether anything was.

        Blocks; meant for a thread. What is served stays where the store cannot be read, and ``trouble`` says
        why.
        """
        with self._lock:
            try:
                changed = self._refresh()
            except KgrankError as error:
                self.trouble = error.sentence()
                return False
            self.trouble = None
            return changed

    def person(self, served: Served, user: str) -> PersonTastes:
        """A user's own tastes; blocks where the store is asked. An unknown user has none.

        Raises:
            StoreError: The store does not answer.
        """
        found = served.persons.get(user)
        if found is None:
            try:
                found = self._read_person(served, user)
            except InputError:
                found = PersonTastes({}, {}, 0)
            served.persons[user] = found
            if len(served.persons) > PERSONS:
                served.persons.popitem(last=False)
        return found

    def serve(self, version: str) -> None:
        """Serves an earlier or later version of the weights from the store on.

        Raises:
            StoreError: There is no such version, or the store cannot be written.
            WeightsError: The version does not fit what is in the store.
        """
        with self._lock, open_store(self.address) as store:
            # A version that cannot be read is refused before it is served.
            shop = open_shop(store, stored_weights(store, version))
            store.serve(version)
            self._take(store, shop, _state(store)[1])

    def close(self) -> None:
        """Gives the store back."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _refresh(self) -> bool:
        if not self._embedded:
            if self._store is None:
                self._store = open_store(self.address, wait=0)
            return self._read(self._store)
        stamp = _stamp(Path(self.address))
        if self.served is not None and stamp == self._stamp:
            return False
        with open_store(self.address) as store:
            changed = self._read(store)
        self._stamp = _stamp(Path(self.address))
        return changed

    def _read(self, store: GraphStore) -> bool:
        version, loaded = _state(store)
        if self.served is not None and (self.served.version, self.served.loaded) == (version, loaded):
            return False
        self._take(store, open_shop(store), loaded)
        return True

    def _take(self, store: GraphStore, shop: Shop, loaded: str) -> None:
        self.served = Served(shop, loaded, store.edges("INTERACTED") if self._embedded else None)

    def _read_person(self, served: Served, user: str) -> PersonTastes:
        if served.events is not None:
            own = served.events.filter(pl.col("source") == user)
            return tastes_of(served.shop, own) if len(own) else PersonTastes({}, {}, 0)
        if self._store is None:
            raise StoreError("the store is not connected", where=self.address, todo="Try again in a moment.")
        return read_person(self._store, served.shop, user)


def _state(store: GraphStore) -> tuple[str, str]:
    """The version that is served, and when the last load ended."""
    rows = store.query(STATE)
    if not rows:
        raise WeightsError("no weights are served", where=store.address, todo="Train: python train.py.")
    return rows[0]["version"], str(rows[0]["loaded"])


def _stamp(path: Path) -> tuple[int, ...]:
    """Changes when the file, or what stands beside it until it is folded in, is written."""
    files = (path, path.with_name(path.name + ".wal"))
    return tuple(n for f in files if f.exists() for n in (f.stat().st_mtime_ns, f.stat().st_size))
