"""The HTTP service under attack: on this machine alone, bounded in time, while another caller asks /health.

    python benchmarks/attack.py
    python benchmarks/attack.py --seconds 10

Each attack lasts some seconds. The other caller asks ten times a second, each time on a connection of its own; the
figures are how long they waited, in milliseconds, at the median and at worst, and the memory of the service after
the attack in parts of that before. ``answers`` counts what the attackers got.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(1, str(Path(__file__).parent.parent / "tests"))

import psutil
from shops import example, load

from benchmarks.machine import command, environment, finish, script_parser, show
from benchmarks.serve import server
from kgrank.graph.connect import open_store

ITEMS, ATTACKERS, CONNECTIONS = 1000, 8, 5000
PAUSE = 0.1
"""Seconds between two questions of the other caller."""

LONG = "x" * 900_000
CAPS = [{"attribute": "brand", "share": 0, "top": 1000}, {"attribute": "color", "share": 0, "top": 1000}]
BOOST = {"target": "i1", "amount": 0.1, "reason": "r" * 200}
NUMBER = itertools.count()


@dataclass
class Attack:
    """What one attack saw: statuses by count, and whether it has ended."""

    port: int
    end: float
    answers: Counter[str] = field(default_factory=Counter)

    @property
    def runs(self) -> bool:
        """Whether there is time left."""
        return time.monotonic() < self.end


def request(method: str, path: str, message: Any = None, head: bytes = b"") -> bytes:
    """A request in bytes."""
    body = b"" if message is None else json.dumps(message).encode()
    lines = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return lines.encode() + head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


async def ask(port: int, raw: bytes, seconds: float = 30.0) -> str:
    """The status of one request on a connection of its own, or what became of it."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(raw)
                head = await reader.readuntil(b"\r\n\r\n")
                size = next(
                    int(line[15:])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                await reader.readexactly(size)
                return head[9:12].decode()
            finally:
                writer.close()
    except TimeoutError:
        return "no answer"
    except (OSError, asyncio.IncompleteReadError):
        return "closed"


Make = Callable[[], bytes]


def repeated(make: Make) -> Callable[[Attack], Awaitable[None]]:
    """Attackers who send requests one after another."""

    async def attack(seen: Attack) -> None:
        async def one() -> None:
            while seen.runs:
                seen.answers[await ask(seen.port, make())] += 1

        await asyncio.gather(*(one() for _ in range(ATTACKERS)))

    return attack


def rank(**message: Any) -> Make:
    """Rankings, each of which differs from all before, so that none is remembered."""

    def make() -> bytes:
        minimum = {"attribute": "price", "minimum": next(NUMBER) * 1e-9}
        return request("POST", "/v1/rank", {"category": "clothes", "filters": [minimum], **message})

    return make


def told(message: Any) -> Make:
    """Events of ever new sessions."""
    return lambda: request("POST", f"/v1/sessions/s{next(NUMBER)}/events", message)


async def idle(seen: Attack) -> None:
    """More connections than the service keeps, without a request."""
    writers: list[asyncio.StreamWriter] = []
    try:
        while seen.runs and len(writers) < CONNECTIONS:
            _, writer = await asyncio.open_connection("127.0.0.1", seen.port)
            writers.append(writer)
        await asyncio.sleep(max(seen.end - time.monotonic(), 0))
    finally:
        seen.answers["opened"] = len(writers)
        for writer in writers:
            writer.close()


def byte_by_byte(begin: bytes) -> Callable[[Attack], Awaitable[None]]:
    """500 requests that begin so, and go on with a byte each tenth of a second."""

    async def attack(seen: Attack) -> None:
        async def one() -> None:
            while seen.runs:
                _, writer = await asyncio.open_connection("127.0.0.1", seen.port)
                try:
                    writer.write(begin)
                    while seen.runs and not writer.is_closing():
                        writer.write(b"x")
                        await asyncio.sleep(0.1)
                finally:
                    seen.answers["opened"] += 1
                    writer.close()

        await asyncio.gather(*(one() for _ in range(500)))

    return attack


async def deaf(seen: Attack) -> None:
    """Callers who ask for large pages and read no answer."""
    raw = request("POST", "/v1/rank", {"category": "clothes", "size": 1000})
    writers: list[asyncio.StreamWriter] = []
    while seen.runs and len(writers) < 200:
        _, writer = await asyncio.open_connection("127.0.0.1", seen.port)
        writer.write(raw * 5)
        writers.append(writer)
        await asyncio.sleep(0.01)
    await asyncio.sleep(max(seen.end - time.monotonic(), 0))
    seen.answers["opened"] = len(writers)
    for writer in writers:
        writer.close()


async def endless_trailers(seen: Attack) -> None:
    """What follows the chunks of a body, without an end."""
    head = request("POST", "/v1/rank").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")

    async def one() -> None:
        while seen.runs:
            _, writer = await asyncio.open_connection("127.0.0.1", seen.port)
            try:
                writer.write(head + b"2\r\n{}\r\n0\r\nX: ")
                while seen.runs and not writer.is_closing():
                    writer.write(b"x" * 65_536)
                    await asyncio.wait_for(writer.drain(), 1)
            except (OSError, TimeoutError):
                seen.answers["closed"] += 1
            finally:
                writer.close()

    await asyncio.gather(*(one() for _ in range(ATTACKERS)))


ATTACKS: dict[str, Callable[[Attack], Awaitable[None]]] = {
    "caps that nothing passes": repeated(rank(caps=CAPS, size=1000)),
    "twenty caps": repeated(rank(caps=CAPS * 10, size=1000)),
    "ever other answers": repeated(rank(size=90)),
    "a hundred boosts with reasons": repeated(rank(boosts=[BOOST] * 100, size=1000)),
    "a long text": repeated(lambda: request("POST", "/v1/rank", {"text": LONG})),
    "many words": repeated(
        rank(text=" ".join(map(chr, range(97, 123))) + " " + " ".join(f"{k}" for k in range(150)))
    ),
    "a long reason": repeated(rank(boosts=[{**BOOST, "reason": LONG}])),
    "unknown ids": repeated(rank(pins=[{"item": "i1x", "position": 1}])),
    "ten thousand candidates": repeated(rank(candidates=[f"i{k % ITEMS}" for k in range(10_000)])),
    "long events": repeated(
        told({"events": [{"kind": "view", "item": "i1", "shown": [f"i{k}" for k in range(500)]}] * 20})
    ),
    "sessions": repeated(told({"events": [{"kind": "view", "item": "i1"}]})),
    "large headers": repeated(lambda: request("GET", "/health", head=b"X: " + b"x" * 400_000 + b"\r\n")),
    "many headers": repeated(lambda: request("GET", "/health", head=b"X: x\r\n" * 20_000)),
    "no HTTP": repeated(lambda: b"\x16\x03\x01\x00\r\n\r\n"),
    "deep JSON": repeated(
        lambda: (
            request("POST", "/v1/rank").replace(b"Content-Length: 0", b"Content-Length: 100000")
            + b"[" * 100_000
        )
    ),
    "byte-order marks": repeated(
        lambda: (
            request("POST", "/v1/rank").replace(b"Content-Length: 0", b"Content-Length: 900000")
            + b"\xef\xbb\xbf" * 300_000
        )
    ),
    "many requests at once": repeated(lambda: request("GET", "/v1/nowhere") * 1000),
    "slow bodies": byte_by_byte(request("POST", "/v1/rank", "x" * 1000)[:-1000]),
    "endless trailers": endless_trailers,
    "idle connections": idle,
    "slow headers": byte_by_byte(b"GET /health HTTP/1.1\r\nX-Slow: "),
    "callers who do not read": deaf,
}


async def waits(port: int, end: float) -> list[float]:
    """How long another caller waits for /health, in milliseconds; one who gets none waits for ever."""
    raw, milliseconds = request("GET", "/health"), []
    while time.monotonic() < end:
        began = time.perf_counter()
        status = await ask(port, raw)
        milliseconds.append(1000 * (time.perf_counter() - began) if status == "200" else 30_000.0)
        await asyncio.sleep(PAUSE)
    return milliseconds


async def measured(name: str, port: int, process: psutil.Process, seconds: float) -> dict[str, Any]:
    """One attack."""
    before = process.memory_info().rss
    seen = Attack(port, time.monotonic() + seconds)
    milliseconds, _ = await asyncio.gather(waits(port, seen.end), ATTACKS[name](seen))
    await asyncio.sleep(1.0)
    return {
        "attack": name,
        "median_ms": round(statistics.median(milliseconds), 2),
        "worst_ms": round(max(milliseconds), 2),
        "memory": round(process.memory_info().rss / before, 3),
        "answers": dict(sorted(seen.answers.items())),
    }


def main() -> None:
    """Runs the benchmark."""
    parser = script_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each attack")
    options = parser.parse_args()
    about = environment("uvicorn", "httptools", "msgspec")
    print(json.dumps(about))
    with tempfile.TemporaryDirectory(prefix="kgrank-attack-") as name:
        folder = Path(name)
        with open_store(str(folder / "shop.lb")) as store:
            load(store, example(0, items=ITEMS))
        start = "from kgrank.cli.main import main; main()"
        line = [sys.executable, "-c", start, "serve", "--store", str(folder / "shop.lb"), "--no-log"]
        with server(*line, "--rate", "1e9", "--burst", "1e9", cwd=folder) as (port, process):
            warm = rank(size=1000, text="clothes")
            asyncio.run(ask(port, warm()))
            asyncio.run(waits(port, time.monotonic() + 1))
            began = process.memory_info().rss
            attacks = [asyncio.run(measured(a, port, process, options.seconds)) for a in ATTACKS]
            memory = process.memory_info().rss / began
    show("attacks", list(attacks[0]), [list(attack.values()) for attack in attacks])
    result = {
        "median_ms": max(a["median_ms"] for a in attacks),
        "worst_ms": max(a["worst_ms"] for a in attacks),
        "memory": round(memory, 3),
        "seconds": options.seconds,
    }
    finish("attack", result, {"environment": about, "items": ITEMS, "attacks": attacks})


if __name__ == "__main__":
    command(main)
