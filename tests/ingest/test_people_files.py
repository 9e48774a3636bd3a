"""Who is in which segment: a file of people, edges of the graph, later loads, and what is dropped, and why."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from generated_shop import ontology
from hypothesis import given, settings
from hypothesis import strategies as st
from small_shop import Shop

from kgrank.errors import InputError
from kgrank.graph.build import build_graph
from kgrank.graph.connect import open_store
from kgrank.graph.offline import write_import
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import load
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import Events, Field, Items, Mapping, People
from kgrank.ontology.imports.fold import fold
from kgrank.ontology.imports.plan import Plan, PlannedCategory
from kgrank.ontology.imports.write import write_plan
from kgrank.ontology.model import Ontology, Term
from kgrank.ontology.read import read_ontology
from kgrank.people.forget import forget
from kgrank.profiling.folder import initialise
from kgrank.resources import schema_version

ITEMS = "id,category,color,price\nd1,dresses,red,20\nd2,dresses,blue,30\n"
EVENTS = (
    "time,user,kind,item\n2026-03-01,u1,purchase,d1\n2026-03-02,u2,purchase,d2\n2026-03-03,u3,purchase,d2\n"
)
PEOPLE = "person,segment\nu1,students\nu2,Families\nu9,students\n"
SEGMENTS = {
    "students": Term("students", names={"en": "Students"}),
    "families": Term("families", names={"en": "Families"}, synonyms={"en": ("parents",)}),
}


def known() -> Ontology:
    return replace(ontology({}), segments=SEGMENTS)


def clean_of(shop: Shop, people: str, events: str = EVENTS) -> Clean:
    return ingest(shop(items_csv=ITEMS, events_csv=events, people_csv=people), ontology=known())


def members(clean: Clean) -> list[tuple[str, str]]:
    assert clean.people is not None
    return clean.people.rows()


def edges(store: GraphStore) -> set[tuple[str, str]]:
    return set(store.edges("IN_SEGMENT").rows())


def test_a_segment_is_named_by_its_id_its_name_or_a_synonym(shop: Shop) -> None:
    clean = clean_of(shop, "person,segment\nu1,STUDENTS\nu2,parents\nu3,families\n")
    assert members(clean) == [("u1", "students"), ("u2", "families"), ("u3", "families")]


def test_foreign_columns_words_and_ids_are_mapped(shop: Shop) -> None:
    folder = shop(
        items_csv=ITEMS, events_csv=EVENTS, crm_csv="kunde;kind;typ\n1;hh;Stud\n1;alter;40+\n2;hh;Fam\n"
    )
    crm = People(
        file="crm.csv",
        separator=";",
        where={"kind": ("hh",)},
        person=Field(column="kunde", prefix="u"),
        segment=Field(column="typ", rename={"Stud": "students", "Fam": "families"}),
    )
    files = Mapping(
        items=(Items(file="items.csv", rest=True),), events=(Events(file="events.csv"),), people=(crm,)
    )
    assert members(ingest(folder, ontology=known(), mapping=files)) == [
        ("u1", "students"),
        ("u2", "families"),
    ]


def test_what_says_nothing_is_dropped_with_its_reason(shop: Shop) -> None:
    rows = "u1,students u2,families u3,studnets ,students u4, u1,students u5,students u5,families u6,families"
    clean = clean_of(shop, "person,segment\n" + rows.replace(" ", "\n"))
    assert members(clean) == [("u1", "students"), ("u2", "families"), ("u6", "families")]
    found = clean.report.rows.sort("line").select("line", "reason", "id", "found").rows()
    assert found == [
        (4, "unknown segment", "u3", "studnets Did you mean Students?"),
        (5, "no id", None, "no person"),
        (6, "no segment", "u4", "no segment"),
        (7, "duplicate row", "u1", "students"),
        (8, "two segments", "u5", "students, families"),
        (9, "two segments", "u5", "students, families"),
    ]


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ("person,segment\nu1,old\nu2,old\nu3,students\n", "2 of 3 rows: unknown segment.*kg:Segment"),
        ("person,segment\nu1,students\nu1,families\n", "2 of 2 rows: two segments.*one segment at most"),
        ("who,segment\nu1,students\n", "there is no column 'person'"),
        ("person\nu1\n", "there is no column 'segment'"),
    ],
)
def test_a_mistake_in_most_rows_is_one_error(shop: Shop, people: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        clean_of(shop, people)


def test_without_an_ontology_the_segments_are_those_of_the_file(shop: Shop, tmp_path: Path) -> None:
    people = "person,segment\nu1,Young families\nu2,young families\nu3,Students\n"
    folder = shop(items_csv=ITEMS, events_csv=EVENTS, people_csv=people)
    clean = ingest(folder)
    assert {s.id: s.name() for s in clean.ontology.segments.values()} == {
        "students": "Students",
        "young-families": "Young families",
    }
    assert len(members(clean)) == 3
    made = initialise([folder], tmp_path / "made")
    again = ingest(folder, ontology=read_ontology(made.folder / "ontology"))
    assert members(again) == members(clean)


def test_people_are_edges_of_the_graph_and_whoever_has_one_is_a_user(store: GraphStore, shop: Shop) -> None:
    load(store, build_graph(clean_of(shop, PEOPLE)))
    rows = store.query(
        "MATCH (u:User)-[:IN_SEGMENT]->(s:Segment) RETURN u.id AS user, s.name AS segment ORDER BY u.id"
    )
    assert [(r["user"], r["segment"]) for r in rows] == [
        ("u1", "Students"),
        ("u2", "Families"),
        ("u9", "Students"),
    ]


def test_a_later_file_moves_people_and_a_load_without_one_leaves_them(store: GraphStore, shop: Shop) -> None:
    load(store, build_graph(clean_of(shop, PEOPLE)))
    folder = shop(items_csv=ITEMS, events_csv=EVENTS)
    (folder / "people.csv").unlink()
    without = ingest(folder, ontology=known())
    assert without.people is None
    load(store, build_graph(without))
    assert edges(store) == {("u1", "students"), ("u2", "families"), ("u9", "students")}
    load(store, build_graph(clean_of(shop, "person,segment\nu1,families\nu9,students\n")))
    assert edges(store) == {("u1", "families"), ("u9", "students")}


def test_memberships_come_back_with_the_segment_that_had_left_the_ontology(
    store: GraphStore, shop: Shop
) -> None:
    whole = build_graph(clean_of(shop, PEOPLE))
    load(store, whole)
    folder = shop(items_csv=ITEMS, events_csv=EVENTS)
    (folder / "people.csv").unlink()
    load(store, build_graph(ingest(folder, ontology=replace(known(), segments={}))))
    assert edges(store) == set()
    load(store, whole)
    assert len(edges(store)) == 3


def test_a_forgotten_person_is_in_no_segment_and_does_not_come_back(store: GraphStore, shop: Shop) -> None:
    graph = build_graph(clean_of(shop, PEOPLE))
    load(store, graph)
    report = forget(store, ["u1", "u9"])
    assert (report.forgotten, report.events) == (2, 1)
    load(store, graph)
    assert edges(store) == {("u2", "families")}


def test_a_store_of_the_schema_before_gets_segments(store: GraphStore, shop: Shop) -> None:
    store.upsert_nodes("Schema", pl.DataFrame({"id": ["schema"], "version": [8]}))
    load(store, build_graph(clean_of(shop, PEOPLE)))
    assert store.schema_version() == schema_version()
    assert len(edges(store)) == 3


def test_a_file_of_the_schema_before_gets_segments(tmp_path: Path, shop: Shop) -> None:
    address = str(tmp_path / "shop.lb")
    with open_store(address) as opened:
        opened.prepare()
        with opened._writing() as connection:  # type: ignore[attr-defined]
            connection.execute("DROP TABLE `IN_SEGMENT`")
            connection.execute("DROP TABLE `Segment`")
            connection.execute("MATCH (s:Schema) SET s.version = 8")
    with open_store(address) as opened:
        load(opened, build_graph(clean_of(shop, PEOPLE)))
        assert len(edges(opened)) == 3


def test_an_offline_import_has_the_memberships(shop: Shop, tmp_path: Path) -> None:
    arguments = write_import(build_graph(clean_of(shop, PEOPLE)), tmp_path / "import")
    assert "--relationships=IN_SEGMENT=" in arguments
    assert "--nodes=KgrankSegment=" in arguments
    rows = pl.read_csv(tmp_path / "import" / "IN_SEGMENT.csv").rows()
    assert rows == [("u1", "students"), ("u2", "families"), ("u9", "students")]


def test_segments_of_a_plan_come_back_from_turtle(tmp_path: Path) -> None:
    plan = Plan((PlannedCategory("c", {"en": "C"}),), segments={"young": "Young", "0-17": "Minors"})
    write_plan(plan, fold(plan), tmp_path / "ontology")
    read = read_ontology(tmp_path / "ontology").segments
    assert {id_: s.name() for id_, s in read.items()} == plan.segments


@settings(max_examples=30)
@given(
    st.dictionaries(
        # Not as numbers: among these a stop, say, means: not known.
        st.text("abcdef0123456789-_/. ", max_size=8).map(lambda text: f"u{text}".strip()),
        st.sampled_from(sorted(SEGMENTS)),
        min_size=1,
        max_size=8,
    )
)
def test_memberships_written_as_a_file_come_back(people: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "items.csv").write_text(ITEMS, encoding="utf-8")
        Path(folder, "events.csv").write_text(EVENTS, encoding="utf-8")
        table = pl.DataFrame({"person": list(people), "segment": list(people.values())})
        table.write_csv(Path(folder, "people.csv"))
        clean = ingest(Path(folder), ontology=known())
    assert dict(members(clean)) == people
