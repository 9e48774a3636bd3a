"""Ranking, session events and HTTP of this checkout beside those of an earlier one, in the same minutes.

    git worktree add ../before v0.4.0
    python benchmarks/compare.py --before ../before
    python benchmarks/compare.py --before ../before --rounds 15

Both run in processes of their own and take turns, each round in the other order, so that whatever else the machine
does falls on both. Times are processor milliseconds, of the server alone for HTTP; ``wall_ratio`` is by the clock.
A ratio is the median over the rounds of this checkout's time in parts of the earlier one's.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(1, str(Path(__file__).parent.parent / "tests"))

from benchmarks.machine import command, environment, finish, script_parser, show
from benchmarks.serve import CLIENTS, ITEMS, QUESTION, Connection, cpu, server

HERE = Path(__file__).resolve().parent.parent
REQUESTS = 2000
NUMBER = itertools.count()

WORKER = """
import json, os, sys, time
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
checkout, items, store = sys.argv[1], int(sys.argv[2]), sys.argv[3]
sys.path[:0] = [checkout, checkout + "/tests"]
from benchmarks.query import Query, answer, events_of, session_of, shop_of
from shops import example, load
from kgrank.graph.connect import open_store
with open_store(store) as opened:
    load(opened, example(0, items=items))
shop = shop_of(10_000)
events = events_of(shop, 60)
plain, moved = Query("all", size=20), Query("all", size=20, session=session_of(shop, events[:12]))
cases = {
    "ranking": (lambda: answer(shop, plain), 400),
    "ranking, with sentences": (lambda: answer(shop, plain).items, 40),
    "ranking in a session": (lambda: answer(shop, moved), 200),
    "sixty session events": (lambda: session_of(shop, events), 5),
}
for run, _ in cases.values():
    run()
print("ready", flush=True)
for line in sys.stdin:
    run, repeats = cases[line.strip()]
    wall, used = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        run()
    times = time.process_time() - used, time.perf_counter() - wall
    print(json.dumps([1000 * t / repeats for t in times]), flush=True)
"""
IN_PYTHON = ("ranking", "ranking, with sentences", "ranking in a session", "sixty session events")

Times = tuple[float, float]
"""Milliseconds of the processor, and of the clock."""


@contextmanager
def worker(checkout: Path, store: Path) -> Iterator[Callable[[str], Times]]:
    """A process that imports one checkout, loads a store, and measures what it is asked for."""
    line = [sys.executable, "-c", WORKER, str(checkout), str(ITEMS), str(store)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given, answers = process.stdin, process.stdout
        if answers.readline() != "ready\n":
            raise RuntimeError(f"{checkout} could not be measured")

        def measured(case: str) -> Times:
            print(case, file=given, flush=True)
            used, wall = json.loads(answers.readline())
            return used, wall

        yield measured


def over_http(case: str, chance: random.Random) -> tuple[str, Any]:
    """Path and message of one request."""
    if case == "HTTP, the same question":
        return "/v1/rank", QUESTION
    if case == "HTTP, questions of their own":
        # Each differs from all before, so that no answer is in memory.
        minimum = {"attribute": "price", "minimum": next(NUMBER) * 1e-9}
        return "/v1/rank", {**QUESTION, "filters": [minimum]}
    event = {"kind": "view", "item": f"i{chance.randrange(ITEMS)}"}
    return f"/v1/sessions/s{next(NUMBER)}/events", {"events": [event]}


OVER_HTTP = ("HTTP, the same question", "HTTP, questions of their own", "HTTP, a session event")


async def load(port: int, case: str) -> None:
    """Some clients that ask one after another."""

    async def client(number: int) -> None:
        chance = random.Random(number)
        async with Connection(port) as connection:
            for _ in range(REQUESTS // CLIENTS):
                path, message = over_http(case, chance)
                status, body = await connection.ask("POST", path, message)
                if status != 200:
                    raise RuntimeError(body.decode())

    await asyncio.gather(*(client(k) for k in range(CLIENTS)))


@contextmanager
def service(checkout: Path, store: Path) -> Iterator[Callable[[str], Times]]:
    """The service of one checkout, which measures its own requests."""
    start = "from kgrank.cli.main import main; main()"
    line = ["env", f"PYTHONPATH={checkout}", sys.executable, "-c", start, "serve", "--store", str(store)]
    folder = store.parent
    with server(*line, "--no-log", "--rate", "1e9", "--burst", "1e9", cwd=folder) as (port, process):

        def measured(case: str) -> Times:
            used, wall = cpu(process), time.perf_counter()
            asyncio.run(load(port, case))
            times = cpu(process) - used, time.perf_counter() - wall
            return 1000 * times[0] / REQUESTS, 1000 * times[1] / REQUESTS

        yield measured


def compared(
    cases: tuple[str, ...], sides: list[Callable[[str], Times]], rounds: int
) -> list[dict[str, Any]]:
    """One row a case: the medians of both sides, and those of the rounds' ratios."""
    times: dict[str, list[list[Times]]] = {case: [] for case in cases}
    for turn in range(rounds + 1):
        for case in cases:
            pair = [sides[k](case) for k in ((0, 1) if turn % 2 else (1, 0))]
            if turn:
                # The first one warms up.
                times[case].append(pair if turn % 2 else pair[::-1])
    return [
        {
            "case": case,
            "before_ms": round(statistics.median(before[0] for before, _ in pairs), 4),
            "after_ms": round(statistics.median(after[0] for _, after in pairs), 4),
            "ratio": round(statistics.median(after[0] / before[0] for before, after in pairs), 3),
            "wall_ratio": round(statistics.median(after[1] / before[1] for before, after in pairs), 3),
        }
        for case, pairs in times.items()
    ]


def commit(checkout: Path) -> str:
    """The commit of a checkout."""
    line = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Runs the benchmark."""
    parser = script_parser(__doc__)
    parser.add_argument("--before", type=Path, required=True, help="an earlier checkout")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    before = options.before.resolve()
    about = environment("uvicorn", "starlette", "msgspec")
    print(json.dumps(about))
    checkouts = {"before": before, "after": HERE}
    with tempfile.TemporaryDirectory(prefix="kgrank-compare-") as name, ExitStack() as stack:
        stores = {side: Path(name) / side / "shop.lb" for side in checkouts}
        for store in stores.values():
            store.parent.mkdir()
        workers = [stack.enter_context(worker(checkouts[side], stores[side])) for side in checkouts]
        services = [stack.enter_context(service(checkouts[side], stores[side])) for side in checkouts]
        rows = compared(IN_PYTHON, workers, options.rounds)
        rows += compared(OVER_HTTP, services, options.rounds)
    show("before and after", list(rows[0]), [list(row.values()) for row in rows])
    result = {"worst_ratio": max(row["ratio"] for row in rows), "rounds": options.rounds}
    commits = {side: commit(checkout) for side, checkout in checkouts.items()}
    load_now = round(os.getloadavg()[0], 1)
    finish("compare", result, {"environment": about | {"load_middle": load_now}, **commits, "cases": rows})


if __name__ == "__main__":
    command(main)
