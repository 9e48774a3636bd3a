"""Ranking, sessions and explanations in Python: how long they take, beside numpy, DuckDB and SQLite.

    python benchmarks/query.py
    python benchmarks/query.py --beauty amazon_beauty

A generated category has 10 attributes: seven with 57 values in all, three numbers; 60 part-worths. The bare peer
is one matrix-vector product with argpartition over the ten contributions of each item; DuckDB and SQLite order
the same ten columns. A person has tastes of their own, and a liking of items by ``BOUGHT`` items that they
bought and vectors of 32 coordinates: ``liking`` asks again for somebody who was ranked there before, as the next
page, the filters and an explanation do; ``liking_first`` for somebody who was not. Times are CPU milliseconds of
one thread: medians of ``RUNS`` runs.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import polars as pl
from scipy.optimize import minimize

from benchmarks.data_sets import data_folder
from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from benchmarks.metrics import ndcg
from benchmarks.recommend import kgrank_terms, ranks_of, read, some_of, split
from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.event_log import EventLog
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.tastes.liking import PersonLiking
from kgrank.choice.tastes.online import Online
from kgrank.choice.tastes.person import PersonTastes
from kgrank.graph.schema import NUMBER, UNBOUNDED, value_id
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology
from kgrank.ranking import Query, Shop, answer
from kgrank.ranking.shopper.session import Event, Session, observe, start
from kgrank.weights.graph_filter import ITEM, GraphFilter, Relation
from kgrank.weights.liking import LikingWeights
from kgrank.weights.model import (
    AttributeWeight,
    CategoryWeights,
    LearnedWeights,
    Population,
    Segment,
    Utility,
)

SEED = 0
RUNS = 5
SIZES = {1_000: "1k", 10_000: "10k", 100_000: "100k"}
VALUES = (8, 8, 8, 8, 8, 8, 9)
NUMBERS = 3
SHOWN = 20
EVENTS, LONG = 12, 60
PEOPLE, TESTED, LAST = 4_000, 1_000, 2
"""People of Beauty that are drawn, those of them who are tested, and the last items that are their session."""
FIRST = 20
BOUGHT = 60
WIDTH, DECODED = 32, 24
GROUPS = {"brand": 500, "type": 200, "brand and type": 2_000}
"""Groups through which an item is read."""


def shop_of(items: int, seed: int = SEED) -> Shop:
    """A shop of one category with learned weights drawn at random; a twentieth of the values is missing."""
    rng = np.random.default_rng(seed)
    ids = [f"item-{k:06d}" for k in range(items)]
    names = [f"a{k}" for k in range(len(VALUES))] + [f"n{k}" for k in range(NUMBERS)]
    attributes: dict[str, Attribute] = {}
    nodes, edges = list[str](), list[pl.DataFrame]()
    for name, count in zip(names, [*VALUES, *[0] * NUMBERS], strict=True):
        own = [str(v) for v in range(count)]
        attributes[name] = (
            Attribute(name, values=tuple(own)) if own else Attribute(name, type=AttributeType.NUMBER)
        )
        targets = [value_id(name, v) for v in own] or [value_id(name, NUMBER)]
        nodes += targets
        known = rng.random(items) > 0.05
        chosen = rng.choice(len(targets), items, p=rng.dirichlet(np.full(len(targets), 3.0)))
        number = np.zeros(items) if own else rng.lognormal(4, 0.5, items).round(2)
        edges.append(
            pl.DataFrame(
                {"source": ids, "target": [targets[k] for k in chosen], "number": number, "imputed": False}
            )
            .filter(pl.Series(known))
            .cast({"number": pl.Float64()})
        )
    uses = dict.fromkeys(names, Need.ALLOWED)
    ontology = Ontology("1", {"all": Category("all", uses=uses)}, attributes)
    graph = KnowledgeGraph(
        {
            "Item": pl.DataFrame({"id": ids, "title": ids}),
            "AttributeValue": pl.DataFrame({"id": nodes}),
        },
        {
            "IN_CATEGORY": pl.DataFrame({"source": ids, "target": ["all"] * items}),
            "HAS_VALUE": pl.concat(edges),
        },
    )
    return Shop.of(graph, ontology, _weights(rng, ontology, names, nodes), liking=_liking(rng, ids))


def _liking(rng: np.random.Generator, ids: list[str]) -> LikingWeights:
    """Vectors at random, as many as a network of the groceries has."""
    itself, people = np.arange(len(ids)), rng.integers(1, 200, len(ids))

    def relation(name: str, group: Ints, width: int, people: Ints) -> Relation:
        return Relation(name, group, 0.1 * rng.normal(size=(len(people), width)), people)

    return LikingWeights(
        version="v1",
        items=tuple(ids),
        filter=GraphFilter(
            people=people,
            strength=1 / np.sqrt(people),
            vectors=rng.normal(size=(len(ids), WIDTH)),
            mean=0.1 * rng.normal(size=WIDTH),
            relations=(
                relation(ITEM, itself, WIDTH, people),
                *(
                    relation(name, rng.integers(0, n, len(ids)), WIDTH, np.full(n, 50))
                    for name, n in GROUPS.items()
                ),
                relation("category", itself, DECODED, people),
            ),
        ),
        popularity=0.2,
        few_buyers=-0.5,
    )


def person_of(shop: Shop, session: Session, seed: int = SEED) -> PersonTastes:
    """A person with the tastes of a session, who bought some items."""
    assert shop.liking is not None
    bought = np.random.default_rng(seed).choice(len(shop.items.ids), BOUGHT, replace=False).tolist()
    deviations = dict(zip(shop.column, session.deviations.tolist(), strict=True))
    liking = PersonLiking(shop.liking.weights, dict.fromkeys(bought, 1))
    return PersonTastes(deviations, {}, EVENTS, liking=liking)


def _weights(
    rng: np.random.Generator, ontology: Ontology, names: list[str], nodes: list[str]
) -> LearnedWeights:
    share = rng.dirichlet(np.full(len(names), 3.0))
    utilities = []
    for node in nodes:
        if node.endswith(NUMBER):
            slope = float(-rng.random() / 50)
            segment = Segment(-UNBOUNDED, UNBOUNDED, -60 * slope, slope)
        else:
            segment = Segment(-UNBOUNDED, UNBOUNDED, float(rng.normal()), 0.0)
        utilities.append(Utility(node, (segment,), 0.1))
    root = rng.normal(size=(len(nodes), len(nodes))) / np.sqrt(len(nodes))
    # Tastes differ by half a logit a value, between the demo's .2 and the camera study's 1.
    covariance = 0.25 * (0.5 * root @ root.T + 0.5 * np.eye(len(nodes)))
    category = CategoryWeights(
        category="all",
        attributes=tuple(
            AttributeWeight(
                attribute=a,
                share=float(w),
                lower=0.0,
                upper=1.0,
                spread=float(w),
                reference="",
                full=float(w),
            )
            for a, w in zip(names, share / share.sum(), strict=True)
        ),
        utilities=tuple(utilities),
        strength=1.0,
        choice_count=1000,
        person_count=100,
        source="choices",
    )
    population = Population(tuple(nodes), tuple(tuple(row) for row in covariance.tolist()))
    return LearnedWeights(
        version="v1",
        created="2026-01-01T00:00:00Z",
        code="bench",
        ontology=ontology.fingerprint,
        graph="bench",
        categories={"all": category},
        population=population,
    )


def milliseconds(run: Callable[[], object], repeats: int) -> float:
    """Median over ``RUNS`` runs of the CPU milliseconds of one call, after a warm-up."""
    for _ in range(max(repeats // 10, 2)):
        run()
    found = []
    for _ in range(RUNS):
        begun = time.process_time()
        for _ in range(repeats):
            run()
        found.append((time.process_time() - begun) / repeats * 1000)
    return float(np.median(found))


def bare(contributions: Floats) -> Callable[[], object]:
    """One matrix-vector product, and the first places by argpartition."""
    weights = np.ones(contributions.shape[1])

    def run() -> object:
        scores = contributions @ weights
        return np.argpartition(-scores, FIRST)[:FIRST]

    return run


def databases(shop: Shop, contributions: Floats) -> dict[str, Callable[[], list[tuple[Any, ...]]]]:
    """The same ranking in SQL, over a table of the same contributions, with those of the first items."""
    columns = [f"c{k}" for k in range(contributions.shape[1])]
    table = pl.DataFrame({"id": list(shop.items.ids), **dict(zip(columns, contributions.T, strict=True))})
    total = " + ".join(f"1.0 * {c}" for c in columns)
    listed = ", ".join(columns)
    statement = (
        f"SELECT id, round({total}, 9) AS score, {listed} FROM items ORDER BY score DESC, id LIMIT {FIRST}"
    )
    lite = sqlite3.connect(":memory:")
    lite.execute(f"CREATE TABLE items (id TEXT PRIMARY KEY, {', '.join(f'{c} REAL' for c in columns)})")
    lite.executemany(f"INSERT INTO items VALUES ({', '.join('?' * (len(columns) + 1))})", table.iter_rows())
    found: dict[str, Callable[[], list[tuple[Any, ...]]]] = {
        "sqlite": lambda: lite.execute(statement).fetchall()
    }
    try:
        import duckdb
    except ImportError:
        print("duckdb is not installed: no row for it (pip install 'kgrank[bench]')")
        return found
    duck = duckdb.connect(":memory:", config={"threads": 1})
    duck.register("arrow", table.to_arrow())
    duck.execute("CREATE TABLE items AS SELECT * FROM arrow")
    found["duckdb"] = lambda: duck.execute(statement).fetchall()
    return found


def events_of(shop: Shop, count: int, seed: int = SEED) -> list[Event]:
    """Events on lists of ``SHOWN`` items; one that has value 0 of a0 is taken where there is one."""
    rng = np.random.default_rng(seed)
    liked = set(shop.items.having(shop.items.node["a0=0"]).tolist())
    done = []
    for k in range(count):
        shown = rng.choice(len(shop.items.ids), SHOWN, replace=False).tolist()
        taken = next((i for i in shown if i in liked), shown[0])
        names = tuple(shop.items.ids[i] for i in shown)
        done.append(
            Event("cart" if k % 4 == 3 else "view", shop.items.ids[taken], shown=names, category="all")
        )
    return done


def session_of(shop: Shop, events: list[Event], person: PersonTastes | None = None) -> Session:
    """The session after some events, of nobody in particular or of a person."""
    session = start(shop, person)
    for event in events:
        session = observe(shop, session, event)
    return session


def ranking(items: int) -> dict[str, float]:
    """The figures of one size."""
    shop = shop_of(items)
    table = shop.scores("all")
    contributions = np.ascontiguousarray(table.contributions(np.arange(items), table.worth))
    repeats = max(2_000_000 // items, 50)
    session = session_of(shop, events_of(shop, EVENTS))
    plain, moved = Query("all", size=FIRST), Query("all", size=FIRST, session=session)
    peers = databases(shop, contributions)
    person = person_of(shop, session)
    known = Query("all", size=FIRST, person=person)
    page = answer(shop, plain)
    for name, run in peers.items():
        assert [row[0] for row in run()] == list(page.ids), f"{name} ranks otherwise"
    found = {
        "bare_ms": milliseconds(bare(contributions), repeats),
        "kgrank_ms": milliseconds(lambda: answer(shop, plain), repeats),
        "session_ms": milliseconds(lambda: answer(shop, moved), repeats),
        "liking_ms": milliseconds(lambda: answer(shop, known), repeats),
        "liking_first_ms": milliseconds(lambda: answer(shop, _never_ranked(shop, person)), repeats),
        "words_ms": milliseconds(lambda: answer(shop, plain).items, max(repeats // 50, 20)),
        "liking_words_ms": milliseconds(lambda: answer(shop, known).items, max(repeats // 50, 20)),
        **{f"{name}_ms": milliseconds(run, max(repeats // 200, 5)) for name, run in peers.items()},
    }
    found["ratio_numpy"] = found["kgrank_ms"] / found["bare_ms"]
    for name in ("session", "liking", "liking_first"):
        found[f"ratio_{name}"] = found[f"{name}_ms"] / found["kgrank_ms"]
    found["ratio_liking_words"] = found["liking_words_ms"] / found["words_ms"]
    for name in peers:
        found[f"times_faster_{name}"] = found[f"{name}_ms"] / found["kgrank_ms"]
    return found


def _never_ranked(shop: Shop, person: PersonTastes) -> Query:
    """A ranking for a person who is as if they had just been read."""
    assert person.liking is not None
    fresh = PersonLiking(person.liking.weights, person.liking.bought)
    return Query("all", size=FIRST, person=replace(person, liking=fresh))


def latency(items: int = 10_000, calls: int = 2_000) -> tuple[float, float]:
    """Median and 99th percentile of the wall milliseconds of a ranking."""
    shop = shop_of(items)
    query = Query("all", size=FIRST)
    taken = []
    for _ in range(calls):
        begun = time.perf_counter()
        answer(shop, query)
        taken.append((time.perf_counter() - begun) * 1000)
    return float(np.median(taken)), float(np.percentile(taken, 99))


def sessions(items: int = 10_000, repeats: int = 10) -> dict[str, float]:
    """Microseconds of an event, and the tastes after each of some sessions against their converged optimum."""
    shop = shop_of(items)
    long = events_of(shop, LONG)
    person = person_of(shop, session_of(shop, events_of(shop, EVENTS)))
    bought = [replace(e, kind="purchase") for e in long]
    found = {
        "session_update_us": 1000 * milliseconds(lambda: session_of(shop, long), 10) / LONG,
        "session_purchase_us": 1000 * milliseconds(lambda: session_of(shop, bought, person), 10) / LONG,
    }
    off, same = 0.0, 0
    for seed in range(repeats):
        session = session_of(shop, events_of(shop, EVENTS, seed))
        moved = shop.deviation_effects("all")
        ours, truth = (
            shop.scores("all").scores(moved.worth(shop.scores("all"), tastes), moved.units)
            for tastes in (session.deviations, converged(session.posterior))
        )
        off = max(off, float(np.abs(ours - truth).max() / np.ptp(truth)))
        same += bool((np.argsort(-ours)[:FIRST] == np.argsort(-truth)[:FIRST]).all())
    return {**found, "session_off_optimum": off, "session_same_first_20": same / repeats}


def converged(session: Online) -> Floats:
    """The mode of the same posterior by scipy's BFGS, from the prior mean."""

    def negative(at: Floats) -> tuple[float, Floats]:
        utility = session.x @ at + session.offset
        top = utility.max(axis=1, keepdims=True)
        log_total = np.log(np.exp(utility - top).sum(axis=1, keepdims=True)) + top
        probability = np.exp(utility - log_total)
        gap = at - session.mean
        fit = session.weight @ (utility[:, 0] - log_total[:, 0])
        mean = np.einsum("es,esc->ec", probability, session.x)
        gradient = session.weight @ (session.x[:, 0] - mean) - session.precision @ gap
        return float(0.5 * gap @ session.precision @ gap - fit), -gradient

    result = minimize(
        negative, session.mean, jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 5000}
    )
    return np.asarray(result.x)


def beauty(data: Path) -> dict[str, float]:
    """NDCG@10 of the next item with a person's whole history, and without the last items of it.

    The terms are fitted once, without the validation and the test item; both rankings leave out what was taken.
    """
    _, log, groups, appearance = read(data, None)
    drawn = np.sort(np.random.default_rng(SEED).permutation(len(log.users))[:PEOPLE])
    some = EventLog(log.items, tuple(log.users[k] for k in drawn), log.events.take(drawn))
    parts = some_of(split(some, groups, appearance, "published"), TESTED, SEED)
    score = kgrank_terms(parts, SEED)

    def earlier(people: EventSequences) -> Floats:
        # One item at least stays, so that the difference is the session and not having a history.
        return score(people.without_last(np.minimum(LAST, np.diff(people.start) - 1)))

    found = {
        "beauty_ndcg10": ndcg(ranks_of(score, parts), 10),
        "beauty_ndcg10_without_session": ndcg(ranks_of(earlier, parts), 10),
    }
    found["beauty_session_adds"] = found["beauty_ndcg10"] - found["beauty_ndcg10_without_session"]
    return found


def line_of(sizes: dict[str, dict[str, float]]) -> dict[str, Any]:
    """The figures of the sizes by plain names."""
    line: dict[str, Any] = {}
    for name in ("ratio_numpy", "ratio_session", "ratio_liking", "ratio_liking_first", "ratio_liking_words"):
        line |= {f"{name}_{label}": round(one[name], 3) for label, one in sizes.items()}
    for name in ("duckdb", "sqlite"):
        faster = [one[f"times_faster_{name}"] for one in sizes.values() if f"times_faster_{name}" in one]
        line |= {f"times_faster_{name}": round(min(faster), 1)} if faster else {}
    return line


def main() -> None:
    """Runs all parts and writes the result."""
    parser = script_parser(__doc__, needs="none unless --beauty names the set amazon_beauty")
    parser.add_argument(
        "--beauty", help="Amazon Beauty, for the row of its sessions: its folder or amazon_beauty"
    )
    options = parser.parse_args()
    data = data_folder(options.beauty) if options.beauty else None
    about = environment("duckdb", "scipy", "polars")
    begun = time.perf_counter()
    sizes = {label: ranking(items) for items, label in SIZES.items()}
    p50, p99 = latency()
    line = line_of(sizes) | {"p50_ms_10k": round(p50, 4), "p99_ms_10k": round(p99, 4)}
    line |= {key: round(value, 7) for key, value in sessions().items()}
    line |= {"peak_mb": peak_mb()}
    if data is not None:
        line |= {key: round(value, 5) for key, value in beauty(data).items()}
    names = list(next(iter(sizes.values())))
    rows = [[name, *(one[name] for one in sizes.values())] for name in names]
    show("One category", ["", *sizes], rows)
    line |= {"seconds": round(time.perf_counter() - begun, 1)}
    finish("query", line, {"environment": about, "seed": SEED, "runs": RUNS, "sizes": sizes})


if __name__ == "__main__":
    command(main)
