"""A real Neo4j server for the tests: one given by address, else by Docker, else from its own jars."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

VERSION = "5.26.20"
PASSWORD = "kgrank-tests-" + secrets.token_hex(4)
START_SECONDS = 180
MARK = "KgrankTests"
"""The label of one node that says: the tests made this database, and may empty it."""

HOW_TO = (
    "no Neo4j server for the tests: set KGRANK_NEO4J=bolt://user:password@host:7687 (an empty database), "
    "or start Docker, or install a JDK (17 or later) and Maven"
)

POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kgrank</groupId><artifactId>neo4j-for-tests</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.neo4j</groupId><artifactId>neo4j-bolt</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>org.neo4j.app</groupId><artifactId>neo4j-server</artifactId><version>{VERSION}</version></dependency>
  </dependencies>
</project>
"""

CONFIGURATION = """server.bolt.listen_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
dbms.usage_report.enabled=false
server.memory.pagecache.size=256m
db.tx_log.preallocate=false
"""


# What lives for a minute is faster without the second, slower compiler.
BRIEF = ("-Xms256m", "-Xmx768m", "-XX:TieredStopAtLevel=1")
"""Options of Java for a server of the tests."""


class NoServerError(Exception):
    """None of the three ways to a server is open."""


@dataclass(frozen=True)
class Server:
    """Where a server is, and how to log in."""

    address: str
    user: str
    password: str
    database: str | None = None

    def driver(self) -> neo4j.Driver:
        """A driver of the tests' own, beside the store's."""
        return neo4j.GraphDatabase.driver(self.address, auth=(self.user, self.password))


@contextmanager
def running_server() -> Iterator[Server]:
    """A server that answers, started where it must be, and stopped at the end."""
    given = os.environ.get("KGRANK_NEO4J")
    if given:
        with _marked(_given(given)) as server:
            yield server
    elif _answers("docker", "info"):
        with _from_docker() as server, _marked(server):
            yield server
    elif shutil.which("java") and shutil.which("mvn"):
        with _from_jars() as server, _marked(server):
            yield server
    else:
        raise NoServerError(HOW_TO)


def empty(server: Server) -> None:
    """Deletes all data but the mark, a batch at a time."""
    with server.driver() as driver, driver.session(database=server.database) as session:
        session.run(
            f"MATCH (n) WHERE NOT n:{MARK} CALL (n) {{ DETACH DELETE n }} IN TRANSACTIONS OF 10000 ROWS"
        ).consume()


def _given(address: str) -> Server:
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return Server(
        f"{parts.scheme}://{parts.hostname}{port}",
        unquote(parts.username or "neo4j"),
        unquote(parts.password or ""),
        parts.path.strip("/") or None,
    )


@contextmanager
def _marked(server: Server) -> Iterator[Server]:
    """The server, if its database is empty or was made by the tests."""
    with server.driver() as driver:
        counts = driver.execute_query(
            f"MATCH (n) RETURN count(n) AS nodes, count(CASE WHEN n:{MARK} THEN 1 END) AS marks",
            database_=server.database,
        ).records[0]
        if counts["nodes"] and not counts["marks"]:
            raise RuntimeError(
                f"{server.address} holds {counts['nodes']:,} nodes that the tests did not make; "
                "give KGRANK_NEO4J an empty database, they delete everything in it"
            )
        driver.execute_query(f"MERGE (:{MARK})", database_=server.database)
    empty(server)
    yield server
    empty(server)
    with server.driver() as driver:
        driver.execute_query(f"MATCH (n:{MARK}) DELETE n", database_=server.database)


@contextmanager
def _from_docker() -> Iterator[Server]:
    port = _free_port()
    name = f"kgrank-tests-{os.getpid()}"
    command = ["docker", "run", "--rm", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:7687"]
    command += ["--env", f"NEO4J_AUTH=neo4j/{PASSWORD}", f"neo4j:{VERSION}-community"]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    try:
        yield wait(Server(f"bolt://127.0.0.1:{port}", "neo4j", PASSWORD))
    finally:
        subprocess.run(["docker", "stop", name], capture_output=True, timeout=60)


@contextmanager
def _from_jars() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="kgrank-neo4j-", ignore_cleanup_errors=True) as folder:
        process, server = start_from_jars(Path(folder))
        try:
            yield wait(server, process)
        finally:
            # Its data goes with it: no need to let it shut down in order.
            process.kill()
            process.wait()


def start_from_jars(
    home: Path, port: int | None = None, *, settings: str = "", java: Sequence[str] = BRIEF
) -> tuple[subprocess.Popen[bytes], Server]:
    """Starts a server with its data in ``home``; it does not answer yet when this returns."""
    port = port or _free_port()
    configure(home, port, settings)
    # The server dies with the tests, even where they are killed; Ctrl-C is for the tests alone.
    with_parent = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    entry = ["org.neo4j.server.CommunityEntryPoint", f"--home-dir={home}", f"--config-dir={home / 'conf'}"]
    with (home / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [*with_parent, *_java(java), *entry],
            env=_environment(home),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    return process, Server(f"bolt://127.0.0.1:{port}", "neo4j", PASSWORD)


def configure(home: Path, port: int | None = None, settings: str = "") -> None:
    """Writes the configuration of a server, and sets the password of a new one."""
    is_new = not (home / "conf").exists()
    (home / "conf").mkdir(parents=True, exist_ok=True)
    text = CONFIGURATION.format(port=port or _free_port()) + settings
    (home / "conf" / "neo4j.conf").write_text(text, encoding="ascii")
    if is_new:
        admin(home, "dbms", "set-initial-password", PASSWORD)


class OwnServer:
    """A server that can be ended and started again on the same data and port.

    Args:
        home: Where its data are.
        settings: Lines for its configuration, each with its end.
    """

    def __init__(self, home: Path, settings: str = "") -> None:
        self.home = home
        self._settings = settings
        self.process, self.server = start_from_jars(home, settings=settings)
        wait(self.server, self.process)

    def start(self, settings: str = "") -> None:
        """Starts it again, with more settings; it answers when this returns."""
        port = int(self.server.address.rpartition(":")[2])
        self.process, _ = start_from_jars(self.home, port, settings=self._settings + settings)
        wait(self.server, self.process)

    def end(self) -> None:
        """Kills it."""
        self.process.kill()
        self.process.wait()


def admin(home: Path, *words: str) -> None:
    """Runs ``neo4j-admin`` on a server's data, while the server is down."""
    command = [*_java(BRIEF), "org.neo4j.cli.AdminTool", *words]
    done = subprocess.run(
        command, cwd=home, env=_environment(home), capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        raise RuntimeError(f"neo4j-admin {words[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def _java(options: Sequence[str]) -> list[str]:
    opens = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
    return [
        *("java", "-cp", f"{_jars()}/*", *options),
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in opens),
    ]


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")}


def _jars() -> Path:
    """The server's jars, fetched by Maven once and kept in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kgrank"
    jars = cache / f"neo4j-{VERSION}"
    if not jars.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            Path(folder, "pom.xml").write_text(POM, encoding="ascii")
            command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"]
            done = subprocess.run(
                [*command, "-DoutputDirectory=jars"], cwd=folder, capture_output=True, text=True, timeout=900
            )
            if done.returncode:
                raise RuntimeError(f"Maven did not fetch the Neo4j server:\n{done.stdout[-2000:]}")
            # Another run may have been faster; its jars are as good.
            if not jars.exists():
                Path(folder, "jars").rename(jars)
    return jars


def wait(server: Server, process: subprocess.Popen[bytes] | None = None) -> Server:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            # Its port opens before its database does.
            with server.driver() as driver, driver.session(database=server.database) as session:
                session.run("RETURN 1").consume()
            return server
        except (DriverError, Neo4jError) as error:
            if process is not None and process.poll() is not None:
                raise RuntimeError(f"the Neo4j server ended with {process.returncode}") from error
            if time.monotonic() > deadline:
                raise RuntimeError(f"the Neo4j server did not answer in {START_SECONDS} s") from error
            time.sleep(0.5)


def _answers(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    try:
        return subprocess.run(command, capture_output=True, timeout=20).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
