from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from kgrank.choice.behaviour.additive import BehaviourModel, category_terms
from kgrank.choice.behaviour.event_log import read_event_log
from kgrank.choice.behaviour.examples_from_impressions import learn_from_impressions
from kgrank.choice.behaviour.groupings import groupings, members, titles
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.behaviour.title_tfidf import TitleVectors
from kgrank.choice.data.design import category_design
from kgrank.choice.data.responses import read_log
from kgrank.choice.logit.choice_sets import category_choices
from kgrank.graph.build import build_graph
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping

ITEMS, PEOPLE, TURNS, SHOWN = 40, 250, 8, 6
MAPPING = """
items:
  - {file: items.csv, id: id, title: title, category: {column: category, under: shop}}
events:
  - {file: events.csv, user: user, item: item, kind: {column: kind}, time: time, list: list}
"""
WORDS = ("silk", "denim", "lace", "wool", "linen")


def write_shop(folder: Path, follow: float, alike: float) -> None:
    """Lists of six; ``follow`` logits for the item that goes after the last, ``alike`` for a word in common."""
    random = np.random.default_rng(0)
    names = [f"i{k:02d}" for k in range(ITEMS)]
    rows = []
    for person in range(PEOPLE):
        last = int(random.integers(ITEMS))
        for turn in range(TURNS):
            shown = random.choice(ITEMS, SHOWN, replace=False)
            if (last + 1) % ITEMS not in shown:
                shown[0] = (last + 1) % ITEMS
            shown = shown[shown != last]
            liking = follow * (shown == (last + 1) % ITEMS) + alike * (shown % 5 == last % 5)
            taken = int(random.choice(shown, p=np.exp(liking) / np.exp(liking).sum()))
            when = 1_700_000_000 + 86_400 * turn + 10 * person
            rows += [(when, f"u{person}", names[k], "impression", f"{person}-{turn}") for k in shown]
            rows.append((when + 1, f"u{person}", names[taken], "purchase", f"{person}-{turn}"))
            last = taken
    categories = ["tops" if k < ITEMS // 2 else "bottoms" for k in range(ITEMS)]
    title = [f"{WORDS[k % 5]} number {k}" for k in range(ITEMS)]
    pl.DataFrame({"id": names, "category": categories, "title": title}).write_csv(folder / "items.csv")
    columns = ["time", "user", "item", "kind", "list"]
    pl.DataFrame(rows, schema=columns, orient="row").write_csv(folder / "events.csv")
    (folder / "mapping.yaml").write_text(MAPPING)


def learned(folder: Path, follow: float, alike: float) -> BehaviourModel:
    write_shop(folder, follow, alike)
    clean = ingest(folder, mapping=read_mapping(folder / "mapping.yaml"))
    graph, ontology = build_graph(clean), clean.ontology
    log, events = read_log(graph, ontology), read_event_log(graph)
    design = category_design(graph, ontology, "shop")
    choices = category_choices(log, design, ontology)
    return learn_from_impressions(
        {"shop": choices},
        {"shop": np.zeros(choices.choices.width)},
        events,
        log.users,
        groupings(graph, ontology, events.items),
        TitleVectors.of(titles(graph, events.items)),
        inside=members(graph, ontology, events.items),
    )


def test_of_what_was_shown_people_take_what_goes_after_what_they_took(tmp_path: Path) -> None:
    model = learned(tmp_path, 2.5, 0.0)
    assert model.counts.statistics.recent is not None
    history = EventSequences.of([np.array([3, 11])], ITEMS).histories()
    assert int(np.argmax(model.score(history)[0])) == 12
    assert {"goes-after", "goes-after-last", "later", "right-after", "share-of-next"} & set(model.curves)
    assert sum(model.gains[n] for n in model.curves) > 0.05
    assert set(category_terms(model, "shop")) >= {"attributes", "goes-after"}


def test_of_what_was_shown_people_take_what_is_like_their_last_item_in_words(tmp_path: Path) -> None:
    model = learned(tmp_path, 0.0, 2.0)
    worded = {"like-last-in-words", "like-in-words"} & set(model.curves)
    assert worded
    # Nothing but the word makes these five alike: together they stand above the others.
    score = model.score(EventSequences.of([np.array([3, 11])], ITEMS).histories())[0]
    alike = np.arange(ITEMS) % 5 == 1
    assert score[alike].mean() > score[~alike].mean() + 1.0


def test_where_people_choose_at_random_no_behaviour_term_says_much(tmp_path: Path) -> None:
    model = learned(tmp_path, 0.0, 0.0)
    score = model.score(EventSequences.of([np.array([3, 11])], ITEMS).histories())[0]
    assert np.ptp(score) < 1.0


def test_without_events_nothing_is_learned(tmp_path: Path) -> None:
    write_shop(tmp_path, 0.0, 0.0)
    clean = ingest(tmp_path, mapping=read_mapping(tmp_path / "mapping.yaml"))
    graph = build_graph(clean).until(0)
    model = learn_from_impressions({}, {}, read_event_log(graph), ())
    assert not model.curves
    assert category_terms(model, "shop") == {"attributes": 1.0}
    assert model.log_likelihood == pytest.approx(float("nan"), nan_ok=True)
