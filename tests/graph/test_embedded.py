"""The embedded store: one handle at a time, and nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

import ladybug as engine
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kgrank.errors import StoreError
from kgrank.graph.connect import open_store
from kgrank.graph.embedded import reading, writing
from kgrank.graph.embedded import store as store_module
from kgrank.graph.store import GraphStore
from kgrank.graph.tables import empty_edges


def items(count: int) -> pl.DataFrame:
    """Items with some text each."""
    ids = pl.Series("id", [f"i{i:06}" for i in range(count)])
    return pl.DataFrame({"id": ids, "title": ids + " of a shop", "description": ids + " in many words " * 4})


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another Python process."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


HOLD = """
    import sys, time
    from kgrank.graph.connect import open_store
    with open_store(sys.argv[1]) as store:
        store.prepare()
        print("open", flush=True)
        time.sleep(60)
"""

LOAD = """
    import sys
    sys.path.insert(0, sys.argv[2])
    from test_embedded import items
    from kgrank.graph.connect import open_store
    store = open_store(sys.argv[1])
    store.prepare()
    table = items(50_000)
    for start in range(0, 50_000, 500):
        store.upsert_nodes("Item", table[start : start + 500])
        print(start + 500, flush=True)
"""


def test_a_path_opens_the_embedded_store_and_data_stays_in_it(tmp_path: Path) -> None:
    path = tmp_path / "shop.lb"
    with open_store(str(path)) as store:
        store.prepare()
        store.upsert_nodes("Item", items(10))
    with open_store(str(path)) as store:
        assert_frame_equal(store.nodes("Item"), items(10))
        assert store.address == str(path)


def test_reading_a_store_that_does_not_exist_is_an_error_and_makes_no_file(tmp_path: Path) -> None:
    with (
        open_store(str(tmp_path / "shp.lb")) as store,
        pytest.raises(StoreError, match=r"no store.*kgrank load"),
    ):
        store.nodes("Item")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["shop.lb", "./shop.lb", "link.lb"])
def test_a_second_handle_in_the_process_is_refused_and_the_first_goes_on(tmp_path: Path, name: str) -> None:
    (tmp_path / "link.lb").symlink_to(tmp_path / "shop.lb")
    with open_store(str(tmp_path / "shop.lb")) as store:
        store.prepare()
        with pytest.raises(StoreError, match="open already in this process"):
            open_store(f"{tmp_path}/{name}")
        store.upsert_nodes("Item", items(3))
    with open_store(str(tmp_path / "shop.lb")) as store:
        assert len(store.nodes("Item")) == 3


def test_a_second_process_waits_and_is_then_told_who_holds_the_store(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "shop.lb"
    with run(HOLD, path) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "open\n"
            said = rf"held by process {holder.pid} \(.*\), since 20.* after 1\.5 s.*end process {holder.pid}"
            with pytest.raises(StoreError, match=said):
                open_store(str(path), wait=1.5)
            (waiting,) = caplog.messages
            assert f"is held by process {holder.pid}" in waiting
            assert "waiting up to 1.5 s" in waiting
        finally:
            holder.kill()
    with open_store(str(path)) as store:
        assert store.nodes("Item").is_empty()


def test_a_second_process_gets_the_store_when_the_first_has_done_its_work(tmp_path: Path) -> None:
    path = tmp_path / "shop.lb"
    with run(HOLD, path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        ending = Timer(1.0, holder.kill)
        ending.start()
        with open_store(str(path)) as store:
            assert store.nodes("Item").is_empty()
        ending.join()


def test_a_forgotten_handle_gives_the_store_back(tmp_path: Path) -> None:
    path = str(tmp_path / "shop.lb")
    open_store(path).prepare()
    with open_store(path) as store:
        assert store.nodes("Item").is_empty()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "shop.lb"))
    store.prepare()
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.nodes("Item")


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3])
def test_a_killed_load_loses_nothing_that_returned_and_the_next_completes_it(
    tmp_path: Path, seconds: float
) -> None:
    path = tmp_path / "shop.lb"
    loader = run(LOAD, path, Path(__file__).parent)
    assert loader.stdout is not None
    acknowledged = loader.stdout.readline()
    time.sleep(seconds)
    loader.send_signal(signal.SIGKILL)
    rest, _ = loader.communicate()
    written = int((rest.splitlines() or [acknowledged])[-1])
    whole = items(50_000)
    with open_store(str(path)) as store:
        stored = store.nodes("Item")
        assert len(stored) >= written
        assert len(stored) % 500 == 0
        assert_frame_equal(stored, whole[: len(stored)])
        store.upsert_nodes("Item", whole)
        assert_frame_equal(store.nodes("Item"), whole)


TWO_WRITES = """
    import os, pathlib, signal, sys
    sys.path.insert(0, sys.argv[2])
    from test_embedded import items
    from kgrank.graph.connect import open_store
    store = open_store(sys.argv[1])
    store.prepare()
    for start in (0, 500):
        store.upsert_nodes("Item", items(1_000)[start : start + 500])
        print(pathlib.Path(sys.argv[1] + ".wal").stat().st_size, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("share", [0.3, 0.7, 1.0], ids=["early", "late", "at its last byte"])
def test_a_log_that_ends_within_a_write_opens_without_that_write(tmp_path: Path, share: float) -> None:
    path = tmp_path / "shop.lb"
    printed, errors = run(TWO_WRITES, path, Path(__file__).parent).communicate()
    first, second = map(int, printed.split())
    assert first < second, errors
    os.truncate(f"{path}.wal", first + int(share * (second - first)) - 1)
    with open_store(str(path)) as store:
        assert_frame_equal(store.nodes("Item"), items(500))


def test_a_killed_bulk_load_of_edges_is_completed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "shop.lb"
    edges = pl.DataFrame({"source": items(50_000)["id"], "target": "c"})
    edges.write_parquet(tmp_path / "edges.parquet")
    with open_store(str(path)) as store:
        store.prepare()
        store.upsert_nodes("Item", items(50_000))
        columns = store.nodes("Category").schema
        store.upsert_nodes("Category", pl.DataFrame([{"id": "c"}], schema=columns))
    code = """
        import sys
        import polars as pl
        from kgrank.graph.connect import open_store
        store = open_store(sys.argv[1])
        print("loading", flush=True)
        store.upsert_edges("IN_CATEGORY", pl.read_parquet(sys.argv[2]))
        print("loaded", flush=True)
    """
    loader = run(code, path, tmp_path / "edges.parquet")
    assert loader.stdout is not None
    loader.stdout.readline()
    time.sleep(0.1)
    loader.kill()
    rest, _ = loader.communicate()
    with open_store(str(path)) as store:
        assert len(store.edges("IN_CATEGORY")) in ({50_000} if rest else {0, 50_000})
        store.upsert_edges("IN_CATEGORY", edges)
        assert_frame_equal(store.edges("IN_CATEGORY"), edges)


@pytest.mark.parametrize("bulk", [0, 1_000_000])
def test_edges_are_written_alike_in_bulk_and_one_by_one(
    embedded_store: GraphStore, bulk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BULK", bulk)
    embedded_store.upsert_nodes("User", pl.DataFrame({"id": ["u1", "ü'2"]}))
    embedded_store.upsert_nodes("Item", items(3))
    events = pl.DataFrame(
        {
            "source": ["u1", "u1", "u1", "ü'2"],
            "target": ["i000000", "i000000", "i000002", "i000001"],
            "id": ["e1", "e2", "e3", "e4"],
            "value": [1.5, None, -2.0, None],
            "query": ['红 "quoted"', None, "a\nb", "it's"],
        }
    )
    events = pl.concat([embedded_store.edges("INTERACTED"), events], how="diagonal")
    later = events[1:3].with_columns(value=pl.Series([7.0, None]))
    for table in (events, later):
        embedded_store.upsert_edges("INTERACTED", table)
    expected = pl.concat([events[:1], later, events[3:]]).sort("source", "target", "id")
    assert_frame_equal(embedded_store.edges("INTERACTED"), expected)
    embedded_store.upsert_nodes(
        "Category", category := embedded_store.nodes("Category").clear(1).with_columns(id=pl.lit("c"))
    )
    places = pl.DataFrame({"source": items(3)["id"], "target": category["id"][0]})
    embedded_store.upsert_edges("IN_CATEGORY", places)
    assert_frame_equal(embedded_store.edges("IN_CATEGORY"), places)


def test_a_file_that_is_no_store_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("id,title\n1,jacket\n" * 500)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"items\.csv"):
        open_store(str(path))
    assert path.read_bytes() == before


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="a folder"):
        open_store(str(tmp_path))


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "gone" / "shop.lb")) as store, pytest.raises(StoreError, match="gone"):
        store.prepare()


@contextmanager
def not_root() -> Iterator[None]:
    """Root may write everywhere; anybody else may not."""
    before = os.geteuid()
    os.seteuid(65534 if before == 0 else before)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize(
    ("mode", "reason"), [(0o555, "Permission denied"), (0o000, "cannot look into its folder")]
)
def test_a_folder_that_may_not_be_written_to_is_a_clear_error(mode: int, reason: str) -> None:
    with TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(mode)
        with not_root(), pytest.raises(StoreError, match=reason):
            open_store(f"{folder}/shop.lb").prepare()


FILL = """
    import os, resource, sys
    sys.path.insert(0, sys.argv[2])
    from test_embedded import items
    from kgrank.errors import StoreError
    from kgrank.graph.connect import open_store
    room = os.stat(sys.argv[1]).st_size + 100_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    with open_store(sys.argv[1]) as store:
        try:
            store.upsert_nodes("Item", items(30_000))
        except StoreError as error:
            print(error)
"""


def test_a_full_disk_is_a_clear_error_and_the_next_load_completes(tmp_path: Path) -> None:
    path = tmp_path / "shop.lb"
    with open_store(str(path)) as store:
        store.prepare()
        store.upsert_nodes("Item", items(1_000))
    loader = run(FILL, path, Path(__file__).parent)
    printed, errors = loader.communicate()
    assert "the disk is full" in printed
    assert (loader.returncode, errors) == (0, "")
    with open_store(str(path)) as store:
        assert_frame_equal(store.nodes("Item"), items(1_000))
        store.upsert_nodes("Item", items(30_000))
    with open_store(str(path)) as store:
        assert_frame_equal(store.nodes("Item"), items(30_000))


def test_a_query_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "shop.lb"), timeout=0.2) as store:
        store.prepare()
        slow = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN sum(a * b) AS total"
        with pytest.raises(StoreError, match=r"more than 0\.2 s"):
            store.query(slow)
        assert store.query("RETURN 1 AS one") == [{"one": 1}]


def test_a_load_that_changes_nothing_writes_nothing(embedded_store: GraphStore) -> None:
    file = Path(embedded_store.address)
    embedded_store.upsert_nodes("Item", items(5_000))
    before = file.read_bytes()
    embedded_store.upsert_nodes("Item", items(5_000))
    assert file.read_bytes() == before


def test_whole_sums_are_whole_numbers(embedded_store: GraphStore) -> None:
    (row,) = embedded_store.query("UNWIND [1, 2] AS x RETURN sum(x) AS total")
    assert type(row["total"]) is int


def test_a_parameter_without_a_value_is_refused_and_not_taken_as_null(embedded_store: GraphStore) -> None:
    with pytest.raises(StoreError, match=r"no value for \$categroy"):
        embedded_store.query("MATCH (c:Category {id: $categroy}) RETURN c.id AS id", {"category": "top"})


def test_a_store_of_another_version_is_named_as_such(tmp_path: Path) -> None:
    path = str(tmp_path / "shop.lb")
    with open_store(path) as store:
        store.prepare()
    with engine.Database(path) as database, engine.Connection(database) as connection:
        connection.execute("ALTER TABLE GOES_AFTER DROP weight")
        connection.execute("MATCH (s:Schema) SET s.version = 1")
    with open_store(path) as store:
        with pytest.raises(StoreError, match=r"another version of kgrank.*doctor --repair"):
            store.edges("GOES_AFTER")
        store.prepare()
        assert store.edges("GOES_AFTER").is_empty()


def test_the_driver_of_a_server_is_not_loaded_for_a_file(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from kgrank.graph.connect import open_store\n"
        f"with open_store({str(tmp_path / 'shop.lb')!r}) as store:\n"
        "    store.prepare()\n"
        "assert 'neo4j' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_edges_that_are_read_in_parts_are_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In the order of code points, which is neither that of a language nor that of UTF-16.
    users = ["", "B", "a", "a'\"`\\", "é", "\uffee", "红", "🎽", "nobody"]
    with open_store(str(tmp_path / "graph.lb")) as store:
        store.prepare()
        store.upsert_nodes("User", pl.DataFrame({"id": users}))
        store.upsert_nodes("Item", items(5))
        pairs = [(u, f"i{n:06}", f"{u} {n} {k}") for u in users[:-1] for n in range(5) for k in range(3)]
        events = pl.DataFrame(pairs, schema=["source", "target", "id"], orient="row")
        store.upsert_edges("INTERACTED", pl.concat([empty_edges("INTERACTED"), events], how="diagonal"))
        whole = store.edges("INTERACTED")
        for count in (1, 7, 16, 60, 119, 120):
            monkeypatch.setattr(reading, "AT_ONCE", count)
            assert_frame_equal(store.edges("INTERACTED"), whole)
            assert store.edges("SEARCHED").is_empty()


def test_edges_that_are_written_in_parts_are_the_same_table_and_an_end_that_is_missing_stops_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "WRITTEN_AT_ONCE", 7)
    users = [f"u{n}" for n in range(5)]
    pairs = [(u, f"i{n:06}", f"{u} {n}", float(n)) for n in range(5) for u in users]
    events = pl.DataFrame(pairs, schema=["source", "target", "id", "value"], orient="row")
    events = pl.concat([empty_edges("INTERACTED"), events], how="diagonal")
    with open_store(str(tmp_path / "graph.lb")) as store:
        store.prepare()
        store.upsert_nodes("User", pl.DataFrame({"id": users}))
        store.upsert_nodes("Item", items(5))
        astray = pl.concat([events, events[-1:].with_columns(target=pl.lit("nowhere"))])
        with pytest.raises(StoreError, match="nowhere"):
            store.upsert_edges("INTERACTED", astray)
        assert store.edges("INTERACTED").is_empty()
        told: list[int] = []
        store.upsert_edges("INTERACTED", events, lambda name, done, total: told.append(done))
        assert_frame_equal(store.edges("INTERACTED"), events.sort("source", "target", "id"))
        assert told == sorted(told)
        assert told[-1] == len(events)
        changed = events.with_columns(pl.col("value") + 1)
        store.upsert_edges("INTERACTED", changed)
        assert_frame_equal(store.edges("INTERACTED"), changed.sort("source", "target", "id"))
