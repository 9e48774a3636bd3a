"""Embeddings by link prediction: planted structure, twins without it, and what is served against the network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.errors import RunError
from kgrank.learning.network.link_prediction import (
    Embeddings,
    EmbeddingSettings,
    LinkPrediction,
    served,
    train_embeddings,
)
from kgrank.learning.network.purchase_sequences import (
    HistoryBatch,
    NextItems,
    PurchaseSequences,
    sampling_logits,
)
from kgrank.weights.graph_filter import GraphFilter, recency_counts

STYLES, EACH, BRANDS, LENGTH, PEOPLE = 6, 12, 8, 6, 400
ITEMS = STYLES * EACH
NEVER_BOUGHT = np.arange(ITEMS) % EACH == EACH - 1
SETTINGS = EmbeddingSettings(
    width=8, hidden=0.3, negatives=48, batch_size=64, learning_rate=0.02, epochs=15, accelerator="cpu"
)


def brands() -> Ints:
    """(items,) the brand of each, which has one style; the first of each style has none, nor has brand 7 items."""
    brand = np.repeat(np.arange(STYLES), EACH)
    return np.where(np.arange(ITEMS) % EACH == 0, -1, brand)


def bought(people: int, seed: int) -> EventSequences:
    """Purchases of people who have one style each, four times of five in it; the last item of a style never."""
    random = np.random.default_rng(seed)
    style = np.repeat(random.integers(STYLES, size=people), LENGTH)
    other = random.random(len(style)) < 0.2
    style = np.where(other, random.integers(STYLES, size=len(style)), style)
    item = style * EACH + random.integers(EACH - 1, size=len(style))
    return EventSequences(item, np.arange(0, len(style) + 1, LENGTH), ITEMS)


def cut(events: EventSequences) -> tuple[EventSequences, NextItems]:
    """All but the last purchase of each, and the last one."""
    before = events.without_last(1)
    return before, NextItems(before.histories(), events.last)


@pytest.fixture(scope="module")
def sequences() -> PurchaseSequences:
    return PurchaseSequences(cut(bought(PEOPLE, 0))[0], {"brand": brands()})


@pytest.fixture(scope="module")
def held_out() -> NextItems:
    return cut(bought(PEOPLE, 0))[1]


@pytest.fixture(scope="module")
def embeddings(sequences: PurchaseSequences, held_out: NextItems) -> Embeddings:
    return train_embeddings(sequences, held_out, SETTINGS)


def scores(trained: Embeddings, history: Ints) -> Floats:
    """(items,) logits of all items after a history."""
    person = trained.filter.person(history, recency_counts(len(history), trained.decay))
    return trained.filter.scores(person, np.arange(ITEMS))


def share_in_style(trained: Embeddings, among: Ints) -> float:
    """How often the best item for a new person who bought three of a style is of that style."""
    hits = []
    for style in range(STYLES):
        for first in range(1, EACH - 4):
            history = style * EACH + first + np.arange(3)
            rest = np.setdiff1d(among, history)
            hits.append(rest[np.argmax(scores(trained, history)[rest])] // EACH == style)
    return float(np.mean(hits))


def test_new_people_are_shown_their_style_and_a_twin_whose_purchases_are_dealt_out_finds_none(
    embeddings: Embeddings, sequences: PurchaseSequences, held_out: NextItems
) -> None:
    every = np.arange(ITEMS)[~NEVER_BOUGHT]
    assert share_in_style(embeddings, every) > 0.9
    twin = train_embeddings(sequences.dealt_out(1), held_out, SETTINGS)
    assert share_in_style(twin, every) < 0.5
    assert embeddings.loss < twin.loss - 0.1


def test_an_item_that_nobody_bought_is_found_by_its_brand(embeddings: Embeddings) -> None:
    item, brand = embeddings.filter.relations
    assert not item.vectors[NEVER_BOUGHT].any()
    assert brand.name == "brand"
    assert share_in_style(embeddings, np.flatnonzero(NEVER_BOUGHT)) > 0.9


def test_what_each_purchase_adds_through_each_relation_sums_to_the_score(embeddings: Embeddings) -> None:
    history = np.array([1, 30, 2, 12, 30])
    person = embeddings.filter.person(history, recency_counts(5, embeddings.decay))
    all_scores = embeddings.filter.scores(person, np.arange(ITEMS))
    for target in range(ITEMS):
        parts = embeddings.filter.contributions(person, target)
        assert parts.relations == ("item", "brand")
        assert parts.total == pytest.approx(all_scores[target], abs=1e-9)
        if brands()[target] < 0:
            assert not parts.logits[:, 1].any()


def test_what_is_served_is_what_was_trained(sequences: PurchaseSequences) -> None:
    module = LinkPrediction(sequences.hetero(), sampling_logits(sequences, 1.0), SETTINGS).double()
    pairs = sequences.next_items(sequences.pairs[::50])
    history = HistoryBatch.of(pairs, SETTINGS.decay).history.double()
    with torch.no_grad():
        items = module.items()
        logits = (module.persons(history, items) @ items.T).numpy()
    learned = served(module, sequences)
    relations = sum(relation.of(np.arange(ITEMS)) for relation in learned.relations)
    for row, expected in enumerate(logits):
        own = pairs.histories.item[pairs.histories.start[row] : pairs.histories.start[row + 1]]
        person = learned.person(own, recency_counts(len(own), SETTINGS.decay))
        known = ~NEVER_BOUGHT
        assert (relations @ person.vector)[known] == pytest.approx(expected[known], abs=1e-6)


def test_a_newer_purchase_weighs_more(embeddings: Embeddings) -> None:
    person = embeddings.filter.person([3, 20, 40], recency_counts(3, 0.5))
    assert person.weight[2] / person.weight[1] == pytest.approx(2.0)
    assert person.weight[1] / person.weight[0] == pytest.approx(2.0)


def test_one_seed_gives_one_answer_and_another_seed_another(
    sequences: PurchaseSequences, held_out: NextItems
) -> None:
    def vectors(seed: int) -> Floats:
        settings = replace(SETTINGS, epochs=2, seed=seed)
        return train_embeddings(sequences, held_out, settings).filter.vectors

    assert (vectors(3) == vectors(3)).all()
    assert (vectors(3) != vectors(4)).any()


def test_a_relation_without_edges_is_left_out_and_named(
    sequences: PurchaseSequences, held_out: NextItems
) -> None:
    maker = np.where(NEVER_BOUGHT, np.arange(ITEMS), -1)
    # Of the values 0 and 2 there is none: groups may be empty.
    line = np.where(np.arange(ITEMS) < 20, 1, 3)
    more = replace(sequences, groups={"maker": maker, "line": line, "none": np.full(ITEMS, -1)})
    trained = train_embeddings(more, held_out, replace(SETTINGS, epochs=1))
    assert [relation.name for relation in trained.filter.relations] == ["item", "line"]
    assert "no edges of maker; no edges of none" in trained.stage.about
    assert trained.filter.relations[1].people[[0, 2]].tolist() == [0, 0]


def test_people_without_a_purchase_are_trained_beside_and_like_nothing_more_than_another(
    sequences: PurchaseSequences, held_out: NextItems
) -> None:
    start = np.concatenate([[0], sequences.events.start])
    empty = replace(sequences.events, start=start)
    beside = NextItems(
        replace(held_out.histories, start=np.concatenate([[0], held_out.histories.start])),
        np.concatenate([[0], held_out.target]),
    )
    trained = train_embeddings(replace(sequences, events=empty), beside, replace(SETTINGS, epochs=1))
    assert not scores(trained, np.array([], np.int64)).any()
    assert trained.filter.contributions(trained.filter.person([]), 0).total == 0.0


def test_without_groups_items_stand_alone(sequences: PurchaseSequences, held_out: NextItems) -> None:
    trained = train_embeddings(replace(sequences, groups={}), held_out, replace(SETTINGS, epochs=1))
    assert isinstance(trained.filter, GraphFilter)
    assert [relation.name for relation in trained.filter.relations] == ["item"]


def test_too_little_to_learn_from_is_said(sequences: PurchaseSequences, held_out: NextItems) -> None:
    single = EventSequences.of([np.array([1]), np.array([2])], ITEMS)
    with pytest.raises(RunError, match="nobody bought two items"):
        train_embeddings(PurchaseSequences(single, {}), held_out, SETTINGS)
    nothing = held_out.take(np.array([], np.int64))
    with pytest.raises(RunError, match="no purchase is held out"):
        train_embeddings(sequences, nothing, SETTINGS)


def test_the_best_epoch_and_the_logs_are_kept_where_a_folder_is_named(
    sequences: PurchaseSequences, held_out: NextItems, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, epochs=2, logger="tensorboard")
    trained = train_embeddings(sequences, held_out, settings, out=tmp_path)
    assert trained.epochs == 2
    assert (tmp_path / "checkpoints" / "best.ckpt").is_file()
    assert list((tmp_path / "logs").rglob("events.*"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_learns_what_a_processor_learns(sequences: PurchaseSequences, held_out: NextItems) -> None:
    settings = replace(SETTINGS, epochs=2)
    processor = train_embeddings(sequences, held_out, settings)
    gpu = train_embeddings(sequences, held_out, replace(settings, accelerator="gpu"))
    assert gpu.filter.vectors == pytest.approx(processor.filter.vectors, abs=1e-4)


def test_a_batch_is_the_graph_of_its_histories_weighted_by_recency(sequences: PurchaseSequences) -> None:
    pairs = sequences.next_items(sequences.pairs[:40])
    expected = np.zeros((40, ITEMS))
    for row in range(40):
        own = pairs.histories.item[pairs.histories.start[row] : pairs.histories.start[row + 1]]
        for back, item in enumerate(own[::-1]):
            expected[row, item] += 0.5**back
    assert HistoryBatch.of(pairs, 0.5).history.to_dense().numpy() == pytest.approx(expected)
