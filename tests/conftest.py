"""The stores, and a small generated shop, for every test that needs one."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# Before numpy is imported. The tests run in a process for each core: with more threads than that, those of a
# product of small matrices spend most of the time waiting for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).parents[1]))

from generated_shop import Generated, graph_of, write_files
from neo4j_server import NoServerError, Server, empty, running_server

from benchmarks.data_sets import VARIABLE, data_root, is_there
from kgrank.choice.data.responses import read_log
from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore

# What a machine does beside the tests is no fault of theirs.
hypothesis.settings.register_profile("kgrank", deadline=None)
hypothesis.settings.load_profile("kgrank")

NOT_HERE = pytest.StashKey[Counter[str]]()
"""How many tests are left out for want of which data set."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests whose data set is not on this machine."""
    missing = {
        item: next((n for mark in item.iter_markers("data") for n in mark.args if not is_there(n)), None)
        for item in items
    }
    config.stash[NOT_HERE] = Counter(name for name in missing.values() if name is not None)
    if config.stash[NOT_HERE]:
        config.hook.pytest_deselected(items=[item for item in items if missing[item] is not None])
        items[:] = [item for item in items if missing[item] is None]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of its own hands what it left out to the one that prints."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = dict(session.config.stash.get(NOT_HERE, Counter()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every process leaves out the same tests, so those of the last one are what is printed."""
    node.config.stash[NOT_HERE] = Counter(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says in one line which tests were left out, and why."""
    if counts := config.stash.get(NOT_HERE, None):
        root = data_root()
        where = f"{VARIABLE} is not set" if root is None else f"not in {root}"
        names = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
        terminalreporter.write_line(
            f"{counts.total()} tests left out, which need data sets ({where}; docs/data.md): {names}"
        )


@pytest.fixture(scope="session")
def neo4j_server() -> Iterator[Server]:
    """One real server for the whole run; without one its tests are skipped, and fail where CI=true."""
    try:
        with running_server() as server:
            yield server
    except NoServerError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def neo4j_address(neo4j_server: Server) -> Iterator[str]:
    """The server's address; NEO4J_USER, NEO4J_PASSWORD and NEO4J_DATABASE hold the rest while tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEO4J_USER", neo4j_server.user)
        patch.setenv("NEO4J_PASSWORD", neo4j_server.password)
        if neo4j_server.database:
            patch.setenv("NEO4J_DATABASE", neo4j_server.database)
        yield neo4j_server.address


@pytest.fixture
def neo4j_store(neo4j_server: Server, neo4j_address: str) -> Iterator[GraphStore]:
    """An empty, prepared Neo4j store."""
    empty(neo4j_server)
    with open_store(neo4j_address) as opened:
        opened.prepare()
        yield opened


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty, prepared embedded store, to be copied."""
    path = tmp_path_factory.mktemp("prepared") / "shop.lb"
    with open_store(str(path)) as opened:
        opened.prepare()
    return path


@pytest.fixture
def embedded_store(tmp_path: Path, prepared_file: Path) -> Iterator[GraphStore]:
    """An empty, prepared embedded store."""
    with open_store(str(shutil.copy(prepared_file, tmp_path / "shop.lb"))) as opened:
        yield opened


@pytest.fixture(params=["embedded", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def store(request: pytest.FixtureRequest) -> GraphStore:
    """An empty, prepared store; a test that asks for it runs once on each kind of store."""
    opened: GraphStore = request.getfixturevalue(f"{request.param}_store")
    return opened


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """A small generated shop with one rule, as a graph with its choices."""
    graph, ontology = graph_of(write_files(tmp_path_factory.mktemp("generated")))
    return graph, ontology, read_log(graph, ontology)
