"""People files: who is in which segment, such as a household type; a person is in one at most."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from kgrank.errors import did_you_mean
from kgrank.ingest import fields
from kgrank.ingest.cells.normalise import ids_by_name, names_by_key, same
from kgrank.ingest.mapping import People
from kgrank.ingest.raw import PEOPLE_COLUMNS, Raw, with_schema
from kgrank.ingest.read import read_table
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE
from kgrank.ontology.model import Ontology

_ONE_KIND = (
    "A person is in one segment at most: read the rows of one kind of segments (`where` in the mapping), or name "
    "segments that combine two kinds."
)


def read_people(folder: Path, source: People, rejects: Rejects) -> Raw:
    """The memberships of a file, with the segments in its own words.

    Raises:
        InputError: A column is missing.
    """
    path, table = folder / source.file, read_table(folder, source, rejects)
    rejects.read[source.file] = len(table)
    frame = table.select(
        fields.required(table, source.person, "person", path),
        fields.required(table, source.segment, "segment", path),
        LINE,
    )
    nobody, unknown = pl.col("person").is_null(), pl.col("segment").is_null()
    frame = rejects.drop(frame, nobody, "no id", path, id="person", cell=pl.lit("no person"))
    frame = rejects.drop(frame, unknown, "no segment", path, id="person", cell=pl.lit("no segment"))
    return Raw(people=with_schema(frame, PEOPLE_COLUMNS, path))


def clean_people(people: pl.DataFrame, ontology: Ontology, rejects: Rejects) -> pl.DataFrame:
    """Each person once, with the id of their segment.

    Dropped are rows whose segment the ontology does not have, and all rows of a person in two segments.

    Raises:
        InputError: One of these mistakes takes most rows.
    """
    known = ids_by_name(ontology.segments.values())
    texts = people["segment"].unique().sort().to_list()
    names = list(names_by_key(ontology.segments.values()).values())
    near = {t: f"{t} {did_you_mean(t, names)}".strip() for t in texts if same(t) not in known}
    people = rejects.drop_each(
        people,
        pl.col("segment").is_in(list(near)),
        "unknown segment",
        id="person",
        cell=pl.col("segment").replace(near),
        todo="Add it to the ontology as a kg:Segment, or write in the mapping what it is called there: "
        "`segment: {column: segment, rename: {…: …}}`.",
    )
    people = people.with_columns(
        pl.col("segment").replace({t: known[same(t)] for t in texts if t not in near})
    )
    again = pl.struct("person", "segment").is_first_distinct().not_()
    people = rejects.drop_each(people, again, "duplicate row", id="person", cell=pl.col("segment"))
    both = pl.col("segment").str.join(", ").over("person")
    several = pl.len().over("person") > 1
    people = rejects.drop_each(people, several, "two segments", id="person", cell=both, todo=_ONE_KIND)
    return people.select("person", "segment").sort("person")
