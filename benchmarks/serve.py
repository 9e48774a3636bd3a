"""The HTTP service beside a bare ASGI application that returns the same bytes, and minutes of mixed load.

    python benchmarks/serve.py
    python benchmarks/serve.py --minutes 10

Both run in uvicorn with the same settings. CPU is the server process's own, so the clients beside it do not count.
The mixed load asks rankings with and without filters, tells events of sessions and ranks by them, while the served
weights change every 5 seconds; each answer is compared with the ranking of the version that it names.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(1, str(Path(__file__).parent.parent / "tests"))

import psutil
from shops import example, load

from benchmarks.machine import command, environment, finish, script_parser, show
from kgrank.graph.connect import open_store
from kgrank.weights.tables import weights_to_tables

ITEMS, SHOWN = 2000, 20
CLIENTS, RUNS, REQUESTS = 16, 5, 4000
SWITCH = 5.0
JSON = "Content-Type: application/json\r\n"
QUESTION = {"category": "clothes", "size": SHOWN}

BARE = """
from pathlib import Path
BODY = Path({body!r}).read_bytes()
HEAD = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            await send({{"type": event["type"] + ".complete"}})
            if event["type"] == "lifespan.shutdown":
                return
    await receive()
    await send({{"type": "http.response.start", "status": 200, "headers": HEAD}})
    await send({{"type": "http.response.body", "body": BODY}})
"""


class Connection:
    """One client that keeps its connection."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def __aenter__(self) -> Connection:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def ask(self, method: str, path: str, message: Any = None) -> tuple[int, bytes]:
        """Status and body."""
        body = b"" if message is None else json.dumps(message).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        size = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        return int(lines[0].split()[1]), await self.reader.readexactly(size)


@contextmanager
def server(*command: str, cwd: Path) -> Iterator[tuple[int, psutil.Process]]:
    """A server process that answers on a port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (cwd / "server.log").open("ab")
    process = subprocess.Popen([*command, "--port", str(port)], cwd=cwd, stdout=log, stderr=log)
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()
        log.close()


def cpu(process: psutil.Process) -> float:
    """Seconds of processor time so far, of all threads; finer than the ticks of ``cpu_times``."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


async def _load(port: int, count: int, clients: int) -> list[float]:
    async def one() -> list[float]:
        seconds = []
        async with Connection(port) as connection:
            for _ in range(count // clients):
                began = time.perf_counter()
                status, _body = await connection.ask("POST", "/v1/rank", QUESTION)
                seconds.append(time.perf_counter() - began)
                if status != 200:
                    raise RuntimeError(f"status {status}")
        return seconds

    return [s for each in await asyncio.gather(*(one() for _ in range(clients))) for s in each]


def run(port: int, process: psutil.Process) -> dict[str, float]:
    """One run: CPU milliseconds a request, requests a second, and the slowest in a hundred."""
    before, began = cpu(process), time.perf_counter()
    seconds = asyncio.run(_load(port, REQUESTS, CLIENTS))
    took = time.perf_counter() - began
    return {
        "cpu_ms": 1000 * (cpu(process) - before) / len(seconds),
        "per_second": len(seconds) / took,
        "p99_ms": 1000 * sorted(seconds)[int(0.99 * len(seconds))],
    }


async def mixed(
    port: int, process: psutil.Process, expected: dict[str, Any], minutes: float
) -> dict[str, Any]:
    """Mixed load; counts errors and answers that are not those of the version that they name."""
    end = time.monotonic() + 60 * minutes
    found: dict[str, Any] = {"asked": 0, "errors": 0, "mixed": 0, "versions": set()}
    memory: list[float] = []

    async def client(number: int) -> None:
        chance = random.Random(number)
        async with Connection(port) as connection:
            while time.monotonic() < end:
                name = f"s{number}-{chance.randrange(20)}"
                what = chance.random()
                if what < 0.6:
                    status, body = await connection.ask("POST", "/v1/rank", QUESTION)
                    page = json.loads(body)
                    found["versions"].add(page.get("version"))
                    items = [(i["item"], i["score"]) for i in page.get("items", ())]
                    found["mixed"] += status == 200 and items != expected[page["version"]]
                elif what < 0.8:
                    event = {"kind": "view", "item": f"i{chance.randrange(ITEMS)}"}
                    status, _ = await connection.ask(
                        "POST", f"/v1/sessions/{name}/events", {"events": [event]}
                    )
                else:
                    status, _ = await connection.ask("POST", "/v1/rank", {**QUESTION, "session": name})
                    status = 200 if status == 422 else status  # a session without events
                found["asked"] += 1
                found["errors"] += status != 200

    async def switch() -> None:
        async with Connection(port) as connection:
            for turn in range(10**6):
                await asyncio.sleep(SWITCH)
                memory.append(process.memory_info().rss / 2**20)
                status, _ = await connection.ask(
                    "PUT", "/v1/weights", {"version": sorted(expected)[turn % 2]}
                )
                found["errors"] += status != 200

    switching = asyncio.create_task(switch())
    await asyncio.gather(*(client(k) for k in range(CLIENTS)))
    switching.cancel()
    settled = memory[int(60 / SWITCH) :] or memory
    return found | {"versions": len(found["versions"]), "memory_growth": max(settled) / settled[0] - 1}


def main() -> None:
    """Runs the benchmark."""
    parser = script_parser(__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="of mixed load")
    options = parser.parse_args()
    about = environment("starlette", "uvicorn", "msgspec")
    print(json.dumps(about))
    made, other = example(0, items=ITEMS), example(1000, items=ITEMS, version="v1")
    with tempfile.TemporaryDirectory(prefix="kgrank-serve-") as name:
        folder = Path(name)
        with open_store(str(folder / "shop.lb")) as store:
            load(store, made)
            store.replace_version("v1", *weights_to_tables(other.weights, made.transitions))
        start = "from kgrank.cli.main import main; main()"
        ours = [sys.executable, "-c", start, "serve", "--store", str(folder / "shop.lb"), "--no-log"]
        ours += ["--rate", "1e9", "--burst", "1e9"]
        with server(*ours, cwd=folder) as (port, process):
            (folder / "body.json").write_bytes(asyncio.run(_once(port)))
            (folder / "bare.py").write_text(BARE.format(body=str(folder / "body.json")), encoding="utf-8")
            beside = [
                sys.executable,
                "-m",
                "uvicorn",
                "bare:app",
                "--no-access-log",
                "--log-level",
                "warning",
            ]
            with server(*beside, cwd=folder) as (bare_port, bare_process):
                pairs = [(run(port, process), run(bare_port, bare_process)) for _ in range(RUNS + 1)][1:]
            expected = asyncio.run(_expected(port))
            load_found = asyncio.run(mixed(port, process, expected, options.minutes))
    line = {
        "cpu_ratio_bare": statistics.median(a["cpu_ms"] / b["cpu_ms"] for a, b in pairs),
        "throughput_ratio_bare": statistics.median(a["per_second"] / b["per_second"] for a, b in pairs),
        "cpu_ms": statistics.median(a["cpu_ms"] for a, _ in pairs),
        "bare_cpu_ms": statistics.median(b["cpu_ms"] for _, b in pairs),
        "per_second": statistics.median(a["per_second"] for a, _ in pairs),
        "p99_ms": statistics.median(a["p99_ms"] for a, _ in pairs),
        **load_found,
        "minutes": options.minutes,
    }
    show("service", ["figure", "value"], [[k, v] for k, v in line.items()])
    finish("serve", line, {"environment": about, "items": ITEMS, "clients": CLIENTS})


async def _once(port: int) -> bytes:
    async with Connection(port) as connection:
        status, body = await connection.ask("POST", "/v1/rank", QUESTION)
    if status != 200:
        raise RuntimeError(body.decode())
    return body


async def _expected(port: int) -> dict[str, Any]:
    """The ranking of each version, asked while nothing changes."""
    found = {}
    for version in ("v1", "v2"):
        async with Connection(port) as connection:
            status, body = await connection.ask("PUT", "/v1/weights", {"version": version})
            if status != 200:
                raise RuntimeError(body.decode())
        page = json.loads(await _once(port))
        found[page["version"]] = [(i["item"], i["score"]) for i in page["items"]]
    return found


if __name__ == "__main__":
    command(main)
