"""What is served: one shop under one version of the weights, replaced whole when another is written."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from sys import getsizeof

import polars as pl

from kgrank.choice.tastes.person import PersonTastes
from kgrank.errors import AccessError, BusyError, InputError, KgrankError, StoreError
from kgrank.graph.connect import is_embedded, open_store
from kgrank.graph.store import GraphStore
from kgrank.ranking.catalogue.shop import Shop, open_shop
from kgrank.ranking.shopper.person import read_events, read_segment, tastes_of
from kgrank.ranking.stored.versions import served_version
from kgrank.weights.tables import stored_weights

PERSONS = 10_000
"""Persons that are kept at most."""

ANSWERS = 32 << 20
"""Bytes of the answers that are kept at most, with their questions."""

PATIENCE = 2.0
"""Seconds of trying again before a store that does not answer counts as failed; callers wait for it."""

SILENCE = 5.0
"""Seconds without an answer after which a store counts as failed: a read from a frozen server takes minutes."""

REFUSED = 30.0
"""Seconds until a server that refused the password is asked again: after three wrong ones Neo4j refuses a user's
right one too, for five seconds."""

LARGEST_QUESTION, LARGEST_ANSWER = 2048, 65_536
"""Bytes of a question and of an answer that are kept at most."""

NO_TASTES = PersonTastes({}, {}, 0)


@dataclass
class Served:
    """One shop under one version, and what was computed for it; a request uses one from its start to its end.

    Attributes:
        shop: The shop.
        loaded: When its catalogue was loaded, as the store says.
        log: Events, searches and memberships in segments, where the store is not kept open (the embedded one).
        answers: Bodies by path and question.
        taken: Bytes of the answers and their questions.
        persons: Tastes by user.
    """

    shop: Shop
    loaded: str
    log: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame] | None = None
    answers: OrderedDict[tuple[str, bytes], bytes] = field(default_factory=OrderedDict)
    taken: int = 0
    persons: OrderedDict[str, PersonTastes] = field(default_factory=OrderedDict)

    @property
    def version(self) -> str:
        """Of the weights."""
        return self.shop.weights.version

    def remember(self, path: str, question: bytes, answer: bytes) -> None:
        """Keeps an answer that depends on nothing but its question."""
        if len(question) > LARGEST_QUESTION or len(answer) > LARGEST_ANSWER:
            return
        # Two that asked at once both bring it.
        self.taken -= _size((path, question), self.answers.pop((path, question), b""))
        self.answers[path, question] = answer
        self.taken += _size((path, question), answer)
        while self.taken > ANSWERS:
            self.taken -= _size(*self.answers.popitem(last=False))


def _size(asked: tuple[str, bytes], answer: bytes) -> int:
    """Bytes of an answer that is kept, and of its question."""
    return sum(map(getsizeof, (asked, *asked, answer))) if answer else 0


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
        self._error: KgrankError | None = None
        self._query_start: float | None = None
        self._embedded = is_embedded(address)
        self._store: GraphStore | None = None
        self._closed = False
        self._stamp: tuple[int, ...] | None = None
        self._refused_until = 0.0
        self._lock = threading.Lock()

    @property
    def store_error(self) -> KgrankError | None:
        """Why the store cannot be read now."""
        error, query_start = self._error, self._query_start
        # A known error stays what it is while it is checked whether it is over.
        if error is None and query_start is not None and time.monotonic() - query_start > SILENCE:
            return silent(self.address)
        return error

    def refresh(self, wait: float = 0) -> bool:
        """Reads what is served now, if it is not what was read; whether anything was.

        Blocks; meant for a thread.

        Args:
            wait: Seconds to wait for another process that has an embedded store open.
        """
        with self._lock:
            if time.monotonic() < self._refused_until:
                return False
            try:
                changed = self._refresh(wait)
            except BusyError as error:
                # A load or a training writes: what it wrote is read when it is done.
                if self.served is None:
                    self._note(error)
                return False
            except KgrankError as error:
                self._note(error)
                return False
            except Exception as error:
                # Whatever the store holds, the service continues, and reads it again.
                problem = f"its content cannot be read ({type(error).__name__}: {error})"
                self._note(StoreError(problem, where=self.address, todo="Examine it: kgrank doctor."))
                return False
            self._note(None)
            return changed

    def person(self, served: Served, user: str) -> PersonTastes:
        """A user's own tastes; blocks where the store is asked. An unknown user has none.

        Raises:
            StoreError: The store does not answer.
        """
        try:
            tastes = self._read_person(served, user)
        except InputError:
            # An event on an item that was loaded a moment ago: the load is taken up in the next.
            tastes = NO_TASTES
        except AccessError as error:
            with self._lock:
                self._note(error)
            raise
        served.persons[user] = tastes
        if len(served.persons) > PERSONS:
            served.persons.popitem(last=False)
        return tastes

    def absent(self, users: Collection[str]) -> frozenset[str]:
        """Those of some users whom the store has no longer; blocks where the store is asked.

        Raises:
            StoreError: The store does not answer.
        """
        served, store = self.served, self._store
        if served is not None and served.log is not None:
            present = {user for table in served.log for user in table["source"].unique()}
        elif store is not None and users:
            present = set(store.nodes("User", pl.Series(list(users), dtype=pl.String))["id"])
        else:
            present = set(users)
        return frozenset(users) - present

    def serve(self, version: str) -> None:
        """Serves an earlier or later version of the weights from the store on.

        Raises:
            InputError: There is no such version.
            StoreError: The store cannot be written.
            WeightsError: The version does not fit what is in the store.
        """
        error = self.store_error
        if isinstance(error, AccessError):
            raise _anew(error)
        if not self._lock.acquire(timeout=PATIENCE):
            error = self.store_error
            if isinstance(error, StoreError):
                raise _anew(error)
            raise StoreError("the store is being read", where=self.address, todo="Try again in a moment.")
        try:
            with open_store(self.address, wait=0, patience=PATIENCE) as store:
                # A version that cannot be read is refused before it is served.
                shop = open_shop(store, stored_weights(store, version))
                store.serve(version)
                self._take(store, shop, served_version(store).loaded)
        except AccessError as error:
            self._note(error)
            raise
        finally:
            self._lock.release()

    def close(self) -> None:
        """Gives the store back for good, also where a thread is opening it at this moment."""
        self._closed = True
        self._disconnect()

    def _refresh(self, wait: float) -> bool:
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
        with open_store(self.address, wait=wait) as store:
            changed = self._read(store)
        self._stamp = _stamp(Path(self.address))
        return changed

    def _disconnect(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def _read(self, store: GraphStore) -> bool:
        self._query_start = time.monotonic()
        try:
            stored = served_version(store)
        finally:
            self._query_start = None
        served = self.served
        if served is not None and (served.version, served.loaded) == (stored.version, stored.loaded):
            return False
        self._take(store, open_shop(store), stored.loaded)
        return True

    def _take(self, store: GraphStore, shop: Shop, loaded: str) -> None:
        before, log = self.served, None
        if self._embedded and before is not None and before.loaded == loaded:
            log = before.log
        elif self._embedded:
            log = store.edges("INTERACTED"), store.edges("SEARCHED"), store.edges("IN_SEGMENT")
        self.served = Served(shop, loaded, log)

    def _read_person(self, served: Served, user: str) -> PersonTastes:
        if served.log is not None:
            events, searches, memberships = (t.filter(pl.col("source") == user) for t in served.log)
            segment = next(iter(memberships["target"]), None)
        else:
            # A store that is known not to answer is not waited for by one caller after another.
            error = self.store_error
            if isinstance(error, StoreError):
                raise _anew(error)
            if self._store is None:
                todo = "Try again in a moment."
                raise StoreError("the store is not connected", where=self.address, todo=todo)
            events, searches = read_events(self._store, user)
            segment = read_segment(self._store, user)
        if events.is_empty() and searches.is_empty() and segment is None:
            return NO_TASTES
        return tastes_of(served.shop, events, searches, segment)

    def _note(self, error: KgrankError | None) -> None:
        """Keeps what is wrong with the store."""
        if isinstance(error, AccessError):
            # Connections that were admitted before still work, and would hide it.
            self._disconnect()
            self._refused_until = time.monotonic() + REFUSED
        self._error = error


def silent(address: str) -> StoreError:
    """A store that does not answer, and does not refuse to either."""
    return StoreError(f"no answer within {SILENCE:g} s", where=address, todo="Ask again in a moment.")


def _anew(error: StoreError) -> StoreError:
    """The same for another caller: an error that is raised again and again gathers all their tracebacks."""
    return StoreError(error.problem, where=error.where, expected=error.expected, todo=error.todo)


def _stamp(path: Path) -> tuple[int, ...]:
    """Changes when the file is written, or the log of writes beside it that is not yet part of it."""
    stamp: list[int] = []
    for file in (path, path.with_name(path.name + ".wal")):
        # The second comes and goes at any moment.
        with suppress(FileNotFoundError):
            status = file.stat()
            stamp += (status.st_mtime_ns, status.st_size)
    return tuple(stamp)
