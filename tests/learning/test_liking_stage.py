"""The network of people and items in a run: it serves where it wins on held-out choices, and else says why not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from generated_shop import Shop, graph_of
from generated_shop import write_files as write_small_files
from liked_shop import CATEGORIES, EACH, liked_ontology, write_liked_files

from kgrank.errors import RunError
from kgrank.graph.build import build_graph
from kgrank.graph.connect import open_store
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.learning.configuration.config import DataConfig, NetworkConfig, PrivacyConfig, RunConfig
from kgrank.learning.fit import ShopFit, fit_shop, with_tastes
from kgrank.learning.learn import LIKING, Learned, learn
from kgrank.learning.liking.earlier_tastes import earlier_tastes
from kgrank.learning.liking.later_choices import choices_of_items, cuts, later_choices
from kgrank.learning.liking.purchases import drawn_persons, read_purchases
from kgrank.learning.liking.settings import LikingSettings
from kgrank.learning.liking.size import graph_size, pairs_that_fit
from kgrank.learning.network import device as devices
from kgrank.learning.prior_means import closed_form
from kgrank.learning.reporting.progress import NoProgress
from kgrank.learning.run import run
from kgrank.learning.training_data import read_training_data
from kgrank.weights.artefact import read_weights
from kgrank.weights.liking_file import liking_document, read_liking, served_liking
from kgrank.weights.tables import served_weights

NETWORK = NetworkConfig(width=16, decoded=8, accelerator="cpu")


class Notes(NoProgress):
    """Keeps the notes of a run."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        """One more."""
        self.lines.append(text)


def liked(folder: Path, **options: Any) -> Shop:
    """A shop whose people like items by the style of their brands."""
    known = liked_ontology(options.get("categories", CATEGORIES))
    return graph_of(write_liked_files(folder, **options), known)


def configured(**changes: Any) -> RunConfig:
    whole: dict[str, Any] = {"data": DataConfig(store="none.lb"), "out": "out", "people": False}
    return RunConfig(**(whole | {"network": NETWORK} | changes))


def learned(shop: Shop, notes: Notes | None = None, **changes: Any) -> Learned:
    return learn(*shop, configured(**changes), closed_form, notes or Notes())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return liked(tmp_path_factory.mktemp("liked"))


@pytest.fixture(scope="module")
def serving(shop: Shop) -> Learned:
    return learned(shop)


@pytest.fixture(scope="module")
def fitted(shop: Shop) -> ShopFit:
    graph, known = shop
    data = read_training_data(graph, known, 0)
    return with_tastes(fit_shop(data, graph, known, configured(), closed_form), 0)


def test_the_network_serves_where_people_have_a_liking_that_their_purchases_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, store, notes = write_liked_files(tmp_path / "files"), str(tmp_path / "shop.lb"), Notes()
    with open_store(store) as opened:
        load(opened, build_graph(ingest(files, ontology=liked_ontology())))
    config = configured(data=DataConfig(store=store), out=str(tmp_path / "out"))
    summary = run(config, notes)
    assert summary["network_gain"] > 2 * summary["network_gain_error"] > 0
    assert abs(summary["network_gain_shuffled"]) < 0.03
    (sentence,) = [line for line in notes.lines if line.startswith("the network serves: ")]
    assert f"{summary['network_gain']:+.4f}" in sentence
    weights = read_weights(tmp_path / "out" / "weights.json")
    assert sentence in weights.notes
    from_file = read_liking(tmp_path / "out" / "weights.json", weights)
    with open_store(store) as opened:
        from_store = served_liking(opened, served_weights(opened))
    assert from_file is not None
    assert from_store is not None
    assert liking_document(from_file) == liking_document(from_store)
    assert from_file.kinds == ("purchase",)
    assert {r.name for r in from_file.filter.relations} == {"item", "brand", "category"}
    assert from_file.notes[0] == sentence
    assert any("edges/s" in line for line in from_file.notes)
    run(replace(config, network=None))
    assert not (tmp_path / "out" / "network.json").exists(), "the file of a version that is no longer there"
    with open_store(store) as opened:
        assert served_liking(opened, served_weights(opened)) is None


def test_what_is_served_tells_what_a_person_takes_from_what_they_took_before(
    shop: Shop, serving: Learned
) -> None:
    """By the purchases themselves: of items that others bought, a person's own have the higher scores."""
    liking = serving.liking
    assert liking is not None
    number = {item: k for k, item in enumerate(liking.items)}
    bought = shop[0].edge("INTERACTED").filter(pl.col("kind") == "purchase").sort("time")
    higher = []
    for _, events in list(bought.group_by("source", maintain_order=True))[:100]:
        items = [number[item] for item in events["target"]]
        person = liking.filter.person(items[:12], np.ones(12))
        scores = liking.filter.scores(person, np.arange(len(liking.items)))
        higher += [(scores < scores[item]).mean() for item in items[12:]]
    assert np.mean(higher) > 0.57


def test_the_network_stays_out_where_purchases_are_dealt_out_among_people(tmp_path: Path) -> None:
    notes = Notes()
    result = learned(liked(tmp_path, shuffled=True), notes)
    assert result.liking is None
    (sentence,) = [line for line in notes.lines if line.startswith("the network stays out: ")]
    assert sentence in result.weights.notes
    assert result.weights.metrics["network_gain"] < 2 * result.weights.metrics["network_gain_error"]


def test_it_serves_beside_own_tastes_only_for_what_these_do_not_know(shop: Shop) -> None:
    """Here the brand says all of the liking, and tastes in brands know it."""
    result = learned(shop, people=True)
    assert result.weights.metrics["network_gain"] < 0.03 < 0.1 < learned(shop).weights.metrics["network_gain"]


def test_without_impressions_alternatives_are_drawn_and_it_serves_too(tmp_path: Path) -> None:
    result = learned(liked(tmp_path, impressions=False))
    assert result.liking is not None
    assert 0 <= result.liking.beside_history < 1, "the terms of a history know some of it"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"people": 1}, "1 person bought something, of 100 at least"),
        ({"people": 10}, "10 people bought something, of 100 at least"),
        ({"people": 120, "categories": 1}, "all purchases are of 1 category"),
    ],
)
def test_a_shop_that_is_too_small_says_why(tmp_path: Path, options: dict[str, Any], why: str) -> None:
    notes = Notes()
    result = learned(liked(tmp_path, lists=10, **options), notes)
    assert result.liking is None
    assert f"the network stays out: {why}" in "\n".join(notes.lines)
    assert "network_gain" not in result.weights.metrics


def test_few_people_with_later_choices_are_no_proof(shop: Shop) -> None:
    graph, known = shop
    logged = graph.edge("INTERACTED")
    late = logged["time"].quantile(0.08)
    some = logged.filter((pl.col("time") <= late) | pl.col("source").is_in([f"u{k}" for k in range(20)]))
    fewer = KnowledgeGraph(graph.nodes, {**graph.edges, "INTERACTED": some})
    (note,) = [n for n in learned((fewer, known)).weights.notes if n.startswith("the network")]
    assert "people chose something after the purchases of the graph, of 30 at least" in note


def test_purchases_all_at_one_time_leave_no_choices_after_them(shop: Shop) -> None:
    graph, known = shop
    at_once = graph.edge("INTERACTED").with_columns(time=pl.lit(1_700_000_000, pl.Int64))
    same = KnowledgeGraph(graph.nodes, {**graph.edges, "INTERACTED": at_once})
    result = learned((same, known))
    assert "the network stays out: no choices came after the purchases of the graph" in result.weights.notes


def test_items_of_which_nothing_is_known_are_in_no_purchase_and_no_relation_without_values(
    tmp_path: Path,
) -> None:
    graph, known = liked(tmp_path)
    without = graph.edge("HAS_VALUE").filter(~pl.col("target").str.starts_with("brand="))
    bare = KnowledgeGraph(graph.nodes, {**graph.edges, "HAS_VALUE": without})
    result = learned((bare, known))
    assert result.liking is not None
    assert {r.name for r in result.liking.filter.relations} == {"item", "category"}


PROGRAM = """
import json, sys
from pathlib import Path
from kgrank.learning.configuration.config import DataConfig, RunConfig
from kgrank.learning.run import run
folder = Path(sys.argv[1])
data = DataConfig(store=str(folder / "shop.lb"), folder=str(folder))
run(RunConfig(data=data, out=str(folder / "out")))
print(json.dumps({"torch": "torch" in sys.modules}))
"""


def test_a_default_run_of_few_people_loads_no_torch(tmp_path: Path) -> None:
    write_small_files(tmp_path, people=60)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert json.loads(done.stdout.splitlines()[-1])["torch"] is False
    notes = read_weights(tmp_path / "out" / "weights.json").notes
    assert any("people bought something, of 100 at least" in note for note in notes)


def test_a_stage_that_ctrl_c_ends_leaves_the_network_out(shop: Shop) -> None:
    class Stopping(Notes):
        def stage(self, name: str) -> None:
            if name == LIKING:
                raise KeyboardInterrupt

    result = learn(*shop, configured(), closed_form, Stopping())
    assert result.interrupted
    assert result.left_out == (LIKING,)
    assert result.liking is None


def test_people_are_drawn_where_the_graph_is_too_large_and_the_line_says_so(shop: Shop) -> None:
    result = learned(shop, network=replace(NETWORK, sample_above=2_500))
    (sentence,) = [note for note in result.weights.notes if note.startswith("the network")]
    drawn = int(sentence.partition(", from ")[2].partition(" of 300 people, drawn at random")[0])
    assert 90 < drawn < 130
    assert result.liking is not None
    assert result.liking.filter.people.sum() == graph_size(read_purchases(*shop, users(shop))).pairs


def users(shop: Shop) -> tuple[str, ...]:
    """The ids of the people of a shop, in order."""
    return tuple(shop[0].edge("INTERACTED")["source"].unique().sort())


def test_a_graph_that_does_not_fit_is_learned_from_the_people_who_do(shop: Shop) -> None:
    size, settings = graph_size(read_purchases(*shop, users(shop))), LikingSettings()
    assert size.items == CATEGORIES * EACH
    peak = size.peak(settings)
    assert pairs_that_fit(size, settings, peak, 10**9) == size.pairs
    half = (peak + size.fixed(settings)) // 2
    assert pairs_that_fit(size, settings, half, 10**9) == pytest.approx(size.pairs / 2, rel=0.01)
    assert pairs_that_fit(size, settings, size.fixed(settings), 10**9) == 0
    assert pairs_that_fit(size, settings, None, 100) == 100


def test_drawn_people_keep_all_of_their_purchases(shop: Shop) -> None:
    purchases = read_purchases(*shop, users(shop))
    person, _ = purchases.pairs
    drawn = drawn_persons(purchases, len(person) // 3, seed=1)
    assert drawn is not None
    assert np.isin(person, drawn).sum() == pytest.approx(len(person) / 3, rel=0.02)
    assert drawn_persons(purchases, len(person), seed=1) is None


def test_what_few_people_bought_counts_in_no_score_where_it_must_not(tmp_path: Path) -> None:
    graph, known = liked(tmp_path)
    of_item = (pl.col("target") == "c0-1") & (pl.col("kind") == "purchase")
    logged = graph.edge("INTERACTED")
    two = logged.filter(of_item)["source"].unique().sort()[:2]
    rare = logged.filter(~of_item | pl.col("source").is_in(two.implode()))
    thin = KnowledgeGraph(graph.nodes, {**graph.edges, "INTERACTED": rare})
    few = learned((thin, known), privacy=PrivacyConfig(few_in_scores=False)).liking
    every = learned((thin, known)).liking
    assert few is not None
    assert every is not None
    for liking, counts in ((few, False), (every, True)):
        item = liking.items.index("c0-1")
        assert liking.filter.people[item] == 2
        assert bool(liking.filter.strength[item] > 0) is counts
        own = next(r for r in liking.filter.relations if r.name == "item")
        assert bool(own.group[item] >= 0) is counts


def test_earlier_tastes_are_those_of_a_log_that_ends_there(fitted: ShopFit) -> None:
    cut = cuts(choices_of_items(fitted))
    assert cut is not None
    tastes = earlier_tastes(fitted, cut.graph)
    assert np.abs(tastes.mean).max() > 0.1
    sets = {c: s.take(s.choices.time <= cut.graph) for c, s in fitted.shop.own_choices.items()}
    ended = replace(fitted, shop=replace(fitted.shop, own_choices=sets))
    np.testing.assert_allclose(earlier_tastes(ended, np.inf).mean, tastes.mean, atol=1e-9)


def test_later_choices_are_after_the_purchases_of_the_graph_and_by_the_served_utility(
    shop: Shop, fitted: ShopFit
) -> None:
    sets = choices_of_items(fitted)
    cut = cuts(sets)
    assert cut is not None
    purchases = read_purchases(*shop, fitted.shop.log.users)
    before = purchases.take(purchases.time <= cut.graph)
    tastes = earlier_tastes(fitted, cut.graph)
    weights, held_out = (
        later_choices(fitted, before, sets, tastes, span, 0)
        for span in ((cut.graph, cut.weights), (cut.weights, np.inf))
    )
    assert before.time.max() <= cut.graph < weights.choices.time.min()
    assert weights.choices.time.max() <= cut.weights < held_out.choices.time.min()
    assert len(weights.choices) + len(held_out.choices) == pytest.approx(0.2 * 7_200, rel=0.02)
    # The item taken is the one that the person bought then.
    bought = {
        (p, t): i
        for p, t, i in zip(
            purchases.person.tolist(), purchases.time.tolist(), purchases.item.tolist(), strict=True
        )
    }
    choices = weights.choices
    for row in np.flatnonzero(choices.chosen)[:50]:
        choice = choices.choice[row]
        assert bought[int(choices.person[choice]), int(choices.time[choice])] == weights.item[row]
    people = before.people[weights.item]
    np.testing.assert_allclose(weights.beside[:, 0], np.log1p(people))
    assert not choices.outside.any()


def test_a_device_that_does_not_work_leaves_the_processor_and_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("CUDA error: no kernel image is available")

    notes = Notes()
    monkeypatch.setattr(torch, "ones", broken)
    assert devices.device_of("auto", notes).type == "cpu"
    (line,) = notes.lines
    assert "the network takes the CPU" in line
    with pytest.raises(RunError, match=r"network\.accelerator is cpu, which does not work here"):
        devices.device_of("cpu")


def test_an_accelerator_that_is_not_there_is_named_before_any_work(tmp_path: Path) -> None:
    config = configured(
        data=DataConfig(store=str(tmp_path / "none.lb")),
        out=str(tmp_path / "out"),
        network=NetworkConfig(accelerator="abacus"),
    )
    with pytest.raises(RunError, match=r"network\.accelerator is abacus"):
        run(config)
    assert not (tmp_path / "none.lb").exists()


def test_the_records_of_the_stages_are_written_for_tensorboard(shop: Shop, tmp_path: Path) -> None:
    learned(shop, out=str(tmp_path), network=replace(NETWORK, logger="tensorboard"))
    assert list((tmp_path / "logs").rglob("events.out.tfevents.*"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_vectors_and_weights_of_a_cpu(shop: Shop, serving: Learned) -> None:
    on_gpu = learned(shop, network=replace(NETWORK, accelerator="gpu")).liking
    assert on_gpu is not None
    assert serving.liking is not None
    for a, b in zip(on_gpu.filter.relations, serving.liking.filter.relations, strict=True):
        np.testing.assert_allclose(a.vectors, b.vectors, atol=1e-4)
