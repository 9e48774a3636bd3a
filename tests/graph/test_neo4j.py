"""What the Neo4j store says when something is wrong, against a real server."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import neo4j
import polars as pl
import pytest
from neo4j_server import MARK, Server, running_server

from kgrank import resources
from kgrank.errors import StoreError
from kgrank.graph.connect import open_store
from kgrank.graph.labels import PREFIX, with_prefix
from kgrank.graph.neo4j.statements import all_edges, merge_edges, merge_nodes, nodes_by_id
from kgrank.graph.schema import EDGES, LEARNED_EDGES, NODES
from kgrank.graph.store import GraphStore

pytestmark = pytest.mark.neo4j


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_an_address_opens_neo4j_with_credentials_from_the_environment(
    neo4j_address: str, scheme: str
) -> None:
    address = f"{scheme}://{neo4j_address.partition('://')[2]}"
    with open_store(address) as store:
        assert store.query("RETURN 1 AS one") == [{"one": 1}]
        assert store.address == address


def test_a_wrong_password_is_named_and_never_printed(neo4j_address: str) -> None:
    with pytest.raises(StoreError, match=r"refuses user and password.*NEO4J_PASSWORD") as caught:
        open_store(neo4j_address, password="not-the-password")
    assert "not-the-password" not in str(caught.value)


def test_no_password_is_named(neo4j_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEO4J_PASSWORD")
    with pytest.raises(StoreError, match="NEO4J_USER and NEO4J_PASSWORD"):
        open_store(neo4j_address)


def test_a_database_that_does_not_exist_is_named(neo4j_address: str) -> None:
    with pytest.raises(StoreError, match=r"no database nowhere.*NEO4J_DATABASE"):
        open_store(neo4j_address, database="nowhere")


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_an_unknown_host_is_an_error_at_once(scheme: str) -> None:
    start = time.monotonic()
    with pytest.raises(StoreError, match="no machine of that name"):
        open_store(f"{scheme}://no-such-host.invalid:7687", password="x")
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_a_port_where_nothing_answers_is_waited_for_and_then_an_error(
    scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(StoreError, match="no server answers"):
        open_store(f"{scheme}://127.0.0.1:1", password="x", wait=1)
    told = [r.getMessage() for r in caplog.records if r.name == "kgrank.graph.neo4j.store"]
    assert told == [f"{scheme}://127.0.0.1:1 does not answer yet; waiting up to 1 s for it"]


@pytest.mark.parametrize(
    "address",
    [
        "ftp://host",
        "bolt://neo4j:secret@host:7687",
        "bolt://neo4j:7687/secret@host",
        "bolt://neo4j:a/secret@host:7687",
        "bolt://host:port",
        "bolt://",
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(StoreError, match="bolt://host:7687") as caught:
        open_store(address, wait=0)
    assert "secret" not in str(caught.value)


def test_an_encrypted_address_of_a_server_without_tls_is_named(neo4j_address: str) -> None:
    with pytest.raises(StoreError, match="no encrypted connection"):
        open_store(neo4j_address.replace("bolt://", "bolt+s://"))


@pytest.fixture
def answering(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that gives one answer after another to whatever it is sent."""
    answers: list[bytes] = request.param
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    for part in answers:
                        connection.recv(4096)
                        connection.sendall(part)

        threading.Thread(target=answer, daemon=True).start()
        yield f"bolt://127.0.0.1:{listener.getsockname()[1]}"


def bolt_success(agent: str) -> bytes:
    """The message SUCCESS {server: agent, connection_id: 'b'}, in one chunk."""
    text = agent.encode()
    fields = b"\x86server" + bytes([0x80 + len(text)]) + text + b"\x8dconnection_id\x81b"
    message = b"\xb1\x70\xa2" + fields
    return len(message).to_bytes(2, "big") + message + b"\x00\x00"


@pytest.mark.parametrize(
    "answering", [[b"\x00\x00\x04\x04"] + [bolt_success("Neo4j/4.4.38")] * 4], indirect=True
)
def test_a_server_before_neo4j_5_is_refused_with_its_version(answering: str) -> None:
    with pytest.raises(StoreError, match=r"the server is Neo4j/4\.4\.38; expected Neo4j 5 or later"):
        open_store(answering, password="x", wait=0)


@pytest.mark.parametrize("answering", [[b"HTTP/1.1 400 Bad Request\r\n\r\n"]], indirect=True)
def test_the_http_port_is_named(answering: str) -> None:
    with pytest.raises(StoreError, match="speaks HTTP; expected the Bolt port"):
        open_store(answering, password="x")


@pytest.mark.parametrize("answering", [[b"\x00\x00\x00\x00"]], indirect=True)
def test_a_server_that_speaks_no_known_bolt_is_an_error(answering: str) -> None:
    with pytest.raises(StoreError, match="does not support"):
        open_store(answering, password="x")


def test_a_server_that_is_still_starting_is_waited_for(neo4j_server: Server, neo4j_address: str) -> None:
    """Its port opens after two seconds, as that of a starting server does."""
    host, port = neo4j_address.removeprefix("bolt://").split(":")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        late = probe.getsockname()[1]

    def forward() -> None:
        time.sleep(2)
        with socket.create_server(("127.0.0.1", late)) as listener:
            for _ in range(2):
                near, _ = listener.accept()
                far = socket.create_connection((host, int(port)))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()

    threading.Thread(target=forward, daemon=True).start()
    with open_store(f"bolt://127.0.0.1:{late}", wait=20) as store:
        assert store.query("RETURN 1 AS one") == [{"one": 1}]


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Forward until either end closes; the thread of the other direction may have closed both first."""
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    sink.close()


def test_a_query_that_takes_too_long_is_stopped(neo4j_address: str) -> None:
    slow = "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b RETURN sum(a * b) AS total"
    with (
        open_store(neo4j_address, timeout=0.5) as store,
        pytest.raises(StoreError, match=r"more than 0\.5 s"),
    ):
        store.query(slow)


def test_every_label_has_a_constraint_and_every_learned_edge_an_index(
    neo4j_store: GraphStore, neo4j_server: Server
) -> None:
    with neo4j_server.driver() as driver:

        def named(statement: str) -> set[str]:
            rows = driver.execute_query(
                neo4j.Query(statement),
                database_=neo4j_server.database,  # type: ignore[arg-type]
            ).records
            return {row[0][0] for row in rows}

        assert named(
            "SHOW CONSTRAINTS YIELD labelsOrTypes, properties WHERE properties = ['id'] RETURN labelsOrTypes"
        ) >= {PREFIX + label for label in NODES}
        assert named(
            "SHOW INDEXES YIELD labelsOrTypes, properties WHERE properties = ['version'] RETURN labelsOrTypes"
        ) >= set(LEARNED_EDGES)


def test_more_rows_than_one_batch_are_written_and_read(neo4j_store: GraphStore) -> None:
    users = pl.DataFrame({"id": [f"u{i:05}" for i in range(12_000)]})
    neo4j_store.upsert_nodes("User", users)
    item = pl.DataFrame(
        {"id": ["i"], "title": ["x"], "description": [None]}, schema_overrides={"description": pl.String}
    )
    neo4j_store.upsert_nodes("Item", item)
    empty = neo4j_store.edges("INTERACTED")
    events = pl.DataFrame(
        {"source": users["id"], "target": "i", "id": "e" + users["id"], "time": range(12_000)}
    )
    events = pl.concat([empty, events], how="diagonal")
    neo4j_store.upsert_edges("INTERACTED", events)
    assert neo4j_store.nodes("User").equals(users)
    assert neo4j_store.edges("INTERACTED").equals(events)


def test_right_after_the_first_load_nodes_are_found_by_the_index_and_not_by_scanning_it(
    neo4j_store: GraphStore, neo4j_server: Server
) -> None:
    """The planner still takes a table for empty that was emptied before: 2,000 ids cost 24,000,000 reads."""
    users = pl.DataFrame({"id": [f"u{i:05}" for i in range(3_000)]})
    statements = [
        all_edges(EDGES["INTERACTED"], of_sources=True),
        merge_edges(EDGES["INTERACTED"]),
        nodes_by_id("User"),
        merge_nodes("User"),
    ]
    with neo4j_server.driver() as driver:
        neo4j_store.upsert_nodes("User", users[:1])
        driver.execute_query("MATCH (n:KgrankUser) DETACH DELETE n", database_=neo4j_server.database)
        neo4j_store.upsert_nodes("User", users)
        for statement in statements:
            plan = driver.execute_query(
                f"EXPLAIN {with_prefix(statement, PREFIX)}", ids=[], rows=[], database_=neo4j_server.database
            ).summary.plan
            assert "Seek" in str(plan)
            assert "Scan" not in str(plan)


def test_properties_of_others_stay_on_a_node(neo4j_store: GraphStore, neo4j_server: Server) -> None:
    """A graph may hold more than kgrank put there."""
    neo4j_store.upsert_nodes("User", pl.DataFrame({"id": ["u"]}))
    with neo4j_server.driver() as driver:
        driver.execute_query("MATCH (u:KgrankUser) SET u.vip = true", database_=neo4j_server.database)
    neo4j_store.upsert_nodes("User", pl.DataFrame({"id": ["u", "v"]}))
    assert neo4j_store.query("MATCH (u:User) RETURN u.id AS id, u.vip AS vip ORDER BY id") == [
        {"id": "u", "vip": True},
        {"id": "v", "vip": None},
    ]


def test_a_given_database_with_data_of_others_is_left_alone(
    neo4j_store: GraphStore, neo4j_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    neo4j_store.upsert_nodes("User", pl.DataFrame({"id": ["u"]}))
    host = neo4j_server.address.removeprefix("bolt://")
    path = f"/{neo4j_server.database}" if neo4j_server.database else ""
    monkeypatch.setenv("KGRANK_NEO4J", f"bolt://{neo4j_server.user}:{neo4j_server.password}@{host}{path}")
    with neo4j_server.driver() as driver:
        driver.execute_query(f"MATCH (n:{MARK}) DELETE n", database_=neo4j_server.database)
        with pytest.raises(RuntimeError, match="2 nodes that the tests did not make"), running_server():
            pass
        driver.execute_query(f"CREATE (:{MARK})", database_=neo4j_server.database)
    assert len(neo4j_store.nodes("User")) == 1


def test_the_schema_files_are_numbered_and_hold_one_statement_a_line_that_can_be_run_again() -> None:
    numbers = [number for number, _ in resources.migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
    for _, text in resources.migrations():
        statements = [line for line in text.splitlines() if not line.startswith("//")]
        again = (
            r"CREATE [^;]* IF NOT EXISTS [^;]*;|MATCH [^;]* WHERE [^;]* IS NULL SET [^;]*;|"
            # What a statement has changed or deleted, it does not match again.
            r"MATCH \(n:(\w+)\) [^;]* SET n:Kgrank\1 REMOVE n:\1 } IN TRANSACTIONS OF 10000 ROWS;|"
            r"MATCH [^;]* DETACH DELETE n;|MATCH [^;]* n\.version IN \[1, 2, 3, 4\] [^;]* SET n\.version = 5;"
        )
        assert all(re.fullmatch(again, line) for line in statements)


def test_a_database_of_an_earlier_schema_gets_what_it_lacks(
    neo4j_store: GraphStore, neo4j_server: Server
) -> None:
    with neo4j_server.driver() as driver:
        driver.execute_query("DROP CONSTRAINT kgrank_loaded_id", database_=neo4j_server.database)
        driver.execute_query("MATCH (s:KgrankSchema) SET s.version = 2", database_=neo4j_server.database)
        neo4j_store.prepare()
        found = driver.execute_query("SHOW CONSTRAINTS YIELD name", database_=neo4j_server.database).records
    assert "kgrank_loaded_id" in {record["name"] for record in found}
    assert neo4j_store.schema_version() == resources.schema_version()
