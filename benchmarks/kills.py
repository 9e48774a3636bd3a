"""kill -9 at random moments of a load, a sync, a write-back and a switch of versions, on both stores.

    python benchmarks/kills.py
    python benchmarks/kills.py --only embedded --kills 30
    python benchmarks/kills.py --only server

A child process does the work and says when it is done; it is killed after a random part of the time that the work
takes, or, in the rows of the server, Neo4j is killed under it and started again. Then the store is read: what was
acknowledged must be there, the served version must be whole, and the next run must complete the work.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(1, str(Path(__file__).parent.parent / "tests"))

import neo4j_server
import polars as pl

from benchmarks.machine import command, environment, finish, script_parser, show
from benchmarks.stores import VERSION, changed, graph, server, weights
from kgrank.graph.connect import open_store
from kgrank.graph.schema import BOOKKEEPING
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph

SCALE = 0.01
WORKS = ("load", "sync", "write-back", "switch")
OTHER = "v2"
UTILITIES = 30_000
"""So many that the embedded store writes them by COPY."""


def tables(version: str) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """One version of weights for the shop."""
    nodes, edges = weights(graph(SCALE, 0), 0)
    edges["UTILITY"] = edges["UTILITY"].head(UTILITIES)
    renamed = {n: t.with_columns(version=pl.lit(version)) for n, t in edges.items()}
    renamed["UTILITY"] = renamed["UTILITY"].with_columns(id=version + pl.col("id"))
    return {"Weights": nodes["Weights"].with_columns(id=pl.lit(version))}, renamed


def do(store: GraphStore, work: str) -> None:
    """The work of the child."""
    if work == "load":
        load(store, graph(SCALE, 0))
    elif work == "sync":
        load(store, changed(graph(SCALE, 0), 1))
    elif work == "write-back":
        store.replace_version(OTHER, *tables(OTHER))
    else:
        store.serve(OTHER, tables(OTHER)[1]["RANKED"])


def set_up(store: GraphStore, work: str) -> None:
    """The store as the work finds it."""
    if work == "load":
        return
    load(store, graph(SCALE, 0))
    if work == "switch":
        store.replace_version(OTHER, *tables(OTHER))
    if work != "sync":
        store.replace_version(VERSION, *tables(VERSION))


def is_target(store: GraphStore, target: KnowledgeGraph) -> bool:
    """Whether the store holds a graph, and nothing else of its kinds."""
    same = all(store.nodes(n).equals(t.sort("id")) for n, t in target.nodes.items() if n not in BOOKKEEPING)
    return same and all(
        store.edges(n).sort(pl.all()).equals(t.sort(pl.all())) for n, t in target.edges.items()
    )


def is_done(store: GraphStore, work: str) -> bool:
    """Whether all of the work is there."""
    if work == "load":
        return is_target(store, graph(SCALE, 0))
    if work == "sync":
        return is_target(store, changed(graph(SCALE, 0), 1))
    return store.nodes("Served")["version"].to_list() == [OTHER] and is_whole(store, OTHER)


def is_whole(store: GraphStore, version: str) -> bool:
    """Whether all edges of a version are there."""
    return all(
        len(store.edges(name).filter(version=version)) == len(table)
        for name, table in tables(version)[1].items()
    )


def is_sound(store: GraphStore, work: str) -> bool:
    """Whether what readers see is one whole version."""
    if work in ("load", "sync"):
        return True
    served = store.nodes("Served")["version"].to_list()
    return served in ([VERSION], [OTHER]) and is_whole(store, served[0])


def log_in(server_: neo4j_server.Server) -> None:
    """Lets this process and its children into a server."""
    os.environ |= {"NEO4J_USER": server_.user, "NEO4J_PASSWORD": server_.password}


def child(address: str, work: str) -> subprocess.Popen[str]:
    """The process that does the work."""
    command = [sys.executable, __file__, "--child", work, "--address", address]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def wipe(address: str, server_: neo4j_server.Server | None) -> None:
    """An empty store."""
    if server_ is not None:
        neo4j_server.empty(server_)
    else:
        for file in Path(address).parent.glob(Path(address).name + "*"):
            file.unlink()


def kill_once(
    address: str, work: str, after: float, victim: neo4j_server.OwnServer | None
) -> dict[str, bool]:
    """Kills the work, or the server under it, after some seconds, and looks."""
    process = child(address, work)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(after)
    if victim is not None:
        victim.end()
        victim.start()
    process.kill()
    acknowledged = "done" in process.stdout.read()
    process.wait()
    with open_store(address) as store:
        lost = acknowledged and not is_done(store, work)
        prepared = store.schema_version() > 0
        half = prepared and not is_sound(store, work)
        do(store, work)
        return {
            "killed": not acknowledged,
            "lost": lost,
            "half": half,
            "incomplete": not is_done(store, work),
        }


def kill_often(
    address: str,
    server_: neo4j_server.Server | None,
    kills: int,
    seed: int,
    victim: neo4j_server.OwnServer | None = None,
) -> dict[str, int]:
    """All works of one store."""
    chance = random.Random(seed)
    counts: dict[str, int] = {}
    for work in WORKS:
        took = 0.0
        for turn in range(kills + 1):
            wipe(address, server_)
            with open_store(address) as store:
                store.prepare()
                set_up(store, work)
            if turn == 0:
                with open_store(address) as store:
                    began = time.perf_counter()
                    do(store, work)
                    # A child is slower, and has the end of its work killed too.
                    took = 1.3 * (time.perf_counter() - began)
                continue
            found = kill_once(address, work, chance.uniform(0, took), victim)
            # A server that gets warm works faster: the moment is to fall within the work, its end included.
            took *= 1.05 if found["killed"] else 0.8
            for name, value in found.items():
                counts[f"{work}_{name}"] = counts.get(f"{work}_{name}", 0) + value
    return counts


def main() -> None:
    """Runs the benchmark, or the work of a child."""
    parser = script_parser(__doc__)
    parser.add_argument("--kills", type=int, default=30, help="for each work and store")
    parser.add_argument("--only", choices=["embedded", "neo4j", "server"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", choices=WORKS, help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        with open_store(options.address) as store:
            print("ready", flush=True)
            do(store, options.child)
            print("done", flush=True)
        return
    about = environment("ladybug", "neo4j")
    print(json.dumps(about))
    began = time.perf_counter()
    found: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory(prefix="kgrank-kills-") as name:
        if options.only in (None, "embedded"):
            found["embedded"] = kill_often(f"{name}/shop.lb", None, options.kills, options.seed)
        if options.only in (None, "neo4j"):
            with server(Path(name) / "home") as running:
                log_in(running)
                found["neo4j"] = kill_often(running.address, running, options.kills, options.seed)
        if options.only in (None, "server"):
            victim = neo4j_server.OwnServer(Path(name) / "victim")
            log_in(victim.server)
            try:
                found["server"] = kill_often(
                    victim.server.address, victim.server, options.kills, options.seed, victim
                )
            finally:
                victim.end()
    rows = [[n, *(f[n] for f in found.values())] for n in next(iter(found.values()))]
    show(f"of {options.kills} kills each", ["what", *found], rows)
    line: dict[str, Any] = {f"{store}_{n}": v for store, counts in found.items() for n, v in counts.items()}
    totals = {
        k: sum(v for n, v in line.items() if n.endswith(k)) for k in ("killed", "lost", "half", "incomplete")
    }
    line = {**totals, **line, "kills": options.kills, "seconds": round(time.perf_counter() - began, 1)}
    name = f"kills-{options.only}" if options.only else "kills"
    finish(name, line, {"environment": about, "seed": options.seed})


if __name__ == "__main__":
    command(main)
