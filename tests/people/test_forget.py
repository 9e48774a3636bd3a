"""A forgotten person is nowhere in the store, in no count of the served weights, and does not come back."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
from generated_shop import write_files
from logged_shop import Log, logged_shop, with_log
from shops import Example, load
from typer.testing import CliRunner

from kgrank.cli.main import app, main
from kgrank.errors import InputError, StoreError
from kgrank.graph import sync
from kgrank.graph.connect import open_store
from kgrank.graph.forgotten import ForgottenPeople, read_forgotten, write_forgotten
from kgrank.graph.schema import EDGES, NODES
from kgrank.graph.store import GraphStore
from kgrank.people.forget import forget, readmit
from kgrank.people.near_files import near_files
from kgrank.ranking import open_shop
from kgrank.ranking.stored.recount import recount
from kgrank.serving.current import Current
from kgrank.serving.service import Settings, application
from kgrank.weights.graph_filter import GraphFilter, Relation
from kgrank.weights.liking import LikingWeights
from kgrank.weights.liking_file import served_liking
from kgrank.weights.model import LearnedWeights
from kgrank.weights.tables import served_transitions, served_weights, weights_to_tables

EVE = "eve-3f9c"
LOG: Log = {
    "ann": ["i1", "i2", "i3"],
    "bob": ["i1", "i2"],
    EVE: ["i3", "i4", "i5", "i1"],
    "joe": ["i5", "i4"],
    "kim": ["i2", "i6"],
}
KEYS = ["source", "target"]


def put(store: GraphStore, shop: Example, log: Log = LOG) -> None:
    """A load as the command does it, then the weights."""
    sync.load(store, with_log(shop.graph, log))
    load(store, shop)


def texts(store: GraphStore) -> str:
    """All properties of all nodes and edges."""
    tables = [*(store.nodes(label) for label in NODES), *(store.edges(name) for name in EDGES)]
    return "\n".join(json.dumps(table.to_dict(as_series=False), ensure_ascii=False) for table in tables)


@pytest.fixture
def shop() -> Example:
    return logged_shop(LOG)


def test_no_property_of_the_store_has_the_id_afterwards(store: GraphStore, shop: Example) -> None:
    put(store, shop)
    assert EVE in texts(store)
    report = forget(store, [EVE])
    assert (report.forgotten, report.events, report.already) == (1, 5, 0)
    assert EVE not in texts(store)
    assert set(store.nodes("User")["id"]) == set(LOG) - {EVE}
    assert len(store.edges("INTERACTED")) == sum(len(items) for user, items in LOG.items() if user != EVE)


def test_the_counts_of_the_served_weights_are_those_of_a_log_without_them(
    store: GraphStore, shop: Example
) -> None:
    put(store, shop)
    assert forget(store, [EVE]).counted
    without = logged_shop({user: items for user, items in LOG.items() if user != EVE})
    links = served_transitions(store, shop.weights.version).sort(KEYS)
    assert links.equals(without.transitions.sort(KEYS))
    popular = {term.name: term.counts for term in served_weights(store).terms}["popular"]
    assert popular == {term.name: term.counts for term in without.weights.terms}["popular"]
    assert open_shop(store).behaviour is not None


BUYERS = np.array([3, 2, 2, 2])
MAKERS = Relation("maker", np.array([0, 0, 1, -1]), np.ones((2, 1)), np.array([3, 2]))


def put_network(store: GraphStore, shop: Example) -> GraphFilter:
    """A liking of four items beside the served weights."""
    version = shop.weights.version
    learned = GraphFilter(BUYERS, 1 / np.sqrt(BUYERS), np.ones((4, 1)), np.zeros(1), (MAKERS,))
    network = LikingWeights(version=version, items=("i1", "i3", "i4", "i5"), filter=learned, popularity=1.0)
    store.replace_version(version, *weights_to_tables(shop.weights, shop.transitions, liking=network))
    return learned


def test_the_network_of_the_served_weights_counts_its_people_without_them(
    store: GraphStore, shop: Example
) -> None:
    put(store, shop)
    learned = put_network(store, shop)
    recount(store)
    before = served_liking(store, shop.weights)
    assert before is not None
    assert before.filter.people.tolist() == BUYERS.tolist()
    assert forget(store, [EVE]).counted
    after = served_liking(store, shop.weights)
    assert after is not None
    assert after.filter.people.tolist() == [2, 1, 1, 1]
    np.testing.assert_allclose(after.filter.strength, 1 / np.sqrt([2, 1, 1, 1]), rtol=1e-6)
    assert after.filter.relations[0].people.tolist() == [2, 1]
    assert after.filter.vectors.tolist() == learned.vectors.tolist()


def test_no_byte_of_the_shops_folder_has_the_id_afterwards(shop: Example, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "shop.lb")) as store:
        put(store, shop)
        assert any(EVE.encode() in path.read_bytes() for path in tmp_path.iterdir())
        report = forget(store, [EVE])
        assert report.rewritten
        assert texts(store).count("ann")
    for path in tmp_path.rglob("*"):
        assert EVE.encode() not in path.read_bytes(), path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop.lb", "shop.lb.lock"]
    with open_store(str(tmp_path / "shop.lb")) as store:
        assert set(store.nodes("User")["id"]) == set(LOG) - {EVE}


def test_a_store_that_was_written_anew_holds_what_it_held_before(
    embedded_store: GraphStore, shop: Example, tmp_path: Path
) -> None:
    put(embedded_store, shop)
    (tmp_path / "shop.lb").chmod(0o640)
    before = texts(embedded_store)
    assert embedded_store.compact()
    assert texts(embedded_store) == before
    assert (tmp_path / "shop.lb").stat().st_mode & 0o777 == 0o640
    # The handle still has the lock.
    with pytest.raises(StoreError, match="open already"):
        open_store(embedded_store.address)
    embedded_store.upsert_nodes("User", pl.DataFrame({"id": ["new"]}))
    assert "new" in set(embedded_store.nodes("User")["id"])


def test_a_later_load_of_the_same_files_does_not_bring_them_back(store: GraphStore, shop: Example) -> None:
    put(store, shop)
    forget(store, [EVE])
    for anew in (False, True):
        changes = sync.load(store, with_log(shop.graph, LOG), anew=anew)
        assert changes.forgotten == 1
        assert EVE not in texts(store)
    assert set(store.nodes("User")["id"]) == set(LOG) - {EVE}


def test_who_is_readmitted_comes_back_with_the_next_load(store: GraphStore, shop: Example) -> None:
    put(store, shop)
    forget(store, [EVE, "joe"])
    assert readmit(store, [EVE]) == 1
    assert sync.load(store, with_log(shop.graph, LOG)).forgotten == 1
    assert set(store.nodes("User")["id"]) == set(LOG) - {"joe"}
    with pytest.raises(InputError, match="'ann' is not on the list of forgotten users"):
        readmit(store, ["ann"])


def test_an_unknown_user_is_an_error_and_nobody_is_forgotten(store: GraphStore, shop: Example) -> None:
    put(store, shop)
    before = texts(store)
    with pytest.raises(InputError, match=r"'annn' \(and 1 more\) are no user of the store.*Nobody was"):
        forget(store, [EVE, "annn", "bobb"])
    assert texts(store) == before


def test_forgetting_twice_is_no_error_and_completes_one_that_was_cut_short(
    store: GraphStore, shop: Example
) -> None:
    put(store, shop)
    write_forgotten(store, read_forgotten(store).with_people([EVE]))
    assert forget(store, [EVE]).forgotten == 1
    assert EVE not in texts(store)
    again = forget(store, [EVE])
    assert (again.forgotten, again.already, again.events) == (0, 1, 0)


def test_everybody_can_be_forgotten(store: GraphStore, shop: Example) -> None:
    put(store, shop)
    forget(store, list(LOG))
    assert store.nodes("User").is_empty()
    assert not any(user in texts(store) for user in ("ann", EVE))
    assert open_shop(store).behaviour is not None


def test_a_dry_run_says_the_same_and_changes_nothing(store: GraphStore, shop: Example) -> None:
    put(store, shop)
    before = texts(store)
    report = forget(store, [EVE], dry_run=True)
    assert (report.forgotten, report.events, report.counted, report.rewritten) == (1, 5, False, False)
    assert texts(store) == before


def test_what_still_holds_counts_of_them_is_named(store: GraphStore, shop: Example) -> None:
    sync.load(store, with_log(shop.graph, LOG))
    load(store, shop, other_version=replace(shop.weights, version="v1"))
    report = forget(store, [EVE])
    assert (report.served, report.others) == (shop.weights.version, ("v1",))
    told = "\n".join(report.remains)
    assert "Train again: kgrank train." in told
    assert "kgrank weights prune" in told
    assert ("transactions" in told) == store.address.startswith("bolt")


def test_weights_of_another_ontology_do_not_keep_somebody_from_being_forgotten(
    store: GraphStore, shop: Example
) -> None:
    other: LearnedWeights = replace(shop.weights, ontology="another")
    put(store, replace(shop, weights=other))
    report = forget(store, [EVE])
    assert EVE not in texts(store)
    assert any("belong to another ontology" in line for line in report.remains)


def test_a_store_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "none.lb")) as store, pytest.raises(StoreError, match="no store"):
        forget(store, ["ann"])
    assert not (tmp_path / "none.lb").exists()


def test_the_list_of_the_forgotten_has_no_id_and_another_salt_gives_other_hashes() -> None:
    one, two = (ForgottenPeople(salt * 16).with_people([EVE]) for salt in ("00", "11"))
    assert [people.has(EVE) for people in (one, two)] == [True, True]
    assert not one.has("ann")
    assert EVE not in str(one)
    assert one.hashes != two.hashes


# load --prune


def test_prune_takes_out_people_who_are_no_longer_in_the_files(store: GraphStore, shop: Example) -> None:
    put(store, shop)
    later = with_log(shop.graph, {user: items for user, items in LOG.items() if user != EVE})
    sync.load(store, later)
    assert EVE in texts(store)
    assert sync.load(store, later, prune=True).deleted == {"User": 1}
    assert EVE not in texts(store)


def test_prune_leaves_no_bytes_of_people_in_the_file(shop: Example, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "shop.lb")) as store:
        put(store, shop)
        later = with_log(shop.graph, {user: items for user, items in LOG.items() if user != EVE})
        sync.load(store, later, prune=True)
        # The record of the load before has hashes alone; the counts are made anew by the command.
    assert all(EVE.encode() not in path.read_bytes() for path in tmp_path.iterdir())


def test_prune_refuses_files_without_most_of_the_people(store: GraphStore, shop: Example) -> None:
    put(store, shop)
    with pytest.raises(StoreError, match="4 of the 5 people in the store are not in the files"):
        sync.load(store, with_log(shop.graph, {"ann": LOG["ann"]}), prune=True)
    assert EVE in texts(store)


def test_prune_by_a_catalogue_without_a_log_takes_nobody(store: GraphStore, shop: Example) -> None:
    put(store, shop)
    assert "User" not in sync.load(store, with_log(shop.graph, {}), prune=True).deleted
    assert set(store.nodes("User")["id"]) == set(LOG)


# the command


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


@pytest.fixture
def address(shop: Example, tmp_path: Path) -> str:
    path = str(tmp_path / "shop.lb")
    with open_store(path) as store:
        put(store, shop)
    return path


def test_the_command_says_what_it_did_and_what_remains(address: str, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(f"user,item\n{EVE},i1\n{EVE}2,i1\n", encoding="utf-8")
    (tmp_path / "others.csv").write_text(f"user,item\n{EVE}2,i1\n", encoding="utf-8")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "weights.json").write_text("{}", encoding="utf-8")
    printed = run("forget", EVE, "--store", address)
    assert "Forgotten: 1 user, with 5 events." in printed
    assert "written anew" in printed
    assert "--readmit" in printed
    assert "events.csv names them" in printed
    assert "others.csv" not in printed
    assert "weights.json holds counts of them" in printed


def test_a_load_says_whom_it_leaves_out(tmp_path: Path) -> None:
    write_files(tmp_path / "files", people=12)
    store = str(tmp_path / "shop.lb")
    run("load", str(tmp_path / "files"), "--store", store)
    run("forget", "u7", "--store", store)
    printed = run("load", str(tmp_path / "files"), "--store", store)
    assert "Of these, left out with their events: 1 forgotten user (kgrank forget --readmit" in printed
    assert json.loads(run("load", str(tmp_path / "files"), "--store", store, "--json"))["changes"] == {
        "compared": {},
        "deleted": {},
        "forgotten": 1,
    }
    with open_store(store) as opened:
        assert "u7" not in set(opened.nodes("User")["id"])


def test_files_near_a_store_are_searched_for_whole_ids(tmp_path: Path) -> None:
    texts_by_name = {
        "quoted.csv": 'user;item\n"u7";i1\n',
        "lines.jsonl": '{"user":"u7","item":"i1"}\n',
        "spaces.csv": "user,item\nJane Doe,i1\n",
        "longer.csv": "user,item\nu77,i1\nu7-0,i1\nJane D,i1\n",
    }
    for name, text in texts_by_name.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "events.parquet").write_bytes(b"PAR1")
    near = near_files(tmp_path / "shop.lb", ["u7", "Jane Doe"])
    assert [path.name for path in near.naming] == ["lines.jsonl", "quoted.csv", "spaces.csv"]
    assert [path.name for path in near.packed] == ["events.parquet"]


def test_the_command_takes_a_file_of_ids_and_answers_in_json(address: str, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text(f"{EVE}\n\njoe\n", encoding="utf-8")
    answer: Mapping[str, Any] = json.loads(
        run("forget", "--file", str(tmp_path / "ids.txt"), "--store", address, "--json", "--dry-run")
    )
    assert (answer["forgotten"], answer["dry_run"], answer["rewritten"]) == (2, True, False)
    assert answer["files"]["naming"] == [str(tmp_path / "ids.txt")]
    answer = json.loads(run("forget", "--file", str(tmp_path / "ids.txt"), "--store", address, "--json"))
    assert (answer["forgotten"], answer["events"], answer["counted"]) == (2, 8, True)
    assert json.loads(run("forget", "--readmit", "joe", "--store", address, "--json"))["readmitted"] == 1


def test_the_commands_mistakes_are_one_line_with_exit_code_2(address: str, tmp_path: Path) -> None:
    for words in (["forget"], ["forget", "nobody"], ["forget", "--file", str(tmp_path / "none.txt")]):
        with pytest.raises(SystemExit) as ended:
            main([*words, "--store", address])
        assert ended.value.code == 2


def test_a_copy_of_a_store_can_be_forgotten_in_too(address: str, tmp_path: Path) -> None:
    shutil.copy(address, tmp_path / "copy.lb")
    run("forget", EVE, "--store", str(tmp_path / "copy.lb"))
    assert EVE.encode() not in (tmp_path / "copy.lb").read_bytes()
    assert EVE.encode() in Path(address).read_bytes()


# a running service


def test_a_running_service_ends_the_sessions_of_a_forgotten_user(address: str) -> None:
    async def session_codes() -> list[int]:
        service = application(Current(address), None, Settings(log=False))
        async with service.router.router.lifespan_context(service.router):
            transport = httpx.ASGITransport(service)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                for name, user in (("of-eve", EVE), ("of-ann", "ann"), ("of-a-stranger", "stranger")):
                    body = {"events": [{"kind": "view", "item": "i1"}], "user": user}
                    done = await client.post(f"/v1/sessions/{name}/events", json=body)
                    assert done.status_code == 200, done.text
                await asyncio.to_thread(run, "forget", EVE, "--store", address)
                assert await service.service.refresh()
                names = ("of-eve", "of-ann", "of-a-stranger")
                answers = [await client.get(f"/v1/sessions/{name}") for name in names]
                return [answer.status_code for answer in answers]

    assert asyncio.run(session_codes()) == [422, 200, 200]


def test_what_a_running_service_knows_of_a_forgotten_users_purchases_goes_with_them(
    address: str, shop: Example
) -> None:
    with open_store(address) as store:
        put_network(store, shop)

    async def terms(client: httpx.AsyncClient, user: str) -> tuple[dict[str, float], int]:
        """Of an item that three people bought: what it gets for the user, and by how many of their choices."""
        done = await client.post("/v1/rank", json={"candidates": ["i1"], "user": user})
        assert done.status_code == 200, done.text
        parts = {c["name"]: c["logits"] for c in done.json()["items"][0]["contributions"]}
        return {n: parts[n] for n in ("liking", "buyers") if n in parts}, done.json()["user_choice_count"]

    async def asked() -> list[tuple[dict[str, float], int]]:
        service = application(Current(address), None, Settings(log=False))
        async with service.router.router.lifespan_context(service.router):
            transport = httpx.ASGITransport(service)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                before = [await terms(client, user) for user in (EVE, "ann")]
                await asyncio.to_thread(run, "forget", EVE, "--store", address)
                assert await service.service.refresh()
                return before + [await terms(client, user) for user in (EVE, "ann")]

    eve, ann, forgotten, ann_later = asyncio.run(asked())
    assert eve[0] == {"liking": 1.0, "buyers": pytest.approx(np.log(4))}
    assert ann[0] == eve[0]
    assert forgotten == ({"buyers": pytest.approx(np.log(3))}, 0)
    assert ann_later[0] == {"liking": 1.0, "buyers": pytest.approx(np.log(3))}
