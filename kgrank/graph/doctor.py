"""What is wrong with a store: its schema, its indexes, what was loaded, and the weights that it serves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kgrank.errors import StoreError
from kgrank.graph.ladybug import LadybugStore
from kgrank.graph.neo4j import Neo4jStore
from kgrank.resources import cypher, schema_version


class State(StrEnum):
    """How a check came out."""

    FINE = "fine"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Check:
    """One thing looked at, what was found, and what to do."""

    name: str
    state: State
    found: str
    todo: str = ""


LOAD = "Load the shop: kgrank load FOLDER."
REPAIR = "Bring it to this version: kgrank doctor --repair."


def examine(store: LadybugStore | Neo4jStore) -> Iterator[Check]:
    """Looks at an open store, from the ground up; stops where nothing above can be right."""
    if isinstance(store, Neo4jStore):
        yield Check("server", State.FINE, store.agent)
    version = store.schema_version()
    if version > schema_version():
        todo = "It was made by a newer kgrank: upgrade this one."
        yield Check("schema", State.WRONG, f"version {version}, newer than {schema_version()}", todo)
        return
    if version == 0:
        yield Check("schema", State.WRONG, "never prepared", LOAD)
        return
    if version < schema_version():
        yield Check("schema", State.WRONG, f"version {version} of {schema_version()}", REPAIR)
        return
    yield Check("schema", State.FINE, f"version {version}")
    if isinstance(store, Neo4jStore):
        yield from _indexes(store)
    yield from _shop(store)


def _indexes(store: Neo4jStore) -> Iterator[Check]:
    missing, offline = store.missing_indexes()
    if missing:
        todo = "Make them anew: kgrank doctor --repair."
        yield Check("indexes", State.WRONG, f"missing: {', '.join(missing)}", todo)
    elif offline:
        todo = "Wait until they are populated; if they have failed, drop them and load again."
        yield Check("indexes", State.WARNING, f"not online: {', '.join(offline)}", todo)
    else:
        yield Check("indexes", State.FINE, "all there and online")


def _shop(store: LadybugStore | Neo4jStore) -> Iterator[Check]:
    ontology = store.nodes("Ontology")
    if ontology.is_empty():
        yield Check("shop", State.WRONG, "nothing loaded, or a load was cut short", LOAD)
        return
    count = "MATCH (i:Item) RETURN count(i) AS items"
    lost = (
        "MATCH (i:Item) WHERE NOT EXISTS { MATCH (i)-[:IN_CATEGORY]->(:Category) } RETURN count(i) AS items"
    )
    items, nowhere = (store.query(statement)[0]["items"] for statement in (count, lost))
    state = State.WARNING if nowhere else State.FINE
    todo = "Load the whole catalogue with --prune." if nowhere else ""
    yield Check("shop", state, f"{items:,} items, {nowhere:,} of them in no category", todo)
    served = store.nodes("Served")["version"].to_list()
    if not served:
        todo = "Learn some: kgrank train --config FILE."
        yield Check("weights", State.WARNING, "none are served", todo)
        return
    weights = {row["version"]: row["ontology"] for row in store.query(cypher("rank/versions"))}
    if served[0] not in weights:
        todo = "Serve one that is: kgrank weights list."
        yield Check("weights", State.WRONG, f"{served[0]} is served and not there", todo)
    elif weights[served[0]] != ontology["fingerprint"][0]:
        todo = "Train again: kgrank train --config FILE, or load the ontology that they belong to."
        yield Check("weights", State.WRONG, f"{served[0]} belongs to another ontology", todo)
    else:
        yield Check("weights", State.FINE, f"{served[0]} is served, of {len(weights)} versions")


def unreachable(error: StoreError) -> Check:
    """A store that could not be opened."""
    return Check("connection", State.WRONG, error.found, error.todo or "")
