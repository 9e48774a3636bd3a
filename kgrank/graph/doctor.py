"""What is wrong with a store: its schema, its indexes, what was loaded, and the weights that it serves."""

from __future__ import annotations

from collections.abc import Iterator

from kgrank.errors import StoreError
from kgrank.graph.health import LOAD, REPAIR, Check, State
from kgrank.graph.store import GraphStore
from kgrank.resources import cypher, schema_version


def examine(store: GraphStore) -> Iterator[Check]:
    """Checks an open store, from the ground up; stops where nothing above can be right."""
    yield from store.health()
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
    yield from _shop(store)


def _shop(store: GraphStore) -> Iterator[Check]:
    ontology = store.nodes("Ontology")
    if ontology.is_empty():
        yield Check("shop", State.WRONG, "nothing loaded, or a load was cut short", LOAD)
        return
    items, lost = (
        store.query(cypher(f"doctor/{name}"))[0]["items"] for name in ("item_count", "items_without_category")
    )
    state = State.WARNING if lost else State.FINE
    todo = "Load the whole catalogue with --prune." if lost else ""
    yield Check("shop", state, f"{items:,} items, {lost:,} of them in no category", todo)
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
    return Check("connection", State.WRONG, error.problem, error.todo or "")
