"""The versions of the weights in a store, and which of them is served."""

from __future__ import annotations

from kgrank.errors import WeightsError
from kgrank.graph.store import GraphStore
from kgrank.ranking.answers import ServedVersion, StoredVersion, StoredVersions
from kgrank.ranking.catalogue.shop import stored_ontology
from kgrank.resources import cypher


def served_version(store: GraphStore) -> ServedVersion:
    """The version that is served, and when the catalogue was loaded.

    Raises:
        StoreError: The store holds no shop.
        WeightsError: No weights are served.
    """
    rows = store.query(cypher("rank/served_version"))
    if not rows:
        # Where the whole shop is gone, that is the error.
        stored_ontology(store)
        raise WeightsError(
            "no weights are served",
            where=store.address,
            todo="Train, or name a version: kgrank weights list.",
        )
    return ServedVersion(version=rows[0]["version"], loaded=str(rows[0]["loaded"]))


def stored_versions(store: GraphStore) -> StoredVersions:
    """All versions in a store, newest first."""
    fingerprints = store.nodes("Ontology")["fingerprint"].to_list()
    versions = tuple(
        StoredVersion(row["version"], row["created"], row["served"], row["ontology"] in fingerprints)
        for row in store.query(cypher("rank/versions"))
    )
    return StoredVersions(next((v.version for v in versions if v.served), None), versions)
