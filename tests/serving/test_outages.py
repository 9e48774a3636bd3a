"""What the service does when what it stands on fails: Neo4j goes, hangs, or comes back other than it was."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import httpx
import psutil
import pytest
from neo4j_server import PASSWORD, OwnServer
from shops import Example, example, load

from kgrank.errors import StoreError
from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore
from kgrank.ranking import Query, answer, open_shop
from kgrank.serving.current import Current
from kgrank.serving.service import Settings
from kgrank.weights.tables import weights_to_tables

COMMAND = [sys.executable, "-c", "from kgrank.cli.main import main; main()"]
RANK = {"category": "clothes"}
QUICK = Settings(refresh_seconds=0.2, rate=1e6, burst=1e6, log=False)

BOUND = 20.0
"""Seconds that an answer may take where the store must be asked and does not answer."""

AWAY = "(no server answers|no answer within 5 s)"
"""What is said of a server that is gone, and of one that hangs."""

RECOVERY = 30.0
"""Seconds within which the service has noticed what changed."""


# An orderly end waits for the connections of callers, ten seconds by default.
ENDS_SOON = "".join(
    f"internal.server.bolt.{w}_shutdown_wait_time=1s\n" for w in ("connection", "thread_pool")
)


@pytest.fixture(scope="module")
def own_neo4j(made: Example, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """With a shop that serves v2, and holds v1."""
    if not (shutil.which("java") and shutil.which("mvn")):
        pytest.skip("a server that can be stopped needs its own jars: install a JDK (17 or later) and Maven")
    found = OwnServer(tmp_path_factory.mktemp("neo4j"), ENDS_SOON)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NEO4J_USER", found.server.user)
            patch.setenv("NEO4J_PASSWORD", found.server.password)
            patch.delenv("NEO4J_DATABASE", raising=False)
            with open_store(found.server.address) as store:
                load(store, made, other_version=example(1011, version="v1").weights)
            yield found
    finally:
        found.end()


@pytest.fixture
def neo4j(own_neo4j: OwnServer) -> OwnServer:
    """The same, running whatever became of the test before."""
    if own_neo4j.process.poll() is None:
        own_neo4j.process.send_signal(signal.SIGCONT)
    else:
        own_neo4j.start()
    return own_neo4j


@dataclass(frozen=True)
class Answered:
    """One answer under load."""

    status: int
    seconds: float
    text: str


@contextmanager
def asking(url: str, **body: Any) -> Iterator[Callable[[], list[Answered]]]:
    """Three callers who rank all the time, each time for a shopper that the service has not seen."""
    found: list[Answered] = []
    numbers, ended = count(), threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=url, timeout=60) as http:
            while not ended.is_set():
                began = time.monotonic()
                response = http.post("/v1/rank", json={**RANK, "user": f"new-{next(numbers)}"})
                found.append(Answered(response.status_code, time.monotonic() - began, response.text))
                time.sleep(0.02)

    callers = [threading.Thread(target=ask) for _ in range(3)]
    for caller in callers:
        caller.start()
    try:
        yield lambda: list(found)
    finally:
        ended.set()
        for caller in callers:
            caller.join()


def until(true: Callable[[], bool], seconds: float = RECOVERY) -> float:
    """Waits until something is true, and says how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds:g} s"
        time.sleep(0.05)
    return time.monotonic() - began


def told(response: httpx.Response) -> str:
    """The parts of a problem as one text."""
    return " ".join(str(v) for v in response.json()["error"].values() if v)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name.startswith("kgrank")]


def store_error(http: httpx.Client) -> str | None:
    ready = http.get("/ready")
    assert ready.status_code == 200
    found: str | None = ready.json()["store_error"]
    return found


@pytest.mark.neo4j
@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP], ids=lambda s: s.name)
def test_while_neo4j_is_away_what_is_in_memory_is_answered_and_when_it_is_back_so_is_the_rest(
    neo4j: OwnServer, running: Any, caplog: pytest.LogCaptureFixture, how: signal.Signals
) -> None:
    with running(neo4j.server.address, settings=QUICK) as url, httpx.Client(base_url=url, timeout=60) as http:
        before = http.get("/v1/weights").json()["version"]
        other = {"v1": "v2", "v2": "v1"}[before]
        ann = http.post("/v1/rank", json={**RANK, "user": "ann"}).json()
        with asking(url) as answers:
            until(lambda: len(answers()) > 20)
            neo4j.process.send_signal(how)
            until(lambda: answers()[-1].status == 503)
            # Known trouble is told at once, and each caller comes to it.
            time.sleep(1)
            began = time.monotonic()
            plain = [http.post("/v1/rank", json={**RANK, "page": n}) for n in range(1, 20)]
            again = http.post("/v1/rank", json={**RANK, "user": "ann"})
            health, metrics = http.get("/health"), http.get("/metrics")
            # Twenty callers, of whom each would otherwise wait for seconds.
            assert time.monotonic() - began < BOUND
            until(lambda: bool(re.search(AWAY, store_error(http) or "")))
            back = http.put("/v1/weights", json={"version": other})
            metrics = http.get("/metrics")
        assert {r.status_code for r in plain} == {200}
        assert {r.json()["version"] for r in plain} == {before}
        assert again.json()["items"] == ann["items"]
        assert health.status_code == 200
        assert "kgrank_store_error 1.0" in metrics.text
        assert back.status_code == 503
        assert back.elapsed.total_seconds() < BOUND
        assert re.search(AWAY, told(back))
        for text in {back.text, *(a.text for a in answers() if a.status == 503)}:
            assert re.search(AWAY, text)
            assert '"where":"the store"' in text
            assert "127.0.0.1" not in text
            assert PASSWORD not in text
        assert {a.status for a in answers()} == {200, 503}
        assert max(a.seconds for a in answers()) < BOUND

        if how == signal.SIGSTOP:
            neo4j.process.send_signal(signal.SIGCONT)
        else:
            neo4j.process.wait()
            neo4j.start()
        with open_store(neo4j.server.address) as store:
            store.serve(other)
        until(lambda: http.get("/v1/weights").json()["version"] == other)
        assert store_error(http) is None
        bob = http.post("/v1/rank", json={**RANK, "user": "bob"})
        assert (bob.status_code, bob.json()["version"]) == (200, other)
        assert "kgrank_store_error 0.0" in http.get("/metrics").text
    away, here = (re.compile(f"{neo4j.server.address}: {said}") for said in (AWAY, "it can be read again"))
    first, *_, last = lines(caplog)
    assert away.match(first)
    assert here.match(last)
    assert len(lines(caplog)) <= 4, "a line when it changes, not at each look"


@pytest.mark.neo4j
@pytest.mark.long
def test_a_changed_password_is_named_and_the_service_locks_nobody_out(neo4j: OwnServer, running: Any) -> None:
    change = "ALTER CURRENT USER SET PASSWORD FROM $old TO $new"
    with running(neo4j.server.address, settings=QUICK) as url, httpx.Client(base_url=url, timeout=60) as http:
        version = http.get("/v1/weights").json()["version"]
        changed = replace(neo4j.server, password="another-password")
        with neo4j.server.driver() as driver:
            driver.execute_query(change, old=PASSWORD, new=changed.password, database_="system")
        try:
            with changed.driver() as driver:
                # A server lets those who are in already go on: the service has to log in again.
                driver.execute_query(
                    "CALL dbms.listConnections() YIELD connectionId, connectTime "
                    # All but this one, the last.
                    "WITH connectionId ORDER BY connectTime DESC SKIP 1 WITH collect(connectionId) AS ids "
                    "CALL dbms.killConnections(ids) YIELD message RETURN message"
                )
                until(lambda: "refuses user and password" in (store_error(http) or ""))
                for number in range(20):
                    asked = http.post("/v1/rank", json={**RANK, "user": f"other-{number}"})
                    assert asked.status_code == 503
                    assert "NEO4J_PASSWORD" in told(asked)
                    assert PASSWORD not in asked.text
                back = http.put("/v1/weights", json={"version": version})
                assert back.status_code == 503
                assert "refuses user and password" in told(back)
                assert http.post("/v1/rank", json=RANK).json()["version"] == version
            for _ in range(5):
                with changed.driver() as driver:
                    driver.verify_connectivity()
                time.sleep(0.3)
        finally:
            with changed.driver() as driver:
                driver.execute_query(change, old=changed.password, new=PASSWORD, database_="system")


@pytest.mark.neo4j
@pytest.mark.long
def test_a_wrong_password_ends_kgrank_serve_with_one_error(
    neo4j: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", "not-the-password")
    run = kgrank("serve", "--store", neo4j.server.address, "--port", "0")
    assert (run.returncode, run.stdout) == (2, "")
    (line,) = [x for x in run.stderr.splitlines() if "refuses user and password" in x]
    assert line.startswith("error: ")
    assert "Set NEO4J_USER and NEO4J_PASSWORD." in line
    assert "Traceback" not in run.stderr
    assert "not-the-password" not in run.stderr


@pytest.mark.neo4j
@pytest.mark.long
def test_after_neo4j_lost_its_data_what_was_read_stays_served_and_one_line_of_the_log_says_so(
    neo4j: OwnServer, running: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with running(neo4j.server.address, settings=QUICK) as url, httpx.Client(base_url=url, timeout=60) as http:
        before = http.post("/v1/rank", json=RANK).json()
        neo4j.end()
        for folder in ("databases", "transactions"):
            (neo4j.home / "data" / folder / "neo4j").rename(neo4j.home / folder)
        neo4j.start()
        until(lambda: "no shop is loaded" in (store_error(http) or ""))
        after = http.post("/v1/rank", json={**RANK, "page": 1}).json()
        assert after == before
        assert "kgrank_store_error 1.0" in http.get("/metrics").text
        assert http.get("/health").status_code == 200
        # It cannot be told from an unknown shopper by an empty store, so it is not taken for one.
        ann = http.post("/v1/rank", json={**RANK, "user": "ann"})
        assert ann.status_code == 503
        assert "no shop is loaded" in told(ann)
        time.sleep(5 * QUICK.refresh_seconds)
    said = [line for line in lines(caplog) if "no shop is loaded" in line]
    assert len(said) == 1
    assert said[0].endswith(f"Version {before['version']} stays served.")


@pytest.mark.neo4j
@pytest.mark.long
def test_on_a_read_only_database_rankings_go_on_and_what_writes_is_told_so(
    neo4j: OwnServer, running: Any, made: Example
) -> None:
    neo4j.end()
    # The copy that was put aside before.
    for folder in ("databases", "transactions"):
        own = neo4j.home / "data" / folder / "neo4j"
        shutil.rmtree(own)
        (neo4j.home / folder).rename(own)
    neo4j.start("server.databases.read_only=neo4j\n")
    with running(neo4j.server.address, settings=QUICK) as url, httpx.Client(base_url=url, timeout=60) as http:
        version = http.get("/v1/weights").json()["version"]
        ann = http.post("/v1/rank", json={**RANK, "user": "ann"})
        assert (ann.status_code, ann.json()["version"]) == (200, version)
        back = http.put("/v1/weights", json={"version": {"v1": "v2", "v2": "v1"}[version]})
        assert back.status_code == 503
        assert "the database is read-only" in told(back)
        assert "server.databases.read_only" in told(back)
        assert http.get("/v1/weights").json()["version"] == version
        assert store_error(http) is None
    other = example(12, items=40, version="v3")
    with open_store(neo4j.server.address) as store:
        writes: list[Callable[[GraphStore], object]] = [
            lambda s: load(s, other),
            lambda s: s.replace_version("v3", *weights_to_tables(other.weights, other.transitions)),
            lambda s: s.delete_version({"v1": "v2", "v2": "v1"}[version]),
        ]
        for write in writes:
            with pytest.raises(StoreError, match="the database is read-only") as caught:
                write(store)
            assert len(str(caught.value).splitlines()) == 1


def kgrank(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "COLUMNS": "160"},
    )


@contextmanager
def serving(*words: str) -> Iterator[tuple[str, psutil.Process]]:
    """``kgrank serve`` in a process of its own, with the limit of open files that shells have."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    limited = ["bash", "-c", 'ulimit -Sn 256; exec "$@"', "bash"]
    process = subprocess.Popen(
        [*limited, *COMMAND, "serve", "--port", str(port), *words], stderr=subprocess.PIPE, text=True
    )
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: _answers(url), 30)
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert "Traceback" not in said


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.neo4j
def test_a_service_that_ends_while_it_connects_keeps_no_connection(
    neo4j_store: GraphStore, neo4j_address: str
) -> None:
    current = Current(neo4j_address)
    # As if the thread that connects came to its end after the service.
    current.close()
    assert current.refresh() is False
    assert current._store is None
    assert current.store_error is None


@pytest.mark.long
def test_a_thousand_callers_at_once_are_each_answered_or_told_to_ask_later(stored: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("this system does not let a process have a thousand connections")
    with open_store(stored) as store:
        shop = open_shop(store)
    sizes = range(1, 21)
    want = {n: list(answer(shop, Query(category="clothes", size=n)).ids) for n in sizes}

    async def ask(url: str) -> list[httpx.Response]:
        many = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=many) as http:
            bodies = [{**RANK, "size": sizes[n % len(sizes)]} for n in range(1000)]
            return await asyncio.gather(*(http.post("/v1/rank", json=body) for body in bodies))

    resource.setrlimit(resource.RLIMIT_NOFILE, (4096 if soft != resource.RLIM_INFINITY else soft, hard))
    try:
        with serving("--store", stored, "--no-log") as (url, process):
            httpx.post(f"{url}/v1/rank", json=RANK)
            before = process.memory_info().rss
            for _ in range(2):
                found = asyncio.run(ask(url))
                for response, n in zip(found, (sizes[k % len(sizes)] for k in range(1000)), strict=True):
                    if response.status_code == 200:
                        assert [i["item"] for i in response.json()["items"]] == want[n]
                    else:
                        assert response.status_code in (429, 503)
                        assert int(response.headers["retry-after"]) >= 1
                        assert told(response)
                assert sum(r.status_code == 200 for r in found) >= 100
            assert process.memory_info().rss - before < 100 * 2**20
            assert httpx.get(f"{url}/health").status_code == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_that_writes_to_the_store_is_no_trouble_for_the_service(address: str) -> None:
    current = Current(address)
    assert current.refresh()
    served = current.served
    hold = "import sys; from kgrank.graph.connect import open_store; s = open_store(sys.argv[1])"
    command = [sys.executable, "-c", f"{hold}; print('open', flush=True); input()", address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        os.utime(address)
        assert not current.refresh()
        assert current.store_error is None
        assert current.served is served
        first = Current(address)
        first.refresh()
        assert f"held by process {writer.pid}" in str(first.store_error)
        writer.communicate("\n")
    assert first.refresh()
