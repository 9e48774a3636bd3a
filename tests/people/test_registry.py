"""The registry of what holds data of persons names all of it: what is added without a row fails here."""

from __future__ import annotations

import dataclasses
import fnmatch
from pathlib import Path

import polars as pl
import pytest
from generated_shop import graph_of, write_files

from kgrank.graph.connect import open_store
from kgrank.graph.forgotten import OF_PEOPLE
from kgrank.graph.offline import write_import
from kgrank.graph.schema import EDGES, NODES
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import load
from kgrank.learning.configuration.config import DataConfig, RunConfig
from kgrank.learning.run import run
from kgrank.people.forget import forget
from kgrank.people.registry import HOLDINGS, WITHOUT_PEOPLE, Holding, Place
from kgrank.ranking.catalogue import behaviour
from kgrank.ranking.catalogue.liking import Liking
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.shopper.session import Session
from kgrank.serving import current, sessions

FILES_WITHOUT_PEOPLE = ("items.csv", "config.yaml", "*.lock")
USER = "u7"


def holdings(place: Place) -> tuple[Holding, ...]:
    """The rows of one place."""
    return tuple(row for row in HOLDINGS if row.place is place)


def columns_of_the_schema() -> set[str]:
    nodes = {f"{label}.{c}" for label, node in NODES.items() for c in ("id", *node.columns)}
    return nodes | {f"{n}.{c}" for n, edge in EDGES.items() for c in ("source", "target", *edge.columns)}


def registered_columns() -> set[str]:
    rows = (row for row in HOLDINGS if row.place in (Place.NODE, Place.EDGE))
    return {f"{row.name}.{column}" for row in rows for column in row.columns}


def test_each_column_of_the_schema_is_either_of_persons_or_not() -> None:
    known = registered_columns()
    whole_tables = {name for name in WITHOUT_PEOPLE if "." not in name}
    for column in columns_of_the_schema():
        without = column in WITHOUT_PEOPLE or column.partition(".")[0] in whole_tables
        assert (column in known) != without, f"{column}: give it a row in kgrank/people/registry.py"
    assert known <= columns_of_the_schema()
    assert {name for name in WITHOUT_PEOPLE if "." in name} <= columns_of_the_schema()
    assert whole_tables <= {*NODES, *EDGES}


def test_each_edge_of_a_user_is_one_that_forget_counts_and_that_names_persons() -> None:
    ends = {name for name, edge in EDGES.items() if "User" in (edge.source, edge.target)}
    assert ends == set(OF_PEOPLE) == {row.name for row in holdings(Place.EDGE) if row.has_ids}


def test_only_what_is_registered_names_users_in_a_store(store: GraphStore, tmp_path: Path) -> None:
    graph, _ = graph_of(write_files(tmp_path / "files", people=12))
    load(store, graph)
    users = set(graph.node("User")["id"])
    naming = {row.name for row in HOLDINGS if row.has_ids}
    tables = {n: store.nodes(n) for n in NODES} | {e: store.edges(e) for e in EDGES}
    found = {
        name
        for name, table in tables.items()
        for column in table.iter_columns()
        if column.dtype == pl.String() and users & set(column.drop_nulls())
    }
    assert found == {"User", "INTERACTED"} <= naming


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a shop that was loaded and trained."""
    folder = tmp_path_factory.mktemp("shop")
    write_files(folder, people=60)
    data = DataConfig(store=str(folder / "graph.lb"), folder=str(folder))
    run(RunConfig(data=data, out=str(folder / "run")))
    return folder


def test_each_file_of_a_shop_has_a_row_or_holds_nothing_of_persons(trained: Path) -> None:
    patterns = {row.name: row for row in holdings(Place.FILE)}
    for path in (p for p in trained.rglob("*") if p.is_file()):
        rows = [row for name, row in patterns.items() if fnmatch.fnmatch(path.name, name)]
        without = any(fnmatch.fnmatch(path.name, name) for name in FILES_WITHOUT_PEOPLE)
        assert bool(rows) != without, f"{path.name}: give it a row in kgrank/people/registry.py"
        names = f"{USER}-".encode() in path.read_bytes()
        assert not names or rows[0].has_ids


def test_files_with_counts_of_single_people_are_their_owners_alone(trained: Path) -> None:
    for name in ("graph.lb", "run/weights.json", "run/transitions.parquet"):
        assert (trained / name).stat().st_mode & 0o077 == 0, name


def test_forgetting_leaves_the_id_in_no_file_but_the_users_own(trained: Path) -> None:
    with open_store(str(trained / "graph.lb")) as store:
        # Ids of sessions begin with the user's in these files.
        assert (store.edges("INTERACTED")["session"] == f"{USER}-0").any()
        forget(store, [USER])
    naming = [p.name for p in trained.rglob("*") if p.is_file() and f"{USER}-0".encode() in p.read_bytes()]
    assert naming == ["events.csv"]


def test_files_for_an_offline_import_that_name_users_have_rows(tmp_path: Path) -> None:
    graph, _ = graph_of(write_files(tmp_path / "files", people=12))
    write_import(graph, tmp_path / "import")
    naming = {path.name for path in (tmp_path / "import").iterdir() if b'"u7"' in path.read_bytes()}
    assert naming == {"User.csv", "INTERACTED.csv"}
    assert naming <= {row.name for row in holdings(Place.FILE) if row.has_ids}


def test_each_field_of_the_service_that_has_users_has_a_row() -> None:
    of_users = {
        f"{kind.__name__}.{field.name}"
        for module in (current, sessions)
        for kind in vars(module).values()
        if dataclasses.is_dataclass(kind) and isinstance(kind, type) and kind.__module__ == module.__name__
        for field in dataclasses.fields(kind)
        if field.name == "user" or "PersonTastes" in str(field.type) or "DataFrame" in str(field.type)
    }
    of_users |= {
        f"{kind.__name__}.{field.name}"
        for kind in (Session, Liking, Shop)
        for field in dataclasses.fields(kind)
        if "PersonLiking | None" in str(field.type) or "Kept" in str(field.type)
    }
    of_users.add(f"{behaviour.Behaviour.__name__}.neighbours")
    assert of_users == {row.name for row in holdings(Place.MEMORY)}


def test_each_row_says_how_a_person_goes() -> None:
    names = [(row.place, row.name) for row in HOLDINGS]
    assert len(names) == len(set(names))
    assert all(row.what and row.removal for row in HOLDINGS)
