"""Files for Neo4j's offline import give the same graph as a load."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from generated_shop import graph_of, write_files
from neo4j_server import PASSWORD, admin, configure, start_from_jars, wait
from polars.testing import assert_frame_equal

from kgrank.errors import InputError
from kgrank.graph.connect import open_store
from kgrank.graph.offline import write_import
from kgrank.graph.sync import load


@pytest.mark.neo4j
def test_an_imported_graph_is_the_loaded_one_and_a_load_after_it_goes_on(tmp_path: Path) -> None:
    if not (shutil.which("java") and shutil.which("mvn")):
        pytest.skip("the offline import needs the server's own jars: install a JDK (17 or later) and Maven")
    graph, _ = graph_of(write_files(tmp_path / "files"))
    home = tmp_path / "home"
    configure(home)
    admin(home, *shlex.split(write_import(graph, tmp_path / "import")))
    process, server = start_from_jars(home)
    try:
        wait(server, process)
        with open_store(server.address, user=server.user, password=PASSWORD) as store:
            for label, table in graph.nodes.items():
                assert_frame_equal(store.nodes(label), table.sort("id"))
            for name, edges in graph.edges.items():
                assert_frame_equal(store.edges(name), edges, check_row_order=False)
            load(store, graph)
            assert load(store, graph).compared == {}
    finally:
        process.kill()
        process.wait()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    graph, _ = graph_of(write_files(tmp_path))
    with pytest.raises(InputError, match="new or empty folder"):
        write_import(graph, tmp_path)
