"""Everything that holds data of persons, one row each; a test holds it to schema, files and service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where data are."""

    NODE = "node"
    EDGE = "edge"
    FILE = "file"
    MEMORY = "memory"


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One thing that holds data of persons.

    Attributes:
        place: Where it is.
        name: Label or relationship type, pattern of a file's name, or class and field in memory.
        columns: Of a node or an edge, those that are of persons, or are made from what they did.
        has_ids: Whether it names persons by their ids.
        what: What it holds of a person.
        removal: How ``kgrank forget`` takes a person out of it.
        remains: What of the person stays in it until the next training; empty for nothing.
    """

    place: Place
    name: str
    columns: tuple[str, ...] = ()
    has_ids: bool = False
    what: str
    removal: str
    remains: str = ""


_COUNTED_AGAIN = "counted again without them"
_ESTIMATES = "part-worths, curves and tastes of the population, which were estimated from their choices too"

HOLDINGS = (
    Holding(
        place=Place.NODE,
        name="User",
        columns=("id",),
        has_ids=True,
        what="the id of each shopper or respondent",
        removal="deleted",
    ),
    Holding(
        place=Place.EDGE,
        name="INTERACTED",
        columns=(
            "source",
            "target",
            "id",
            "kind",
            "time",
            "session",
            "list",
            "position",
            "value",
            "query",
            "place",
            "offer",
        ),
        has_ids=True,
        what="what they were shown, looked at, took, rated and ranked, tasks of choice studies too",
        removal="deleted with the user",
    ),
    Holding(
        place=Place.EDGE,
        name="SEARCHED",
        columns=("source", "target", "id", "time", "session", "list", "query"),
        has_ids=True,
        what="what they searched for",
        removal="deleted with the user",
    ),
    Holding(
        place=Place.EDGE,
        name="IN_SEGMENT",
        columns=("source", "target"),
        has_ids=True,
        what="the segment that they are in, such as an age group",
        removal="deleted with the user",
    ),
    Holding(
        place=Place.EDGE,
        name="GOES_AFTER",
        columns=("weight", "forward", "backward", "next", "previous", "people", "together"),
        what="how many people took one item after another, of the weights that are served",
        removal=_COUNTED_AGAIN,
        remains="those of versions that are not served, until `kgrank weights prune`",
    ),
    Holding(
        place=Place.NODE,
        name="Weights",
        columns=("document", "posteriors", "network"),
        what="counts by item, brand and category; posteriors by category; tastes of the population and of its "
        "segments; the network's vectors of items and groups, and how many people bought of each",
        removal=f"counts: {_COUNTED_AGAIN}",
        remains=f"{_ESTIMATES}; vectors, to which their purchases added",
    ),
    Holding(
        place=Place.EDGE,
        name="IMPORTANCE",
        columns=("weight", "low", "high", "shoppers", "strength"),
        what="shares of the decision by category",
        removal="not changed: averages of all who chose there",
        remains="the averages, in which they count",
    ),
    Holding(
        place=Place.EDGE,
        name="UTILITY",
        columns=("low", "high", "intercept", "slope"),
        what="part-worths by category",
        removal="not changed: averages of all who chose there",
        remains="the averages, in which they count",
    ),
    Holding(
        place=Place.EDGE,
        name="RANKED",
        columns=("position", "score", "contributions"),
        what="rankings by the average part-worths",
        removal="not changed: averages of all who chose there",
        remains="the averages, in which they count",
    ),
    Holding(
        place=Place.NODE,
        name="Loaded",
        columns=("hashes",),
        what="32 bits of a hash of each user's id, and sums of hashes of their events",
        removal="the records of users, events and searches are deleted",
    ),
    Holding(
        place=Place.NODE,
        name="Forgotten",
        columns=("salt", "hashes"),
        what="a salted hash of the id of each forgotten user, so that no load brings them back",
        removal="they are put here; `kgrank forget --readmit` takes them off",
        remains="the hash",
    ),
    Holding(
        place=Place.FILE,
        name="*.lb",
        has_ids=True,
        what="the embedded store with all of the above",
        removal="written anew, without a byte of what was deleted",
    ),
    Holding(
        place=Place.FILE,
        name="*.lb.wal",
        has_ids=True,
        what="writes that are not yet in the embedded store's file",
        removal="gone when the store is written anew",
    ),
    Holding(
        place=Place.FILE,
        name="weights.json",
        what="the weights of a training, as in Weights",
        removal="not changed: forget names the files near the store",
        remains=f"counts, and {_ESTIMATES}; train again into the same folder, or delete it",
    ),
    Holding(
        place=Place.FILE,
        name="transitions.parquet",
        what="how many people took one item after another",
        removal="not changed: forget names the files near the store",
        remains="the counts; train again into the same folder, or delete it",
    ),
    Holding(
        place=Place.FILE,
        name="*network.json",
        what="the network's vectors of items and groups, and how many people bought of each",
        removal="not changed: forget names the files near the store",
        remains="counts and vectors; train again into the same folder, or delete it",
    ),
    Holding(
        place=Place.FILE,
        name="*.ckpt",
        what="parameters of the network of prior means",
        removal="not changed",
        remains="parameters that were learned from their choices too; delete the folder, or train again",
    ),
    Holding(
        place=Place.FILE,
        name="rejects.csv",
        has_ids=True,
        what="the rows that `load --rejects FILE` dropped",
        removal="yours: forget names the files near the store that name somebody",
    ),
    Holding(
        place=Place.FILE,
        name="events.*",
        has_ids=True,
        what="the log that you load, tasks and searches too, under whatever name",
        removal="yours: forget names the files near the store that name somebody",
    ),
    Holding(
        place=Place.FILE,
        name="people.*",
        has_ids=True,
        what="who is in which segment, as you load it, under whatever name",
        removal="yours: forget names the files near the store that name somebody",
    ),
    *(
        Holding(
            place=Place.FILE,
            name=f"{table}.csv",
            has_ids=True,
            what="rows for Neo4j's offline import",
            removal="not changed: delete the folder after the import",
        )
        for table in ("User", "INTERACTED", "SEARCHED", "IN_SEGMENT")
    ),
    Holding(
        place=Place.MEMORY,
        name="Served.log",
        has_ids=True,
        what="events, searches and segments, where a service reads an embedded store",
        removal="read again within the service's refresh time",
    ),
    Holding(
        place=Place.MEMORY,
        name="Served.persons",
        has_ids=True,
        what="tastes of the users that were asked for, and how often they bought each item",
        removal="computed again within the service's refresh time",
    ),
    Holding(
        place=Place.MEMORY,
        name="_Entry.user",
        has_ids=True,
        what="the user with whom an open session began",
        removal="sessions of the user end within the service's refresh time",
    ),
    Holding(
        place=Place.MEMORY,
        name="_Entry.person",
        what="the tastes with which an open session began, and what had been bought",
        removal="sessions of the user end within the service's refresh time",
    ),
    *(
        Holding(
            place=Place.MEMORY,
            name=f"Session.{field}",
            what="how often the shopper of an open session bought each item, before and in it",
            removal="sessions of the user end within the service's refresh time",
        )
        for field in ("earlier", "liking")
    ),
    Holding(
        place=Place.MEMORY,
        name="Shop.kept_worths",
        what="what values are worth to the shoppers who were ranked last",
        removal="computed again within the service's refresh time",
    ),
    Holding(
        place=Place.MEMORY,
        name="Liking.kept",
        what="scores of the shoppers who were ranked last, by what they bought",
        removal="computed again within the service's refresh time",
    ),
    Holding(
        place=Place.MEMORY,
        name="Behaviour.neighbours",
        what="items that the same people took, by number",
        removal="read again within the service's refresh time",
    ),
)
"""One row for each thing. The service's log names nobody: it has a pseudonym under a salt that ends with it."""

WITHOUT_PEOPLE = frozenset(
    {
        "Category",
        "Attribute",
        "AttributeValue",
        "Brand",
        "Item",
        "Segment",
        "Rule",
        "Ontology",
        "Log",
        "Schema",
        "Served",
        "SUBCATEGORY_OF",
        "ALSO_UNDER",
        "APPLIES",
        "OF",
        "IN_CATEGORY",
        "MADE_BY",
        "HAS_VALUE",
        "OFFERED",
        "HOLDS_IN",
        "SPEAKS_OF",
        "Weights.created",
        "Weights.ontology",
        "Weights.graph",
        "Weights.code",
        "Weights.id",
        "IMPORTANCE.source",
        "IMPORTANCE.target",
        "IMPORTANCE.version",
        "IMPORTANCE.reference",
        "UTILITY.source",
        "UTILITY.target",
        "UTILITY.id",
        "UTILITY.version",
        "GOES_AFTER.source",
        "GOES_AFTER.target",
        "GOES_AFTER.version",
        "RANKED.source",
        "RANKED.target",
        "RANKED.version",
        "Loaded.id",
        "Loaded.engine",
        "Loaded.written",
        "Forgotten.id",
    }
)
"""Labels, relationship types and columns of the schema that hold nothing of persons."""
