"""What is served: one shop under one version of the weights, replaced whole when another is written."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from kgrank.choice.tastes.person import PersonTastes
from kgrank.errors import AccessError, InputError, KgrankError, StoreError, WeightsError
from kgrank.graph.connect import is_embedded, open_store
from kgrank.graph.store import GraphStore
from kgrank.ranking.catalogue.shop import Shop, open_shop, stored_ontology
from kgrank.ranking.shopper.person import read_events, tastes_of
from kgrank.weights.tables import stored_weights

ANSWERS, PERSONS = 4096, 10_000
"""Answers and persons that are kept at most."""

PATIENCE = 2.0
"""Seconds of trying again before a store that does not answer is trouble; callers wait for it."""

SILENCE = 5.0
"""Seconds without an answer after which a store is in trouble: a read from a server that hangs takes minutes."""

REFUSED = 30.0
"""Seconds until a server that refused the password is asked again: after three wrong ones Neo4j refuses a user's
right one too, for five seconds."""

LARGEST_QUESTION, LARGEST_ANSWER = 2048, 65_536
"""Bytes of a question and of an answer that are kept at most."""

NO_TASTES = PersonTastes({}, {}, 0)

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
        log: Events and searches, where the store is not kept open (the embedded one).
        answers: Bodies by path and question.
        persons: Tastes by user.
    """

    shop: Shop
    loaded: str
    log: tuple[pl.DataFrame, pl.DataFrame] | None = None
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

    Attributes:
        served: What was read last; it stays where the store cannot be read.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.served: Served | None = None
        self._trouble: KgrankError | None = None
        self._asked: float | None = None
        self._embedded = is_embedded(address)
        self._store: GraphStore | None = None
        self._closed = False
        self._stamp: tuple[int, ...] | None = None
        self._refused_until = 0.0
        self._lock = threading.Lock()

    @property
    def store_error(self) -> KgrankError | None:
        """Why the store cannot be read now."""
        trouble, asked = self._trouble, self._asked
        # Known trouble stays what it is while it is looked whether it is over.
        if trouble is None and asked is not None and time.monotonic() - asked > SILENCE:
            return silent(self.address)
        return trouble

    def refresh(self) -> bool:
        """Reads what is served now, if it is not what was read; whether anything was.

        Blocks; meant for a thread.
        """
        with self._lock:
            if time.monotonic() < self._refused_until:
                return False
            try:
                changed = self._refresh()
            except KgrankError as error:
                self._note(error)
                return False
            except Exception as error:
                # Whatever stands in the store, the service goes on, and looks again.
                found = f"what stands there cannot be read ({type(error).__name__}: {error})"
                self._note(StoreError(found, where=self.address, todo="Look at it: kgrank doctor."))
                return False
            self._note(None)
            return changed

    def person(self, served: Served, user: str) -> PersonTastes:
        """A user's own tastes; blocks where the store is asked. An unknown user has none.

        Raises:
            StoreError: The store does not answer.
        """
        try:
            found = self._read_person(served, user)
        except InputError:
            # An event on an item that was loaded a moment ago: the load is taken up in the next.
            found = NO_TASTES
        except AccessError as error:
            with self._lock:
                self._note(error)
            raise
        served.persons[user] = found
        if len(served.persons) > PERSONS:
            served.persons.popitem(last=False)
        return found

    def serve(self, version: str) -> None:
        """Serves an earlier or later version of the weights from the store on.

        Raises:
            InputError: There is no such version.
            StoreError: The store cannot be written.
            WeightsError: The version does not fit what is in the store.
        """
        trouble = self.store_error
        if isinstance(trouble, AccessError):
            raise _anew(trouble)
        if not self._lock.acquire(timeout=PATIENCE):
            trouble = self.store_error
            if isinstance(trouble, StoreError):
                raise _anew(trouble)
            raise StoreError("the store is being read", where=self.address, todo="Try again in a moment.")
        try:
            with open_store(self.address, wait=0, patience=PATIENCE) as store:
                # A version that cannot be read is refused before it is served.
                shop = open_shop(store, stored_weights(store, version))
                store.serve(version)
                self._take(store, shop, _state(store)[1])
        except AccessError as error:
            self._note(error)
            raise
        finally:
            self._lock.release()

    def close(self) -> None:
        """Gives the store back for good, also where a thread is opening it at this moment."""
        self._closed = True
        self._disconnect()

    def _refresh(self) -> bool:
        if not self._embedded:
            if self._store is None:
                self._store = open_store(self.address, wait=0, patience=PATIENCE)
            if self._closed:
                self._disconnect()
                return False
            return self._read(self._store)
        stamp = _stamp(Path(self.address))
        if self.served is not None and stamp == self._stamp:
            return False
        with open_store(self.address) as store:
            changed = self._read(store)
        self._stamp = _stamp(Path(self.address))
        return changed

    def _disconnect(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def _read(self, store: GraphStore) -> bool:
        self._asked = time.monotonic()
        try:
            version, loaded = _state(store)
        finally:
            self._asked = None
        if self.served is not None and (self.served.version, self.served.loaded) == (version, loaded):
            return False
        self._take(store, open_shop(store), loaded)
        return True

    def _take(self, store: GraphStore, shop: Shop, loaded: str) -> None:
        before, log = self.served, None
        if self._embedded and before is not None and before.loaded == loaded:
            log = before.log
        elif self._embedded:
            log = store.edges("INTERACTED"), store.edges("SEARCHED")
        self.served = Served(shop, loaded, log)

    def _read_person(self, served: Served, user: str) -> PersonTastes:
        if served.log is not None:
            events, searches = (table.filter(pl.col("source") == user) for table in served.log)
        else:
            # A store that is known not to answer is not waited for by one caller after another.
            trouble = self.store_error
            if isinstance(trouble, StoreError):
                raise _anew(trouble)
            if self._store is None:
                todo = "Try again in a moment."
                raise StoreError("the store is not connected", where=self.address, todo=todo)
            events, searches = read_events(self._store, user)
        if events.is_empty() and searches.is_empty():
            return NO_TASTES
        return tastes_of(served.shop, events, searches)

    def _note(self, trouble: KgrankError | None) -> None:
        """Keeps what is wrong with the store."""
        if isinstance(trouble, AccessError):
            # Connections that were let in before go on, and would hide it.
            self._disconnect()
            self._refused_until = time.monotonic() + REFUSED
        self._trouble = trouble


def silent(address: str) -> StoreError:
    """A store that does not answer, and does not refuse to either."""
    return StoreError(f"no answer within {SILENCE:g} s", where=address, todo="Ask again in a moment.")


def _anew(trouble: StoreError) -> StoreError:
    """The same for another caller: an error that is raised again and again gathers all their tracebacks."""
    return StoreError(trouble.problem, where=trouble.where, expected=trouble.expected, todo=trouble.todo)


def _state(store: GraphStore) -> tuple[str, str]:
    """The version that is served, and when the last load ended."""
    rows = store.query(STATE)
    if not rows:
        # Where the whole shop is gone, that is said.
        stored_ontology(store)
        raise WeightsError("no weights are served", where=store.address, todo="Train: kgrank train.")
    return rows[0]["version"], str(rows[0]["loaded"])


def _stamp(path: Path) -> tuple[int, ...]:
    """Changes when the file, or what stands beside it until it is folded in, is written."""
    found: list[int] = []
    for file in (path, path.with_name(path.name + ".wal")):
        # The second comes and goes at any moment.
        with suppress(FileNotFoundError):
            status = file.stat()
            found += (status.st_mtime_ns, status.st_size)
    return tuple(found)
